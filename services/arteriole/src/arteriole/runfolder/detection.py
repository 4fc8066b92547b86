"""Sees run folders come, grow and go: the kernel's notifications, and a reconciling scan always.

NFS and CIFS send no notifications, so the scan alone must find everything; they only make it quick.
"""

import asyncio
import math
import os
import time
from dataclasses import replace
from pathlib import Path

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from arteriole.app.names import is_identifier
from arteriole.illumina import run_file
from arteriole.illumina.run_folder import MARKERS
from arteriole.runfolder.quiet import Pace, Quiet, Watch
from arteriole.runfolder.runs import Run, Runs, storable
from arteriole.runfolder.settings import RUN_FOLDER, Readiness, RunfolderSettings
from arteriole.runfolder.sheets import SheetLookupError, Sheets
from arteriole.runfolder.sighting import SHEET, Sighting
from arteriole.runfolder.states import RunState
from arteriole.runfolder.succession import Place, next_after, place
from arteriole.runfolder.verdict import (
    AT_REST,
    Rules,
    Verdict,
    VerdictKind,
    examine_marker,
    judge,
    unreachable,
)

#: What is judged for good: it is only looked whether the folder is still there.
SETTLED = frozenset({VerdictKind.COMPLETE, VerdictKind.REFUSED})

#: Seconds between two scans at least.
SHORTEST_PAUSE = 0.05
#: Seconds that a scan may take at least.
SHORTEST_SCAN = 1.0

log = structlog.get_logger()


