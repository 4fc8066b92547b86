"""Which run of an instrument came after which."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: 260114_A00130_0106_BHXXXXDSX2: date, serial number, run number, side and flow cell.
_NAME = re.compile(
    r"(?P<date>\d{6}|\d{8})_(?P<serial>[A-Za-z0-9-]+)_(?P<number>\d{1,6})_(?P<side>[AB]?)\S*"
)


@dataclass(frozen=True)
class Place:
    """Where a run stands among those of its instrument; empty or 0 what is not known.

    `side` is where its flow cell lies, on an instrument that runs two at once.
    """

    name: str
    serial: str
    date: str
    number: int
    side: str

    def is_before(self, other: "Place") -> bool:
        """`other` is a later run in the same place of the same instrument."""
        if not self.serial or self.serial != other.serial:
            return False
        if self.side and other.side and self.side != other.side:
            return False
        if self.date and other.date and self.date != other.date:
            return self.date < other.date
        return 0 < self.number < other.number


def place(name: str, evidence: Mapping[str, Any]) -> Place:
    """By the folder's name and by what its RunInfo.xml said when it was judged."""
    match = _NAME.fullmatch(name)
    named = match.groupdict() if match else {"date": "", "serial": "", "number": "0", "side": ""}
    date = named["date"]
    return Place(
        name=name,
        serial=str(evidence.get("instrument") or named["serial"]),
        date="20" + date if len(date) == 6 else date,
        number=int(evidence.get("run_number") or named["number"]),
        side=str(evidence.get("side") or named["side"]),
    )


def next_after(run: Place, others: Iterable[Place]) -> str:
    """The name of the first run after it in its place; empty if there is none."""
    later = [other for other in others if run.is_before(other)]
    return (
        min(later, key=lambda other: (other.date, other.number, other.name)).name if later else ""
    )
