from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier
from arteria_text import run_text


class Run(ServiceAction):
    """Show a run and its stages."""

    def act(self, run: str) -> str:
        found = self.client.get("runfolder", path("runs", identifier(run, "run")))
        return run_text(found, messages=not self.in_brief)
