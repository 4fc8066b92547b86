"""Arteria's API: each row is a behaviour of arteria-runfolder 1.5, and says where it stands there.

`handlers` and `services` are runfolder/handlers.py and services.py of that project. Where Arteria
fails (500 or a request that hangs) the row says what is answered instead.
"""

import json
import os
import re
import shutil
import socket
import threading

import pytest

from arteriole.app.application import VERSION
from arteriole.app.mode import Mode

KIT, LIBRARY = "AB1234567-123V1", "NV0012345-LIB"


class Arteria:
    """Arteria's calls, with bodies sent as its clients send them: without a content type."""

    def __init__(self, site):
        self.site = site
        self.monitored = site.directories[0]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        path = path.replace("MON", str(self.monitored))
        return self.site.serving.call(method, f"/api/1.0{path}", data=data)

    def create(self, name):
        path = self.monitored / name
        assert self.call("PUT", f"/runfolders/path{path}", "null").status_code == 201
        return path

    def ready(self, name):
        path = self.create(name)
        assert self.call("PUT", f"/runfolders/test/markasready/path{path}", "null").ok
        return path

    def listed(self, query=""):
        answer = self.call("GET", f"/runfolders{query}").json()["runfolders"]
        return [(entry["path"].rpartition("/")[2], entry["state"]) for entry in answer]


@pytest.fixture
def arteria(make_site):
    site = make_site(readiness="marker", can_create_runfolder=True, scan_interval=3600.0)
    site.start(scanned=False)
    arteria = Arteria(site)
    assert arteria.listed("?state=*") == []
    return arteria


@pytest.fixture
def three(arteria):
    """`new` has no marker, `done` a state, `ready` is ready."""
    arteria.create("new")
    path = arteria.ready("done")
    assert arteria.call("POST", f"/runfolders/path{path}", {"state": "done"}).ok
    arteria.ready("ready")
    return arteria


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        # handlers.ListAvailableRunfoldersHandler.get
        ("GET", "/runfolders", None, 200),
        ("GET", "/runfolders?state=*", None, 200),
        ("GET", "/runfolders?state=", None, 200),
        ("GET", "/runfolders?state=nope", None, 400),
        # handlers.RunfolderHandler.get, services._validate_is_being_monitored
        ("GET", "/runfolders/pathMON/ready", None, 200),
        ("GET", "/runfolders/pathMON/nope", None, 404),
        ("GET", "/runfolders/path/notmonitored/dir/", None, 400),
        ("GET", f"/runfolders/pathMON/{'a' * 255}", None, 404),
        ("GET", f"/runfolders/pathMON/{'a' * 256}", None, 400),
        ("PUT", f"/runfolders/pathMON/{'%C3%A9' * 128}", "null", 400),
        ("GET", "/runfolders/path/notmonitored/dir", None, 400),
        ("GET", "/runfolders/pathMON/ready/", None, 400),
        ("GET", "/runfolders/pathMON/ready/deeper", None, 400),
        ("GET", "/runfolders/pathMON", None, 400),
        ("GET", "/runfolders/pathMON/%2e%2e", None, 400),
        ("GET", "/runfolders/pathMON/a%00b", None, 400),
        # handlers.RunfolderHandler.post, services.set_runfolder_state
        ("POST", "/runfolders/pathMON/ready", {"state": "started"}, 200),
        ("POST", "/runfolders/pathMON/ready", {"state": "NOT-AVAILABLE"}, 400),
        ("POST", "/runfolders/pathMON/ready", {"state": "started", "more": 1}, 200),
        ("POST", "/runfolders/pathMON/nope", {"state": "started"}, 404),
        # there the request hangs (handlers: body_as_object)
        ("POST", "/runfolders/pathMON/ready", {}, 400),
        ("POST", "/runfolders/pathMON/ready", [], 400),
        # there any directory of the machine is written to (services.set_runfolder_state)
        ("POST", "/runfolders/path/tmp", {"state": "started"}, 400),
        # handlers.RunfolderHandler.put, services.create_runfolder
        ("PUT", "/runfolders/pathMON/fresh", "null", 201),
        ("PUT", "/runfolders/pathMON/fresh", None, 201),
        ("PUT", "/runfolders/pathMON/ready", "null", 400),
        ("PUT", "/runfolders/path/notmonitored/x", "null", 400),
        ("PUT", "/runfolders/pathMON/%2e%2e", "null", 400),
        # handlers.TestFakeSequencerReadyHandler.put, services.add_sequencing_finished_marker
        ("PUT", "/runfolders/test/markasready/pathMON/new", "null", 200),
        # there 500 (DirectoryDoesNotExist and CannotOverrideFile are not caught)
        ("PUT", "/runfolders/test/markasready/pathMON/nope", "null", 404),
        ("PUT", "/runfolders/test/markasready/pathMON/ready", "null", 400),
        # there any directory of the machine is written to
        ("PUT", "/runfolders/test/markasready/path/tmp", "null", 400),
        ("PUT", "/runfolders/test/markasready/pathMON/%2e%2e", "null", 400),
        # arteria.web.handlers: LogLevelHandler
        ("GET", "/admin/log_level", None, 200),
        ("PUT", "/admin/log_level", {"log_level": "WARNING"}, 200),
        ("PUT", "/admin/log_level", {"log_level": "nope"}, 400),
    ],
)
def test_statuses(three, method, path, body, status):
    before = set(three.monitored.parent.rglob("*Complete.txt"))
    answer = three.call(method, path, body)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.json()["error"]["message"]
        assert set(three.monitored.parent.rglob("*Complete.txt")) == before


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        # handlers: "By default, state=READY is assumed"
        ("", [("ready", "ready")]),
        ("?state=ready", [("ready", "ready")]),
        ("?state=done", [("done", "done")]),
        ("?state=started", []),
        # handlers: `*` is None, services.list_runfolders: a false state is none
        ("?state=*", [("done", "done"), ("new", "none"), ("ready", "ready")]),
        ("?state=", [("done", "done"), ("new", "none"), ("ready", "ready")]),
    ],
)
def test_the_listing(three, query, listed):
    assert sorted(three.listed(query)) == listed


