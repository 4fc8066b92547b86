"""What the policy says of an attempt, over HTTP."""

import re
from pathlib import Path

from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.errors import NotFoundError
from arteriole.app.names import require_identifier
from arteriole.app.routes import Call, Reply, Route
from arteriole.checksum.places import attempt_folder
from arteriole.policy.gate import Gate


def policy_route(gate: Gate | None, fastq_root: Path) -> Route:
    async def told(call: Call) -> Reply:
        run = require_identifier(call.path["runfolder"], "runfolder")
        number = call.path["attempt"]
        if gate is None or not re.fullmatch("[1-9][0-9]{0,3}", number):
            raise NotFoundError(
                "this site has no policy" if gate is None else f"{number[:40]!r} is no attempt",
                code="policy.not_found",
                hint="set policy in arteriole.yaml" if gate is None else f"arteriole run {run}",
            )
        folder = await answered(attempt_folder, fastq_root, run, int(number))
        found = await answered(gate.explain, run, folder)
        return Reply({"run": run, "attempt": int(number), **found})

    return Route(
        "GET",
        "/api/1.0/policy/{runfolder}/{attempt}",
        told,
        Role.READER,
        "where the attempt's data may go by the policy, and how long it is kept",
    )
