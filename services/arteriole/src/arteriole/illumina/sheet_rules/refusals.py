"""What the reader refuses: such a sheet cannot be read without guessing what is meant."""

from arteriole.illumina.sheet_rules.rule import Needs, Rule, Severity


def _refused(code: str, what: str, failure: str) -> Rule:
    return Rule(code, Severity.ERROR, Needs.SHEET, what, failure)


RULES = (
    _refused(
        "sheet.unreadable",
        "The file cannot be read.",
        "Clinical-Genomics/cg#2316: the sheet is looked for in a wrong folder",
    ),
    _refused(
        "sheet.empty",
        "The file holds no text.",
        "no public report found: with an empty sheet every read would stay without a sample, in a"
        " run that is 'successful'",
    ),
    _refused(
        "sheet.too_large",
        "The file is larger than any sheet: 8 MiB, 100,000 lines, 50,000 samples, 1,000 columns.",
        "OWASP, Denial of Service Cheat Sheet: validate sizes and lengths",
    ),
    _refused(
        "sheet.encoding",
        "The file is neither UTF-8, UTF-16 with its mark, nor Windows-1252.",
        "clintval/sample-sheet#123: a sheet with ã or Ü is refused where UTF-8 is expected",
    ),
    _refused(
        "sheet.control_character",
        "A character that nobody sees stands in the sheet.",
        "fls-bioinformatics-core/auto_process_ngs#188: a backspace breaks cellranger mkfastq",
    ),
    _refused(
        "sheet.quotes",
        "Quotes do not match, or a field goes over several lines.",
        "fls-bioinformatics-core/auto_process_ngs#144: a lost quote ends bcl2fastq, 'Could not"
        " parse the CSV stream text'",
    ),
    _refused(
        "sheet.semicolons",
        "A line has semicolons between its fields, the other lines have not.",
        "sequana/sequana#511: saved by LibreOffice, a sheet of a MiSeq has semicolons",
    ),
    _refused(
        "sheet.tabs",
        "A line has tabs between its fields, the other lines have not.",
        "broadinstitute/CODECsuite#16: documented with commas, and refused with a message that"
        " asks for tabs",
    ),
    _refused(
        "sheet.section",
        "A section does not stand alone on its line, as [Data] does.",
        "Illumina Connected Software, Run Set Up, Sample Sheet Structure: a section begins with"
        " its name in brackets",
    ),
    _refused(
        "sheet.section_missing",
        "The sheet does not begin with a section, nor with CASAVA's column names.",
        "Clinical-Genomics/cg#2361: 'Malformed sample sheet'; [Data] may have to be added as the"
        " first line",
    ),
    _refused(
        "sheet.section_twice",
        "A section stands twice.",
        "Illumina Connected Software, Run Set Up, Sample Sheet Structure: an application has at"
        " most one section of settings and one of data",
    ),
    _refused(
        "sheet.section_unknown",
        "A section has nearly the name of one that matters, or none.",
        "BCL Convert guide, Sample Sheet: settings stand in [Settings] or [settings], of version 2"
        " in [BCLConvert_Settings] only",
    ),
    _refused(
        "sheet.versions_mixed",
        "Sections of version 1 and of version 2 stand beside each other.",
        "Clinical-Genomics/cg#2804: version 1 passes the check and fails in BCL Convert",
    ),
    _refused(
        "sheet.data_missing",
        "There is no section with samples, or it has no column names.",
        "Clinical-Genomics/cg#2944: all sections have to be present",
    ),
    _refused(
        "sheet.version",
        "FileFormatVersion is neither 1 nor 2.",
        "Illumina Connected Software, Run Set Up, Parameters: it must be 2",
    ),
    _refused(
        "sheet.index_orientation",
        "IndexOrientation is not Forward.",
        "NationalGenomicsInfrastructure/TACA#438: BCL Convert turns the i5 of a NovaSeq X Plus by"
        " itself",
    ),
    _refused(
        "sheet.setting_twice",
        "A setting is said twice.",
        "lit-regensburg/samshee, sectionedsheet.py: of two the last counts, and nothing is said",
    ),
    _refused(
        "sheet.reads",
        "[Reads] holds something else than cycles.",
        "nf-core/demultiplex#339: of [Reads], [{'151': 151}] is not of type 'object'",
    ),
    _refused(
        "sheet.sample_id_missing",
        "There is no column Sample_ID.",
        "Illumina's format specification, as clintval/sample-sheet#32 quotes it: Sample_ID is the"
        " one column that is universally required",
    ),
    _refused(
        "sheet.column_twice",
        "A column stands twice.",
        "lit-regensburg/samshee, sectionedsheet.py: of two the last counts, and nothing is said",
    ),
    _refused(
        "sheet.column_unknown",
        "A column has nearly the name of one that matters, or holds indexes.",
        "Clinical-Genomics/cg#2361: old columns have to be renamed by hand",
    ),
    _refused(
        "sheet.column_unnamed",
        "A value stands below an empty column name.",
        "lit-regensburg/samshee, sectionedsheet.py: what stands below an empty name is dropped",
    ),
    _refused(
        "sheet.row_length",
        "A row has more values than there are columns.",
        "miso-lims/miso-lims#2136: a comma too many in sheets of single indexes",
    ),
    _refused(
        "sheet.lane",
        "A lane is not a number.",
        "NextSeq 1000/2000, Sample Sheet v2 Settings, as lit-regensburg/samshee has it: a lane is"
        " one integer",
    ),
)
