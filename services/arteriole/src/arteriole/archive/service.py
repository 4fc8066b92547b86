"""The archive: a service of jobs that also brings back what it archived."""

from arteriole.app.auth import Role
from arteriole.app.routes import Call, Reply, Route
from arteriole.archive.kind import RestoreRequest
from arteriole.jobs.service import STARTS, JobService

#: What such a job is told as; no stage of a run.
RESTORE = "restore"


class ArchiveService(JobService):
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
        ]

    def _restore(self, call: Call) -> Reply:
        return self.submit(call, RESTORE)
