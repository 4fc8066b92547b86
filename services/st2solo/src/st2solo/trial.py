"""A throw-away st2solo for end-to-end tests of rules and workflows: a process on free ports.

It is what the pytest fixture `st2solo` hands out. `python -m st2solo.trial_server` runs with
st2solo's own Python, also where a pack's tests run with another one.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import requests

from st2solo.environments import folder_for_tests
from st2solo.errors import St2SoloError

#: The environment variable in which `st2solo test` tells the tests st2solo's own Python.
PYTHON_VARIABLE = "ST2SOLO_PYTHON"

_COMPLETED = frozenset({"succeeded", "failed", "timeout", "canceled", "abandoned"})
_START_SECONDS = 900.0  # the Python environments of packs are made first
_END_SECONDS = 20.0
_ANSWER_SECONDS = 30.0
_PAUSE_SECONDS = 0.02
_LOG_CHARACTERS = 2000


class TrialError(St2SoloError):
    """st2solo did not do what the test asked of it; the message says what it did."""


class Trial:
    """One st2solo in a folder; it starts with `packs` and ends with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        self._url = ""
        self._told: set[str] = set()

    def __enter__(self) -> "Trial":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def packs(
        self,
        *folders: Path | str,
        configs: Mapping[str, Mapping[str, Any]] | None = None,
        sensors: bool = False,
    ) -> "Trial":
        """Register the packs in these folders, and serve. Sensors run only if they are asked for.

        `configs` has the configuration of a pack by its name.

        Raises:
            TrialError: a file of a pack is wrong, or st2solo does not start.
        """
        if self._process is not None:
            raise TrialError("st2solo serves already; name all packs at once")
        file = self._laid_out([Path(folder).resolve() for folder in folders], configs or {})
        self._log = (self.folder / "st2solo.log").open("wb")
        python = os.environ.get(PYTHON_VARIABLE, sys.executable)
        switch = "on" if sensors else "off"
        self._process = subprocess.Popen(
            [python, "-m", "st2solo.trial_server", file, switch, folder_for_tests()],
            env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
            stdin=subprocess.PIPE,  # it ends when that is closed, however the test may end
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._connect(self._process)
        return self

    def _laid_out(self, folders: list[Path], configs: Mapping[str, Mapping[str, Any]]) -> Path:
        for folder in folders:
            if not (folder / "pack.yaml").is_file():
                raise TrialError(f"expected a pack, found no pack.yaml in {folder}")
        for name in ("packs", "configs"):
            (self.folder / name).mkdir(parents=True)
        for pack, content in configs.items():
            (self.folder / "configs" / f"{pack}.yaml").write_text(json.dumps(content))
        file = self.folder / "st2solo.yaml"
        settings = {
            "packs": ["packs", *map(str, folders)],
            "state": "state",
            "ports": {"auth": 0, "api": 0, "stream": 0},
            "log_level": "WARNING",
        }
        file.write_text(json.dumps(settings))
        return file

    def _connect(self, process: subprocess.Popen[bytes]) -> None:
        state = self.folder / "state"
        end = time.monotonic() + _START_SECONDS
        while not (state / "ports.json").exists():
            if process.poll() is not None or time.monotonic() > end:
                raise TrialError(f"st2solo did not start:\n{self.log_end()}")
            time.sleep(_PAUSE_SECONDS)
        ports = json.loads((state / "ports.json").read_text())
        self._url = f"http://{ports['host']}:{ports['api']}/v1"
        self._session.headers["X-Auth-Token"] = (state / "token").read_text()

    def call(self, method: str, path: str, **more: Any) -> Any:
        """What StackStorm's API answers, such as `call("GET", "/rules")`.

        Raises:
            TrialError: it refused.
        """
        if not self._url:
            raise TrialError("st2solo has not been started; name the packs first: st2solo.packs()")
        answer = self._session.request(method, self._url + path, timeout=_ANSWER_SECONDS, **more)
        content = answer.json() if answer.content else None
        if not answer.ok:
            raise TrialError(f"{method} {path}: {content['faultstring'] if content else answer}")
        return content

    def run(self, ref: str, /, *, seconds: float = 60, **parameters: Any) -> dict[str, Any]:
        """The execution of an action or workflow, once it is over; however it has ended."""
        asked = self.call("POST", "/executions", json={"action": ref, "parameters": parameters})
        self._told.add(asked["id"])
        end = time.monotonic() + seconds
        while True:
            execution: dict[str, Any] = self.call("GET", f"/executions/{asked['id']}")
            if execution["status"] in _COMPLETED:
                return execution
            self._pause(end, f"{ref} is not over within {seconds} s")

    def dispatch(
        self, trigger: str, payload: Mapping[str, Any] | None = None, trace_tag: str | None = None
    ) -> None:
        """An event, as a sensor would tell it.

        Raises:
            TrialError: there is no such trigger, or it takes no such payload.
        """
        body = {"trigger": trigger, "payload": payload or {}}
        headers = {"St2-Trace-Tag": trace_tag} if trace_tag else {}
        self.call("POST", "/webhooks/st2", json=body, headers=headers)

    def wait_for(self, ref: str, *, seconds: float = 60) -> dict[str, Any]:
        """An execution of an action that is over: each call has another one.

        Raises:
            TrialError: there was none in time; what there was instead is told.
        """
        end = time.monotonic() + seconds
        while True:
            for execution in self.executions(ref):
                if execution["id"] not in self._told and execution["status"] in _COMPLETED:
                    self._told.add(execution["id"])
                    return execution
            self._pause(end, f"expected an execution of {ref} to end within {seconds} s")

    def executions(self, ref: str | None = None) -> list[dict[str, Any]]:
        """All executions of an action, or of all, those of workflows' tasks too; oldest first."""
        query = {"limit": -1, "sort_asc": "true", **({"action": ref} if ref else {})}
        found: list[dict[str, Any]] = self.call("GET", "/executions", params=query)
        return found

    def log_end(self) -> str:
        """The last words of st2solo's log."""
        return (self.folder / "st2solo.log").read_text(errors="replace")[-_LOG_CHARACTERS:]

    def stop(self) -> None:
        """Cancel what still runs, and end st2solo."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if self._url and process.poll() is None:
                self._cancel_all()
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._session.close()
            if process.stdin is not None:
                process.stdin.close()
            if self._log is not None:
                self._log.close()

    def _cancel_all(self) -> None:
        """Actions outlive st2solo, so that none may be left that nobody waits for."""
        for execution in self._open():
            with contextlib.suppress(TrialError):  # it has ended by itself
                self.call("DELETE", f"/executions/{execution['id']}")
        end = time.monotonic() + _END_SECONDS
        while self._open() and time.monotonic() < end:
            time.sleep(_PAUSE_SECONDS)

    def _open(self) -> list[dict[str, Any]]:
        return [one for one in self.executions() if one["status"] not in _COMPLETED]

    def _pause(self, end: float, missed: str) -> None:
        if time.monotonic() > end:
            raise TrialError(f"{missed}; found {self._overview()}")
        time.sleep(_PAUSE_SECONDS)

    def _overview(self) -> str:
        ran = [f"{one['action']['ref']} {one['status']}" for one in self.executions()]
        refused = [
            f"{one['rule']['ref']}: {one['failure_reason']}"
            for one in self.call("GET", "/ruleenforcements", params={"limit": -1})
            if one.get("failure_reason")
        ]
        told = f"the executions {ran}"
        told += f", rules that failed {refused}" if refused else ""
        return told + (f"; its log ends:\n{self.log_end()}" if self.log_end() else "")
