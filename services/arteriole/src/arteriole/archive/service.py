"""The archive: a service of jobs that also brings back, drills, and takes away what it archived."""

import random
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field

from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.errors import ArterioleError
from arteriole.app.mode import Mode
from arteriole.app.routes import JSON, Call, Reply, Request, Route
from arteriole.archive.clean.desk import CLEAN, RESTORE, Desk
from arteriole.archive.clean.request import CleanRequest
from arteriole.archive.kind import ArchiveKind, DrillRequest, RestoreRequest
from arteriole.checksum.parts import Part
from arteriole.jobs.jobs import Job, JobState
from arteriole.jobs.machine import Machine
from arteriole.jobs.service import STARTS, JobService

#: What such jobs are told as; no stages of a run.
DRILL = "drill"
#: Jobs looked at together.
PAGE = 500


class DrillsRequest(Request):
    """Body of `POST /api/1.0/drills`."""

    #: All destinations, if left out.
    destination: str = Field(default="", max_length=200)


class ArchiveService(JobService):
    kind: ArchiveKind

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
        self._desk = Desk(self.queue, kind.clean, kind.of_clean, mode)

    async def start(self) -> None:
        await super().start()
        await self._desk.note()

    def routes(self) -> list[Route]:
        return [
            *super().routes(),
            Route(
                "POST",
                "/api/1.0/restore/{runfolder}",
                self._restore,
                Role.OPERATOR,
                "bring back an archived attempt, or some of it; Idempotency-Key as of a start",
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
            Route(
                "GET",
                "/api/1.0/clean/{runfolder}/{attempt}",
                self._desk.merged,
                Role.READER,
                "other runs whose reads are in the attempt's results",
            ),
            Route(
                "POST",
                "/api/1.0/drills",
                self._drill,
                Role.OPERATOR,
                "bring back and verify files of an attempt chosen at random, of each destination;"
                " `refused` are those whose drill cannot begin",
                body=DrillsRequest,
                answers={202: JSON},
            ),
            Route(
                "GET", "/api/1.0/drills", self._drills, Role.READER, "the last drill of each place"
            ),
        ]

    async def submit(self, call: Call, default_stage: str) -> Reply:
        reply = await super().submit(call, default_stage)
        await self._desk.note()
        return reply

    async def _restore(self, call: Call) -> Reply:
        return await self.submit(call, RESTORE)

    async def _clean(self, call: Call) -> Reply:
        completed = await self._desk.completed(call)
        if isinstance(completed, Reply):
            return completed
        return await self.submit(replace(call, body=completed), CLEAN)

    async def _drill(self, call: Call) -> Reply:
        """A drill that has not ended yet stands for a new one; where nothing is, none is begun.

        One that cannot begin keeps none of the others from it.
        """
        asked: DrillsRequest = call.body
        drills: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        for name in [asked.destination] if asked.destination else self.kind.destinations:
            try:
                if (job := await self._drill_of(name, call)) is not None:
                    drills.append(_told(job))
            except ArterioleError as err:
                if asked.destination:
                    raise
                refused.append({"destination": name, **err.document()["error"]})
        return Reply({"drills": drills, "refused": refused}, status=202)

    async def _drill_of(self, destination: str, call: Call) -> Job | None:
        self.kind.require(destination)
        last = next(self._drills_of(destination), None)
        if last is not None and not last.state.ended:
            return last
        archived = sorted(self._archived(destination))
        if not archived:
            return None
        run, attempt, part = random.SystemRandom().choice(archived)
        observed = self.mode is Mode.OBSERVE
        request = DrillRequest(
            attempt=attempt, destination=destination, part=part, observe=observed
        )
        return self.queue.submit(
            f"drill/{secrets.token_hex(16)}",
            request.asked(),
            run=run,
            stage=DRILL,
            attempt=attempt,
            parameters=await answered(self.kind.parameters, run, request),
            who=call.identity.name,
            observed=observed,
        )

    def _drills(self, call: Call) -> Reply:
        return Reply({"destinations": [self._document_of(n) for n in self.kind.destinations]})

    def _document_of(self, destination: str) -> dict[str, Any]:
        last = next(self._drills_of(destination), None)
        drills = self._drills_of(destination)
        good = next((j for j in drills if j.state is JobState.DONE and not j.observed), None)
        return {
            "destination": destination,
            "archived": len({(run, attempt) for run, attempt, _ in self._archived(destination)}),
            "last_good": good.ended if good else None,
            "last": _told(last) if last else None,
        }

    def _archived(self, destination: str) -> set[tuple[str, int, Part]]:
        """Which part of which attempts this service knows to be archived there."""
        return {
            (job.run, job.attempt, Part(job.parameters.get("part", Part.DATA)))
            for job in self._jobs(state=JobState.DONE.value)
            if not job.observed
            and job.result.get("destination") == destination
            and job.result.keys() & {"path", "units"}
        }

    def _drills_of(self, destination: str) -> Iterator[Job]:
        """The newest first."""
        jobs = self._jobs(stage=DRILL)
        return (job for job in jobs if job.parameters.get("name") == destination)

    def _jobs(self, state: str | None = None, stage: str | None = None) -> Iterator[Job]:
        before = None
        while page := self.queue.find(state=state, stage=stage, limit=PAGE, before=before):
            yield from page
            before = page[-1].job_id


def _told(job: Job) -> dict[str, Any]:
    return {
        "destination": job.parameters["name"],
        "job_id": job.job_id,
        "run": job.run,
        "attempt": job.attempt,
        "part": job.parameters["part"],
        "state": job.state.value,
        "observed": job.observed,
        "code": job.code,
        "ended": job.ended,
        "files": job.result.get("files"),
        "bytes": job.result.get("bytes"),
    }
