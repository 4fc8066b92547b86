"""Whether data may be taken away: the word of one person, or of two, each an event for good."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from arteriole.app import times
from arteriole.app.auth import FIRST_TOKENS, Identity
from arteriole.app.errors import ConflictError, ForbiddenError
from arteriole.app.events import EventLog
from arteriole.app.name_pattern import compiled
from arteriole.app.store import Store
from arteriole.archive.clean.judging import Finding
from arteriole.policy.policy import Subject

SAID = "clean_said"
#: Seconds for which a first word waits for the second.
WAITS = 7 * 24 * 3600.0


def about(attempt: int, verb: str, findings: Sequence[Finding]) -> str:
    """What a word is about: this very data, as its manifests have it."""
    manifests = [finding.proof.manifests for finding in findings if finding.proof]
    what = [attempt, verb, [finding.kind.value for finding in findings], manifests]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def needs_second(setting: list[str] | bool, subjects: Sequence[Subject]) -> bool:
    """Whether two people are to say so, by the setting `second_person`."""
    if isinstance(setting, bool):
        return setting
    patterns = [compiled(text) for text in setting]
    return any(one.fullmatch(subject.project) for one in patterns for subject in subjects)


class Words:
    """Those on taking away data of runs."""

    def __init__(self, store: Store, events: EventLog) -> None:
        self._store, self._events = store, events

    def say(
        self, run: str, attempt: int, what: str, reason: str, who: Identity, *, both: bool
    ) -> tuple[str, ...]:
        """Record a word; whose words there are now, where none is missing, else nobody's.

        Raises:
            ForbiddenError: two people are to say so, and this name is not that of one.
            ConflictError: the first word was of the same person.
        """
        first = self._first(run, what) if both else None
        if both:
            _require_person(who, run)
            if first is not None and who.is_same_person(first):
                raise ConflictError(
                    f"{first} has said so already; a second person is to look at it too",
                    code="clean.same_person",
                    hint=f"a second person: arteriole clean {run} --delete --reason TEXT",
                )
        people = (who.name,) if not both else () if first is None else (first, who.name)
        with self._store.transaction():
            self._events.append(
                SAID,
                who=who.name,
                run=run,
                attempt=attempt,
                about=what,
                reason=reason,
                complete=bool(people),
            )
        return people

    def _first(self, run: str, what: str) -> str | None:
        """Whose first word on this stands."""
        row = self._store.row(
            "SELECT * FROM event WHERE run = ? AND what = ? ORDER BY id DESC LIMIT 1", (run, SAID)
        )
        if row is None or times.seconds_since(row["time"]) > WAITS:
            return None
        if row["who"] in FIRST_TOKENS:  # earlier versions took it for a person's
            return None
        said: dict[str, Any] = json.loads(row["payload"])
        return None if said["complete"] or said["about"] != what else str(row["who"])


def _require_person(who: Identity, run: str) -> None:
    if not who.is_person:
        raise ForbiddenError(
            f"two people are to say so, each by a name of their own; {who.name} may be anybody",
            code="clean.not_a_person",
            hint="have a token of your own made (arteriole token create NAME); with it in"
            f" ARTERIOLE_TOKEN: arteriole clean {run} --delete --reason TEXT",
        )
