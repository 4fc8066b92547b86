"""The base of tests of Python actions.

Source: st2tests/actions.py of StackStorm 3.9.
"""

from __future__ import annotations

from typing import Any

from st2common.runners.utils import get_action_class_instance

from st2tests.mocks.action import MockActionService, MockActionWrapper
from st2tests.pack_resource import BasePackResourceTestCase


class BaseActionTestCase(BasePackResourceTestCase):
    """A subclass names its `action_cls`; the datastore of an action is a dictionary."""

    action_cls: Any = None

    def setUp(self) -> None:
        super().setUp()
        wrapper = MockActionWrapper(pack="tests", class_name=self.action_cls.__name__)
        self.action_service = MockActionService(action_wrapper=wrapper)

    def get_action_instance(self, config: dict[str, Any] | None = None) -> Any:
        return get_action_class_instance(
            action_cls=self.action_cls, config=config, action_service=self.action_service
        )
