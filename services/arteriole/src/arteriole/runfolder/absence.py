"""A folder that cannot be reached, and comes back as it was.

What was found before is kept in the evidence, under `before`, so that a file system which is away
for a while, over a restart too, costs no second look at what was settled.
"""

from dataclasses import replace
from typing import Any

from arteriole.runfolder import sighting
from arteriole.runfolder.records import Run
from arteriole.runfolder.verdict import AT_REST, Verdict, VerdictKind

BEFORE = "before"


def before(run: Run) -> dict[str, Any] | None:
    """`{verdict, since, code, message, hint, evidence, ready}` of a run that is not reached now.

    `ready` is whether it could be claimed, which was told then.
    """
    found = run.evidence.get(BEFORE)
    return found if run.verdict is VerdictKind.UNREACHABLE and isinstance(found, dict) else None


def rested(run: Run) -> dict[str, Any] | None:
    """The evidence of a verdict that was to stand until something changes; None if it was not."""
    kept = before(run)
    verdict, evidence = run.verdict, run.evidence
    if kept is not None:
        verdict, evidence = VerdictKind(kept["verdict"]), kept["evidence"]
    return evidence if verdict in AT_REST else None


def away(run: Run, verdict: Verdict) -> Verdict:
    """The verdict that a run cannot be reached, with what was known of it."""
    kept = before(run)
    if kept is None and run.verdict is not VerdictKind.UNREACHABLE:
        kept = {
            "verdict": run.verdict.value,
            "since": run.verdict_since,
            "code": run.code,
            "message": run.message,
            "hint": run.hint,
            "evidence": run.evidence,
            "ready": run.claimable,
        }
    return verdict if kept is None else replace(verdict, evidence=verdict.evidence | {BEFORE: kept})


def back(run: Run) -> Verdict | None:
    """The verdict of a complete run whose two upper levels are as they were.

    None if it must be judged. Raises OSError if it still cannot be reached.
    """
    kept = before(run)
    if kept is None or kept["verdict"] != VerdictKind.COMPLETE.value:
        return None
    if sighting.surface(run.path).digest != kept["evidence"].get("surface"):
        return None
    return Verdict(
        VerdictKind.COMPLETE,
        kept["code"],
        kept["message"],
        kept["hint"],
        kept["evidence"],
        run.metadata,
    )
