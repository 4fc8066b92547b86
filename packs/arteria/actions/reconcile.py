from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import Client
from arteria_errors import ArteriaError
from arteria_orchestrator import Orchestrator
from arteria_repair import Repair


class Reconcile(ServiceAction):
    """Find what should have moved and has not, and dispatch its event again."""

    def act(self, grace: int = 15, seconds: int = 45, pause: float = 5) -> Dict[str, Any]:
        client = Client({**self.config, "retry_seconds": 2})
        repair = Repair(client, Orchestrator(), self.logger, self.execution_id(), grace)
        repair.run(seconds, pause)
        if repair.error is not None:
            error = repair.error
            raise ArteriaError(
                str(error), error.hint, error.code, error.status, counts=dict(repair.counts)
            )
        return dict(repair.counts)
