"""Where the sample sheet of a run is looked up: its folder, a drop folder, a program; in order."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from arteriole.app import program
from arteriole.app.aside import SilentError, answered
from arteriole.app.errors import ArterioleError
from arteriole.app.names import is_identifier
from arteriole.app.program import ProgramError
from arteriole.illumina import run_file
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.sample_sheet import parse
from arteriole.runfolder.settings import RUN_FOLDER, DropFolder, SheetProgram, SheetSource
from arteriole.runfolder.sighting import Sheet

#: Bytes of a sheet from elsewhere; it travels in the body of a request.
LIMIT = 512 * 1024
#: Exit code of a program that has no sheet for the run (yet); printing nothing says the same.
NONE_YET = 3
#: Seconds for which a file in a drop folder has not changed, as we see it, before it is taken.
SETTLE = 3.0
#: Seconds in which a drop folder must answer.
PATIENCE = 10.0
#: Seconds between two questions to a program about a run that it had no sheet for.
ASKED_AGAIN = 60.0


class SheetLookupError(ArterioleError):
    """A place that may have the sheet cannot say; the next one might have a wrong one."""

    code = "run.sheet_lookup"
    status = 503


@dataclass(frozen=True)
class Found:
    """A sheet, and `source`: run_folder, or the drop folder or program that has it.

    `data` is None for the one in the run folder, which every service reads there itself.
    """

    source: str
    data: bytes | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data or b"").hexdigest()

    def summary(self) -> Sheet:
        """Raises nothing: a sheet that cannot be read has no count of samples."""
        assert self.data is not None
        try:
            ids = {sample.sample_id for sample in parse(self.data).samples}
        except ArterioleError as err:
            return Sheet(err.code == "sheet.empty", None)
        return Sheet(False, len(ids))


class Sheets:
    """Looks in the places of the site's configuration, in their order."""

    def __init__(self, places: list[SheetSource]) -> None:
        self._places = places
        self._asked: dict[tuple[str, str], tuple[float, bytes | None]] = {}
        self._folders = {
            place.folder: _DropFolder(place.folder)
            for place in places
            if isinstance(place, DropFolder)
        }

    @property
    def is_elsewhere(self) -> bool:
        """A sheet may come from another place than the run folder."""
        return self._places != [RUN_FOLDER]

    def until(self, source: str) -> list[str]:
        """The places that come before `source`, and itself: a sheet there would count."""
        named = [_name(place) for place in self._places]
        return named[: named.index(source) + 1]

    def described(self, run: str, flowcell: str) -> str:
        """Where else a sheet is looked for, for a message; empty if nowhere."""
        told = [
            f"{place.folder}/{flowcell or run}.csv"
            if isinstance(place, DropFolder)
            else f"what {place.command[0]} prints"
            for place in self._places
            if not isinstance(place, str)
        ]
        return " or ".join(told)

    async def find(
        self, run: str, flowcell: str, *, in_folder: bool, ask: bool = True, anew: bool = False
    ) -> Found | None:
        """The first place's sheet; None if none has it.

        Args:
            in_folder: the run folder has a sheet that is not empty.
            ask: programs too; otherwise only what they said before is known.
            anew: what a program said before does not count.

        Raises:
            SheetLookupError: a place that comes first cannot say.
        """
        for place in self._places:
            if isinstance(place, str):
                if in_folder:
                    return Found(RUN_FOLDER)
                continue
            if isinstance(place, DropFolder):
                data = await self._dropped(place.folder, run, flowcell)
            else:
                data = await self._printed(place, run, flowcell, ask, anew)
            if data:
                return Found(_name(place), data)
        return None

    async def _dropped(self, folder: Path, run: str, flowcell: str) -> bytes | None:
        try:
            return await answered(self._folders[folder].find, run, flowcell, limit=PATIENCE)
        except SilentError as err:
            raise _cannot_say(str(folder), "its file system does not answer") from err

    async def _printed(
        self, place: SheetProgram, run: str, flowcell: str, ask: bool, anew: bool
    ) -> bytes | None:
        key = (place.command[0], run)
        asked, known = self._asked.get(key, (float("-inf"), None))
        if not ask or (not anew and (known or time.monotonic() < asked + ASKED_AGAIN)):
            return known
        values = {"{run}": run, "{flowcell}": flowcell}
        argv = [values.get(part, part) for part in place.command]
        try:
            code, output, errors = await program.answer(argv, place.timeout, LIMIT)
        except ProgramError as err:
            raise _cannot_say(argv[0], str(err)) from err
        if code not in (0, NONE_YET):
            told = f": {errors}" if errors else ""
            raise _cannot_say(argv[0], f"it ended with {code}{told}")
        found = output if code == 0 and output.strip() else None
        self._asked[key] = (time.monotonic(), found)
        return found

    def forget(self, run: str) -> None:
        """What programs said of a run that is over."""
        for key in [key for key in self._asked if key[1] == run]:
            del self._asked[key]


class _DropFolder:
    """Where people put sheets, as `<run>.csv` or `<flow cell>.csv`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}

    def find(self, run: str, flowcell: str) -> bytes | None:
        """NB: on another thread. Both names only if they hold the same."""
        try:
            if not self._folder.is_dir():
                raise _cannot_say(str(self._folder), "the folder is not there")
            found = {}
            for name in dict.fromkeys((run, flowcell)):
                path = self._folder / f"{name}.csv"
                if is_identifier(name) and (data := self._read(path)):
                    found[path.name] = data
        except OSError as err:
            where = str(err.filename or self._folder)
            raise _cannot_say(where, err.strerror or str(err)) from err
        if len(set(found.values())) > 1:
            raise _cannot_say(str(self._folder), f"{' and '.join(found)} differ")
        return next(iter(found.values()), None)

    def _read(self, path: Path) -> bytes | None:
        """None where there is nothing; NB: half a sheet names half of the samples."""
        try:
            stat = path.lstat()
        except FileNotFoundError:
            self._seen.pop(path, None)
            return None
        if not S_ISREG(stat.st_mode):
            raise _cannot_say(str(path), "it is no file")
        now, state = time.monotonic(), (stat.st_size, stat.st_ctime_ns)
        seen, since = self._seen.get(path, (None, now))
        if seen != state:
            since = now
        self._seen[path] = (state, since)
        if now - since < SETTLE:
            raise _cannot_say(str(path), "it was written a moment ago")
        try:
            data = run_file.read(path, LIMIT)
        except RunDataError as err:
            raise _cannot_say(str(path), str(err)) from err
        return data if data.strip() else None


def _name(place: SheetSource) -> str:
    """As `Found.source` has it."""
    if isinstance(place, str):
        return RUN_FOLDER
    if isinstance(place, DropFolder):
        return f"folder {place.folder}"
    return f"program {place.command[0]}"


def _cannot_say(where: str, what: str) -> SheetLookupError:
    return SheetLookupError(
        f"the sheet cannot be looked up: {where}: {what}",
        hint="mend it, or take it out of runfolder.sheets; it is looked up again by itself",
    )
