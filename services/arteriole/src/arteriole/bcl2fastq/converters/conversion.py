"""What a conversion is asked, and what it answers."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from arteriole.app.errors import ArterioleError
from arteriole.jobs.folder import NO_SPACE

UNDETERMINED = "Undetermined"

IGNORABLE = ("missing-bcls", "missing-filter", "missing-positions", "empty-samples")
"""What a person may waive, see ConversionRequest.ignore."""

WAIVABLE_RULES = frozenset(
    {
        "sheet.index_collision",
        "sheet.flowcell_differs",
        "sheet.metadata_index",
        "sheet.metadata_lane",
        "sheet.metadata_missing",
        "sheet.metadata_project",
        "sheet.metadata_unknown",
        "sheet.metadata_unreadable",
        "sheet.project_unknown",
        "sheet.site_project",
        "sheet.site_sample_id",
    }
)
"""Rules of sheet_check that a person may waive for a run, since a conversion can go on.

With another error it is not known which sample a read belongs to, or where its files would go.
"""

_WITH_COLLISIONS = frozenset({"builtin", "picard"})
"""The converters that go on with colliding indexes; Illumina's refuse them whatever is waived."""

Progress = Callable[[int, int], None]
"""Called with (done, all) as a conversion goes on, in the converter's unit."""


class ConversionError(ArterioleError):
    """The run cannot be converted as asked."""

    code = "convert.failed"
    status = 422


@contextmanager
def conversion_errors() -> Iterator[None]:
    """What goes wrong within is told as a ConversionError, with the code that it had."""
    try:
        yield
    except ConversionError:
        raise
    except ArterioleError as err:
        raise ConversionError(str(err), hint=err.hint, field=err.field, code=err.code) from err
    except OSError as err:
        full = err.errno in NO_SPACE
        raise ConversionError(
            f"the files cannot be read or written: {err}",
            hint="make room there, then retry" if full else "look at the folders' permissions",
            code="convert.disk_full" if full else "convert.io",
        ) from err


def waived_for(converter: str, codes: Iterable[str]) -> frozenset[str]:
    """Those of the waived rules without which this converter can go on.

    >>> sorted(waived_for("builtin", ["sheet.index_collision", "sheet.quotes"]))
    ['sheet.index_collision']
    >>> sorted(waived_for("bcl2fastq", ["sheet.index_collision"]))
    []
    """
    waived = WAIVABLE_RULES.intersection(codes)
    return waived if converter in _WITH_COLLISIONS else waived - {"sheet.index_collision"}


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked beyond bcl2fastq's defaults, in the words of its options.

    Attributes:
        no_lane_splitting: the lanes of a sample go into one file, in order.
        create_fastq_for_index_reads: also the index reads become files, I1 and I2.
        tiles: which are converted, see illumina/tile_choice.py; empty for all.
        use_bases_mask: see illumina/bases_mask.py; empty for what RunInfo.xml and sheet say.
        minimum_trimmed_read_length: matters to trimming only; None for the converter's default.
        mask_short_adapter_reads: reads with fewer cycles become N, whether or not anything is
            trimmed (bcl2fastq's default is 22); None for the converter's default.
        words: further ones for the converter bcl2fastq alone, as on its command line.
    """

    no_lane_splitting: bool = False
    create_fastq_for_index_reads: bool = False
    tiles: tuple[str, ...] = ()
    use_bases_mask: tuple[str, ...] = ()
    minimum_trimmed_read_length: int | None = None
    mask_short_adapter_reads: int | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConversionRequest:
    """A run to convert.

    Attributes:
        out_dir: a folder, empty but for the sheet if that lies there; nothing is written
            anywhere else.
        barcode_mismatches: allowed in i7 and in i5, each 0 to 2.
        include_non_pf: also reads that failed the chastity filter.
        ignore_adapters: convert without trimming although the sheet names adapters.
        allow_index_collisions: convert although indexes of a lane lie so near to each other that
            a read may be within reach of several; it goes to the one with fewest mismatches, and
            to none when two have as few.
        waived_rules: errors of these rules of the sheet stop nothing; see `waived_for`.
        ignore: those of IGNORABLE that a person waived. Where a file is missing or damaged, calls
            become N of quality 2 (`missing-bcls`), every cluster counts as passed
            (`missing-filter`), and clusters get positions that are made up and differ
            (`missing-positions`), as with bcl2fastq's options of like names; `empty-samples`
            accepts samples without a read.
        threads: for reading base calls, and for compressing.
        key: of the attempt, alike in each of its jobs; what a converter starts outside of this
            process has it as its name. Of letters, digits and dashes.
        options: what else is asked; a converter refuses by name what it does not do.
        index2: how the sheet has index2: `forward`, `as-read` (as the instrument read it), or None
            if that follows from its version and the converter.
        index_sets: the files with the index sets that the sheet may name.
    """

    run_dir: Path
    sheet: Path
    out_dir: Path
    barcode_mismatches: tuple[int, int] = (1, 1)
    include_non_pf: bool = False
    ignore_adapters: bool = False
    allow_index_collisions: bool = False
    ignore: frozenset[str] = frozenset()
    waived_rules: frozenset[str] = frozenset()
    threads: int = 1
    key: str = ""
    options: Options = Options()
    index2: str | None = None
    index_sets: tuple[Path, ...] = ()


MERGED = 0
"""In the place of a lane: the file holds those of all lanes."""


@dataclass(frozen=True, slots=True)
class FastqFile:
    """A file written; `path` is relative to out_dir, the digests are of its bytes.

    `lane` is MERGED where lanes are not split. `read` counts template reads and, where `is_index`,
    index reads from 1.
    """

    path: str
    sample_id: str
    lane: int
    read: int
    reads: int
    size: int
    md5: str
    blake3: str
    is_index: bool = False


@dataclass(frozen=True, slots=True)
class SampleReads:
    """How many read pairs (or single reads) a sample has on a lane."""

    sample_id: str
    lane: int
    reads: int


@dataclass(frozen=True, slots=True)
class ConversionResult:
    """What was written.

    `samples` has every sample of each lane in sheet order, then UNDETERMINED; `clusters` counts
    all clusters, `clusters_pf` those that passed the filter; `warnings` are for people to read.
    `image` is that of the container that the converter ran in, if any.
    """

    converter: str
    version: str
    clusters: int
    clusters_pf: int
    samples: tuple[SampleReads, ...]
    files: tuple[FastqFile, ...]
    stats_path: str
    warnings: tuple[str, ...]
    image: str = ""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a conversion would write: samples by lane, and files relative to out_dir."""

    samples: tuple[tuple[str, int], ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...]


class Converter(Protocol):
    """Turns base calls into FASTQ files."""

    @property
    def name(self) -> str:
        """Under which it is found."""
        ...

    @property
    def version(self) -> str:
        """Of the program that converts."""
        ...

    @property
    def unit(self) -> str:
        """What its progress counts: tiles or files."""
        ...

    def announce(self, request: ConversionRequest) -> Announcement:
        """What `convert` would write; out_dir is neither looked at nor touched.

        Raises:
            ArterioleError: with the code with which `convert` would refuse.
        """
        ...

    def convert(self, request: ConversionRequest, progress: Progress) -> ConversionResult:
        """Convert a run.

        Raises:
            ConversionError: whatever lies in out_dir then is not to be used.
        """
        ...

    def end_earlier(self, key: str) -> None:
        """End what conversions with this key have left running outside of their processes.

        Raises:
            ArterioleError: it cannot be seen whether something runs.
        """
        ...
