"""Stats/DemuxSummaryF1L<lane>.txt: the unknown indexes of a lane, the most frequent first.

The layout is that of the file of this name that bcl2fastq 2.20 writes, but for its rows of tiles,
which are left out. CheckQC reads it, and does not begin without it.
"""

from pathlib import Path

from arteriole.bcl2fastq.converters.builtin.stats import UNKNOWN_WRITTEN, LaneStats


def write(folder: Path, lanes: list[LaneStats]) -> None:
    """Write the file of each lane into `folder`."""
    for lane in lanes:
        (folder / f"DemuxSummaryF1L{lane.plan.lane}.txt").write_text(text(lane), encoding="utf-8")


def text(lane: LaneStats) -> str:
    """The file of one lane; sample 0 stands for the undetermined reads."""
    samples = lane.plan.samples
    rows = [
        ("SampleNumber", *map(str, range(len(samples) + 1))),
        ("SampleName", "None", *(sample.name or sample.sample_id for sample in samples)),
        ("### Most Popular Unknown Index Sequences",),
        ("### Columns: Index_Sequence Hit_Count",),
        *((index, str(count)) for index, count in lane.unknown.most_common(UNKNOWN_WRITTEN)),
    ]
    return "".join("\t".join(row) + "\n" for row in rows)
