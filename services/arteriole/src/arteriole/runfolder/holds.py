"""Holds: while one is there, no stage of the runs in its scope begins; what runs goes on."""

from dataclasses import dataclass
from typing import Any

from arteriole.app import times
from arteriole.app.errors import InvalidError
from arteriole.app.names import require_identifier
from arteriole.runfolder.records import Hold, Run, Scope
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.stages import Stages
from arteriole.runfolder.states import StageState
from arteriole.runfolder.verdict import VerdictKind


@dataclass(frozen=True)
class Finding:
    """What a run is held for, if that was found by a program.

    Attributes:
        code: its page in the runbook. hint: the command that mends it.
        about: identifier of what was found, for which a run is held once.
    """

    code: str = ""
    hint: str = ""
    about: str = ""


NOTHING_FOUND = Finding()


class Holds:
    """The holds of one run, of an instrument's runs, and of all, also of those to come."""

    def __init__(self, runs: Runs, stages: Stages) -> None:
        self._runs = runs
        self._stages = stages
        self._store = runs.store

    def hold(
        self, scope: Scope, name: str, reason: str, who: str, finding: Finding = NOTHING_FOUND
    ) -> bool:
        """A repeat changes at most the reason; what a person and a finding say is kept of both.

        Returns:
            False if the run was held for this finding before: whoever released it has decided.

        Raises:
            NotFoundError: there is no such run.
            InvalidError: the name does not fit the scope.
        """
        reason = reason[:500]
        with self._store.transaction():
            run = self._check(scope, name)
            if finding.about and self._was_held(run, finding.about):
                return False
            code, hint = finding.code, finding.hint
            if (found := self._find(scope, name)) is not None:
                if reason == found.reason and code == found.code:
                    return True
                if found.code != code:
                    both = f"{found.reason}; {reason}"[:1000]
                    reason = found.reason if reason in found.reason else both
                code, hint = code or found.code, hint or found.hint
            self._store.execute(
                "INSERT INTO hold (scope, name, reason, held_by, since, code, hint)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope, name) DO UPDATE SET"
                " reason = excluded.reason, held_by = excluded.held_by,"
                " code = excluded.code, hint = excluded.hint",
                (scope.value, name, reason, who, times.now(), code, hint),
            )
            more: dict[str, Any] = {"code": code, "about": finding.about} if finding.about else {}
            self._runs.events.append(
                "held", who=who, run=run, scope=scope.value, name=name, reason=reason, **more
            )
        return True

    def release_finding(self, run: str, code: str, reason: str, who: str) -> bool:
        """End what a run is held for under this code; what a person holds it for stays.

        Returns:
            False if it is not held for it: then nothing happens.
        """
        with self._store.transaction():
            hold = self._find(Scope.RUN, run)
            if hold is None or hold.code != code:
                return False
            if not self._is_held_by_a_person(run):
                return self.release(Scope.RUN, run, who, reason)
            self._store.execute(
                "UPDATE hold SET code = '', hint = '' WHERE (scope, name) = ('run', ?)", (run,)
            )
            self._runs.events.append(
                "finding_released", who=who, run=run, code=code, reason=reason[:500]
            )
        return True

    def release(self, scope: Scope, name: str, who: str, reason: str = "") -> bool:
        """End a hold, and tell of all that is due in the runs that nothing else holds.

        Returns:
            False if there was no such hold: then nothing happens.
        """
        with self._store.transaction():
            run = self._check(scope, name)
            hold = self._find(scope, name)
            if hold is None:
                return False
            held = [one for one in self._runs.holdable() if one.held is not None]
            self._store.execute(
                "DELETE FROM hold WHERE scope = ? AND name = ?", (scope.value, name)
            )
            more: dict[str, Any] = {"reason": reason[:500]} if reason else {}
            self._runs.events.append(
                "hold_released", who=who, run=run, scope=scope, name=name, **more
            )
            for one in held:
                self._tell_what_is_due(one, who)
        return True

    def _check(self, scope: Scope, name: str) -> str | None:
        """The run whose history tells of this hold, if it is of one."""
        if scope is Scope.ALL:
            if name:
                raise InvalidError("a hold of all has no name", field="name")
            return None
        require_identifier(name, "name")
        if scope is Scope.RUN:
            self._runs.get(name)
            return name
        return None

    def _was_held(self, run: str | None, about: str) -> bool:
        row = self._store.row(
            "SELECT 1 FROM event WHERE run = ? AND what = 'held'"
            " AND json_extract(payload, '$.about') = ? LIMIT 1",
            (run, about),
        )
        return row is not None

    def _is_held_by_a_person(self, run: str) -> bool:
        """Somebody held it without a finding since it was last free."""
        row = self._store.row(
            "SELECT 1 FROM event WHERE run = ?1 AND what = 'held'"
            " AND json_extract(payload, '$.about') IS NULL AND id > (SELECT coalesce(max(id), 0)"
            " FROM event WHERE run = ?1 AND what = 'hold_released') LIMIT 1",
            (run,),
        )
        return row is not None

    def _find(self, scope: Scope, name: str) -> Hold | None:
        row = self._store.row(
            "SELECT * FROM hold WHERE scope = ? AND name = ?", (scope.value, name)
        )
        return None if row is None else Hold.from_row(row)

    def _tell_what_is_due(self, run: Run, who: str) -> None:
        """Nothing, if another hold is left.

        NB: what was told before the hold is told again, since begin was refused meanwhile.
        """
        if run.verdict is VerdictKind.REFUSED or self._runs.get(run.name).held is not None:
            return
        if run.awaits_claim:
            self._runs.tell_if_ready(run.name)
        elif not run.finished:
            for stage in run.current:
                if stage.state is StageState.WAITING:
                    self._stages.write(run, stage, ready=None)
            self._stages.settle(run.name, who)
