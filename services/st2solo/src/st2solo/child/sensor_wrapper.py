"""Runs one sensor of a pack in a process of its own.

It reads what to run as one line of JSON from its standard input, then a line for each change of the
triggers that the sensor is for. It ends when the input is closed, so it cannot outlive st2solo. It
needs nothing but the standard library: this is Python 3.8.
"""

import contextlib
import fcntl
import importlib
import importlib.util
import inspect
import json
import logging
import os
import queue
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Dict, List, Optional

LOCK_SECONDS = 60
#: So often it is looked at how large the log is, and whether it was moved away.
LOG_SECONDS = 1.0
#: Seconds between the attempts to reach the API.
RETRIES = (0.2, 0.5, 1.0, 2.0, 4.0)


class ApiError(Exception):
    """The API refused a call."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status = status


class Api:
    """The few calls to st2solo's API that a sensor needs."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(
        self,
        method: str,
        path: str,
        query: Optional[Dict[str, Any]] = None,
        body: Any = None,
        headers: Optional[Dict[str, str]] = None,
    ) -> Any:
        """The answer's JSON; waits a few seconds for an API that cannot be reached."""
        url = self._url + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        data = None if body is None else json.dumps(body).encode("utf-8")
        sent = {"X-Auth-Token": self._token, "Content-Type": "application/json"}
        sent.update(headers or {})
        request = urllib.request.Request(url, data=data, headers=sent, method=method)
        for pause in (*RETRIES, None):
            try:
                with self._opener.open(request, timeout=30) as response:
                    text = response.read()
                return json.loads(text.decode("utf-8")) if text else None
            except urllib.error.HTTPError as error:
                raise ApiError(error.code, _fault(error)) from error
            except (urllib.error.URLError, ConnectionError):
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


