"""Samples of a lane that a read could belong to both.

bcl2fastq's rule: mismatches are allowed per index, so two samples collide when their i7 differ in
at most 2 x m7 and their i5 in at most 2 x m5 bases; N in a sheet is a letter, not a wildcard
(Illumina Knowledge 3560, 2326). Where the sheet says the mismatches of each sample, those of two
samples are added. Of indexes of two lengths the shorter counts. An i5 is read from its end where
RunInfo.xml says IsReverseComplement, so there it is compared from its end.
"""

import re
from collections.abc import Iterator
from itertools import islice

from arteriole.illumina.near_indexes import distance, near_pairs
from arteriole.illumina.sample_sheet import Sample, Setting
from arteriole.illumina.sheet_rules.rule import Case, Fault, Needs, Rule, Severity
from arteriole.illumina.sheet_settings import MISMATCH_SETTINGS
from arteriole.illumina.sheet_text import plain

_BASES = re.compile("[ACGTN]+")
COLLISIONS_TOLD = 1000
"""So many collisions of a lane are told; the first one already stops a conversion."""


def _near(
    case: Case, allowed: tuple[int, int]
) -> Iterator[tuple[int, Sample, Sample, tuple[int, int]]]:
    """(lane, one, other, (differing letters of i7, of i5)) of each two samples that are so near."""
    turned = _i5_is_turned(case)
    seen: set[tuple[Sample, ...]] = set()
    for lane, all_samples in case.pools:
        # Names of index sets and misspelt indexes are told elsewhere.
        samples = tuple(s for s in all_samples if _BASES.fullmatch(s.index + s.index2))
        if samples in seen:
            continue
        seen.add(samples)
        i7 = [sample.index for sample in samples]
        i5 = [sample.index2[::-1] if turned else sample.index2 for sample in samples]
        pairs = near_pairs(i7, i5, allowed)
        for a, b in islice(pairs, COLLISIONS_TOLD):
            differing = distance(i7[a], i7[b]), distance(i5[a], i5[b])
            yield lane, samples[a], samples[b], differing


def _i5_is_turned(case: Case) -> bool:
    reads = case.run_info.index_reads if case.run_info else ()
    return len(reads) > 1 and reads[1].is_reverse_complement


def _duplicate(case: Case) -> Iterator[Fault]:
    told: set[tuple[int, int]] = set()
    for lane, samples in case.pools:
        first: dict[tuple[str, str], Sample] = {}
        for sample in samples:
            other = first.setdefault((sample.index, sample.index2), sample)
            place = other.line, sample.line
            if not sample.index or other.sample_id == sample.sample_id or place in told:
                continue
            told.add(place)
            yield case.at(
                sample,
                "index",
                f"{case.named(lane)}: the same index as line {other.line}",
                "correct the index, or the lane, of one of them",
            )


def _collision(case: Case) -> Iterator[Fault]:
    allowed7, allowed5 = case.mismatches
    i7, i5 = _allowed(case)
    most = 2 * min(allowed7, i7.most), 2 * min(allowed5, i5.most)
    for lane, one, other, (d7, d5) in _near(case, most):
        if (one.index, one.index2) == (other.index, other.index2):
            continue
        if d7 > i7.of(one) + i7.of(other) or d5 > i5.of(one) + i5.of(other):
            continue
        yield case.at(
            other,
            "index",
            f"{case.named(lane)}: too near to the index of line {one.line}"
            f" ({_differ(one, d7, d5)}; {allowed7} and {allowed5} mismatches are allowed)",
            "allow fewer mismatches, or correct the index",
        )


def _own_mismatches(case: Case) -> Iterator[Fault]:
    """What the sheet's own mismatches make collide and those of the conversion do not."""
    i7, i5 = _allowed(case)
    if (i7.most, i5.most) == case.mismatches and i7.is_one and i5.is_one:
        return
    of7, of5 = (2 * mismatches for mismatches in case.mismatches)
    for lane, one, other, (d7, d5) in _near(case, (2 * i7.most, 2 * i5.most)):
        sum7, sum5 = i7.of(one) + i7.of(other), i5.of(one) + i5.of(other)
        if d7 > sum7 or d5 > sum5 or (d7 <= of7 and d5 <= of5):
            continue
        yield case.at(
            other,
            "index",
            f"{case.named(lane)}: with the mismatches that the sheet allows too near to the index"
            f" of line {one.line} ({_differ(one, d7, d5)})",
            "allow fewer mismatches in BarcodeMismatchesIndex1 or BarcodeMismatchesIndex2",
        )


def _allowed(case: Case) -> tuple["_Allowed", "_Allowed"]:
    """In i7 and i5: what the sheet says, else what the conversion allows."""
    settings = {plain(name): setting for name, setting in case.sheet.settings.items()}
    i7, i5 = (
        _Allowed(settings.get(key), otherwise)
        for key, otherwise in zip(MISMATCH_SETTINGS, case.mismatches, strict=True)
    )
    return i7, i5


class _Allowed:
    """The mismatches of an index that a sheet allows, for all samples or for each."""

    def __init__(self, setting: Setting | None, otherwise: int) -> None:
        self._otherwise = otherwise
        self._rows = dict(setting.rows) if setting else {}
        self._all = self._number(setting.value) if setting and not setting.rows else otherwise
        numbers = {self._number(value) for value in self._rows.values()} or {self._all}
        self.most = max(numbers)
        self.is_one = len(numbers) == 1

    def of(self, sample: Sample) -> int:
        """Of one sample."""
        return self._number(self._rows[sample.line]) if sample.line in self._rows else self._all

    def _number(self, value: str) -> int:
        return int(value) if value in {"0", "1", "2"} else self._otherwise


def _differ(sample: Sample, d7: int, d5: int) -> str:
    return f"i7 differs in {d7} base{'s' * (d7 != 1)}" + (f", i5 in {d5}" if sample.index2 else "")


RULES = (
    Rule(
        "sheet.index_duplicate",
        Severity.ERROR,
        Needs.SHEET,
        "Two samples of a lane have the same index.",
        "cfe-lab/MiCall#140: two samples with the same tags were shown combined",
        _duplicate,
    ),
    Rule(
        "sheet.index_collision",
        Severity.ERROR,
        Needs.SHEET,
        "Two indexes of a lane are so near that a read with allowed mismatches could be of both.",
        "GenomiqueENS/aozan#22: 'Insufficient hamming distance for 1-mismatch-tolerance' ends the"
        " conversion",
        _collision,
    ),
    Rule(
        "sheet.mismatches_collide",
        Severity.ERROR,
        Needs.SHEET,
        "Indexes of a lane are too near for the mismatches that the sheet itself allows.",
        "GenomiqueENS/aozan#22; Clinical-Genomics/cg#2736 lowers them sample by sample",
        _own_mismatches,
    ),
)
