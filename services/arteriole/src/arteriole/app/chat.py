"""People in a chat: the packs call for them, by name, and they may do what the site gave them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from arteriole.app.auth import Identity, Role
from arteriole.app.config import Section
from arteriole.app.errors import ForbiddenError
from arteriole.app.names import is_identifier, require_identifier

#: The header in which a caller says for whom it acts.
ON_BEHALF_OF = "X-On-Behalf-Of"


def _identifier(name: str) -> str:
    if not is_identifier(name):
        raise ValueError(f"expected a name of A-Z a-z 0-9 . _ -, found {name[:60]!r}")
    return name


Name = Annotated[str, AfterValidator(_identifier)]


class ChatSettings(Section):
    #: Who may do what, by the name that the chat's bot gives; nobody else may do anything.
    users: dict[Name, Literal["reader", "operator"]] = Field(default_factory=dict)
    #: Whose tokens may act for people of the chat.
    by: tuple[Name, ...] = ("packs",)

    def identity(self, caller: Identity, name: str) -> Identity:
        """Who acts when `caller` acts for `name`; never with a greater role than the caller's.

        Raises:
            ForbiddenError: the caller may act for nobody, or `name` is not one of `users`.
        """
        if caller.name not in self.by:
            raise ForbiddenError(
                f"the token of {caller.name} may not act for others ({ON_BEHALF_OF})",
                hint="only those that chat.by in arteriole.yaml names may: the packs'",
                code="auth.on_behalf",
            )
        require_identifier(name, ON_BEHALF_OF)
        given = self.users.get(name)
        if given is None:
            raise ForbiddenError(
                f"{name} of the chat may do nothing here: the name is not in chat.users",
                hint=f"an administrator writes '{name}: reader' or '{name}: operator' below"
                " chat.users in arteriole.yaml, and starts the services again",
                code="auth.chat_user",
            )
        return Identity(f"{caller.name}/chat:{name}", min(caller.role, Role[given.upper()]))
