"""OverrideCycles of BCL Convert: how each cycle of a run is used.

`Y151;I8N2;I8N2;Y151`, one mask a read in the order of the run (BCL Convert software guide, "Sample
Sheet", OverrideCycles); or each with its name and in any order, `R1:Y151;R2:Y151;I1:I8N2;I2:I8N2`,
which BCL Convert takes from 4.3.6 on. Y is template, I index, U a unique
molecular index, N is left out. The mask of a read that RunInfo.xml marks IsReverseComplement="Y" is
written in the direction of the sheet's indexes, against that of the cycles (DRAGEN guide, "BCL
conversion"; Illumina Knowledge 8935): N2I8 uses the first 8 cycles of 10.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from arteriole.illumina.run_info import Read, RunInfo

_MASK = re.compile(r"(?:([RI][12]):)?((?:[YINU]\d{1,4})+)", re.ASCII)
_PART = re.compile(r"([YINU])(\d+)", re.ASCII)
#: Masks without a name stay as they are.
_USUAL = ("", "R1", "I1", "I2", "R2")


class MaskError(ValueError):
    """The mask is not written as it should, or does not fit the run."""


@dataclass(frozen=True, slots=True)
class Mask:
    """The parts of one read in order, such as `(("I", 8), ("N", 2))`.

    `name` is R1, R2, I1 or I2 where the mask says it; `is_index` is guessed from the letters and
    the place, as long as no run says it.
    """

    parts: tuple[tuple[str, int], ...]
    name: str = ""
    is_index: bool = False

    @property
    def cycles(self) -> int:
        """All cycles that the mask covers."""
        return sum(count for _, count in self.parts)

    def __str__(self) -> str:
        return "".join(f"{kind}{count}" for kind, count in self.parts)

    def in_order_of(self, read: Read) -> "Mask":
        """As its cycles come, of a mask that stands in the direction of the sheet's indexes.

        The name is left out, so that masks of the same cycles are equal.
        """
        return Mask(self.parts[::-1] if read.is_reverse_complement else self.parts)

    def count(self, kind: str) -> int:
        """How many cycles are Y, I, U or N."""
        return sum(count for letter, count in self.parts if letter == kind)

    def is_plain(self, read: Read, index_length: int) -> bool:
        """Whether this is what happens without a mask.

        Every cycle of a template read is used. Of an index read the first `index_length` are, as
        many as the sheet's indexes have; 0 for a sheet without this index.
        """
        if not read.is_index:
            return self.parts == (("Y", read.cycles),)
        if self.parts == (("I", read.cycles),):
            return index_length in (0, read.cycles)
        if self.parts == (("N", read.cycles),):
            return index_length == 0
        used = (("I", index_length), ("N", read.cycles - index_length))
        return self.parts == (used[::-1] if read.is_reverse_complement else used)


def parse(text: str, run_info: RunInfo) -> tuple[Mask, ...]:
    """The mask of each read of the run, in its order.

    Raises:
        MaskError: saying what was expected and what was found.
    """
    return fit(masks(text), run_info)


def rewritten(text: str, run_info: RunInfo) -> str:
    """As every version of BCL Convert reads it: in the order of the run, without names.

    It stays as it is if it does not fit the run.
    """
    try:
        return ";".join(map(str, parse(text, run_info)))
    except MaskError:
        return text


@lru_cache(maxsize=1024)
def masks(text: str) -> tuple[Mask, ...]:
    """The masks, whatever run they are for: as they are written, or by their names R1, I1, I2, R2.

    Raises:
        MaskError: saying what was expected and what was found.
    """
    texts = text.replace(" ", "").upper().rstrip(";").split(";")
    found = []
    for place, one in enumerate(texts):
        match = _MASK.fullmatch(one)
        if match is None:
            raise MaskError(f"expected a mask such as Y151 or I8N2, found {one[:40]!r}")
        parts = tuple((kind, int(count)) for kind, count in _PART.findall(match[2]))
        name = match[1] or ""
        found.append(Mask(parts, name, _is_index(name, parts, place, len(texts))))
    _check_names([mask.name for mask in found])
    return tuple(sorted(found, key=lambda mask: _USUAL.index(mask.name)))


def _check_names(found: list[str]) -> None:
    if any(found) and not all(found):
        raise MaskError(
            f"expected a name before each mask or before none, found {_joined(found)} only"
        )
    twice = next((name for name in found if name and found.count(name) > 1), None)
    if twice is not None:
        raise MaskError(f"expected one mask of each read, found {found.count(twice)} of {twice}")


def fit(found: tuple[Mask, ...], run_info: RunInfo) -> tuple[Mask, ...]:
    """The masks in the order of the run, each of which covers its read. Raises MaskError."""
    reads = run_info.reads
    if len(found) != len(reads):
        raise MaskError(f"expected {len(reads)} masks, one a read, found {len(found)}")
    named, expected = {mask.name: mask for mask in found}, names(reads)
    if "" not in named:
        if named.keys() != set(expected):
            raise MaskError(
                f"expected the masks of {_joined(expected)}, found those of {_joined(named)}"
            )
        found = tuple(named[name] for name in expected)
    for read, name, mask in zip(reads, expected, found, strict=True):
        if mask.cycles != read.cycles:
            raise MaskError(
                f"{name} has {read.cycles} cycles, its mask {str(mask)[:40]} is of {mask.cycles}"
            )
    return found


def _joined(found: Iterable[str]) -> str:
    return ", ".join(name for name in found if name)


def _is_index(name: str, parts: tuple[tuple[str, int], ...], place: int, count: int) -> bool:
    """By the letters; one of N or U alone stands between the template reads if it is an index."""
    kinds = {kind for kind, _ in parts}
    if name:
        return name.startswith("I")
    if kinds & {"Y", "I"}:
        return "I" in kinds
    return 0 < place < count - 1


def names(reads: tuple[Read, ...]) -> list[str]:
    """What guides call each read: R1, I1, I2, R2."""
    counts = {True: 0, False: 0}
    names = []
    for read in reads:
        counts[read.is_index] += 1
        names.append(f"{'I' if read.is_index else 'R'}{counts[read.is_index]}")
    return names
