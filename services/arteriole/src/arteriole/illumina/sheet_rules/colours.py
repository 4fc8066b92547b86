"""Light in the index reads: instruments on which a G gives none.

Sources: Illumina Knowledge 1241 (NextSeq 500/550, MiniSeq), 1931 (NovaSeq 6000), 3339 (NextSeq
1000/2000) and 8422 (NovaSeq X): G is dark, and an index read must not begin with two dark cycles.
support-docs.illumina.com, iSeq 100, Sequencing: A and T give light in the first image, C and T in
the second; and Index Adapters Pooling, Sequencing Chemistry, of the first two cycles there.
"""

from collections.abc import Iterator

from arteriole.illumina.instruments import instrument_type
from arteriole.illumina.sample_sheet import Sample
from arteriole.illumina.sheet_rules.rule import INDEXES, Case, Fault, Needs, Rule, Severity

DARK_G = frozenset(
    {
        *("MiniSeq", "NextSeq 500/550", "NextSeq 550Dx", "NextSeq 1000/2000"),
        *("NovaSeq 6000", "NovaSeq X", "iSeq"),
    }
)
"""Families of instruments.py."""

_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def _sees_dark_g(case: Case) -> bool:
    kind = instrument_type(case.run.instrument)
    return kind is not None and kind.name in DARK_G


def _as_read(case: Case, sample: Sample, place: int) -> str:
    """The letters of an index in the order of its cycles; empty if the run does not read it."""
    reads = case.run.index_reads
    text = INDEXES[place][1](sample)
    if place >= len(reads):
        return ""
    if reads[place].is_reverse_complement:
        text = text.translate(_COMPLEMENT)[::-1]
    return text[: reads[place].cycles]


def _dark(case: Case) -> Iterator[Fault]:
    """Every index of the sample is what a cluster without any signal shows."""
    if not _sees_dark_g(case):
        return
    for sample in case.sheet.samples:
        reads = [text for place in (0, 1) if (text := _as_read(case, sample, place))]
        if reads and all(
            sum(base != "G" for base in text) <= allowed
            for text, allowed in zip(reads, case.mismatches, strict=False)
        ):
            yield case.at(
                sample,
                "index",
                "every cluster without a signal in its index reads would be taken for this"
                " sample: G is dark on this instrument, and all of the index is read as G",
                "correct the index, or allow no mismatches",
            )


def _dark_cycles(case: Case, samples: tuple[Sample, ...], place: int) -> list[int]:
    """The cycles of an index read, from 1, in which no sample of the lane gives light."""
    texts = [text for sample in samples if (text := _as_read(case, sample, place))]
    shortest = min(map(len, texts), default=0)
    return [n + 1 for n in range(shortest) if all(text[n] == "G" for text in texts)]


def _start(case: Case) -> Iterator[Fault]:
    if not _sees_dark_g(case):
        return
    for lane, samples in case.pools:
        for place, (column, _) in enumerate(INDEXES):
            if _dark_cycles(case, samples, place)[:2] == [1, 2]:
                yield case.at(
                    samples[0],
                    column,
                    f"{case.named(lane)}: the read of {column} begins with two cycles in which"
                    " every sample is G, which is dark on this instrument",
                    "pool samples of which one gives light in the first two cycles",
                )


def _balance(case: Case) -> Iterator[Fault]:
    if not _sees_dark_g(case):
        return
    for lane, samples in case.pools:
        for place, (column, _) in enumerate(INDEXES):
            cycles = _dark_cycles(case, samples, place)
            if not cycles or cycles[:2] == [1, 2]:
                continue
            yield case.at(
                samples[0],
                column,
                f"{case.named(lane)}: no sample gives light in cycle"
                f" {', '.join(map(str, cycles))} of the read of {column}: all are G",
                "pool indexes that differ there, or expect more reads without a sample",
            )


RULES = (
    Rule(
        "sheet.index_dark",
        Severity.ERROR,
        Needs.RUN,
        "All indexes of a sample are what a cluster without signal shows (G on two colours).",
        "Teichlab/scg_lib_structs#12: GGGGGGGGGG where nothing was read; Illumina Knowledge 1931",
        _dark,
    ),
    Rule(
        "sheet.index_start",
        Severity.WARNING,
        Needs.RUN,
        "An index read of a lane begins with two dark cycles.",
        "Illumina Knowledge 1241: cluster registration fails",
        _start,
    ),
    Rule(
        "sheet.index_balance",
        Severity.WARNING,
        Needs.RUN,
        "No sample of a lane gives light in a cycle of an index read.",
        "Illumina Knowledge 1931: signal in at least one channel in every cycle; 8422 asks for"
        " both",
        _balance,
    ),
)
