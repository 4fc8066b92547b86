"""The sensor follows every feed, dispatches, and then remembers where it was."""

import logging
import threading
from typing import Any

import pytest

RUN = "200624_A00834_0183_BHMTFYDRXX"
EVENTS = "/api/1.0/events"
BEAT = "/api/1.0/heartbeat"
DONE = {"what": "run_done", "run": RUN, "attempt": 1, "payload": {"attempt": 1}}
READY = {"what": "run_ready", "run": RUN, "stage": None, "attempt": None, "payload": {}}


class SensorService:
    """What the sensor container gives a sensor, with what happened in order."""

    def __init__(self) -> None:
        self.happened: list[tuple[Any, ...]] = []
        self.values: dict[str, str] = {}
        self.faults: dict[str, int] = {}
        self.changed = threading.Condition()

    def get_logger(self, name: str) -> logging.Logger:
        return logging.getLogger(name)

    def _record(self, what: str, *row: Any) -> None:
        with self.changed:
            if self.faults.get(what, 0) > 0:
                self.faults[what] -= 1
                raise RuntimeError(f"{what} is not possible now")
            self.happened.append((what, *row))
            self.changed.notify_all()

    def get_value(self, name: str) -> str | None:
        self._record("get", name)
        return self.values.get(name)

    def set_value(self, name: str, value: str) -> None:
        self._record("set", name, value)
        self.values[name] = value

    def dispatch(self, trigger: str, payload: Any = None, trace_tag: str | None = None) -> None:
        self._record("dispatch", trigger, payload, trace_tag)

    def of(self, what: str) -> list[tuple[Any, ...]]:
        return [row[1:] for row in self.happened if row[0] == what]

    def wait_for(self, what: str, count: int) -> list[tuple[Any, ...]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.of(what)) >= count, 10), self.happened
            return self.of(what)


class Feed:
    """Answers as a service's feed does: the events once, then nothing new."""

    def __init__(self, *events: dict[str, Any], epoch: str = "e") -> None:
        self.events = list(events)
        self.epoch = epoch
        self.more = threading.Event()

    def __call__(self, request):
        after = request.query.get("after", "")
        known = after.rpartition("-")[0] == self.epoch
        start = int(after.rpartition("-")[2]) if known else 0
        events = self.events[start:]
        if not events:
            self.more.wait(0.05)
        page = {"events": events, "next": f"{self.epoch}-{len(self.events)}", "reset": not known}
        return 200, page


@pytest.fixture
def module(load, monkeypatch):
    module = load("arteria/sensors/event_feed_sensor.py")
    monkeypatch.setattr(module, "HEARTBEAT", 0.02)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.02)
    return module


@pytest.fixture
def sensor(module, new_service):
    """Starts the sensor on services; gives (sensor service, services by name)."""
    running = []

    def start(feeds: dict[str, Any], known: SensorService | None = None, **config: Any):
        service = known or SensorService()
        services = {}
        for name, feed in feeds.items():
            services[name] = new_service()
            services[name].answers["GET", EVENTS] = feed
            services[name].answers["POST", BEAT] = (200, {})
        urls = {f"{name}_url": server.url for name, server in services.items()}
        instance = module.EventFeedSensor(service, {**urls, "token": "secret", **config})
        instance.setup()
        thread = threading.Thread(target=instance.run)
        thread.start()
        running.append((instance, thread))
        return instance, service, services

    yield start
    for instance, thread in running:
        instance.cleanup()
        for each in (thread, *instance.threads):
            each.join(10)
            assert not each.is_alive()


def test_events_become_triggers_and_then_the_cursor_is_kept(sensor):
    _, service, services = sensor({"runfolder": Feed(READY, {**READY, "what": "first_seen"}, DONE)})
    assert service.wait_for("set", 1) == [("cursor_runfolder", "e-3")]
    assert service.happened == [
        ("get", "cursor_runfolder"),
        ("dispatch", "arteria.run_ready", {"run": RUN}, RUN),
        ("dispatch", "arteria.run_done", {"run": RUN, "attempt": 1}, RUN),
        ("set", "cursor_runfolder", "e-3"),
    ]
    first = services["runfolder"].wait_for(EVENTS)[0]
    assert first.headers["authorization"] == "Bearer secret"
    assert (first.query["after"], first.query["wait"]) == ("none", "20")


def test_the_metadata_service_is_followed_too(sensor):
    event = {"what": "metadata_ready", "run": RUN, "attempt": 2, "payload": {"samples": "<% x %>"}}
    _, service, _ = sensor({"metadata": Feed(event)})
    (dispatched,) = service.wait_for("dispatch", 1)
    assert dispatched == ("arteria.metadata_ready", {"run": RUN, "attempt": 2}, RUN)
    service.wait_for("set", 1)
    assert service.values == {"cursor_metadata": "e-1"}


def test_it_goes_on_after_the_cursor_that_it_kept(sensor):
    known = SensorService()
    known.values["cursor_runfolder"] = "e-1"
    _, service, services = sensor({"runfolder": Feed(READY, DONE)}, known)
    assert service.wait_for("dispatch", 1)[0][0] == "arteria.run_done"
    assert services["runfolder"].wait_for(EVENTS)[0].query["after"] == "e-1"


def test_a_cursor_of_another_epoch_gets_a_replay(sensor, caplog):
    known = SensorService()
    known.values["cursor_runfolder"] = "old-7"
    with caplog.at_level("WARNING"):
        _, service, _ = sensor({"runfolder": Feed(READY)}, known)
        assert service.wait_for("set", 1) == [("cursor_runfolder", "e-1")]
    assert service.of("dispatch")
    assert "does not know our cursor" in caplog.text


