"""Run folders as Arteria's services list them, and those services themselves."""

import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from demo.machine import free_ports
from tests.bench.measure import MeasureError
from tests.environment import ARTERIA, python

#: The share of the folders that is ready is one of so many.
ONE_READY_OF = 20
XML_BYTES = 10_000
_START_SECONDS = 60.0
_PATIENCE_SECONDS = 900.0
_POLL_SECONDS = 2.0

#: The services that they are compared with: the variable that names a checkout, and the name.
PEERS = {
    "ARTERIA_RUNFOLDER": "arteria-runfolder 1.5.2",
    "ARTERIA_SUCCESSOR": "arteria 1.0.0",
}


def write(directory: Path, count: int) -> None:
    """`count` complete run folders; what is not ready is done, in the files of Arteria."""
    for number in range(count):
        folder = directory / f"260101_M00130_{number:05}_BHXXXX{number:05}"
        (folder / ".arteria").mkdir(parents=True)
        is_ready = number % ONE_READY_OF == 0
        (folder / ".arteria" / "state").write_text("ready" if is_ready else "done")
        (folder / "RTAComplete.txt").touch()
        (folder / "RunInfo.xml").write_text(_xml("RunInfo", f'<Run Id="{folder.name}"/>'))
        known = (
            f"<InstrumentId>M00130</InstrumentId><ReagentKitBarcode>NV{number}</ReagentKitBarcode>"
        )
        (folder / "RunParameters.xml").write_text(_xml("RunParameters", known))


def _xml(root: str, first: str) -> str:
    items = "".join(f"<Setting{n}><Value>{n * n}</Value></Setting{n}>\n" for n in range(1000))
    cut = items.rfind("\n", 0, XML_BYTES - 100)
    return f'<?xml version="1.0"?>\n<{root}>\n{first}\n{items[:cut]}\n</{root}>\n'


class Client:
    """One connection that stays open; `url` ends in /api/1.0."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=_PATIENCE_SECONDS)

    def call(self, path: str, method: str = "GET", body: str | None = None) -> tuple[int, bytes]:
        self._connection.request(method, f"{self._path}/{path}", body)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def milliseconds(self, path: str, times: int = 1, count: int | None = None) -> float:
        """The median of so many answers; `count` is how many run folders each must list.

        Raises:
            MeasureError: it answers otherwise.
        """
        taken = []
        for _ in range(times):
            begun = time.perf_counter()
            status, text = self.call(path)
            taken.append((time.perf_counter() - begun) * 1000)
            listed = None if count is None else len(next(iter(json.loads(text).values())))
            if status != 200 or listed != count:
                raise MeasureError(f"GET {path}: {status}, {listed} instead of {count} listed")
        return statistics.median(taken)

    def close(self) -> None:
        self._connection.close()


def all_are_seen(url: str, count: int) -> None:
    """Wait until each of the folders of `write` was judged: of thousands, all in a while.

    Raises:
        MeasureError: they were not.
    """
    client = Client(url)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        runs = json.loads(client.call("runs")[1])["runs"]
        if sum(run["verdict"] == "complete" for run in runs) == count:
            break
        if time.monotonic() > deadline:
            raise MeasureError(f"{count} run folders were not judged in {_PATIENCE_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)
    client.close()


@contextmanager
def peer(variable: str, directory: Path, scratch: Path) -> Iterator[Client | None]:
    """The service of the checkout that the variable names, over this directory; None without."""
    checkout = os.environ.get(variable, "")
    if not checkout:
        yield None
        return
    (port,) = free_ports(1)
    command = _COMMANDS[variable](Path(checkout).resolve(), directory, scratch, port)
    with (scratch / f"{variable}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=scratch, stdout=log, stderr=log)
    client = Client(f"http://127.0.0.1:{port}/api/1.0")
    try:
        if _answers(client, process):
            yield client
        else:
            print(f"{PEERS[variable]} is left out: see {scratch}", file=sys.stderr)
            yield None
    finally:
        client.close()
        process.kill()
        process.wait()


def _answers(client: Client, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            client.call("nothing")
        except OSError:
            client.close()
            time.sleep(0.02)
        else:
            return True
    return False


def _settings(directory: Path, folder: Path, **more: object) -> None:
    folder.mkdir(exist_ok=True)
    logger = {"version": 1, "root": {"level": "WARNING", "handlers": []}}
    (folder / "logger.config").write_text(yaml.safe_dump(logger))
    settings = {"monitored_directories": [str(directory)], "completed_marker_grace_minutes": 0}
    (folder / "app.config").write_text(yaml.safe_dump({**settings, **more}))


def _tornado(checkout: Path, directory: Path, scratch: Path, port: int) -> list[str]:
    folder = scratch / "arteria-runfolder"
    _settings(directory, folder, can_create_runfolder=False)
    code = (
        f"import sys; sys.path.insert(0, {str(checkout)!r}); import runfolder.app as a; a.start()"
    )
    interpreter = str(python("arteria", ARTERIA))
    return [interpreter, "-c", code, "--port", str(port), "--configroot", str(folder)]


def _aiohttp(checkout: Path, directory: Path, scratch: Path, port: int) -> list[str]:
    folder = scratch / "arteria"
    _settings(directory, folder, port=port, logger_config_file=str(folder / "logger.config"))
    needs = (str(checkout), "aiohttp", "jsonschema", "pyyaml", "xmltodict")
    # it asks for Python 3.12, and runs on 3.11
    found = python("arteria-successor", needs, "--ignore-requires-python")
    command = str(found.with_name("arteria-runfolder"))
    return [command, "--config_file", str(folder / "app.config")]


_COMMANDS: dict[str, Callable[[Path, Path, Path, int], list[str]]] = {
    "ARTERIA_RUNFOLDER": _tornado,
    "ARTERIA_SUCCESSOR": _aiohttp,
}
