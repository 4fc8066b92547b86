from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_jobs import job_status
from arteria_names import inert


class Job(ServiceAction):
    """Show a job."""

    def act(self, service: str, job_id: str) -> Dict[str, Any]:
        return inert(job_status(self.client, service, job_id))
