"""How index2 of a sample sheet is written, and how each converter takes it.

Inside, index2 is forward (see i5_readings); a sheet may have it forward or as the instrument read
it, and a converter may take either. The two differ only where the instrument reads the i5 reversed,
so whether an index must be turned can often be said without knowing that.
"""

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from arteriole.illumina.errors import RunDataError
from arteriole.illumina.i5_readings import Direction, reading_of
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.run_parameters import RunParameters
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.illumina.sheet_text import plain

_COMPLEMENT = str.maketrans("ACGT", "TGCA")
CODE = "sheet.orientation_unknown"
#: The setting of BCL Convert 4.4, of all samples, by which a sheet tells how it has index2: Y as
#: reverse complement, N forward.
STATEMENT = "Index2ColumnReverseComplement"


class OrientationError(RunDataError):
    """It is not known how index2 is to be read."""

    code = CODE


class Convention(Enum):
    """How index2 is written in a sheet."""

    FORWARD = "forward"
    AS_READ = "as-read"


@dataclass(frozen=True, slots=True)
class Taking:
    """How a converter takes index2 of a sheet of `versions`, where RunInfo.xml marks the i5 or not.

    Marked means IsReverseComplement="Y" of the second index read.
    """

    converter: str
    versions: tuple[int, ...]
    marked: bool
    convention: Convention
    source: str


_TABLE = "help.connected.illumina.com, i5 Index Orientation Table"
_TURNED = "knowledge.illumina.com 000007945"
_OURS = "docs/decisions.md 11: as BCL Convert"
#: What the instrument demultiplexed itself was done by BCL Convert.
_BY_BCL_CONVERT = frozenset({"bclconvert", "ingest"})

TAKINGS = (
    Taking("bcl2fastq", (1,), True, Convention.AS_READ, f"{_TABLE}: RC, Standalone bcl2fastq"),
    Taking("bcl2fastq", (1,), False, Convention.AS_READ, f"{_TABLE}: as the instrument reads it"),
    Taking("bclconvert", (1, 2), True, Convention.FORWARD, f"{_TABLE}: F; {_TURNED}"),
    Taking("bclconvert", (1, 2), False, Convention.AS_READ, f"{_TABLE}: RC on NovaSeq 6000 v1.5"),
    Taking("builtin", (1, 2), True, Convention.FORWARD, _OURS),
    Taking("builtin", (1, 2), False, Convention.AS_READ, _OURS),
    Taking("picard", (1, 2), True, Convention.FORWARD, f"{_OURS}; it is turned for Picard itself"),
    Taking("picard", (1, 2), False, Convention.AS_READ, _OURS),
)


def taken_by(converter: str, version: int, marked: bool) -> Convention:
    """How a converter takes index2. Raises OrientationError if it takes no such sheet."""
    for row in TAKINGS:
        if row.converter == converter and version in row.versions and row.marked == marked:
            return row.convention
    raise OrientationError(f"{converter[:40]} takes no sample sheet of version {version}")


@dataclass(frozen=True, slots=True)
class I5:
    """How the second index read of a run was read; `reason` says why, or why it is not known."""

    direction: Direction
    marked: bool
    reason: str


def i5_of(info: RunInfo, parameters: RunParameters | None) -> I5 | None:
    """None for a run without a second index read.

    RunInfo.xml has the last word where it marks the read. An instrument that always marks it, and
    did not, contradicts itself.
    """
    if len(info.index_reads) < 2:
        return None
    if info.index_reads[1].is_reverse_complement:
        reason = 'RunInfo.xml says IsReverseComplement="Y"'
        return I5(Direction.REVERSED, True, reason)
    row = reading_of(info, parameters)
    if row is None:
        reason = f"it is not known how the instrument {info.instrument} reads the i5"
        return I5(Direction.UNKNOWN, False, reason)
    if row.marks:
        reason = f'a {row.family} marks the i5 IsReverseComplement="Y", and RunInfo.xml does not'
        return I5(Direction.UNKNOWN, False, reason)
    if not row.is_verified:
        reason = f"it is not known how a {row.family} reads the i5 with {row.chemistry}"
        return I5(Direction.UNKNOWN, False, reason)
    return I5(row.direction, False, f"{row.family}, {row.chemistry}: {row.source}")


@dataclass(frozen=True, slots=True)
class Index2:
    """How index2 of one sheet stands to its run."""

    i5: I5
    written: Convention

    def forward(self, index2: str) -> str:
        """As it is inside, from what the sheet has.

        Raises:
            OrientationError: the sheet has it as it was read, and that direction is not known.
        """
        return self._turned(index2, self.written, Convention.FORWARD)

    def taken(self, index2: str, convention: Convention) -> str:
        """What a sheet for a converter has of it, from what this sheet has.

        Raises:
            OrientationError: the two differ, and the direction of the read is not known.
        """
        return self._turned(index2, self.written, convention)

    def _turned(self, index2: str, one: Convention, other: Convention) -> str:
        if one is other or self.i5.direction is Direction.FORWARD:
            return index2
        if self.i5.direction is Direction.UNKNOWN:
            raise OrientationError(
                f"index2 is written {one.value} and needed {other.value}: {self.i5.reason}",
                hint="say in bcl2fastq.index2 how the sheets of this site write index2",
            )
        return reverse_complement(index2)


