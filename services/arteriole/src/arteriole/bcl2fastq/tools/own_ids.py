"""A sheet in which each row of a lane has a Sample_ID of its own, for a tool that gets no other.

What Illumina's converters make of one Sample_ID that has several indexes on a lane is in neither of
their guides; so they are never asked.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from arteriole.illumina.sample_sheet import SampleSheet


@dataclass(frozen=True, slots=True)
class OwnIds:
    """The sheet, and for each Sample_ID in it the sample that it stands for."""

    sheet: SampleSheet
    owners: Mapping[str, str]

    @property
    def are_made(self) -> bool:
        """Whether some sample goes by several names."""
        return any(name != owner for name, owner in self.owners.items())


def given(sheet: SampleSheet) -> OwnIds:
    """The second row of a sample on a lane gets the name `<Sample_ID>_2`, or one that is free.

    Names beside the Sample_ID are left out: files are called by what is told apart here.
    """
    taken = {sample.sample_id.lower() for sample in sheet.samples}
    rows: Counter[tuple[str, int | None]] = Counter()
    names: dict[tuple[str, int], str] = {}
    samples = []
    for sample in sheet.samples:
        rows[sample.sample_id, sample.lane] += 1
        key = sample.sample_id, rows[sample.sample_id, sample.lane]
        if key not in names:
            names[key] = _free(*key, taken)
            taken.add(names[key].lower())
        samples.append(replace(sample, sample_id=names[key], sample_name=""))
    owners = {name: sample_id for (sample_id, _), name in names.items()}
    return OwnIds(replace(sheet, samples=tuple(samples)), owners)


def _free(sample_id: str, row: int, taken: set[str]) -> str:
    """NB: file systems may not tell capitals from small letters."""
    if row == 1:
        return sample_id
    name = f"{sample_id[:90]}_{row}"
    while name.lower() in taken:
        name += "_"
    return name
