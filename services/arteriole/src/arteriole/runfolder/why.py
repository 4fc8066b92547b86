"""Why a run stands where it stands, in a person's words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from arteriole.app import times
from arteriole.app.mode import Mode
from arteriole.runfolder.absence import before
from arteriole.runfolder.copies import COPY
from arteriole.runfolder.ignorable import WAIVABLE_RULES
from arteriole.runfolder.plan import RECEIVE
from arteriole.runfolder.records import Hold, Lease, Run, Scope, Stage
from arteriole.runfolder.safety import data_safe
from arteriole.runfolder.states import RunState, StageState
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.waiting import Wait

AT_RISK, LATE, CAN_WAIT = "instrument at risk", "result late", "can wait"

#: What presses, by verdict; the others can wait.
_URGENCY = {
    VerdictKind.UNREACHABLE: AT_RISK,
    VerdictKind.STALLED: AT_RISK,
    VerdictKind.STUCK: AT_RISK,
    VerdictKind.UNREADABLE: LATE,
    VerdictKind.INCOMPLETE: LATE,
    VerdictKind.FAILED: LATE,
    VerdictKind.NO_SHEET: LATE,
    VerdictKind.REFUSED: LATE,
}

#: What no further try mends, since it would find the same: the stage from which it is made anew.
_MADE_ANEW = {
    "attempt.not_found": "convert",
    "convert.sheet_changed": "check",
    "checksum.not_as_written": "convert",
    "checksum.record": "convert",
    "transfer.source_changed": "convert",
    "manifest.invalid": "checksum",
    "manifest.missing": "checksum",
}

#: What ends a want of space.
_MAKE_ROOM = "make room: arteriole clean RUN lists what may go; it goes on by itself"

#: It stands still, but its instrument has begun another run.
_SUPERSEDED = "run.superseded"


@dataclass(frozen=True)
class _Reason:
    code: str
    message: str
    hint: str = ""
    urgency: str = CAN_WAIT


@dataclass(frozen=True)
class Filling:
    """The volume of the run folder, on which its instrument writes, is short of space; `reached` is
    when only its reserve is left (UTC, to the minute), None if that is not known.
    """

    code: str
    words: str
    reached: str | None


def why(
    run: Run,
    mode: Mode = Mode.ACT,
    result_due_hours: float = 24.0,
    waits: Mapping[str, Wait] | None = None,
    filling: Filling | None = None,
) -> dict[str, Any]:
    """`{code, message, data_safe, urgency, until, samples, hint, page}`.

    `data_safe` says what would be lost, `urgency` how much it presses, and `until` until when:
    "", "now", or a UTC time to the minute with its reason. `samples` is how many the sheet names,
    or None. `hint` is the one command or deed that mends it, safe to do twice; `page` describes
    the code.

    Args:
        waits: what the jobs of running stages wait for, by stage.
    """
    reason = _reason(run, mode, waits or {})
    if filling is not None and run.awaits_claim and reason.urgency == CAN_WAIT:
        message = f"{reason.message}; the volume that it is written to fills up: {filling.words}"
        reason = _Reason(filling.code, message, _MAKE_ROOM, AT_RISK)
    named = re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", reason.code)
    return {
        "code": reason.code,
        "message": reason.message,
        "data_safe": data_safe(run),
        "urgency": reason.urgency,
        "until": _until(run, reason.urgency, result_due_hours, filling),
        "samples": _samples(run),
        "hint": reason.hint,
        "page": f"docs/runbook/{reason.code}.md" if named else "",
    }


def _reason(run: Run, mode: Mode, waits: Mapping[str, Wait]) -> _Reason:
    if run.aborted is not None:
        return _aborted(run)
    if run.held is not None and run.state is not RunState.DONE and not _is_old_copy(run, run.held):
        return _held(run, run.held)
    if not run.awaits_claim:
        return _found(run, _claimed(run, mode, waits))
    if run.lease is not None:
        ends = "it is ready again then, unless the client says before what became of it"
        return _Reason("", f"{_picked_up(run.lease)}; {ends}")
    if run.workable and not run.adopted:
        return _Reason(
            "run.not_adopted",
            "it was in its directory before Arteriole first looked there, so nothing is done to it",
            f"arteriole adopt {run.name}",
        )
    if run.workable:
        state = run.arteria_state.value if run.arteria_state else "ready"
        waived = ""
        if run.verdict is not VerdictKind.COMPLETE and run.waiver is not None:
            waived = f"; waived by {run.waiver.by}: {run.waiver.reason}"
        return _Reason("", f"{run.message}{waived}; it is {state}")
    urgency = _URGENCY.get(run.verdict, CAN_WAIT)
    if run.code == _SUPERSEDED or run.is_gone:
        urgency = LATE  # other runs can be written
    return _Reason(run.code, run.message, run.hint, urgency)


def _aborted(run: Run) -> _Reason:
    assert run.aborted is not None
    what = f"attempt {run.attempt} was aborted" if run.attempt else "it was dismissed"
    message = f"{what} by {run.aborted.by}: {run.aborted.reason}"
    running = [stage.stage for stage in run.current if stage.has_job]
    if running:
        message += f"; {_listed(running)} still"
        return _Reason("run.aborted", message, f"arteriole abort {run.name}")
    if run.attempt and not run.observed:
        return _Reason("run.aborted", message, f"arteriole redo {run.name} --from {_next(run)}")
    return _Reason("run.aborted", message, f"arteriole adopt {run.name}")


def _next(run: Run) -> str:
    """The first stage that has not passed, or the first of all."""
    stages = [stage for stage in run.current if stage.stage != RECEIVE]
    left = [stage.stage for stage in stages if not stage.state.passed]
    return (left or [stage.stage for stage in stages] or ["STAGE"])[0]


def _is_old_copy(run: Run, hold: Hold) -> bool:
    """Nobody has adopted it, so nobody has to say what becomes of the copy."""
    return hold.code == COPY and run.awaits_claim and not run.adopted


def _held(run: Run, hold: Hold) -> _Reason:
    what, of = {
        Scope.RUN: ("it is held", run.name),
        Scope.INSTRUMENT: (f"all runs of {hold.name} are held", f"--instrument {hold.name}"),
        Scope.ALL: ("all runs are held", "--all"),
    }[hold.scope]
    message = f"{what} by {hold.by}: {hold.reason}"
    if run.lease is not None:
        message += f"; {_picked_up(run.lease)}"
    if run.is_gone:
        message += f"; {run.message}"
    hint = hold.hint or f"arteriole release {of}"
    return _Reason(hold.code or "run.held", message, hint, LATE)


def _picked_up(lease: Lease) -> str:
    return f"it was picked up by {lease.client}, who has it until {lease.until[:19]}Z"


def _claimed(run: Run, mode: Mode, waits: Mapping[str, Wait]) -> _Reason:
    attempt = f"attempt {run.attempt}"
    if run.newest is not None and run.newest.degraded:
        attempt = f"degraded {attempt}"
    if run.finished and run.observed:
        adopt = f"arteriole adopt {run.name}"
        before = "set mode: act in arteriole.yaml and start the services again; then: "
        return _Reason(
            "run.observed",
            f"{attempt} only worked out what would be done; nothing was done",
            adopt if mode is Mode.ACT else before + adopt,
        )
    if run.finished:
        return _Reason("", f"all stages of {attempt} are done{_remarks(run)}")
    failed = [stage for stage in run.current if stage.state is StageState.FAILED]
    if failed:
        first = failed[0]
        message = f"{first.stage} failed: {first.message}{_waiver_of(run, first)}"
        return _Reason(first.code, message, _mend(run, first), LATE)
    running = [stage.stage for stage in run.current if stage.state is StageState.RUNNING]
    if running:
        message = f"{_listed(running)} ({attempt})"
        message += "".join(
            f"; {one} waits for {waits[one].message}" for one in running if one in waits
        )
        code = next((waits[one].code for one in running if one in waits and waits[one].code), "")
        hint, urgency = (_MAKE_ROOM, LATE) if code else ("", CAN_WAIT)
        return _Reason(code, f"{message}{_remarks(run)}", hint, urgency)
    held = [stage for stage in run.current if stage.state is StageState.HELD]
    if held:
        first = held[0]
        return _Reason(first.code, f"{first.stage} waits: {first.message}", first.hint, LATE)
    waiting = [s.stage for s in run.current if s.ready and s.state is StageState.WAITING]
    next_ = " and ".join(waiting) or "its next stage"
    return _Reason("", f"{next_} is about to begin ({attempt}){_remarks(run)}")


def _found(run: Run, reason: _Reason) -> _Reason:
    """NB: a folder that is away comes first: what else is missed may be missed for that alone.

    One that is archived may be gone for good, and what comes then needs it no more.
    """
    if run.verdict is not VerdictKind.UNREACHABLE or run.finished:
        return reason
    away = f"since {_minute(run.verdict_since)} {run.message}"
    if run.archived:
        return replace(reason, message=f"{reason.message}; {away}")
    hint = run.hint
    if any(stage.state is StageState.FAILED for stage in run.current):
        hint += f"; once it is there again: arteriole retry {run.name}"
    return _Reason(run.code, f"{away}; {reason.message}", hint, LATE)


def _remarks(run: Run) -> str:
    """What stages said although they are done."""
    done = [stage for stage in run.current if stage.state is StageState.DONE and stage.code]
    return "".join(f"; {stage.stage} [{stage.code}]: {stage.message}" for stage in done)


def _listed(running: list[str]) -> str:
    return f"{' and '.join(running)} {'is' if len(running) == 1 else 'are'} running"


def _waiver_of(run: Run, stage: Stage) -> str:
    """How the rule that stopped it is waived; nothing where it is, or cannot be."""
    if stage.code not in WAIVABLE_RULES or _is_waived(run, stage.code):
        return ""
    return (
        f"; whoever means it so: arteriole waive {run.name} --rule {stage.code} --reason TEXT,"
        f" then: arteriole redo {run.name} --from {stage.stage}"
    )


def _is_waived(run: Run, code: str) -> bool:
    return code in {one.rule for one in run.waived_rules}


def _mend(run: Run, stage: Stage) -> str:
    made_so = run.newest is not None and stage.code in run.newest.waived_rules
    if _is_waived(run, stage.code) and not made_so:
        redo = f"arteriole redo {run.name} --from {stage.stage}"
        return f"{stage.code} is waived in the attempts that come: {redo}"
    retry = f"arteriole retry {run.name}"
    hint = stage.hint.rstrip(" .")
    first = _MADE_ANEW.get(stage.code)
    if first in {known.stage for known in run.current}:
        redo = f"arteriole redo {run.name} --from {first}"
        return f"{hint}: {redo}" if hint else redo
    if not hint or hint.endswith(retry):
        return hint or retry
    return f"{hint}; then: {retry}"


def _until(run: Run, urgency: str, due_hours: float, filling: Filling | None) -> str:
    if urgency == AT_RISK:
        if filling is None or filling.reached is None:
            return "now"
        return f"{filling.reached}: only the reserve of the landing volume is left then"
    completed = _completed(run)
    if urgency != LATE or completed is None:
        return ""
    due = times.text(times.parse(completed) + timedelta(hours=due_hours))
    return f"{_minute(due)}: results are due {due_hours:g} h after the run is complete"


def _completed(run: Run) -> str | None:
    """When the run was complete, or was taken as it was; None if it is not yet so."""
    known = [attempt.made for attempt in run.attempts[:1]]
    if run.verdict in (VerdictKind.COMPLETE, VerdictKind.NO_SHEET):
        known.append(run.verdict_since)
    return min(known, default=None)


def _minute(time: str) -> str:
    return times.text(times.parse(time))[:16] + "Z"


def _samples(run: Run) -> int | None:
    kept = before(run)
    found = (run.evidence if kept is None else kept["evidence"]).get("samples")
    return found if isinstance(found, int) else None
