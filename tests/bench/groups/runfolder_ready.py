"""How soon a run that is complete is told as ready: from the last file written to the event."""

import itertools
import re
import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.landing import Landing, landing
from tests.bench.row import Row

#: With it an instrument says itself that the copy has ended.
MARKER = "CopyComplete.txt"
RUNS, FEW = 200, 3
_NUMBERS = itertools.count(1000)
#: Seconds that a copy must be quiet, and between two scans: the service's defaults, and short.
USUAL, SHORT = (5.0, 10.0), (0.5, 1.0)
_SMALL_RUN = (
    "--kind",
    "novaseq6000",
    "--lanes",
    "1",
    "--swaths",
    "1",
    "--tiles",
    "1",
    "--read-cycles",
    "6",
)
_COPY = ("--lanes", "1", "--surfaces", "2", "--swaths", "2", "--tiles", "5", "--index-cycles", "8")


def rows(bench: Bench) -> Iterator[Row]:
    """Over HTTP, as the packs hear it."""
    count = FEW if bench.small else RUNS
    small = bench.simulated(*_SMALL_RUN, "--clusters", "20")
    medians, late = [], []
    with landing(bench, "markers") as one:
        for number in range(bench.runs):
            taken = _markers(one, small, count, number)
            medians.append(statistics.median(taken))
            late.append(sorted(taken)[-1 - len(taken) // 100])
    name = f"runfolder: {count:,} runs, from the marker to run_ready"
    yield Row(f"{name}: median", "ms", count, medians, goal=bench.goal("ours", 200))
    yield Row(f"{name}: 99th percentile", "ms", count, late, goal=bench.goal("ours", 1000))
    cycles = ("--read-cycles", "4" if bench.small else "66")
    run = bench.simulated(*_COPY, *cycles, "--clusters", "20")
    files = sum(path.is_file() for path in run.rglob("*"))
    settle, scan = SHORT if bench.small else USUAL
    settings = {"settle_seconds": settle, "scan_interval": scan}
    for how, most in (("notified", 10.0), ("not notified", 10.0 + scan)):
        notified = how == "notified"
        with landing(bench, how.replace(" ", "-"), notified=notified, **settings) as one:
            taken = [_copied(one, run, f"copy-{number}") for number in range(bench.runs)]
            taken = [seconds - settle for seconds in taken]
        copied = f"runfolder: {files:,} files copied, {how}"
        yield Row(
            f"{copied}, to run_ready without its {settle:g} s quiet",
            "s",
            files,
            taken,
            goal=bench.goal("ours", most),
        )


def _markers(one: Landing, run: Path, count: int, repetition: int) -> list[float]:
    """Milliseconds of each, one after the other, all having been seen while they were written."""
    folders = [one.folder / f"run-{repetition}-{number}" for number in range(count)]
    for folder in folders:
        _number_anew(run)
        shutil.copytree(run, folder, ignore=shutil.ignore_patterns(MARKER))
    one.seen(count * (repetition + 1))
    taken = []
    for folder in folders:
        begun = time.perf_counter()
        (folder / MARKER).touch()
        taken.append((one.ready(folder.name) - begun) * 1000)
    return taken


def _number_anew(run: Path) -> None:
    """Two folders of one run would be taken for copies, and the second held."""
    path = run / "RunInfo.xml"
    path.write_text(re.sub(r'(<Run .*? Number=)"\d+"', rf'\1"{next(_NUMBERS)}"', path.read_text()))


def _copied(one: Landing, run: Path, name: str) -> float:
    """Seconds from the last file of a copy, which is not its marker."""
    folder = one.folder / name
    _number_anew(run)
    shutil.copytree(run, folder)
    (folder / "RunParameters.txt").touch()
    ended = time.perf_counter()
    return one.ready(name) - ended
