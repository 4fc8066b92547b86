"""The FASTQs of attempts, as attempt.json tells of them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.app.errors import InvalidError
from arteriole.app.names import require_identifier
from arteriole.checksum.places import find_attempt
from arteriole.wes.units import Source

UNDETERMINED = "Undetermined"


@dataclass(frozen=True)
class AttemptFastqs:
    """The files of each sample and read (R1, R2), in the order of lanes; without Undetermined.

    Index reads that are files too (I1, I2) are no input of an analysis.
    """

    run: str
    attempt: int
    degraded: bool
    samples: dict[str, dict[str, list[Source]]]


def read_attempt(fastq_root: Path, run: str, attempt: int) -> AttemptFastqs:
    """Raises InvalidError if there is no such attempt, or its record is of no use."""
    folder = find_attempt(fastq_root, run, attempt)
    path = folder / "attempt.json"
    try:
        record = json.loads(path.read_bytes())
        samples: dict[str, dict[str, list[Source]]] = {
            row["sample_id"]: {} for row in record["samples"] if row["sample_id"] != UNDETERMINED
        }
        for row in sorted(record["files"], key=_lane):
            if row["sample_id"] in samples and not row.get("index"):
                reads = samples[row["sample_id"]].setdefault(f"R{row['read']}", [])
                reads.append(_source(run, attempt, row))
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InvalidError(
            f"{path} does not tell which file is whose: {type(err).__name__}: {err}",
            code="analysis.record",
            hint=f"an attempt of an older version: arteriole redo {run} --from convert",
            field="attempt",
        ) from err
    return AttemptFastqs(run, attempt, bool(record.get("degraded")), samples)


def _lane(row: dict[str, Any]) -> tuple[int, int]:
    return int(row["lane"]), int(row["read"])


def _source(run: str, attempt: int, row: dict[str, Any]) -> Source:
    path = f"{run}/attempt-{attempt}/{row['path']}"
    if any(character in path for character in "\t\r\n") or ".." in Path(path).parts:
        raise ValueError(f"a file is called {row['path']!r}")
    return Source(path=path, reads=int(row["reads"]), md5=str(row["md5"]))


def current_attempt(fastq_root: Path, run: str) -> int | None:
    """The number of the attempt that `current` of a run leads to, if there is one."""
    require_identifier(run, "run")
    try:
        name = (fastq_root / run / "current").readlink().name
    except OSError:
        return None
    number = name.removeprefix("attempt-")
    return int(number) if number.isascii() and number.isdigit() else None
