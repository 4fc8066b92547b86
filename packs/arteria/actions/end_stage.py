from typing import Any, Dict, Optional

from arteria_action import ServiceAction
from arteria_jobs import end_with_job, job_status


class EndStage(ServiceAction):
    """End a stage as its job ended."""

    def act(
        self,
        run: str,
        stage: str,
        attempt: int,
        service: str,
        job_id: str,
        by: Optional[str] = None,
    ) -> Dict[str, Any]:
        job = job_status(self.client, service, job_id)
        return end_with_job(self.client, self.by(by), service, job, run, stage, attempt)
