"""`action_service` for tests.

Source: st2tests/mocks/action.py of StackStorm 3.9.
"""

from __future__ import annotations

import logging
from typing import Any
from unittest.mock import Mock

from st2common.runners.service import ActionService

from st2tests.mocks.datastore import MockDatastoreService


class MockActionWrapper:
    def __init__(self, pack: str, class_name: str) -> None:
        self._pack = pack
        self._class_name = class_name


class MockActionService(ActionService):
    """Its logger is a `Mock`, so that a test may ask what was logged."""

    def __init__(self, action_wrapper: Any) -> None:
        super().__init__(action_wrapper._pack, action_wrapper._class_name)
        self._action_wrapper = action_wrapper
        self._logger = Mock(spec=logging.RootLogger)
        self._datastore_service = MockDatastoreService(
            logger=self._logger,
            pack_name=action_wrapper._pack,
            class_name=action_wrapper._class_name,
        )

    @property
    def datastore_service(self) -> Any:
        return self._datastore_service
