"""What the instrument measured, read from InterOp once a run rests; nothing waits for it."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import structlog

from arteriole.illumina import interop_summary
from arteriole.illumina.interop_summary import InteropError
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.verdict import VerdictKind

#: Verdicts at which InterOp is read: nothing is written into it just then.
MEASURED = frozenset(
    {
        VerdictKind.COMPLETE,
        VerdictKind.NO_SHEET,
        VerdictKind.INCOMPLETE,
        VerdictKind.FAILED,
        VerdictKind.STALLED,
        VerdictKind.STUCK,
    }
)

log = structlog.get_logger()


class Measuring:
    """Reads the metrics of one run after another, each in a process of its own."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._asked: asyncio.Queue[Path] = asyncio.Queue()

    def ask(self, path: Path) -> None:
        """Let the run folder at `path` be read soon."""
        self._asked.put_nowait(path)

    async def run(self) -> None:
        while True:
            path = await self._asked.get()
            try:
                self._runs.note_metrics(path, await asyncio.to_thread(_measured, path))
            except (OSError, ValueError, KeyError, TypeError, sqlite3.Error):
                log.exception("what was measured is not known", path=str(path))


def _measured(path: Path) -> dict[str, Any] | None:
    """The metrics as JSON, `{"error"}` if they cannot be read, None if there are none."""
    try:
        summary = interop_summary.summarise(path)
    except InteropError as err:
        return {"error": str(err)}
    return None if summary is None else summary.document()
