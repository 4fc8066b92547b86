"""What should have moved and has not: the packs' reconciling rule asks for it every minute."""

from collections.abc import Sequence
from typing import Any

from arteriole.app import times
from arteriole.runfolder.alerts import Alert
from arteriole.runfolder.comparisons import Comparison
from arteriole.runfolder.records import Run, Stage
from arteriole.runfolder.states import StageState


def overdue(
    runs: list[Run],
    grace: float,
    owed: Sequence[Alert] = (),
    comparisons: Sequence[Comparison] = (),
) -> list[dict[str, Any]]:
    """Entries older than `grace` seconds; a job that is to be stopped is told of at once.

    Each is `{what, run, stage, attempt, service, job_id, since, past_limit}`; `what` is
    `run_ready` (nobody claimed it), `stage_ready` (nobody began it, or whoever did left neither
    job nor end within the lease), `stage_running` (a job was attached; did it end?),
    `stage_held` (is what it waits for there by now?) or `job_unwanted` (its attempt was aborted,
    and it has not ended). `owed` are the alerts that nobody has told people of: `what` is theirs
    (`run_failed`, `run_stuck`, `run_unreachable`, `sensor_silent`, `disk_pressure`), and there is
    their `code`, and of the last the `volume`.
    `comparisons` are those of indexes that should have gone on: `indexes_read` (nobody began one)
    or `comparison_running` (a job compares; did it end?).
    """
    before = times.now(-grace)
    found = []
    for run in runs:
        if run.claimable and run.verdict_since <= before:
            found.append(_entry("run_ready", run, None, run.verdict_since))
        unwanted = run.unwanted()
        found += [_entry("job_unwanted", run, s, s.begun or "") for s in unwanted]
        open_ = [] if run.finished else run.current
        earlier = [s for s in unwanted if s.attempt != run.attempt]
        found += [entry for s in [*earlier, *open_] if (entry := _stage(run, s, before))]
    return [*found, *map(_comparison, comparisons), *map(_owed, owed)]


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        **dict.fromkeys(("stage", "attempt")),
        "what": "indexes_read" if one.job_id is None else "comparison_running",
        "run": one.run,
        "service": one.service,
        "job_id": one.job_id,
        "since": one.since,
        "past_limit": False,
    }


def _owed(alert: Alert) -> dict[str, Any]:
    return {
        **dict.fromkeys(("stage", "attempt", "service", "job_id")),
        "what": alert.what,
        "run": alert.run or None,
        **({"volume": alert.volume} if alert.volume else {}),
        "code": alert.code,
        "since": alert.raised,
        "past_limit": False,
    }


def _stage(run: Run, stage: Stage, before: str) -> dict[str, Any] | None:
    if stage.has_job:
        begun = stage.begun or ""
        return _entry("stage_running", run, stage, begun) if begun <= before else None
    if run.held is not None or run.aborted is not None:
        return None
    if stage.state is StageState.WAITING and stage.ready is not None and stage.ready <= before:
        return _entry("stage_ready", run, stage, stage.ready)
    if stage.state is StageState.HELD and (stage.ended or "") <= before:
        return _entry("stage_held", run, stage, stage.ended or "")
    if stage.abandoned(times.now()):
        return _entry("stage_ready", run, stage, stage.lease or "")
    return None


def _entry(what: str, run: Run, stage: Stage | None, since: str) -> dict[str, Any]:
    return {
        "what": what,
        "run": run.name,
        "stage": stage.stage if stage else None,
        "attempt": stage.attempt if stage else None,
        "service": stage.service if stage else None,
        "job_id": stage.job_id if stage else None,
        "since": since,
        "past_limit": bool(
            stage and stage.begun and times.seconds_since(stage.begun) > stage.time_limit
        ),
    }
