"""What an analysis says when it fails."""

from arteriole.jobs.worker import WorkError


class AnalysisError(WorkError):
    """An analysis failed."""

    code = "analysis.failed"