class Detector:
    """Registers and judges the folders directly below the monitored directories."""

    def __init__(self, runs: Runs, settings: RunfolderSettings, sheets: Sheets) -> None:
        self._runs = runs
        self._sheets = sheets
        self._settings = settings
        self._wake = asyncio.Event()
        self._watcher = _Watcher(self._wake)
        self._scanning = asyncio.Lock()
        self._judging = asyncio.Lock()
        self._watches: dict[Path, Watch] = {}  # of the open runs
        self._places: dict[Path, Place] = {}  # of every run in its instrument's succession
        self._looked: dict[Path, float] = {}
        self._is_unfinished = False  # the last scan left folders to the next
        self.unreachable: dict[Path, str] = {}
        self.trouble: str | None = None  # why the last scan failed

    async def run(self) -> None:
        self._watcher.start(asyncio.get_running_loop(), self._settings.monitored_directories)
        try:
            while True:
                self._wake.clear()
                try:
                    await self.scan(max(self._settings.scan_interval, SHORTEST_SCAN))
                    self.trouble = None
                except Exception as err:  # a full disk, say: the next scan may succeed
                    log.exception("a scan failed")
                    self.trouble = str(err) or type(err).__name__
                try:
                    async with asyncio.timeout(self._pause()):
                        await self._wake.wait()
                    await asyncio.sleep(0.05)  # one deed makes several notifications
                except TimeoutError:
                    pass
        finally:
            self._watcher.stop()

    def _pause(self) -> float:
        """Seconds until the next scan: sooner than usual when a quiet period ends before."""
        if self._is_unfinished:
            return SHORTEST_PAUSE
        due = [watch.due_in() for watch in self._watches.values()]
        soonest = min((seconds for seconds in due if seconds is not None), default=math.inf)
        return min(self._settings.scan_interval, max(SHORTEST_PAUSE, soonest))

    async def scan(self, limit: float = math.inf) -> None:
        """Look at every folder once; what is settled is not read again.

        Args:
            limit: about so many seconds; the folders that are left wait for the next scan, so that
                one which comes meanwhile does not wait for hundreds of old ones. New ones come
                first, those that were looked at long ago before others.
        """
        async with self._scanning:
            present: set[Path] = set()
            known = {run.path for run in self._runs.all()}
            for directory in self._settings.monitored_directories:
                found = await asyncio.to_thread(self._folders, directory)
                present.update(map(storable, found))
                for path in found:
                    # A client of Arteria's API may have asked for it meanwhile.
                    if storable(path) not in known and self._runs.by_path(path) is None:
                        self.register(path)
                        await asyncio.sleep(0)  # others want the loop between two transactions
            if not self._runs.first_scan_done() and not self.unreachable:
                self._runs.note_first_scan()
            runs = self._runs.all()
            self._places = {
                run.path: place(run.name, run.evidence)
                for run in runs
                if run.verdict is not VerdictKind.REFUSED
            }
            in_doubt = [
                run for run in runs if run.verdict not in SETTLED or run.path not in present
            ]
            new = [run for run in reversed(in_doubt) if run.path not in self._looked]
            again = [run for run in in_doubt if run.path in self._looked]
            again.sort(key=lambda run: self._looked[run.path])
            in_time = [await self._judge_all(group, limit / 2) for group in (again, new)]
            self._is_unfinished = not all(in_time)

    async def _judge_all(self, runs: list[Run], limit: float) -> bool:
        """Judge these in turn, one at least; False if it took too long to judge all."""
        end = time.monotonic() + limit
        for number, run in enumerate(runs):
            if number and time.monotonic() > end:
                return False
            self._looked[run.path] = time.monotonic()
            try:
                await self.judge(run)
            except OSError as err:  # one folder must not hide the others
                log.warning("not judged", path=str(run.path), error=str(err))
        return True

    def _removed(self, path: Path) -> bool:
        """Its monitored directory can be read and does not have it."""
        if path.parent in self.unreachable or not _is_dir(path.parent):
            return False
        return not os.path.lexists(path)

    def _folders(self, directory: Path) -> list[Path]:
        try:
            found = sorted(entry for entry in directory.iterdir() if _is_run_folder(entry))
        except OSError as err:
            if directory not in self.unreachable:
                log.error("a monitored directory cannot be read", directory=str(directory))
            self.unreachable[directory] = err.strerror or str(err)
            return []
        self.unreachable.pop(directory, None)
        return found

    def register(self, path: Path) -> Run:
        """Write a folder that is new; Arteria's own state of it is read once, now."""
        adopted = self._settings.adopt_existing or self._runs.first_scan_done()
        state = None
        if self._settings.readiness is Readiness.MARKER:
            state = _arteria_state(path)
        return self._runs.register(path, adopted=adopted, arteria_state=state)

    async def judge(self, run: Run) -> None:
        async with self._judging:
            if run.verdict is VerdictKind.REFUSED:
                if await asyncio.to_thread(self._removed, run.path):
                    self._runs.forget(run)
                return
            if run.verdict in SETTLED and await asyncio.to_thread(_is_dir, run.path):
                return
            verdict = await self._examine(run)
            self._runs.judged(run, verdict)
        if verdict.kind in SETTLED:
            self._watches.pop(run.path, None)
            self._sheets.forget(run.name)
        if verdict.kind in SETTLED or verdict.kind is VerdictKind.UNREACHABLE:
            self._watcher.unwatch(run.path)
        else:
            self._watcher.watch(run.path)

    def _pace(self, instrument: str) -> Pace:
        settings = self._settings
        settle = settings.settle(instrument)
        return Pace(settle, settings.stalled_after, settings.recheck_seconds)

    def _rules(self, instrument: str) -> Rules:
        settings = self._settings
        settle = settings.settle(instrument)
        return Rules(settle, settings.stalled_after, settings.require_sheet)

    async def _examine(self, run: Run) -> Verdict:
        if self._settings.readiness is Readiness.MARKER:
            grace = self._settings.completed_marker_grace_minutes
            return await asyncio.to_thread(examine_marker, run.path, grace, time.time())
        seen = await asyncio.to_thread(self._look, run)
        if isinstance(seen, Verdict):
            return seen
        return self._judge(run, *await self._with_sheet(run, *seen))

    async def _with_sheet(self, run: Run, seen: Sighting, quiet: Quiet) -> tuple[Sighting, Quiet]:
        """With the sheet that counts, if it may come from elsewhere."""
        if not self._sheets.is_elsewhere or seen.info is None or not is_identifier(run.name):
            return seen, quiet
        flowcell = seen.info.flowcell
        described = self._sheets.described(run.name, flowcell)
        in_folder = seen.sheet is not None and not seen.sheet.is_empty
        try:
            found = await self._sheets.find(
                run.name, flowcell, in_folder=in_folder, ask=seen.is_whole
            )
        except SheetLookupError as err:
            return replace(seen, sheet=None, sheet_elsewhere=described, sheet_error=err), quiet
        if found is None:
            return replace(seen, sheet_elsewhere=described), quiet
        if found.source == RUN_FOLDER:
            return seen, quiet
        return replace(seen, sheet=found.summary(), sheet_source=found.source), quiet

    def _look(self, run: Run) -> tuple[Sighting, Quiet] | Verdict:
        """NB: on another thread, one at a time."""
        watch = self._watches.get(run.path)
        if watch is None:
            rested = run.evidence if run.verdict in AT_REST else None
            watch = self._watches[run.path] = Watch(run.path, self._pace(run.instrument), rested)
        try:
            return watch.look()
        except OSError as err:
            return unreachable(run.path, err)

    def _judge(self, run: Run, seen: Sighting, quiet: Quiet) -> Verdict:
        watch = self._watches[run.path]
        instrument = seen.info.instrument if seen.info else run.instrument
        watch.pace = self._pace(instrument)
        later = ""
        if quiet.seconds >= self._settings.stalled_after:
            later = next_after(place(run.name, run.evidence), list(self._places.values()))
        verdict = judge(seen, quiet, self._rules(instrument), later)
        watch.at_rest = verdict.kind in AT_REST
        return verdict


