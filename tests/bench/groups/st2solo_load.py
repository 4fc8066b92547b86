"""st2solo with much behind it, and with much before it."""

import statistics
from collections.abc import Iterator
from functools import partial

from tests.bench.bench import Bench
from tests.bench.orchestrator import PEER, Orchestrator, beside, peer, serving
from tests.bench.row import Row

_STORED, _WORKFLOWS = 10_000, 200
_SMALL_STORED, _SMALL_WORKFLOWS = 60, 5
_SLOWER = 1.2
_NOOPS, _SMALL_NOOPS = 30, 3


def rows(bench: Bench) -> Iterator[Row]:
    """A store that fills, and workflows that all come at once."""
    stored = _SMALL_STORED if bench.small else _STORED
    workflows = _SMALL_WORKFLOWS if bench.small else _WORKFLOWS
    with serving(bench, "full") as (_, full), serving(bench, "empty") as (_, empty):
        full.seconds("core.noop", stored)
        noop = partial(_noop, times=_SMALL_NOOPS if bench.small else _NOOPS)
        mine, others = beside(bench.runs, partial(noop, full), partial(noop, empty))
        yield Row(
            name=f"st2solo: core.noop beside {stored:,} executions in the store",
            unit="ms",
            size=stored,
            ours=mine,
            peer=others,
            against="st2solo, an empty store",
            goal=bench.goal("ratio", _SLOWER),
        )
        with peer() as stackstorm:
            together = partial(Orchestrator.seconds, action="bench.three", count=workflows)
            theirs = None if stackstorm is None else partial(together, stackstorm)
            mine, others = beside(bench.runs, partial(together, empty), theirs)
            yield Row(
                name=f"st2solo: {workflows} workflows of three tasks at once, until all succeeded",
                unit="s",
                size=workflows,
                ours=mine,
                peer=others,
                against=PEER,
            )


def _noop(at: Orchestrator, times: int) -> float:
    return statistics.median(at.seconds("core.noop") for _ in range(times)) * 1000
