"""What is wrong with a sample sheet, seen against the run that it belongs to.

Index rules are bcl2fastq's: mismatches are allowed per index, so two samples of a lane collide when
both their i7 differ in at most 2 x m7 and their i5 in at most 2 x m5 bases; N in a sheet is a
letter, not a wildcard (Illumina Knowledge 3560, 2326).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice

from arteriole.illumina import override_cycles
from arteriole.illumina.near_indexes import near_pairs
from arteriole.illumina.override_cycles import MaskError
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet
from arteriole.illumina.sheet_settings import MISMATCH_SETTINGS, NO_MISMATCHES
from arteriole.illumina.sheet_text import plain

NAME = re.compile(r"[A-Za-z0-9_-]+")
NAME_LENGTH = 100
COLLISIONS_TOLD = 1000
"""So many collisions of a lane are told; the first one already stops a conversion."""
RESERVED_NAMES = frozenset({"undetermined", "stats", "reports", "all", "default"})


class Severity(Enum):
    """An error stops a conversion, a warning is told."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; `line` and `column` count from 1, 0 means that none applies."""

    code: str
    severity: Severity
    line: int
    column: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SiteRules:
    """What a centre asks of its sheets beyond what a conversion needs.

    Attributes:
        sample_id, project: what a whole Sample_ID, Sample_Project has to look like.
        projects: the projects that the centre knows; None if any may stand in a sheet.
        controls: what the Sample_ID of a no-template control looks like; a sheet without one is
            told, and controls need not look like samples.
    """

    sample_id: re.Pattern[str] | None = None
    project: re.Pattern[str] | None = None
    projects: frozenset[str] | None = None
    controls: re.Pattern[str] | None = None


NO_SITE_RULES = SiteRules()


@dataclass(frozen=True, slots=True)
class _Case:
    """What every check looks at; `lanes` holds the samples of each lane of the flow cell."""

    sheet: SampleSheet
    run_info: RunInfo | None
    mismatches: tuple[int, int]
    lanes: dict[int, list[Sample]]
    site: SiteRules

    def error(self, code: str, sample: Sample, column: str, message: str, hint: str) -> Finding:
        place = self.sheet.columns.get(column, 0)
        return Finding(code, Severity.ERROR, sample.line, place, message, hint)

    def warning(self, code: str, sample: Sample, column: str, message: str, hint: str) -> Finding:
        place = self.sheet.columns.get(column, 0)
        return Finding(code, Severity.WARNING, sample.line, place, message, hint)

    def is_alone(self, sample: Sample) -> bool:
        """Whether no other sample lies on a lane of this one."""
        return all(
            len(samples) == 1 for lane, samples in self.lanes.items() if sample.lane in (None, lane)
        )


def check(
    sheet: SampleSheet,
    run_info: RunInfo | None,
    mismatches: tuple[int, int] = (1, 1),
    site: SiteRules = NO_SITE_RULES,
) -> tuple[Finding, ...]:
    """All findings, by line.

    Args:
        run_info: of the sheet's run; None of a sheet that is checked before its run, which rules
            that need the run leave alone.
        mismatches: those that a conversion allows in i7 and i5.
    """
    case = _Case(sheet, run_info, mismatches, samples_by_lane(sheet, run_info), site)
    findings = [finding for one in _CHECKS for finding in one(case)]
    return tuple(sorted(findings, key=lambda f: (f.line, f.column, f.code)))


def samples_by_lane(sheet: SampleSheet, run_info: RunInfo | None) -> dict[int, list[Sample]]:
    """The samples of each lane; a sheet without lanes means every sample on every lane.

    Without a run, the lanes are those that the sheet names; lane 0 stands for every lane if it
    names none.
    """
    if run_info is not None:
        lanes: tuple[int, ...] = run_info.lanes
    else:
        lanes = tuple(sorted({s.lane for s in sheet.samples if s.lane is not None})) or (0,)
    return {
        lane: [sample for sample in sheet.samples if sample.lane in (None, lane)] for lane in lanes
    }


def distance(one: str, other: str) -> int:
    """In how many places two indexes differ, over the shorter of the two."""
    return sum(a != b for a, b in zip(one, other, strict=False))


def _any_sample(case: _Case) -> Iterator[Finding]:
    if not case.sheet.samples:
        message = "the sheet names no sample, so every read would be undetermined"
        hint = "name the samples below the line of column names"
        yield Finding("sheet.no_samples", Severity.ERROR, 0, 0, message, hint)


def _names(case: _Case) -> Iterator[Finding]:
    for sample in case.sheet.samples:
        if not sample.sample_id:
            yield case.error(
                "sheet.sample_id_empty",
                sample,
                "Sample_ID",
                "Sample_ID is empty",
                "name the sample",
            )
        for column, text in (
            ("Sample_ID", sample.sample_id),
            ("Sample_Name", sample.sample_name),
            ("Sample_Project", sample.project),
        ):
            if text:
                yield from _name(case, sample, column, text)


