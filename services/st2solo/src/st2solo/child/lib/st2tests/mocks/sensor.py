"""`sensor_service` for tests.

Source: st2tests/mocks/sensor.py of StackStorm 3.9.
"""

from __future__ import annotations

import logging
from typing import Any
from unittest.mock import Mock

from st2common.models.api.trace import TraceContext
from st2common.runners.service import DatastoreMethods

from st2tests.mocks.datastore import MockDatastoreService


class MockSensorWrapper:
    def __init__(self, pack: str, class_name: str) -> None:
        self._pack = pack
        self._class_name = class_name


class MockSensorService(DatastoreMethods):
    """Keeps what is dispatched. Its logger is a `Mock`: a test may ask what was logged."""

    def __init__(self, sensor_wrapper: Any) -> None:
        self._sensor_wrapper = sensor_wrapper
        self._logger = Mock(spec=logging.RootLogger)
        self.dispatched_triggers: list[dict[str, Any]] = []
        self._datastore_service = MockDatastoreService(
            logger=self._logger,
            pack_name=sensor_wrapper._pack,
            class_name=sensor_wrapper._class_name,
        )

    @property
    def datastore_service(self) -> Any:
        return self._datastore_service

    def get_logger(self, name: str) -> Any:
        return self._logger

    def dispatch(
        self, trigger: str, payload: Any = None, trace_tag: str | None = None
    ) -> dict[str, Any]:
        context = TraceContext(trace_tag=trace_tag) if trace_tag else None
        return self.dispatch_with_context(trigger, payload, context)

    def dispatch_with_context(
        self, trigger: str, payload: Any = None, trace_context: Any = None
    ) -> dict[str, Any]:
        item = {"trigger": trigger, "payload": payload, "trace_context": trace_context}
        self.dispatched_triggers.append(item)
        return item
