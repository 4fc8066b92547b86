"""What the evidence in a run folder says: is this run complete, and why?

Reads the folder, writes nothing, knows no store.
"""

import enum
import math
import shlex
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.illumina import run_parameters
from arteriole.illumina.instruments import (
    CALLING_ENDED,
    COPY_COMPLETE,
    expected_markers,
    is_verified,
)
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.run_info import FILE_NAME
from arteriole.illumina.run_status import FILE_NAME as STATUS_FILE
from arteriole.runfolder import questions, sighting
from arteriole.runfolder.quiet import Quiet, clock_skew, fingerprint, to_minutes
from arteriole.runfolder.sighting import SHEET, Sighting
from arteriole.runfolder.tempo import Tempo

NOTHING_TO_DO = "nothing: it goes on by itself when nothing more is written"
#: So many problems are named in a message.
NAMED = 3


class VerdictKind(enum.StrEnum):
    SEQUENCING = "sequencing"  # no marker yet
    STUCK = "stuck"  # no marker, and the next cycle is long overdue
    COPYING = "copying"  # marker there, but it is still being written
    INCOMPLETE = "incomplete"  # marker there and quiet, files missing or short
    STALLED = "stalled"  # no marker, and nothing has changed for long
    FAILED = "failed"  # the instrument says that the run did not end as planned
    NO_SHEET = "no_sheet"  # complete, and waiting for its sample sheet
    EMPTIED = "emptied"  # it went on, but its base calls are gone, or were never copied
    COMPLETE = "complete"
    UNREADABLE = "unreadable"  # marker there and quiet, RunInfo.xml cannot be used
    UNREACHABLE = "unreachable"  # the folder is gone or may not be read
    REFUSED = "refused"  # nothing will be done with this folder


#: What stands until something changes in the folder.
AT_REST = frozenset(
    {
        VerdictKind.INCOMPLETE,
        VerdictKind.STALLED,
        VerdictKind.FAILED,
        VerdictKind.NO_SHEET,
        VerdictKind.EMPTIED,
        VerdictKind.UNREADABLE,
    }
)


@dataclass(frozen=True)
class Verdict:
    """`message` and `hint` are for a person; `evidence` is what it rests on (JSON)."""

    kind: VerdictKind
    code: str
    message: str
    hint: str
    evidence: dict[str, Any]
    metadata: dict[str, str]

    @classmethod
    def refused(cls, code: str, message: str, hint: str) -> "Verdict":
        return cls(VerdictKind.REFUSED, code, message, hint, {}, {})


@dataclass(frozen=True)
class Rules:
    """`settle` and `stalled_after` in seconds without a change; see RunfolderSettings."""

    settle: float = 0.0
    stalled_after: float = math.inf
    require_sheet: bool = True


def examine(path: Path, settle: float = 0.0) -> Verdict:
    """Judge a run folder by one look at it.

    Args:
        settle: seconds without a change after which a copy is believed to be over. Nobody has
            watched the folder, so any but 0 says that it may still be going on, unless the marker
            came last, as an instrument writes it.
    """
    try:
        seen = sighting.look(path)
    except OSError as err:
        return unreachable(path, err)
    skew = clock_skew(seen.surface, time.time())
    return judge(seen, Quiet(clock_skew=skew), Rules(settle=settle))


def unreachable(path: Path, err: OSError) -> Verdict:
    """Nothing can be said of a folder that cannot be read; only why."""
    kind, code = VerdictKind.UNREACHABLE, "run.unreachable"
    if not isinstance(err, FileNotFoundError | NotADirectoryError) or _is_there(path):
        message = f"cannot read {err.filename or path}: {err.strerror or err}"
        hint = "check the permissions and that the file system is mounted"
        return Verdict(kind, code, message, hint, {}, {})
    parent = path.parent
    if not _has_entries(parent):
        message = f"the folder is not there, nor is anything else in {parent}"
        return Verdict(kind, code, message, f"mount the file system of {parent}", {}, {})
    message = f"the folder is not in {parent} any more; other folders there can be read"
    hint = f"bring it back; if it was removed on purpose: arteriole abort {_word(path.name)}"
    return Verdict(kind, code, message, hint, {"gone": True}, {})


