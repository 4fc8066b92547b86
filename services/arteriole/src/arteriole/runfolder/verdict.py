"""What the evidence in a run folder says: is this run complete, and why?

Reads the folder, writes nothing, knows no store.
"""

import enum
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.illumina import completeness
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.run_folder import RunFolder, expected_markers


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


def examine(path: Path) -> Verdict:
    """Judge a run folder by its marker and by its files against RunInfo.xml."""
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
        return _judge(folder, markers)
    except RunDataError as err:
        if not markers:
            return _verdict(
                VerdictKind.SEQUENCING,
                "run.sequencing",
                f"no marker yet; {err}",
                "",
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


def _judge(folder: RunFolder, markers: list[str]) -> Verdict:
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
            "if the copy goes on, nothing; otherwise copy the folder again from the instrument",
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
    except ArterioleError:
        return {}
    return {} if parameters is None else parameters.metadata()


def examine_marker(path: Path, grace_minutes: float, now: float) -> Verdict:
    """Arteria's rule: the marker is there and older than the grace; `now` in seconds (epoch)."""
    folder = RunFolder(path)
    metadata = _metadata(folder)
    if not path.is_dir():
        return examine(path)
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
