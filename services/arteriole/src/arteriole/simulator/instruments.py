"""What can differ between the instruments that can be simulated; `kinds` has the table."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """Names as `arteriole simulate --kind` takes them."""

    HISEQ4000 = "hiseq4000"
    HISEQ2500 = "hiseq2500"
    MISEQ = "miseq"
    NEXTSEQ500 = "nextseq500"
    NOVASEQ6000 = "novaseq6000"
    NEXTSEQ2000 = "nextseq2000"
    NOVASEQX = "novaseqx"


class Generation(Enum):
    """Real-Time Analysis writes different files from one generation to the next."""

    RTA1 = "1.18"
    RTA2 = "2"
    RTA3 = "3"
    RTA4 = "4"


class BaseCalls(Enum):
    """How base calls lie on disk."""

    BCL = ".bcl"
    """A file a tile and cycle."""
    BCL_GZ = ".bcl.gz"
    BGZF = ".bcl.bgzf"
    """A file a lane and cycle, with an index of its tiles."""
    CBCL = ".cbcl"
    """A file a lane, surface and cycle, two clusters a byte."""


class Positions(Enum):
    """Where it stands where the clusters lie."""

    SHARED = "s.locs"
    """One file for all tiles: the wells of a patterned flow cell."""
    TILE = ".locs"
    TILE_CLOCS = ".clocs"
    LANE = "s_<lane>.locs"


class NonPf(Enum):
    """What a CBCL has of the clusters that do not pass the filter."""

    KEPT = "kept"
    EXCLUDED = "excluded"
    FROM_FILTER_CYCLE = "from-filter-cycle"
    """Kept up to the cycle at which it is known which pass, left out from then on."""


class Dates(Enum):
    """How RunInfo.xml writes the day of the run."""

    SHORT = "260114"
    AMERICAN = "1/14/2026 10:00:00 AM"
    ISO = "2026-01-14T10:00:00Z"


class Completion(Enum):
    """What RunCompletionStatus.xml looks like, where there is one."""

    NONE = "none"
    COMPLETION_STATUS = "CompletionStatus"
    RUN_STATUS = "RunStatus"


@dataclass(frozen=True)
class Instrument:
    """What one kind of instrument writes.

    Attributes:
        lanes, surfaces, swaths, tiles: the largest flow cell; tiles are those of one swath and,
            where there are cameras, of one camera.
        cameras: of a lane; 0 where tile numbers name none. lanes_per_section: lanes that share
            a set of cameras.
        positions: flow cell positions that lead the flow cell's name in the run's; "" has none.
        qualities: the values a called base may have, ascending.
        quality_weights: how often each is seen in the middle of a read.
        tile_metrics, extraction_metrics, q_metrics: versions of InterOp; QMetrics 4 counts all
            50 values, later ones explicit bins.
        run_info_dialect: "xsd" names XML Schema in the root, "plain" does not.
        tile_set: RunInfo.xml lists the tiles, from the given surface on.
        image, channels: ImageDimensions and ImageChannels of RunInfo.xml.
        reverse_complement: RunInfo.xml says of each read whether it is one; the i5 is.
        tile_area: mm2, for cluster densities.
    """

    kind: Kind
    generation: Generation
    lanes: int
    surfaces: int
    swaths: int
    tiles: int
    positions: str
    base_calls: BaseCalls
    locations: Positions
    qualities: tuple[int, ...]
    quality_weights: tuple[float, ...]
    run_info_version: int
    parameters_file: str
    application: str
    application_version: str
    rta_version: str
    tile_area: float
    q_metrics: int
    tile_metrics: int = 2
    extraction_metrics: int = 2
    cameras: int = 0
    lanes_per_section: int = 1
    first_surface: int = 0
    run_info_dialect: str = "xsd"
    image: tuple[int, int] | None = None
    channels: tuple[str, ...] = ()
    dates: Dates = Dates.SHORT
    reverse_complement: bool = False
    completion: Completion = Completion.NONE
    non_pf: NonPf = NonPf.KEPT

    @property
    def shared_locations(self) -> bool:
        return self.locations is Positions.SHARED

    @property
    def q_bins(self) -> tuple[int, ...]:
        """The bins of QMetrics: a no-call has quality 2 everywhere."""
        return tuple(sorted({2, *self.qualities}))
