from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier
from arteria_notice import notice, notice_text
from arteria_text import why_text


class Why(ServiceAction):
    """Tell why a run is where it is, and what to do."""

    def act(self, run: str) -> str:
        found = self.client.get("runfolder", path("runs", identifier(run, "run")))
        return notice_text(notice(found)) if self.in_brief else why_text(found)
