"""Small stand-ins for the registry, the datastore and the tokens, for tests of the engine."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from st2solo.errors import InvalidError, NotFoundError


@dataclass(frozen=True)
class FolderAction:
    """An action read from a metadata file."""

    id: str
    ref: str
    pack: str
    name: str
    runner_type: str
    enabled: bool
    entry_point: Path | None
    parameters: dict[str, dict[str, Any]]
    pack_path: Path
    output_schema: dict[str, Any] = field(default_factory=dict)
    description: str = ""
    tags: list[dict[str, str]] = field(default_factory=list)
    notify: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The parts of the action that the API shows."""
        return {
            "id": self.id,
            "ref": self.ref,
            "pack": self.pack,
            "name": self.name,
            "runner_type": self.runner_type,
            "enabled": self.enabled,
            "parameters": self.parameters,
            "tags": self.tags,
            "notify": self.notify,
            "output_schema": self.output_schema,
        }


@dataclass(frozen=True)
class FolderPolicy:
    """A policy that a test registers."""

    ref: str
    policy_type: str
    resource_ref: str
    parameters: dict[str, Any]


class FolderRegistry:
    """The actions in `<folder>/<pack>/actions/*.yaml`, read each time they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.configs: dict[str, dict[str, Any]] = {}
        self.registered_policies: list[FolderPolicy] = []

    def action(self, ref: str) -> FolderAction:
        pack, _, name = ref.partition(".")
        actions = self._folder / pack / "actions"
        file = actions / f"{name}.yaml"
        if not file.is_file():
            raise NotFoundError(f"there is no action {ref}")
        data = yaml.safe_load(file.read_text())
        entry = data.get("entry_point")
        return FolderAction(
            id=f"{abs(hash(ref)) % 16**12:024x}",
            ref=ref,
            pack=pack,
            name=name,
            runner_type=data["runner_type"],
            enabled=data.get("enabled", True),
            entry_point=actions / entry if entry else None,
            parameters=data.get("parameters") or {},
            pack_path=self._folder / pack,
            tags=data.get("tags") or [],
            notify=data.get("notify") or {},
            output_schema=data.get("output_schema") or {},
        )

    def alias(self, alias_id: str) -> dict[str, Any] | None:
        return None

    def policies(self, action_ref: str) -> list[FolderPolicy]:
        return [p for p in self.registered_policies if p.resource_ref == action_ref]

    def pack_config(self, pack: str, user: str) -> dict[str, Any]:
        return self.configs.get(pack, {})


class MemoryKeys:
    """A datastore in memory; an encrypted value reads as `encrypted` until it is decrypted."""

    def __init__(self, **system: str) -> None:
        self.system = system
        self.user: dict[tuple[str, str], str] = {}
        self.encrypted: set[str] = set()

    def value(self, name: str, *, scope: str, user: str | None, decrypt: bool) -> str | None:
        if scope == "user":
            return self.user.get((str(user), name))
        if name in self.encrypted and not decrypt:
            return "encrypted"
        if decrypt and name in self.system and name not in self.encrypted:
            raise InvalidError("expected an encrypted value, found plain text")
        return self.system.get(name)


class MemoryTokens:
    """Tokens that say for whom they are."""

    def action_token(self, execution_id: str, user: str, ttl_seconds: int) -> str:
        return f"token-of-{user}"

    def revoke_of(self, execution_id: str) -> None:
        pass