def test_the_cursor_is_not_kept_before_the_dispatch_worked(sensor):
    known = SensorService()
    known.faults["dispatch"] = 2
    _, service, _ = sensor({"runfolder": Feed(READY)}, known)
    service.wait_for("set", 1)
    assert [row[0] for row in service.happened[1:]] == ["dispatch", "set"]


def test_a_cursor_that_could_not_be_kept_is_kept_later_without_a_second_dispatch(sensor):
    known = SensorService()
    known.faults["set"] = 2
    _, service, _ = sensor({"runfolder": Feed(READY)}, known)
    service.wait_for("set", 1)
    assert len(service.of("dispatch")) == 1


@pytest.mark.parametrize(("keep", "kept"), [(1e6, 0), (0.0, 1)])
def test_events_that_dispatch_nothing_move_the_kept_cursor_now_and_then(
    sensor, module, monkeypatch, keep, kept
):
    monkeypatch.setattr(module, "KEEP", keep)
    _, service, services = sensor({"runfolder": Feed({**READY, "what": "first_seen"})})
    services["runfolder"].wait_for(EVENTS, 5)
    assert len(service.of("set")) == kept


def test_a_service_that_is_down_does_not_keep_the_others(sensor, caplog):
    feeds = {"runfolder": Feed(READY), "checksum": lambda _: (500, "boom")}
    with caplog.at_level("WARNING"):
        _, service, services = sensor(feeds, transfer_url="http://127.0.0.1:9")
        service.wait_for("dispatch", 1)
        services["checksum"].wait_for(EVENTS, 4)
    assert caplog.text.count("checksum: cannot follow") == 1
    services["runfolder"].wait_for(BEAT, 2)


def test_a_service_that_comes_back_is_followed_again(sensor):
    feed, answers = Feed(READY), iter([(500, "boom"), (0, None), (200, "no json"), (200, {})])
    _, service, _ = sensor({"runfolder": lambda request: next(answers, None) or feed(request)})
    service.wait_for("dispatch", 1)


def test_the_heartbeat_stops_when_a_thread_is_gone(sensor):
    instance, _, services = sensor({"runfolder": Feed()})
    beat = services["runfolder"].wait_for(BEAT, 2)[0]
    assert beat.body == {"sensor": "arteria.EventFeedSensor"}
    assert instance.healthy()
    instance.threads.append(threading.Thread())
    assert not instance.healthy()
    instance.threads.pop()


def test_the_heartbeat_stops_when_a_dispatch_hangs(module, monkeypatch):
    instance = module.EventFeedSensor(SensorService(), {})
    monkeypatch.setattr(instance, "_dispatching", module.time.monotonic())
    assert instance.healthy()
    monkeypatch.setattr(module, "STUCK", -1)
    assert not instance.healthy()


JOB = {"service": "bcl2fastq", "job_id": 12, "state": "done", "code": ""}
FINISHED = {"what": "job_finished", "run": RUN, "stage": "convert", "attempt": 1, "payload": JOB}
STAGE_READY = {
    "what": "stage_ready",
    "run": RUN,
    "stage": "convert",
    "attempt": 1,
    "payload": {"try": 1},
}
ERROR = {"what": "run_error", "run": RUN, "payload": {"code": "convert.disk_full"}}


@pytest.mark.parametrize(
    ("service", "event", "expected"),
    [
        ("runfolder", READY, ("arteria.run_ready", {"run": RUN})),
        (
            "runfolder",
            STAGE_READY,
            ("arteria.stage_ready", {"run": RUN, "stage": "convert", "attempt": 1}),
        ),
        ("runfolder", DONE, ("arteria.run_done", {"run": RUN, "attempt": 1})),
        ("runfolder", ERROR, ("arteria.run_error", {"run": RUN, "code": "convert.disk_full"})),
        ("runfolder", FINISHED, None),
        ("checksum", READY, None),
        ("runfolder", {"what": "stage_begun", "run": RUN}, None),
        (
            "bcl2fastq",
            FINISHED,
            (
                "arteria.job_finished",
                {
                    "service": "bcl2fastq",
                    "job_id": "12",
                    "run": RUN,
                    "stage": "convert",
                    "attempt": 1,
                    "state": "done",
                },
            ),
        ),
    ],
)
def test_the_trigger_of_an_event(module, service, event, expected):
    assert module.trigger_of(service, event) == expected


@pytest.mark.parametrize(
    "event",
    [
        {**READY, "run": "<% st2kv('system.x') %>"},
        {**READY, "run": "{{ x }}"},
        {**READY, "run": ""},
        {**READY, "run": ["a"]},
        {**READY, "run": "a\n"},
        {**STAGE_READY, "stage": "a b"},
        {**STAGE_READY, "attempt": "1"},
        {**STAGE_READY, "attempt": None},
        {**ERROR, "payload": {"code": "{% x %}"}},
    ],
)
def test_what_could_be_evaluated_is_logged_and_goes_no_further(module, sensor, caplog, event):
    with pytest.raises(module.NotInertError):
        module.trigger_of("runfolder", event)
    with caplog.at_level("ERROR"):
        _, service, _ = sensor({"runfolder": Feed(event, DONE)})
        service.wait_for("set", 1)
    assert [row[0] for row in service.of("dispatch")] == ["arteria.run_done"]
    assert "not dispatched" in caplog.text


@pytest.mark.parametrize("event", [None, "text", 7, {"what": "run_ready", "payload": "x"}])
def test_an_event_that_is_none_goes_no_further(sensor, event):
    _, service, _ = sensor({"runfolder": Feed(event, DONE)})
    assert service.wait_for("dispatch", 1)[0][0] == "arteria.run_done"
