"""What a request and the settings of its sheet ask for; what is not done is refused by name."""

from arteriole.bcl2fastq.converters.conversion import (
    IGNORABLE,
    ConversionError,
    ConversionRequest,
)
from arteriole.illumina import sheet_settings
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.illumina.sheet_settings import Meaning
from arteriole.illumina.sheet_text import plain

INDEX_FASTQS = "createfastqforindexreads"
MERGED_LANES = "nolanesplitting"
#: Settings that are done as the sheet says.
DONE = frozenset({INDEX_FASTQS, MERGED_LANES, "overridecycles"})

_SETTING_HINTS = {
    Meaning.MISMATCHES: "set bcl2fastq.barcode_mismatches to what the sheet asks for",
    Meaning.OTHER: "remove it, or convert with bcl2fastq",
}


def check_options(request: ConversionRequest) -> None:
    """Raises ConversionError where a value of the request is not possible."""
    unknown = request.ignore - set(IGNORABLE)
    if unknown:
        raise ConversionError(
            f"{min(unknown)[:40]!r} cannot be ignored",
            hint="known are: " + ", ".join(IGNORABLE),
            field="ignore",
            code="convert.ignore",
        )
    if not all(0 <= allowed <= 2 for allowed in request.barcode_mismatches):
        raise ConversionError(
            f"expected 0 to 2 mismatches an index, found {request.barcode_mismatches}",
            field="barcode_mismatches",
            code="convert.mismatches",
        )
    if not 1 <= request.threads <= 256:
        raise ConversionError(
            f"expected 1 to 256 threads, found {request.threads}",
            field="threads",
            code="convert.threads",
        )


def check_settings(
    sheet: SampleSheet,
    run_info: RunInfo,
    request: ConversionRequest,
    done: frozenset[str] = DONE,
) -> list[str]:
    """Refuses the settings, and the options, that the builtin converter does not do.

    Args:
        done: settings that are done as the sheet says.

    Returns:
        Warnings.

    Raises:
        ConversionError: names the setting and its line.
    """
    if request.options.words:
        raise ConversionError(
            f"{request.options.words[0]} is not done by the builtin converter",
            hint="leave it out, or convert with bcl2fastq",
            field="additional_args",
            code="convert.option",
        )
    warnings = []
    for name, setting in sheet.settings.items():
        meaning = sheet_settings.meaning(name, sheet, run_info, request.barcode_mismatches)
        if plain(name) in done and (plain(name) == "overridecycles" or is_on(sheet, plain(name))):
            continue
        if plain(name) in sheet_settings.ADAPTER_SETTINGS and request.ignore_adapters:
            warnings.append(f"line {setting.line}: setting {name} ignored, reads are not trimmed")
        elif meaning is Meaning.ADAPTERS:
            raise ConversionError(
                f"line {setting.line}: setting {name[:60]} asks for adapter trimming, "
                "which the builtin converter does not do",
                hint="`ignore_adapters: true` converts without trimming; bcl2fastq trims",
                field=name[:60],
                code="convert.adapters",
            )
        elif meaning is not Meaning.NEUTRAL:
            raise ConversionError(
                f"line {setting.line}: setting {name[:60]} asks for {meaning.value}, "
                "which the builtin converter does not do",
                hint=_SETTING_HINTS[meaning],
                field=name[:60],
                code="convert.setting",
            )
    return warnings


def is_on(sheet: SampleSheet, setting: str) -> bool:
    """Whether the sheet switches a setting on; its name is in lower case, without punctuation."""
    found = (s.value.lower() for name, s in sheet.settings.items() if plain(name) == setting)
    return any(value in sheet_settings.ON for value in found)
