"""The clusters of a tile: drawn, not found; what each was drawn from is the truth."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from arteriole.simulator import genome, mutations
from arteriole.simulator.indexes import MOST_ERRORS, Pair, strangers
from arteriole.simulator.places import Places, places_for
from arteriole.simulator.plan import PlanError, RunPlan
from arteriole.simulator.tiles import (
    LETTERS,
    NO_CALL,
    NO_CALL_QUALITY,
    PHIX,
    UNKNOWN,
    Codes,
    Flags,
    Samples,
    Tile,
    packed,
)

_CHUNK = 1 << 16
"""Clusters drawn at a time: bounds the memory."""

_LEVELS = 4096
_UNIT = 1 << 16
_COMPLEMENT = np.array([3, 2, 1, 0, NO_CALL], dtype=np.uint8)

Errors = npt.NDArray[np.uint8]


class Library:
    """What is loaded on the flow cell; draws its tiles, each from the seed, lane and number."""

    def __init__(self, plan: RunPlan) -> None:
        self.plan = plan
        self.genome = genome.of_plan(plan)
        self.variants = mutations.of_plan(plan, self.genome)
        own = [mutations.mutated(self.genome, variants) for variants in self.variants if variants]
        genomes = [self.genome, genome.phix_of_plan(plan), *own]
        self.fragments = genome.Fragments(genomes, has_ends=plan.variants > 0)
        self.index_codes = np.array([_codes(s.index) for s in plan.samples], dtype=np.uint8)
        self.stranger_codes = self._strangers()
        self.quality_table = _quality_table(plan)
        self.error_chance = _error_chances()

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
        rng = np.random.default_rng([self.plan.seed, 4])
        return places_for(self.plan.instrument.locations, self.plan.clusters, rng)

    @cached_property
    def empty_tiles(self) -> frozenset[tuple[int, int]]:
        """Tiles without a cluster, drawn from the seed."""
        tiles = self.plan.all_tiles
        rng = np.random.default_rng([self.plan.seed, 8])
        chosen = rng.choice(len(tiles), size=self.plan.empty_tiles, replace=False)
        return frozenset(tiles[place] for place in chosen)

    def tile(self, lane: int, number: int) -> Tile:
        """Draw one tile; its memory is a byte a cluster and cycle, and a bounded rest."""
        rng = np.random.default_rng([self.plan.seed, 5, lane, number])
        places = self._places(lane, number, rng)
        starts = range(0, places.size, _CHUNK)
        calls = np.empty((self.plan.cycles, places.size), dtype=np.uint8)
        chunks = []
        for start in starts:
            end = min(start + _CHUNK, places.size)
            chunks.append(self._draw(lane, calls[:, start:end], rng))
        none = (
            np.zeros(0, dtype=bool),
            np.zeros(0, dtype=np.int16),
            np.zeros((0, len(self.plan.index_lengths)), dtype=np.uint8),
            np.zeros((0, sum(self.plan.index_lengths)), dtype=np.uint8),
        )
        passed, sample, errors, true_index = (
            np.concatenate(parts) for parts in zip(none, *chunks, strict=True)
        )
        return Tile(lane, number, places, passed, sample, errors, LETTERS[true_index], calls)

    def _places(self, lane: int, number: int, rng: np.random.Generator) -> Places:
        locations = self.plan.instrument.locations
        if (lane, number) in self.empty_tiles:
            return places_for(locations, 0, rng)
        if self.plan.instrument.shared_locations:
            return self.shared_places
        spread = self.plan.clusters // 20
        count = self.plan.clusters + int(rng.integers(-spread, spread + 1))
        return places_for(locations, count, rng)

    def _draw(
        self, lane: int, calls: Codes, rng: np.random.Generator
    ) -> tuple[Flags, Samples, Errors, Codes]:
        """Fill `calls` (cycles, clusters); return passed, sample, errors and true index."""
        count = calls.shape[1]
        sample = self._samples(lane, count, rng)
        passed: Flags = np.asarray(rng.random(count) >= self.plan.failing)
        qualities = self._qualities(passed, rng)
        true_index = self._true_index(sample, rng)
        codes = np.empty((count, self.plan.cycles), dtype=np.uint8)
        self._fill_templates(codes, sample, qualities, rng)
        errors = self._fill_indexes(codes, true_index, sample, rng)
        qualities[codes == NO_CALL] = NO_CALL_QUALITY
        calls[:] = packed(codes, qualities).T
        return passed, sample, errors, true_index

    def _samples(self, lane: int, count: int, rng: np.random.Generator) -> Samples:
        present = [place for place, s in enumerate(self.plan.samples) if s.lies_in(lane)]
        sample = rng.choice(np.array(present, dtype=np.int16), size=count)
        lot = rng.random(count)
        sample[lot < self.plan.unknown + self.plan.phix] = PHIX
        sample[lot < self.plan.unknown] = UNKNOWN
        return sample

    def _qualities(self, passed: Flags, rng: np.random.Generator) -> Codes:
        """One a cluster and cycle, from the table of its cycle."""
        cycles = self.plan.cycles
        lot = rng.integers(0, _LEVELS, (passed.size, cycles), dtype=np.uint16)
        rows = np.arange(cycles, dtype=np.int32) + cycles * (~passed[:, None]).astype(np.int32)
        found: Codes = self.quality_table.ravel()[rows * np.int32(_LEVELS) + lot]
        return found

    def _true_index(self, sample: Samples, rng: np.random.Generator) -> Codes:
        strange = self.stranger_codes[rng.integers(0, len(self.stranger_codes), sample.size)]
        return np.where((sample < 0)[:, None], strange, self.index_codes[np.maximum(sample, 0)])

    def _origins(self, sample: Samples) -> npt.NDArray[np.int64]:
        """The genome of each cluster: the reference, PhiX, or where there are variants its own."""
        origin = (sample == PHIX).astype(np.int64)
        return np.where(sample >= 0, sample + 2, origin) if self.plan.variants else origin

    def _fill_templates(
        self, codes: Codes, sample: Samples, qualities: Codes, rng: np.random.Generator
    ) -> None:
        """Read fragments, with errors as often as the qualities say, and no-calls."""
        spans = self.plan.spans_of(is_index=False)
        lengths = tuple(end - start for start, end in spans)
        no_call = np.uint32(round(self.plan.no_call * _UNIT))
        reads = self.fragments.reads(self._origins(sample), lengths, rng)
        for (start, end), read in zip(spans, reads, strict=True):
            lot = rng.integers(0, _UNIT, read.shape, dtype=np.uint16)
            wrong = lot < no_call + self.error_chance[qualities[:, start:end]]
            read[wrong] = (read[wrong] + rng.integers(1, 4, int(wrong.sum()))) % 4
            read[lot < no_call] = NO_CALL
            codes[:, start:end] = read

    def _fill_indexes(
        self, codes: Codes, true_index: Codes, sample: Samples, rng: np.random.Generator
    ) -> Errors:
        """Read the indexes with the planned errors; return how many each index got.

        NB: a stranger's index is read without error, so that it stays a stranger's.
        """
        indexes = [read for read in self.plan.reads if read.is_index]
        spans = self.plan.spans_of(is_index=True)
        errors = np.zeros((sample.size, len(spans)), dtype=np.uint8)
        at = 0
        for column, (plan, (start, end)) in enumerate(zip(indexes, spans, strict=True)):
            lot = rng.random(sample.size)
            ruined = lot < self.plan.index_ruin
            single = ~ruined & (lot < self.plan.index_ruin + self.plan.index_error)
            errors[single, column] = 1
            errors[ruined, column] = rng.integers(2, MOST_ERRORS + 1, int(ruined.sum()))
            errors[sample < 0, column] = 0
            read = true_index[:, at : at + plan.cycles].copy()
            self._spoil(read, errors[:, column], rng)
            codes[:, start:end] = _COMPLEMENT[read[:, ::-1]] if plan.is_reverse_complement else read
            at += plan.cycles
        return errors

    def _spoil(self, read: Codes, errors: Errors, rng: np.random.Generator) -> None:
        """Put exactly `errors` errors into each row of `read`, at different cycles."""
        rows = np.flatnonzero(errors)
        cycles = rng.random((rows.size, read.shape[1])).argsort(axis=1)[:, :MOST_ERRORS]
        others = rng.integers(1, 4, cycles.shape, dtype=np.uint8)
        no_calls = rng.random(cycles.shape) < self.plan.index_no_call
        for place in range(MOST_ERRORS):
            spoilt = errors[rows] > place
            row, cycle = rows[spoilt], cycles[spoilt, place]
            other = (read[row, cycle] + others[spoilt, place]) % 4
            read[row, cycle] = np.where(no_calls[spoilt, place], NO_CALL, other)


def _quality_table(plan: RunPlan) -> Codes:
    """Quality of each cycle and level of chance (2, cycles, levels); the first for those that pass.

    Qualities fall towards the end of a read, and are worse where the filter failed.
    """
    values = np.array(plan.instrument.qualities, dtype=np.uint8)
    weights = np.array(plan.instrument.quality_weights)
    steps = np.cumsum(weights / weights.sum())
    exponents = np.concatenate([np.linspace(1.0, 1.2, end - start) for start, end in plan.spans])
    chance = (np.arange(_LEVELS) + 0.5) / _LEVELS
    lots = chance[None, :] ** np.stack((exponents, 2 * exponents)).reshape(-1, 1)
    found: Codes = values[np.minimum(np.searchsorted(steps, lots), values.size - 1)]
    return found.reshape(2, plan.cycles, _LEVELS)


def _error_chances() -> npt.NDArray[np.uint32]:
    """By quality, in 1/65536: 10^(-Q/10)."""
    return np.round(_UNIT * 10 ** (-np.arange(64) / 10)).astype(np.uint32)


def _codes(pair: Pair) -> list[int]:
    return ["ACGT".index(letter) for letter in "".join(pair)]
