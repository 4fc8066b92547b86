from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_jobs import job_path
from arteria_names import inert


class Stop(ServiceAction):
    """Stop a job."""

    def act(self, service: str, job_id: str) -> Dict[str, Any]:
        return inert(self.client.post(service, job_path("stop", service, job_id)))
