"""What people are told of once: the runfolder service knows whether they were."""

from typing import Any, Dict

from arteria_client import Client, path

SENSOR_SILENT = "sensor_silent"
DISK_PRESSURE = "disk_pressure"
ALERTS = ("run_failed", "run_stuck", "run_unreachable", DISK_PRESSURE, SENSOR_SILENT)


class Telling:
    """One alert that an execution `by` is to tell people of.

    `run` and `volume` are empty for the sensor, and one of them for any other.
    """

    def __init__(self, client: Client, what: str, run: str, by: str, volume: str = "") -> None:
        self._client = client
        self._body: Dict[str, Any] = {"what": what, "by": by}
        if run:
            self._body["run"] = run
        if volume:
            self._body["volume"] = volume

    def begin(self) -> bool:
        """False if it is so no more, or if another tells or has told people of it."""
        answer = self._client.post("runfolder", path("alerts", "take"), self._body)
        return answer.get("taken") is True

    def done(self) -> None:
        """Say that people were told. If nobody says so it can be taken again after ten minutes."""
        self._client.post("runfolder", path("alerts", "told"), self._body)
