"""The QC document of an attempt, beside its folder, which is immutable."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.qc.judging import Finding, verdict
from arteriole.bcl2fastq.qc.measures import Measures
from arteriole.bcl2fastq.qc.settings import QcSettings


class QcError(ArterioleError):
    """An attempt is not good enough, or how it was judged is not known."""

    status = 422


#: The verdict where nothing was found; the others are the consequences.
PASS = "pass"


def make(
    run: str,
    attempt: int,
    measures: Measures,
    findings: tuple[Finding, ...],
    settings: QcSettings,
    sources: list[str],
) -> dict[str, Any]:
    """Measures, findings, and the thresholds by which they were found; `sources` was read."""
    worst = verdict(findings)
    return {
        "run": run,
        "attempt": attempt,
        "judged": times.now(),
        "verdict": PASS if worst is None else worst.value,
        "findings": [asdict(finding) for finding in findings],
        "lanes": [
            {**asdict(lane), "projects": [name for name in lane.projects if name]}
            for lane in measures.lanes
        ],
        "samples": [
            {
                "sample_id": sample.sample_id,
                "project": sample.project,
                "control": settings.is_control(sample.sample_id),
                "reads": sample.reads,
                "lanes": [
                    {"lane": lane, "reads": reads} for lane, reads in sample.reads_by_lane.items()
                ],
                "percent_q30": sample.percent_q30,
            }
            for sample in measures.samples
        ],
        "thresholds": {
            project or "default": settings.of(project).model_dump(mode="json")
            for project in ("", *sorted({p for lane in measures.lanes for p in lane.projects if p}))
        },
        "sources": sources,
    }


def path_of(attempt: Attempt) -> Path:
    return attempt.home / "qc" / f"{attempt.path.name}.json"


def write(attempt: Attempt, document: dict[str, Any]) -> None:
    """In place of an earlier one, by rename, once it is durable."""
    path = path_of(attempt)
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def read(attempt: Attempt) -> dict[str, Any] | None:
    """The newest document of an attempt, None if it was not judged.

    Raises:
        QcError: it cannot be read.
    """
    path = path_of(attempt)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as err:
        raise QcError(
            f"{path} cannot be read: {err}",
            code="qc.unreadable",
            hint=f"arteriole redo {attempt.run} --from qc",
        ) from err
    return found
