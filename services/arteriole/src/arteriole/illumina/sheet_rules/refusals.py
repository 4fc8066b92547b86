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
        "nf-core/demultiplex#135: samples missing though the run is 'successful'",
    ),
    _refused(
        "sheet.too_large",
        "The file is larger than any sheet: 8 MiB, 100,000 lines, 50,000 samples, 1,000 columns.",
        "OWASP, Denial of Service Cheat Sheet: limit what is read",
    ),
    _refused(
        "sheet.encoding",
        "The file is neither UTF-8, UTF-16 with its mark, nor Windows-1252.",
        "sheynkman-lab/LRP2#83: what a spreadsheet puts before and between the lines",
    ),
    _refused(
        "sheet.control_character",
        "A character that nobody sees stands in the sheet.",
        "fls-bioinformatics-core/auto_process_ngs#188: a backspace breaks cellranger mkfastq",
    ),
    _refused(
        "sheet.quotes",
        "Quotes do not match, or a field goes over several lines.",
        "fls-bioinformatics-core/auto_process_ngs#188: 'Could not parse the CSV stream text'",
    ),
    _refused(
        "sheet.semicolons",
        "A line has semicolons between its fields, the other lines have not.",
        "broadinstitute/CODECsuite#16: a separator that the program does not expect",
    ),
    _refused(
        "sheet.tabs",
        "A line has tabs between its fields, the other lines have not.",
        "broadinstitute/CODECsuite#16: a separator that the program does not expect",
    ),
    _refused(
        "sheet.section",
        "A section does not stand alone on its line, as [Data] does.",
        "Clinical-Genomics/cg#2361: 'Malformed sample sheet' until [Data] is the first line",
    ),
    _refused(
        "sheet.section_missing",
        "The sheet does not begin with a section, nor with CASAVA's column names.",
        "Clinical-Genomics/cg#2361: 'Malformed sample sheet' until [Data] is the first line",
    ),
    _refused(
        "sheet.section_twice",
        "A section stands twice.",
        "bcl2fastq2 guide, Sample Sheet: one section of each name",
    ),
    _refused(
        "sheet.section_unknown",
        "A section has nearly the name of one that matters, or none.",
        "GenomiqueENS/aozan#22: a [Settings] section that BCL Convert does not recognize",
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
        "NationalGenomicsInfrastructure/TACA#438: BCL Convert turns the i5 by itself",
    ),
    _refused(
        "sheet.setting_twice",
        "A setting is said twice.",
        "BCL Convert guide, Sample Sheet: a setting stands in one place",
    ),
    _refused(
        "sheet.reads",
        "[Reads] holds something else than cycles.",
        "nf-core/demultiplex#339: '[Reads] is not of type object'",
    ),
    _refused(
        "sheet.sample_id_missing",
        "There is no column Sample_ID.",
        "BCL Convert, Sample Sheet: Sample_ID is required",
    ),
    _refused(
        "sheet.column_twice",
        "A column stands twice.",
        "BCL Convert guide, Sample Sheet: one column of each name",
    ),
    _refused(
        "sheet.column_unknown",
        "A column has nearly the name of one that matters, or holds indexes.",
        "Clinical-Genomics/cg#2361: old columns have to be renamed by hand",
    ),
    _refused(
        "sheet.column_unnamed",
        "A value stands below an empty column name.",
        "Clinical-Genomics/cg#2361: 'Malformed sample sheet'",
    ),
    _refused(
        "sheet.row_length",
        "A row has more values than there are columns.",
        "Clinical-Genomics/cg#2361: 'Malformed sample sheet'",
    ),
    _refused(
        "sheet.lane",
        "A lane is not a number.",
        "bcl2fastq2 guide, Sample Sheet: Lane is a number; 1+2 is of its command line",
    ),
)