def index2_of(
    sheet: SampleSheet,
    info: RunInfo,
    parameters: RunParameters | None,
    converter: str,
    said: Convention | None = None,
) -> Index2 | None:
    """How index2 of `sheet` is written; None if it has none, or the run no second index read.

    What the sheet itself states comes first, where only one thing can be meant by it.

    Args:
        converter: the one that is to convert. A sheet is taken as written for it where it reads
            such sheets itself.
        said: what the site says; None if the documents are to decide.

    Raises:
        OrientationError: what the sheet states fits no i5 of this run; or it may mean two things,
            or the documents contradict each other, and the site says nothing. A sheet of
            version 1 on a marked run is reversed for bcl2fastq and forward for BCL Convert. One
            with IndexOrientation Forward on an unmarked one is turned by the BaseSpace app, and
            taken as it stands by BCL Convert itself.
    """
    i5 = i5_of(info, parameters)
    if i5 is None or not any(sample.index2 for sample in sheet.samples):
        return None
    written = _by_statement(stated(sheet), i5, said) or said
    if written is not None:
        return Index2(i5, written)
    if converter == "bclconvert":
        _refuse_contradiction(sheet, i5)
    native = converter if sheet.version == 1 else "bclconvert"
    return Index2(i5, taken_by(native, sheet.version, i5.marked))


def _by_statement(value: str, i5: I5, said: Convention | None) -> Convention | None:
    """What the sheet states of itself; None if it states nothing, or the site has to say it.

    On a run that does not mark an i5 which is read reversed, BCL Convert takes the read for a
    forward one. So forward may be meant of the strand, or of what it is compared with.
    """
    if not value:
        return None
    if i5.marked:
        return Convention.AS_READ if value == "Y" else Convention.FORWARD
    if i5.direction is Direction.FORWARD:
        if value == "N":
            return Convention.FORWARD
        raise OrientationError(
            f"the sheet says {STATEMENT} Y, and the i5 of this run was read forward ({i5.reason})",
            hint="write index2 forward, and remove the setting",
        )
    if said is not None:
        return None
    raise OrientationError(
        f"the sheet says {STATEMENT} {value}, which may mean either direction on this run: it does"
        f" not mark the i5 ({i5.reason})",
        hint="remove the setting, or say in bcl2fastq.index2 how the sheets of this site write"
        " index2: forward or as-read",
    )


def stated(sheet: SampleSheet) -> str:
    """Y or N of Index2ColumnReverseComplement; empty if the sheet does not say it."""
    key = plain(STATEMENT)
    found = (setting.value for name, setting in sheet.settings.items() if plain(name) == key)
    return next((value for value in found if value in ("Y", "N")), "")


def _refuse_contradiction(sheet: SampleSheet, i5: I5) -> None:
    hint = "say in bcl2fastq.index2 how the sheets of this site write index2: forward or as-read"
    if sheet.version == 1 and i5.marked:
        raise OrientationError(
            f"{i5.reason}: a sheet of version 1 has index2 as it was read if it is written for"
            " bcl2fastq, and forward if it is written for BCL Convert",
            hint=hint,
        )
    if says_forward(sheet) and not i5.marked and i5.direction is not Direction.FORWARD:
        raise OrientationError(
            "the sheet says IndexOrientation Forward, and BCL Convert takes index2 of this run as"
            f" the instrument read it ({i5.reason})",
            hint=hint,
        )


def says_forward(sheet: SampleSheet) -> bool:
    """Whether the header says IndexOrientation Forward."""
    return any(
        plain(name) == "indexorientation" and value.lower() == "forward"
        for name, value in sheet.header.items()
    )


def rewritten(sheet: SampleSheet, index2: Index2 | None, convention: Convention) -> SampleSheet:
    """The sheet with index2 in another convention. Raises OrientationError."""
    if index2 is None:
        return sheet
    samples = tuple(
        replace(sample, index2=index2.taken(sample.index2, convention)) for sample in sheet.samples
    )
    return replace(sheet, samples=samples)


def reader(converter: str) -> str:
    """The one that has read the indexes, or is to read them, as a converter takes them."""
    return "bclconvert" if converter in _BY_BCL_CONVERT else converter


def for_converter(
    converter: str, sheet: SampleSheet, run_dir: Path, said: str | None = None
) -> SampleSheet:
    """The sheet with index2 as a converter takes it; it is read only if that is to be found out.

    Args:
        said: a Convention's value, by which the site says how its sheets are written.

    Raises:
        OrientationError: it is not known how index2 is to be read.
        RunDataError: RunInfo.xml or RunParameters.xml cannot be read.
    """
    converter = reader(converter)
    if said is None and converter != "bclconvert" and not stated(sheet):
        return sheet
    info, parameters = RunInfo.read(run_dir), RunParameters.read(run_dir)
    convention = None if said is None else Convention(said)
    index2 = index2_of(sheet, info, parameters, converter, convention)
    if index2 is None:
        return sheet
    version = 2 if converter == "bclconvert" else 1
    return rewritten(sheet, index2, taken_by(converter, version, index2.i5.marked))


def as_compared(
    converter: str, sheet: SampleSheet, run_dir: Path, said: str | None = None
) -> SampleSheet:
    """The sheet, written for a converter, with index2 as `builtin` takes it.

    The arguments and errors are those of `for_converter`.
    """
    if said is None and converter in ("builtin", "picard") and not stated(sheet):
        return sheet
    info, parameters = RunInfo.read(run_dir), RunParameters.read(run_dir)
    convention = None if said is None else Convention(said)
    index2 = index2_of(sheet, info, parameters, reader(converter), convention)
    if index2 is None:
        return sheet
    return rewritten(sheet, index2, taken_by("builtin", 1, index2.i5.marked))


def reverse_complement(index: str) -> str:
    """The other strand, read in its own direction.

    >>> reverse_complement("AACGN")
    'NCGTT'
    """
    return index.translate(_COMPLEMENT)[::-1]
