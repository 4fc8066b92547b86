"""Why a run stands where it stands, in a person's words."""

from typing import Any

from arteriole.runfolder.runs import Run, Stage
from arteriole.runfolder.states import RunState, StageState
from arteriole.runfolder.verdict import VerdictKind

AT_RISK, LATE, CAN_WAIT = "instrument at risk", "result late", "can wait"


def why(run: Run) -> dict[str, Any]:
    """`{code, message, data_safe, urgency, hint}`.

    `data_safe` says what would be lost, `urgency` how much it presses, `hint` is the one command
    or deed that mends it, safe to do twice.
    """
    code, message, hint, urgency = _reason(run)
    return {
        "code": code,
        "message": message,
        "data_safe": _data_safe(run),
        "urgency": urgency,
        "hint": hint,
    }


def _reason(run: Run) -> tuple[str, str, str, str]:
    if run.held is not None:
        hint = f"arteriole unhold {run.name}"
        return "run.held", f"it is held: {run.held}", hint, LATE
    if run.attempt:
        return _claimed_reason(run)
    if run.verdict is VerdictKind.COMPLETE and not run.adopted:
        return (
            "run.not_adopted",
            "it was here before Arteriole's first start, so nothing is done to it",
            f"arteriole adopt {run.name}",
            CAN_WAIT,
        )
    if run.verdict is VerdictKind.COMPLETE:
        state = run.arteria_state.value if run.arteria_state else "ready"
        return "", f"{run.message}; it is {state}", "", CAN_WAIT
    urgency = {
        VerdictKind.UNREACHABLE: AT_RISK,
        VerdictKind.UNREADABLE: LATE,
        VerdictKind.INCOMPLETE: LATE,
    }.get(run.verdict, CAN_WAIT)
    return run.code, run.message, run.hint, urgency


def _claimed_reason(run: Run) -> tuple[str, str, str, str]:
    if run.state is RunState.DONE:
        return "", f"all stages of attempt {run.attempt} are done", "", CAN_WAIT
    failed = [stage for stage in run.current if stage.state is StageState.FAILED]
    if failed:
        first = failed[0]
        return first.code, f"{first.stage} failed: {first.message}", _mend(run, first), LATE
    running = [stage.stage for stage in run.current if stage.state is StageState.RUNNING]
    if running:
        return "", f"{' and '.join(running)} of attempt {run.attempt} is running", "", CAN_WAIT
    waiting = [stage.stage for stage in run.current if stage.ready]
    return "", f"{' and '.join(waiting) or 'its next stage'} is about to begin", "", CAN_WAIT


def _mend(run: Run, stage: Stage) -> str:
    retry = f"arteriole retry {run.name}"
    if not stage.hint:
        return retry
    return stage.hint if retry in stage.hint else f"{stage.hint}; then: {retry}"


def _data_safe(run: Run) -> str:
    if run.verdict is VerdictKind.UNREACHABLE:
        return "unknown: the run folder cannot be reached"
    archived = any(s.stage == "archive" and s.state is StageState.DONE for s in run.stages)
    if archived:
        return "yes: the run folder is archived and verified"
    if run.verdict in (VerdictKind.COMPLETE, VerdictKind.UNREADABLE):
        return "yes, in the run folder only: do not delete it"
    return "only on the instrument and in the run folder: delete neither"
