"""How long an answer of st2solo takes, from the request to the end that is seen."""

import statistics
from collections.abc import Iterator
from functools import partial

from tests.bench.bench import Bench
from tests.bench.orchestrator import PEER, Orchestrator, beside, peer, serving
from tests.bench.row import Row

_SMALL_TIMES = 2
#: What is run, how many of it at once, how often for one figure, and at most how many ms it takes.
_MEASURED = [
    ("core.noop", "core.noop", 1, 20, 10),
    ("trivial Python action", "bench.trivial", 1, 10, 120),
    ("workflow of five noops in sequence", "bench.five", 1, 10, 50),
    ("core.noop at once", "core.noop", 30, 5, 300),
]


def rows(bench: Bench) -> Iterator[Row]:
    """Polled every millisecond; each figure is a median."""
    with serving(bench, "latency") as (_, ours), peer() as stackstorm:
        for what, action, count, times, most in _MEASURED:
            times = min(times, _SMALL_TIMES) if bench.small else times
            one = partial(_milliseconds, action=action, count=count, times=times)
            one(ours)
            theirs = None if stackstorm is None else partial(one, stackstorm)
            mine, others = beside(bench.runs, partial(one, ours), theirs)
            yield Row(
                name=f"st2solo: {count} {what}, from POST to succeeded",
                unit="ms",
                size=count,
                ours=mine,
                peer=others,
                against=PEER,
                goal=bench.goal("ours", most),
            )


def _milliseconds(at: Orchestrator, action: str, count: int, times: int) -> float:
    return statistics.median(at.seconds(action, count) for _ in range(times)) * 1000
