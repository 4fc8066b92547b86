from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import inert
from arteria_scope import scope


class Release(ServiceAction):
    """End a hold; whatever is due then becomes ready."""

    def act(self, run: str = "", instrument: str = "", all: bool = False) -> Dict[str, Any]:
        body = scope(run, instrument, all)
        return inert(self.client.post("runfolder", path("holds", "release"), body))
