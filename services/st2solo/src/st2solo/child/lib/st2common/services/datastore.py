"""The datastore, for code of packs: over StackStorm's API, with the standard library.

Source: st2common/services/datastore.py of StackStorm 3.9.
"""

from __future__ import annotations

import json
import logging
import os
import urllib.error
import urllib.parse
import urllib.request

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any

_TIMEOUT_SECONDS = 30


class KeyValuePair:
    """One key as `list_values` gives it."""

    def __init__(self, **attributes: Any) -> None:
        self.id = attributes.get("name")
        self.name = attributes.get("name")
        self.value = attributes.get("value")
        self.scope = attributes.get("scope")
        self.user = attributes.get("user")
        self.secret = attributes.get("secret", False)
        self.encrypted = attributes.get("encrypted", False)
        self.expire_timestamp = attributes.get("expire_timestamp")

    def __repr__(self) -> str:
        return f"<KeyValuePair name={self.name}>"


class DatastoreService:
    """Keys of the system scope; local ones carry the prefix `<pack>.<class>:`."""

    def __init__(
        self,
        pack_name: str,
        class_name: str,
        logger: logging.Logger | None = None,
        api_url: str | None = None,
        auth_token: str | None = None,
    ) -> None:
        self._prefix = f"{pack_name}.{class_name}:"
        self._logger = logger or logging.getLogger(__name__)
        self._api_url = (api_url or os.environ["ST2_ACTION_API_URL"]).rstrip("/")
        self._auth_token = auth_token or os.environ.get("ST2_ACTION_AUTH_TOKEN")

    def get_user_info(self) -> Any:
        """Who this code is to the API."""
        return self._call("GET", "/user")

    def list_values(
        self,
        local: bool = True,
        prefix: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Any]:
        """The keys whose names begin with the prefix."""
        start = (self._prefix if local else "") + (prefix or "")
        query = {"prefix": start, "limit": limit or 100, "offset": offset or 0}
        return [KeyValuePair(**item) for item in self._call("GET", "/keys", query)]

    def get_value(
        self, name: str, local: bool = True, scope: str = "system", decrypt: bool = False
    ) -> Any:
        """A value; None when there is no such key."""
        query = {"decrypt": str(bool(decrypt)).lower(), "scope": self._scope(scope)}
        try:
            return self._call("GET", self._path(name, local), query).get("value")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                self._logger.error("Exception retrieving value (name=%s): %s", name, error)
            return None
        except OSError as error:
            self._logger.error("Exception retrieving value (name=%s): %s", name, error)
            return None

    def set_value(
        self,
        name: str,
        value: Any,
        ttl: int | None = None,
        local: bool = True,
        scope: str = "system",
        encrypt: bool = False,
    ) -> bool:
        """Write a value; raises when the API refuses it."""
        full = self._full(name, local)
        body: dict[str, Any] = {"name": full, "value": str(value), "scope": self._scope(scope)}
        if ttl:
            body["ttl"] = ttl
        if encrypt:
            body["secret"] = True
        self._call("PUT", self._path(name, local), {"scope": scope}, body)
        return True

    def delete_value(self, name: str, local: bool = True, scope: str = "system") -> bool:
        """Remove a key; False when that did not work."""
        try:
            self._call("DELETE", self._path(name, local), {"scope": self._scope(scope)})
        except OSError as error:
            self._logger.error("Exception deleting value (name=%s): %s", name, error)
            return False
        return True

    def _scope(self, scope: str) -> str:
        if scope != "system":
            raise ValueError(f"Scope {scope} is unsupported.")
        return scope

    def _full(self, name: str, local: bool) -> str:
        return self._prefix + name if local else name

    def _path(self, name: str, local: bool) -> str:
        return "/keys/" + urllib.parse.quote(self._full(name, local), safe="")

    def _call(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
    ) -> Any:
        url = self._api_url + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if self._auth_token:
            request.add_header("X-Auth-Token", self._auth_token)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
            text = response.read()
        return json.loads(text) if text else None
