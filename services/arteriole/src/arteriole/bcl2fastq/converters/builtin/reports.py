"""What others' software reads beside Stats.json: DemuxSummaryF1L<n>.txt and Demultiplex_Stats.csv.

The first is bcl2fastq's, a file a lane: of each tile the percentage of its clusters that each
sample has (0, None, is Undetermined), then the most frequent indexes of no sample (bcl2fastq2
software guide v2.20, "Output files"); CheckQC does not begin without it. The second is BCL
Convert's; its columns are those of version 4, with two of version 3.7 at the end, which readers of
both look for (BCL Convert software guide, "Output files"). Clusters that failed the filter count in
it only if they were converted. Of a sample with several indexes it has one line, in which these are
joined by semicolons.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from arteriole.bcl2fastq.converters.builtin.plan import SamplePlan
from arteriole.bcl2fastq.converters.builtin.stats import UNKNOWN_WRITTEN, LaneStats
from arteriole.bcl2fastq.converters.conversion import UNDETERMINED

CSV_PATH = "Reports/Demultiplex_Stats.csv"
_COLUMNS = (
    *("Lane", "SampleID", "Index", "# Reads"),
    *("# Perfect Index Reads", "# One Mismatch Index Reads", "# Two Mismatch Index Reads"),
    *("% Reads", "% Perfect Index Reads", "% One Mismatch Index Reads"),
    *("% Two Mismatch Index Reads", "# of >= Q30 Bases (PF)", "Mean Quality Score (PF)"),
)


def write(out_dir: Path, lanes: list[LaneStats]) -> None:
    """Write both below `out_dir`, where Stats/ is already."""
    for lane in lanes:
        path = out_dir / "Stats" / f"DemuxSummaryF1L{lane.plan.lane}.txt"
        path.write_text("".join(f"{line}\n" for line in _summary(lane)), encoding="utf-8")
    path = out_dir / CSV_PATH
    path.parent.mkdir()
    with open(path, "x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for lane in lanes:
            writer.writerows(_rows(lane))


def _summary(lane: LaneStats) -> Iterator[str]:
    outputs = lane.plan.outputs
    places = sorted(range(len(outputs)), key=lambda place: outputs[place].number)
    yield "\t".join(["SampleNumber", *(str(outputs[place].number) for place in places)])
    yield "\t".join(["SampleName", *(_name(outputs[place]) for place in places)])
    for tile, counts in sorted(lane.by_tile.items()):
        total = int(counts.sum()) or 1
        shares = (f"{100 * int(counts[place]) / total:.7g}" for place in places)
        yield "\t".join([f"L{lane.plan.lane}T{tile}", *shares])
    yield ""
    yield "### Most Popular Unknown Index Sequences"
    yield "### Columns: Index_Sequence Hit_Count"
    for index, count in lane.unknown.most_common(UNKNOWN_WRITTEN):
        yield f"{index}\t{count}"


def _name(output: SamplePlan) -> str:
    return "None" if output.sample_id == UNDETERMINED else output.name


def _rows(lane: LaneStats) -> Iterator[list[str | int]]:
    total = int(lane.reads.sum())
    for place, output in enumerate(lane.plan.outputs):
        reads = int(lane.reads[place])
        undetermined = output.sample_id == UNDETERMINED
        matched = [
            sum(counts) for counts in zip([0, 0, 0], *lane.mismatches_of(place), strict=True)
        ]
        if not output.index and not undetermined:
            matched = [reads, 0, 0]
        bases = reads * sum(len(read.cycles) for read in lane.plan.template_reads)
        quality = int(lane.quality_sum[place].sum())
        yield [
            lane.plan.lane,
            output.sample_id,
            ";".join("-".join(part for part in pair if part) for pair in output.pairs),
            reads,
            *matched,
            f"{reads / (total or 1):.4f}",
            *(f"{count / (reads or 1):.4f}" for count in matched),
            int(lane.q30[place].sum()),
            f"{quality / (bases or 1):.2f}",
        ]
