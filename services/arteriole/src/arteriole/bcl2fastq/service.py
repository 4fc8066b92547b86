"""The bcl2fastq service: conversions as jobs, beside them what the observed indexes say, and sample
sheets that people check and hand in."""

import asyncio
import base64
import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.errors import ArterioleError, ConflictError, NotFoundError
from arteriole.app.mode import Mode
from arteriole.app.names import require_identifier
from arteriole.app.page import Page
from arteriole.app.routes import Call, Reply, Route
from arteriole.bcl2fastq.indexes.work import DIAGNOSIS, PROPOSAL
from arteriole.bcl2fastq.kind import Bcl2fastqKind, IndexesRequest
from arteriole.bcl2fastq.parts import Part
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.sheet_folder import OtherSheetError, SheetFolder, SheetFolderError
from arteriole.bcl2fastq.sheet_requests import CheckRequest, HandInRequest
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.jobs import Job
from arteriole.jobs.service import STARTS, JobService


class FaultySheetError(ArterioleError):
    """The sheet has errors, so it is not handed in; `found` is the whole answer of the check."""

    status = 422

    def __init__(self, found: dict[str, Any]) -> None:
        super().__init__(found["message"], hint=found["hint"], code=found["code"], field="sheet")
        self.found = found


class Bcl2fastqService(JobService):
    def __init__(
        self, settings: Bcl2fastqSettings, state_dir: Path, mode: Mode = Mode.OBSERVE
    ) -> None:
        kind = Bcl2fastqKind(settings)
        super().__init__(kind, state_dir, settings.parallel, mode, far=settings.goes_on)
        self._settings = settings
        self._judge = kind.sheets.judge
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
        ]  # fmt: skip

    def _about(self, _: Call) -> Reply:
        return Reply(
            {
                "hand_in": self._settings.sheet_folder is not None and self.mode is Mode.ACT,
                "barcode_mismatches": list(self._settings.barcode_mismatches),
                "rules": self._settings.sheet_rules.model_dump(mode="json"),
            }
        )

    async def _hand_in(self, call: Call) -> Reply:
        body: HandInRequest = call.body
        folder = self._settings.sheet_folder
        if folder is None:
            raise SheetFolderError(
                "no folder is configured in which sheets are handed in",
                hint="set bcl2fastq.sheet_folder to the folder of runfolder.sheets",
            )
        if self.mode is Mode.OBSERVE:
            raise ConflictError(
                "nothing is handed in while the mode is observe",
                code="sheet.observe",
                hint=f"set mode: act, or put the sheet into {folder} yourself",
            )
        question = CheckRequest(sheet=body.sheet, flow_cell=body.flow_cell)
        found = await answered(self._judge, question)
        if not found["ok"]:
            raise FaultySheetError(found)
        data = base64.b64decode(body.sheet)
        async with self._one_at_a_time:
            done = await answered(SheetFolder(folder).hand_in, body.flow_cell, data, body.replace)
            if done.written:
                with self.store.transaction():
                    self.events.append(
                        "sheet_handed_in",
                        who=call.identity.name,
                        run=found["run"],
                        flow_cell=body.flow_cell,
                        sha256=done.sha256,
                        replaced=done.replaced,
                        kept_as=done.kept_as,
                    )
        warnings = found["findings"]
        return Reply({"flow_cell": body.flow_cell, **asdict(done), "findings": warnings})

    async def _examine(self, call: Call) -> Reply:
        return await self.submit(call, Part.INDEXES)

    def _found(self, call: Call) -> Reply:
        """`diagnosis` is null while there is none."""
        job = self._newest(call)
        document: dict[str, Any] = {"job": job.document()}
        return Reply({**document, "diagnosis": self._folder(job).read(DIAGNOSIS)})

    def _proposal(self, call: Call) -> Reply:
        job = self._newest(call)
        folder = self._folder(job)
        wanted = (folder.read(DIAGNOSIS) or {}).get("proposal_sha256")
        if wanted is None:
            raise NotFoundError(
                f"no sheet is proposed for {job.run}",
                code="indexes.no_proposal",
                hint=f"arteriole indexes {job.run}",
            )
        data = (folder.path / PROPOSAL).read_bytes()
        assert hashlib.sha256(data).hexdigest() == wanted, "it is written before the diagnosis"
        encoded = base64.b64encode(data).decode("ascii")
        return Reply({"run": job.run, "job_id": job.job_id, "sha256": wanted, "base64": encoded})

    def _folder(self, job: Job) -> JobFolder:
        return self.runner.folder(job.job_id)

    def _newest(self, call: Call) -> Job:
        run = require_identifier(call.path["runfolder"], "runfolder")
        jobs = self.queue.find(run=run, stage=Part.INDEXES, limit=1)
        if not jobs:
            raise NotFoundError(
                f"the indexes of {run} were not compared with its sheet",
                code="job.not_found",
                hint=f"arteriole indexes {run} --again",
            )
        return jobs[0]


def _failure(err: ArterioleError) -> dict[str, Any]:
    """An error, and beside it what a person needs to go on."""
    document = err.document()
    if isinstance(err, OtherSheetError):
        document["sha256"] = err.sha256
    if isinstance(err, FaultySheetError):
        document |= {key: err.found[key] for key in ("run", "findings", "finding_count")}
    return document
