from pathlib import Path
from typing import Any

from st2reactor.sensor.base import PollingSensor


class VisitorsSensor(PollingSensor):
    """Tells of each new line of a file, also of those that came while it was down."""

    def setup(self) -> None:
        self._logger = self.sensor_service.get_logger(type(self).__name__)

    def poll(self) -> None:
        known = int(self.sensor_service.get_value("known") or 0)
        names = Path(self.config["book"]).read_text(encoding="utf-8").splitlines()
        for name in names[known:]:
            self.sensor_service.dispatch("greeter.arrived", {"name": name}, trace_tag=name)
            self._logger.info("%s has arrived", name)
        self.sensor_service.set_value("known", len(names))

    def cleanup(self) -> None:
        pass

    def add_trigger(self, trigger: Any) -> None:
        pass

    def update_trigger(self, trigger: Any) -> None:
        pass

    def remove_trigger(self, trigger: Any) -> None:
        pass