def _fault(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read().decode("utf-8"))["faultstring"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


class Value:
    """An item of the datastore, with the attributes that StackStorm's client gives it."""

    def __init__(self, document: Dict[str, Any]) -> None:
        self.name = document.get("name")
        self.value = document.get("value")
        self.scope = document.get("scope")
        self.encrypted = document.get("encrypted")
        self.secret = document.get("secret")
        self.expire_timestamp = document.get("expire_timestamp")


class SensorService:
    """What a sensor reaches as `self.sensor_service`."""

    def __init__(self, api: Api, pack: str, class_name: str, logger: logging.Logger) -> None:
        self._api = api
        self._prefix = f"{pack}.{class_name}:"
        self._logger = logger
        self.datastore_service = self

    def get_logger(self, name: str) -> logging.Logger:
        return self._logger.getChild(name)

    def get_user_info(self) -> Any:
        return self._api.call("GET", "/user")

    def dispatch(self, trigger: Any, payload: Any = None, trace_tag: Optional[str] = None) -> None:
        self.dispatch_with_context(trigger, payload, {"trace_tag": trace_tag})

    def dispatch_with_context(
        self, trigger: Any, payload: Any = None, trace_context: Any = None
    ) -> None:
        """Returns when the event is stored; one that is refused is dropped with a warning."""
        if isinstance(trace_context, dict):
            tag = trace_context.get("trace_tag")
        else:
            tag = getattr(trace_context, "trace_tag", None)
        headers = {"St2-Trace-Tag": str(tag)} if tag else {}
        body = {"trigger": trigger, "payload": payload or {}}
        try:
            self._api.call("POST", "/webhooks/st2", body=body, headers=headers)
        except ApiError as error:
            if error.status != 400:
                raise
            self._logger.warning("%s was not dispatched: %s", trigger, error)

    def list_values(
        self,
        local: bool = True,
        prefix: Optional[str] = None,
        limit: Optional[int] = None,
        offset: Optional[int] = 0,
    ) -> List[Value]:
        query = {"prefix": self._full(prefix or "", local), "limit": limit or -1}
        query["offset"] = offset or 0
        return [Value(item) for item in self._api.call("GET", "/keys", query=query)]

    def get_value(
        self, name: str, local: bool = True, scope: str = "system", decrypt: bool = False
    ) -> Optional[str]:
        query = {"scope": scope, "decrypt": "true" if decrypt else "false"}
        try:
            return str(self._api.call("GET", self._key(name, local), query=query)["value"])
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def set_value(
        self,
        name: str,
        value: Any,
        ttl: Optional[int] = None,
        local: bool = True,
        scope: str = "system",
        encrypt: bool = False,
    ) -> bool:
        body: Dict[str, Any] = {"name": self._full(name, local), "value": str(value)}
        body.update({"scope": scope, "secret": encrypt})
        if ttl:
            body["ttl"] = ttl
        self._api.call("PUT", self._key(name, local), body=body)
        return True

    def delete_value(self, name: str, local: bool = True, scope: str = "system") -> bool:
        try:
            self._api.call("DELETE", self._key(name, local), query={"scope": scope})
        except ApiError as error:
            if error.status != 404:
                raise
            return False
        return True

    def _full(self, name: str, local: bool) -> str:
        return (self._prefix if local else "") + name

    def _key(self, name: str, local: bool) -> str:
        return "/keys/" + urllib.parse.quote(self._full(name, local), safe="")


def read_start() -> Optional[Dict[str, Any]]:
    """The line that says what to run; byte by byte, since the pipe stays open behind it."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return None
        line += byte
    start: Dict[str, Any] = json.loads(line.decode("utf-8"))
    return start


def follow_parent() -> "queue.Queue[bytes]":
    """Further lines from st2solo; this process ends once the pipe is closed.

    The pipe is emptied whatever the sensor is doing.
    """
    lines: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        rest = b""
        while True:
            data = os.read(0, 65536)
            if not data:
                os._exit(0)
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                lines.put(line)

    threading.Thread(target=read, name="follow-parent", daemon=True).start()
    return lines


def tell(sensor: Any, change: Dict[str, Any], logger: logging.Logger) -> None:
    """Call the sensor's method for a change of a trigger; what it raises is logged.

    Source: st2reactor/container/sensor_wrapper.py and st2common/services/triggerwatcher.py of
    StackStorm 3.9.
    """
    try:
        getattr(sensor, change["method"])(trigger=change["trigger"])
    except Exception:
        logger.exception("%s failed on the trigger %s", change["method"], change["trigger"]["ref"])


def keep_told(sensor: Any, lines: "queue.Queue[bytes]", logger: logging.Logger) -> None:
    """Tell the sensor of each further change, one after the other, while it runs."""

    def listen() -> None:
        while True:
            tell(sensor, json.loads(lines.get().decode("utf-8")), logger)

    threading.Thread(target=listen, name="triggers", daemon=True).start()


def renew_log(path: str, largest: int) -> None:
    """Let the output go on in a new file if the log is large, or if it is not at its path any more.

    A large one gets the ending `.1`, in place of the one before. Nothing that is written meanwhile
    is lost: it is at the end of the old file.
    """
    if _is_log(path) and os.fstat(1).st_size > largest:
        os.replace(path, path + ".1")  # noqa: PTH105 - the path is a text all the way
    if not _is_log(path):
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        for stream in (1, 2):
            os.dup2(descriptor, stream)
        os.close(descriptor)


def _is_log(path: str) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(1))  # noqa: PTH116
    except FileNotFoundError:
        return False


def keep_log(path: str, largest: int) -> None:
    """Renew the log from now on whenever that is due."""

    def look() -> None:
        while True:
            time.sleep(LOG_SECONDS)
            with contextlib.suppress(OSError):  # on a full disk the old file goes on
                renew_log(path, largest)

    threading.Thread(target=look, name="keep-log", daemon=True).start()


def hold_lock(path: str) -> int:
    """Wait until the copy of this sensor that a killed st2solo left has ended."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"another copy of this sensor holds {path}") from error
            time.sleep(0.1)


def load_class(file_path: str, class_name: str) -> Any:
    path = Path(file_path)
    sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, file_path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{file_path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, class_name, None)
    if not inspect.isclass(found):
        raise SystemExit(f"{file_path} has no class {class_name}")
    return found


def make(start: Dict[str, Any], service: SensorService) -> Any:
    base = importlib.import_module("st2reactor.sensor.base")
    sensor_class = load_class(start["file_path"], start["class_name"])
    arguments = {"sensor_service": service, "config": start["config"]}
    if start.get("poll_interval") and issubclass(sensor_class, base.PollingSensor):
        arguments["poll_interval"] = start["poll_interval"]
    return sensor_class(**arguments)


def main() -> int:
    start = read_start()
    if start is None:
        return 1
    lines = follow_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logger = logging.getLogger("sensor.{pack}.{class_name}".format(**start))
    lock = hold_lock(start["lock"])
    keep_log(start["log"], start["largest_log"])
    api = Api(os.environ["ST2_API_URL"], os.environ["ST2_AUTH_TOKEN"])
    service = SensorService(api, start["pack"], start["class_name"], logger)
    try:
        sensor = make(start, service)
        sensor.setup()
        for change in start["triggers"]:
            tell(sensor, change, logger)
        keep_told(sensor, lines, logger)
        logger.info("runs")
        try:
            sensor.run()
        finally:
            sensor.cleanup()
    except Exception:
        logger.exception("the sensor failed")
        return 1
    finally:
        os.close(lock)
    return 0


if __name__ == "__main__":
    sys.exit(main())
