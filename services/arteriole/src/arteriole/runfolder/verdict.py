"""What the evidence in a run folder says: is this run complete, and why?

Reads the folder, writes nothing, knows no store.
"""

import enum
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.illumina import completeness
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.run_folder import MARKERS, RunFolder, expected_markers
from arteriole.illumina.run_info import FILE_NAME

COPY_AGAIN = "if the copy goes on, nothing; otherwise copy the folder again from the instrument"


class VerdictKind(enum.StrEnum):
    SEQUENCING = "sequencing"  # no marker yet
    INCOMPLETE = "incomplete"  # marker there, files missing or short
    COMPLETE = "complete"
    UNREADABLE = "unreadable"  # marker there, RunInfo.xml cannot be used
    UNREACHABLE = "unreachable"  # the folder is gone or may not be read
    REFUSED = "refused"  # nothing will be done with this folder


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


def examine(path: Path, settle: float = 0.0) -> Verdict:
    """Judge a run folder by its marker and by its files against RunInfo.xml.

    Args:
        settle: seconds for which a file that was just written may be part of a copy that goes on.
            The marker says nothing then, unless it came last, as an instrument writes it.
    """
    folder = RunFolder(path)
    markers: list[str] = []
    try:
        if not path.is_dir():
            return _verdict(
                VerdictKind.UNREACHABLE,
                "run.unreachable",
                "the folder is not there or cannot be reached",
                "is the file system mounted?",
            )
        markers = list(folder.markers)
        return _judge(folder, markers, settle)
    except RunDataError as err:
        if not markers:
            return _verdict(
                VerdictKind.SEQUENCING,
                "run.sequencing",
                f"no marker yet; {err}",
                "",
                {"markers": markers},
            )
        if not _is_there(path / FILE_NAME) or _age(path / FILE_NAME) < settle:
            return _verdict(
                VerdictKind.INCOMPLETE,
                "run.incomplete",
                f"{markers[0]} is there, but {err}",
                COPY_AGAIN,
                {"markers": markers},
            )
        return _verdict(
            VerdictKind.UNREADABLE,
            err.code,
            str(err),
            err.hint or "restore the file from the instrument; it is looked at again by itself",
            {"markers": markers},
        )
    except OSError as err:
        return _verdict(
            VerdictKind.UNREACHABLE,
            "run.unreachable",
            f"cannot read {err.filename}: {err.strerror}",
            "check the permissions and that the file system is mounted",
        )


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _age(path: Path) -> float:
    """Seconds since the file was last changed; NB: a server's clock may be a little ahead."""
    return abs(time.time() - path.lstat().st_ctime)


def _written_after_marker(folder: RunFolder, settle: float) -> str | None:
    """The newest, at the top or just below, if no marker is newer and it is not yet that old."""
    marked = max((folder.path / name).lstat().st_ctime for name in folder.markers)
    changed = [(e.stat(follow_symlinks=False).st_ctime, e.path) for e in _two_levels(folder.path)]
    newest, path = max(changed, default=(0.0, ""))
    if newest <= marked or newest <= time.time() - settle:
        return None
    return Path(path).relative_to(folder.path).as_posix()


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [*entries]


def _two_levels(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Entries of `folder` and of its folders, without markers and hidden ones at the top."""
    for entry in _entries(folder):
        if entry.name in MARKERS or entry.name.startswith("."):
            continue
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(entry.path)


def _judge(folder: RunFolder, markers: list[str], settle: float) -> Verdict:
    info = folder.run_info
    expected = expected_markers(info.instrument)
    evidence: dict[str, Any] = {"markers": markers, "expected_markers": list(expected)}
    if not folder.is_marked_complete:
        seen = _cycles_seen(folder)
        evidence |= {"cycles": info.cycles, "cycles_seen": seen}
        return _verdict(
            VerdictKind.SEQUENCING,
            "run.sequencing",
            f"cycle {seen} of {info.cycles}; {' or '.join(expected)} is not there yet",
            "",
            evidence,
        )
    found = completeness.check(folder.path, info)
    evidence |= {
        "files_expected": found.expected,
        "files_found": found.found,
        "problems": list(found.problems),
        "problem_count": found.problem_count,
    }
    metadata = _metadata(folder)
    if found.problem_count:
        return Verdict(
            VerdictKind.INCOMPLETE,
            "run.incomplete",
            f"{expected[0]} is there, but {found.problem_count} of {found.expected} files are"
            f" missing or not whole: {found.problems[0]}",
            COPY_AGAIN,
            evidence,
            metadata,
        )
    late = _written_after_marker(folder, settle)
    if late is not None:
        return Verdict(
            VerdictKind.INCOMPLETE,
            "run.copying",
            f"all {found.expected} files of its lanes, tiles and cycles are there, but {late} was"
            f" written after {expected[0]} and less than {settle:g} s ago",
            "nothing: it goes on by itself when nothing more is written",
            evidence,
            metadata,
        )
    return Verdict(
        VerdictKind.COMPLETE,
        "",
        f"all {found.expected} files of its lanes, tiles and cycles are there",
        "",
        evidence,
        metadata,
    )


def _verdict(
    kind: VerdictKind, code: str, message: str, hint: str, evidence: dict[str, Any] | None = None
) -> Verdict:
    return Verdict(kind, code, message, hint, evidence or {}, {})


def _cycles_seen(folder: RunFolder) -> int:
    """The highest cycle of the first lane that has begun."""
    try:
        names = [entry.name for entry in folder.lane(1).iterdir()]
    except OSError:
        return 0
    cycles = [int(found[1]) for name in names if (found := re.fullmatch(r"C(\d+)\.1", name))]
    return max(cycles, default=0)


def _metadata(folder: RunFolder) -> dict[str, str]:
    try:
        parameters = folder.run_parameters
    except (ArterioleError, OSError):
        return {}
    return {} if parameters is None else parameters.metadata()


def examine_marker(path: Path, grace_minutes: float, now: float) -> Verdict:
    """Arteria's rule: the marker is there and older than the grace; `now` in seconds (epoch)."""
    folder = RunFolder(path)
    try:
        if not path.is_dir():
            return examine(path)
    except OSError:
        return examine(path)
    metadata = _metadata(folder)
    try:
        expected = expected_markers(folder.run_info.instrument)
    except ArterioleError:
        expected = ("RTAComplete.txt", "CopyComplete.txt")
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