def _is_there(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _has_entries(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except OSError:
        return False


def judge(
    seen: Sighting, quiet: Quiet, rules: Rules, later: str = "", tempo: Tempo | None = None
) -> Verdict:
    """What follows from a look at a run folder that has been quiet for a time.

    Args:
        later: the instrument's next run in the same place, if it has begun one.
        tempo: how fast its cycles came, if that was watched.
    """
    return _Judgement(seen, quiet, rules, later, tempo).verdict()


@dataclass(frozen=True)
class _Judgement:
    seen: Sighting
    quiet: Quiet
    rules: Rules
    later: str
    tempo: Tempo | None

    @property
    def is_settled(self) -> bool:
        return self.quiet.seconds >= self.rules.settle

    @property
    def marker(self) -> str:
        """The marker that is there, or that is expected."""
        present = [name for name in self.seen.expected_markers if name in self.seen.markers]
        return next(iter(present or self.seen.markers or self.seen.expected_markers), "its marker")

    def verdict(self) -> Verdict:
        seen = self.seen
        if seen.error is not None and seen.markers:
            return self._not_usable(seen.error)
        if seen.status is not None and seen.status.is_failure:
            return self._failed()
        if self._is_emptied:
            return self._emptied()
        if not seen.is_marked:
            return self._unmarked()
        if seen.files is None or seen.files.problem_count:
            return self._not_whole()
        return self._whole(seen.files.expected)

    def _not_usable(self, err: ArterioleError) -> Verdict:
        message = f"{self.marker} is there, but {err}"
        if not self.is_settled:
            return self._copying(message)
        if FILE_NAME not in self.seen.surface.names:
            return self._say(VerdictKind.INCOMPLETE, "run.incomplete", message, self._copy_again())
        hint = err.hint or "restore the file from the instrument; it is looked at again by itself"
        return self._say(VerdictKind.UNREADABLE, err.code, str(err), hint)

    def _failed(self) -> Verdict:
        message = f"{STATUS_FILE} says that the run did not end as planned: {self.seen.status}"
        if not self.is_settled:
            return self._copying(f"{message}; files are still being written")
        then = f"to convert what is there as a degraded attempt: {self._waive()}"
        if (files := self.seen.files) is not None:
            message += f"; {files.found} of {files.expected} files are there and whole"
            if files.filter_needed:
                message += self._filters_lost()
                then = f"copy its filter files from there, then: arteriole why {self._name()}"
        hint = f"look at the instrument {self._serial()}; {then}"
        return self._say(VerdictKind.FAILED, "run.failed", message, hint, **self._shortfall())

    @property
    def _is_emptied(self) -> bool:
        """NB: a run that is about to begin, or is being copied, has no base calls yet."""
        seen = self.seen
        still = self.quiet.seconds >= self.rules.stalled_after
        certain = seen.is_marked or seen.is_demultiplexed or still
        return seen.leaving != "" and self.is_settled and certain

    def _emptied(self) -> Verdict:
        return self._say(
            VerdictKind.EMPTIED,
            "run.emptied",
            "there are no base calls at all, though the run went on after them (it has"
            f" {self.seen.leaving}); they were removed, or never copied",
            "nothing, unless it is to be converted: then bring the base calls back from the archive"
            " or the instrument; it goes on by itself",
            leaving=self.seen.leaving,
        )

    def _unmarked(self) -> Verdict:
        info, files = self.seen.info, self.seen.files
        ended = next((name for name in CALLING_ENDED if name in self.seen.markers), None)
        tempo = None if ended else self.tempo
        still = self.quiet.seconds >= self.rules.stalled_after
        evidence: dict[str, Any] = {}
        if info is None:
            reached = f"no marker yet; {self.seen.error}"
            if not self.seen.looks_like_a_run:
                reached = f"it holds nothing of a run; {reached}"
                evidence = {"no_run": True}
        else:
            cycles, names = self.seen.cycles_seen, " or ".join(self.seen.expected_markers)
            pace = tempo.words(still=still) if tempo else ""
            reached = f"cycle {cycles} of {info.cycles}{pace}; {names} is not there yet"
            if ended:
                reached = f"base calling has ended ({ended}); {reached}"
            evidence = {"cycles": info.cycles, "cycles_seen": cycles}
            evidence |= tempo.evidence(still=still) if tempo else {}
        since = to_minutes(self.quiet.since) if self.quiet.since else ""
        if not (still and self.seen.looks_like_a_run):
            if info is not None and tempo is not None and tempo.is_stuck:
                return self._stuck(tempo, info.cycles, evidence)
            if since:
                reached += f"; no change seen since {since}"
            if ended:
                return self._copying(reached, **evidence)
            return self._say(VerdictKind.SEQUENCING, "run.sequencing", reached, "", **evidence)
        if files is not None and files.is_complete and not self._is_verified:
            return self._whole(files.expected)  # nobody knows which marker to wait for
        evidence |= self._shortfall()
        message = f"nothing has changed since {since}: {reached}{self._filters_lost()}"
        if self.later:
            return self._say(
                VerdictKind.STALLED,
                "run.superseded",
                f"{message}; {self._serial()} has begun {self.later} since",
                f"see at once whether {self._serial()} still has the run, and {self._copy_again()};"
                " how to end it if it is not wanted, its page says",
                superseded_by=self.later,
                **evidence,
            )
        hint = (
            f"look at the instrument {self._serial()} and at the copy from it; when files come, it"
            " goes on by itself"
        )
        return self._say(VerdictKind.STALLED, "run.stalled", message, hint, **evidence)

    def _stuck(self, tempo: Tempo, cycles: int, evidence: dict[str, Any]) -> Verdict:
        assert tempo.seconds is not None
        return self._say(
            VerdictKind.STUCK,
            "run.stuck",
            f"no new cycle since {to_minutes(tempo.since)}: it is at cycle {tempo.cycle} of"
            f" {cycles}, and one took {tempo.seconds / 60:.1f} min before",
            f"look at the instrument {self._serial()} and at the copy from it; it goes on by"
            " itself when the next cycle comes",
            **evidence | tempo.evidence(still=True),
        )

    def _not_whole(self) -> Verdict:
        files = self.seen.files
        assert files is not None
        named = "; ".join(files.problems[:NAMED])
        more = files.problem_count - min(NAMED, len(files.problems))
        message = (
            f"{self.marker} is there, but {files.problem_count} of {files.expected} files are"
            f" missing or not whole: {named}" + (f"; and {more} more" if more else "")
        )
        message += self._filters_lost()
        if not self.is_settled:
            return self._copying(message)
        return self._say(
            VerdictKind.INCOMPLETE,
            "run.incomplete",
            message,
            self._copy_again(),
            **self._shortfall(),
        )

    def _whole(self, expected: int) -> Verdict:
        whole = f"all {expected} files of its lanes, tiles and cycles are there"
        parameters = self.seen.surface.names & {*run_parameters.FILE_NAMES}
        if not parameters and self._is_verified:  # an instrument that is known writes them
            message = f"{whole}, but {run_parameters.FILE_NAMES[0]} is not there"
            if not self.is_settled:
                return self._copying(f"{message} (yet)")
            return self._say(VerdictKind.INCOMPLETE, "run.incomplete", message, self._copy_again())
        if self.rules.require_sheet and (lack := self._sheet_lack()):
            if not self.is_settled:
                return self._copying(f"{whole}, but {lack} (yet)")
            return self._waiting_for_sheet(f"{whole}, but {lack}")
        late = self.seen.surface.late
        copy_ended = COPY_COMPLETE in self.seen.markers
        if (late or not copy_ended) and not self.is_settled:
            what = f"but {late} was written after {self.marker}"
            if not late:
                what = f"but {self.marker} does not say that the copy has ended"
            return self._copying(
                f"{whole}, {what}, and it is waited until nothing has changed for"
                f" {self.rules.settle:g} s"
            )
        return self._say(VerdictKind.COMPLETE, "", whole, "", **self._files())

    def _sheet_lack(self) -> str:
        """What is wrong with its sheet, as the end of a message; nothing if there is one."""
        seen = self.seen
        if seen.sheet_error is not None:
            return str(seen.sheet_error)
        if seen.sheet is not None and not seen.sheet.is_empty:
            return ""
        lack = f"{SHEET} {'is empty' if seen.sheet else 'is not there'}"
        return f"{lack}, nor {seen.sheet_elsewhere}" if seen.sheet_elsewhere else lack

    def _waiting_for_sheet(self, message: str) -> Verdict:
        if (err := self.seen.sheet_error) is not None:
            return self._say(VerdictKind.NO_SHEET, err.code, message, err.hint)
        put = f"put {SHEET} into {self.seen.path}"
        if self.seen.sheet_elsewhere:
            put += f", or see to {self.seen.sheet_elsewhere}"
        return self._say(
            VerdictKind.NO_SHEET, "run.no_sheet", message, f"{put}; it goes on by itself"
        )

    @property
    def _is_verified(self) -> bool:
        return self.seen.info is not None and is_verified(self.seen.info.instrument)

    def _copying(self, message: str, **evidence: Any) -> Verdict:
        return self._say(VerdictKind.COPYING, "run.copying", message, NOTHING_TO_DO, **evidence)

    def _say(
        self, kind: VerdictKind, code: str, message: str, hint: str, **evidence: Any
    ) -> Verdict:
        if self.quiet.clock_skew:
            message += (
                f"; NB: the clock of its file server is {self.quiet.clock_skew} s ahead of this"
                " machine's"
            )
        found = self._evidence() | evidence
        return Verdict(kind, code, message, hint, found, self.seen.parameters.metadata())

    def _evidence(self) -> dict[str, Any]:
        """NB: it changes only when something in the folder does."""
        seen = self.seen
        found: dict[str, Any] = {
            "markers": list(seen.markers),
            "questions": questions.answers(seen, self.rules.settle),
        }
        if seen.info is not None:
            found |= {
                "expected_markers": list(seen.expected_markers),
                "instrument": seen.info.instrument,
                "instrument_type": questions.instrument(seen),
                "run_number": seen.info.run_number,
                "flowcell": seen.info.flowcell,
            }
        if seen.analyses:
            found["analyses"] = [asdict(one) for one in seen.analyses]
        if seen.parameters.side:
            found["side"] = seen.parameters.side
        if seen.status is not None:
            found["run_status"] = {"status": seen.status.word, "detail": seen.status.detail}
        if seen.sheet is not None:
            found["samples"] = seen.sheet.samples
        if seen.indexes_read:
            found["indexes_read"] = True
        if seen.sheet_source:
            found["sheet_source"] = seen.sheet_source
        if seen.files is not None and seen.is_marked:
            found |= self._files()
        if self.quiet.since:
            found |= {
                "quiet_since": self.quiet.since,
                "fingerprint": fingerprint(seen),
                "surface": seen.surface.digest,
            }
        if self.quiet.clock_skew:
            found["clock_skew_seconds"] = self.quiet.clock_skew
        return found

    def _files(self) -> dict[str, Any]:
        files = self.seen.files
        assert files is not None
        found: dict[str, Any] = {
            "files_expected": files.expected,
            "files_found": files.found,
            "problems": list(files.problems),
            "problem_count": files.problem_count,
        }
        if files.passed_only:
            found |= {"passed_only": files.passed_only, "filter_needed": files.filter_needed}
        return found

    def _shortfall(self) -> dict[str, Any]:
        """The files, and the flags that a waiver would need."""
        if self.seen.files is None:
            return {}
        return {**self._files(), "waiver": list(self.seen.lacking)}

    def _filters_lost(self) -> str:
        """What a waiver cannot mend, as the end of a message; nothing if there is no such thing."""
        if self.seen.files is None or not self.seen.files.filter_needed:
            return ""
        return (
            f"; no waiver helps: {self.seen.files.passed_only} holds only the clusters that passed"
            " the filter, and which they are only the missing filter files say"
        )

    def _waive(self) -> str:
        ignore = "".join(f" --ignore {flag}" for flag in self.seen.lacking)
        return f"arteriole waive {self._name()}{ignore} --reason TEXT"

    def _name(self) -> str:
        return _word(self.seen.path.name)

    def _copy_again(self) -> str:
        name, path = self._name(), _word(str(self.seen.path))
        return (
            f"copy the folder again from the instrument: rsync -a INSTRUMENT:{name}/ {path}/ ;"
            " it goes on by itself"
        )

    def _serial(self) -> str:
        info = self.seen.info
        return info.instrument if info else "of this run"


def _word(text: str) -> str:
    """As one word of a command line."""
    return shlex.quote(text)


def examine_marker(path: Path, grace_minutes: float, now: float) -> Verdict:
    """Arteria's rule: the marker is there and older than the grace; `now` in seconds (epoch)."""
    folder = RunFolder(path)
    try:
        if not path.is_dir():
            return examine(path)
    except OSError as err:
        return unreachable(path, err)
    metadata = _metadata(folder)
    try:
        expected = expected_markers(folder.run_info.instrument)
    except ArterioleError:
        expected = expected_markers("")
    for name in expected:
        try:
            age = now - (path / name).stat().st_mtime
        except OSError:
            continue
        if age >= grace_minutes * 60:
            return Verdict(
                VerdictKind.COMPLETE, "", f"{name} is there", "", {"markers": [name]}, metadata
            )
    return Verdict(
        VerdictKind.SEQUENCING,
        "run.sequencing",
        f"{' or '.join(expected)} is not there yet",
        "",
        {"markers": []},
        metadata,
    )


def _metadata(folder: RunFolder) -> dict[str, str]:
    try:
        parameters = folder.run_parameters
    except (ArterioleError, OSError):
        return {}
    return {} if parameters is None else parameters.metadata()
