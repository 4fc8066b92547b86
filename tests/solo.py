"""A real `st2solo serve` over a folder of its own, with packs that whoever starts it writes."""

import json
import secrets
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import requests
import yaml

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ROOT / ".venv-st2solo" / "bin" / "st2solo"
USER = "operator"
_START_SECONDS = 60.0
_ANSWER_SECONDS = 60.0


class SoloError(Exception):
    """st2solo did not do what it was told; the message ends with its log."""


class Solo:
    """The process, started again and again over what is there; `up` is set while it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packs, self.state = folder / "packs", folder / "state"
        self.store = self.state / "st2solo.sqlite"
        self.up = threading.Event()
        self.process: subprocess.Popen[bytes] | None = None
        self._log = folder / "serve.log"
        self._ports_file = self.state / "ports.json"
        self._ports: dict[str, Any] = {}
        self._token = ""
        self._password = secrets.token_hex(12)

    def lay_out(self, *, api_port: int = 0, **more: Any) -> None:
        """Write the configuration and add the user; `packs` is there already."""
        ports = {"auth": 0, "api": api_port, "stream": 0}
        config = {"packs": ["packs"], "state": "state", "ports": ports, "log_level": "WARNING"}
        (self.folder / "st2solo.yaml").write_text(yaml.safe_dump(config | more))
        subprocess.run(
            [COMMAND, "user", "add", USER],
            cwd=self.folder,
            input=f"{self._password}\n".encode(),
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=_START_SECONDS,
        )

    def begin(self) -> subprocess.Popen[bytes]:
        """Start the process, and do not wait for it."""
        self._ports_file.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [COMMAND, "serve"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    @property
    def has_begun(self) -> bool:
        """Whether it serves; it has then picked up what an earlier one left."""
        return self._ports_file.exists()

    def start(self) -> None:
        """Start the process and wait until it answers.

        Raises:
            SoloError: it ended, or does not serve in time.
        """
        process = self.begin()
        deadline = time.monotonic() + _START_SECONDS
        while not self.has_begun:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SoloError(f"st2solo did not start; its log ends:\n{self.log_end()}")
            time.sleep(0.002)
        self._ports = json.loads(self._ports_file.read_text())
        if not self._token:
            self._token = self._log_in()
        self.up.set()

    def _log_in(self) -> str:
        answer = requests.post(
            f"http://127.0.0.1:{self._ports['auth']}/tokens",
            auth=(USER, self._password),
            json={},
            timeout=_ANSWER_SECONDS,
        )
        answer.raise_for_status()
        return str(answer.json()["token"])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        """Send a signal and wait; None if it does not run."""
        self.up.clear()
        process, self.process = self.process, None
        if process is None:
            return None
        process.send_signal(number)
        return process.wait(_START_SECONDS)

    def kill(self) -> None:
        """kill -9, of this one process."""
        self.end(signal.SIGKILL)

    @property
    def api(self) -> str:
        """The address of the API, with /v1."""
        return f"http://127.0.0.1:{self._ports['api']}/v1"

    @property
    def token(self) -> str:
        return self._token

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """One call of the API; an answer that is an error raises.

        Raises:
            requests.ConnectionError: it does not run, or ended before it had answered.
        """
        answer = requests.request(
            method,
            f"{self.api}/{path}",
            headers={"X-Auth-Token": self._token},
            timeout=_ANSWER_SECONDS,
            **more,
        )
        if not answer.ok:
            text = answer.text[:500]
            raise SoloError(f"{method} {path}: {answer.status_code} {text}\n{self.log_end()}")
        return answer

    def log_end(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]
