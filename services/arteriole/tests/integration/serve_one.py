"""Serves one kind of job on a free port, which it prints; run by tests as a process of its own.

Argument: JSON with `kind`, `settings`, `state_dir`, `parallel`, `mode`, and `tokens` (a path) or
null.
"""

import asyncio
import json
import sys
from pathlib import Path

from arteriole.app.application import Application, run_until_cancelled
from arteriole.app.auth import Tokens
from arteriole.app.mode import Mode
from arteriole.archive.kind import ArchiveKind
from arteriole.archive.service import ArchiveService
from arteriole.archive.settings import ArchiveSettings
from arteriole.bcl2fastq.kind import Bcl2fastqKind
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.settings import ChecksumSettings
from arteriole.jobs.service import JobKind, JobService
from arteriole.transfer.kind import TransferKind
from arteriole.transfer.settings import TransferSettings


def make_kind(name: str, settings: dict[str, object]) -> JobKind:
    if name == "bcl2fastq":
        return Bcl2fastqKind(Bcl2fastqSettings.model_validate(settings))
    if name == "checksum":
        return ChecksumKind(ChecksumSettings.model_validate(settings))
    if name == "transfer":
        return TransferKind(TransferSettings.model_validate(settings))
    if name == "archive":
        return ArchiveKind(ArchiveSettings.model_validate(settings))
    from trial_kind import TrialKind

    return TrialKind(Path(str(settings["root"])), rerun=bool(settings.get("rerun", True)))


async def serve(wanted: dict[str, object]) -> None:
    kind = make_kind(str(wanted["kind"]), wanted["settings"])  # type: ignore[arg-type]
    make = ArchiveService if kind.name == "archive" else JobService
    service = make(
        kind,
        Path(str(wanted["state_dir"])),
        int(str(wanted["parallel"])),
        Mode(str(wanted["mode"])),
    )
    tokens = None if wanted["tokens"] is None else Tokens(Path(str(wanted["tokens"])))
    application = Application(service, tokens)
    print(application.listen("127.0.0.1", 0), flush=True)
    await run_until_cancelled(application)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
