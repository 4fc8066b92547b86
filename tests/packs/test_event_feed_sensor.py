"""The sensor follows every feed, dispatches, and then remembers where it was."""

import json
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_until
from tests.packs.conftest import PACKS, SHIMS

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
            assert self.changed.wait_for(lambda: len(self.of(what)) >= count, 120), self.happened
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
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.02)
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
            each.join(120)
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


@pytest.mark.parametrize("status", [401, 403, 302, 404, 503])
def test_whatever_a_service_says_meanwhile_it_is_followed_again(sensor, status):
    """A token that was changed, say, on one side before the other."""
    feed, answers = Feed(READY), iter([(status, {"error": {"code": "auth.token"}})] * 3)
    _, service, services = sensor(
        {"runfolder": lambda request: next(answers, None) or feed(request)}
    )
    service.wait_for("dispatch", 1)
    services["runfolder"].wait_for(BEAT, 2)


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "null",
        "7",
        "[]",
        "\x00\x01\x02",
        "[" * 100_000,
        '{"events": null, "next": "e-1"}',
        '{"events": {}, "next": "e-1"}',
        '{"events": "x", "next": "e-1"}',
        '{"events": [], "next": 7}',
        '{"events": [], "next": ""}',
        '{"next": "e-1"}',
        '{"events": [], "next": "x-9"}' + " " * 5000,
    ],
)
def test_garbage_moves_nothing(sensor, module, monkeypatch, garbage):
    monkeypatch.setattr(module, "LARGEST_ANSWER", 4000)
    feed, answers = Feed(READY, DONE), iter([(200, garbage)] * 2)
    _, service, services = sensor(
        {"runfolder": lambda request: next(answers, None) or feed(request)}
    )
    service.wait_for("set", 1)
    assert len(service.of("dispatch")) == 2
    asked = services["runfolder"].wait_for(EVENTS, 3)
    assert [request.query["after"] for request in asked[:3]] == ["none"] * 3


@pytest.fixture
def slow_feed() -> Iterator[Any]:
    """A feed whose first two answers do not end: one says nothing, one drips."""
    asked = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            page = json.dumps({"events": [FINISHED], "next": "e-1", "reset": False}).encode()
            self.send_response(200)
            if len(asked) > 2:
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)
                over.wait(0.05)
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.close_connection = True
            try:
                while not over.wait(0.02):
                    if len(asked) == 2:
                        self.wfile.write(b"1\r\n \r\n")
                        self.wfile.flush()
            except OSError:
                return

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_that_does_not_end_is_given_up(sensor, module, monkeypatch, slow_feed):
    monkeypatch.setattr(module, "TIMEOUT", (1, 0.2))
    monkeypatch.setattr(module, "LONGEST_ANSWER", 0.3)
    _, service, services = sensor({"runfolder": Feed(DONE)}, checksum_url=slow_feed)
    assert service.wait_for("set", 2)
    services["runfolder"].wait_for(BEAT, 2)
    assert service.values == {"cursor_runfolder": "e-1", "cursor_checksum": "e-1"}


def test_what_was_taken_is_not_dispatched_again_when_a_later_one_is_refused(sensor):
    events = [{**event, "id": f"e-{n}"} for n, event in enumerate((READY, DONE, ERROR), start=1)]
    known = SensorService()
    taken = []

    def refuse_the_last(trigger: str, **_: Any) -> None:
        taken.append(trigger)
        if trigger == "arteria.run_error" and taken.count(trigger) < 4:
            raise RuntimeError("no such trigger, yet")

    known.dispatch = refuse_the_last  # type: ignore[method-assign]
    _, service, services = sensor({"runfolder": Feed(*events)}, known)
    service.wait_for("set", 1)
    assert taken == ["arteria.run_ready", "arteria.run_done", *["arteria.run_error"] * 4]
    asked = services["runfolder"].wait_for(EVENTS, 4)
    assert [request.query["after"] for request in asked[:4]] == ["none", *["e-2"] * 3]
    assert service.of("set")[-1] == ("cursor_runfolder", "e-3")


