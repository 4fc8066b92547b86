"""A datastore in memory.

Source: st2tests/mocks/datastore.py of StackStorm 3.9.
"""

from __future__ import annotations

import logging
from typing import Any

from st2common.services.datastore import DatastoreService, KeyValuePair


class MockDatastoreService(DatastoreService):
    """Keeps values as they are given, and for ever; knows one scope, and no secrets."""

    def __init__(
        self,
        logger: logging.Logger,
        pack_name: str,
        class_name: str,
        api_username: str | None = None,
    ) -> None:
        super().__init__(pack_name, class_name, logger, api_url="memory:")
        self._username = api_username or "admin"
        self._datastore_items: dict[str, KeyValuePair] = {}

    def get_user_info(self) -> Any:
        return {
            "username": self._username,
            "rbac": {"is_admin": True, "enabled": True, "roles": ["admin"]},
            "authentication": {"method": "authentication token", "location": "header"},
        }

    def list_values(
        self,
        local: bool = True,
        prefix: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Any]:
        """All of them: limit and offset are passed over, as StackStorm's passes over them."""
        start = self._full(prefix or "", local)
        return [pair for name, pair in self._datastore_items.items() if name.startswith(start)]

    def get_value(
        self, name: str, local: bool = True, scope: str = "system", decrypt: bool = False
    ) -> Any:
        pair = self._datastore_items.get(self._full(name, local))
        return pair.value if pair else None

    def set_value(
        self,
        name: str,
        value: Any,
        ttl: int | None = None,
        local: bool = True,
        scope: str = "system",
        encrypt: bool = False,
    ) -> bool:
        if ttl:
            self._logger.warning("a value of a test does not expire")
        full = self._full(name, local)
        self._datastore_items[full] = KeyValuePair(name=full, value=value)
        return True

    def delete_value(self, name: str, local: bool = True, scope: str = "system") -> bool:
        return self._datastore_items.pop(self._full(name, local), None) is not None
