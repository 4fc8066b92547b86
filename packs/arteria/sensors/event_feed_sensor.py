"""Follows the events of every service and dispatches the triggers of the pack."""

import json
import re
import threading
import time
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Tuple

import requests
from st2reactor.sensor.base import Sensor

JOB_SERVICES = ("bcl2fastq", "checksum", "transfer", "archive", "wes")
SERVICES = ("runfolder", *JOB_SERVICES, "metadata")

#: Seconds for which a service holds a request back when it has no news.
WAIT = 20
#: Events asked for at once.
LIMIT = 200
#: Seconds between two signs of life, and after which the trouble of a service is logged again.
HEARTBEAT = 10.0
REMIND = 300.0
#: Seconds after which a dispatch hangs, or has failed for too long to be called alive.
STUCK = 60.0
#: Seconds to connect, and in which something of an answer must come.
TIMEOUT = (5, WAIT + 20)
#: Seconds that one answer may take from its beginning to its end, and its largest size in bytes.
LONGEST_ANSWER = WAIT + 40.0
LARGEST_ANSWER = 16 * 2**20
#: Seconds after which a feed hangs that has not ended a request.
HANGS = 3 * LONGEST_ANSWER
#: First and longest pause before a service that does not answer is asked again, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
#: A cursor behind events that dispatched nothing is kept this often (seconds): each time costs
#: StackStorm two trigger instances, and to read such events again costs nothing.
KEEP = 60.0
#: No service knows this cursor: it answers with what is still open, not with all of its history.
NO_CURSOR = "none"

#: What becomes a trigger: (service or a job's, what) -> the trigger and its payload's names.
TRIGGERS = {
    ("runfolder", "run_started"): ("arteria.run_started", ("run",)),
    ("runfolder", "indexes_read"): ("arteria.indexes_read", ("run",)),
    ("runfolder", "run_copied"): ("arteria.run_copied", ("run",)),
    ("runfolder", "run_ready"): ("arteria.run_ready", ("run",)),
    ("runfolder", "run_failed"): ("arteria.run_failed", ("run", "code")),
    ("runfolder", "run_stuck"): ("arteria.run_stuck", ("run", "code")),
    ("runfolder", "run_unreachable"): ("arteria.run_unreachable", ("run", "code")),
    ("runfolder", "disk_pressure"): ("arteria.disk_pressure", ("volume", "code")),
    ("runfolder", "disk_eased"): ("arteria.disk_eased", ("volume",)),
    ("runfolder", "stage_ready"): ("arteria.stage_ready", ("run", "stage", "attempt")),
    ("runfolder", "run_done"): ("arteria.run_done", ("run", "attempt")),
    ("runfolder", "run_error"): ("arteria.run_error", ("run", "code")),
    ("metadata", "metadata_ready"): ("arteria.metadata_ready", ("run", "attempt")),
    ("job", "job_finished"): (
        "arteria.job_finished",
        ("service", "job_id", "run", "stage", "attempt", "state", "code"),
    ),
}
#: May be empty: a job that succeeded has no code.
OPTIONAL = ("code",)
NUMBERS = ("attempt",)
_IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", re.ASCII)


class TroubleError(ValueError):
    """A service's answer cannot be used."""


class NotInertError(ValueError):
    """An event holds something that rules or workflows might evaluate."""


def trigger_of(service: str, event: Dict[str, Any]) -> Optional[Tuple[str, Dict[str, Any]]]:
    """The trigger that `event` of `service` becomes, and its payload; None if it becomes none.

    NB: the payload holds identifiers and numbers only, since rules and workflows evaluate text.

    Raises:
        NotInertError: one of the values is neither an identifier nor a number.
    """
    kind = "job" if service in JOB_SERVICES else service
    found = TRIGGERS.get((kind, str(event.get("what"))))
    if found is None:
        return None
    trigger, names = found
    values = dict(event.get("payload") or {}, service=service)
    values.update({name: event[name] for name in ("run", "stage", "attempt") if event.get(name)})
    payload = {}
    for name in names:
        value = values.get(name)
        if value in (None, "") and name in OPTIONAL:
            continue
        if name in NUMBERS:
            if isinstance(value, bool) or not isinstance(value, int):
                raise NotInertError("%s: expected a number" % name)
        else:
            value = str(value) if type(value) is int else value
            if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
                raise NotInertError("%s: expected an identifier" % name)
        payload[name] = value
    return trigger, payload


