"""What is asked of the runfolder service all the time, beside both of Arteria's."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.folders import ONE_READY_OF, PEERS, Client, all_are_seen, peer, write
from tests.bench.measure import MeasureError
from tests.bench.orchestrator import beside
from tests.bench.row import Row
from tests.landing import Landing, LandingError

_SIZES, _SMALL_SIZES = (100, 1_000, 10_000), (40,)
_TIMES, _SMALL_TIMES = 30, 2
_MOST_MS = 5
_PAGE = 100


def rows(bench: Bench) -> Iterator[Row]:
    """Each figure of ours is a median of many answers, one of a peer's is one answer."""
    for size in _SMALL_SIZES if bench.small else _SIZES:
        folder = bench.scratch / f"lists-{size}"
        landing = Landing(folder, readiness="marker")
        write(landing.directory, size)
        try:
            landing.start()
            yield from _rows(bench, landing, folder, size)
        except (OSError, LandingError) as err:
            raise MeasureError(f"the runfolder service: {err}") from err
        finally:
            landing.kill()


def _rows(bench: Bench, landing: Landing, folder: Path, size: int) -> Iterator[Row]:
    ready = size // ONE_READY_OF
    page = min(size, _PAGE)
    times = _SMALL_TIMES if bench.small else _TIMES
    client = Client(landing.url)
    all_are_seen(landing.url, size)
    asked = [
        (f"{ready:,} ready ones", "runfolders", "runfolders", ready, ready),
        ("the next one", "runfolders/next", "runfolders/next", None, None),
        (f"a page of {page}", f"runfolders?state=*&limit={page}", "runfolders?state=*", page, size),
    ]
    for variable, name in PEERS.items():
        with peer(variable, landing.directory, folder) as other:
            for what, ours, theirs, count, their_count in asked:
                if variable == "ARTERIA_SUCCESSOR" and their_count == size:
                    continue  # it lists the ready ones only
                one = partial(client.milliseconds, ours, times, count)
                that = (
                    None if other is None else partial(other.milliseconds, theirs, 1, their_count)
                )
                mine, others = beside(bench.runs, one, that)
                yield Row(
                    name=f"runfolder: {what} of {size:,} run folders",
                    unit="ms",
                    size=size,
                    ours=mine,
                    peer=others,
                    against=name if count == their_count else f"{name}, which has no pages",
                    goal=bench.goal("ours", _MOST_MS),
                )
    for what in ("", "&brief=true"):
        path = f"runs?limit={page}{what}"
        yield Row(
            name=f"runfolder: GET {path} of {size:,} run folders",
            unit="ms",
            size=size,
            ours=[client.milliseconds(path, times, page) for _ in range(bench.runs)],
            goal=bench.goal("ours", _MOST_MS),
        )
    client.close()
