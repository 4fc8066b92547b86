"""The base of tests of sensors.

Source: st2tests/sensors.py of StackStorm 3.9.
"""

from __future__ import annotations

from typing import Any

from st2tests.mocks.sensor import MockSensorService, MockSensorWrapper
from st2tests.pack_resource import BasePackResourceTestCase


class BaseSensorTestCase(BasePackResourceTestCase):
    """A subclass names its `sensor_cls`; what a sensor dispatches is kept in a list."""

    sensor_cls: Any = None

    def setUp(self) -> None:
        super().setUp()
        wrapper = MockSensorWrapper(pack="tests", class_name=self.sensor_cls.__name__)
        self.sensor_service = MockSensorService(sensor_wrapper=wrapper)

    def get_sensor_instance(
        self, config: dict[str, Any] | None = None, poll_interval: float | None = None
    ) -> Any:
        arguments: dict[str, Any] = {"sensor_service": self.sensor_service}
        if config:
            arguments["config"] = config
        if poll_interval is not None:
            arguments["poll_interval"] = poll_interval
        return self.sensor_cls(**arguments)

    def get_dispatched_triggers(self) -> list[dict[str, Any]]:
        return self.sensor_service.dispatched_triggers

    def get_last_dispatched_trigger(self) -> dict[str, Any]:
        return self.sensor_service.dispatched_triggers[-1]

    def assertTriggerDispatched(
        self, trigger: str, payload: Any = None, trace_context: Any = None
    ) -> bool:
        """That it was dispatched; an empty payload or trace context stands for any."""
        wanted = {"trigger": trigger}
        if payload:
            wanted["payload"] = payload
        if trace_context:
            wanted["trace_context"] = trace_context
        dispatched = self.get_dispatched_triggers()
        if any(wanted.items() <= item.items() for item in dispatched):
            return True
        raise AssertionError(
            f'expected that the trigger "{trigger}" was dispatched'
            + (f" with {payload!r}" if payload else "")
            + f", found {dispatched!r}"
        )
