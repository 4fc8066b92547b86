"""OverrideCycles of BCL Convert: how each cycle of a run is used.

`Y151;I8N2;I8N2;Y151`, one mask a read in the order of the run, or with names, `R1:Y151;I1:I8N2`
(BCL Convert software guide, "Sample Sheet", OverrideCycles). Y is template, I index, U a unique
molecular index, N is left out. The mask of a read that RunInfo.xml marks IsReverseComplement="Y" is
written in the direction of the sheet's indexes, against that of the cycles (DRAGEN guide, "BCL
conversion"; Illumina Knowledge 8935): N2I8 uses the first 8 cycles of 10.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from arteriole.illumina.run_info import Read, RunInfo

_MASK = re.compile(r"(?:([RI][12]):)?((?:[YINU]\d{1,4})+)", re.ASCII)
_PART = re.compile(r"([YINU])(\d+)", re.ASCII)


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
    """The mask of each read of the run.

    Raises:
        MaskError: saying what was expected and what was found.
    """
    found = masks(text)
    fit(found, run_info)
    return found


@lru_cache(maxsize=1024)
def masks(text: str) -> tuple[Mask, ...]:
    """The masks as they are written, whatever run they are for.

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
    return tuple(found)


def fit(found: tuple[Mask, ...], run_info: RunInfo) -> None:
    """See that each mask covers its read of the run. Raises MaskError."""
    reads = run_info.reads
    if len(found) != len(reads):
        raise MaskError(f"expected {len(reads)} masks, one a read, found {len(found)}")
    for read, name, mask in zip(reads, names(reads), found, strict=True):
        if mask.name not in ("", name):
            raise MaskError(f"expected the mask of {name} in this place, found that of {mask.name}")
        if mask.cycles != read.cycles:
            text = "".join(f"{kind}{count}" for kind, count in mask.parts)[:40]
            raise MaskError(f"{name} has {read.cycles} cycles, its mask {text} is of {mask.cycles}")


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
