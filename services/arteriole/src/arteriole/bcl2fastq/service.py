"""The bcl2fastq service: conversions, and beside them what the observed indexes say."""

import base64
import hashlib
from typing import Any

from arteriole.app.auth import Role
from arteriole.app.errors import NotFoundError
from arteriole.app.names import require_identifier
from arteriole.app.routes import Call, Reply, Route
from arteriole.bcl2fastq.indexes.work import DIAGNOSIS, PROPOSAL
from arteriole.bcl2fastq.kind import INDEXES, IndexesRequest
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.jobs import Job
from arteriole.jobs.service import STARTS, JobService


class Bcl2fastqService(JobService):
    beside = frozenset({INDEXES})

    def routes(self) -> list[Route]:
        indexes = "/api/1.0/indexes/{runfolder}"
        return [
            *super().routes(),
            Route(
                "POST",
                indexes,
                self._examine,
                Role.OPERATOR,
                "compare the indexes that were read with the sheet; Idempotency-Key as of a start",
                body=IndexesRequest,
                **STARTS,
            ),
            Route("GET", indexes, self._found, Role.READER, "the newest comparison"),
            Route(
                "GET",
                f"{indexes}/proposal",
                self._proposal,
                Role.READER,
                "the sheet that the newest comparison proposes",
            ),
        ]

    async def _examine(self, call: Call) -> Reply:
        return await self.submit(call, INDEXES)

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
        jobs = self.queue.find(run=run, stage=INDEXES, limit=1)
        if not jobs:
            raise NotFoundError(
                f"the indexes of {run} were not compared with its sheet",
                code="job.not_found",
                hint=f"arteriole indexes {run} --again",
            )
        return jobs[0]
