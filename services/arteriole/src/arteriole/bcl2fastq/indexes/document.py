"""A diagnosis as JSON: whole for people, and in brief for the job's row.

NB: it holds names of samples; neither is ever part of an event.
"""

from collections.abc import Sequence
from typing import Any

from arteriole.bcl2fastq.indexes.diagnosis import Diagnosis, foreign
from arteriole.bcl2fastq.indexes.lane import FEWEST_READS, Counts, Lane
from arteriole.illumina.observed_indexes import Reading

#: So many samples of a lane are told, those of the sheet's first rows; and so many unknown pairs.
SAMPLES = 2000
UNKNOWN = 10


def whole(diagnosis: Diagnosis, lanes: Sequence[Lane], read: int) -> dict[str, Any]:
    """`{code, message, reading, bytes_read, lanes: [{..., samples, unknown}]}`.

    `reading` is null where no sheet is proposed. `reads` of a sample are as the sheet has its
    index, `proposed` as the proposed one would.
    """
    return {
        **_head(diagnosis, read),
        "lanes": [
            {
                **_lane(lane),
                "samples": [] if lane.not_judged else _samples(lane, diagnosis.reading),
                "samples_left_out": max(0, len(lane.samples) - SAMPLES),
                "unknown": [] if lane.not_judged else _unknown(lane, lanes),
            }
            for lane in lanes
        ],
    }


def brief(diagnosis: Diagnosis, lanes: Sequence[Lane], read: int) -> dict[str, Any]:
    """The same without samples and pairs."""
    return {**_head(diagnosis, read), "lanes": [_lane(lane) for lane in lanes]}


def _head(diagnosis: Diagnosis, read: int) -> dict[str, Any]:
    return {
        "code": diagnosis.code,
        "message": diagnosis.message,
        "reading": None if diagnosis.reading is None else diagnosis.reading.value,
        "bytes_read": read,
    }


def _lane(lane: Lane) -> dict[str, Any]:
    found: dict[str, Any] = {
        "lane": lane.number,
        "clusters": lane.seen.clusters,
        "tiles": list(lane.seen.tiles),
        "passed_only": lane.seen.passed_only,
        "not_judged": lane.not_judged,
        "expected": len(lane.true_samples),
    }
    if not lane.not_judged:
        counts = lane.as_written
        found |= {
            "good": lane.is_good,
            "accounting": [reading.value for reading in lane.accounting],
            "assigned": counts.assigned,
            "there": len(lane.there(counts)),
            "loud_controls": len(lane.loud_controls(counts)),
        }
    return found


def _samples(lane: Lane, reading: Reading | None) -> list[dict[str, Any]]:
    counts = lane.as_written
    words = _words(lane, counts)
    found = []
    for n, sample in enumerate(lane.samples[:SAMPLES]):
        row: dict[str, Any] = {
            "sample_id": sample.sample_id,
            "index": sample.pair[0],
            "index2": sample.pair[1],
            "reads": counts.reads[n],
            "share": round(counts.reads[n] / lane.seen.clusters, 6),
            "verdict": words[n],
        }
        if reading is not None and reading in lane.readings:
            row["proposed"] = lane.readings[reading].reads[n]
        found.append(row)
    return found


def _words(lane: Lane, counts: Counts) -> list[str]:
    there, loud = set(lane.there(counts)), set(lane.loud_controls(counts))
    words = []
    for n, sample in enumerate(lane.samples):
        if sample.is_control:
            words.append("control with too many" if n in loud else "control")
        elif n in there:
            words.append("good")
        else:
            words.append("few" if counts.reads[n] >= FEWEST_READS else "none")
    return words


def _unknown(lane: Lane, lanes: Sequence[Lane]) -> list[dict[str, Any]]:
    """The commonest unknown pairs that have as many reads as a sample might."""
    counts = lane.as_written
    elsewhere, moved = foreign(lane, lanes), lane.moved(counts)
    pairs = sorted(lane.in_force(counts).items(), key=lambda item: (-item[1], item[0]))
    return [
        {
            "index": pair[0],
            "index2": pair[1],
            "reads": reads,
            "share": round(reads / lane.seen.clusters, 6),
            "like": "another lane's sample"
            if pair in elsewhere
            else "i7 and i5 of two samples"
            if pair in moved
            else "",
        }
        for pair, reads in pairs[:UNKNOWN]
    ]
