"""What the observed indexes of all lanes together say: is this the sheet of this run?

A corrected sheet is proposed only for what leaves each sample its own index, if this alone accounts
for every lane alike and the sheet as it is does not. What would give an index to another sample is
told and never proposed: the counts cannot tell which sample it belongs to.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from arteriole.bcl2fastq.indexes.lane import LIKE_A_SAMPLE, Lane
from arteriole.illumina.observed_indexes import Pair, Reading

EXCHANGED = "indexes.exchanged"
AMBIGUOUS = "indexes.ambiguous"
OTHER_SAMPLES = "indexes.other_samples"

#: The code of a sheet whose indexes stand otherwise than they were read.
CODES = {
    Reading.I5_REVERSE_COMPLEMENT: "indexes.reversed_i5",
    Reading.I5_REVERSED: "indexes.reversed_i5",
    Reading.I5_COMPLEMENT: "indexes.reversed_i5",
    Reading.I7_REVERSE_COMPLEMENT: "indexes.reversed_i7",
    Reading.I7_REVERSED: "indexes.reversed_i7",
    Reading.BOTH_REVERSE_COMPLEMENT: "indexes.reversed_both",
    Reading.BOTH_REVERSED: "indexes.reversed_both",
    Reading.SWAPPED: "indexes.columns_swapped",
}

#: So many unknown pairs in force, and this part of the samples missing, say that the lane has other
#: samples than the sheet; so do that many pairs in the place of as many missing samples, as when a
#: column of wells was taken for the next.
FEWEST_OTHERS = 2
HALF = 0.5


@dataclass(frozen=True)
class Diagnosis:
    """`code` and `message` are empty where nothing is wrong; `reading` is what is proposed."""

    code: str = ""
    message: str = ""
    reading: Reading | None = None


def diagnose(lanes: Sequence[Lane]) -> Diagnosis:
    """Judge the lanes of a run; one of which nothing can be said is left out."""
    judged = [lane for lane in lanes if not lane.not_judged]
    for lane in judged:
        if (moved := _moved(lane, judged)) is not None:
            return moved
    bad = [lane for lane in judged if not lane.is_good]
    told = [lane for lane in bad if lane.accounting]
    if not told:
        return next((other for lane in judged if (other := _others(lane)) is not None), Diagnosis())
    if len(told) == len(judged) and len({lane.accounting for lane in told}) == 1:
        (reading, *others) = told[0].accounting
        if not others and not any(_is_shuffled(lane, reading) for lane in told):
            return Diagnosis(CODES[reading], _turned(told, reading), reading)
    return Diagnosis(AMBIGUOUS, "; ".join(_told(lane) for lane in judged))


def foreign(lane: Lane, lanes: Sequence[Lane]) -> dict[Pair, int]:
    """The unknown pairs in force that are those of other lanes' samples."""
    elsewhere = {sample.pair for other in lanes if other is not lane for sample in other.samples}
    pairs = elsewhere - {sample.pair for sample in lane.samples}
    return {pair: reads for pair, reads in lane.in_force(lane.as_written).items() if pair in pairs}


def _moved(lane: Lane, lanes: Sequence[Lane]) -> Diagnosis | None:
    counts = lane.as_written
    missing = lane.missing(counts)
    if not missing:
        return None
    where = f"lane {lane.number}: {len(missing)} of {len(lane.true_samples)} samples have no reads"
    loud = lane.loud_controls(counts, LIKE_A_SAMPLE)
    # Where another reading accounts for the lane, some pairs look so by chance.
    enough = HALF * len(missing) if lane.accounting and not lane.is_good else 1
    if len(found := foreign(lane, lanes)) >= enough:
        what = f"have {_number(len(found), 'pair')} of indexes of other lanes' samples"
    elif len(found := lane.moved(counts)) >= enough:
        what = f"have {_number(len(found), 'pair')} of the i7 of one sample with the i5 of another"
    elif len(loud) >= enough:
        what = f"have {_number(len(loud), 'control')} without template"
    else:
        return None
    return Diagnosis(EXCHANGED, f"{where}, and as many as a sample {what}")


def _is_shuffled(lane: Lane, reading: Reading) -> bool:
    """Read so, an index would still have to move to another sample."""
    counts = lane.readings[reading]
    return bool(lane.missing(counts)) and bool(
        lane.moved(counts) or lane.loud_controls(counts, LIKE_A_SAMPLE)
    )


def _others(lane: Lane) -> Diagnosis | None:
    counts = lane.as_written
    missing, found = len(lane.missing(counts)), len(lane.in_force(counts))
    mostly = missing >= HALF * len(lane.true_samples) and found >= HALF * missing
    as_many = found >= missing >= FEWEST_OTHERS
    if found < FEWEST_OTHERS or not (mostly or as_many):
        return None
    return Diagnosis(
        OTHER_SAMPLES,
        f"lane {lane.number}: {missing} of {len(lane.true_samples)} samples have no reads, and as"
        f" many as a sample have {_number(found, 'pair')} of indexes that the sheet lacks",
    )


def _turned(lanes: Sequence[Lane], reading: Reading) -> str:
    """A sample counts where it has reads on each of its lanes."""
    total = _ids(lanes, lambda lane: lane.true_samples)
    lost = _ids(lanes, lambda lane: lane.missing(lane.readings[reading]))
    lost_before = _ids(lanes, lambda lane: lane.missing(lane.as_written))
    return (
        f"with {reading.value} {total - lost} of {total} samples have reads,"
        f" {Reading.AS_WRITTEN.value} {total - lost_before} of {total}"
    )


def _ids(lanes: Sequence[Lane], which: Callable[[Lane], Iterable[int]]) -> int:
    """How many samples these are, each counted once."""
    return len({lane.samples[place].sample_id for lane in lanes for place in which(lane)})


def _told(lane: Lane) -> str:
    fits = " or ".join(reading.value for reading in lane.accounting)
    return f"lane {lane.number} was read {fits}" if fits else f"lane {lane.number}: nothing fits"


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
