"""Reads of samples: what our attempt has, against what others' statistics say."""

from pathlib import Path
from typing import Any

from arteriole.illumina import demultiplexing_stats
from arteriole.illumina.demultiplexing_stats import DemultiplexingStats, DemultiplexingStatsError
from arteriole.observe.fastq_names import UNDETERMINED


def read_stats(paths: tuple[Path, ...]) -> tuple[DemultiplexingStats | None, str]:
    """The first that can be read, and its path; and why not, if none can."""
    ranked = list(demultiplexing_stats.FILE_NAMES)
    trouble = ""
    for path in sorted(paths, key=lambda path: (ranked.index(path.name), str(path))):
        try:
            return demultiplexing_stats.read(path), str(path)
        except DemultiplexingStatsError as err:
            trouble = trouble or str(err)
    return None, trouble


def differing(record: dict[str, Any], theirs: DemultiplexingStats) -> list[str]:
    """What differs between attempt.json and `theirs`, a line for each sample and lane."""
    ours = {
        (sample["lane"], sample["sample_id"]): sample["reads"]
        for sample in record["samples"]
        if sample["sample_id"] != UNDETERMINED
    }
    found = {}
    for sample in theirs.samples:
        names = (sample.sample_id, sample.sample_name)
        key = next((key for name in names if (key := (sample.lane, name)) in ours), None)
        if key is not None:
            found[key] = sample.reads
    return [
        f"{name}, lane {lane}: {reads} reads here, {found[lane, name]} there"
        for (lane, name), reads in sorted(ours.items())
        if (lane, name) in found and found[lane, name] != reads
    ]
