"""Picard's rule of which sample a read belongs to, and where it coincides with bcl2fastq's.

Picard adds up the mismatches of all indexes and compares the sum with MAX_MISMATCHES; no-calls are
no mismatches, MAX_NO_CALLS limits their sum (BarcodeExtractor and DistanceMetric of Picard 2.27.5).
bcl2fastq limits the mismatches of each index, and a no-call is one.
"""

from dataclasses import dataclass

from arteriole.bcl2fastq.converters.builtin.plan import LanePlan
from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.illumina.sheet_check import distance

CODE = "convert.picard_rule"


@dataclass(frozen=True, slots=True)
class Rule:
    """What Picard allows over all indexes of a read."""

    max_mismatches: int
    max_no_calls: int


def rule_of(lane: LanePlan, mismatches: tuple[int, int]) -> Rule:
    """Picard's rule for a lane on which `mismatches` are allowed in i7 and i5.

    NB: with one index and mismatches allowed, Picard's rule takes reads too whose no-calls and
    mismatches together are too many: see `is_beyond`.

    Raises:
        ConversionError: Picard cannot express what was asked.
    """
    for sample in lane.samples:
        if "N" in sample.index + sample.index2:
            raise ConversionError(
                f"lane {lane.lane}: the index of sample {sample.sample_id} has an N, for which"
                " Picard has no rule",
                hint="convert with builtin, or shorten the index",
                field="index",
                code=CODE,
            )
    allowed = mismatches[: len(lane.index_lengths)]
    if lane.takes_all or not lane.samples or not any(allowed):
        return Rule(0, 0)
    if len(allowed) == 1:
        return Rule(allowed[0], allowed[0])
    raise ConversionError(
        f"lane {lane.lane} has two indexes, and {allowed[0]} and {allowed[1]} mismatches are"
        " asked for; Picard limits only the sum over both",
        hint="set barcode_mismatches: [0, 0], or convert with builtin",
        field="barcode_mismatches",
        code=CODE,
    )


def is_beyond(
    observed: tuple[str, ...], wanted: tuple[str, ...], mismatches: tuple[int, int]
) -> bool:
    """Whether bcl2fastq's rule keeps an observed index from a sample.

    >>> is_beyond(("ACGN",), ("ACGT",), (1, 1)), is_beyond(("ACCN",), ("ACGT",), (1, 1))
    (False, True)
    """
    return any(
        distance(one, other) > allowed
        for one, other, allowed in zip(observed, wanted, mismatches, strict=False)
    )
