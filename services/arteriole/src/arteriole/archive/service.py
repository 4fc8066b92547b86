"""The archive: a service of jobs that also brings back what it archived, and cleans up after it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.mode import Mode
from arteriole.app.names import require_identifier
from arteriole.app.routes import JSON, Call, Reply, Route
from arteriole.archive.clean import work as clean
from arteriole.archive.clean.case import Case
from arteriole.archive.clean.mark import OWN, Mark
from arteriole.archive.clean.objections import Objection
from arteriole.archive.clean.request import CleanRequest, Verb
from arteriole.archive.clean.words import Words, about, needs_second
from arteriole.archive.kind import ArchiveKind, RestoreRequest
from arteriole.jobs.jobs import JobState
from arteriole.jobs.machine import Machine
from arteriole.jobs.service import STARTS, JobService
from arteriole.policy.gate import policy_at
from arteriole.policy.policy import Subject
from arteriole.policy.subjects import subjects_of

#: What such jobs are told as; no stages of a run.
RESTORE, CLEAN = "restore", "clean"

log = structlog.get_logger()


class ArchiveService(JobService):
    def __init__(
        self,
        kind: ArchiveKind,
        state_dir: Path,
        parallel: int,
        mode: Mode = Mode.OBSERVE,
        *,
        machine: Machine | None = None,
    ) -> None:
        super().__init__(kind, state_dir, parallel, mode, machine=machine)
        self._clean_settings = kind.clean
        self._of_clean = kind.of_clean
        self._marking = asyncio.Lock()
        self._words = Words(self.store, self.events)

    async def start(self) -> None:
        await super().start()
        await self._note()

    def routes(self) -> list[Route]:
        return [
            *super().routes(),
            Route(
                "POST",
                "/api/1.0/restore/{runfolder}",
                self._restore,
                Role.OPERATOR,
                "bring back an archived attempt; Idempotency-Key as of a start",
                body=RestoreRequest,
                **STARTS,
            ),
            Route(
                "POST",
                "/api/1.0/clean/{runfolder}",
                self._clean,
                Role.OPERATOR,
                "list what may go, move it into a bin, or empty that; 200: a word is missing",
                body=CleanRequest,
                **{**STARTS, "answers": {200: JSON, 202: JSON}},
            ),
        ]

    async def submit(self, call: Call, default_stage: str) -> Reply:
        reply = await super().submit(call, default_stage)
        await self._note()
        return reply

    async def _restore(self, call: Call) -> Reply:
        return await self.submit(call, RESTORE)

    async def _clean(self, call: Call) -> Reply:
        """NB: what a person says is recorded only where nothing else speaks against it."""
        run = require_identifier(call.path["runfolder"], "runfolder")
        request: CleanRequest = call.body
        await self._note(request)
        request = request.completed(self._known(run, request.attempt))
        key = call.headers.get("idempotency-key") or f"{run}.{CLEAN}.{request.attempt}"
        repeated = self.queue.earlier(key, {"run": run, **request.asked()}) is not None
        acts = self.mode is Mode.ACT and not request.observe and request.verb is not Verb.LIST
        if not acts or repeated:
            return await self.submit(replace(call, body=request), CLEAN)
        parameters = await answered(self._of_clean, run, request)
        case = Case.of(run, request.attempt, parameters)
        findings = await answered(clean.require, case, case.kinds)
        assert self._clean_settings is not None, "else it is not allowed"
        both = needs_second(self._clean_settings.second_person, await answered(_subjects, case))
        what = about(case.attempt, case.verb, findings)
        people = self._words.say(run, case.attempt, what, request.reason, call.identity, both=both)
        if not people:
            return Reply(_first_word(run, call.identity.name))
        request = request.completed(request.known, people)
        return await self.submit(replace(call, body=request), CLEAN)

    def _known(self, run: str, attempt: int) -> dict[str, Any]:
        """What our own store knows of the run."""
        jobs = self.queue.find(run=run, limit=1000)
        restores = [job for job in jobs if (job.stage, job.attempt) == (RESTORE, attempt)]
        newest = self.store.row("SELECT time FROM event ORDER BY id DESC LIMIT 1")
        return {
            "open_jobs": [job.job_id for job in jobs if not job.state.ended],
            "restored": any(job.state is JobState.DONE for job in restores),
            "newest": "" if newest is None else newest["time"],
        }

    async def _note(self, request: CleanRequest | None = None) -> None:
        """Mark beside the bins how far the stores are."""
        if self._clean_settings is None:
            return
        async with self._marking:
            await self._note_both(Mark(self._clean_settings.bins[0]), request)

    async def _note_both(self, mark: Mark, request: CleanRequest | None) -> None:
        try:
            known = (await answered(mark.read)).get(OWN, {}).get("cursor", "")
            newest = self.events.newest
            times = [self._time_of(cursor) for cursor in (newest, known)]
            await answered(mark.raise_own, newest, *times)
            if request is not None and request.evidence is not None:
                told = request.evidence
                await answered(mark.raise_runs, told.cursor, told.time)
        except (OSError, ValueError, AttributeError, KeyError, TypeError) as err:
            log.warning("how far the stores are is not marked", file=str(mark.path), error=str(err))
            if request is not None and request.verb is not Verb.LIST:
                hint = "make the folder, mount the file system, or look at the file"
                raise Objection("clean.bin", f"{mark.path}: {err}", hint).error() from err

    def _time_of(self, cursor: str) -> str:
        """Of the event that has this cursor; empty if there is none."""
        epoch, _, number = cursor.rpartition("-")
        if epoch != self.store.epoch:
            return ""
        row = self.store.row("SELECT time FROM event WHERE id = ?", (int(number),))
        return "" if row is None else str(row["time"])


def _subjects(case: Case) -> list[Subject]:
    assert case.policy is not None, "else it is not allowed"
    run_dir = case.runfolder if case.runfolder.is_dir() else None
    return subjects_of(policy_at(case.policy), case.record_folder, run_dir)


def _first_word(run: str, name: str) -> dict[str, Any]:
    return {
        "run": run,
        "complete": False,
        "by": name,
        "message": f"{name} has said so; the word of a second person is missing",
        "hint": f"a second person: the same command for {run}, within a week",
    }
