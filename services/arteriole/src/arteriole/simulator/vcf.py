"""Variants, and the VCF files that tell of them (the VCF specification, version 4.2)."""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_BASES = re.compile(r"[ACGTN]+", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_GENOTYPE = re.compile(r"(?:[0-9]{1,6}|\.)(?:[/|](?:[0-9]{1,6}|\.))*", re.ASCII)
_LONGEST_LINE = 1 << 20


class DamagedVcfError(Exception):
    """The file is no sound VCF of one sample; the message tells how."""


@dataclass(frozen=True, order=True)
class Variant:
    """What stands in a genome instead of a stretch of the reference; `pos` counts from 1."""

    chrom: str
    pos: int
    ref: str
    alt: str

    def __str__(self) -> str:
        return f"{self.chrom}:{self.pos} {_short(self.ref)}>{_short(self.alt)}"

    @property
    def trimmed(self) -> "Variant":
        """The same without the bases that both share, but for one.

        >>> Variant("genome", 7, "CAG", "CTG").trimmed
        Variant(chrom='genome', pos=8, ref='A', alt='T')
        >>> Variant("genome", 7, "CAG", "CG").trimmed
        Variant(chrom='genome', pos=7, ref='CA', alt='C')
        """
        pos, ref, alt = self.pos, self.ref, self.alt
        while min(len(ref), len(alt)) > 1 and ref[-1] == alt[-1]:
            ref, alt = ref[:-1], alt[:-1]
        while min(len(ref), len(alt)) > 1 and ref[0] == alt[0]:
            pos, ref, alt = pos + 1, ref[1:], alt[1:]
        return Variant(self.chrom, pos, ref, alt)


@dataclass(frozen=True)
class Call:
    """A variant of a VCF, trimmed.

    Attributes:
        line: of the file, from 1.
        is_whole: the sample has nothing else there (GT 1 or 1/1); true where no genotype is told.
    """

    line: int
    variant: Variant
    is_whole: bool


def vcf_of(sample: str, variants: tuple[Variant, ...], contigs: dict[str, int]) -> str:
    """A VCF of one haploid sample; `contigs` are the reference's sequences and their lengths."""
    return "".join(
        f"{line}\n"
        for line in (
            "##fileformat=VCFv4.2",
            *(f"##contig=<ID={name},length={length}>" for name, length in contigs.items()),
            '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
            "\t".join((*_COLUMNS, "FORMAT", sample)),
            *(f"{v.chrom}\t{v.pos}\t.\t{v.ref}\t{v.alt}\t.\tPASS\t.\tGT\t1" for v in variants),
        )
    )


def read_calls(path: Path) -> Iterator[Call]:
    """The variants of a VCF, plain or gzipped, of one sample or of none.

    Left out are records that a filter rejected, that have no other allele than the reference's,
    and alleles that the sample has not.

    Raises:
        DamagedVcfError: it cannot be read to its end, or holds what is not expected.
    """
    try:
        with _opened(path) as stream:
            yield from _calls(_lines(stream))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as err:
        raise DamagedVcfError(f"it cannot be read: {err}") from err


def _opened(path: Path) -> BinaryIO | gzip.GzipFile:
    stream = path.open("rb")
    if stream.peek(2)[:2] == b"\x1f\x8b":
        stream.close()
        return gzip.open(path, "rb")
    return stream


def _lines(stream: BinaryIO | gzip.GzipFile) -> Iterator[tuple[int, str]]:
    number = 0
    while line := stream.readline(_LONGEST_LINE):
        number += 1
        if not line.endswith(b"\n"):
            raise DamagedVcfError(f"line {number} is cut off, or too long")
        yield number, line[:-1].decode("utf-8")


def _calls(lines: Iterator[tuple[int, str]]) -> Iterator[Call]:
    _, first = next(lines, (0, ""))
    if not first.startswith("##fileformat=VCFv4."):
        raise DamagedVcfError(
            f"line 1: expected ##fileformat=VCFv4 and its release; found {_short(first)!r}"
        )
    header = next((line.split("\t") for _, line in lines if not line.startswith("##")), [])
    if header[:9] not in ([*_COLUMNS], [*_COLUMNS, "FORMAT"]) or len(header) not in (8, 10):
        raise DamagedVcfError("expected a line of the columns #CHROM to INFO, and one sample")
    for number, line in lines:
        fields = line.split("\t")
        if len(fields) != len(header):
            raise DamagedVcfError(
                f"line {number}: expected {len(header)} columns; found {len(fields)}"
            )
        yield from _calls_of(number, fields)


def _calls_of(number: int, fields: list[str]) -> Iterator[Call]:
    chrom, pos, ref, rejected = fields[0], fields[1], fields[3], fields[6]
    alleles = [] if fields[4] == "." else fields[4].split(",")
    for value, form in ((pos, _NUMBER), *((bases, _BASES) for bases in (ref, *alleles))):
        if not form.fullmatch(value):
            raise DamagedVcfError(
                f"line {number}: expected a position and bases; found {_short(value)!r}"
            )
    present = _genotype(number, fields[8:], len(alleles))
    if rejected not in ("PASS", "."):
        return
    for place, allele in enumerate(alleles, start=1):
        if present is None or place in present:
            variant = Variant(chrom, int(pos), ref.upper(), allele.upper()).trimmed
            yield Call(number, variant, present is None or present == {place})


def _genotype(number: int, fields: list[str], alleles: int) -> set[int | None] | None:
    """The alleles of GT, 0 the reference's and None for one that is not known."""
    if not fields:
        return None
    names, values = (text.split(":") for text in fields)
    if names[0] != "GT":
        return None
    if not _GENOTYPE.fullmatch(values[0]):
        raise DamagedVcfError(f"line {number}: expected a genotype; found {_short(values[0])!r}")
    found = {None if part == "." else int(part) for part in re.split("[/|]", values[0])}
    if any(part is not None and part > alleles for part in found):
        raise DamagedVcfError(
            f"line {number}: genotype {_short(values[0])} names an allele that is not there"
        )
    return found


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