def test_a_run_folder_as_json(three):
    """services.RunfolderInfo and handlers.append_runfolder_link."""
    path = three.monitored / "ready"
    answer = three.call("GET", f"/runfolders/path{path}")
    expected = {
        "host": socket.gethostname(),
        "path": str(path),
        "state": "ready",
        "service_version": VERSION,
        "metadata": {"reagent_kit_barcode": KIT, "library_tube_barcode": LIBRARY},
        "link": f"{three.site.serving.url}/api/1.0/runfolders/path{path}",
    }
    assert answer.json() == expected
    assert three.site.serving.get(expected["link"].removeprefix(three.site.serving.url)).ok
    assert three.call("GET", "/runfolders").json() == {"runfolders": [expected]}


def test_next_shows_and_pickup_takes(three):
    """handlers.NextAvailableRunfolderHandler, PickupAvailableRunfolderHandler."""
    for _ in range(2):
        shown = three.call("GET", "/runfolders/next")
        assert (shown.status_code, shown.json()["state"]) == (200, "ready")
    taken = three.call("GET", "/runfolders/pickup")
    assert taken.json() == shown.json() | {"state": "pending"}
    for path in ("next", "pickup"):
        answer = three.call("GET", f"/runfolders/{path}")
        assert (answer.status_code, answer.content) == (204, b"")
    assert three.listed("?state=pending") == [("ready", "pending")]


def test_a_state_set_is_answered_with_nothing_and_shown(three):
    """handlers.RunfolderHandler.post."""
    for state in ("started", "error", "cancelled", "pending", "done", "ready"):
        answer = three.call("POST", "/runfolders/pathMON/ready", {"state": state})
        assert (answer.status_code, answer.content) == (200, b"")
        assert three.call("GET", "/runfolders/pathMON/ready").json()["state"] == state
    three.call("POST", "/runfolders/pathMON/ready", {"state": "none"})
    assert three.call("GET", "/runfolders/pathMON/ready").json()["state"] == "ready"


def test_a_state_that_arteria_left_is_read_once(arteria):
    """services._get_runfolder_state_from_state_file."""
    for name, content in {"old": "done\n", "odd": "{{ x }}", "big": "x" * 10_000}.items():
        folder = arteria.monitored / name
        (folder / ".arteria").mkdir(parents=True)
        (folder / ".arteria" / "state").write_text(content)
        (folder / "RTAComplete.txt").touch()
    assert sorted(arteria.listed("?state=*")) == [
        ("big", "ready"), ("odd", "ready"), ("old", "done"),
    ]  # fmt: skip


def test_folders_that_break_arterias_listing_do_not_break_this_one(three):
    """services._enumerate_runfolders: one bad folder there is a 500 for all."""
    for name, content in {"bad": b"<RunParameters", "empty": b"", "latin": b"<a>\xe9</a>"}.items():
        (three.monitored / name).mkdir()
        (three.monitored / name / "runParameters.xml").write_bytes(content)
        (three.monitored / name / "RTAComplete.txt").touch()
    shutil.rmtree(three.site.directories[1])
    assert sorted(name for name, _ in three.listed()) == ["bad", "empty", "latin", "ready"]


def test_a_removed_folder_is_not_listed(three):
    shutil.rmtree(three.monitored / "ready")
    assert three.listed() == []
    assert three.call("GET", "/runfolders/pathMON/ready").status_code == 404


