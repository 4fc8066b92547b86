"""A run in brief, for lists of thousands."""

from typing import Any

from arteriole.runfolder.progress import Progress
from arteriole.runfolder.records import Run, Stage
from arteriole.runfolder.standings import group_of


def brief(run: Run, reason: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """What a list shows of a run whose `why` is `reason`; the stages of its newest attempt only.

    The keys that a whole run has too mean the same there.
    """
    newest = run.newest
    return {
        "name": run.name,
        "path": str(run.path),
        "instrument": run.instrument,
        "state": run.state.value,
        "standing": run.standing,
        "group": group_of(run, reason["code"], reason["urgency"]).value,
        "since": run.since,
        "progress": run.progress,
        "why": {key: reason[key] for key in ("code", "message", "urgency", "until", "hint")},
        "verdict": run.verdict.value,
        "held": run.held is not None,
        "waived": run.waiver is not None or bool(run.waived_rules),
        "observed": run.observed,
        "degraded": newest is not None and newest.degraded,
        "attempt": run.attempt,
        "first_seen": run.first_seen,
        "stages": [_stage(stage, progress.document(run, stage)) for stage in run.current],
    }


def _stage(stage: Stage, progress: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "state": stage.state.value,
        "begun": stage.begun,
        "ended": stage.ended,
        "time_limit": stage.time_limit,
        "progress": progress,
    }
