from typing import Any, Dict, List

from arteria_action import ServiceAction
from arteria_backends import Backend
from arteria_client import SERVICES, Client
from arteria_errors import ArteriaError


class Heartbeat(ServiceAction):
    """Tell a watch outside that all is well, so that it notices when nobody tells it any more."""

    def act(self) -> Dict[str, Any]:
        url = self.config.get("heartbeat_url")
        if not url:
            return {"sent": False, "why": "heartbeat_url is not set"}
        unwell = self._unwell()
        if unwell:
            raise ArteriaError(
                "not well, so the watch outside is left to notice the silence: "
                + ", ".join(unwell),
                hint="ask those services for /health, and start what does not answer",
                code="heartbeat.withheld",
            )
        Backend("heartbeat_url", str(url)).visit(20)
        return {"sent": True}

    def _unwell(self) -> List[str]:
        client = Client({**self.config, "retry_seconds": 2})
        found: List[str] = []
        for service in SERVICES:
            if not self.config.get(service + "_url"):
                continue
            try:
                health = client.get(service, "/health")
            except ArteriaError:
                found.append("%s does not answer" % (service,))
                continue
            if health.get("status") != "ok":
                found.append("%s is degraded" % (service,))
            if service == "runfolder" and health.get("sensor_silent") is not False:
                found.append("the sensor is silent")
        return found
