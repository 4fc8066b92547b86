"""Waivers: a person lets a run be worked on as it is, and its attempt is degraded for good."""

import json
from dataclasses import replace

from arteriole.app import times
from arteriole.app.errors import ConflictError
from arteriole.runfolder.ignorable import Ignorable
from arteriole.runfolder.records import WAIVABLE, Run, Waiver
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.verdict import VerdictKind


def waive(runs: Runs, name: str, reason: str, ignore: list[Ignorable], who: str) -> Waiver:
    """Let a run that is incomplete, failed or stands still be claimed as it is.

    In a complete one it waives what is named: damage or an empty sample that a conversion found.

    A second waiver replaces the first for the attempts that come; those there are keep what they
    were made under. The same waiver again changes nothing.

    Raises:
        ConflictError: the run is still being sequenced or copied, is complete and nothing is
            named, or its base calls cannot be told apart without the filter files.
    """
    chosen = tuple(one.value for one in Ignorable if one in ignore)
    with runs.store.transaction():
        run = runs.get(name)
        if run.verdict not in WAIVABLE:
            raise ConflictError(
                f"{name} is {run.verdict.value}, so there is nothing that could be waived; a run"
                f" is waived that is one of {', '.join(sorted(WAIVABLE))}",
                code="run.not_waivable",
                hint=f"arteriole why {name}",
            )
        if run.verdict is VerdictKind.COMPLETE and not chosen:
            raise ConflictError(
                f"{name} is complete, so it must be named what is to be ignored",
                code="run.not_waivable",
                hint=f"arteriole waive {name} --ignore empty-samples --reason TEXT",
            )
        _require_of_use(run, chosen)
        waiver = Waiver(who, reason[:500], chosen, times.now(), run.verdict)
        if run.waiver is not None and replace(run.waiver, time=waiver.time) == waiver:
            return run.waiver
        runs.store.execute(
            "UPDATE run SET waiver = ? WHERE id = ?", (json.dumps(waiver.document()), run.id)
        )
        runs.events.append(
            "waived", who=who, run=name, reason=waiver.reason, ignore=list(waiver.ignore)
        )
        runs.alerts.clear(name)  # a person knows
        if not run.claimable:
            runs.tell_if_ready(name)
    return waiver


def unwaive(runs: Runs, name: str, reason: str, who: str) -> Waiver | None:
    """Withdraw the waiver of a run: no attempt is made under it any more.

    Attempts that were made under one stay degraded for good, and go on; `abort` ends one.

    Returns:
        The waiver that is withdrawn; None if there was none: then nothing happens.
    """
    with runs.store.transaction():
        run = runs.get(name)
        if run.waiver is None:
            return None
        runs.store.execute("UPDATE run SET waiver = NULL WHERE id = ?", (run.id,))
        runs.events.append(
            "unwaived",
            who=who,
            run=name,
            reason=reason[:500],
            ignore=list(run.waiver.ignore),
            waived_by=run.waiver.by,
        )
    return run.waiver


def _require_of_use(run: Run, chosen: tuple[str, ...]) -> None:
    """Some .cbcl hold only the clusters that passed the filter: which, only its files say.

    Raises:
        ConflictError: the conversion would fail all the same.
    """
    passed_only = run.evidence.get("passed_only")
    named = Ignorable.MISSING_FILTER.value in chosen
    offered = Ignorable.MISSING_FILTER.value in (run.evidence.get("waiver") or ())
    if run.evidence.get("filter_needed") or (passed_only and named and not offered):
        raise ConflictError(
            f"a missing filter file of {run.name} cannot be waived: {passed_only} holds only the"
            " clusters that passed the filter, and which they are only the filter files say",
            code="run.not_waivable",
            hint="copy the filter files (Data/Intensities/BaseCalls/L*/*.filter) again from the"
            f" instrument; then: arteriole why {run.name}",
        )
