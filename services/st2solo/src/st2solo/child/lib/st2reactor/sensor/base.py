"""`Sensor` and `PollingSensor`, the classes that sensors of packs extend.

Source: st2reactor/sensor/base.py of StackStorm 3.9.
"""

from __future__ import annotations

import abc
import time

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any


class BaseSensor(abc.ABC):
    """What all sensors share; not extended directly."""

    def __init__(self, sensor_service: Any, config: dict[str, Any] | None = None) -> None:
        self._sensor_service = sensor_service
        self.sensor_service = sensor_service
        self._config = config or {}
        self.config = self._config

    @abc.abstractmethod
    def setup(self) -> None:
        """Once, before the sensor runs."""

    @abc.abstractmethod
    def run(self) -> None:
        """The sensor's work."""

    @abc.abstractmethod
    def cleanup(self) -> None:
        """Once, when the sensor ends."""

    @abc.abstractmethod
    def add_trigger(self, trigger: dict[str, Any]) -> None:
        """A trigger of the sensor's type came."""

    @abc.abstractmethod
    def update_trigger(self, trigger: dict[str, Any]) -> None:
        """A trigger of the sensor's type changed."""

    @abc.abstractmethod
    def remove_trigger(self, trigger: dict[str, Any]) -> None:
        """A trigger of the sensor's type went."""


class Sensor(BaseSensor):
    """A sensor whose `run` waits for its events and ends when the sensor ends."""

    @abc.abstractmethod
    def run(self) -> None:
        """Wait for events and dispatch them."""


class PollingSensor(BaseSensor):
    """A sensor whose `poll` is called again and again, `poll_interval` seconds apart."""

    def __init__(
        self, sensor_service: object, config: dict[str, Any] | None = None, poll_interval: float = 5
    ) -> None:
        super().__init__(sensor_service=sensor_service, config=config)
        self._poll_interval = poll_interval

    @abc.abstractmethod
    def poll(self) -> None:
        """Look for new events and dispatch them."""

    def run(self) -> None:
        while True:
            self.poll()
            time.sleep(self._poll_interval)

    def get_poll_interval(self) -> float:
        return self._poll_interval

    def set_poll_interval(self, poll_interval: float) -> None:
        self._poll_interval = poll_interval
