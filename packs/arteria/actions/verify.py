from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_deed import start


class Verify(ServiceAction):
    """Read every byte of a run folder and its FASTQs, and compare it with their manifests."""

    def act(self, run: str, attempt: int) -> Dict[str, Any]:
        return start(self.client, "verify", run, attempt, self.execution_id())
