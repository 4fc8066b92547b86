"""A real errbot with err-stackstorm, in errbot's text mode: a chat of one, over its terminal."""

import subprocess
import time
from pathlib import Path

import pytest

from demo.machine import ROOT

_FOLDER = ROOT / ".venv-errbot"
PROGRAM = _FOLDER / "bin" / "errbot"
_START_SECONDS = 90
_CONFIG = """\
import logging

BACKEND = "Text"
BOT_DATA_DIR = {data!r}
BOT_EXTRA_PLUGIN_DIR = {plugin!r}
BOT_LOG_FILE = {log!r}
BOT_LOG_LEVEL = logging.INFO
BOT_ADMINS = ("@boss",)
BOT_PREFIX = "!"
CORE_PLUGINS = ("TextCmds",)
STACKSTORM = {stackstorm!r}
"""


class Errbot:
    """The process; `urls` are a machine's `st2_environment`."""

    def __init__(self, folder: Path, urls: dict[str, str], api_key: str) -> None:
        if not PROGRAM.exists():
            pytest.skip(f"errbot is not at {PROGRAM}: make {PROGRAM.parts[-3]}/.made")
        (folder / "data").mkdir(parents=True)
        (plugin,) = _FOLDER.glob("lib/python*/site-packages/err-stackstorm")
        stackstorm = {
            "auth_url": urls["ST2_AUTH_URL"],
            "api_url": urls["ST2_API_URL"],
            "stream_url": urls["ST2_STREAM_URL"],
            "api_auth": {"apikey": api_key},
            "route_key": "errbot",
            "plugin_prefix": "st2",
        }
        config = folder / "config.py"
        log = folder / "errbot.log"
        config.write_text(
            _CONFIG.format(
                data=str(folder / "data"),
                plugin=str(plugin),
                log=str(log),
                stackstorm=stackstorm,
            )
        )
        self._said = folder / "terminal"
        self._user = ""
        with self._said.open("wb") as terminal:
            self._process = subprocess.Popen(
                [PROGRAM, "-c", config, "--text"],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=terminal,
                stderr=terminal,
                env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONUNBUFFERED": "1"},
            )

    def __call__(self, user: str, text: str, answer: str) -> None:
        """Type a text as this user, and wait for an answer that holds the given one."""
        if not self.hears(user, text, answer):
            pytest.fail(f"no {answer!r} after {text!r}:\n{self._terminal()[-3000:]}")

    def hears(self, user: str, text: str, answer: str, seconds: float = 90.0) -> bool:
        """Whether there is such an answer in time."""
        if user != self._user:
            assert self._types(f"!asuser {user}", f"You are now: @{user}.", _START_SECONDS)
            self._user = user
        return self._types(text, answer, seconds)

    def _types(self, line: str, answer: str, seconds: float) -> bool:
        assert self._process.stdin is not None
        begin, end = len(self._terminal()), time.monotonic() + seconds
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()
        while answer not in self._terminal()[begin:]:
            assert self._process.poll() is None, self._terminal()[-3000:]
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def _terminal(self) -> str:
        return self._said.read_text(errors="replace")

    def end(self) -> None:
        """By force: it would wait for one more event of the stream."""
        self._process.kill()
        self._process.communicate()
