"""The reads that are converted: which cycles of the run each has, and of what sort it is.

A read of the run is one of these as a rule; masks leave out cycles at its ends, make it one of the
other sort, or split it (`i8y8`). Reads are numbered as bcl2fastq numbers them: each sort from 1, a
read that is left out altogether counts.
"""

from dataclasses import dataclass, replace

from arteriole.illumina.override_cycles import Mask, MaskError, names
from arteriole.illumina.run_info import Read, RunInfo

INDEXES = 2


@dataclass(frozen=True, slots=True)
class UsedRead:
    """One read; `cycles` counts over the whole run from 1, in the order of sequencing.

    `is_reverse_complement` as RunInfo.xml has it: an index that is turned to stand as in a sheet.
    """

    number: int
    is_index: bool
    cycles: range
    is_reverse_complement: bool = False

    @property
    def name(self) -> str:
        """As in the name of its file, such as R1 or I2."""
        return f"{'I' if self.is_index else 'R'}{self.number}"

    def cut(self, length: int) -> "UsedRead":
        """Its first cycles."""
        return replace(self, cycles=self.cycles[:length])


def whole(run_info: RunInfo) -> tuple[UsedRead, ...]:
    """Every read of the run, with all of its cycles."""
    numbers = {True: 0, False: 0}
    used = []
    for read in run_info.reads:
        numbers[read.is_index] += 1
        cycles = run_info.cycles_of(read)
        turned = read.is_reverse_complement
        used.append(UsedRead(numbers[read.is_index], read.is_index, cycles, turned))
    return tuple(used)


def masked(masks: tuple[Mask, ...], run_info: RunInfo) -> tuple[UsedRead, ...]:
    """What the masks, each in the order of the cycles, leave of the run's reads.

    Raises:
        MaskError: a mask is not possible, or they leave no template read or too many indexes.
    """
    numbers = {True: 0, False: 0}
    used: list[UsedRead] = []
    for read, mask, name in zip(run_info.reads, masks, names(run_info.reads), strict=True):
        before, parts = _within(mask, name)
        if not parts:
            numbers[read.is_index] += 1
        first = run_info.cycles_of(read).start + before
        for kind, count in parts:
            is_index = kind == "I"
            numbers[is_index] += 1
            turned = read.is_reverse_complement and is_index
            cycles = range(first, first + count)
            used.append(UsedRead(numbers[is_index], is_index, cycles, turned))
            first += count
    if all(read.is_index for read in used):
        raise MaskError("no template read is left")
    indexes = [read for read in used if read.is_index]
    if any(read.number > INDEXES for read in indexes):
        raise MaskError(f"more than {INDEXES} index reads")
    return tuple(used)


def _within(mask: Mask, name: str) -> tuple[int, list[tuple[str, int]]]:
    """(cycles left out at the start, what is used), neighbours of one letter joined."""
    joined: list[tuple[str, int]] = []
    for kind, count in mask.parts:
        if joined and joined[-1][0] == kind:
            joined[-1] = (kind, joined[-1][1] + count)
        else:
            joined.append((kind, count))
    before = 0
    if joined and joined[0][0] == "N":
        before = joined.pop(0)[1]
    if joined and joined[-1][0] == "N":
        joined.pop()
    for kind, _ in joined:
        if kind == "N":
            raise MaskError(f"{name}: cycles in the middle of a read are left out")
        if kind == "U":
            raise MaskError(f"{name}: U, unique molecular indexes, is not done")
    return before, joined


def as_reads(used: tuple[UsedRead, ...]) -> tuple[Read, ...]:
    """As if the run had these reads, for whatever is checked against a run."""
    return tuple(
        Read(place, len(read.cycles), read.is_index, read.is_reverse_complement)
        for place, read in enumerate(used, start=1)
    )
