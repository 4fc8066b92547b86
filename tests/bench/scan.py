"""`python -m tests.bench.scan STORE DIRECTORY`: prints the CPU seconds of one reconciling scan."""

import asyncio
import sys
import time
from pathlib import Path

from arteriole.app.store import Store
from arteriole.runfolder.detection import Detector
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.runfolder.sheets import Sheets


async def _scan(store: Path, directory: Path) -> float:
    """The second of two: the first learns what the store knows."""
    runs = Runs(Store(store, "arteriole.runfolder.sql"))
    settings = RunfolderSettings(monitored_directories=[directory], readiness="marker")
    detector = Detector(runs, settings, Sheets(settings.sheets))
    await detector.scan()
    begun = time.process_time()
    await detector.scan()
    return time.process_time() - begun


print(asyncio.run(_scan(Path(sys.argv[1]), Path(sys.argv[2]))))