def _name(case: _Case, sample: Sample, column: str, text: str) -> Iterator[Finding]:
    if not NAME.fullmatch(text):
        bad = next(char for char in text if not NAME.fullmatch(char))
        yield case.error(
            "sheet.name_characters",
            sample,
            column,
            f"{column} {text[:NAME_LENGTH]} holds {bad!r}, which is not fit for a file name",
            "use letters A-Z and a-z, digits, '-' and '_'",
        )
    elif len(text) > NAME_LENGTH:
        yield case.error(
            "sheet.name_length",
            sample,
            column,
            f"{column} has {len(text)} characters, at most {NAME_LENGTH} are allowed",
            "shorten it",
        )
    elif text.lower() in RESERVED_NAMES:
        yield case.error(
            "sheet.name_reserved",
            sample,
            column,
            f"{column} {text!r} is a name that the converter uses itself",
            "choose another name",
        )


def _lanes(case: _Case) -> Iterator[Finding]:
    some_have = any(sample.lane is not None for sample in case.sheet.samples)
    for sample in case.sheet.samples:
        if some_have and sample.lane is None:
            yield case.error(
                "sheet.lane_missing", sample, "Lane", "Lane is empty here", "fill it in every row"
            )
        elif sample.lane is not None and case.run_info and sample.lane not in case.lanes:
            yield case.error(
                "sheet.lane_unknown",
                sample,
                "Lane",
                f"lane {sample.lane} is not on this flow cell",
                "its lanes are " + ", ".join(map(str, case.lanes)),
            )
    for lane, samples in case.lanes.items():
        if case.run_info is not None and case.sheet.samples and not samples:
            yield Finding(
                "sheet.lane_unused",
                Severity.WARNING,
                0,
                0,
                f"no sample on lane {lane}: its reads will be undetermined",
            )


def _samples(case: _Case) -> Iterator[Finding]:
    first: dict[str, Sample] = {}
    lines: dict[tuple[str, int | None], int] = {}
    for sample in case.sheet.samples:
        if not sample.sample_id:
            continue
        key = sample.sample_id.lower(), sample.lane
        if key in lines:
            yield case.error(
                "sheet.sample_duplicate",
                sample,
                "Sample_ID",
                f"this Sample_ID stands already in line {lines[key]}"
                + (f" for lane {sample.lane}" if sample.lane else ""),
                "give each row of a lane a Sample_ID of its own",
            )
        lines.setdefault(key, sample.line)
        other = first.setdefault(sample.sample_id.lower(), sample)
        if (other.sample_id, other.sample_name, other.project) != (
            sample.sample_id,
            sample.sample_name,
            sample.project,
        ):
            yield case.error(
                "sheet.sample_differs",
                sample,
                "Sample_ID",
                f"this Sample_ID has another spelling, name or project in line {other.line}",
                "give the sample the same name and project in every row",
            )


_INDEXES: tuple[tuple[str, Callable[[Sample], str]], ...] = (
    ("index", lambda sample: sample.index),
    ("index2", lambda sample: sample.index2),
)


def _indexes(case: _Case) -> Iterator[Finding]:
    reads = case.run_info.index_reads if case.run_info else None
    for sample in case.sheet.samples:
        if sample.index2 and not sample.index:
            yield case.error(
                "sheet.index_missing",
                sample,
                "index",
                "index is empty beside an index2",
                "fill in the i7 index too",
            )
        for place, (column, value) in enumerate(_INDEXES):
            text = value(sample)
            if not text:
                continue
            if not re.fullmatch("[ACGTN]+", text):
                yield case.error(
                    "sheet.index_alphabet",
                    sample,
                    column,
                    f"expected an index of A, C, G, T (and N), found {text[:40]!r}",
                    _alphabet_hint(text),
                )
            elif reads is None:
                continue
            elif not reads and case.is_alone(sample):
                yield case.warning(
                    "sheet.index_not_read",
                    sample,
                    column,
                    f"{column} is given, but the run has no index read; the sample is alone on its"
                    " lane and takes every read of it",
                    "nothing, if this is the sheet of this run",
                )
            elif place >= len(reads):
                yield case.error(
                    f"sheet.{column}_without_read",
                    sample,
                    column,
                    f"{column} is given, but the run has {len(reads)} index reads",
                    f"remove {column}, or find the sheet of this run",
                )
            elif len(text) > reads[place].cycles:
                yield case.error(
                    "sheet.index_too_long",
                    sample,
                    column,
                    f"{column} has {len(text)} bases, the index read {reads[place].cycles} cycles",
                    f"shorten it to its first {reads[place].cycles} bases",
                )
            elif "N" in text:
                yield case.warning(
                    "sheet.index_no_call",
                    sample,
                    column,
                    f"N in {column} matches nothing but a no-call",
                    "bcl2fastq reads N as a letter; shorten the index to leave bases out",
                )


