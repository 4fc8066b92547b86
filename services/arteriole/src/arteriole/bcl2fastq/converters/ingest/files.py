"""Which file of the analysis becomes which planned one."""

import re
from dataclasses import dataclass, replace

from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan, SamplePlan
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats
from arteriole.bcl2fastq.converters.conversion import UNDETERMINED, ConversionError
from arteriole.bcl2fastq.converters.ingest.analysis import Analysis

#: BCL Convert guide, "FASTQ Files": by Sample_ID, with lanes apart.
_NAME = re.compile(r"(.+)_S\d{1,6}_L(\d{3})_R([1-9])_001\.fastq\.gz", re.ASCII)

Key = tuple[str, int, int]
"""Sample_ID or UNDETERMINED, lane, template read from 1."""


@dataclass(frozen=True, slots=True)
class Taking:
    """The file `listed` of the analysis becomes `planned`; nothing if that is empty."""

    listed: str
    planned: str
    sample_id: str
    lane: int
    read: int
    reads: int


def match(analysis: Analysis, plan: Plan, lanes: list[LaneStats]) -> tuple[Plan, list[Taking]]:
    """Every FASTQ of the analysis by the plan; and the plan without samples that have no file.

    A sample without a read may have none, which becomes a warning. Of a lane whose one sample
    takes every read there may be one for undetermined reads, which has none.

    Raises:
        ConversionError: a file is missing or surplus.
    """
    found = _by_key(analysis)
    kept: list[LanePlan] = []
    takings: list[Taking] = []
    warnings = list(plan.warnings)
    for lane in lanes:
        outputs: list[SamplePlan] = []
        for output, reads in zip(lane.plan.outputs, lane.reads.tolist(), strict=True):
            keys = [
                (output.sample_id, lane.plan.lane, read.number) for read in lane.plan.template_reads
            ]
            if not reads and not any(key in found for key in keys):
                warnings.append(
                    f"lane {lane.plan.lane}: {output.sample_id} has no read, and the instrument"
                    " wrote no file of it"
                )
                continue
            outputs.append(output)
            for key in keys:
                planned = output.fastq(*key[1:]).as_posix()
                takings.append(Taking(_pop(found, key, analysis), planned, *key, reads))
        kept.append(replace(lane.plan, outputs=tuple(outputs)))
        if lane.plan.takes_all:
            takings += [
                Taking(found.pop(key), "", *key, 0)
                for key in sorted(found)
                if key[:2] == (UNDETERMINED, lane.plan.lane)
            ]
    if found:
        raise _unlike(f"{analysis.shown} has a FASTQ that was not planned: {min(found.values())}")
    return replace(plan, lanes=tuple(kept), warnings=tuple(warnings)), takings


def _by_key(analysis: Analysis) -> dict[Key, str]:
    found: dict[Key, str] = {}
    for listed, name in analysis.fastqs.items():
        parts = _NAME.fullmatch(name)
        if parts is None:
            raise _unlike(f"{analysis.shown} has a FASTQ of another name than expected: {listed}")
        key = parts[1], int(parts[2]), int(parts[3])
        if found.setdefault(key, listed) != listed:
            raise _unlike(f"{analysis.shown} has two files of the same reads: {listed}")
    return found


def _pop(found: dict[Key, str], key: Key, analysis: Analysis) -> str:
    listed = found.pop(key, "")
    if not listed:
        sample, lane, read = key
        raise _unlike(f"{analysis.shown} has no FASTQ of {sample}, lane {lane}, read {read}")
    return listed


def _unlike(message: str) -> ConversionError:
    return ConversionError(
        message[:400],
        hint="does the sheet ask for other files? queue the analysis again on the instrument, or"
        " convert with another converter",
        code="ingest.files",
    )
