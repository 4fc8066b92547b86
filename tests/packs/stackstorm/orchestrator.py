"""StackStorm as these tests see it: its HTTP API and the unmodified `st2` command, nothing else."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from demo.machine import ROOT

COMPLETED = frozenset({"succeeded", "failed", "timeout", "canceled", "abandoned"})
SENSOR = "arteria.EventFeedSensor"
#: As many as StackStorm gives to anybody at once; the newest come first.
PAGE = 100
#: Seconds within which a stream tells something, if only that it lives.
LONGEST_SILENCE = 60

#: Which event of a service becomes which trigger, and what the trigger tells of it.
TRIGGERS = {
    "run_ready": ("arteria.run_ready", ("run",)),
    "stage_ready": ("arteria.stage_ready", ("run", "stage", "attempt")),
    "job_finished": (
        "arteria.job_finished",
        ("service", "job_id", "run", "stage", "attempt", "state", "code"),
    ),
    "run_done": ("arteria.run_done", ("run", "attempt")),
    "run_error": ("arteria.run_error", ("run", "code")),
}


def trigger_of(event: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The trigger that the packs' sensor makes of a service's event, and its payload."""
    if event["what"] not in TRIGGERS:
        return None
    trigger, names = TRIGGERS[event["what"]]
    values = {**event, **event["payload"]}
    if "job_id" in values:
        values["job_id"] = str(values["job_id"])
    return trigger, {name: values[name] for name in names if values.get(name) not in (None, "")}


class Orchestrator:
    """The API at `url` and the stream (both end in /v1), with an API key or a token."""

    def __init__(self, url: str, stream_url: str, *, api_key: str = "", token: str = "") -> None:
        self.url = url.rstrip("/")
        self.stream_url = stream_url.rstrip("/")
        self._headers = {"St2-Api-Key": api_key} if api_key else {"X-Auth-Token": token}
        login = {"ST2_API_KEY": api_key} if api_key else {"ST2_AUTH_TOKEN": token}
        self._environment = {"ST2_API_URL": self.url, "ST2_STREAM_URL": self.stream_url, **login}

    @classmethod
    def of_environment(cls) -> "Orchestrator":
        key, token = os.environ.get("ST2_API_KEY", ""), os.environ.get("ST2_AUTH_TOKEN", "")
        stream = os.environ.get("ST2_STREAM_URL", "http://127.0.0.1:9102/v1")
        return cls(os.environ["ST2_API_URL"], stream, api_key=key, token=token)

    @classmethod
    def logged_in(cls, urls: dict[str, str], user: str, password: str) -> "Orchestrator":
        """`urls` are a machine's `st2_environment`."""
        url = f"{urls['ST2_AUTH_URL']}/tokens"
        answer = requests.post(url, auth=(user, password), json={}, timeout=30)
        answer.raise_for_status()
        return cls(urls["ST2_API_URL"], urls["ST2_STREAM_URL"], token=answer.json()["token"])

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """The JSON of an answer; an answer that is an error raises, with its text."""
        answer = requests.request(
            method, f"{self.url}/{path}", headers=self._headers, timeout=30, **more
        )
        if not answer.ok:
            raise requests.HTTPError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def answers(self) -> bool:
        try:
            self.ask("GET", "packs")
        except requests.RequestException:
            return False
        return True

    def set_secret(self, name: str, value: str) -> None:
        body = {"name": name, "value": value, "scope": "st2kv.system", "secret": True}
        self.ask("PUT", f"keys/{name}", json=body)

    def switch(self, kind: str, ref: str, enabled: bool) -> None:
        """Enable or disable a rule or a sensor, as the `st2` command does."""
        found = self.ask("GET", f"{kind}/{ref}")
        found.pop("ref", None)
        self.ask("PUT", f"{kind}/{found['id']}", json={**found, "enabled": enabled})

    def dispatch(self, trigger: str, payload: dict[str, Any]) -> None:
        body = {"trigger": trigger, "payload": payload}
        headers = {**self._headers, "St2-Trace-Tag": payload["run"]}
        answer = requests.post(f"{self.url}/webhooks/st2", json=body, headers=headers, timeout=30)
        assert answer.status_code == 202, answer.text

    def instances(self, trigger: str, run: str) -> list[dict[str, Any]]:
        """The newest trigger instances of `run`."""
        found = self.ask("GET", "triggerinstances", params={"trigger": trigger, "limit": PAGE})
        return [one for one in found if one["payload"].get("run") == run]

    def executions(self, action: str, run: str) -> list[dict[str, Any]]:
        """The newest executions of `action` for `run` that are part of no workflow."""
        found = self.ask("GET", "executions", params={"action": action, "limit": PAGE})
        mine = [one for one in found if one["parameters"].get("run") == run]
        return [one for one in mine if not one.get("parent")]

    def execution(self, execution_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"executions/{execution_id}")
        return found

    def run(self, action: str, **parameters: Any) -> str:
        """The id of the execution that does it."""
        body = {"action": action, "parameters": parameters}
        return str(self.ask("POST", "executions", json=body)["id"])

    def rerun(self, execution_id: str) -> str:
        """The id of the execution that does it again."""
        return str(self.ask("POST", f"executions/{execution_id}/re_run", json={})["id"])

    def command(self, *arguments: str) -> Any:
        """The JSON that the `st2` command prints; it must end with exit code 0."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("ST2_")}
        done = subprocess.run(
            [str(ROOT / ".venv-st2" / "bin" / "st2"), *arguments, "-j"],
            env={**others, **self._environment},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def announcements(self, route: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The payloads that are announced while this lasts, as a chat's bot hears them."""
        with requests.get(
            f"{self.stream_url}/stream",
            params={"events": f"st2.announcement__{route}"},
            headers=self._headers,
            stream=True,
            timeout=LONGEST_SILENCE,
        ) as answer:
            answer.raise_for_status()
            yield _payloads(answer)


def _payloads(stream: requests.Response) -> Iterator[dict[str, Any]]:
    begun = b"data: "
    for line in stream.iter_lines(chunk_size=1):
        if line.startswith(begun):
            yield json.loads(line.removeprefix(begun))["payload"]
