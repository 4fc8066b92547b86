"""Who may do what from a chat, as a site writes it."""

import pytest
from pydantic import ValidationError

from arteriole.app.auth import Identity, Role
from arteriole.app.chat import ChatSettings
from arteriole.app.errors import ForbiddenError

PACKS = Identity("packs", Role.OPERATOR)


def test_by_default_nobody_may_do_anything():
    with pytest.raises(ForbiddenError, match=r"jane .* not in chat.users") as caught:
        ChatSettings().identity(PACKS, "jane")
    assert "arteriole.yaml" in caught.value.hint


@pytest.mark.parametrize(
    ("role", "given", "has"),
    [
        (Role.OPERATOR, "operator", Role.OPERATOR),
        (Role.OPERATOR, "reader", Role.READER),
        (Role.READER, "operator", Role.READER),
        (Role.ADMIN, "operator", Role.OPERATOR),
    ],
)
def test_the_lesser_of_both_roles_counts(role, given, has):
    chat = ChatSettings(users={"jane": given})
    assert chat.identity(Identity("packs", role), "jane") == Identity("packs/chat:jane", has)


def test_only_the_tokens_that_are_named_act_for_others():
    chat = ChatSettings(users={"jane": "operator"})
    with pytest.raises(ForbiddenError, match="admin may not act for others"):
        chat.identity(Identity("admin", Role.ADMIN), "jane")


@pytest.mark.parametrize(
    "content",
    [
        {"users": {"jane": "admin"}},
        {"users": {"ja ne": "reader"}},
        {"users": {"{{ x }}": "reader"}},
        {"users": {"packs/chat:jane": "reader"}},
        {"users": ["jane"]},
        {"by": ["a b"]},
        {"people": {}},
    ],
)
def test_what_is_refused(content):
    with pytest.raises(ValidationError):
        ChatSettings.model_validate(content)
