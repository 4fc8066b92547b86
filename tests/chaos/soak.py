"""A soak: a real st2solo under a steady load, looked at again and again from outside."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from tests.chaos import sampled, soak_pack, started
from tests.chaos.plan import Soak
from tests.chaos.sampled import Sample
from tests.solo import Solo, SoloError

#: So long may nothing at all happen at the end before the soak is given up.
_PATIENCE_SECONDS = 120.0
_LONGEST_PAUSE_SECONDS = 10.0
#: A soak is looked at so often at least.
_LOOKS = 6
#: What is over is kept for this part of the soak, but long enough to be seen.
_KEPT = 1 / 15
_SHORTEST_KEPT_SECONDS = 60.0
_DAY_SECONDS = 24 * 3600.0
#: Each look goes so far back behind the one before: a row may be older than its commit.
_OVERLAP = timedelta(seconds=5)
_ATTRIBUTES = (
    "id,status,action.ref,parent,rule.ref,trigger_instance.id,start_timestamp,end_timestamp"
)
_COMPLETED = ("succeeded", "failed", "timeout", "canceled", "abandoned")

#: A sensor, and its number of the event.
Event = tuple[int, int]


class SoakError(Exception):
    """The soak did not come to its end."""


@dataclass(frozen=True)
class Enforced:
    """A rule's answer to a trigger instance."""

    rule: str
    instance: str
    execution: str | None
    failure: str | None


@dataclass(frozen=True)
class Executed:
    """An execution that is over; a task has a `parent`, all others a rule and an instance."""

    action: str
    status: str
    parent: str | None
    rule: str | None
    instance: str | None
    ended: float


@dataclass
class Seen:
    """The tally, kept outside: rows by their identifiers, as the API showed them.

    Attributes:
        told: how often the sensors say that each event was taken.
        instances: the event of each trigger instance, and when it was sent.
        still_open: executions that were not over when they were last seen.
        left: what was not cleaned up: folders of executions, and processes.
    """

    told: Counter[Event] = field(default_factory=Counter)
    instances: dict[str, tuple[Event, float]] = field(default_factory=dict)
    enforcements: dict[str, Enforced] = field(default_factory=dict)
    executions: dict[str, Executed] = field(default_factory=dict)
    still_open: set[str] = field(default_factory=set)
    samples: list[Sample] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    began: float = 0.0
    kept_seconds: float = 0.0


class Soaking:
    """`run` makes everything below `folder`."""

    def __init__(self, folder: Path, soak: Soak) -> None:
        self._soak = soak
        self._solo = Solo(folder)
        self._told = folder / "told"
        self._work = self._solo.state / "work"
        self._since = self._open_since = datetime.now(UTC)
        seconds = soak.minutes * 60
        self._pause = min(_LONGEST_PAUSE_SECONDS, seconds / _LOOKS)
        self.seen = Seen(kept_seconds=max(_SHORTEST_KEPT_SECONDS, seconds * _KEPT))

    def run(self) -> Seen:
        """What was seen, when all that began has ended.

        Raises:
            SoakError: st2solo ended, refused something, or leaves something open for ever.
        """
        solo, days = self._solo, self.seen.kept_seconds / _DAY_SECONDS
        try:
            soak_pack.write(solo.packs, solo.folder / "configs", self._soak, self._told)
            solo.lay_out(keep={"executions_days": days, "trigger_instances_days": days})
            solo.start()
            self._look_on()
            (self._told / "stop").touch()
            self._wait_for_ends()
            solo.end()
            self.seen.left = [str(path) for path in self._work.iterdir()]
            self.seen.left += [f"process {pid}" for pid in started.supervisors(self._work)]
        except (SoloError, requests.RequestException, OSError) as err:
            raise SoakError(f"{err}\n{self._solo.log_end()}") from err
        finally:
            solo.kill()
            started.kill_all(self._work)
        return self.seen

    def _look_on(self) -> None:
        self.seen.began = time.time()
        begun = time.monotonic()
        due = begun
        while due < begun + self._soak.minutes * 60:
            due += self._pause
            time.sleep(max(0.0, due - time.monotonic()))
            self._look()
            process = self._solo.process
            assert process is not None
            seconds, rows = time.monotonic() - begun, self._rows()
            self.seen.samples.append(sampled.take(seconds, process.pid, self._solo.store, rows))

    def _rows(self) -> int:
        lists = ("executions", "triggerinstances")
        answers = [self._solo.call("GET", name, params={"limit": 1}) for name in lists]
        return sum(int(answer.headers["X-Total-Count"]) for answer in answers)

    def _wait_for_ends(self) -> None:
        """Until nothing is open, or for as long as rows come; the verdict tells what is missing."""
        last, since = -1, time.monotonic()
        while True:
            quiet = self._have_stopped() and not self._pending()
            self._look()
            if quiet and not self.seen.still_open:
                return
            known = len(self.seen.instances) + len(self.seen.executions)
            if known != last:
                last, since = known, time.monotonic()
            elif time.monotonic() - since > _PATIENCE_SECONDS:
                return
            time.sleep(min(1.0, self._pause))

    def _have_stopped(self) -> bool:
        return all((self._told / f"stopped.{n}").exists() for n in range(self._soak.sensors))

    def _pending(self) -> bool:
        """Whether there are trigger instances that the rules have not been applied to."""
        query = {"status": "pending", "limit": 1}
        answer = self._solo.call("GET", "triggerinstances", params=query)
        return answer.headers["X-Total-Count"] != "0"

    # the tally

    def _look(self) -> None:
        """Add what has come since the last look to the tally."""
        seen, asked = self.seen, datetime.now(UTC)
        for one in self._list("triggerinstances", timestamp_gt=_text(self._since)):
            if one["trigger"].startswith("soak."):
                payload = one["payload"]
                seen.instances[one["id"]] = (
                    (payload["sensor"], payload["number"]),
                    payload["sent"],
                )
        for one in self._list("ruleenforcements", enforced_at_gt=_text(self._since)):
            seen.enforcements[one["id"]] = Enforced(
                one["rule"]["ref"],
                one["trigger_instance_id"],
                one.get("execution_id"),
                one.get("failure_reason"),
            )
        self._look_at_executions(asked)
        seen.told = self._read_told()
        self._since = asked - _OVERLAP

    def _look_at_executions(self, asked: datetime) -> None:
        """Those that began since the last look, or since the oldest that was open then."""
        seen, oldest = self.seen, asked
        seen.still_open.clear()
        query = {"timestamp_gt": _text(self._open_since), "include_attributes": _ATTRIBUTES}
        for one in self._list("executions", **query):
            if one["status"] in _COMPLETED:
                seen.executions[one["id"]] = Executed(
                    action=one["action"]["ref"],
                    status=one["status"],
                    parent=one.get("parent"),
                    rule=one.get("rule", {}).get("ref"),
                    instance=one.get("trigger_instance", {}).get("id"),
                    ended=datetime.fromisoformat(one["end_timestamp"]).timestamp(),
                )
            else:
                seen.still_open.add(one["id"])
                oldest = min(oldest, datetime.fromisoformat(one["start_timestamp"]))
        self._open_since = oldest - _OVERLAP

    def _list(self, name: str, **query: str) -> Iterator[dict[str, Any]]:
        yield from self._solo.call("GET", name, params={"limit": "-1", **query}).json()

    def _read_told(self) -> Counter[Event]:
        found: Counter[Event] = Counter()
        for sensor in range(self._soak.sensors):
            path = self._told / f"told.{sensor}"
            if path.exists():
                found.update((sensor, int(line)) for line in path.read_text().splitlines())
        return found


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