def _is_run_folder(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    try:
        return path.is_dir() and not path.is_symlink()
    except OSError:  # one stale handle must not hide the others
        return False


def _is_dir(path: Path) -> bool:
    """Whether it can be seen to be one; a mount that fails is no reason to stop."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _arteria_state(path: Path) -> str | None:
    """The state that Arteria left in `.arteria/state`, if it is one."""
    try:
        with run_file.open_file(path / ".arteria" / "state") as file:
            return RunState(file.read(100).decode("ascii").strip()).value
    except (OSError, ValueError):
        return None


class _Watcher(FileSystemEventHandler):
    """Sets `wake` when a monitored directory or the top of an open run folder changes."""

    def __init__(self, wake: asyncio.Event) -> None:
        self._wake = wake
        self._loop: asyncio.AbstractEventLoop | None = None
        self._observer: BaseObserver | None = None
        self._watches: dict[Path, ObservedWatch] = {}
        self._tops: set[str] = set()

    def start(self, loop: asyncio.AbstractEventLoop, directories: list[Path]) -> None:
        self._loop = loop
        self._observer = Observer()
        self._observer.start()
        for directory in directories:
            self._tops.add(str(directory))
            self.watch(directory)

    def watch(self, path: Path) -> None:
        if self._observer is None or path in self._watches:
            return
        try:
            self._watches[path] = self._observer.schedule(self, str(path), recursive=False)
        except OSError as err:  # the kernel's limit of watches, or the folder went away
            log.warning("no notifications; the scan sees it", path=str(path), error=str(err))

    def unwatch(self, path: Path) -> None:
        watch = self._watches.pop(path, None)
        if watch is not None and self._observer is not None:
            self._observer.unschedule(watch)

    def stop(self) -> None:
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(5)

    def on_any_event(self, event: FileSystemEvent) -> None:
        """NB: on the observer's thread. Only new folders and changed markers are news."""
        if event.event_type in ("opened", "closed_no_write"):
            return
        path = Path(str(event.dest_path or event.src_path))
        if (
            path.name in MARKERS
            or path.name in ("RunInfo.xml", "Data", SHEET)
            or str(path.parent) in self._tops
        ) and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)
