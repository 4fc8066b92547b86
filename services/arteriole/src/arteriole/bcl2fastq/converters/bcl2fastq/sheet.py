"""What bcl2fastq reads of a sample sheet, and what of it would make other files than planned."""

from arteriole.bcl2fastq.converters.builtin.asked import INDEX_FASTQS
from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.illumina import index_orientation, sheet_settings
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.illumina.sheet_settings import Meaning
from arteriole.illumina.sheet_text import plain

#: Settings whose files a plan names, most of which change reads alone. All are bcl2fastq's but
#: OverrideCycles, which it is given as masks.
KNOWN = frozenset(
    {
        *("read1startfromcycle", "read2startfromcycle", "read1endwithcycle", "read2endwithcycle"),
        *("read1umilength", "read2umilength", "read1umistartfromcycle", "read2umistartfromcycle"),
        *("trimumi", "reversecomplement", "excludetiles", INDEX_FASTQS, "overridecycles"),
        *(f"excludetileslane{lane}" for lane in range(1, 9)),
    }
)


def check_settings(sheet: SampleSheet, run_info: RunInfo, request: ConversionRequest) -> list[str]:
    """Adapters are bcl2fastq's own business: it trims them as the sheet says.

    Raises:
        ConversionError: bcl2fastq does not read such a sheet, passes over one of its settings, or
            would write files that no plan names.
    """
    if sheet.version != 1:
        raise ConversionError(
            "the sheet is of version 2, with [BCLConvert_Data]; bcl2fastq reads [Data] only",
            hint="write it as a sheet of version 1, or convert with builtin",
            code="convert.sheet_version",
        )
    if sheet.is_rewritten:
        raise ConversionError(
            "the sheet is not written as bcl2fastq reads it: it has UTF-16, semicolons or tabs"
            " between the fields, or lines with # above the first section",
            hint="save the sheet as CSV UTF-8 with commas, beginning with a section",
            code="convert.sheet_form",
        )
    if index_orientation.stated(sheet):
        raise ConversionError(
            f"the sheet says {index_orientation.STATEMENT}; bcl2fastq gets the sheet as it is, and"
            " takes index2 as the instrument read it",
            hint="write index2 so and remove the setting, or convert with builtin or bclconvert",
            field=index_orientation.STATEMENT,
            code="convert.setting",
        )
    warnings = []
    for name, setting in sheet.settings.items():
        meaning = sheet_settings.meaning(name, sheet, run_info, request.barcode_mismatches)
        if meaning is Meaning.ADAPTERS:
            if request.ignore_adapters:
                warnings.append(
                    f"line {setting.line}: setting {name} is for bcl2fastq, which trims as it says;"
                    " ignore_adapters changes nothing there"
                )
        elif meaning is not Meaning.NEUTRAL and plain(name) not in KNOWN:
            raise ConversionError(
                f"line {setting.line}: setting {name[:60]} asks for {meaning.value}, which"
                " bcl2fastq does not do, or not with the files that were planned",
                hint="remove it"
                if meaning is Meaning.OTHER
                else "set bcl2fastq.barcode_mismatches to what the sheet asks for",
                field=name[:60],
                code="convert.setting",
            )
    return warnings
