"""The plan of a simulated run: everything that decides what the sequencer will write."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import combinations
from pathlib import Path

from arteriole.app.errors import ArterioleError
from arteriole.app.names import is_identifier
from arteriole.simulator.indexes import FAR, Pair, pair_distance
from arteriole.simulator.instruments import BaseCalls, Instrument, Kind, NonPf
from arteriole.simulator.kinds import INSTRUMENTS

_RUN_NAME = re.compile(
    r"(\d{6}|\d{8})_([A-Za-z0-9-]{1,20})_(\d{1,6})_([A-Za-z0-9-]{5,30})", re.ASCII
)
_SEQUENCE = re.compile(r"[ACGT]*", re.ASCII)
_FILTER_CYCLE = 25  # as in RTAConfiguration.xml of a HiSeq X: FilterAndAlignCycle
GENOME_LENGTH = 20_000
SHORTEST_GENOME = 900
"""Twice the longest fragment."""
_LONGEST_GENOME = 10_000_000
_FRACTIONS = ("failing", "index_error", "index_ruin", "index_no_call", "unknown", "phix", "no_call")


class PlanError(ArterioleError):
    """The plan of the simulated run cannot be carried out."""

    code = "simulator.plan"
    status = 400


@dataclass(frozen=True)
class ReadPlan:
    """One read of the run, as RunInfo.xml tells it.

    Attributes:
        is_reverse_complement: an index that the instrument reads as the reverse complement of
            what the sheet has.
    """

    cycles: int
    is_index: bool = False
    is_reverse_complement: bool = False


@dataclass(frozen=True)
class Sample:
    """One library; `lanes` is empty for one that lies in every lane.

    Attributes:
        i7, i5: as the sheet has them; i5 may be empty. The instrument reads them so too, but
            for an index whose read is a reverse complement.
    """

    id: str
    name: str
    project: str
    i7: str
    i5: str = ""
    lanes: tuple[int, ...] = ()

    @property
    def index(self) -> Pair:
        return self.i7, self.i5

    def lies_in(self, lane: int) -> bool:
        return not self.lanes or lane in self.lanes


@dataclass(frozen=True)
class RunPlan:
    """A run, checked when it is made (PlanError).

    Attributes:
        run: `YYMMDD_INSTRUMENT_NNNN_[AB]FLOWCELL`; a MiSeq's and a NextSeq 2000's have no
            position, and newer instruments write the year with four digits.
        tiles: tiles a swath (and camera, where there are cameras). clusters: clusters a tile.
        empty_tiles: tiles without a cluster; RunInfo.xml lists them all the same.
        non_pf: what a CBCL has of clusters that do not pass; None is what the instrument does.
        failing: fraction of clusters that do not pass the filter.
        index_error: chance that an index carries one error.
        index_ruin: chance that an index carries two or three, which loses the cluster.
        index_no_call: fraction of those errors that are no-calls, not other bases.
        unknown: fraction of clusters whose index belongs to nobody. phix: fraction of PhiX.
        no_call: chance that a base of a template read is not called.
        genome: FASTA whose longest sequence is read; None for one drawn from the seed.
        genome_length: bases of a genome that is drawn.
        variants: how many each sample's genome has beside the reference; see `mutations`.
        clock_shift: seconds by which the instrument's clock is wrong.
    """

    run: str
    kind: Kind
    samples: tuple[Sample, ...]
    reads: tuple[ReadPlan, ...]
    lanes: int = 2
    surfaces: int = 2
    swaths: int = 2
    tiles: int = 1
    clusters: int = 500
    seed: int = 1
    failing: float = 0.15
    index_error: float = 0.06
    index_ruin: float = 0.01
    index_no_call: float = 0.2
    unknown: float = 0.03
    phix: float = 0.02
    no_call: float = 0.003
    genome: Path | None = None
    genome_length: int = GENOME_LENGTH
    variants: int = 0
    empty_tiles: int = 0
    non_pf: NonPf | None = None
    clock_shift: float = 0.0

    def __post_init__(self) -> None:
        for check in (
            _check_name,
            _check_layout,
            _check_genome,
            _check_reads,
            _check_samples,
            _check_apart,
        ):
            check(self)

    @property
    def instrument(self) -> Instrument:
        return INSTRUMENTS[self.kind]

    @cached_property
    def name_parts(self) -> tuple[str, str, int, str, str]:
        """Date, instrument, run number, position ("" where there is none), flow cell."""
        date, instrument, number, rest = self.run.split("_")
        split = 1 if self.instrument.positions else 0
        return date, instrument, int(number), rest[:split], rest[split:]

    @property
    def instrument_name(self) -> str:
        return self.name_parts[1]

    @property
    def number(self) -> int:
        return self.name_parts[2]

    @property
    def flowcell(self) -> str:
        return self.name_parts[4]

    @property
    def cycles(self) -> int:
        return sum(read.cycles for read in self.reads)

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """First cycle and the cycle after the last of each read, counted from 0."""
        ends = [sum(read.cycles for read in self.reads[: n + 1]) for n in range(len(self.reads))]
        return tuple((end - read.cycles, end) for end, read in zip(ends, self.reads, strict=True))

    def spans_of(self, *, is_index: bool) -> tuple[tuple[int, int], ...]:
        pairs = zip(self.reads, self.spans, strict=True)
        return tuple(span for read, span in pairs if read.is_index is is_index)

    @property
    def index_lengths(self) -> tuple[int, ...]:
        return tuple(read.cycles for read in self.reads if read.is_index)

    @property
    def filter_cycle(self) -> int:
        """The cycle (from 1) after which it is known which clusters pass the filter."""
        return min(_FILTER_CYCLE, self.spans[0][1])

    def tile_numbers(self, lane: int) -> tuple[int, ...]:
        """Surface, swath, camera (where there are cameras), tile (two digits); ascending."""
        instrument = self.instrument
        first = (lane - 1) // instrument.lanes_per_section * instrument.cameras + 1
        cameras = [str(camera) for camera in range(first, first + instrument.cameras)] or [""]
        return tuple(
            int(f"{surface}{swath}{camera}{tile:02d}")
            for surface in range(1, self.surfaces + 1)
            for swath in range(1, self.swaths + 1)
            for camera in cameras
            for tile in range(1, self.tiles + 1)
        )

    @property
    def all_tiles(self) -> tuple[tuple[int, int], ...]:
        """Every (lane, tile), ascending."""
        lanes = range(1, self.lanes + 1)
        return tuple((lane, number) for lane in lanes for number in self.tile_numbers(lane))

    def leaves_out_failing(self, cycle: int) -> bool:
        """Whether the base calls of `cycle` are only those of clusters that pass the filter."""
        rule = self.non_pf or self.instrument.non_pf
        late = cycle > self.filter_cycle
        return rule is NonPf.EXCLUDED or (rule is NonPf.FROM_FILTER_CYCLE and late)


def day_of(text: str) -> datetime:
    """The day of a run's name, YYMMDD or YYYYMMDD. Raises ValueError."""
    return datetime.strptime(text, "%Y%m%d" if len(text) == 8 else "%y%m%d").replace(tzinfo=UTC)


