"""What of a run may go: the archive is asked, and told what the runfolder service says of it."""

import time
from typing import Any, Dict, List

from arteria_client import Client, path
from arteria_errors import AnswerError, RefusedError
from arteria_names import identifier, number

KINDS = ("raw", "fastq")
RESULTS = "results"


def ask(
    client: Client, run: str, verb: str, kind: str, reason: str, execution: str
) -> Dict[str, Any]:
    """The archive's answer: a job, or which word is still missing."""
    evidence = _evidence(client, run)
    attempt = number(evidence["attempt"], "attempt")
    kinds = [identifier(kind, "kind")] if kind else list(KINDS)
    if verb == "list" and not kind:
        kinds.append(RESULTS)
    if RESULTS in kinds:
        evidence["merged"] = _merged(client, run, attempt)
    body = {
        "attempt": attempt,
        "verb": verb,
        "kinds": kinds,
        "reason": reason,
        "evidence": evidence,
    }
    key = {"Idempotency-Key": "clean.%s" % identifier(execution, "execution")}
    return client.post("archive", path("clean", run), body, key)


def _evidence(client: Client, run: str) -> Dict[str, Any]:
    """What the archive, which asks no other service, has to know."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    cursor = client.get("runfolder", path("runs"), brief="true", limit=1).get("next")
    row = client.get("runfolder", path("runs", identifier(run, "run")))
    if not row.get("attempt"):
        raise AnswerError("%s has no attempt" % (run,), hint="only a run that is done goes")
    return {
        "state": row.get("state"),
        "held": row.get("held") is not None,
        "observed": row.get("observed") is True,
        "attempt": row["attempt"],
        "cursor": cursor,
        "time": now,
    }


def _merged(client: Client, run: str, attempt: int) -> List[Dict[str, Any]]:
    """Whether other runs are held whose reads are in the results; of some nobody may know."""
    told = []
    for name in client.get("archive", path("clean", run, attempt)).get("merged") or []:
        try:
            row = client.get("runfolder", path("runs", identifier(name, "run")))
        except RefusedError:
            continue
        told.append({"run": name, "held": row.get("held") is not None})
    return told


def listed(job: Dict[str, Any], messages: bool) -> str:
    """What a listing found, a line for each kind of data; codes alone without `messages`."""
    result = job.get("result") or {}
    result = result.get("would") or result
    whole = [_objection(one, messages) for one in result.get("objections") or []]
    lines = ["stays: %s" % one for one in whole]
    for kind in result.get("kinds") or []:
        told = [_objection(one, messages) for one in kind.get("objections") or []]
        name = identifier(kind.get("kind"), "kind")
        if kind.get("gone"):
            lines.append(
                "%s is taken away already%s" % (name, ": %s" % told[0] if messages else "")
            )
        elif told:
            lines.append("%s stays: %s" % (name, "; ".join(told)))
        else:
            word = "could go, if that were not" if whole else "may go"
            files = number(kind.get("files"), "files")
            lines.append("%s %s: %d files" % (name, word, files))
    return "\n".join(lines)


def _objection(one: Dict[str, Any], messages: bool) -> str:
    code = identifier(one.get("code"), "code")
    return "%s [%s]" % (one.get("message"), code) if messages else code
