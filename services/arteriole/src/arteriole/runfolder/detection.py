"""Sees run folders come, grow and go: the kernel's notifications, and a reconciling scan always.

NFS and CIFS send no notifications, so the scan alone must find everything; they only make it quick.
Each monitored directory has tasks, threads and a rate of its own: one that hangs stops no other.
"""

import asyncio
import contextlib
import math
import os
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import structlog

from arteriole.app.aside import answered, aside
from arteriole.app.names import is_identifier
from arteriole.app.rate import InterruptedReadingError
from arteriole.illumina import reading, run_file
from arteriole.illumina.calls_size import cycle_size
from arteriole.illumina.run_folder import RunFolder
from arteriole.runfolder import absence
from arteriole.runfolder.copies import Copies
from arteriole.runfolder.directories import Directories, Location, opened
from arteriole.runfolder.landing import Landing
from arteriole.runfolder.measuring import MEASURED, Measuring
from arteriole.runfolder.quiet import Pace, Quiet, Watch
from arteriole.runfolder.runs import SETTLED, Run, Runs, stored
from arteriole.runfolder.settings import RUN_FOLDER, Readiness, RunfolderSettings
from arteriole.runfolder.sheets import SheetLookupError, Sheets
from arteriole.runfolder.sighting import SAFELY_PAST, SIGNS_OF_A_RUN, Sighting
from arteriole.runfolder.states import RunState
from arteriole.runfolder.succession import next_after, place
from arteriole.runfolder.tempo import Rise, Tempo, tempo, written
from arteriole.runfolder.verdict import (
    AT_REST,
    Rules,
    Verdict,
    VerdictKind,
    examine_marker,
    judge,
    unreachable,
)

#: So many folders are compared with the store before others get the loop.
PAGE = 250
#: A directory that was changed so many seconds ago may be changed again at the same time, as its
#: file system tells it.
RESTED = 2.0
#: Seconds between two scans at least.
SHORTEST_PAUSE = 0.05
#: Seconds that a scan may take at least.
SHORTEST_SCAN = 1.0
#: Seconds for which whoever asks for a scan waits for it at most.
PATIENCE = 10.0
#: How large a cycle is, is looked at once in so many cycles.
SIZES_EVERY = 10
#: Folders that file systems have of themselves, and that may be read by nobody.
OF_FILE_SYSTEMS = frozenset({"lost+found", "System Volume Information"})
#: Seconds in which one deed makes several notifications.
ONE_DEED = 0.03

Mark = tuple[int, int, int]


class Listing(NamedTuple):
    """What a monitored directory was when it was listed."""

    location: Location
    mark: Mark | None  # what tells a change of its entries
    folders: list[str]


log = structlog.get_logger()


