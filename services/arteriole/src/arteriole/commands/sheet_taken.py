"""The sheet that somebody accepted or handed in for a run, and whether it was converted with it.

The bcl2fastq service knows it, by its events and by the record of the attempt.
"""

from typing import Any
from urllib.parse import quote

from arteriole.client import Client, ClientError
from arteriole.commands.terminal import moment

_WORDS = {"proposal_accepted": "accepted", "sheet_handed_in": "handed in"}


def sheet_taken(bcl2fastq: Client, run: dict[str, Any]) -> dict[str, Any] | None:
    """`{how, by, time, reason, sha256, attempt, converted_with}`; None if nobody did.

    `converted_with` is the digest of the newest attempt's sheet, None where no FASTQs of it are.
    """
    events = bcl2fastq.get("events", run=run["name"], limit="1000")["events"]
    words = [e for e in events if e["what"] in _WORDS and e["payload"].get("complete", True)]
    if not words:
        return None
    last, told = words[-1], words[-1]["payload"]
    return {
        "how": _WORDS[last["what"]],
        "by": [name for name in (told.get("first"), last["who"]) if name],
        "time": last["time"],
        "reason": told.get("reason", ""),
        "sha256": told["sha256"],
        "attempt": run["attempt"],
        "converted_with": _converted_with(bcl2fastq, run["name"], run["attempt"]),
    }


def in_words(taken: dict[str, Any]) -> str:
    """Who, when and why, and what came of it."""
    told = f"{taken['how']} by {' and '.join(taken['by'])} at {moment(taken['time'])} UTC"
    if taken["reason"]:
        told += f" ({taken['reason']})"
    told += f", SHA-256 {taken['sha256']}"
    attempt, used = taken["attempt"], taken["converted_with"]
    if not attempt:
        return f"{told}; nothing is converted yet"
    if used is None:
        return f"{told}; no FASTQs of attempt {attempt} are there"
    which = "it" if used == taken["sha256"] else f"another one, SHA-256 {used}"
    return f"{told}; attempt {attempt} was converted with {which}"


def _converted_with(bcl2fastq: Client, run: str, attempt: int) -> str | None:
    if not attempt:
        return None
    try:
        record = bcl2fastq.get(f"attempts/{quote(run, safe='')}/{attempt}")
    except ClientError as err:
        if err.code == "attempt.not_found":
            return None
        raise
    return str(record["sheet_sha256"])
