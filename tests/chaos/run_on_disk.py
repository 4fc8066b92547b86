"""A run folder on disk that changes, and what is said of it while a clock is moved by hand."""

import shutil
from pathlib import Path

from arteriole.runfolder.quiet import Pace, Watch
from arteriole.runfolder.verdict import AT_REST, Rules, Verdict, VerdictKind, judge
from tests.chaos.base_runs import Files

SETTLE, STALLED, RECHECK = 5.0, 4 * 3600.0, 60.0
_PACE = Pace(SETTLE, STALLED, RECHECK)
_RULES = Rules(SETTLE, STALLED)


class RunOnDisk:
    """Writes only what differs from what is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: Files = {}

    def clear(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        self.files = {}

    def become(self, files: Files) -> None:
        """Make `files` the content of the folder; what is new comes in their order."""
        for path in [path for path in self.files if path not in files]:
            self.remove(path)
        for path, content in files.items():
            if self.files.get(path) is not content:
                self.put(path, content)

    def put(self, path: str, content: bytes) -> None:
        place = self.path / path
        try:
            place.write_bytes(content)
        except FileNotFoundError:
            place.parent.mkdir(parents=True)
            place.write_bytes(content)
        self.files[path] = content

    def remove(self, path: str) -> None:
        (self.path / path).unlink()
        del self.files[path]

    def rename(self, old: str, new: str) -> None:
        (self.path / old).rename(self.path / new)
        self.files[new] = self.files.pop(old)

    def prune(self) -> None:
        """Take away the folders in which nothing is."""
        for place in sorted(self.path.rglob("*"), reverse=True):
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()


class Watched:
    """A folder as the runfolder service follows it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 1000.0
        self._watch = self._new()
        self._verdict: Verdict | None = None

    def _new(self, rested: Verdict | None = None) -> Watch:
        evidence = rested.evidence if rested and rested.kind in AT_REST else None
        return Watch(self.path, _PACE, evidence, clock=lambda: self.now, wall=lambda: self.now)

    def after(self, seconds: float) -> Verdict:
        self.now += seconds
        seen, quiet = self._watch.look()
        self._verdict = judge(seen, quiet, _RULES)
        self._watch.at_rest = self._verdict.kind in AT_REST
        return self._verdict

    def restart(self) -> None:
        """Another process goes on with what was written down."""
        self._watch = self._new(self._verdict)

    def in_the_end(self) -> list[VerdictKind]:
        """Until every file was looked at again and nothing has changed since; and much later."""
        pauses = (SETTLE + 1, RECHECK + 1, SETTLE + 1, STALLED)
        return [self.after(pause).kind for pause in pauses]
