"""Runs to convert, and who converts them."""

import sys
from collections.abc import Iterator
from pathlib import Path

from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest
from arteriole.bcl2fastq.converters.builtin import bgzf
from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.picard.inputs import LaneInputs
from arteriole.bcl2fastq.converters.picard.rule import Rule
from arteriole.bcl2fastq.converters.picard.tool import Picard
from arteriole.bcl2fastq.sheets import SHEET
from tests.bench.bench import Bench
from tests.bench.convert import THREADS
from tests.bench.measure import Contender, MeasureError
from tests.bench.row import Row

TILES = 4
CLUSTERS = 1_000_000
SMALL = 2_000
PICARD_LEVEL = 5
MEMORY = 300


def clusters(bench: Bench) -> int:
    """Those of a whole run."""
    return SMALL if bench.small else CLUSTERS


def simulated(bench: Bench, kind: str) -> Path:
    """One lane of four tiles, 2x50+8+8 cycles."""
    layout = ("--lanes", "1", "--surfaces", "2", "--swaths", "2", "--tiles", "1")
    cycles = ("--read-cycles", "50", "--index-cycles", "8")
    count = ("--clusters", str(clusters(bench) // TILES))
    return bench.simulated("--kind", kind, *layout, *cycles, *count)


def ours(run: Path, name: str = "builtin") -> Contender:
    """The builtin converter in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.convert", str(run)]
    return Contender(name, lambda out: [*command, str(out)])


def picard(run: Path, compression: int, name: str) -> Contender:
    """Picard alone, without what the converter `picard` makes of its files; as many threads."""

    def command(out: Path) -> list[str]:
        try:
            installed = Picard.find()
        except ConversionError as err:
            raise MeasureError(f"{err}; {err.hint}") from err
        request = ConversionRequest(run, run / SHEET, out, threads=THREADS)
        plan = plans.make(request)
        inputs = LaneInputs(out, plan.run_info, plan.lanes[0], Rule(1, 1))
        inputs.write()
        return installed.command(inputs.arguments(plan.folder, request, compression), out)

    return Contender(name, command)


def against_picard(bench: Bench, kind: str, files: str) -> Iterator[Row]:
    """CPU time and memory of a conversion, ours and Picard's.

    Picard as it comes compresses more than ours does, so it is measured at our level too.
    """
    run, size = simulated(bench, kind), clusters(bench)
    as_it_comes = picard(run, PICARD_LEVEL, "picard")
    same_level = picard(run, bgzf.LEVEL, f"picard, gzip level {bgzf.LEVEL}")
    mine, theirs, level = bench.measure(ours(run), as_it_comes, same_level)
    name = f"conversion of {files}, {size:,} clusters, 2x50+8+8"
    for peer, used, goal in (
        (as_it_comes, theirs, bench.goal("ratio", 0.2)),
        (same_level, level, None),
    ):
        yield Row(
            name=f"{name}: CPU",
            unit="s",
            size=size,
            ours=[one.cpu for one in mine],
            peer=[one.cpu for one in used],
            against=peer.name,
            goal=goal,
        )
    yield Row(
        name=f"{name}: peak memory",
        unit="MiB",
        size=size,
        ours=[used.memory for used in mine],
        peer=[used.memory for used in theirs],
        against=as_it_comes.name,
        goal=bench.goal("ours", MEMORY),
    )
