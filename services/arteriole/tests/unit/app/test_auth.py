"""Tokens: roles, revoking, and what lies on disk."""

import json

import pytest

from arteriole.app.auth import Identity, Role, Tokens, TokensFileError
from arteriole.app.errors import ConflictError, ForbiddenError, InvalidError, UnauthorizedError


@pytest.fixture
def tokens(tmp_path):
    return Tokens(tmp_path / "state" / "tokens.json")


@pytest.mark.parametrize("role", Role)
def test_a_token_stands_for_its_name_and_role(tokens, role):
    token = tokens.create("ada", role)
    assert tokens.identify(f"Bearer {token}") == Identity("ada", role)
    assert tokens.identify(f"bearer {token}") == Identity("ada", role)
    assert tokens.names() == {"ada": role.name.lower()}


@pytest.mark.parametrize("has", Role)
@pytest.mark.parametrize("needs", Role)
def test_a_role_may_do_what_lesser_roles_may(has, needs):
    identity = Identity("ada", has)
    if has >= needs:
        identity.require(needs)
        return
    with pytest.raises(
        ForbiddenError, match=f"{has.name.lower()}; this needs {needs.name.lower()}"
    ):
        identity.require(needs)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic eDp5", "Bearer wrong", "x" * 9000, "Bearer é"]
)
def test_nothing_else_is_let_in(tokens, header):
    tokens.create("ada", Role.ADMIN)
    with pytest.raises(UnauthorizedError):
        tokens.identify(header)


def test_the_hash_of_a_token_is_no_token(tokens):
    tokens.create("ada", Role.ADMIN)
    digest = json.loads(tokens.path.read_text())["ada"]["sha256"]
    with pytest.raises(UnauthorizedError):
        tokens.identify(f"Bearer {digest}")


def test_a_revoked_token_is_refused_by_a_process_that_runs(tokens):
    token, other = tokens.create("ada", Role.ADMIN), tokens.create("bob", Role.READER)
    service = Tokens(tokens.path)
    assert service.identify(f"Bearer {token}").name == "ada"
    assert tokens.revoke("ada") is True
    assert tokens.revoke("ada") is False
    with pytest.raises(UnauthorizedError, match="revoked"):
        service.identify(f"Bearer {token}")
    assert service.identify(f"Bearer {other}").name == "bob"


def test_a_file_that_was_away_counts_again(tokens, tmp_path):
    token = tokens.create("ada", Role.READER)
    tokens.identify(f"Bearer {token}")
    tokens.path.rename(tmp_path / "away")
    with pytest.raises(UnauthorizedError):
        tokens.identify(f"Bearer {token}")
    (tmp_path / "away").rename(tokens.path)
    assert tokens.identify(f"Bearer {token}").name == "ada"


def test_without_a_file_nobody_is_known(tokens):
    token = tokens.create("ada", Role.ADMIN)
    tokens.identify(f"Bearer {token}")
    tokens.path.unlink()
    with pytest.raises(UnauthorizedError):
        tokens.identify(f"Bearer {token}")


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.symlink_to(path.name), "symbolic links"),
        (lambda path: path.write_text("{"), "not JSON"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_lets_nobody_in(tokens, spoil, found):
    token = tokens.create("ada", Role.ADMIN)
    tokens.identify(f"Bearer {token}")
    tokens.path.unlink()
    spoil(tokens.path)
    for act in (lambda: tokens.identify(f"Bearer {token}"), lambda: tokens.revoke("ada")):
        with pytest.raises(TokensFileError, match=found) as told:
            act()
        assert (told.value.status, told.value.code) == (503, "auth.tokens_file")
        assert str(tokens.path.parent) not in f"{told.value} {told.value.hint}"


def test_the_file_is_its_owners_and_holds_no_token(tokens):
    token = tokens.create("ada", Role.ADMIN)
    assert tokens.path.stat().st_mode & 0o777 == 0o600
    assert token not in tokens.path.read_text()
    assert [path.name for path in tokens.path.parent.iterdir()] == ["tokens.json"]


def test_a_name_has_one_token(tokens):
    token = tokens.create("ada", Role.ADMIN)
    with pytest.raises(ConflictError, match="ada has a token already") as error:
        tokens.create("ada", Role.READER)
    assert error.value.hint == "arteriole token revoke ada"
    assert tokens.identify(f"Bearer {token}").role is Role.ADMIN


def test_a_name_is_an_identifier(tokens):
    with pytest.raises(InvalidError):
        tokens.create("<% x %>", Role.READER)
    assert not tokens.path.exists()


def test_first_tokens_are_all_kept_or_none_is_known(tokens):
    kept = {}

    def full(name, token):
        if name == "admin":
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        tokens.create_first(full)
    assert not tokens.path.exists()
    tokens.create_first(kept.__setitem__)
    admin = Identity("admin", Role.ADMIN, is_person=False)
    assert tokens.identify(f"Bearer {kept['admin']}") == admin
    assert tokens.names() == {"admin": "admin", "packs": "operator"}


@pytest.mark.parametrize(("name", "is_person"), [("ada", True), ("admin", False), ("packs", False)])
def test_the_names_of_first_tokens_are_no_persons(tokens, name, is_person):
    token = tokens.create(name, Role.OPERATOR)
    assert tokens.identify(f"Bearer {token}").is_person is is_person
