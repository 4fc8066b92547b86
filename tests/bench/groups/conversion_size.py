"""The size of what a conversion writes, against zlib at the level that bcl2fastq has by default."""

import zlib
from collections.abc import Iterator
from gzip import decompress
from pathlib import Path

from arteriole.bcl2fastq.converters.builtin.bgzf import BLOCK_SIZE
from tests.bench import conversion
from tests.bench.bench import Bench
from tests.bench.measure import run
from tests.bench.row import Row

LEVEL = 4
"""`--fastq-compression-level` of bcl2fastq, where nobody says otherwise."""
MOST = 1.1
CLUSTERS = 100_000


def rows(bench: Bench) -> Iterator[Row]:
    """Of .bcl.gz with seven qualities, and of .cbcl with three; a genome of ten million bases."""
    clusters = conversion.SMALL if bench.small else CLUSTERS
    for kind, files in (("hiseq4000", ".bcl.gz"), ("novaseq6000", ".cbcl")):
        folder = bench.simulated(
            *("--kind", kind, "--lanes", "1", "--surfaces", "2", "--swaths", "2", "--tiles", "1"),
            *("--read-cycles", "100", "--index-cycles", "8", "--genome-length", "10000000"),
            *("--clusters", str(clusters // conversion.TILES)),
        )
        out = bench.scratch / f"size-{kind}"
        out.mkdir()
        run(conversion.ours(folder).command(out), bench.scratch / "size.log")
        fastqs = sorted(out.rglob("*.fastq.gz"))
        yield Row(
            name=f"conversion: size of the FASTQs of {files}, {clusters:,} clusters, 2x100+8+8",
            unit="MB",
            size=clusters,
            ours=[sum(path.stat().st_size for path in fastqs) / 1e6],
            peer=[sum(map(_of_zlib, fastqs)) / 1e6],
            against=f"zlib, level {LEVEL}, the same blocks",
            goal=bench.goal("ratio", MOST),
        )


def _of_zlib(path: Path) -> int:
    """The bytes of the same text in blocks of gzip members, each with a header of BGZF."""
    text = decompress(path.read_bytes())
    blocks = (text[start : start + BLOCK_SIZE] for start in range(0, len(text), BLOCK_SIZE))
    return sum(len(_deflated(block)) + 26 for block in blocks) + 28


def _deflated(block: bytes) -> bytes:
    compress = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
    return compress.compress(block) + compress.flush()