def _check_name(plan: RunPlan) -> None:
    found = _RUN_NAME.fullmatch(plan.run)
    positions = plan.instrument.positions
    if not found or (positions and found[4][0] not in positions):
        form = "YYMMDD_INSTRUMENT_NNNN_" + ("[AB]FLOWCELL" if positions else "FLOWCELL")
        raise PlanError(
            f"a {plan.kind.value}'s run is named {form}; found {plan.run!r}", field="run"
        )
    try:
        day_of(found[1])
    except ValueError as err:
        raise PlanError(f"{found[1]!r} in run name {plan.run!r} is no date", field="run") from err


def _check_layout(plan: RunPlan) -> None:
    for field in ("lanes", "surfaces", "swaths", "tiles"):
        value, most = getattr(plan, field), getattr(plan.instrument, field)
        if not 1 <= value <= most:
            raise PlanError(
                f"a {plan.kind.value} has 1 to {most} {field}; found {value}", field=field
            )
    if not 1 <= plan.clusters <= 5_000_000:
        raise PlanError(f"clusters a tile: 1 to 5000000; found {plan.clusters}", field="clusters")
    if not 0 <= plan.empty_tiles < len(plan.all_tiles):
        raise PlanError(
            f"empty tiles: 0 to {len(plan.all_tiles) - 1} of this run; found {plan.empty_tiles}",
            field="empty_tiles",
        )
    if plan.non_pf not in (None, NonPf.KEPT) and plan.instrument.base_calls is not BaseCalls.CBCL:
        raise PlanError(f"a {plan.kind.value} writes every cluster's base calls", field="non_pf")
    if plan.seed < 0:
        raise PlanError(f"the seed is 0 or more; found {plan.seed}", field="seed")
    for field in _FRACTIONS:
        if not 0 <= (value := getattr(plan, field)) <= 1:
            raise PlanError(f"{field} is a fraction, 0 to 1; found {value}", field=field)
    for total in ("index_error", "index_ruin"), ("unknown", "phix"):
        if sum(getattr(plan, field) for field in total) > 1:
            raise PlanError(f"{' and '.join(total)} are more than 1 together", field=total[0])


