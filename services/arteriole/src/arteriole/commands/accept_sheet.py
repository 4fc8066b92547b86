"""`arteriole indexes RUN --accept`: the proposed sheet becomes the run's, and its hold ends."""

from typing import Any

from arteriole.client import ClientError, run_path
from arteriole.commands.comparison import Comparisons
from arteriole.commands.terminal import say


def accept(comparisons: Comparisons, reason: str) -> dict[str, Any] | None:
    """The comparison with the new sheet; None while the word of a second person is missing.

    The hold ends only if that sheet fits. A repeat goes on where an earlier one has stopped.
    """
    there = comparisons.sheet()
    body = {"reason": reason, "places": there["places"]}
    if there.get("base64"):
        body["sheet"] = there["base64"]
    try:
        done = comparisons.bcl2fastq.post(f"{comparisons.path}/accept", body)
    except ClientError as err:
        if err.code == "indexes.same_person":
            word = comparisons.bcl2fastq.get(comparisons.path)["acceptance"]
            _tell_in_the_hold(comparisons, word)
        raise
    if not done["accepted"]:
        _tell_in_the_hold(comparisons, done)
        say(done["message"])
        say(f"  {done['hint']}")
        return None
    if done["written"]:
        kept = f"; the earlier one is {done['kept_as']}" if done["kept_as"] else ""
        say(f"the proposed sheet is handed in as {done['file']}{kept}")
    found = comparisons.newest(again=False)
    if not _is_of(found, done["sha256"]):
        found = comparisons.newest(again=True)
    if _is_of(found, done["sha256"]) and not found["diagnosis"]["code"]:
        _release(comparisons, done)
        _tell_what_does_not_go_on(comparisons, done)
    return found


def _is_of(found: dict[str, Any], sha256: str) -> bool:
    diagnosis = found["diagnosis"] or {}
    return found["job"]["state"] == "done" and diagnosis.get("sheet_sha256") == sha256


def _tell_in_the_hold(comparisons: Comparisons, word: dict[str, Any]) -> None:
    """So that `why` says whose word is there and what is missing; once a word."""
    held = comparisons.runfolder.get(run_path(comparisons.run))["held"]
    if held is None or held["scope"] != "run" or held["code"] != word["code"]:
        return
    comparisons.runfolder.post(
        "holds",
        {
            "scope": "run",
            "name": comparisons.run,
            "reason": f"{word['message']}; {held['reason']}"[:500],
            "code": word["code"],
            "hint": word["hint"],
            "about": ".".join(("bcl2fastq", str(word["job_id"]), "accepted")),
        },
    )


def _release(comparisons: Comparisons, done: dict[str, Any]) -> None:
    names = " and ".join(filter(None, (done["first"], done["by"])))
    body = {
        "scope": "run",
        "name": comparisons.run,
        "code": done["code"],
        "reason": f"the corrected sheet fits, accepted by {names}: {done['reason']}"[:500],
    }
    if comparisons.runfolder.post("holds/release", body)["released"]:
        say("the hold of the comparison is ended")
    held = comparisons.runfolder.get(run_path(comparisons.run))["held"]
    if held is not None:
        say(f"{comparisons.run} is still held, by {held['by']}: {held['reason']}")


def _tell_what_does_not_go_on(comparisons: Comparisons, done: dict[str, Any]) -> None:
    """By itself: what has failed, or was made of the earlier sheet."""
    run = comparisons.runfolder.get(run_path(comparisons.run))
    stages = {one["stage"]: one for one in run["stages"] if one["attempt"] == run["attempt"]}
    convert = stages.get("convert", {"state": ""})
    if convert["state"] == "done" and (done["written"] or convert["ended"] < done["time"]):
        first = "check" if "check" in stages else "convert"
        say(f"attempt {run['attempt']} was made with the earlier sheet; to make it anew:")
        say(f"  arteriole redo {comparisons.run} --from {first}")
    elif failed := [name for name, one in stages.items() if one["state"] == "failed"]:
        say(f"{' and '.join(failed)} of attempt {run['attempt']} failed before; then:")
        say(f"  arteriole retry {comparisons.run}")
