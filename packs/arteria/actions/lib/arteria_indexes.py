"""A proposed sheet that people accept, and the hold of the comparison that proposed it.

What stands in `acceptance` of a comparison goes from service to service.
"""

from typing import Any, Dict

from arteria_client import Client, path


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
