"""What st2solo takes while nothing is asked of it, and until it can be asked."""

import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.measure import MeasureError
from tests.bench.orchestrator import laid_out
from tests.bench.row import Row
from tests.solo import Solo, SoloError

_MOST_MIB = 100
_MOST_SECONDS = 1.5
_MOST_PERCENT = 0.5
_WATCHED_SECONDS = 20
_SMALL_SECONDS = 1


def rows(bench: Bench) -> Iterator[Row]:
    """A process with the packs core and bench, which have no sensors."""
    solo = laid_out(bench, "idle")
    try:
        yield from _rows(bench, solo)
    except (OSError, SoloError) as err:
        raise MeasureError(f"st2solo: {err}") from err
    finally:
        solo.end()


def _rows(bench: Bench, solo: Solo) -> Iterator[Row]:
    yield Row(
        name="st2solo: 1 start to the first answer",
        unit="s",
        size=1,
        ours=[_start(solo) for _ in range(bench.runs)],
        goal=bench.goal("ours", _MOST_SECONDS),
    )
    pid = solo.process.pid
    seconds = _SMALL_SECONDS if bench.small else _WATCHED_SECONDS
    yield Row(
        name=f"st2solo: CPU of a core, idle for {seconds} s",
        unit="%",
        size=seconds,
        ours=[_percent(pid, seconds) for _ in range(bench.runs)],
        goal=bench.goal("ours", _MOST_PERCENT),
    )
    yield Row(
        name="st2solo: PSS of 1 idle process",
        unit="MiB",
        size=1,
        ours=[_pss(pid)],
        goal=bench.goal("ours", _MOST_MIB),
    )


def _start(solo: Solo) -> float:
    """It goes on; an earlier one is ended first."""
    solo.end()
    begun = time.perf_counter()
    solo.start()
    solo.call("GET", "executions", params={"limit": 1})
    return time.perf_counter() - begun


def _percent(pid: int, seconds: int) -> float:
    """Of one core, by all threads; the kernel counts nanoseconds."""
    begun, before = time.monotonic(), _on_cpu(pid)
    time.sleep(seconds)
    return (_on_cpu(pid) - before) / (time.monotonic() - begun) * 100


def _on_cpu(pid: int) -> float:
    threads = [one.read_text() for one in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    if not threads:
        raise MeasureError(f"st2solo: process {pid} is gone")
    return sum(int(one.split()[0]) for one in threads) / 1e9


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