class Detector:
    """Registers and judges the folders directly below the monitored directories."""

    def __init__(
        self,
        runs: Runs,
        settings: RunfolderSettings,
        sheets: Sheets,
        measuring: Measuring | None = None,
        copies: Copies | None = None,
    ) -> None:
        self._runs = runs
        self._copies = copies
        self._sheets = sheets
        self._measuring = measuring
        self._settings = settings
        self._landings = {
            directory: Landing(directory, settings, self._look_soon)
            for directory in settings.monitored_directories
        }
        self._directories = Directories(runs.store, settings.monitored_directories)
        self._watches: dict[Path, Watch] = {}  # of the open runs
        self._turns: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()
        self._soon: dict[Path, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._written: dict[Path, list[tuple[int, float]]] = {}  # as the cycles were at first sight
        self._sizes: dict[Path, tuple[int, int]] = {}  # (cycle, bytes of its base calls)
        self._looked: dict[Path, float] = {}
        self._refreshing = asyncio.Lock()
        self._refreshed = -math.inf  # when the last refresh began

    @property
    def unreachable(self) -> dict[Path, str]:
        """The monitored directories that cannot be read, and why."""
        found = {path: landing.trouble_reading for path, landing in self._landings.items()}
        return {path: why for path, why in found.items() if why is not None}

    @property
    def trouble(self) -> str | None:
        """Why the last scan of a directory failed."""
        return next((one.trouble for one in self._landings.values() if one.trouble), None)

    def notes(self) -> list[str]:
        """What a person should know of the directories though nothing is wrong."""
        notes = [one.notes(self._settings.scan_interval) for one in self._landings.values()]
        return list(dict.fromkeys(note for some in notes for note in some))

    def directories(self) -> dict[str, Any]:
        return {str(path): landing.document() for path, landing in self._landings.items()}

    def paused(self, run: Run) -> str:
        """Why the base calls of an open run are not read just now; else empty."""
        return "" if run.verdict in SETTLED else self._landing(run.path).paused

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for landing in self._landings.values():
            landing.start(loop)
        try:
            async with asyncio.TaskGroup() as group:
                for landing in self._landings.values():
                    group.create_task(self._follow(landing))
        finally:
            self._stop()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _stop(self) -> None:
        """NB: whoever reads ends by itself; what hangs is left behind."""
        for landing in self._landings.values():
            landing.stop()
        for timer in self._soon.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()

    async def _follow(self, landing: Landing) -> None:
        """Scan one directory again and again."""
        while True:
            landing.wake.clear()
            try:
                await self._scan(landing, max(self._settings.scan_interval, SHORTEST_SCAN))
                landing.trouble = None
            except Exception as err:  # a full disk, say: the next scan may succeed
                log.exception("a scan failed", directory=str(landing.directory))
                landing.trouble = str(err) or type(err).__name__
            pause = SHORTEST_PAUSE if landing.is_unfinished else self._settings.scan_interval
            try:
                async with asyncio.timeout(max(SHORTEST_PAUSE, pause)):
                    await landing.wake.wait()
            except TimeoutError:
                pass

    def _landing(self, path: Path) -> Landing:
        """The one that a run lies in; the first, if its directory is not monitored any more."""
        return self._landings.get(path.parent) or next(iter(self._landings.values()))

    async def scan(self, limit: float = math.inf) -> None:
        """Look at every folder once; what is settled is not read again.

        Args:
            limit: about so many seconds a directory; the folders that are left wait for the next
                scan, so that one which comes meanwhile does not wait for hundreds of old ones. New
                ones come first, those that were looked at long ago before others.
        """
        await self._scan_all(list(self._landings.values()), limit)

    async def _scan_all(self, landings: list[Landing], limit: float) -> None:
        answering = [one for one in landings if not one.hangs]
        scans = [asyncio.create_task(self._scan(landing, limit)) for landing in answering]
        done, late = await asyncio.wait(scans, timeout=PATIENCE) if scans else (set(), set())
        for scan in late:
            scan.cancel()
        for scan in done:
            scan.result()

    async def refresh(self) -> None:
        """What a scan would find now, but a directory that has not changed is not listed again.

        It serves those too that ask while they wait for it.
        """
        asked = time.monotonic()
        async with self._refreshing:
            if self._refreshed > asked:
                return
            self._refreshed = time.monotonic()
            answering = [one for one in self._landings.values() if not one.hangs]
            changed = [one for one in answering if not await self._is_as_listed(one)]
            await self._scan_all(changed, math.inf)
            same = {one.directory: one for one in answering if one not in changed}
            doubted: dict[Path, list[Path]] = {path: [] for path in same}
            for doubt in self._runs.in_doubt():
                directory = self._landing(doubt.path).directory
                if doubt.reachable and directory in same:
                    doubted[directory].append(doubt.path)
            for directory, paths in doubted.items():
                await self._judge_all(same[directory], paths, PATIENCE)

    async def _is_as_listed(self, landing: Landing) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                mark = await aside(_mark, landing.directory)
        except TimeoutError:
            return False
        return mark is not None and mark == landing.listed

    async def _scan(self, landing: Landing, limit: float) -> None:
        async with landing.scanning:
            present = await self._register_new(landing)
            in_doubt = [
                doubt.path
                for doubt in self._runs.in_doubt()
                if self._landing(doubt.path) is landing
                and not (doubt.gone and present and str(doubt.path) not in present)
            ]
            in_doubt += [path async for path in self._vanished(landing, present)]
            new = [path for path in reversed(in_doubt) if path not in self._looked]
            again = [path for path in in_doubt if path in self._looked]
            again.sort(key=lambda path: self._looked[path])
            in_time = [await self._judge_all(landing, group, limit / 2) for group in (again, new)]
            landing.is_unfinished = not all(in_time)
            landing.review()

    async def _vanished(self, landing: Landing, present: set[str]) -> AsyncIterator[Path]:
        """Those that are judged for good, and are not where they were."""
        for page in self._runs.settled(PAGE):
            for path in page:
                if path not in present and self._landing(Path(path)) is landing:
                    yield Path(path)
            await asyncio.sleep(0)

    async def _register_new(self, landing: Landing) -> set[str]:
        """The paths of the folders that are there, as they stand in the store."""
        listing = await aside(self._list, landing)
        if listing is None:
            landing.listed = None
            return set()
        is_new = self._directories.is_scanned(landing.directory, listing.location)
        present: set[str] = set()
        for start in range(0, len(listing.folders), PAGE):
            page = {stored(path): path for path in listing.folders[start : start + PAGE]}
            present.update(page)
            for unknown in self._runs.unknown(list(page)):
                # A client of Arteria's API may have asked for it meanwhile.
                path = Path(page[unknown])
                if self._runs.by_path(path) is None:
                    self._register(path, is_new=is_new)
                await asyncio.sleep(0)  # others want the loop between two transactions
            await asyncio.sleep(0)
        landing.listed = listing.mark if present else None
        # NB: last, so that a first scan that is cut off is a first scan again.
        if self._directories.note_scan(landing.directory, listing.location, is_empty=not present):
            log.info("first scan", directory=str(landing.directory), folders=len(present))
        return present

    async def _judge_all(self, landing: Landing, paths: list[Path], limit: float) -> bool:
        """Judge these, one at least; False if it took too long to judge all."""
        end = time.monotonic() + limit
        tasks = []
        for number, path in enumerate(paths):
            if self._is_looked_at(path):
                continue
            left = max(end - time.monotonic(), 0.0 if number else SHORTEST_SCAN)
            if not left or not await _acquired(landing.scanned, left):
                break
            self._looked[path] = time.monotonic()
            tasks.append(self._begin(self._judge_in_scan(landing, path)))
        else:
            number = len(paths)
        if tasks:
            left = max(end - time.monotonic(), SHORTEST_SCAN)
            await asyncio.wait(tasks, timeout=None if math.isinf(left) else left)
        for task in tasks:
            if task.done() and not task.cancelled():
                task.result()
        return number == len(paths)

    async def _judge_in_scan(self, landing: Landing, path: Path) -> None:
        run = self._runs.by_path(path)
        try:
            if run is not None:
                await self.judge(run)
        except OSError as err:  # one folder must not hide the others
            log.warning("not judged", path=str(path), error=str(err))
        finally:
            landing.scanned.release()

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        err = None if task.cancelled() else task.exception()
        if err is not None and not isinstance(err, InterruptedReadingError):
            log.warning("a look failed; the next scan looks again", error=str(err))

    def _list(self, landing: Landing) -> Listing | None:
        """None if the directory cannot be read. NB: on another thread."""
        directory = landing.directory
        try:
            with landing.look(directory):
                landing.note_file_system()
                landing.notifications.watch(directory)  # NB: first, see _look_at
                mark = _mark(directory)
                with opened(directory) as descriptor:
                    location = Location.of(descriptor)
                    with os.scandir(descriptor) as entries:
                        names = sorted(e.name for e in entries if _is_run_folder(e, directory))
                reading.looked(1)
        except OSError as err:
            if landing.unreachable is None:
                log.error("a monitored directory cannot be read", directory=str(directory))
            landing.unreachable = err.strerror or str(err)
            return None
        landing.unreachable = None
        top = str(directory).rstrip("/")
        return Listing(location, mark, [f"{top}/{name}" for name in names])

    async def meet(self, path: Path) -> Run:
        """The run of a folder that a client asks for, though no scan may have seen it yet."""
        run = self._runs.by_path(path)
        if run is None:
            location = await answered(Location.around, path)
            is_new = location is not None and self._directories.is_scanned(path.parent, location)
            run = self._runs.by_path(path) or self._register(path, is_new=is_new)
        return run

    def _register(self, path: Path, *, is_new: bool) -> Run:
        """Write a folder that is not known; Arteria's own state of it is read once, now.

        Unless `is_new`, it was there at the first scan of its directory.
        """
        state = None
        if self._settings.readiness is Readiness.MARKER:
            state = _arteria_state(path)
        adopted = self._settings.adopt_existing or is_new
        return self._runs.register(path, adopted=adopted, arteria_state=state)

    def _look_soon(self, landing: Landing, path: Path, seconds: float = ONE_DEED) -> None:
        """Look at one folder without a scan: something was heard of it, or a quiet period ends."""
        loop = asyncio.get_running_loop()
        known = self._soon.get(path)
        if known is not None and known.when() <= loop.time() + seconds:
            return
        if known is not None:
            known.cancel()

        def begin() -> None:
            self._soon.pop(path, None)
            self._begin(self._look(landing, path))

        self._soon[path] = loop.call_later(seconds, begin)

    async def _look(self, landing: Landing, path: Path) -> None:
        run = self._runs.by_path(path)
        if run is None and not path.name.startswith(".") and await aside(_may_be_a_run, path):
            location = await aside(Location.around, path)
            run = self._runs.by_path(path)
            if run is None and location is not None:
                if self._directories.is_scanned(landing.directory, location):
                    run = self._register(path, is_new=True)
                else:
                    landing.wake.set()  # what was there before the first scan is another thing
        if run is not None and run.verdict is VerdictKind.REFUSED:
            landing.wake.set()  # its path may not be what is stored
        elif run is not None:
            await self.judge(run)

    def _is_looked_at(self, path: Path) -> bool:
        turn = self._turns.get(path)
        return turn is not None and turn.locked()

    async def judge(self, run: Run) -> None:
        """Look at a run and record what is found; in turn, if it is looked at already."""
        path = run.path
        turn = self._turns.setdefault(path, asyncio.Lock())
        landing = self._landing(path)
        async with turn, landing.place(run):
            known = self._runs.by_path(path)
            if known is not None:
                await self._judge(landing, known)

    async def look_again(self, run: Run) -> None:
        """Judge it for whoever asks, if its folder answers in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.judge(run)

    async def _judge(self, landing: Landing, run: Run) -> None:
        path = run.path
        if run.verdict is VerdictKind.REFUSED:
            if await aside(self._removed, landing, path) or not await aside(_may_be_a_run, path):
                self._runs.forget(run)
            return
        if run.verdict in SETTLED and await aside(_is_dir, path):
            return
        verdict, seen = await self._examine(landing, run)
        await self._hold_copy(run, verdict)
        self._runs.judged(run, verdict)
        self._note_cycles(landing, path, verdict, seen)
        news = verdict.kind is not run.verdict and verdict.kind in MEASURED
        if news and run.adopted and self._measuring is not None:
            self._measuring.ask(path)
        if verdict.kind in SETTLED or verdict.kind is VerdictKind.UNREACHABLE:
            self._watches.pop(path, None)
            self._sheets.forget(run.name)
            await aside(landing.notifications.unwatch, path)
        watch = self._watches.get(path)
        due = None if watch is None else watch.due_in()
        if due is not None and landing.is_running:
            self._look_soon(landing, path, max(SHORTEST_PAUSE, due))

    async def _hold_copy(self, run: Run, verdict: Verdict) -> None:
        """NB: before it is told as ready, and anew after each wait: another may be read then.
        A folder that was only renamed is no copy.
        """
        gone: set[Path] = set()
        while self._copies is not None:
            twins = [one for one in self._copies.twins(run, verdict) if one.path not in gone]
            if not twins:
                return
            if twins[0].is_claimed or await _may_be_there(twins[0].path):
                self._copies.hold(run, twins[0])
                return
            gone.add(twins[0].path)

    def _note_cycles(
        self, landing: Landing, path: Path, verdict: Verdict, seen: Sighting | None
    ) -> None:
        if verdict.kind is VerdictKind.SEQUENCING and seen is not None and seen.info is not None:
            landing.cycles.note(path, seen.info, seen.cycles_seen, time.monotonic())
        else:
            landing.cycles.forget(path)
        landing.review()

    def _removed(self, landing: Landing, path: Path) -> bool:
        """Its monitored directory can be read and does not have it."""
        if landing.unreachable is not None or not _is_dir(path.parent):
            return False
        return not os.path.lexists(path)

    async def _examine(self, landing: Landing, run: Run) -> tuple[Verdict, Sighting | None]:
        """NB: one at a time of each run."""
        looked = await aside(self._look_at, landing, run)
        if isinstance(looked, Verdict):
            return looked, None
        seen, quiet = looked
        seen = await self._with_sheet(run, seen)
        later = ""
        if quiet.seconds >= self._settings.stalled_after:
            here = place(run.name, run.evidence)
            later = next_after(here, self._runs.places(here.serial))
        rises = self._runs.rises(run)
        return await aside(self._conclude, landing, run, seen, quiet, rises, later), seen

    def _look_at(self, landing: Landing, run: Run) -> tuple[Sighting, Quiet] | Verdict:
        """NB: on another thread."""
        with landing.look(run.path):
            landing.notifications.watch(run.path)  # NB: first, or a change may be heard by nobody
            try:
                verdict = absence.back(run)
            except OSError as err:
                return absence.away(run, unreachable(run.path, err))
            looked = verdict or self._found(run)
        if isinstance(looked, Verdict) and looked.kind is VerdictKind.UNREACHABLE:
            return absence.away(run, looked)
        return looked

    def _found(self, run: Run) -> tuple[Sighting, Quiet] | Verdict:
        if self._settings.readiness is Readiness.MARKER:
            grace = self._settings.completed_marker_grace_minutes
            return examine_marker(run.path, grace, time.time())
        watch = self._watches.get(run.path)
        if watch is None:
            pace = self._pace(run.instrument)
            watch = self._watches[run.path] = Watch(run.path, pace, absence.rested(run))
        try:
            return watch.look()
        except OSError as err:
            return unreachable(run.path, err)

    async def _with_sheet(self, run: Run, seen: Sighting) -> Sighting:
        """With the sheet that counts, if it may come from elsewhere."""
        if not self._sheets.is_elsewhere or seen.info is None or not is_identifier(run.name):
            return seen
        flowcell = seen.info.flowcell
        described = self._sheets.described(run.name, flowcell)
        in_folder = seen.sheet is not None and not seen.sheet.is_empty
        try:
            found = await self._sheets.find(
                run.name, flowcell, in_folder=in_folder, ask=seen.is_whole
            )
        except SheetLookupError as err:
            return replace(seen, sheet=None, sheet_elsewhere=described, sheet_error=err)
        if found is None:
            return replace(seen, sheet_elsewhere=described)
        if found.source == RUN_FOLDER:
            return seen
        return replace(seen, sheet=found.summary(), sheet_source=found.source)

    def _conclude(
        self,
        landing: Landing,
        run: Run,
        seen: Sighting,
        quiet: Quiet,
        rises: list[Rise],
        later: str,
    ) -> Verdict:
        """NB: on another thread."""
        watch = self._watches[run.path]
        instrument = seen.info.instrument if seen.info else run.instrument
        watch.pace = self._pace(instrument)
        with landing.look(run.path):
            pace = self._tempo(run, seen, rises)
            each = self._size_of_a_cycle(run, seen)
        verdict = judge(seen, quiet, self._rules(instrument), later, pace)
        if each:
            verdict = replace(verdict, evidence={**verdict.evidence, "cycle_bytes": each})
        watch.at_rest = verdict.kind in AT_REST
        return verdict

    def _tempo(self, run: Run, seen: Sighting, rises: list[Rise]) -> Tempo | None:
        """How fast its cycles came; by the file server's times where we have seen too few."""
        if seen.info is None or seen.is_marked:
            self._written.pop(run.path, None)
            return None
        if run.path not in self._written:
            lane = RunFolder(run.path).lane(seen.info.lanes[0])
            self._written[run.path] = written(lane) if seen.cycles_seen else []
        return tempo(
            seen.info, seen.cycles_seen, rises, self._settings.stuck_after, self._written[run.path]
        )

    def _size_of_a_cycle(self, run: Run, seen: Sighting) -> int:
        """Bytes of the base calls of one, the last but SAFELY_PAST; looked at anew now and then."""
        cycle = seen.cycles_seen - SAFELY_PAST
        if seen.info is None or seen.is_marked or cycle < 1:
            self._sizes.pop(run.path, None)
            return 0
        looked, size = self._sizes.get(run.path, (0, 0))
        if not size or cycle >= looked + SIZES_EVERY:
            size = cycle_size(RunFolder(run.path), seen.info, cycle)
            self._sizes[run.path] = (cycle, size)
        return size

    def _pace(self, instrument: str) -> Pace:
        settings = self._settings
        settle = settings.settle(instrument)
        return Pace(settle, settings.stalled_after, settings.recheck_seconds)

    def _rules(self, instrument: str) -> Rules:
        settings = self._settings
        settle = settings.settle(instrument)
        return Rules(settle, settings.stalled_after, settings.require_sheet)


async def _may_be_there(path: Path) -> bool:
    """False if it is no directory; NB: where nothing answers in time it may be one."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await aside(_is_dir, path)
    except TimeoutError:
        return True


async def _acquired(places: asyncio.Semaphore, seconds: float) -> bool:
    try:
        async with asyncio.timeout(None if math.isinf(seconds) else seconds):
            await places.acquire()
    except TimeoutError:
        return False
    return True


def _is_run_folder(entry: os.DirEntry[str], directory: Path) -> bool:
    if entry.name.startswith("."):
        return False
    try:
        return entry.is_dir(follow_symlinks=False) and _may_be_a_run(directory / entry.name)
    except OSError:  # one stale handle must not hide the others
        return False


def _may_be_a_run(path: Path) -> bool:
    """False of what has a name that no run may have, and holds nothing of a run: nobody would have
    to rename it. NB: where it cannot be read it may be one.
    """
    if is_identifier(path.name):
        return True
    try:
        return any(entry.name in SIGNS_OF_A_RUN for entry in path.iterdir())
    except OSError:
        return path.name not in OF_FILE_SYSTEMS


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


def _mark(directory: Path) -> Mark | None:
    """What tells a change of its entries; None if that cannot be told, or it was changed just now.

    NB: to be taken before it is listed.
    """
    try:
        found = directory.stat()
    except OSError:
        return None
    if time.time() - found.st_mtime < RESTED:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
