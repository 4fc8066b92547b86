"""A program that runs the engine over a folder, for tests which kill it.

    engine_process.py FOLDER [ACTION [PARAMETERS]]

It starts the engine, asks for one execution if one is named, prints its identifier, and runs until
it is killed. With ST2SOLO_DIE_AT it ends itself, without any clean-up, at a point: `launch` (an
action is recorded as running and not yet started) or `record` (an action is over and not yet
recorded).
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from st2solo.dispatcher import Dispatcher
from st2solo.executions import Executions
from st2solo.settings import EngineSettings
from st2solo.store import Store
from st2solo.testing import FolderRegistry, MemoryKeys, MemoryTokens

_POINTS = {"launch": "_launch", "record": "_complete"}


def _die(*_: object) -> None:
    os._exit(9)


async def main() -> None:
    folder = Path(sys.argv[1])
    executions = Executions(
        Store(folder / "st2solo.db"),
        FolderRegistry(folder / "packs"),
        MemoryKeys(),
        MemoryTokens(),
        EngineSettings(api_url="http://127.0.0.1:1/v1", work_dir=folder / "work"),
    )
    point = os.environ.get("ST2SOLO_DIE_AT")
    if point:
        setattr(Dispatcher, _POINTS[point], _die)
    await executions.start()
    if len(sys.argv) > 2:
        parameters = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
        execution = executions.request(sys.argv[2], parameters, user="ann")
        print(execution["id"], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
