"""Jobs of the checksum service on an attempt that are no stage of its run."""

from typing import Any, Dict

from arteria_client import Client, path
from arteria_names import identifier, number


def start(client: Client, verb: str, run: str, attempt: int, execution: str) -> Dict[str, Any]:
    """Start what `verb` asks for, once an execution; `arteria.job` shows when it is done."""
    identifier(run, "run")
    key = {"Idempotency-Key": "%s.%s" % (verb, identifier(execution, "execution"))}
    body = {"attempt": number(attempt, "attempt")}
    job = client.post("checksum", path(verb, run), body, key)
    return {
        "service": "checksum",
        "job_id": identifier(str(job["job_id"]), "job_id"),
        "state": identifier(job.get("state"), "state"),
    }
