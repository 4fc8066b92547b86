"""A program that runs the engine over a folder, for tests which kill it.

    engine_process.py FOLDER [ACTION [PARAMETERS]]

It starts the engine, asks for one execution if one is named, prints its identifier, and runs until
it is killed. With ST2SOLO_DIE_AT it ends itself, without any clean-up, at a point: `launch` (an
action is recorded as running and not yet started), `record` (an action is over and not yet
recorded), or `before:K` or `after:K` of its K-th transaction. With one of the latter two it answers
what is asked, and ends in an orderly way when every execution that nobody else asked for is over.
"""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from st2solo.dispatcher import Dispatcher
from st2solo.executions import Executions
from st2solo.settings import EngineSettings
from st2solo.statuses import COMPLETED
from st2solo.store import Store
from st2solo.testing import FolderRegistry, MemoryKeys, MemoryTokens

_POINTS = {"launch": "_launch", "record": "_complete"}


def _die(*_: object) -> None:
    os._exit(9)


class _Doomed(Store):
    """Kills the process before or after the end of its n-th outermost transaction."""

    def __init__(self, path: Path, side: str, number: int) -> None:
        super().__init__(path)
        self._side, self._left, self._open = side, number, 0

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        self._open += 1
        try:
            with super().transaction() as connection:
                yield connection
                if self._open == 1:
                    self._left -= 1
                    self._die_if("before")
            if self._open == 1:
                self._die_if("after")
        finally:
            self._open -= 1

    def _die_if(self, side: str) -> None:
        if self._left == 0 and self._side == side:
            os.kill(os.getpid(), signal.SIGKILL)


def _store(path: Path, point: str) -> Store:
    side, colon, number = point.partition(":")
    return _Doomed(path, side, int(number)) if colon else Store(path)


async def _all_over(executions: Executions) -> None:
    moved = asyncio.Event()
    executions.on_change.append(lambda _: moved.set())

    def roots() -> list[dict[str, Any]]:
        return executions.list(limit=-1, filters={"parent": "null"})[0]

    while not all(one["status"] in COMPLETED for one in roots()):
        for asked in executions.inquiries.list(limit=-1, offset=0)[0]:
            response = {"continue": True}
            executions.inquiries.respond(asked["id"], response, user="ann", roles=set())
        await moved.wait()
        moved.clear()


async def main() -> None:
    folder = Path(sys.argv[1])
    point = os.environ.get("ST2SOLO_DIE_AT", "")
    executions = Executions(
        _store(folder / "st2solo.db", point),
        FolderRegistry(folder / "packs"),
        MemoryKeys(),
        MemoryTokens(),
        EngineSettings(api_url="http://127.0.0.1:1/v1", work_dir=folder / "work"),
    )
    if point in _POINTS:
        setattr(Dispatcher, _POINTS[point], _die)
    await executions.start()
    if len(sys.argv) > 2:
        parameters = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
        execution = executions.request(sys.argv[2], parameters, user="ann")
        print(execution["id"], flush=True)
    if ":" in point:
        await _all_over(executions)
        await executions.stop()
    else:
        await asyncio.Event().wait()


asyncio.run(main())
