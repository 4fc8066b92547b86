"""Serves one kind of job on a free port, which it prints; run by tests as a process of its own.

Argument: JSON with `kind`, `settings`, `state_dir`, `parallel`, `mode`, `tokens` (a path) or null,
`jobs`, that section of arteriole.yaml, or null, and `policy`, a path or null.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from arteriole.app.application import Application, run_until_cancelled
from arteriole.app.auth import Tokens
from arteriole.app.mode import Mode
from arteriole.archive.kind import ArchiveKind
from arteriole.archive.service import ArchiveService
from arteriole.archive.settings import ArchiveSettings
from arteriole.bcl2fastq.service import Bcl2fastqService
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.service import ChecksumService
from arteriole.checksum.settings import ChecksumSettings
from arteriole.jobs.machine import JobsSettings, Machine
from arteriole.jobs.service import JobKind, JobService
from arteriole.policy.gate import Gate
from arteriole.transfer.kind import TransferKind
from arteriole.transfer.settings import TransferSettings
from arteriole.wes.service import WesService
from arteriole.wes.settings import WesSettings


def make_kind(name: str, settings: dict[str, Any], policy: str | None) -> JobKind:
    if name == "checksum":
        return ChecksumKind(ChecksumSettings.model_validate(settings))
    roots = tuple(map(Path, settings.get("run_roots", ())))
    gate = None if policy is None else Gate(Path(policy), name, roots)
    if name == "transfer":
        return TransferKind(TransferSettings.model_validate(settings), gate)
    if name == "archive":
        return ArchiveKind(ArchiveSettings.model_validate(settings), gate)
    from trial_kind import TrialKind

    return TrialKind(Path(str(settings["root"])), rerun=bool(settings.get("rerun", True)))


def make_service(wanted: dict[str, Any]) -> JobService:
    state_dir, mode = Path(wanted["state_dir"]), Mode(wanted["mode"])
    if wanted["kind"] == "wes":
        return WesService(WesSettings.model_validate(wanted["settings"]), state_dir, mode)
    if wanted["kind"] == "bcl2fastq":
        return Bcl2fastqService(
            Bcl2fastqSettings.model_validate(
                {**wanted["settings"], "parallel": wanted["parallel"]}
            ),
            state_dir,
            mode,
        )
    kind = make_kind(wanted["kind"], wanted["settings"], wanted.get("policy"))
    makers: dict[str, type[JobService]] = {"archive": ArchiveService, "checksum": ChecksumService}
    make = makers.get(wanted["kind"], JobService)
    jobs = wanted["jobs"]
    machine = None if jobs is None else Machine.here(JobsSettings.model_validate(jobs))
    return make(kind, state_dir, wanted["parallel"], mode, machine=machine)


async def serve(wanted: dict[str, Any]) -> None:
    service = make_service(wanted)
    tokens = None if wanted["tokens"] is None else Tokens(Path(str(wanted["tokens"])))
    application = Application(service, tokens)
    print(application.listen("127.0.0.1", 0), flush=True)
    await run_until_cancelled(application)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
