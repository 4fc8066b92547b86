"""What the process of a sensor has been told of the triggers that it is for."""

from collections.abc import Iterable
from typing import Any

from st2solo.triggers import Triggers


class ToldTriggers:
    """The triggers of some types, as a process knows them that was told of every change so far."""

    def __init__(self, triggers: Triggers, type_refs: Iterable[str]) -> None:
        self._triggers = triggers
        self._type_refs = tuple(type_refs)
        self._told: dict[str, tuple[dict[str, Any], int]] = {}

    def changes(self) -> list[dict[str, Any]]:
        """What the process does not know yet, as {method, trigger}: the sensor's, and its argument.

        What came and went since is left out. A trigger has changed when another number of rules
        uses it, as in StackStorm, and what is new comes before what goes.
        """
        found = self._triggers.watched(self._type_refs)
        before, self._told = self._told, {one["id"]: (one, rules) for one, rules in found}
        changes = [
            _change("update_trigger" if key in before else "add_trigger", told)
            for key, told in self._told.items()
            if before.get(key) != told
        ]
        gone = [
            _change("remove_trigger", told) for key, told in before.items() if key not in self._told
        ]
        return changes + gone


def _change(method: str, told: tuple[dict[str, Any], int]) -> dict[str, Any]:
    return {"method": method, "trigger": told[0]}
