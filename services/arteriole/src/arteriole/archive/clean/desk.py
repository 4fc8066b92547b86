"""Where people ask for what may go: what our store knows, and whose word there is."""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog

from arteriole.app.aside import SilentError, answered
from arteriole.app.errors import NotFoundError
from arteriole.app.mode import Mode
from arteriole.app.names import require_identifier
from arteriole.app.routes import Call, Reply
from arteriole.archive.clean import judging, work
from arteriole.archive.clean.case import Case
from arteriole.archive.clean.mark import OWN, Mark
from arteriole.archive.clean.merged import merged_runs, subjects_in
from arteriole.archive.clean.objections import NoRoomError, Objection
from arteriole.archive.clean.request import CleanRequest, Verb
from arteriole.archive.clean.settings import CleanSettings
from arteriole.archive.clean.words import Words, about, needs_second
from arteriole.jobs.jobs import JobState
from arteriole.jobs.queue import JobQueue
from arteriole.policy.errors import PolicyError
from arteriole.policy.gate import policy_at
from arteriole.policy.policy import Subject
from arteriole.policy.settings import DataKind

#: What such jobs are told as; no stages of a run.
RESTORE, CLEAN = "restore", "clean"

log = structlog.get_logger()

Parameters = Callable[[str, CleanRequest], dict[str, Any]]


class Desk:
    """Of one service: its jobs, its settings, and how it works out a job's parameters."""

    def __init__(
        self, queue: JobQueue, settings: CleanSettings | None, parameters: Parameters, mode: Mode
    ) -> None:
        self._queue, self._store = queue, queue.store
        self._settings = settings
        self._parameters = parameters
        self._mode = mode
        self._marking = asyncio.Lock()
        self._words = Words(queue.store, queue.events)

    async def completed(self, call: Call) -> CleanRequest | Reply:
        """What a job is to be made of; or what is said instead of one, as a word is missing.

        NB: what a person says is recorded only where nothing else speaks against it.

        Raises:
            CleanError: something does.
            ConflictError, ForbiddenError: as of `Words.say`.
        """
        run = require_identifier(call.path["runfolder"], "runfolder")
        request: CleanRequest = call.body
        await self.note(request)
        request = request.completed(self._known(run, request.attempt))
        key = call.headers.get("idempotency-key") or f"{run}.{CLEAN}.{request.attempt}"
        repeated = self._queue.earlier(key, {"run": run, **request.asked()}) is not None
        acts = self._mode is Mode.ACT and not request.observe and request.verb is not Verb.LIST
        if not acts or repeated:
            return request
        case = Case.of(run, request.attempt, await answered(self._parameters, run, request))
        kinds = await answered(judging.left, case)
        if not kinds:
            return request.completed(request.known, said=())  # its job tells where all of it went
        findings = await answered(work.require, case, kinds)
        assert self._settings is not None, "else it is not allowed"
        both = needs_second(self._settings.second_person, await answered(_subjects, case))
        what = about(case.attempt, case.verb, findings)
        people = self._words.say(run, case.attempt, what, request.reason, call.identity, both=both)
        if not people:
            return Reply(_first_word(run, call.identity.name))
        return request.completed(request.known, people, kinds)

    async def merged(self, call: Call) -> Reply:
        """Of which other runs it has to be said whether they are held, before results go."""
        run = require_identifier(call.path["runfolder"], "runfolder")
        number = call.path["attempt"]
        if not re.fullmatch("[1-9][0-9]{0,3}", number):
            raise NotFoundError(
                f"{number[:40]!r} is no attempt",
                code="attempt.not_found",
                hint=f"arteriole run {run}",
            )
        request = CleanRequest(attempt=int(number), kinds=[DataKind.RESULTS])
        request = request.completed(self._known(run, request.attempt))
        case = Case.of(run, request.attempt, await answered(self._parameters, run, request))
        found: set[str] = set()
        with contextlib.suppress(PolicyError):  # the job will tell it
            for one in (case, replace(case, verb=Verb.EMPTY)):
                found |= {*await answered(merged_runs, one)}
        return Reply({"run": run, "attempt": request.attempt, "merged": sorted(found)})

    def _known(self, run: str, attempt: int) -> dict[str, Any]:
        """What our own store knows of the run."""
        jobs = self._queue.find(run=run, limit=1000)
        restores = [job for job in jobs if (job.stage, job.attempt) == (RESTORE, attempt)]
        newest = self._store.row("SELECT time FROM event ORDER BY id DESC LIMIT 1")
        return {
            "open_jobs": [job.job_id for job in jobs if not job.state.ended],
            "restored": any(job.state is JobState.DONE for job in restores),
            "newest": "" if newest is None else newest["time"],
        }

    async def note(self, request: CleanRequest | None = None) -> None:
        """Mark beside the bins how far the stores are."""
        if self._settings is None:
            return
        async with self._marking:
            for folder in self._settings.bins:
                await self._note(Mark(folder), request)

    async def _note(self, mark: Mark, request: CleanRequest | None) -> None:
        """NB: what is lost is found out on a full disk too, where nothing but a bin can go."""
        try:
            known = (await answered(mark.read)).get(OWN, {}).get("cursor", "")
            newest = self._queue.events.newest
            times = [self._time_of(cursor) for cursor in (newest, known)]
            room = await self._raised(mark.raise_own, newest, *times)
            if request is not None and request.evidence is not None:
                told = request.evidence
                room = await self._raised(mark.raise_runs, told.cursor, told.time) or room
            if room is not None and request is not None and request.verb is Verb.DELETE:
                raise room
        except (OSError, ValueError, AttributeError, KeyError, TypeError, SilentError) as err:
            log.warning("how far the stores are is not marked", file=str(mark.path), error=str(err))
            if request is not None and request.verb is not Verb.LIST:
                hint = "make the folder, mount the file system, or look at the file"
                raise Objection("clean.bin", f"{mark.path}: {err}", hint).error() from err

    async def _raised(self, how: Callable[..., None], *given: str) -> NoRoomError | None:
        """That there is no room for it, if that is all that is wrong."""
        try:
            await answered(how, *given)
        except NoRoomError as err:
            log.warning("how far the stores are is not marked", error=str(err))
            return err
        return None

    def _time_of(self, cursor: str) -> str:
        """Of the event that has this cursor; empty if there is none."""
        epoch, _, number = cursor.rpartition("-")
        if epoch != self._store.epoch:
            return ""
        row = self._store.row("SELECT time FROM event WHERE id = ?", (int(number),))
        return "" if row is None else str(row["time"])


def _subjects(case: Case) -> list[Subject]:
    assert case.policy is not None, "else it is not allowed"
    return subjects_in(case, policy_at(case.policy), case.kinds)


def _first_word(run: str, name: str) -> dict[str, Any]:
    return {
        "run": run,
        "complete": False,
        "by": name,
        "message": f"{name} has said so; the word of a second person is missing",
        "hint": f"a second person: the same command for {run}, within a week",
    }
