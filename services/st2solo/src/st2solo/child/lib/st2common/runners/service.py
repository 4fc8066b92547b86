"""`action_service`: what an action may ask of StackStorm."""

from __future__ import annotations

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any


class DatastoreMethods:
    """What a service offers of the datastore that its `datastore_service` is."""

    @property
    def datastore_service(self) -> Any:
        raise NotImplementedError

    def get_user_info(self) -> Any:
        return self.datastore_service.get_user_info()

    def list_values(
        self,
        local: bool = True,
        prefix: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> Any:
        return self.datastore_service.list_values(local, prefix, limit, offset)

    def get_value(
        self, name: str, local: bool = True, scope: str = "system", decrypt: bool = False
    ) -> Any:
        return self.datastore_service.get_value(name, local, scope, decrypt)

    def set_value(
        self,
        name: str,
        value: Any,
        ttl: int | None = None,
        local: bool = True,
        scope: str = "system",
        encrypt: bool = False,
    ) -> Any:
        return self.datastore_service.set_value(name, value, ttl, local, scope, encrypt)

    def delete_value(self, name: str, local: bool = True, scope: str = "system") -> Any:
        return self.datastore_service.delete_value(name, local, scope)


class ActionService(DatastoreMethods):
    """Users and datastore for one action; the connection is made at first use."""

    def __init__(self, pack: str, class_name: str, log_level: str = "DEBUG") -> None:
        self.pack = pack
        self.log_level = log_level
        self._class_name = class_name
        self._datastore: Any = None

    @property
    def datastore_service(self) -> Any:
        if self._datastore is None:
            from st2common.services.datastore import DatastoreService

            self._datastore = DatastoreService(self.pack, self._class_name)
        return self._datastore
