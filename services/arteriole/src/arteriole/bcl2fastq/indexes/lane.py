"""What a lane's observed indexes say of the samples that the sheet has there."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

import numpy as np

from arteriole.bcl2fastq.converters.builtin.demultiplex import LETTERS, Barcodes, Demultiplexer
from arteriole.illumina.observed_indexes import ObservedLane, Pair, Reading

#: Of fewer clusters nothing is said.
FEWEST = 200
#: A sample is there with so many reads, and with this part of an even share of those assigned.
FEWEST_READS = 10
FAIR = 0.1
#: A reading accounts for a lane if so many of its samples are there, if so many of its clusters
#: are theirs, and if no other reading assigns so many times as many.
MOST_SAMPLES = 0.9
LEAST_ASSIGNED = 0.02
OUTDONE = 5.0
#: An unknown pair is in force with this part of what a sample usually has.
IN_FORCE = 0.25
#: A control has too many reads with this part, and is a sample in truth with that part.
TOO_MANY, LIKE_A_SAMPLE = 0.05, 0.5

#: The codes of a Demultiplexer, by the letter.
_CODES = np.zeros(256, np.uint8)
_CODES[LETTERS] = np.arange(len(LETTERS))

#: Sample_IDs of controls without template, which should have no reads.
CONTROL = re.compile(
    r"(?:^|[_-])(?:ntc\d*|no[_-]?template|neg(?:ative)?[_-]?(?:ctrl|control)|blank\d*|h2o)(?:[_-]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Expected:
    """A sample of the sheet on a lane."""

    sample_id: str
    pair: Pair

    @property
    def is_control(self) -> bool:
        """It has no template, by its name.

        >>> Expected("NTC_MQ200", ("", "")).is_control, Expected("PRJ_NTCX", ("", "")).is_control
        (True, False)
        """
        return CONTROL.search(self.sample_id) is not None


@dataclass(frozen=True)
class Counts:
    """The reads of each sample of a lane under one reading, and those of nobody."""

    reading: Reading
    reads: tuple[int, ...]
    unknown: dict[Pair, int] = field(repr=False)

    @property
    def assigned(self) -> int:
        return sum(self.reads)


@dataclass(frozen=True)
class Lane:
    """A lane as it was read beside what the sheet says of it.

    Attributes:
        mismatches: that conversion allows in i7 and i5.
    """

    seen: ObservedLane
    samples: tuple[Expected, ...]
    mismatches: tuple[int, int]

    @property
    def number(self) -> int:
        return self.seen.lane

    @cached_property
    def true_samples(self) -> tuple[int, ...]:
        """The places of those that are no controls."""
        return tuple(n for n, sample in enumerate(self.samples) if not sample.is_control)

    @property
    def lengths(self) -> tuple[int, ...]:
        """The bases of i7, or of i7 and i5; none without an index, or with several lengths."""
        if not self.samples or self.is_mixed:
            return ()
        return tuple(len(index) for index in self.samples[0].pair if index)

    @cached_property
    def is_mixed(self) -> bool:
        """Its samples have indexes of several lengths, or some alone an i5."""
        return len({tuple(map(len, sample.pair)) for sample in self.samples}) > 1

    @property
    def not_judged(self) -> str:
        """Why nothing can be said of it; else empty."""
        if not self.samples:
            return "no sample"
        if self.is_mixed:
            return "indexes of several lengths"
        if not self.lengths:
            return "no index"
        if not self.true_samples:
            return "controls only"
        if self.seen.clusters < FEWEST:
            return "too few clusters"
        return ""

    @cached_property
    def as_written(self) -> Counts:
        return self._counts(Reading.AS_WRITTEN)

    @cached_property
    def readings(self) -> dict[Reading, Counts]:
        """Each reading that would make a difference, and its counts."""
        known: set[tuple[Pair, ...]] = set()
        found = {}
        for reading in Reading:
            pairs = tuple(reading.of(sample.pair) for sample in self.samples)
            fits = all(
                len(p[0]) == len(s.pair[0]) for p, s in zip(pairs, self.samples, strict=True)
            )
            if pairs not in known and fits:
                known.add(pairs)
                plain = reading is Reading.AS_WRITTEN
                found[reading] = self.as_written if plain else self._counts(reading)
        return found

    def there(self, counts: Counts) -> tuple[int, ...]:
        """The places of the samples, without controls, that have a fair share."""
        mine = self.true_samples
        even = sum(counts.reads[n] for n in mine) / max(1, len(mine))
        return tuple(n for n in mine if counts.reads[n] >= max(FEWEST_READS, FAIR * even))

    def missing(self, counts: Counts) -> tuple[int, ...]:
        there = set(self.there(counts))
        return tuple(n for n in self.true_samples if n not in there)

    @cached_property
    def accounting(self) -> tuple[Reading, ...]:
        """The readings that account for the lane, the one with most reads first."""
        most = max((counts.assigned for counts in self.readings.values()), default=0)
        found = [
            counts
            for counts in self.readings.values()
            if counts.assigned >= LEAST_ASSIGNED * self.seen.clusters
            and counts.assigned * OUTDONE >= most
            and len(self.there(counts)) >= MOST_SAMPLES * len(self.true_samples)
        ]
        return tuple(c.reading for c in sorted(found, key=lambda counts: -counts.assigned))

    @property
    def is_good(self) -> bool:
        """The sheet as it is accounts for the lane."""
        return Reading.AS_WRITTEN in self.accounting

    def usual(self, counts: Counts) -> float:
        """Reads that a sample usually has; without samples, what an even share would be."""
        there = self.there(counts)
        if there:
            return float(median(counts.reads[n] for n in there))
        return self.seen.clusters / max(1, len(self.true_samples))

    def in_force(self, counts: Counts) -> dict[Pair, int]:
        """The unknown pairs that have as many reads as a sample might, but for PhiX and noise."""
        least = max(FEWEST_READS, IN_FORCE * self.usual(counts))
        return {
            pair: reads
            for pair, reads in counts.unknown.items()
            if reads >= least and not is_noise(pair)
        }

    def moved(self, counts: Counts) -> dict[Pair, int]:
        """Those in force that are the i7 of one sample with the i5 of another."""
        reading = counts.reading
        turned = [reading.of(sample.pair) for sample in self.samples]
        i7, i5 = [pair[0] for pair in turned], [pair[1] for pair in turned]
        return {
            pair: reads
            for pair, reads in self.in_force(counts).items()
            if pair[1]
            and _is_near(pair[0], i7, self.mismatches[0])
            and _is_near(pair[1], i5, self.mismatches[1])
        }

    def loud_controls(self, counts: Counts, part: float = TOO_MANY) -> tuple[int, ...]:
        """The controls that have at least this part of what a sample usually has."""
        least = max(FEWEST_READS, part * self.usual(counts))
        return tuple(
            n
            for n, sample in enumerate(self.samples)
            if sample.is_control and counts.reads[n] >= least
        )

    def with_samples_of(self, other: "Lane") -> "Lane":
        return Lane(self.seen, other.samples, self.mismatches)

    @cached_property
    def _barcodes(self) -> Barcodes:
        pairs = self.seen.pairs
        letters = np.frombuffer("".join("".join(pair) for pair in pairs).encode("ascii"), np.uint8)
        codes = _CODES[letters].reshape(len(pairs), sum(self.lengths))
        return Barcodes(codes, np.arange(len(pairs)))

    def _counts(self, reading: Reading) -> Counts:
        pairs = list(self.seen.pairs.items())
        if not pairs or not self.samples:
            return Counts(reading, (0,) * len(self.samples), dict(pairs))
        turned = [reading.of(sample.pair) for sample in self.samples]
        indexes = [tuple(index for index in pair if index) for pair in turned]
        who = Demultiplexer(indexes, self.lengths, self.mismatches).assign(self._barcodes).samples
        weights = np.array([reads for _, reads in pairs], np.int64)
        reads = np.bincount(who, weights, len(self.samples) + 1).astype(np.int64).tolist()
        nobody = np.flatnonzero(who == len(self.samples)).tolist()
        return Counts(reading, tuple(reads[:-1]), dict(pairs[n] for n in nobody))


def is_noise(pair: Pair) -> bool:
    """Whether it is nobody's index: with a no-call, or of one base only.

    A cluster without index, as PhiX has, gives no light, which two-colour instruments read as G.

    >>> is_noise(("GGGGGGGG", "AGATCTCG")), is_noise(("ACGTTGCA", "TTGACCAT"))
    (True, False)
    """
    return any("N" in index or (index and len(set(index)) == 1) for index in pair)


def _is_near(index: str, others: Iterable[str], allowed: int) -> bool:
    """Whether it is one of `others`, with at most so many mismatches."""
    return any(sum(a != b for a, b in zip(index, one, strict=False)) <= allowed for one in others)
