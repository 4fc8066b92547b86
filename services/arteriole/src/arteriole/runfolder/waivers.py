"""Waivers: a person lets a run be worked on as it is, and its attempt is degraded for good.

What is waived is that files lack, or a rule of sample sheets. Either is of one run.
"""

import json
from dataclasses import replace

from arteriole.app import times
from arteriole.app.errors import ConflictError
from arteriole.runfolder.ignorable import WAIVABLE_RULES, Ignorable
from arteriole.runfolder.records import WAIVABLE, Run, WaivedRule, Waiver
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


def waive_rules(
    runs: Runs, name: str, reason: str, rules: list[str], who: str
) -> tuple[WaivedRule, ...]:
    """Let errors of these rules stop nothing in the attempts that come; all that are waived then.

    What is waived already stays as it was waived first.

    Raises:
        ConflictError: one of them cannot be waived.
    """
    for rule in rules:
        if rule not in WAIVABLE_RULES:
            raise ConflictError(
                f"{rule} cannot be waived: it is no rule without which a conversion can go on;"
                f" those are {', '.join(sorted(WAIVABLE_RULES))}. A sheet that cannot be read is"
                " refused whatever is waived",
                code="run.rule_not_waivable",
                hint=f"correct the sheet; then: arteriole retry {name}",
            )
    with runs.store.transaction():
        run = runs.get(name)
        new = sorted(set(rules) - {one.rule for one in run.waived_rules})
        for rule in new:
            runs.store.execute(
                "INSERT INTO waived_rule (run, rule, waived_by, reason, time)"
                " VALUES (?, ?, ?, ?, ?)",
                (run.id, rule, who, reason[:500], times.now()),
            )
        if new:
            runs.events.append("rules_waived", who=who, run=name, rules=new, reason=reason[:500])
    return runs.get(name).waived_rules


def unwaive_rules(
    runs: Runs, name: str, reason: str, who: str, rules: list[str] | None = None
) -> tuple[str, ...]:
    """Let these rules, or all that are waived, count again in the attempts that come.

    Returns:
        Those that were waived until now.
    """
    with runs.store.transaction():
        run = runs.get(name)
        known = [one.rule for one in run.waived_rules if rules is None or one.rule in rules]
        for rule in known:
            runs.store.execute("DELETE FROM waived_rule WHERE run = ? AND rule = ?", (run.id, rule))
        if known:
            runs.events.append(
                "rules_unwaived", who=who, run=name, rules=known, reason=reason[:500]
            )
    return tuple(known)


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
