"""StackStorm as these tests see it: its HTTP API, and nothing else."""

import os
from typing import Any

import requests

COMPLETED = frozenset({"succeeded", "failed", "timeout", "canceled", "abandoned"})
SENSOR = "arteria.EventFeedSensor"
#: As many as StackStorm gives to anybody at once; the newest come first.
PAGE = 100

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
    """The API at `url` (it ends in /v1), with an API key or a token."""

    def __init__(self, url: str, *, api_key: str = "", token: str = "") -> None:
        self.url = url.rstrip("/")
        self._headers = {"St2-Api-Key": api_key} if api_key else {"X-Auth-Token": token}

    @classmethod
    def of_environment(cls) -> "Orchestrator":
        key, token = os.environ.get("ST2_API_KEY", ""), os.environ.get("ST2_AUTH_TOKEN", "")
        return cls(os.environ["ST2_API_URL"], api_key=key, token=token)

    @classmethod
    def logged_in(cls, url: str, auth_url: str, user: str, password: str) -> "Orchestrator":
        answer = requests.post(f"{auth_url}/tokens", auth=(user, password), json={}, timeout=30)
        answer.raise_for_status()
        return cls(url, token=answer.json()["token"])

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
