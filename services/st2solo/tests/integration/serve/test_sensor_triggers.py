"""Sensors of trigger types with parameters: rules say what they look after."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

_RULE = {"pack": "watch", "enabled": True, "action": {"ref": "core.noop"}}
_FILES = {
    "st2solo.yaml": "packs: [packs]\nstate: state\nports: {auth: 0, api: 0, stream: 0}\n",
    "packs/watch/pack.yaml": (
        "name: watch\ndescription: d\nversion: 0.1.0\nauthor: a\nemail: a@example.org\n"
    ),
    "packs/watch/triggers/told.yaml": "name: told\n",
    "packs/watch/rules/first.yaml": (
        "name: first\nenabled: false\naction: {ref: core.noop}\n"
        "trigger: {type: watch.line, parameters: {path: /first}}\n"
    ),
    "packs/watch/sensors/runs.yaml": (
        "class_name: Runs\nentry_point: watch.py\ntrigger_types:\n- name: line\n"
        "  parameters_schema:\n    type: object\n    properties:\n"
        "      path: {type: string, required: true}\n      more: {type: string}\n"
    ),
    "packs/watch/sensors/polls.yaml": (
        "class_name: Polls\nentry_point: watch.py\npoll_interval: 60\ntrigger_types:\n"
        "- name: page\n  parameters_schema: {type: object, properties: {path: {type: string}}}\n"
    ),
    "packs/watch/sensors/watch.py": (
        "import os, time\nfrom st2reactor.sensor.base import PollingSensor, Sensor\n\n\n"
        "class Told:\n"
        "    def setup(self):\n"
        "        self.sensor_service.set_value('pid', os.getpid())\n\n"
        "    def cleanup(self): pass\n\n"
        "    def add_trigger(self, trigger):\n"
        "        self.tell('add', trigger)\n"
        "        if trigger['parameters']['path'] == '/bad':\n"
        "            raise ValueError('cannot be watched')\n"
        "        self.sensor_service.dispatch(trigger['ref'], {'found': True})\n\n"
        "    def update_trigger(self, trigger): self.tell('update', trigger)\n"
        "    def remove_trigger(self, trigger): self.tell('remove', trigger)\n\n"
        "    def tell(self, what, trigger):\n"
        "        told = [type(self).__name__, what, trigger['parameters']['path']]\n"
        "        self.sensor_service.dispatch('watch.told', {'told': told})\n\n\n"
        "class Runs(Told, Sensor):\n"
        "    def run(self):\n        while True:\n            time.sleep(60)\n\n\n"
        "class Polls(Told, PollingSensor):\n    def poll(self): pass\n"
    ),
}
#: More than the pipe to a process and what is kept for it hold, together.
_LARGE = 100_000


@pytest.fixture
def watching(tmp_path, serve_files):
    served = serve_files(tmp_path, _FILES)
    served.start()
    yield served
    served.stop(signal.SIGKILL)


def _told(served, sensor="Runs"):
    sql = "SELECT json_extract(payload, '$.told[0]'), json_extract(payload, '$.told[1]'),"
    sql += " json_extract(payload, '$.told[2]') FROM trigger_instances"
    rows = served.rows(sql + " WHERE trigger = 'watch.told' ORDER BY id")
    return [f"{what} {path}" for name, what, path in rows if name == sensor]


def _rule(served, name, path, trigger="watch.line", **more):
    body = _RULE | {"name": name}
    body["trigger"] = {"type": trigger, "parameters": {"path": path, **more}}
    known = name in {rule["name"] for rule in served.get("/rules")}
    method, where = ("PUT", f"/rules/watch.{name}") if known else ("POST", "/rules")
    reply = served.call(method, where, json=body)
    assert reply.ok, reply.text


def _delete(served, name):
    assert served.call("DELETE", f"/rules/watch.{name}").status_code == 204


def _pid(served):
    rows = served.rows("SELECT value FROM keys WHERE name = 'watch.Runs:pid'")
    return int(rows[0][0]) if rows else None


def test_rules_say_what_a_sensor_looks_after(watching, until):
    """From a file, made, changed and deleted over the API; each trigger can be dispatched."""
    expected = ["add /first"]
    until(lambda: _told(watching) == expected, "told of the rule in the pack")
    _rule(watching, "second", "/second")
    expected += ["add /second"]
    until(lambda: _told(watching) == expected, "told of a new rule")
    done = "SELECT 1 FROM rule_enforcements WHERE rule_ref = 'watch.second'"
    until(lambda: watching.rows(done + " AND status = 'succeeded'"), "the rule has acted")
    _rule(watching, "second", "/third")
    expected += ["add /third", "remove /second"]
    until(lambda: _told(watching) == expected, "told of a changed rule")
    _delete(watching, "second")
    expected += ["remove /third"]
    until(lambda: _told(watching) == expected, "told of a deleted rule")
    (watching.folder / "packs/watch/rules/first.yaml").unlink()
    assert watching.call("POST", "/packs/register", json={}).ok
    expected += ["remove /first"]
    until(lambda: _told(watching) == expected, "told of what a registration has changed")
    assert _told(watching, "Polls") == []
    _rule(watching, "page", "/page", "watch.page")
    until(lambda: _told(watching, "Polls") == ["add /page"], "told between two polls")


def test_a_sensor_that_starts_again_is_told_anew(watching, until):
    """When it dies, and with st2solo; what it raises then, and later, is logged."""
    log = watching.folder / "state" / "logs" / "sensor.watch.Runs.log"
    _rule(watching, "bad", "/bad")
    _rule(watching, "good", "/good")
    told = ["add /first", "add /bad", "add /good"]
    until(lambda: _told(watching) == told, "told")
    assert log.read_text().count("ValueError: cannot be watched") == 1
    first = _pid(watching)
    subprocess.run(["kill", "-9", str(first)], check=True)
    _rule(watching, "last", "/last")
    # NB: sorted, since ids of one second tell nothing of the order between two starts of st2solo
    told += [*told, "add /last"]
    until(lambda: sorted(_told(watching)) == sorted(told), "told of all")
    assert _pid(watching) != first
    assert watching.stop() == 0
    watching.start()
    told += [*told[:3], "add /last"]
    until(lambda: sorted(_told(watching)) == sorted(told), "told of all")
    assert log.read_text().count("ValueError: cannot be watched") == 3


def test_a_sensor_that_stands_still_keeps_nobody(watching, until):
    """What does not fit into its pipe is put together, and told when it reads again."""
    until(lambda: _told(watching), "told of the rule in the pack")
    pid = _pid(watching)
    os.kill(pid, signal.SIGSTOP)
    status = Path(f"/proc/{pid}/stat")
    until(lambda: status.read_text().rpartition(")")[2].split()[0] == "T", "it stands still")
    for name in ("a", "b", "c", "d"):
        _rule(watching, name, f"/{name}", more=name * _LARGE)
    _delete(watching, "c")
    assert len(watching.get("/rules?pack=watch")) == 4
    assert _told(watching) == ["add /first"]
    os.kill(pid, signal.SIGCONT)
    expected = ["add /first", "add /a", "add /b", "add /d"]
    until(lambda: _told(watching) == expected, "told of what there is")
