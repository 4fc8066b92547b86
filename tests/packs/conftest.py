"""A service to talk to, and the packs' code as StackStorm loads it.

The base classes are st2solo's, which give packs the same imports as StackStorm does.
"""

import importlib.util
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKS = ROOT / "packs"
SHIMS = ROOT / "services" / "st2solo" / "src" / "st2solo" / "child" / "lib"


@dataclass
class Asked:
    """A request that the service received."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


Answer = tuple[int, Any]


@dataclass
class Service:
    """Answers `(method, path)` with what `answers` holds for it: one answer, or one a request.

    The last of several is repeated; an answer may be a function of the request. A status of 0
    cuts the connection.
    """

    url: str
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def answer(self, request: Asked) -> Answer:
        with self.arrived:
            self.asked.append(request)
            found = self.answers.get((request.method, request.path))
            if isinstance(found, list):
                found = found.pop(0) if len(found) > 1 else found[0]
            self.arrived.notify_all()
        if callable(found):
            found = found(request)
        return found or (404, {"error": {"code": "request.not_found", "message": "none"}})

    def calls(self, method: str = "POST") -> list[tuple[str, Any]]:
        """Path and body of what was asked with `method`, in order."""
        return [(row.path, row.body) for row in self.asked if row.method == method]

    def wait_for(self, path: str, count: int = 1) -> list[Asked]:
        """The requests for `path` once there are `count`; fails after two minutes."""

        def found() -> list[Asked]:
            return [row for row in self.asked if row.path == path]

        with self.arrived:
            assert self.arrived.wait_for(lambda: len(found()) >= count, 120), (path, self.asked)
            return found()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Asked(
            self.command,
            url.path,
            dict(parse_qsl(url.query)),
            {name.lower(): value for name, value in self.headers.items()},
            json.loads(text) if text else None,
        )
        status, body = self.service.answer(request)
        if status == 0:
            self.close_connection = True
            return
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = handle_any

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def new_service() -> Iterator[Callable[[], Service]]:
    """Starts a service on a port of its own."""
    servers = []

    def start() -> Service:
        handler = type("ServiceHandler", (Handler,), {})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        service = Service(f"http://127.0.0.1:{server.server_port}")
        handler.service = service  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return service

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def service(new_service: Callable[[], Service]) -> Service:
    """One service that plays every service and the orchestrator's API."""
    return new_service()


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Loads a file of a pack, named from `packs/`, as the orchestrator does."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(SHIMS))
    monkeypatch.syspath_prepend(str(PACKS / "arteria" / "actions" / "lib"))

    def loader(name: str) -> ModuleType:
        path = PACKS / name
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield loader
    for module in set(sys.modules) - before:
        if module.startswith(("arteria_", "st2common", "st2reactor")):
            del sys.modules[module]


@pytest.fixture
def config(service: Service) -> dict[str, Any]:
    """The pack's configuration, with every service at `service`."""
    names = ("runfolder", "bcl2fastq", "checksum", "transfer", "archive", "wes", "metadata")
    urls = {f"{name}_url": service.url for name in names}
    return {**urls, "token": "secret", "retry_seconds": 0, "request_timeout": 5}


@pytest.fixture
def action(
    load: Callable[[str], ModuleType],
    config: dict[str, Any],
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., tuple[bool, Any]]:
    """Runs an action of the pack arteria as execution `e1`; returns (succeeded, result)."""
    monkeypatch.setenv("ST2_ACTION_EXECUTION_ID", "e1")
    monkeypatch.setenv("ST2_ACTION_API_URL", service.url + "/v1")
    monkeypatch.setenv("ST2_ACTION_AUTH_TOKEN", "st2-token")

    def run(name: str, **parameters: Any) -> tuple[bool, Any]:
        from st2common.runners.base_action import Action

        module = load(f"arteria/actions/{name}.py")
        classes = [
            value
            for value in vars(module).values()
            if isinstance(value, type) and value.__module__ == module.__name__
        ]
        assert len(classes) == 1 and issubclass(classes[0], Action), classes
        instance = classes[0](config=config, action_service=None)
        outcome: tuple[bool, Any] = instance.run(**parameters)
        json.dumps(outcome)
        return outcome

    return run
