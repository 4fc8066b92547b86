"""Tells the rules that something happened, over the address that sensors use too."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request

from st2common.runners.base_action import Action

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any

_TIMEOUT_SECONDS = 30


class InjectTrigger(Action):
    def run(  # type: ignore[override]  # its own parameters
        self,
        trigger: str | None = None,
        trigger_name: str | None = None,
        payload: dict[str, Any] | None = None,
        trace_tag: str | None = None,
    ) -> Any:
        """What was posted; a failure with what the API says where it refuses trigger or payload.

        Raises:
            ValueError: not just one of the two names of the trigger is given.
        """
        if bool(trigger) == bool(trigger_name):
            raise ValueError("expected just one of trigger and trigger_name")
        request = urllib.request.Request(
            os.environ["ST2_ACTION_API_URL"].rstrip("/") + "/webhooks/st2",
            data=json.dumps(
                {"trigger": trigger or trigger_name, "payload": payload or {}}
            ).encode(),
            headers={
                "Content-Type": "application/json",
                "X-Auth-Token": os.environ["ST2_ACTION_AUTH_TOKEN"],
                **({"St2-Trace-Tag": trace_tag} if trace_tag else {}),
            },
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            return False, json.loads(error.read())["faultstring"]