def _check_genome(plan: RunPlan) -> None:
    if not SHORTEST_GENOME <= plan.genome_length <= _LONGEST_GENOME:
        raise PlanError(
            f"a genome has {SHORTEST_GENOME} to {_LONGEST_GENOME} bases; found"
            f" {plan.genome_length}",
            field="genome_length",
        )
    if plan.genome is not None and plan.genome_length != GENOME_LENGTH:
        raise PlanError("the genome of a FASTA has a length of its own", field="genome_length")
    if plan.variants < 0:
        raise PlanError(f"a sample has 0 variants or more; found {plan.variants}", field="variants")


def _check_reads(plan: RunPlan) -> None:
    shape = "".join("I" if read.is_index else "T" for read in plan.reads)
    if shape not in ("TI", "TIT", "TII", "TIIT"):
        raise PlanError(
            f"reads are template (T) and index (I) as TI, TIT, TII or TIIT; found {shape!r}",
            hint="runs without an index are not simulated",
            field="reads",
        )
    for read in plan.reads:
        low, high = (FAR, 24) if read.is_index else (1, 300)
        if not low <= read.cycles <= high:
            kind = "an index" if read.is_index else "a template"
            raise PlanError(f"{kind} read has {low} to {high} cycles; found {read.cycles}")
        can_tell = read.is_index and plan.instrument.reverse_complement
        if read.is_reverse_complement and not can_tell:
            raise PlanError(f"a {plan.kind.value} does not tell of a reverse complement")


def _check_samples(plan: RunPlan) -> None:
    if not plan.samples:
        raise PlanError("a run needs at least one sample", field="samples")
    for sample in plan.samples:
        _check_sample(plan, sample)
    ids = [sample.id for sample in plan.samples]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise PlanError(f"sample ids must differ; found twice: {', '.join(twice)}", field="samples")
    for lane in range(1, plan.lanes + 1):
        if not any(sample.lies_in(lane) for sample in plan.samples):
            raise PlanError(f"lane {lane} has no sample", field="samples")


def _check_sample(plan: RunPlan, sample: Sample) -> None:
    for value in (sample.id, sample.name or sample.id, sample.project or sample.id):
        if not is_identifier(value):
            raise PlanError(
                f"sample ids, names and projects are of A-Z a-z 0-9 . _ -; found {value[:60]!r}",
                field="samples",
            )
    if any(not 1 <= lane <= plan.lanes for lane in sample.lanes):
        raise PlanError(
            f"sample {sample.id}: lanes are 1 to {plan.lanes}; found {sample.lanes}",
            field="samples",
        )
    expected = (*plan.index_lengths, 0)[:2]
    if tuple(map(len, sample.index)) != expected or not all(map(_SEQUENCE.fullmatch, sample.index)):
        raise PlanError(
            f"sample {sample.id}: expected an i7 and i5 of {expected[0]} and {expected[1]} bases"
            f" (ACGT), as long as the index reads; found {sample.i7!r} and {sample.i5!r}",
            field="samples",
        )


def _check_apart(plan: RunPlan) -> None:
    for one, other in combinations(plan.samples, 2):
        together = any(one.lies_in(n) and other.lies_in(n) for n in range(1, plan.lanes + 1))
        if together and (apart := pair_distance(one.index, other.index)) < FAR:
            raise PlanError(
                f"samples {one.id} and {other.id} share a lane, and their indexes differ by only"
                f" {apart} bases; {FAR} are needed to know by construction where a read belongs",
                field="samples",
            )