class Feed:
    """Follows one service for as long as `stop` is not set."""

    def __init__(self, sensor: "EventFeedSensor", service: str, url: str) -> None:
        self.service = service
        self._sensor = sensor
        self._url = url + "/api/1.0/events"
        self._key = "cursor_" + service
        self._log = sensor.logger
        self._session = sensor.session()
        self._cursor: Optional[str] = None
        self._stored: Optional[str] = None
        self._kept = time.monotonic()
        self._owed = False  # something was dispatched since the cursor was kept
        self._asked: Optional[float] = None  # since when a request is under way
        self._refused: Optional[float] = None  # since when no dispatch has worked
        self._trouble = ""
        self._told = 0.0

    def follow(self) -> None:
        """Runs as the feed's thread; whatever goes wrong, it goes on after a pause."""
        pause = FIRST_PAUSE
        while not self._sensor.stopping.is_set():
            try:
                self.step()
            except Exception as error:
                self._tell(error)
                self._sensor.stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self._recovered()
                pause = FIRST_PAUSE

    def step(self) -> None:
        """Ask once; dispatch what came, and only then remember that it came."""
        if self._cursor is None:
            self._cursor = self._stored = self._sensor.load(self._key) or NO_CURSOR
        page = self._ask({"after": self._cursor, "wait": WAIT, "limit": LIMIT})
        events, cursor = page.get("events"), page.get("next")
        if not isinstance(events, list) or not isinstance(cursor, str) or not cursor:
            raise TroubleError("expected a list of events, and a cursor as next")
        if page.get("reset") and self._cursor != NO_CURSOR:
            self._log.warning("%s does not know our cursor; it replays open runs", self.service)
        if self._sensor.stopping.is_set():
            return
        self._dispatch(events)
        self._cursor = cursor
        now = time.monotonic()
        if self._stored != cursor and (self._owed or now - self._kept >= KEEP):
            self._sensor.store(self._key, cursor)
            self._stored, self._kept, self._owed = cursor, now, False

    def _ask(self, query: Dict[str, Any]) -> Dict[str, Any]:
        """One page; an answer that is too large or too slow is given up."""
        self._asked = time.monotonic()
        try:
            with self._session.get(self._url, params=query, timeout=TIMEOUT, stream=True) as answer:
                answer.raise_for_status()
                text = b""
                for part in answer.iter_content(2**13):
                    text += part
                    if len(text) > LARGEST_ANSWER:
                        raise TroubleError("the answer is larger than %d bytes" % LARGEST_ANSWER)
                    if time.monotonic() - self._asked > LONGEST_ANSWER:
                        raise TroubleError("the answer takes more than %d s" % LONGEST_ANSWER)
            page = json.loads(text)
        finally:
            self._asked = None
        if not isinstance(page, dict):
            raise TroubleError("expected an object")
        return page

    def hangs(self, now: float) -> bool:
        """True if a request does not end, or if the orchestrator has taken nothing for long."""
        asked, refused = self._asked, self._refused
        return (asked is not None and now - asked > HANGS) or (
            refused is not None and now - refused > STUCK
        )

    def _dispatch(self, events: List[Dict[str, Any]]) -> None:
        """Dispatch those of `events` that are worth a trigger.

        NB: what is dispatched is not read again when a later one is refused; else each retry would
        dispatch all that came before it.
        """
        for event in events:
            try:
                found = trigger_of(self.service, event)
            except Exception as error:
                self._log.error("%s: not dispatched: %s in %.2000r", self.service, error, event)
                continue
            if found is not None:
                self._send(*found)
                self._owed = True
                if isinstance(event.get("id"), str) and event["id"]:
                    self._cursor = event["id"]

    def _send(self, trigger: str, payload: Dict[str, Any]) -> None:
        try:
            self._sensor.dispatch(trigger, payload)
        except Exception:
            self._refused = self._refused or time.monotonic()
            raise
        self._refused = None

    def _tell(self, error: Exception) -> None:
        trouble, now = type(error).__name__, time.monotonic()
        if trouble == self._trouble and now - self._told < REMIND:
            return
        self._log.warning("%s: cannot follow its events: %.500r", self.service, error)
        self._trouble, self._told = trouble, now

    def _recovered(self) -> None:
        if self._trouble:
            self._log.info("%s: its events are followed again", self.service)
            self._trouble = ""


