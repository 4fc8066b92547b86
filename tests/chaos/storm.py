"""A storm: many workflows on a real st2solo, which is killed again and again."""

import json
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import requests

from tests.chaos import pack, started
from tests.chaos.plan import Kill, Kind, Plan
from tests.solo import Solo, SoloError

#: So long may nothing at all happen before the storm is given up.
_PATIENCE_SECONDS = 120.0
_PAGE = 500
_POLL_SECONDS = 0.005
#: So many workflows are asked for at the same time.
_AT_ONCE = 4
_COMPLETED = ("succeeded", "failed", "timeout", "canceled", "abandoned")


class StormError(Exception):
    """The storm did not come to its end."""


@dataclass
class Seen:
    """What is there when the storm is over.

    Attributes:
        executions: as the API shows them, oldest first.
        lines: those of the actions, as they were written.
        accepted: the execution that st2solo named for each workflow, where it answered.
        cut_off: workflows whose request was not answered, because of a kill.
        in_flight: how many actions ran at the kills, by kind.
        killed: the executions whose actions were killed.
        left: what was not cleaned up: folders of executions, and processes.
    """

    executions: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    accepted: dict[str, str] = field(default_factory=dict)
    cut_off: set[str] = field(default_factory=set)
    kills: Counter[Kind] = field(default_factory=Counter)
    in_flight: Counter[Kind] = field(default_factory=Counter)
    killed: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Storm:
    """`run` makes everything below `folder`."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.seen = Seen()
        self._solo = Solo(folder)
        self._work = self._solo.state / "work"
        self._lines = _Lines(folder / "lines")
        self._waiting = deque(plan.workflows)
        self._posting = [Thread(target=self._post_all, daemon=True) for _ in range(_AT_ONCE)]
        self._over = Event()
        self._fault: Exception | None = None

    def run(self) -> Seen:
        """What is there when every workflow has ended.

        Raises:
            StormError: some never end, or st2solo refuses something.
        """
        begun = time.monotonic()
        try:
            pack.write(self._solo.packs / "storm", self._lines.path)
            self._solo.lay_out()
            self._solo.start()
            for thread in self._posting:
                thread.start()
            for kill in self.plan.kills:
                self._wait_for_lines(kill.lines)
                self._strike(kill)
            self._wait_for_ends()
            self.seen.seconds = time.monotonic() - begun
            self._look()
        except (SoloError, OSError) as err:
            raise StormError(str(err)) from err
        finally:
            self._over.set()
            self._solo.kill()
            started.kill_all(self._work)
        return self.seen

    # asking for workflows, in threads of their own

    def _post_all(self) -> None:
        try:
            while self._waiting:
                self._post(*self._waiting.popleft())
        except IndexError:
            pass  # another thread took the last one
        except Exception as err:  # of a thread nobody would hear
            if not self._over.is_set():
                self._fault = err

    def _post(self, name: str, shape: str) -> None:
        """Ask for a workflow until it is there; one whose answer was lost is looked for first."""
        body = {"action": pack.ref(shape), "parameters": {"workflow": name}}
        asked = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        while not self._over.is_set():
            self._solo.up.wait()
            try:
                if not (name in self.seen.cut_off and self._is_there(name, asked)):
                    answer = self._solo.call("POST", "executions", json=body)
                    self.seen.accepted[name] = answer.json()["id"]
            except requests.RequestException:
                self.seen.cut_off.add(name)
            else:
                return

    def _is_there(self, name: str, asked: str) -> bool:
        query = {"parent": "null", "timestamp_gt": asked, "limit": -1}
        found = self._solo.call("GET", "executions", params=query).json()
        return any(one["parameters"].get("workflow") == name for one in found)

    # killing

    def _wait_for_lines(self, wanted: int) -> None:
        self._wait(f"{wanted} lines", self._lines.count, lambda: self._lines.count() >= wanted)

    def _wait(self, what: str, progress: Any, reached: Any, pause: float = _POLL_SECONDS) -> None:
        """Wait as long as `progress` changes."""
        last, since = progress(), time.monotonic()
        while not reached():
            self._check(what)
            if (now := progress()) != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > _PATIENCE_SECONDS:
                raise StormError(f"nothing moves, waiting for {what}; there are {last}")
            time.sleep(pause)

    def _check(self, what: str) -> None:
        process = self._solo.process
        if self._fault is not None:
            raise StormError(f"a workflow was refused: {self._fault}") from self._fault
        if process is None or process.poll() is not None:
            raise StormError(
                f"st2solo ended by itself, waiting for {what}:\n{self._solo.log_end()}"
            )

    def _strike(self, kill: Kill) -> None:
        self._solo.kill()
        self.seen.kills[kill.kind] += 1
        if kill.kind is Kind.ALL:
            running = started.kill_all(self._work)
            self.seen.killed |= running
        else:
            running = set(started.supervisors(self._work).values())
        self.seen.in_flight[kill.kind] += len(running)
        if kill.kind is Kind.TWICE:
            self._kill_in_recovery(kill.steps)
        self._solo.start()

    def _kill_in_recovery(self, steps: int) -> None:
        """Start st2solo and kill it when its store has changed so often, or when it serves."""
        log = self._solo.store.with_name(self._solo.store.name + "-wal")
        process = self._solo.begin()
        changes, last = 0, _stamp(log)
        while changes < steps and not self._solo.has_begun and process.poll() is None:
            if (now := _stamp(log)) != last:
                changes, last = changes + 1, now
        self._solo.kill()

    # the end

    def _ended(self) -> int:
        """How many workflows are over."""
        query = {"parent": "null", "limit": 1}
        return sum(self._total({**query, "status": status}) for status in _COMPLETED)

    def _total(self, query: dict[str, Any]) -> int:
        answer = self._solo.call("GET", "executions", params=query)
        return int(answer.headers["X-Total-Count"])

    def _is_over(self) -> bool:
        """Every workflow was asked for and has ended, and then the rule has told of each end.

        NB: the rules follow an end in a transaction of their own.
        """
        asked = not any(thread.is_alive() for thread in self._posting)
        return asked and self._all_ended() and not self._pending() and self._all_ended()

    def _all_ended(self) -> bool:
        return self._ended() == self._total({"parent": "null", "limit": 1})

    def _pending(self) -> int:
        """How many trigger instances the rules have not been applied to."""
        query = {"status": "pending", "limit": 1}
        return int(
            self._solo.call("GET", "triggerinstances", params=query).headers["X-Total-Count"]
        )

    def _wait_for_ends(self) -> None:
        self._wait(
            f"{len(self.plan.workflows)} workflows to end",
            lambda: (self._lines.count(), f"{self._ended()} executions that are over"),
            self._is_over,
            0.3,
        )

    def _look(self) -> None:
        seen = self.seen
        total = self._total({"limit": 1})
        while len(seen.executions) < total:
            page = {"limit": _PAGE, "offset": len(seen.executions), "sort_asc": "true"}
            seen.executions += self._solo.call("GET", "executions", params=page).json()
        self._solo.end()
        seen.lines = self._lines.path.read_text().splitlines()
        seen.left = [str(path) for path in self._work.iterdir()]
        seen.left += [f"process {pid}" for pid in started.supervisors(self._work)]
        (self._solo.folder / "executions.json").write_text(json.dumps(seen.executions, indent=1))


class _Lines:
    """A file to which lines are appended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read, self._found = 0, 0

    def count(self) -> int:
        if self.path.stat().st_size > self._read:
            with self.path.open("rb") as file:
                file.seek(self._read)
                block = file.read()
            self._read += len(block)
            self._found += block.count(b"\n")
        return self._found


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
