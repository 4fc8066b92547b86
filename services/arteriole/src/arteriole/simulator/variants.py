"""The variants that somebody called, compared with those that were planted."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from arteriole.simulator.truth import Truth
from arteriole.simulator.vcf import DamagedVcfError, Variant, read_calls

_TOLD = 20


def differences(truth: Truth, sample_id: str, vcf: Path) -> list[str]:
    """What a VCF (plain or gzipped) of one sample tells otherwise than the truth; none if nothing.

    Variants are compared by chromosome, position and alleles, without the bases that both alleles
    share. Records that a filter rejected count as not there. A sentence each, at most 20 and a
    count; a VCF that is not there or not sound is a difference too.

    Raises:
        TruthError: the truth has no such sample.
    """
    expected = {variant.trimmed for variant in truth.variants_of(sample_id)}
    sentences = (f"{vcf.name}: {sentence}" for sentence in _sentences(expected, vcf))
    told = list(islice(sentences, _TOLD))
    if untold := sum(1 for _ in sentences):
        told.append(f"{vcf.name}: {untold} further differences")
    return told


def _sentences(expected: set[Variant], vcf: Path) -> Iterator[str]:
    seen: set[Variant] = set()
    try:
        for call in read_calls(vcf):
            where = f"line {call.line}: {call.variant}"
            if call.variant not in expected:
                yield f"{where} is surplus"
            elif call.variant in seen:
                yield f"{where} stands there twice"
            elif not call.is_whole:
                yield f"{where} is not all that the sample has there"
            seen |= {call.variant} & expected
    except DamagedVcfError as err:
        yield str(err)
        return
    yield from (f"{variant} is missing" for variant in sorted(expected - seen))
