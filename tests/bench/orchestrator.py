"""An orchestrator as the bench sees it: StackStorm's HTTP API, over connections that stay open.

Ours is a `st2solo serve` that is started here; the peer is a StackStorm that the environment
names (ST2_API_URL, and ST2_API_KEY or ST2_AUTH_TOKEN) and that has the pack `packs/bench`.
"""

import http.client
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench.bench import Bench
from tests.bench.measure import MeasureError
from tests.solo import Solo, SoloError

PEER = "StackStorm"
_PACKS = Path(__file__).with_name("packs")
_POLL_SECONDS = 0.001
_PATIENCE_SECONDS = 300.0
_CONNECTIONS = 30
_OPEN = frozenset(
    {"requested", "scheduled", "delayed", "running", "pausing", "paused", "resuming", "canceling"}
)


class Orchestrator:
    """The API at `url` (it ends in /v1)."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        parts = urlsplit(url)
        kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        self._path = parts.path.rstrip("/")
        self._headers = {"Content-Type": "application/json", **headers}
        self._connections = [
            kind[parts.scheme](parts.netloc, timeout=60) for _ in range(_CONNECTIONS)
        ]
        for connection in self._connections:
            connection.connect()

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    def seconds(self, action: str, count: int = 1) -> float:
        """How long it takes from the first request until so many executions have succeeded.

        Raises:
            MeasureError: one ends otherwise, or is refused.
        """
        begun = time.perf_counter()
        for execution in self.request(action, count):
            self._wait(execution)
        return time.perf_counter() - begun

    def request(self, action: str, count: int) -> Iterator[str]:
        """Ask for executions of an action, many at a time; their identifiers."""
        body = json.dumps({"action": action, "parameters": {}})
        found: list[str] = []
        while len(found) < count:
            used = self._connections[: count - len(found)]
            for connection in used:
                connection.request("POST", f"{self._path}/executions", body, self._headers)
            found += [str(_answer(connection)["id"]) for connection in used]
        return iter(found)

    def _wait(self, execution: str) -> None:
        path = f"{self._path}/executions/{execution}/attribute/status"
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self._connections[0].request("GET", path, headers=self._headers)
            status = _answer(self._connections[0])
            if status == "succeeded":
                return
            if status not in _OPEN:
                raise MeasureError(f"execution {execution} should succeed, it is {status}")
            time.sleep(_POLL_SECONDS)
        raise MeasureError(f"execution {execution} has not ended in {_PATIENCE_SECONDS:g} s")


def _answer(connection: http.client.HTTPConnection) -> Any:
    answer = connection.getresponse()
    text = answer.read()
    if answer.status not in (200, 201):
        raise MeasureError(f"the orchestrator answers {answer.status}: {text[:300]!r}")
    return json.loads(text)


@contextmanager
def serving(bench: Bench, name: str) -> Iterator[tuple[Solo, Orchestrator]]:
    """An st2solo of our own with the pack `bench`, in a folder of this name.

    Raises:
        MeasureError: it does not start.
    """
    solo = laid_out(bench, name)
    try:
        solo.start()
        ours = Orchestrator(solo.api, {"X-Auth-Token": solo.token})
        try:
            yield solo, ours
        finally:
            ours.close()
    except (OSError, SoloError, http.client.HTTPException) as err:
        raise MeasureError(f"st2solo: {err}") from err
    finally:
        solo.end()


def laid_out(bench: Bench, name: str) -> Solo:
    """An st2solo that is not started yet."""
    folder = bench.scratch / name
    shutil.copytree(_PACKS, folder / "packs")
    solo = Solo(folder)
    solo.lay_out()
    return solo


@contextmanager
def peer() -> Iterator[Orchestrator | None]:
    """The StackStorm of the environment, if it names one that can be reached."""
    url = os.environ.get("ST2_API_URL", "")
    key, token = os.environ.get("ST2_API_KEY", ""), os.environ.get("ST2_AUTH_TOKEN", "")
    headers = {"St2-Api-Key": key} if key else {"X-Auth-Token": token}
    try:
        found = Orchestrator(url, headers) if url else None
    except (OSError, KeyError) as err:
        print(f"{PEER} is left out: {url}: {err}", file=sys.stderr)
        found = None
    try:
        yield found
    finally:
        if found is not None:
            found.close()


def beside(
    runs: int, ours: Callable[[], float], theirs: Callable[[], float] | None
) -> tuple[Sequence[float], Sequence[float]]:
    """Figures of both, in turn; none of a peer that fails, or is None."""
    mine: list[float] = []
    others: list[float] = []
    for _ in range(runs):
        mine.append(ours())
        try:
            if theirs is not None:
                others.append(theirs())
        except (MeasureError, OSError, http.client.HTTPException) as err:
            print(f"{PEER} is left out: {err}", file=sys.stderr)
            others.clear()
            theirs = None
    return mine, others
