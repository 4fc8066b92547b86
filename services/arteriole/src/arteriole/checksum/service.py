"""The checksum service: jobs that digest, and those that are no stage of a run."""

from arteriole.app.auth import Role
from arteriole.app.routes import Call, Reply, Route
from arteriole.checksum.part_request import AddendumRequest, EarlyRequest, VerifyRequest
from arteriole.jobs.service import STARTS, JobService, StartRequest

EARLY, VERIFY, ADDENDUM = "early", "verify", "addendum"
#: What such jobs are told as, the bodies that ask for them, and what they do.
VERBS: tuple[tuple[str, type[StartRequest], str], ...] = (
    (EARLY, EarlyRequest, "digest what is final of a run that is being sequenced"),
    (VERIFY, VerifyRequest, "read every byte of an attempt and compare it with its manifests"),
    (ADDENDUM, AddendumRequest, "digest what came after the run's manifests were closed"),
)


class ChecksumService(JobService):
    def routes(self) -> list[Route]:
        return [*super().routes(), *(self._route(*verb) for verb in VERBS)]

    def _route(self, verb: str, body: type[StartRequest], about: str) -> Route:
        async def start(call: Call) -> Reply:
            return await self.submit(call, verb)

        return Route(
            "POST",
            f"/api/1.0/{verb}/{{runfolder}}",
            start,
            Role.OPERATOR,
            f"{about}; Idempotency-Key as of a start",
            body=body,
            **STARTS,
        )
