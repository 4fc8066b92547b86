"""What the engine needs from its surroundings, as protocols."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from st2solo.installed_packs import InstalledPack


class ActionDefinition(Protocol):
    """An action of a pack as the registry holds it."""

    @property
    def id(self) -> str: ...
    @property
    def ref(self) -> str: ...
    @property
    def pack(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def runner_type(self) -> str: ...
    @property
    def enabled(self) -> bool: ...
    @property
    def entry_point(self) -> Path | None: ...
    @property
    def parameters(self) -> dict[str, dict[str, Any]]: ...
    @property
    def output_schema(self) -> dict[str, Any]: ...
    @property
    def description(self) -> str: ...
    @property
    def tags(self) -> list[dict[str, str]]: ...
    @property
    def notify(self) -> dict[str, Any]: ...
    @property
    def pack_path(self) -> Path: ...
    def document(self) -> dict[str, Any]:
        """The action as StackStorm's API shows it."""


class PolicyDefinition(Protocol):
    """A policy of an action; its parameters are complete and checked."""

    @property
    def ref(self) -> str: ...
    @property
    def policy_type(self) -> str: ...
    @property
    def parameters(self) -> dict[str, Any]: ...


class ActionLookup(Protocol):
    """Where actions come from."""

    def action(self, ref: str) -> ActionDefinition:
        """The action of that ref, or NotFoundError."""


class ActionSource(ActionLookup, Protocol):
    """Where actions, their policies and the configurations of packs come from."""

    def policies(self, action_ref: str) -> Sequence[PolicyDefinition]:
        """The enabled policies of an action, in the order of their refs."""

    def alias(self, alias_id: str) -> dict[str, Any] | None:
        """The alias as StackStorm's API shows it; None if there is none of that id."""

    def pack_config(self, pack: str, user: str) -> dict[str, Any]:
        """The pack's configuration, rendered, with the schema's defaults."""


class PackChanges(Protocol):
    """What installs and removes packs; `install` and `remove` are called in a transaction."""

    @property
    def folder(self) -> Path:
        """Where packs are put before they are installed."""

    def fixed(self) -> dict[str, Path]:
        """The packs that nobody can install or remove, and where they are."""

    def registered(self) -> list[str]:
        """The names of all packs."""

    def install(self, found: Sequence[InstalledPack]) -> list[str]:
        """Register packs whose files are there, all or none; their names.

        Raises:
            MetadataError: what is wrong with them.
            InvalidError: one of them is fixed, or its files are not there.
        """

    def remove(self, names: Sequence[str]) -> list[str]:
        """Forget packs and all that they have registered, all or none; their names.

        Raises:
            NotFoundError: one is not there.
            InvalidError: one is fixed.
        """


class KeySource(Protocol):
    """The datastore."""

    def value(self, name: str, *, scope: str, user: str | None, decrypt: bool) -> str | None:
        """The value of a key of the scope `system` or `user`; None when it is not there.

        Raises:
            InvalidError: it is to be decrypted, and is not encrypted.
        """


class TokenSource(Protocol):
    """Where an action's access to the API comes from."""

    def action_token(self, execution_id: str, user: str, ttl_seconds: int) -> str:
        """A new token of that user for the API, for the process of an execution."""

    def revoke_of(self, execution_id: str) -> None:
        """Let the tokens of an execution end with it."""
