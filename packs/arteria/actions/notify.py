from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_alerts import ALERTS, DISK_PRESSURE, SENSOR_SILENT, Telling
from arteria_backends import backends, tell
from arteria_client import path
from arteria_errors import ArteriaError
from arteria_names import identifier
from arteria_notice import (
    DRILL_FAILED,
    drill,
    drill_text,
    notice,
    notice_text,
    pressure,
    pressure_text,
    silence,
    silence_text,
)


class Notify(ServiceAction):
    """Tell people where a run stands, in words that name nothing but the run.

    What stands until somebody acts is told once, however often its event comes, and not at all if
    it is so no more.
    """

    def act(self, what: str, run: str = "", volume: str = "") -> Dict[str, Any]:
        event = identifier(what, "what")
        if event == DISK_PRESSURE:
            name = identifier(volume, "volume")
            telling = Telling(self.client, event, "", self.by(None), name)
        else:
            name = "" if event == SENSOR_SILENT else identifier(run, "run")
            telling = Telling(self.client, event, name, self.by(None))
        if event not in ALERTS:
            return self._tell(event, name)
        if not telling.begin():
            return {"sent": 0, "why": "it is so no more, or is told already"}
        try:
            result = self._tell(event, name)
        except ArteriaError as error:
            if error.counts.get("sent"):
                telling.done()
            raise
        telling.done()
        return result

    def _tell(self, event: str, name: str) -> Dict[str, Any]:
        if not backends(self.config):
            return tell(self.config, "", {})
        if event == SENSOR_SILENT:
            told = silence(self.client.get("runfolder", "/health"))
            return tell(self.config, silence_text(told), {"what": event, **told})
        if event == DISK_PRESSURE:
            told = pressure(name, self.client.get("runfolder", "/health"))
            return tell(self.config, pressure_text(told), {"what": event, **told})
        if event == DRILL_FAILED:
            told = drill(name)
            return tell(self.config, drill_text(told), {"what": event, **told})
        told = notice(self.client.get("runfolder", path("runs", name)))
        return tell(self.config, notice_text(told), {"what": event, **told})