def _alphabet_hint(text: str) -> str:
    if re.fullmatch("[ACGTN]+[-+][ACGTN]+", text):
        return "write the i7 into index and the i5 into index2"
    return "write out the bases in capital letters; names of index sets are not resolved"


def _lane_indexes(case: _Case) -> Iterator[Finding]:
    """Each lane's samples all have an index, of one length (or one sample has none)."""
    told: set[tuple[int, str]] = set()
    for lane, samples in case.lanes.items():
        for column, value in _INDEXES:
            lengths = {len(value(sample)) for sample in samples}
            needs_one = column == "index" and len(samples) > 1
            if len(lengths) < 2 and not (needs_one and lengths == {0}):
                continue
            usual = len(value(max(samples, key=lambda sample: len(value(sample)))))
            for sample in samples:
                found = len(value(sample))
                if (found == usual and found) or (sample.line, column) in told:
                    continue
                told.add((sample.line, column))
                if found:
                    yield case.error(
                        "sheet.index_lengths",
                        sample,
                        column,
                        f"{column} has {found} bases, another sample of {_named(lane)} has {usual}",
                        "shorten all to one length, or split the sheet",
                    )
                else:
                    yield case.error(
                        "sheet.index_missing",
                        sample,
                        column,
                        f"{column} is empty beside other samples of {_named(lane)}",
                        "without an index a sample must be alone on its lane",
                    )


def _collisions(case: _Case) -> Iterator[Finding]:
    allowed7, allowed5 = (2 * mismatches for mismatches in case.mismatches)
    seen: set[tuple[Sample, ...]] = set()
    for lane, all_samples in case.lanes.items():
        samples = tuple(s for s in all_samples if s.index or s.index2)
        if samples in seen:
            continue
        seen.add(samples)
        i7, i5 = [s.index for s in samples], [s.index2 for s in samples]
        pairs = near_pairs(i7, i5, (allowed7, allowed5))
        for one, other in ((samples[a], samples[b]) for a, b in islice(pairs, COLLISIONS_TOLD)):
            d7, d5 = distance(one.index, other.index), distance(one.index2, other.index2)
            if d7 == d5 == 0:
                yield case.error(
                    "sheet.index_duplicate",
                    other,
                    "index",
                    f"{_named(lane)}: the same index as line {one.line}",
                    "correct the index, or the lane, of one of them",
                )
                continue
            differ = f"i7 differs in {d7} bases" + (f", i5 in {d5}" if one.index2 else "")
            yield case.error(
                "sheet.index_collision",
                other,
                "index",
                f"{_named(lane)}: too near to the index of line {one.line} ({differ}; "
                f"{case.mismatches[0]} and {case.mismatches[1]} mismatches are allowed)",
                "allow fewer mismatches, or correct the index",
            )


def _reads(case: _Case) -> Iterator[Finding]:
    if case.run_info is None:
        return
    for what, said, reads in (
        ("", case.sheet.reads, case.run_info.template_reads),
        (" of index", case.sheet.index_reads, case.run_info.index_reads),
    ):
        run = tuple(read.cycles for read in reads)
        if said and said != run:
            yield Finding(
                "sheet.reads_differ",
                Severity.WARNING,
                0,
                0,
                f"[Reads] says {_joined(said)}{what}, the run has {_joined(run)}{what}",
                "the run's reads are converted; find out whether this is the run's sheet",
            )


def _notes(case: _Case) -> Iterator[Finding]:
    for note in case.sheet.notes:
        yield Finding(note.code, Severity.WARNING, note.line, note.column, note.message, note.hint)


def _settings(case: _Case) -> Iterator[Finding]:
    """Values that no converter can follow; what the one at hand does not do, it refuses itself."""
    for name, setting in case.sheet.settings.items():
        for line, value in dict.fromkeys(setting.values):
            if not value:
                continue
            if plain(name) in MISMATCH_SETTINGS:
                if value.lower() in NO_MISMATCHES or value in {"0", "1", "2"}:
                    continue
                message = f"expected {name} 0, 1 or 2, found {value[:20]!r}"
                yield Finding("sheet.mismatches", Severity.ERROR, line, 0, message, "correct it")
            elif plain(name) == "overridecycles" and case.run_info is not None:
                try:
                    override_cycles.parse(value, case.run_info)
                except MaskError as err:
                    hint = "write one mask a read, which covers all of its cycles"
                    message = f"OverrideCycles: {err}"
                    yield Finding("sheet.override_cycles", Severity.ERROR, line, 0, message, hint)


def _named(lane: int) -> str:
    return f"lane {lane}" if lane else "every lane"


def _joined(numbers: tuple[int, ...]) -> str:
    return " + ".join(map(str, numbers)) + " cycles" if numbers else "none"


_CHECKS = (
    *(_any_sample, _names, _lanes, _samples, _indexes, _lane_indexes, _collisions),
    *(_reads, _notes, _settings),
)
