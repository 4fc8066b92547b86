"""What BCL Convert makes of a sheet, wherever it runs: here, or on the instrument."""

from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.illumina import sheet_settings
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.illumina.sheet_settings import Meaning
from arteriole.illumina.sheet_text import plain

#: Settings that would make files which no plan names.
OTHER_FILES = frozenset(
    {"createfastqforindexreads", "nolanesplitting", "fastqcompressionformat", "overridereads"}
)


def check_settings(sheet: SampleSheet, run_info: RunInfo, request: ConversionRequest) -> list[str]:
    """Refuse what would make other files than planned, or other mismatches than checked.

    Raises:
        ConversionError: names the setting.
    """
    for name, setting in sheet.settings.items():
        meaning = sheet_settings.meaning(name, sheet, run_info, request.barcode_mismatches)
        other_files = plain(name) in OTHER_FILES and meaning is not Meaning.NEUTRAL
        if meaning is Meaning.MISMATCHES or other_files:
            raise ConversionError(
                f"line {setting.line}: setting {name[:60]} asks for {meaning.value}, which would"
                " not be what was checked, or not the files that were planned",
                hint="remove it"
                if other_files
                else "set bcl2fastq.barcode_mismatches to what the sheet asks for",
                field=name[:60],
                code="convert.setting",
            )
    return []