def test_making_folders_is_for_tests_only(make_site):
    """services._requires_enabled."""
    arteria = Arteria(make_site(readiness="marker").start(scanned=False))
    for path in ("/runfolders/pathMON/x", "/runfolders/test/markasready/pathMON/x"):
        answer = arteria.call("PUT", path, "null")
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "config.not_enabled"
    assert list(arteria.monitored.iterdir()) == []


def test_nothing_is_made_while_observing(make_site):
    site = make_site(mode=Mode.OBSERVE, readiness="marker", can_create_runfolder=True)
    arteria = Arteria(site.start(scanned=False))
    for path in ("/runfolders/pathMON/x", "/runfolders/test/markasready/pathMON/x"):
        answer = arteria.call("PUT", path, "null")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "config.not_enabled")
    assert list(arteria.monitored.iterdir()) == []


def test_held_and_dismissed_runs_are_told_in_arterias_states(three):
    three.site.act("hold", {"reason": "x"}, name="ready")
    assert three.listed() == [] and three.listed("?state=pending") == [("ready", "pending")]
    assert three.call("GET", "/runfolders/pickup").status_code == 204
    three.site.act("release", name="ready")
    assert three.listed() == [("ready", "ready")]
    three.site.act("abort", {"reason": "x"}, name="ready")
    assert three.listed("?state=cancelled") == [("ready", "cancelled")]
    assert three.call("GET", "/runfolders/pickup").status_code == 204
    answer = three.call("POST", "/runfolders/pathMON/ready", {"state": "started"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "run.aborted")
    three.site.act("adopt", name="ready")
    assert three.listed() == [("ready", "ready")]


def test_the_marker_is_believed_after_its_grace(make_site):
    """services._file_exists_and_is_older_than."""
    site = make_site(
        readiness="marker", can_create_runfolder=True, completed_marker_grace_minutes=60
    )
    arteria = Arteria(site.start(scanned=False))
    arteria.listed()
    path = arteria.ready("x")
    assert arteria.listed() == []
    os.utime(path / "RTAComplete.txt", (0, 0))
    assert arteria.listed() == [("x", "ready")]


def test_the_help(arteria):
    """arteria.web.handlers: ApiHelpHandler."""
    doc = arteria.site.serving.get("/api").json()["doc"]
    routes = {entry["route"]: set(entry["methods"]) for entry in doc}
    assert routes["/api/1.0/runfolders"] == {"get"}
    assert {"get", "post"} <= routes["/api/1.0/runfolders/path{path:rest}"]


def test_the_level_of_the_log(arteria):
    """arteria.web.handlers: LogLevelHandler."""
    for level in ("DEBUG", "WARNING"):
        answer = arteria.call("PUT", "/admin/log_level", {"log_level": level})
        assert answer.json() == {"log_level": level}
        assert arteria.call("GET", "/admin/log_level").json() == {"log_level": level}


def at_once(count, work):
    """What `count` threads return that begin together."""
    barrier, found = threading.Barrier(count), []

    def one():
        barrier.wait(60)
        found.append(work())

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == count
    return found


def test_eight_clients_that_pick_up_at_once_never_get_the_same_run(arteria):
    names = {f"run{n}" for n in range(24)}
    for name in names:
        (arteria.monitored / name).mkdir()
        (arteria.monitored / name / "RTAComplete.txt").touch()

    def take():
        taken = []
        while (answer := arteria.call("GET", "/runfolders/pickup")).status_code == 200:
            taken.append(re.sub(".*/", "", answer.json()["path"]))
        assert answer.status_code == 204
        return taken

    taken = [name for found in at_once(8, take) for name in found]
    assert len(taken) == len(set(taken))
    assert set(taken) == names
    told = [e["run"] for e in arteria.site.events() if e["what"] == "run_ready"]
    assert sorted(told) == sorted(names)


def test_eight_clients_that_find_new_folders_at_once_find_each_once(arteria):
    for n in range(10):
        (arteria.monitored / f"run{n}").mkdir()
    listings = at_once(8, lambda: arteria.call("GET", "/runfolders?state=*"))
    assert {answer.status_code for answer in listings} == {200}
    assert {len(answer.json()["runfolders"]) for answer in listings} == {10}
    assert len([e for e in arteria.site.events() if e["what"] == "run_seen"]) == 10


def test_eight_executions_that_claim_and_begin_at_once(make_site):
    site = make_site(readiness="marker").start()
    folder = site.directories[0] / "run"
    folder.mkdir()
    (folder / "RTAComplete.txt").touch()
    site.becomes("run", state="ready")
    numbers = iter(range(100))

    def claim():
        body = {"by": f"ex{next(numbers)}", "plan": {"stages": {"a": {}}}}
        return site.act("claim", body, name="run")["claimed"]

    assert sorted(at_once(8, claim)) == [False] * 7 + [True]

    def begin():
        return site.act("stages/a/1/begin", {"by": f"ex{next(numbers)}"}, name="run")["begun"]

    assert sorted(at_once(8, begin)) == [False] * 7 + [True]
