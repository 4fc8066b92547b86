"""The bcl2fastq service: conversions as jobs, beside them what the observed indexes say, and sample
sheets that people check and hand in."""

import asyncio
import base64
from dataclasses import asdict
from pathlib import Path
from typing import Any

from arteriole.app.auth import Role
from arteriole.app.errors import ArterioleError, NotFoundError
from arteriole.app.mode import Mode
from arteriole.app.names import require_identifier
from arteriole.app.page import Page
from arteriole.app.routes import Call, Reply, Route
from arteriole.bcl2fastq.hand_in import FaultySheetError, HandIn
from arteriole.bcl2fastq.indexes.takeover import Takeover, proposal_of
from arteriole.bcl2fastq.indexes.work import DIAGNOSIS
from arteriole.bcl2fastq.kind import Bcl2fastqKind, IndexesRequest
from arteriole.bcl2fastq.parts import Part
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.sheet_folder import OtherSheetError
from arteriole.bcl2fastq.sheet_requests import AcceptRequest, HandInRequest
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.jobs import Job
from arteriole.jobs.machine import Machine
from arteriole.jobs.service import STARTS, JobService


class Bcl2fastqService(JobService):
    def __init__(
        self,
        settings: Bcl2fastqSettings,
        state_dir: Path,
        mode: Mode = Mode.OBSERVE,
        machine: Machine | None = None,
    ) -> None:
        kind, far = Bcl2fastqKind(settings), settings.goes_on
        super().__init__(kind, state_dir, settings.parallel, mode, far=far, machine=machine)
        self._settings = settings
        self._sheets = HandIn(settings, kind.sheets, mode, self.store, self.events)
        self._takeover = Takeover(settings, self._sheets, self.store, self.events)
        self._page = Page("/samplesheet", "the page for sample sheets", "arteriole.bcl2fastq.page")
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> list[Route]:
        indexes = "/api/1.0/indexes/{runfolder}"
        return [
            *super().routes(),
            *self._page.routes(),
            Route("GET", "/api/1.0/samplesheets", self._about, Role.READER,
                  "what sheets are checked against here, and whether they can be handed in"),
            Route("POST", "/api/1.0/samplesheets", self._hand_in, Role.OPERATOR,
                  "hand a sheet in for a flow cell, unless it has errors or another lies there",
                  body=HandInRequest, failure=_failure),
            Route("POST", indexes, self._examine, Role.OPERATOR,
                  "compare the indexes that were read with the sheet; Idempotency-Key as of a"
                  " start", body=IndexesRequest, **STARTS),
            Route("GET", indexes, self._found, Role.READER, "the newest comparison"),
            Route("GET", f"{indexes}/proposal", self._proposal, Role.READER,
                  "the sheet that the newest comparison proposes"),
            Route("POST", f"{indexes}/accept", self._accept, Role.OPERATOR,
                  "make the sheet that the newest comparison proposes the run's", failure=_failure,
                  body=AcceptRequest),
        ]  # fmt: skip

    def _about(self, _: Call) -> Reply:
        return Reply(
            {
                "hand_in": self._sheets.is_possible,
                "barcode_mismatches": list(self._settings.barcode_mismatches),
                "rules": self._settings.sheet_rules.model_dump(mode="json"),
            }
        )

    async def _hand_in(self, call: Call) -> Reply:
        body: HandInRequest = call.body
        data = base64.b64decode(body.sheet)
        done, found = await self._sheets.put(body.flow_cell, data, body.replace, call.identity.name)
        warnings = found["findings"]
        return Reply({"flow_cell": body.flow_cell, **asdict(done), "findings": warnings})

    async def _examine(self, call: Call) -> Reply:
        return await self.submit(call, Part.INDEXES)

    def _found(self, call: Call) -> Reply:
        """`diagnosis` is null while there is none, `acceptance` while nobody has accepted any."""
        comparisons = self._comparisons(call)
        job = comparisons[0]
        document: dict[str, Any] = {"job": job.document()}
        document["diagnosis"] = self._folder(job).read(DIAGNOSIS)
        word = self._takeover.standing(job.run, comparisons)
        document["acceptance"] = None if word is None else word.document(job.run)
        return Reply(document)

    def _proposal(self, call: Call) -> Reply:
        job = self._comparisons(call)[0]
        data, found = proposal_of(job, self._folder(job))
        encoded = base64.b64encode(data).decode("ascii")
        sha256 = found["proposal_sha256"]
        return Reply({"run": job.run, "job_id": job.job_id, "sha256": sha256, "base64": encoded})

    async def _accept(self, call: Call) -> Reply:
        async with self._one_at_a_time:
            comparisons = self._comparisons(call)
            folder = self._folder(comparisons[0])
            return Reply(await self._takeover.accept(comparisons, folder, call.body, call.identity))

    def _folder(self, job: Job) -> JobFolder:
        return self.runner.folder(job.job_id)

    def _comparisons(self, call: Call) -> list[Job]:
        """Of the run that the path names, the newest first; at least one."""
        run = require_identifier(call.path["runfolder"], "runfolder")
        jobs = self.queue.find(run=run, stage=Part.INDEXES, limit=1000)
        if not jobs:
            raise NotFoundError(
                f"the indexes of {run} were not compared with its sheet",
                code="job.not_found",
                hint=f"arteriole indexes {run} --again",
            )
        return jobs


def _failure(err: ArterioleError) -> dict[str, Any]:
    """An error, and beside it what a person needs to go on."""
    document = err.document()
    if isinstance(err, OtherSheetError):
        document["sha256"] = err.sha256
    if isinstance(err, FaultySheetError):
        document |= {key: err.found[key] for key in ("run", "findings", "finding_count")}
    return document
