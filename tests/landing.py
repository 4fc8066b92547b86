"""A real `arteriole serve runfolder` over a monitored directory of its own."""

import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import requests
import yaml

from demo.machine import free_ports
from tests.environment import ROOT

COMMAND = ROOT / ".venv" / "bin" / "arteriole"
_START_SECONDS = 60.0
#: The first list of thousands of folders waits until each was looked at.
_ANSWER_SECONDS = 900.0


class LandingError(Exception):
    """The service did not do what it was told; the message ends with its log."""


class Landing:
    """The process, started again and again over what is there; it needs no token.

    Settings are those of the section `runfolder`.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.directory = folder / "monitored"
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}/api/1.0"
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        self._log = folder / "serve.log"
        section = {
            "port": self.port,
            "monitored_directories": [str(self.directory)],
            "adopt_existing": True,
            **settings,
        }
        config = {"state_dir": str(folder / "state"), "auth": "none", "mode": "act"}
        (folder / "arteriole.yaml").write_text(yaml.safe_dump({**config, "runfolder": section}))

    def start(self) -> "Landing":
        """Start the process and wait until it answers.

        Raises:
            LandingError: it ended, or does not answer in time.
        """
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [COMMAND, "--config", self._folder / "arteriole.yaml", "serve", "runfolder"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text(errors="replace")[-2000:]
                self.kill()
                raise LandingError(f"arteriole did not start; its log ends:\n{said}")
            time.sleep(0.002)
        return self

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """End the process at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}/{path}", timeout=_ANSWER_SECONDS)
        if answer.status_code != 200:
            raise LandingError(f"GET {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()
