"""Projects that ask for a converter, and for one version of it: the key `projects`.

Who is accredited for one program converts with no other. A run is converted by one converter, so
what its projects ask for must be one thing, and be what is configured.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from arteriole.app.name_pattern import compiled
from arteriole.bcl2fastq.converters import ConversionError
from arteriole.bcl2fastq.pin_settings import ProjectPin
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.illumina.errors import SampleSheetError
from arteriole.illumina.sample_sheet import SampleSheet, parse
from arteriole.illumina.sheet_check import Finding, Severity

CODE = "convert.pinned"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a row asks for, and the first line of a sheet whose project it is for.

    NB: the project itself is not named: its name may be a patient's or a customer's.
    """

    converter: str
    version: str | None
    row: int
    line: int

    @property
    def what(self) -> str:
        return _shown(self.converter, self.version)

    @property
    def whose(self) -> str:
        return f"the project on line {self.line} of the sheet asks for {self.what}" + self.of_row

    @property
    def of_row(self) -> str:
        return f" (row {self.row} of bcl2fastq.projects)"


def asked(pins: Sequence[ProjectPin], sheet: SampleSheet) -> list[Asked]:
    """Each thing that is asked for once, in the order of the sheet.

    Of several rows that fit a project the first counts.
    """
    patterns = [compiled(pin.pattern) for pin in pins]
    found: dict[tuple[str, str | None], Asked] = {}
    for sample in sheet.samples:
        rows = zip(pins, patterns, strict=True)
        for row, (pin, pattern) in enumerate(rows, start=1):
            if pattern.fullmatch(sample.project):
                one = Asked(pin.converter, pin.version, row, sample.line)
                found.setdefault((pin.converter, pin.version), one)
                break
    return list(found.values())


def converter_for(settings: Bcl2fastqSettings, read: Callable[[], bytes | None]) -> str:
    """Which converter a sheet is converted with: the one that it asks for, if that is configured.

    Else the usual one, which `require` then refuses.

    Args:
        read: gives the sheet, or None where there is none; not called if nobody asks for anything.
    """
    data = read() if settings.projects else None
    if data is None:
        return settings.converter
    try:
        wanted = asked(settings.projects, parse(data))
    except SampleSheetError:  # the conversion tells it
        return settings.converter
    if len(wanted) == 1 and _is_met(wanted[0], wanted[0].converter, settings.versions):
        return wanted[0].converter
    return settings.converter


def _is_met(one: Asked, converter: str, versions: Mapping[str, str | None]) -> bool:
    if one.converter != converter or converter not in versions:
        return False
    return one.version in (None, versions[converter])


def require(pins: Sequence[ProjectPin], data: bytes, converter: str, version: str | None) -> None:
    """Nothing that the sheet asks for is another converter, or another version of it.

    Raises:
        ConversionError: it is, or two projects ask for different ones.
        SampleSheetError: the sheet cannot be read.
    """
    problem = _problem(pins, parse(data), converter, version) if pins else None
    if problem is not None:
        _, message, hint = problem
        raise ConversionError(message, hint=hint, code=CODE)


def findings(
    pins: Sequence[ProjectPin], sheet: SampleSheet, converter: str, version: str | None
) -> tuple[Finding, ...]:
    """What `require` would refuse, at the project's line and column."""
    problem = _problem(pins, sheet, converter, version)
    if problem is None:
        return ()
    line, message, hint = problem
    column = sheet.columns.get("Sample_Project", 0)
    return (Finding(CODE, Severity.ERROR, line, column, message, hint),)


def _problem(
    pins: Sequence[ProjectPin], sheet: SampleSheet, converter: str, version: str | None
) -> tuple[int, str, str] | None:
    """The first thing that is asked for and would not be done: its line, message and hint."""
    wanted = asked(pins, sheet)
    if len(wanted) > 1:
        return (
            wanted[1].line,
            f"{wanted[0].whose}, and that on line {wanted[1].line} for {wanted[1].what}"
            f"{wanted[1].of_row}; a run is converted by one",
            "agree on one for both and correct bcl2fastq.projects, or take the rows of one"
            " out of the sheet; then start the bcl2fastq service again and retry",
        )
    for one in wanted:
        if not _is_met(one, converter, {converter: version}):
            would = f"it would be converted with {_shown(converter, version)}"
            return one.line, f"{one.whose}; {would}", _remedy(one)
    return None


def _remedy(one: Asked) -> str:
    if one.version is None:
        return "correct bcl2fastq.projects, or retry if the sheet was changed meanwhile"
    return (
        f"install {one.what} and name it in bcl2fastq.{one.converter}_tool, or correct"
        " bcl2fastq.projects; start the bcl2fastq service again, then retry"
    )


def _shown(converter: str, version: str | None) -> str:
    return f"{converter} {version}" if version else converter
