"""Counts the indexes of a run, and compares them with its sheet."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest
from arteriole.bcl2fastq.converters.builtin import lane_reads
from arteriole.bcl2fastq.converters.builtin.lane_reads import Part
from arteriole.bcl2fastq.converters.conversion import Options
from arteriole.bcl2fastq.indexes import document
from arteriole.bcl2fastq.indexes.counting import count
from arteriole.bcl2fastq.indexes.diagnosis import Diagnosis, diagnose
from arteriole.bcl2fastq.indexes.lane import Expected, Lane
from arteriole.bcl2fastq.indexes.proposal import ProposalError, corrected
from arteriole.illumina import index_orientation, index_sets, sheet_check
from arteriole.illumina.index_orientation import OrientationError
from arteriole.illumina.observed_indexes import ObservedLane, Reading
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet, parse
from arteriole.illumina.sheet_check import Severity

_PLAIN = Options()


@dataclass(frozen=True)
class Question:
    """What is compared; all but the first two are those with which it is converted."""

    run_dir: Path
    sheet: bytes
    mismatches: tuple[int, int] = (1, 1)
    collisions_allowed: bool = False
    options: Options = _PLAIN
    index_sets: tuple[Path, ...] = ()
    converter: str = "builtin"
    index2: str | None = None


@dataclass(frozen=True)
class Examination:
    """What was found; `whole` and `brief` are JSON, `proposal` is the corrected sheet."""

    whole: dict[str, Any]
    brief: dict[str, Any]
    proposal: bytes | None


def examine(
    question: Question, on_lane: Callable[[int, int], None] = lambda done, total: None
) -> Examination:
    """Read the indexes of a run, as far as they are on disk.

    Args:
        on_lane: is told how many lanes of how many are read.

    Raises:
        ConversionError: the sheet does not fit the run (with the code of its first error), or with
            `indexes.not_read` a lane cannot be read yet.
        SampleSheetError, RunDataError: a file cannot be used.
    """
    folder = RunFolder(question.run_dir)
    run_info = folder.run_info
    sheet = _sheet(question)
    _refuse(question, [*sheet_check.check(sheet, run_info, question.mismatches)])
    parts = {
        lane: part for part in _parts(question, sheet, run_info) for lane in part.run_info.lanes
    }
    samples = {
        lane: sheet_check.samples_by_lane(part.sheet, part.run_info)[lane]
        for lane, part in parts.items()
    }
    lanes = []
    for number in run_info.lanes:
        expected = tuple(_expected(one, parts[number]) for one in samples.get(number, ()))
        lanes.append(Lane(ObservedLane(number, 0, {}), expected, question.mismatches))
    readable = {
        lane.number: tuple(
            read
            for read in lane_reads.of_sheet(parts[lane.number], samples[lane.number])
            if read.is_index
        )
        for lane in lanes
        if lane.lengths
    }
    found, size = {}, 0
    for done, (seen, read) in enumerate(count(folder, readable), start=1):
        found[seen.lane] = seen
        size += read
        on_lane(done, len(readable))
    lanes = [
        Lane(found.get(lane.number, lane.seen), lane.samples, lane.mismatches) for lane in lanes
    ]
    diagnosis = diagnose(lanes)
    by_hand = "" if diagnosis.reading is None else _by_hand(question, sheet, diagnosis.reading)
    return _examination(question, diagnosis, lanes, size, by_hand)


def _by_hand(question: Question, sheet: SampleSheet, reading: Reading) -> str:
    """Why no program may write the corrected sheet; empty if one may."""
    if any(sample.index_set for sample in sheet.samples):
        return "the sheet names index sets, whose indexes do not stand in it"
    written = [sample.index2 for sample in parse(question.sheet).samples]
    if reading is Reading.SWAPPED and written != [sample.index2 for sample in sheet.samples]:
        return "the sheet has index2 in another direction than it is compared in"
    return ""


def _examination(
    question: Question, diagnosis: Diagnosis, lanes: list[Lane], size: int, by_hand: str
) -> Examination:
    proposal = None
    if diagnosis.reading is not None and not by_hand:
        try:
            proposal = corrected(question.sheet, diagnosis.reading)
        except ProposalError as err:
            by_hand = str(err)
    more = {
        "sheet_sha256": hashlib.sha256(question.sheet).hexdigest(),
        "proposal_sha256": None if proposal is None else hashlib.sha256(proposal).hexdigest(),
        "by_hand": by_hand,
    }
    return Examination(
        document.whole(diagnosis, lanes, size) | more,
        document.brief(diagnosis, lanes, size) | more,
        proposal,
    )


def _sheet(question: Question) -> SampleSheet:
    """With every index2 as it is counted; as it stands where its direction is not known."""
    sets, run_dir = index_sets.load(question.index_sets), question.run_dir
    converter, said = question.converter, question.index2
    sheet = parse(question.sheet)
    try:
        sheet = index_sets.written_out(sheet, sets, run_dir, converter, said)
        return index_orientation.as_compared(converter, sheet, run_dir, said)
    except OrientationError:
        return index_sets.written_out(sheet, sets, run_dir, "builtin", None)


def _refuse(question: Question, findings: list[sheet_check.Finding]) -> None:
    waived = {"sheet.index_collision"} if question.collisions_allowed else set()
    errors = [f for f in findings if f.severity is Severity.ERROR and f.code not in waived]
    if errors:
        first = errors[0]
        place = f"line {first.line}: " if first.line else ""
        raise ConversionError(
            f"the sample sheet does not fit: {place}{first.message}",
            code=first.code,
            hint=first.hint,
        )


def _parts(question: Question, sheet: SampleSheet, run_info: RunInfo) -> tuple[Part, ...]:
    """By masks; those that `builtin` does not follow are left to their converter."""
    where = question.run_dir
    request = ConversionRequest(where, where, where, options=question.options)
    try:
        return lane_reads.parts(sheet, run_info, request)
    except ConversionError:
        return lane_reads.whole(sheet, run_info, request)


def _expected(sample: Sample, part: Part) -> Expected:
    """An index that the run did not read is left out."""
    reads = len(part.run_info.index_reads)
    index, index2 = (sample.index if reads else ""), (sample.index2 if reads > 1 else "")
    return Expected(sample.sample_id, (index, index2))
