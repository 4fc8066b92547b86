"""What an archive job says when it fails."""

from arteriole.jobs.worker import WorkError


class ArchiveError(WorkError):
    """The run could not be archived."""

    code = "archive.failed"
