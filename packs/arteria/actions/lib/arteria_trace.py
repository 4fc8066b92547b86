"""What happened to a run, in order: the services' events and the orchestrator's executions.

StackStorm makes one trace of each trigger instance; all that belong to a run have its name as tag.
"""

from typing import Any, Dict, Iterator, List, NamedTuple

from arteria_client import SERVICES, Client, path
from arteria_errors import UnreachableError
from arteria_names import inert, is_identifier
from arteria_orchestrator import Orchestrator, OrchestratorError

#: Events asked for at once; and most of them, and of executions, that are told of.
PAGE = 500
MOST = 5000
MOST_EXECUTIONS = 500
NOT_FOUND = 404
#: Of an event's payload, what a line tells of it.
_TOLD = ("state", "code", "by", "service", "job_id")


class Entry(NamedTuple):
    time: str
    source: str
    what: str
    detail: str

    def line(self) -> str:
        return ("%-24s  %-10s  %-32s  %s" % self).rstrip()


def entries(client: Client, orchestrator: Orchestrator, run: str) -> List[Entry]:
    """All that is known of `run`, the oldest first; a service that is down is told as such."""
    found = []
    for service in SERVICES:
        if client.has(service):
            try:
                found += list(_events(client, service, run))
            except UnreachableError as error:
                found.append(Entry("9999", service, "does not answer", str(error)))
    return sorted(found + list(_executions(orchestrator, run)))


def _events(client: Client, service: str, run: str) -> Iterator[Entry]:
    after: Dict[str, Any] = {}
    for _ in range(MOST // PAGE):
        page = client.get(service, path("events"), run=run, limit=PAGE, **after)
        events = page.get("events") or []
        for event in events:
            yield _event(service, event)
        if len(events) < PAGE:
            return
        after = {"after": page["next"]}


def _event(service: str, event: Dict[str, Any]) -> Entry:
    payload = event.get("payload") or {}
    words = ["%s=%s" % (name, payload[name]) for name in _TOLD if payload.get(name)]
    of_stage = [str(event[name]) for name in ("stage", "attempt") if event.get(name)]
    detail = inert(" ".join([*of_stage, *words]))
    return Entry(_moment(event.get("time")), service, inert(str(event.get("what"))), detail)


def _executions(orchestrator: Orchestrator, run: str) -> Iterator[Entry]:
    seen = set()
    for trace in orchestrator.traces(run):
        for part in trace.get("action_executions") or []:
            execution_id = part.get("object_id")
            if not is_identifier(execution_id) or execution_id in seen:
                continue
            if len(seen) == MOST_EXECUTIONS:
                return
            seen.add(execution_id)
            execution = _execution(orchestrator, execution_id)
            ref = (execution.get("action") or {}).get("ref") or part.get("ref") or ""
            detail = "%s %s" % (execution.get("status"), execution_id)
            moment = execution.get("start_timestamp") or part.get("updated_at")
            yield Entry(_moment(moment), "execution", inert(str(ref)), inert(detail))


def _execution(orchestrator: Orchestrator, execution_id: str) -> Dict[str, Any]:
    """The execution; StackStorm may have thrown it away by its age, and kept the trace."""
    try:
        return orchestrator.execution(execution_id)
    except OrchestratorError as error:
        if error.status != NOT_FOUND:
            raise
        return {"status": "not_kept"}


def _moment(text: Any) -> str:
    """A time in UTC as both sides write it, cut to milliseconds so that they sort.

    >>> _moment("2026-01-02T03:04:05.678901Z"), _moment("2026-01-02T03:04:05+00:00")
    ('2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.000Z')
    """
    plain = str(text or "").replace("+00:00", "").rstrip("Z")
    seconds, _, fraction = plain.partition(".")
    return "%s.%sZ" % (seconds, (fraction + "000")[:3])
