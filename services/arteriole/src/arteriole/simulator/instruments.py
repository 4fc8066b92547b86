"""The kinds of instrument that can be simulated, and how their run folders differ."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """Names as `arteriole simulate --kind` takes them."""

    HISEQ4000 = "hiseq4000"
    HISEQ2500 = "hiseq2500"
    MISEQ = "miseq"


class Generation(Enum):
    """Real-Time Analysis writes different files from one generation to the next."""

    RTA1 = "1.18"
    RTA2 = "2.7"


@dataclass(frozen=True)
class Instrument:
    """What one kind of instrument writes.

    Attributes:
        lanes, surfaces, swaths, tiles: the largest flow cell; tiles are those of one swath.
        positions: flow cell positions that lead the flow cell's name in the run's; "" has none.
        compressed: `.bcl.gz` rather than `.bcl`.
        shared_locations: one `s.locs` (patterned flow cell) rather than one `.locs` a tile.
        qualities: the values a called base may have, ascending.
        quality_weights: how often each is seen in the middle of a read.
        q_metrics: version of QMetrics: 4 counts all 50 values, 5 and 6 explicit bins.
        tile_area: mm2, for cluster densities.
    """

    kind: Kind
    generation: Generation
    lanes: int
    surfaces: int
    swaths: int
    tiles: int
    positions: str
    compressed: bool
    shared_locations: bool
    qualities: tuple[int, ...]
    quality_weights: tuple[float, ...]
    q_metrics: int
    run_info_version: int
    tile_set: bool
    parameters_file: str
    application_version: str
    rta_version: str
    tile_area: float

    @property
    def bcl_suffix(self) -> str:
        return ".bcl.gz" if self.compressed else ".bcl"


INSTRUMENTS: dict[Kind, Instrument] = {
    Kind.HISEQ4000: Instrument(
        kind=Kind.HISEQ4000,
        generation=Generation.RTA2,
        lanes=8,
        surfaces=2,
        swaths=2,
        tiles=28,
        positions="AB",
        compressed=True,
        shared_locations=True,
        qualities=(2, 12, 22, 27, 32, 37, 41),
        quality_weights=(0.002, 0.015, 0.03, 0.04, 0.08, 0.22, 0.613),
        q_metrics=6,
        run_info_version=3,
        tile_set=True,
        parameters_file="runParameters.xml",
        application_version="HD 3.4.0.38",
        rta_version="2.7.7",
        tile_area=2.2,
    ),
    Kind.HISEQ2500: Instrument(
        kind=Kind.HISEQ2500,
        generation=Generation.RTA1,
        lanes=8,
        surfaces=2,
        swaths=3,
        tiles=16,
        positions="AB",
        compressed=True,
        shared_locations=False,
        qualities=(2, 12, 22, 27, 33, 37, 40),
        quality_weights=(0.003, 0.02, 0.04, 0.05, 0.1, 0.27, 0.517),
        q_metrics=5,
        run_info_version=2,
        tile_set=False,
        parameters_file="runParameters.xml",
        application_version="2.2.68",
        rta_version="1.18.66.3",
        tile_area=2.8,
    ),
    Kind.MISEQ: Instrument(
        kind=Kind.MISEQ,
        generation=Generation.RTA1,
        lanes=1,
        surfaces=2,
        swaths=1,
        tiles=19,
        positions="",
        compressed=False,
        shared_locations=False,
        qualities=(2, 8, *range(10, 39)),
        quality_weights=(0.002, 0.005, *(0.01 + 0.002 * step for step in range(29))),
        q_metrics=4,
        run_info_version=2,
        tile_set=False,
        parameters_file="RunParameters.xml",
        application_version="2.6.2.1",
        rta_version="1.18.54",
        tile_area=0.93,
    ),
}
