from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_deed import start


class Addendum(ServiceAction):
    """Digest what came into a run folder after its manifests were closed."""

    def act(self, run: str, attempt: int) -> Dict[str, Any]:
        return start(self.client, "addendum", run, attempt, self.execution_id())
