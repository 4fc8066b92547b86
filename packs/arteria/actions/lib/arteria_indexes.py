"""A proposed sheet that people accept, and the hold of the comparison that proposed it.

What stands in `acceptance` of a comparison goes from service to service.
"""

from typing import Any, Dict, Optional

from arteria_client import Client, path
from arteria_errors import RefusedError

SERVICE = "bcl2fastq"
STAGE = "indexes"


def tell_in_hold(client: Client, run: str, word: Dict[str, Any]) -> None:
    """So that `why` says whose word is there and what is missing; once a word."""
    held = client.get("runfolder", path("runs", run)).get("held")
    if not held or held.get("scope") != "run" or held.get("code") != word["code"]:
        return
    body = {
        "scope": "run",
        "name": run,
        "reason": ("%s; %s" % (word["message"], held["reason"]))[:500],
        "code": word["code"],
        "hint": word["hint"],
        "about": "bcl2fastq.%d.accepted" % (int(word["job_id"]),),
    }
    client.post("runfolder", path("holds"), body)


def release_hold(client: Client, run: str, word: Dict[str, Any]) -> bool:
    """End what the comparison held the run for; False if it was not held for it."""
    names = " and ".join(filter(None, (word["first"], word["by"])))
    reason = "the corrected sheet fits, accepted by %s: %s" % (names, word["reason"])
    body = {"scope": "run", "name": run, "code": word["code"], "reason": reason[:500]}
    return client.post("runfolder", path("holds", "release"), body).get("released") is True


def note_begun(client: Client, run: str, job_id: Any) -> None:
    """The job compares the run's indexes with its sheet; so it is not started again."""
    _note(client, run, "begin", {"service": SERVICE, "job_id": int(job_id)})


def note_judged(client: Client, run: str, job_id: Optional[Any], code: str) -> None:
    """What the job found was acted on, so its end is not told again; without a job: none can be
    started, for `code`.
    """
    body: Dict[str, Any] = {"service": SERVICE, "code": code}
    if job_id is not None:
        body["job_id"] = int(job_id)
    _note(client, run, "judged", body)


def _note(client: Client, run: str, what: str, body: Dict[str, Any]) -> None:
    """NB: a runfolder service that does not know the run, or no comparisons yet, need not."""
    try:
        client.post("runfolder", path("runs", run, "comparison", what), body)
    except RefusedError as error:
        if error.status != 404:
            raise