class EventFeedSensor(Sensor):
    """A thread a service, and a heartbeat to the runfolder service while all of them live."""

    def __init__(self, sensor_service: Any, config: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(sensor_service=sensor_service, config=config)
        self.logger = sensor_service.get_logger(name=type(self).__name__)
        self.stopping = threading.Event()
        self.threads: List[threading.Thread] = []
        self.feeds: List[Feed] = []
        self._lock = threading.Lock()
        self._dispatching: Optional[float] = None
        self._silent = False

    def session(self) -> requests.Session:
        """An HTTP session with the pack's token."""
        session = requests.Session()
        token = self.config.get("token")

        def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
            if token:
                request.headers["Authorization"] = "Bearer " + token
            return request

        session.auth = authorize
        return session

    def url(self, service: str) -> str:
        return str(self.config.get(service + "_url") or "").rstrip("/")

    @contextmanager
    def _orchestrator(self) -> Iterator[None]:
        """One thread at a time, since the sensor service is not made for several."""
        with self._lock:
            self._dispatching = time.monotonic()
            try:
                yield
            finally:
                self._dispatching = None

    def load(self, key: str) -> Optional[str]:
        with self._orchestrator():
            return self.sensor_service.get_value(key)

    def store(self, key: str, value: str) -> None:
        with self._orchestrator():
            self.sensor_service.set_value(key, value)

    def dispatch(self, trigger: str, payload: Dict[str, Any]) -> None:
        with self._orchestrator():
            tag = payload.get("run") or payload["volume"]
            self.sensor_service.dispatch(trigger=trigger, payload=payload, trace_tag=tag)

    def setup(self) -> None:
        """Nothing that could fail: what is needed is made in `run`."""

    def run(self) -> None:
        self.feeds = [Feed(self, name, self.url(name)) for name in SERVICES if self.url(name)]
        self.threads = [
            threading.Thread(target=feed.follow, name="feed-" + feed.service, daemon=True)
            for feed in self.feeds
        ]
        for thread in self.threads:
            thread.start()
        session = self.session()
        while not self.stopping.is_set():
            try:
                self.heartbeat(session)
            except Exception as error:
                if not self._silent:
                    self.logger.warning("the heartbeat does not arrive: %.500r", error)
                self._silent = True
            self.stopping.wait(HEARTBEAT)

    def heartbeat(self, session: requests.Session) -> None:
        """Tell the runfolder service that every feed is followed; silence is an alarm there."""
        if not self.url("runfolder") or not self.healthy():
            return
        answer = session.post(
            self.url("runfolder") + "/api/1.0/heartbeat",
            json={"sensor": "arteria.EventFeedSensor"},
            timeout=(5, 10),
        )
        answer.raise_for_status()
        self._silent = False

    def healthy(self) -> bool:
        """True if every feed has its thread, none hangs, and what they bring is taken."""
        now, since = time.monotonic(), self._dispatching
        hangs = since is not None and now - since > STUCK
        hangs = hangs or any(feed.hangs(now) for feed in self.feeds)
        return not hangs and all(thread.is_alive() for thread in self.threads)

    def cleanup(self) -> None:
        """Let the threads end; none of them is in the middle of a dispatch afterwards."""
        self.stopping.set()
        if self._lock.acquire(timeout=5):
            self._lock.release()

    def add_trigger(self, trigger: Dict[str, Any]) -> None:
        """Every trigger is always followed."""

    def update_trigger(self, trigger: Dict[str, Any]) -> None:
        """Every trigger is always followed."""

    def remove_trigger(self, trigger: Dict[str, Any]) -> None:
        """Every trigger is always followed."""
