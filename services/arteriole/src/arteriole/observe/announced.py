"""Whether what was really done is what had been announced."""

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from arteriole.observe.fastq_names import SUFFIX, UNDETERMINED

#: Largest attempt.json that is read, in bytes.
RECORD_LIMIT = 64 * 1024 * 1024
NAMED = 3


@dataclass(frozen=True)
class Deeds:
    """What a real attempt did: attempt.json, and the results of its jobs by stage."""

    attempt: int
    record: dict[str, Any] | None
    results: dict[str, dict[str, Any]]


def read_record(would: dict[str, Any], attempt: int) -> dict[str, Any] | None:
    """attempt.json of the real `attempt`; None if it is not there or not as it should be.

    It lies beside the folder that was announced: both are attempts of the same run.
    """
    to = would.get("to")
    if not isinstance(to, str) or not to.startswith("/"):
        return None
    path = Path(to).parent / f"attempt-{attempt}" / "attempt.json"
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read(RECORD_LIMIT))
    except (OSError, ValueError, RecursionError):
        return None
    return found if _is_record(found) else None


def _is_record(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("files"), list)
        and isinstance(found.get("samples"), list)
        and all(isinstance(f, dict) and isinstance(f.get("path"), str) for f in found["files"])
        and all(
            isinstance(s, dict)
            and isinstance(s.get("sample_id"), str)
            and isinstance(s.get("lane"), int)
            and isinstance(s.get("reads"), int)
            for s in found["samples"]
        )
    )


def differences(would: dict[str, dict[str, Any]], done: Deeds) -> list[str]:
    """What was done otherwise than announced; empty if nothing was."""
    found: list[str] = []
    for stage, announced in sorted(would.items()):
        if "files" in announced and isinstance(announced["files"], list):
            found += _conversion(announced, done)
        elif "destination" in announced:
            found += _destination(stage, announced, done)
    return found


def _conversion(announced: dict[str, Any], done: Deeds) -> list[str]:
    record = done.record
    if record is None:
        return [f"attempt.json of attempt {done.attempt} cannot be read here"]
    files = {file["path"] for file in record["files"] if file["path"].endswith(SUFFIX)}
    lines = _sets("file", set(announced["files"]), files)
    lines += _sets("sample", _samples(announced["samples"]), _samples(record["samples"]))
    for name, words in (
        ("sheet_sha256", "the sample sheet is another one"),
        ("converter", "the converter is another one"),
        ("converter_version", "the converter's version is another one"),
    ):
        if name in record and record[name] != announced.get(name):
            lines.append(words)
    return lines


def _samples(rows: list[dict[str, Any]]) -> set[str]:
    return {
        f"{row['sample_id']}, lane {row['lane']}"
        for row in rows
        if row["sample_id"] != UNDETERMINED
    }


def _sets(what: str, announced: set[str], done: set[str]) -> list[str]:
    lines = []
    for words, names in (
        ("was announced and not made", announced - done),
        ("was made and not announced", done - announced),
    ):
        named = sorted(names)
        lines += [f"{what} {name} {words}" for name in named[:NAMED]]
        if len(named) > NAMED:
            lines.append(f"{len(named) - NAMED} more: {what} {words}")
    return lines


def _destination(stage: str, announced: dict[str, Any], done: Deeds) -> list[str]:
    result = done.results.get(stage)
    if result is None:
        return [f"the result of {stage} is not known"]
    place = PurePosixPath(announced["to"])
    expected = str(place.with_name(f"{place.name.rpartition('-')[0]}-{done.attempt}"))
    found = (result.get("destination"), result.get("path"))
    if found == (announced["destination"], expected):
        return []
    return [
        f"{stage} went to {found[0]} ({found[1]}), announced was {announced['destination']}"
        f" ({expected})"
    ]
