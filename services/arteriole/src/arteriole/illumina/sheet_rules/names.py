"""Names of samples and projects, which become names of files and folders."""

import re
from collections.abc import Iterator
from itertools import combinations

from arteriole.illumina.sample_sheet import Sample
from arteriole.illumina.sheet_rules.rule import Case, Fault, Needs, Rule, Severity
from arteriole.illumina.sheet_text import is_near

NAME = re.compile(r"[A-Za-z0-9_-]+")
NAME_LENGTH = 100
#: In lower case: some file systems know no other.
RESERVED_NAMES = frozenset(
    {
        "undetermined",  # the reads of no sample
        *("stats", "reports", "interop"),  # folders of bcl2fastq, beside those of projects
        *("all", "default"),  # folders of bcl2fastq below Reports, for all projects and for none
        "logs",  # of BCL Convert, which makes no folder of a project of this name or of Reports
        "bcl-convert",  # where BCL Convert writes, before its files are put into their places
        "analysis",  # what is kept of an analysis that the instrument made
    }
)
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE = re.compile(rf"\d{{1,2}}-({_MONTHS})(-\d{{2,4}})?|({_MONTHS})-\d{{2}}", re.IGNORECASE)
_PROJECTS_COMPARED = 200
_LONG_ENOUGH = 6
_LAST_LETTERS = re.compile(r"(?<=[_-])[a-z]{1,2}$")


def _texts(sample: Sample) -> tuple[tuple[str, str], ...]:
    return (
        ("Sample_ID", sample.sample_id),
        ("Sample_Name", sample.sample_name),
        ("Sample_Project", sample.project),
    )


def _no_samples(case: Case) -> Iterator[Fault]:
    if not case.sheet.samples:
        message = "the sheet names no sample, so every read would be undetermined"
        yield Fault(0, 0, message, "name the samples below the line of column names")


def _id_empty(case: Case) -> Iterator[Fault]:
    for sample in case.sheet.samples:
        if not sample.sample_id:
            yield case.at(sample, "Sample_ID", "Sample_ID is empty", "name the sample")


def _characters(case: Case) -> Iterator[Fault]:
    for sample in case.sheet.samples:
        for column, text in _texts(sample):
            if text and not NAME.fullmatch(text):
                bad = next(char for char in text if not NAME.fullmatch(char))
                yield case.at(
                    sample,
                    column,
                    f"{column} {text[:NAME_LENGTH]} holds {bad!r}, which is not fit for a file"
                    " name",
                    "use letters A-Z and a-z, digits, '-' and '_'",
                )


def _length(case: Case) -> Iterator[Fault]:
    for sample in case.sheet.samples:
        for column, text in _texts(sample):
            if len(text) > NAME_LENGTH and NAME.fullmatch(text):
                message = f"{column} has {len(text)} characters, at most {NAME_LENGTH} are allowed"
                yield case.at(sample, column, message, "shorten it")


def _reserved(case: Case) -> Iterator[Fault]:
    for sample in case.sheet.samples:
        for column, text in _texts(sample):
            if text.lower() in RESERVED_NAMES:
                message = f"{column} {text!r} is a name of other files of a conversion"
                yield case.at(sample, column, message, "choose another name")


def _date(case: Case) -> Iterator[Fault]:
    for sample in case.sheet.samples:
        for column, text in _texts(sample):
            if _DATE.fullmatch(text):
                yield case.at(
                    sample,
                    column,
                    f"{column} {text} looks like a name that a spreadsheet took for a date",
                    "write the name as it was, in a column that is formatted as text",
                )


def _ids_alike(case: Case) -> Iterator[Fault]:
    """Names that are one but for '-' and '_'; capitals are a rule of their own."""
    first: dict[str, Sample] = {}
    for sample in case.sheet.samples:
        other = first.setdefault(sample.sample_id.lower().replace("-", "_"), sample)
        if other.sample_id.lower() != sample.sample_id.lower():
            yield case.at(
                sample,
                "Sample_ID",
                f"Sample_ID {sample.sample_id[:NAME_LENGTH]} differs from"
                f" {other.sample_id[:NAME_LENGTH]} in line {other.line} by '-' and '_' only",
                "write it in one way if both are one sample",
            )


def _projects_alike(case: Case) -> Iterator[Fault]:
    first: dict[str, Sample] = {}
    for sample in case.sheet.samples:
        if sample.project:
            first.setdefault(sample.project, sample)
    if len(first) > _PROJECTS_COMPARED:
        return
    for one, other in combinations(first.values(), 2):
        if _are_alike(one.project, other.project):
            yield case.at(
                other,
                "Sample_Project",
                f"Sample_Project {other.project[:NAME_LENGTH]} is nearly"
                f" {one.project[:NAME_LENGTH]} of line {one.line}",
                "write it in one way if both are one project",
            )


def _are_alike(one: str, other: str) -> bool:
    """Numbers tell projects apart, and so does a letter or two at the end (P_7043_CU).

    Other letters, signs and capitals may be misspelt.
    """
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    plain_one, plain_other = (re.sub(r"[\W_]", "", text.lower()) for text in (one, other))
    if plain_one == plain_other:
        return True
    if _LAST_LETTERS.findall(one.lower()) != _LAST_LETTERS.findall(other.lower()):
        return False
    return min(len(one), len(other)) >= _LONG_ENOUGH and is_near(plain_one, plain_other, 1)


RULES = (
    Rule(
        "sheet.no_samples",
        Severity.ERROR,
        Needs.SHEET,
        "The sheet has column names and no sample.",
        "no public report found: every read would stay without a sample, in a run that is"
        " 'successful'",
        _no_samples,
    ),
    Rule(
        "sheet.sample_id_empty",
        Severity.ERROR,
        Needs.SHEET,
        "A row has no Sample_ID.",
        "Illumina's format specification, as clintval/sample-sheet#32 quotes it: Sample_ID"
        " identifies each sample",
        _id_empty,
    ),
    Rule(
        "sheet.name_characters",
        Severity.ERROR,
        Needs.SHEET,
        "A name holds a character that is not fit for a file name.",
        "clintval/sample-sheet#125: an ID with '+' passes the library and is refused by bcl2fastq",
        _characters,
    ),
    Rule(
        "sheet.name_length",
        Severity.ERROR,
        Needs.SHEET,
        "A name is longer than 100 characters.",
        "clintval/sample-sheet#125: Illumina's specification allows 100 characters",
        _length,
    ),
    Rule(
        "sheet.name_reserved",
        Severity.ERROR,
        Needs.SHEET,
        "A name is one that is used for other files of a conversion.",
        "BCL Convert guide, Output Files: Reports, Logs and Undetermined_S0 are its own",
        _reserved,
    ),
    Rule(
        "sheet.name_date",
        Severity.WARNING,
        Needs.SHEET,
        "A name looks like a date that a spreadsheet made of it.",
        "doi.org/10.1186/s13059-016-1044-7: MARCH1 becomes 1-Mar when a spreadsheet opens the file",
        _date,
    ),
    Rule(
        "sheet.names_alike",
        Severity.WARNING,
        Needs.SHEET,
        "Two Sample_IDs differ by '-' and '_' only.",
        "theiagen/public_health_bioinformatics#36: BaseSpace turns '_' of a name into '-' in the"
        " names of files",
        _ids_alike,
    ),
    Rule(
        "sheet.projects_alike",
        Severity.WARNING,
        Needs.SHEET,
        "Two projects differ by capitals, signs or one letter.",
        "fls-bioinformatics-core/auto_process_ngs#30: typos in project names",
        _projects_alike,
    ),
)