PROCESS = """
import json, os, sys, importlib.util
sys.path.insert(0, sys.argv[1])
spec = importlib.util.spec_from_file_location("sensor", sys.argv[2])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
folder = sys.argv[3]

class Service:
    def get_logger(self, name):
        import logging
        return logging.getLogger(name)
    def get_value(self, name):
        try:
            return open(folder + "/" + name).read() or None
        except FileNotFoundError:
            return None
    def set_value(self, name, value):
        with open(folder + "/new", "w") as file:
            file.write(value)
        os.replace(folder + "/new", folder + "/" + name)
    def dispatch(self, trigger, payload=None, trace_tag=None):
        with open(folder + "/dispatched", "a") as file:
            file.write(json.dumps(payload) + "\\n")
        print(payload["run"], flush=True)

sensor = module.EventFeedSensor(Service(), {"runfolder_url": sys.argv[4]})
sensor.setup()
sensor.run()
"""


def test_a_sensor_that_is_killed_again_and_again_loses_nothing(new_service, tmp_path):
    feed = Feed()
    runs = [f"run-{number}" for number in range(6)]
    service = new_service()
    service.answers["GET", EVENTS] = feed
    file = str(PACKS / "arteria/sensors/event_feed_sensor.py")
    for start in (0, 2, 4):
        feed.events += [
            {**READY, "run": run, "id": f"e-{number}"}
            for number, run in enumerate(runs[start : start + 2], start=start + 1)
        ]
        with subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(SHIMS), file, str(tmp_path), service.url],
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            last = runs[start + 1].encode() + b"\n"
            assert last in iter(process.stdout.readline, b"")
            process.send_signal(signal.SIGKILL)  # before the cursor is kept, or after
    lines = (tmp_path / "dispatched").read_text().splitlines()
    dispatched = [json.loads(line)["run"] for line in lines]
    assert list(dict.fromkeys(dispatched)) == runs
    kept = Path(tmp_path, "cursor_runfolder")
    assert not kept.exists() or kept.read_text() in {f"e-{n}" for n in range(7)}


def test_the_heartbeat_stops_while_nothing_is_taken_or_a_request_does_not_end(
    sensor, module, monkeypatch
):
    known = SensorService()
    known.faults["dispatch"] = 10**6
    instance, service, _ = sensor({"runfolder": Feed(READY)}, known)
    monkeypatch.setattr(module, "STUCK", 0.0)
    (feed,) = instance.feeds
    wait_until("it is no more well", lambda: not instance.healthy())
    known.faults["dispatch"] = 0
    service.wait_for("set", 1)
    assert instance.healthy()
    monkeypatch.setattr(feed, "_asked", module.time.monotonic() - module.HANGS - 1)
    assert feed.hangs(module.time.monotonic())


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
        ("runfolder", {**READY, "what": "run_started"}, ("arteria.run_started", {"run": RUN})),
        ("runfolder", {**READY, "what": "indexes_read"}, ("arteria.indexes_read", {"run": RUN})),
        ("runfolder", {**READY, "what": "run_copied"}, ("arteria.run_copied", {"run": RUN})),
        *(
            (
                "runfolder",
                {**READY, "what": what, "payload": {"code": "run.x", "message": "<% x %>"}},
                (f"arteria.{what}", {"run": RUN, "code": "run.x"}),
            )
            for what in ("run_failed", "run_stuck", "run_unreachable")
        ),
        (
            "runfolder",
            {"what": "disk_pressure", "payload": {"volume": "state_dir", "code": "disk.early"}},
            ("arteria.disk_pressure", {"volume": "state_dir", "code": "disk.early"}),
        ),
        (
            "runfolder",
            {"what": "disk_eased", "run": None, "payload": {"volume": "state_dir"}},
            ("arteria.disk_eased", {"volume": "state_dir"}),
        ),
        # its own silence is not the sensor's to tell
        ("runfolder", {"what": "sensor_silent", "payload": {"code": "sensor.silent"}}, None),
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
