"""What an archive job says when it fails."""

from pathlib import Path

from arteriole.jobs.worker import WorkError


class ArchiveError(WorkError):
    """The run could not be archived."""

    code = "archive.failed"


class RestoreError(WorkError):
    """The run could not be brought back."""

    code = "restore.failed"


def source_changed(name: str, source: Path) -> ArchiveError:
    return ArchiveError(
        f"{name} in {source} is not as its manifest has it",
        code="archive.source_changed",
        hint="a file of a finished run changed on its disk: restore it, then retry",
    )


def not_as_its_manifest(name: str, where: str, hint: str) -> ArchiveError:
    return ArchiveError(
        f"{name} in {where} is not as its manifest has it when read back",
        code="archive.verify",
        hint=hint,
    )
