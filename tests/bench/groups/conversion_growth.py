"""How the conversion grows with the run: memory stays, CPU time is linear."""

from collections.abc import Iterator

from tests.bench import conversion
from tests.bench.bench import Bench
from tests.bench.more_tiles import with_more_tiles
from tests.bench.row import Row

TIMES = 10
MOST = 1.15


def rows(bench: Bench) -> Iterator[Row]:
    """A run with ten times the tiles, against the same run with its own."""
    run = conversion.simulated(bench, "hiseq4000")
    large = with_more_tiles(run, bench.scratch / "large", TIMES)
    size = conversion.clusters(bench) * TIMES
    base = f"builtin, {conversion.clusters(bench):,} clusters"
    big, small = bench.measure(
        conversion.ours(large, f"builtin, {size:,} clusters"), conversion.ours(run, base)
    )
    name = f"conversion of .bcl.gz, {size:,} clusters, 2x50+8+8"
    yield Row(
        name=f"{name}: peak memory",
        unit="MiB",
        size=size,
        ours=[used.memory for used in big],
        peer=[used.memory for used in small],
        against=base,
        goal=bench.goal("ratio", MOST),
    )
    yield Row(
        name=f"{name}: CPU a million clusters",
        unit="s",
        size=size,
        ours=[used.cpu / size * 1e6 for used in big],
        peer=[used.cpu * TIMES / size * 1e6 for used in small],
        against=base,
        goal=bench.goal("ratio", MOST),
    )
