from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_backends import backends, tell
from arteria_client import path
from arteria_names import identifier
from arteria_notice import notice, notice_text


class Notify(ServiceAction):
    """Tell people where a run stands, in words that name nothing but the run."""

    def act(self, run: str, what: str) -> Dict[str, Any]:
        name, event = identifier(run, "run"), identifier(what, "what")
        if not backends(self.config):
            return tell(self.config, "", {})
        told = notice(self.client.get("runfolder", path("runs", name)))
        return tell(self.config, notice_text(told), {"what": event, **told})
