"""The sheet as a whole: its sections and header, and what its reader let pass."""

import re
from collections.abc import Callable, Iterator

from arteriole.illumina.sheet_rules.rule import Case, Fault, Needs, Rule, Severity
from arteriole.illumina.sheet_text import plain

_VERSION_2_SECTIONS = ("Header", "Reads", "BCLConvert_Settings", "BCLConvert_Data")
_RUN_NAME = re.compile(r"[A-Za-z0-9 _-]{1,255}")


def _noted(code: str) -> Callable[[Case], Iterator[Fault]]:
    """What the reader noted under this code."""

    def find(case: Case) -> Iterator[Fault]:
        for note in case.sheet.notes:
            if note.code == code:
                yield Fault(note.line, note.column, note.message, note.hint)

    return find


def _sections(case: Case) -> Iterator[Fault]:
    if case.sheet.version != 2:
        return
    for name in _VERSION_2_SECTIONS:
        if name not in case.sheet.sections:
            message = f"the sheet is of version 2, and has no [{name}] section"
            yield Fault(0, 0, message, "BCL Convert and the instruments ask for it")


def _version(case: Case) -> Iterator[Fault]:
    names = {plain(name): name for name in case.sheet.header}
    if case.sheet.version != 2 or "Header" not in case.sheet.sections:
        return
    name = names.get("fileformatversion", "")
    if case.sheet.header.get(name) != "2":
        yield Fault(
            case.sheet.header_lines.get(name, case.sheet.sections["Header"]),
            0,
            "the sheet has [BCLConvert_Data], and its header does not say FileFormatVersion 2",
            "write FileFormatVersion,2 into [Header]",
        )


def _run_name(case: Case) -> Iterator[Fault]:
    for name, value in case.sheet.header.items():
        if plain(name) == "runname" and not _RUN_NAME.fullmatch(value):
            yield Fault(
                case.sheet.header_lines.get(name, 0),
                2,
                f"expected a RunName of letters, digits, ' ', '-' and '_', found {value[:40]!r}",
                "the instrument refuses the sheet otherwise",
            )


def _software(case: Case) -> Iterator[Fault]:
    if case.sheet.version != 2 or "BCLConvert_Settings" not in case.sheet.sections:
        return
    if not any(plain(name) == "softwareversion" for name in case.sheet.settings):
        yield Fault(
            case.sheet.sections["BCLConvert_Settings"],
            0,
            "SoftwareVersion is missing: an instrument that converts asks for it",
            "write the version of BCL Convert, such as SoftwareVersion,4.2.7",
        )


RULES = (
    Rule(
        "sheet.encoding_guessed",
        Severity.WARNING,
        Needs.SHEET,
        "The sheet is not UTF-8, and is read as Windows-1252.",
        "clintval/sample-sheet#123: a sheet with ã or Ü is refused where UTF-8 is expected",
        _noted("sheet.encoding_guessed"),
    ),
    Rule(
        "sheet.utf16",
        Severity.WARNING,
        Needs.SHEET,
        "The sheet is UTF-16, as a spreadsheet's 'Unicode text' is.",
        "nf-core/rnaseq#705: what a spreadsheet saved has to be saved again as UTF-8, and the"
        " message does not tell",
        _noted("sheet.utf16"),
    ),
    Rule(
        "sheet.separator",
        Severity.WARNING,
        Needs.SHEET,
        "Semicolons or tabs stand between the fields.",
        "broadinstitute/CODECsuite#16: documented with commas, and refused with a message that"
        " asks for tabs",
        _noted("sheet.separator"),
    ),
    Rule(
        "sheet.comments",
        Severity.WARNING,
        Needs.SHEET,
        "Lines with # stand above the first section.",
        "Illumina Connected Software, Run Set Up, Sample Sheet Structure: a section's name stands"
        " before what belongs to it",
        _noted("sheet.comments"),
    ),
    Rule(
        "sheet.header_missing",
        Severity.WARNING,
        Needs.SHEET,
        "The sheet does not begin with [Header], but with what stands below it.",
        "MoTrPAC/motrpac-atac-seq-pipeline, examples: such a sheet for bcl2fastq, which passes over"
        " what stands above the first section",
        _noted("sheet.header_missing"),
    ),
    Rule(
        "sheet.blanks",
        Severity.WARNING,
        Needs.SHEET,
        "Blanks stand before or behind a value.",
        "clintval/sample-sheet#109: a blank behind an index, from copying and a spreadsheet, and"
        " the sheet is refused",
        _noted("sheet.blanks"),
    ),
    Rule(
        "sheet.not_ascii",
        Severity.WARNING,
        Needs.SHEET,
        "A letter is not ASCII.",
        "Illumina Connected Software, Run Set Up, Sample Sheet: its encoding is ASCII",
        _noted("sheet.not_ascii"),
    ),
    Rule(
        "sheet.reads_zero",
        Severity.WARNING,
        Needs.SHEET,
        "[Reads] says 0 cycles of a template read.",
        "Clinical-Genomics/cg#4802: Read2Cycles,0 makes BCL Convert fail",
        _noted("sheet.reads_zero"),
    ),
    Rule(
        "sheet.section_ignored",
        Severity.WARNING,
        Needs.SHEET,
        "A section is not known.",
        "Illumina Connected Software, Run Set Up, Sample Sheet Structure: further sections are no"
        " error, so a misspelt one is not told",
        _noted("sheet.section_ignored"),
    ),
    Rule(
        "sheet.column_ignored",
        Severity.WARNING,
        Needs.SHEET,
        "A column is not known.",
        "no public report found: a column that no converter reads may be a misspelt one",
        _noted("sheet.column_ignored"),
    ),
    Rule(
        "sheet.section_required",
        Severity.WARNING,
        Needs.SHEET,
        "A sheet of version 2 lacks a section that BCL Convert asks for.",
        "Clinical-Genomics/cg#2944 checks all four; BCL Convert guide: [BCLConvert_Settings] is"
        " required",
        _sections,
    ),
    Rule(
        "sheet.version_missing",
        Severity.WARNING,
        Needs.SHEET,
        "A sheet of version 2 does not say FileFormatVersion 2.",
        "nf-core/demultiplex#339: 'FileFormatVersion' is a required property",
        _version,
    ),
    Rule(
        "sheet.run_name",
        Severity.WARNING,
        Needs.SHEET,
        "RunName holds other characters than letters, digits, blanks, '-' and '_'.",
        "Illumina Connected Software, Run Set Up, Parameters: RunName",
        _run_name,
    ),
    Rule(
        "sheet.software_version",
        Severity.WARNING,
        Needs.SHEET,
        "A sheet of version 2 has no SoftwareVersion.",
        "NextSeq 1000/2000, Sample Sheet v2 Settings, as lit-regensburg/samshee has it:"
        " SoftwareVersion is required",
        _software,
    ),
)
