"""The clusters of a tile: drawn, not found; what each was drawn from is the truth."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from arteriole.simulator import genome
from arteriole.simulator.genome import Codes
from arteriole.simulator.indexes import MOST_ERRORS, Pair, strangers
from arteriole.simulator.plan import PlanError, RunPlan

UNKNOWN = -1
PHIX = -2
NO_CALL_QUALITY = 2
LETTERS = np.frombuffer(b"ACGTN", dtype=np.uint8)
_NO_CALL = 4
_WIDTH, _HEIGHT = 28_000, 48_000
_EDGE = 1000

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Letters = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Places:
    """Where clusters lie: the coordinates of a FASTQ header, and what `.locs` has for them.

    NB: each is drawn as the header's integer; `.locs` gets a number that lies well within the
    range that floor(10 x + 1000.5) maps to it, in single and in double precision.
    """

    column: Numbers
    row: Numbers
    x: Floats
    y: Floats


@dataclass(frozen=True, eq=False)
class Tile:
    """All clusters of one tile, in the order in which they are written.

    Attributes:
        sample: place of the sample in the plan each was drawn from, or UNKNOWN, or PHIX.
        errors: errors put into each index (clusters, index reads).
        true_index: letters of the index reads before those errors.
        bases: letters as called (clusters, cycles), N for a no-call. qualities: likewise.
    """

    lane: int
    number: int
    places: Places
    passed: npt.NDArray[np.bool_]
    sample: npt.NDArray[np.int16]
    errors: npt.NDArray[np.uint8]
    true_index: Letters
    bases: Letters
    qualities: npt.NDArray[np.uint8]

    @property
    def size(self) -> int:
        return int(self.passed.size)

    @property
    def belongs(self) -> npt.NDArray[np.int16]:
        """The sample each belongs to after demultiplexing, or UNKNOWN.

        At most one error in each index is allowed; the plan keeps samples so far apart that
        nothing within that reach of one sample is within reach of another.
        """
        lost = (self.sample < 0) | (self.errors > 1).any(axis=1)
        return np.where(lost, UNKNOWN, self.sample).astype(np.int16)


def drawn_places(count: int, rng: np.random.Generator) -> Places:
    """`count` different places, row after row."""
    cells = np.sort(rng.choice(_WIDTH * _HEIGHT, size=count, replace=False))
    row, column = np.divmod(cells, _WIDTH)
    x, y = (
        ((whole + rng.uniform(-0.4, 0.4, count)) / 10).astype(np.float32) for whole in (column, row)
    )
    return Places(column + _EDGE, row + _EDGE, x, y)


class Library:
    """What is loaded on the flow cell; draws its tiles, each from the seed, lane and number."""

    def __init__(self, plan: RunPlan) -> None:
        self.plan = plan
        self.genome = genome.of_plan(plan)
        self.phix = genome.phix_of_plan(plan)
        self.index_codes = np.array([_codes(s.index) for s in plan.samples], dtype=np.uint8)
        self.stranger_codes = self._strangers()

    def _strangers(self) -> Codes:
        known = [sample.index for sample in self.plan.samples]
        rng = np.random.default_rng([self.plan.seed, 3])
        found = strangers(8, known, self.plan.index_lengths, rng)
        if not found:
            raise PlanError("the samples leave no room for an unknown index", field="samples")
        return np.array([_codes(pair) for pair in found], dtype=np.uint8)

    @cached_property
    def shared_places(self) -> Places:
        """The wells of a patterned flow cell."""
        return drawn_places(self.plan.clusters, np.random.default_rng([self.plan.seed, 4]))

    def tile(self, lane: int, number: int) -> Tile:
        rng = np.random.default_rng([self.plan.seed, 5, lane, number])
        places = self._places(rng)
        count = places.column.size
        sample = self._samples(lane, count, rng)
        passed = rng.random(count) >= self.plan.failing
        qualities = self._qualities(passed, rng)
        true_index = self._true_index(sample, rng)
        codes = np.empty((count, self.plan.cycles), dtype=np.uint8)
        self._fill_templates(codes, sample, qualities, rng)
        errors = self._fill_indexes(codes, true_index, sample, rng)
        qualities[codes == _NO_CALL] = NO_CALL_QUALITY
        return Tile(
            lane, number, places, passed, sample, errors,
            LETTERS[true_index], LETTERS[codes], qualities,
        )  # fmt: skip

    def _places(self, rng: np.random.Generator) -> Places:
        if self.plan.instrument.shared_locations:
            return self.shared_places
        spread = self.plan.clusters // 20
        return drawn_places(self.plan.clusters + int(rng.integers(-spread, spread + 1)), rng)

    def _samples(self, lane: int, count: int, rng: np.random.Generator) -> npt.NDArray[np.int16]:
        present = [place for place, s in enumerate(self.plan.samples) if s.lies_in(lane)]
        sample = rng.choice(np.array(present, dtype=np.int16), size=count)
        lot = rng.random(count)
        sample[lot < self.plan.unknown + self.plan.phix] = PHIX
        sample[lot < self.plan.unknown] = UNKNOWN
        return sample

    def _qualities(
        self, passed: npt.NDArray[np.bool_], rng: np.random.Generator
    ) -> npt.NDArray[np.uint8]:
        """Qualities fall towards the end of a read, and are worse where the filter failed."""
        values = np.array(self.plan.instrument.qualities, dtype=np.uint8)
        weights = np.array(self.plan.instrument.quality_weights)
        steps = np.cumsum(weights / weights.sum())
        lot = rng.random((passed.size, self.plan.cycles), dtype=np.float32)
        for start, end in self.plan.spans:
            lot[:, start:end] **= np.linspace(1.0, 1.2, end - start, dtype=np.float32)
        lot[~passed] **= 2
        return values[np.minimum(np.searchsorted(steps, lot), values.size - 1)]

    def _true_index(self, sample: npt.NDArray[np.int16], rng: np.random.Generator) -> Codes:
        strange = self.stranger_codes[rng.integers(0, len(self.stranger_codes), sample.size)]
        return np.where((sample < 0)[:, None], strange, self.index_codes[np.maximum(sample, 0)])

    def _fill_templates(
        self,
        codes: Codes,
        sample: npt.NDArray[np.int16],
        qualities: npt.NDArray[np.uint8],
        rng: np.random.Generator,
    ) -> None:
        """Read fragments, with errors as often as the qualities say, and no-calls."""
        spans = self.plan.spans_of(is_index=False)
        lengths = tuple(end - start for start, end in spans)
        human = genome.read_fragments(self.genome, sample.size, lengths, rng)
        control = genome.read_fragments(self.phix, sample.size, lengths, rng)
        is_control = (sample == PHIX)[:, None]
        for (start, end), ours, theirs in zip(spans, human, control, strict=True):
            read = np.where(is_control, theirs, ours)
            chance = 10 ** (-qualities[:, start:end].astype(np.float32) / 10)
            wrong = rng.random(read.shape, dtype=np.float32) < chance
            read[wrong] = (read[wrong] + rng.integers(1, 4, int(wrong.sum()))) % 4
            read[rng.random(read.shape, dtype=np.float32) < self.plan.no_call] = _NO_CALL
            codes[:, start:end] = read

    def _fill_indexes(
        self,
        codes: Codes,
        true_index: Codes,
        sample: npt.NDArray[np.int16],
        rng: np.random.Generator,
    ) -> npt.NDArray[np.uint8]:
        """Read the indexes with the planned errors; return how many each index got.

        NB: a stranger's index is read without error, so that it stays a stranger's.
        """
        spans = self.plan.spans_of(is_index=True)
        errors = np.zeros((sample.size, len(spans)), dtype=np.uint8)
        at = 0
        for column, (start, end) in enumerate(spans):
            length = end - start
            lot = rng.random(sample.size)
            ruined = lot < self.plan.index_ruin
            single = ~ruined & (lot < self.plan.index_ruin + self.plan.index_error)
            errors[single, column] = 1
            errors[ruined, column] = rng.integers(2, MOST_ERRORS + 1, int(ruined.sum()))
            errors[sample < 0, column] = 0
            read = true_index[:, at : at + length].copy()
            self._spoil(read, errors[:, column], rng)
            codes[:, start:end] = read
            at += length
        return errors

    def _spoil(self, read: Codes, errors: npt.NDArray[np.uint8], rng: np.random.Generator) -> None:
        """Put exactly `errors` errors into each row of `read`, at different cycles."""
        for row in np.flatnonzero(errors):
            cycles = rng.choice(read.shape[1], size=int(errors[row]), replace=False)
            others = (read[row, cycles] + rng.integers(1, 4, cycles.size)) % 4
            no_calls = rng.random(cycles.size) < self.plan.index_no_call
            read[row, cycles] = np.where(no_calls, _NO_CALL, others)


def _codes(pair: Pair) -> list[int]:
    return ["ACGT".index(letter) for letter in "".join(pair)]
