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
from arteriole.jobs.machine import JobsSettings, Machine
from arteriole.jobs.service import JobKind, JobService


def make_kind(name: str, settings: dict[str, Any], policy: str | None) -> JobKind:
    """Nothing is imported for the others: a service begins twice as fast."""
    if name == "checksum":
        from arteriole.checksum.kind import ChecksumKind
        from arteriole.checksum.settings import ChecksumSettings

        return ChecksumKind(ChecksumSettings.model_validate(settings))
    if name == "transfer":
        from arteriole.transfer.kind import TransferKind
        from arteriole.transfer.settings import TransferSettings

        return TransferKind(
            TransferSettings.model_validate(settings), _gate(name, settings, policy)
        )
    if name == "archive":
        from arteriole.archive.kind import ArchiveKind
        from arteriole.archive.settings import ArchiveSettings

        return ArchiveKind(ArchiveSettings.model_validate(settings), _gate(name, settings, policy))
    from trial_kind import TrialKind

    return TrialKind(Path(str(settings["root"])), rerun=bool(settings.get("rerun", True)))


def _gate(name: str, settings: dict[str, Any], policy: str | None) -> Any:
    from arteriole.policy.gate import Gate

    roots = tuple(map(Path, settings.get("run_roots", ())))
    return None if policy is None else Gate(Path(policy), name, roots)


def make_job_service(name: str) -> type[JobService]:
    if name == "archive":
        from arteriole.archive.service import ArchiveService

        return ArchiveService
    if name == "checksum":
        from arteriole.checksum.service import ChecksumService

        return ChecksumService
    return JobService


def make_service(wanted: dict[str, Any]) -> JobService:
    state_dir, mode = Path(wanted["state_dir"]), Mode(wanted["mode"])
    if wanted["kind"] == "wes":
        from arteriole.wes.service import WesService
        from arteriole.wes.settings import WesSettings

        return WesService(WesSettings.model_validate(wanted["settings"]), state_dir, mode)
    if wanted["kind"] == "bcl2fastq":
        from arteriole.bcl2fastq.service import Bcl2fastqService
        from arteriole.bcl2fastq.settings import Bcl2fastqSettings

        settings = {**wanted["settings"], "parallel": wanted["parallel"]}
        return Bcl2fastqService(Bcl2fastqSettings.model_validate(settings), state_dir, mode)
    kind = make_kind(wanted["kind"], wanted["settings"], wanted.get("policy"))
    make = make_job_service(wanted["kind"])
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
