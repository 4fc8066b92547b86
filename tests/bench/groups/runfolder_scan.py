"""The runfolder service over many run folders that are known: its start, its memory, its scans."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.folders import Client, all_are_seen, write
from tests.bench.measure import ROOT, MeasureError
from tests.bench.row import Row
from tests.landing import Landing, LandingError

_SIZE, _SMALL_SIZE = 10_000, 40
_REQUESTS, _SMALL_REQUESTS = 1_000, 20
_MOST_MIB = 80
_MOST_START_SECONDS = 2
_MOST_SCAN_SECONDS = 1
_MOST_WAIT_MS = 20


def rows(bench: Bench) -> Iterator[Row]:
    """It scans without a pause while others ask."""
    size = _SMALL_SIZE if bench.small else _SIZE
    folder = bench.scratch / "scan"
    landing = Landing(folder, readiness="marker", scan_interval=0.01)
    write(landing.directory, size)
    try:
        landing.start()
        all_are_seen(landing.url, size)
        yield from _rows(bench, landing, folder, size)
    except (OSError, LandingError) as err:
        raise MeasureError(f"the runfolder service: {err}") from err
    finally:
        landing.kill()


def _rows(bench: Bench, landing: Landing, folder: Path, size: int) -> Iterator[Row]:
    yield Row(
        name=f"runfolder: start over {size:,} known runs to the first list of ready ones",
        unit="s",
        size=size,
        ours=[_start(landing) for _ in range(bench.runs)],
        goal=bench.goal("ours", _MOST_START_SECONDS),
    )
    requests = _SMALL_REQUESTS if bench.small else _REQUESTS
    yield Row(
        name=f"runfolder: 99th percentile of {requests:,} answers while {size:,} are scanned",
        unit="ms",
        size=size,
        ours=[_slow_ones(landing, requests) for _ in range(bench.runs)],
        goal=bench.goal("ours", _MOST_WAIT_MS),
    )
    assert landing.process is not None
    yield Row(
        name=f"runfolder: resident memory with {size:,} runs",
        unit="MiB",
        size=size,
        ours=[_resident(landing.process.pid)],
        goal=bench.goal("ours", _MOST_MIB),
    )
    landing.kill()
    store = folder / "state" / "runfolder" / "runs.sqlite"
    command = [sys.executable, "-m", "tests.bench.scan", str(store), str(landing.directory)]
    yield Row(
        name=f"runfolder: CPU of a reconciling scan of {size:,} run folders",
        unit="s",
        size=size,
        ours=[float(_output(command)) for _ in range(bench.runs)],
        goal=bench.goal("ours", _MOST_SCAN_SECONDS),
    )


def _start(landing: Landing) -> float:
    """It goes on; an earlier one is ended first."""
    landing.kill()
    begun = time.perf_counter()
    landing.start()
    landing.get("runfolders")
    return time.perf_counter() - begun


def _slow_ones(landing: Landing, requests: int) -> float:
    """Of single runs and the next one, in turn."""
    client = Client(landing.url)
    name = landing.get("runs?limit=1")["runs"][0]["name"]
    paths = (f"runs/{name}", "runs?state=ready&limit=10&brief=true")
    taken = [client.milliseconds(paths[number % 2]) for number in range(requests)]
    client.close()
    return statistics.quantiles(taken, n=100)[98]


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def _output(command: list[str]) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
