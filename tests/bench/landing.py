"""A runfolder service in a process of its own, and when its stream of events tells of runs."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.bench.bench import Bench
from tests.bench.measure import ROOT, MeasureError

_PATIENCE_SECONDS = 300
_POLL_SECONDS = 0.05
#: What keeps the kernel from giving notifications, to this process and its children alone.
_NONE = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"'
_DEAF = ["unshare", "--user", "--map-root-user", "sh", "-c", _NONE, "sh"]
_SERVE = "from arteriole.cli import main; main()"


class Landing:
    """A monitored directory, `folder`, and what is told of it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self._url = url
        self._told: dict[str, float] = {}
        self._changed = threading.Condition()
        stream = requests.get(f"{url}/api/1.0/events/stream", stream=True, timeout=60)
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: requests.Response) -> None:
        """NB: byte by byte, since what waits for a full buffer is not the service."""
        what = b""
        with contextlib.suppress(requests.RequestException):  # the service has ended
            for line in stream.iter_lines(chunk_size=1):
                now = time.perf_counter()
                if line.startswith(b"event: "):
                    what = line
                elif line.startswith(b"data: ") and what == b"event: run_ready":
                    run = json.loads(line.removeprefix(b"data: "))["run"]
                    with self._changed:
                        self._told.setdefault(run, now)
                        self._changed.notify_all()

    def ready(self, run: str) -> float:
        """When it was told as ready, by time.perf_counter().

        Raises:
            MeasureError: it was not, for very long.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: run in self._told, _PATIENCE_SECONDS):
                raise MeasureError(f"{run} was not told as ready in {_PATIENCE_SECONDS} s")
            return self._told[run]

    def seen(self, count: int) -> None:
        """Wait until so many runs have been looked at. Raises MeasureError."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            runs = requests.get(f"{self._url}/api/1.0/runs?brief=true", timeout=60).json()["runs"]
            if sum(bool(run["why"]["message"]) for run in runs) >= count:
                return
            time.sleep(_POLL_SECONDS)
        raise MeasureError(f"{count} runs were not seen in {_PATIENCE_SECONDS} s")


@contextmanager
def landing(
    bench: Bench, name: str, *, notified: bool = True, **settings: float
) -> Iterator[Landing]:
    """The service over an empty directory, with these settings of its own.

    Raises:
        MeasureError: it does not start, or notifications cannot be kept from it.
    """
    home = bench.scratch / name
    folder, state = home / "incoming", home / "state"
    folder.mkdir(parents=True)
    config = home / "arteriole.yaml"
    runfolder = {"port": 0, "monitored_directories": [str(folder)], **settings}
    document = {"state_dir": str(state), "auth": "none", "runfolder": runfolder}
    config.write_text(json.dumps(document), encoding="utf-8")
    command = [sys.executable, "-c", _SERVE, "--config", str(config), "serve", "runfolder"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*([] if notified else _DEAF), *command],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT,
        )  # fmt: skip
    try:
        yield Landing(folder, _url(state, process, home / "log", notified=notified))
    finally:
        process.terminate()
        process.wait(60)


def _url(state: Path, process: subprocess.Popen[bytes], log: Path, *, notified: bool) -> str:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            url = str(json.loads((state / "ports.json").read_text())["runfolder"])
            health = requests.get(f"{url}/health", timeout=60).json()
        except (OSError, ValueError):
            time.sleep(_POLL_SECONDS)
            continue
        if all(one["file_system"] for one in health["directories"].values()):  # it was listed
            if bool(health.get("notes")) == notified:
                raise MeasureError(f"notifications should be {notified}: {health}")
            return url
        time.sleep(_POLL_SECONDS)
    raise MeasureError(f"the service does not start:\n{log.read_text(errors='replace')[-2000:]}")
