"""Whether a proposed sheet is the run's: the word of one person, or of two.

The service's events are the record of it: each word is one event, which nothing changes.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from arteriole.app.auth import FIRST_TOKENS, Identity
from arteriole.app.errors import ConflictError, ForbiddenError
from arteriole.app.name_pattern import compiled
from arteriole.app.store import Store
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.jobs.jobs import Job, JobState

#: The event of a word.
ACCEPTED = "proposal_accepted"


@dataclass(frozen=True)
class Acceptance:
    """The last word on proposals of a run.

    Attributes:
        sha256: of the proposal. job_id: the comparison that proposed it. code: what that found.
        by: whose word it is; `first`, if it is the second of two, whose came before.
        complete: no further word is needed; else nothing was done but to record it.
    """

    sha256: str
    job_id: int
    code: str
    by: str
    time: str
    reason: str
    complete: bool
    first: str = ""

    @classmethod
    def last(cls, store: Store, run: str) -> "Acceptance | None":
        row = store.row(
            "SELECT * FROM event WHERE run = ? AND what = ? ORDER BY id DESC LIMIT 1",
            (run, ACCEPTED),
        )
        if row is None:
            return None
        return cls(by=row["who"], time=row["time"], **json.loads(row["payload"]))

    def payload(self) -> dict[str, Any]:
        """What its event holds beside who and when."""
        return {
            "sha256": self.sha256,
            "job_id": self.job_id,
            "code": self.code,
            "reason": self.reason,
            "complete": self.complete,
            "first": self.first,
        }

    def document(self, run: str) -> dict[str, Any]:
        """`message` and `hint` tell what is missing; empty if nothing is."""
        message = hint = ""
        if not self.complete:
            message = (
                f"{self.by} has accepted the corrected sheet ({self.reason}); the word of a second"
                " person is missing"
            )
            hint = f"a second person: arteriole indexes {run} --accept --reason TEXT"
        return {
            **self.payload(),
            "by": self.by,
            "time": self.time,
            "message": message,
            "hint": hint,
        }

    def is_void(self, comparisons: Iterable[Job]) -> bool:
        """A first word is, once a later comparison has proposed anything else, or nothing."""
        later = (job for job in comparisons if job.job_id > self.job_id)
        return not self.complete and any(
            job.state is JobState.DONE and _proposed(job) != self.sha256 for job in later
        )


def needs_second(setting: list[str] | bool, proposal: SampleSheet) -> bool:
    """Whether two people are to accept this sheet, by the setting `second_person`."""
    if isinstance(setting, bool):
        return setting
    patterns = [compiled(text) for text in setting]
    projects = {sample.project for sample in proposal.samples}
    return any(one.fullmatch(project) for one in patterns for project in projects)


def require_second(first: Acceptance | None, who: Identity, run: str) -> bool:
    """Whether `who` is the second of two people; False if nobody was before.

    Raises:
        ForbiddenError: the name is not that of one person.
        ConflictError: the first was the same person.
    """
    if not who.is_person:
        raise ForbiddenError(
            f"two people are to accept this sheet, each by a name of their own; {who.name} may be"
            " anybody",
            code="indexes.not_a_person",
            hint="have a token of your own made (arteriole token create NAME); with it in"
            f" ARTERIOLE_TOKEN: arteriole indexes {run} --accept --reason TEXT",
        )
    if first is None or first.by in FIRST_TOKENS:  # earlier versions took them for people's
        return False
    if who.is_same_person(first.by):
        raise ConflictError(
            f"{first.by} has accepted this sheet already, at {first.time[:19]}Z; a second person"
            " is to look at it too",
            code="indexes.same_person",
            hint=f"a second person: arteriole indexes {run} --accept --reason TEXT",
        )
    return True


def _proposed(job: Job) -> Any:
    found = job.result.get("would", job.result)
    return found.get("proposal_sha256")
