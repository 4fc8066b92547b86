from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_attempt import chosen_attempt
from arteria_deed import start


class Verify(ServiceAction):
    """Read every byte of a run folder and its FASTQs, and compare it with their manifests."""

    def act(self, run: str, attempt: int = 0) -> Dict[str, Any]:
        attempt = chosen_attempt(self.client, run, attempt)
        return start(self.client, "verify", run, attempt, self.execution_id())
