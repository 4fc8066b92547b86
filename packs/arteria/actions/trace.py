from arteria_action import ServiceAction
from arteria_names import identifier
from arteria_orchestrator import Orchestrator
from arteria_trace import entries


class Trace(ServiceAction):
    """List what happened to a run, in order: events of the services, executions of the packs."""

    def act(self, run: str) -> str:
        found = entries(self.client, Orchestrator(), identifier(run, "run"))
        return "\n".join(entry.line() for entry in found)
