"""policy.yaml, read and checked; errors name file and line."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from arteriole.app.config import ConfigError, Reader, load
from arteriole.app.name_pattern import compiled
from arteriole.policy.policy import PlacedRule, Policy
from arteriole.policy.settings import Form, Label, PolicySettings


def read_policy(path: Path) -> Policy:
    """The policy in the file `path`; ConfigError if it cannot be used."""
    settings = load(path, PolicySettings, {})
    lines = _lines(path, "rules")
    labels = {
        f"{service}.{name}": label
        for service, named in _services(settings).items()
        for name, label in named.items()
    }
    rules = tuple(
        PlacedRule(rule, line, None if rule.project is None else compiled(rule.project))
        for rule, line in zip(settings.rules, lines, strict=True)
    )
    return Policy(path, settings.metadata_folder, labels, rules)


def require_policy(path: Path, destinations: set[str], encrypting: set[str]) -> None:
    """ConfigError if it cannot be used, or its labels do not fit the destinations.

    Each of `destinations` has to have one, and no other; those of `encrypting` an encrypted one.
    """
    policy = read_policy(path)
    (line,) = _lines(policy.path, "destinations") or (1,)
    for name in sorted(destinations - policy.labels.keys()):
        raise ConfigError(
            f"{policy.path}:{line}: destinations: expected a label for {name}, which is a"
            " destination in arteriole.yaml; found none",
            hint="give it country, premises and form",
        )
    for name in sorted(policy.labels.keys() - destinations):
        raise ConfigError(
            f"{policy.path}:{line}: destinations.{name}: arteriole.yaml has no such destination",
            hint="remove the label, or correct its name",
        )
    for name in sorted(encrypting):
        if policy.labels[name].form != Form.ENCRYPTED:
            raise ConfigError(
                f"{policy.path}:{line}: destinations.{name}: expected form encrypted, since"
                " arteriole.yaml has crypt4gh for it; found clear",
                hint="correct the label, or remove crypt4gh from the destination",
            )


def _services(settings: PolicySettings) -> Mapping[str, Mapping[str, Label]]:
    return {"transfer": settings.destinations.transfer, "archive": settings.destinations.archive}


def _lines(path: Path, key: str) -> tuple[int, ...]:
    """The line of each item of the list at `key`, or that of the key if no list is there."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=Reader)
    for name, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if name.value == key:
            items = value.value if isinstance(value, yaml.SequenceNode) else [name]
            return tuple(item.start_mark.line + 1 for item in items)
    return ()
