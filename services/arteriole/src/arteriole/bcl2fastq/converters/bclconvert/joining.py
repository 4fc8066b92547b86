"""What BCL Convert wrote under the names of its sheet, joined under those of the run's sheet."""

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from arteriole.bcl2fastq.converters.bclconvert.outputs import LIST
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan
from arteriole.bcl2fastq.converters.conversion import UNDETERMINED, SampleReads
from arteriole.bcl2fastq.tools import bclconvert_stats as stats
from arteriole.bcl2fastq.tools import joined


def files(out_dir: Path, plan: Plan, written: Plan, owners: Mapping[str, str]) -> Plan:
    """Join the FASTQs that lie at the paths of `written`, and tell so in fastq_list.csv.

    Returns:
        The plan without the files of samples of which none was written, with all warnings.

    Raises:
        ConversionError: a file is no regular one.
    """
    found = joined.Written()
    found.add(out_dir, written, owners)
    lanes = tuple(
        replace(
            lane,
            outputs=tuple(one for one in lane.outputs if found.has(one.sample_id, lane.lane)),
        )
        for lane in plan.lanes
    )
    plan = replace(plan, lanes=lanes, warnings=(*plan.warnings, *written.warnings))
    found.join(out_dir, plan)
    _rewrite_list(out_dir / LIST, plan, owners)
    return plan


def counts(
    plan: Plan, found: Sequence[SampleReads], owners: Mapping[str, str]
) -> tuple[SampleReads, ...]:
    """The reads of each sample, over its names."""
    reads: Counter[tuple[int, str]] = Counter()
    for one in found:
        reads[one.lane, owners.get(one.sample_id, UNDETERMINED)] += one.reads
    return tuple(
        SampleReads(output.sample_id, lane.lane, reads[lane.lane, output.sample_id])
        for lane in plan.lanes
        for output in lane.outputs
    )


def statistics(out_dir: Path, plan: Plan, owners: Mapping[str, str]) -> None:
    """Let Stats.json name the samples of the run's sheet. Raises ConversionError."""
    path = out_dir / stats.PATH
    document = json.loads(path.read_bytes())
    lanes = {lane.lane: lane for lane in plan.lanes}
    for entry in document["ConversionResults"]:
        entry["DemuxResults"] = _results(lanes[entry["LaneNumber"]], entry, owners)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _results(
    lane: LanePlan, entry: dict[str, Any], owners: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [
        joined.result(
            sample,
            [one for one in entry["DemuxResults"] if owners[one["SampleId"]] == sample.sample_id],
        )
        for sample in lane.samples
    ]


def _rewrite_list(path: Path, plan: Plan, owners: Mapping[str, str]) -> None:
    """One row a sample and lane, the first of its names."""
    outputs = {(lane.lane, one.sample_id): one for lane in plan.lanes for one in lane.outputs}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        names = list(rows.fieldnames or ())
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            lane, name = int(row["Lane"]), row["RGSM"]
            output = outputs.pop((lane, owners.get(name, UNDETERMINED)), None)
            if output is None:
                continue
            told = {
                f"Read{read}File": output.fastq(lane, read).as_posix()
                for read in (1, 2)
                if row[f"Read{read}File"]
            }
            writer.writerow(row | {"RGSM": output.sample_id} | told)
    path.write_text(text.getvalue(), encoding="utf-8")
