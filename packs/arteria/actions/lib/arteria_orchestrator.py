"""The orchestrator's own API, with the token that it gives to each execution."""

import os
from typing import Any, Dict, Iterator
from urllib.parse import quote

import requests
from arteria_errors import ArteriaError

#: Traces asked for at once: StackStorm gives no more to whoever is no administrator.
PAGE = 100


class OrchestratorError(ArteriaError):
    """StackStorm (or st2solo) did not do what an action of its own asked for."""

    code = "orchestrator.refused"


class Orchestrator:
    """Reads executions and dispatches triggers."""

    def __init__(self) -> None:
        self._url = os.environ.get("ST2_ACTION_API_URL", "").rstrip("/")
        self._token = os.environ.get("ST2_ACTION_AUTH_TOKEN", "")

    def execution(self, execution_id: str) -> Dict[str, Any]:
        return _object(self._call("GET", "/executions/" + quote(execution_id, safe="")))

    def traces(self, trace_tag: str) -> Iterator[Dict[str, Any]]:
        """Every trace with this tag."""
        offset = 0
        while True:
            query = {"trace_tag": trace_tag, "limit": PAGE, "offset": offset}
            page = self._call("GET", "/traces", params=query)
            yield from (row for row in page if isinstance(row, dict))
            if len(page) < PAGE:
                return
            offset += PAGE

    def dispatch(self, trigger: str, payload: Dict[str, Any], trace_tag: str) -> None:
        """Dispatch a trigger as a sensor would; an identifier as trace tag."""
        self._call(
            "POST",
            "/webhooks/st2",
            json={"trigger": trigger, "payload": payload},
            headers={"St2-Trace-Tag": trace_tag},
        )

    def _call(self, method: str, where: str, **request: Any) -> Any:
        if not self._url:
            raise OrchestratorError(
                "ST2_ACTION_API_URL is not set",
                hint="this action works only when StackStorm or st2solo runs it",
            )
        headers = {"X-Auth-Token": self._token, **request.pop("headers", {})}
        try:
            answer = requests.request(
                method, self._url + where, timeout=20, headers=headers, **request
            )
        except requests.RequestException as error:
            raise OrchestratorError(
                "the orchestrator's API did not answer %s %s: %s"
                % (method, where, type(error).__name__),
                code="orchestrator.unreachable",
            ) from None
        if not answer.ok:
            raise OrchestratorError(
                "the orchestrator's API answered %s %s with %d"
                % (method, where, answer.status_code),
                hint="may the user that rules run as (stanley) send webhooks and read executions?",
                status=answer.status_code,
            )
        return answer.json() if answer.content else {}


def _object(document: Any) -> Dict[str, Any]:
    return document if isinstance(document, dict) else {}
