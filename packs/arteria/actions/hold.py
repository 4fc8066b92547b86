from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import inert
from arteria_scope import scope


class Hold(ServiceAction):
    """Let no stage of a run, of an instrument's runs or of any run begin."""

    def act(
        self, reason: str, run: str = "", instrument: str = "", all: bool = False
    ) -> Dict[str, Any]:
        body = {**scope(run, instrument, all), "reason": reason}
        return inert(self.client.post("runfolder", path("holds"), body))
