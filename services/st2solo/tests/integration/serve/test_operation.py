"""What keeps st2solo running: backups, figures, the doctor, the log, sensors that die."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import requests

_ROOT = Path(__file__).parents[5]


def _run(served, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "st2solo", *arguments],
        cwd=served.folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _figures(served):
    reply = requests.get(served.url("api", "/v1/metrics"), timeout=120)
    assert reply.status_code == 200
    lines = (line.rpartition(" ") for line in reply.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


@pytest.fixture
def started(stopped):
    config = stopped.folder / "st2solo.yaml"
    config.write_text(config.read_text() + "log_format: json\n")
    stopped.start()
    return stopped


def _noop(served):
    body = {"action": "core.noop", "context": {"trace_context": {"trace_tag": "RUN9"}}}
    reply = served.call("POST", "/executions", json=body)
    assert reply.status_code == 201
    return reply.json()["id"]


def _ended(served, until, execution):
    path = f"/executions/{execution}"
    return until(lambda: served.get(path)["status"] == "succeeded", "it succeeds")


def test_a_backup_made_under_way_is_what_a_new_start_goes_on_with(started, until):
    first = _noop(started)
    _ended(started, until, first)
    done = _run(started, "backup", "copy.sqlite")
    assert (done.returncode, "keep that elsewhere" in done.stdout) == (0, True), done.stderr
    again = _run(started, "backup", "copy.sqlite")
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    second = _noop(started)
    _ended(started, until, second)
    assert started.stop() == 0
    copy = started.folder / "copy.sqlite"
    assert copy.stat().st_mode & 0o077 == 0
    store = started.folder / "state" / "st2solo.sqlite"
    for path in store.parent.glob("st2solo.sqlite*"):
        path.unlink()
    copy.rename(store)
    started.start()
    assert started.get(f"/executions/{first}")["status"] == "succeeded"
    assert started.call("GET", f"/executions/{second}").status_code == 404


def test_a_backup_of_nothing_or_to_nowhere_is_refused(stopped):
    (stopped.folder / "state" / "st2solo.sqlite").unlink()
    done = _run(stopped, "backup", "copy.sqlite")
    assert (done.returncode, "there is no store" in done.stderr) == (1, True)
    stopped.run("user", "add", "alice", stdin="sesame\n")
    done = _run(stopped, "backup", "no/such/folder/copy.sqlite")
    assert (done.returncode, "was not copied" in done.stderr) == (1, True)


def test_a_backup_is_whole_while_others_write(started):
    """Each copy is the store of one moment."""
    url, headers = started.url("api", "/v1/executions"), {"X-Auth-Token": started.token}
    with requests.Session() as session:
        for number in range(3):
            for _ in range(20):
                session.post(url, json={"action": "demo.wf"}, headers=headers, timeout=120)
            assert _run(started, "backup", f"copy{number}.sqlite").returncode == 0
    for number in range(3):
        connection = sqlite3.connect(started.folder / f"copy{number}.sqlite")
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("SELECT count(*) FROM executions").fetchone()[0] > 20 * number
        connection.close()


def test_figures(started, until):
    ended = 'st2solo_executions_ended_total{runner="noop",status="succeeded"}'
    _noop(started)
    until(lambda: _figures(started).get(ended), "the end is counted")
    figures = _figures(started)
    assert figures['st2solo_execution_seconds_count{runner="noop"}'] >= 1
    assert figures["st2solo_store_bytes"] > 0
    assert figures["st2solo_registration_problems"] == 0
    (started.folder / "packs" / "demo" / "actions" / "bad.yaml").write_text("name: bad\n")
    started.call("POST", "/packs/register", json={"fail_on_failure": False})
    assert _figures(started)["st2solo_registration_problems"] >= 1
    assert figures["process_resident_memory_bytes"] > 0


def test_a_dead_sensor_is_shouted_about(started, until):
    up, deaths = (
        'st2solo_sensor_up{sensor="demo.Feed"}',
        'st2solo_sensor_deaths{sensor="demo.Feed"}',
    )

    def pid():
        rows = started.rows("SELECT value FROM keys WHERE name = 'demo.Feed:pid'")
        return int(rows[0][0]) if rows else None

    rule = {
        "name": "on_death",
        "pack": "default",
        "enabled": True,
        "trigger": {"type": "core.st2.sensor.process_exit"},
        "action": {"ref": "core.noop", "parameters": {"dead": "{{trigger.ref}}"}},
    }
    assert started.call("POST", "/rules", json=rule).status_code == 201
    first = until(pid, "the sensor started")
    subprocess.run(["kill", "-9", str(first)], check=True)
    until(lambda: _figures(started)[deaths] == 1, "the death is counted")
    until(lambda: pid() != first, "it is started again")
    until(lambda: _figures(started)[up] == 1, "it is up")
    told = until(lambda: started.get("/executions?rule=default.on_death"), "a rule was told")
    assert told[0]["parameters"] == {"dead": "demo.Feed"}
    errors = [json.loads(line) for line in started.log.splitlines() if '"error"' in line]
    assert any("sensor demo.Feed has died with exit code -9" in e["event"] for e in errors)
    done = _run(started, "doctor")
    assert "demo.Feed lives, after 1 deaths" in done.stdout


def _logrotate(text, folder):
    """docs/operate.md's configuration on a folder of logs, once, by the real program."""
    program = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("logrotate is not there")
    text = text.replace("/var/lib/st2solo/logs", str(folder)).replace("su arteriole arteriole", "")
    configuration = folder.parent / "logrotate.conf"
    configuration.write_text(text)
    configuration.chmod(0o600)
    command = [program, "--force", "--state", folder.parent / "logrotate.state", configuration]
    subprocess.run(command, check=True, timeout=120)


def test_the_log_of_a_sensor_is_rotated_as_the_manual_says(started, until):
    lines = (_ROOT / "docs" / "operate.md").read_text().splitlines()
    begin = lines.index("    /var/lib/st2solo/logs/sensor.*.log {")
    text = "\n".join(lines[begin : lines.index("    }", begin) + 1])
    logs = started.folder / "state" / "logs"
    log = logs / "sensor.demo.Feed.log"
    rows = "SELECT value FROM keys WHERE name = 'demo.Feed:pid'"
    pid = until(lambda: started.rows(rows), "the sensor started")[0][0]
    until(lambda: "runs" in log.read_text(), "it has written")
    _logrotate(text, logs)
    assert "runs" in (logs / "sensor.demo.Feed.log.1").read_text()
    stream = Path(f"/proc/{pid}/fd/2")
    until(lambda: log.exists() and stream.samefile(log), "it writes into a new file")
    assert log.read_text() == ""


def test_the_log_tells_the_execution_and_its_trace(started, until):
    execution = _noop(started)

    def told():
        lines = [json.loads(line) for line in started.log.splitlines()]
        return [line for line in lines if line.get("execution_id") == execution]

    until(lambda: told() and told()[-1]["event"] == "execution succeeded", "its end is logged")
    ended = told()
    assert ended[-1]["trace_tag"] == "RUN9" and ended[-1]["action"] == "core.noop"
    assert ended[-1]["seconds"] >= 0


#: What an action may run to delete a key and a rule.
_DELETES = """
import os, urllib.request
for path in ("/keys/of_it", "/rules/demo.on_event"):
    url = os.environ["ST2_ACTION_API_URL"] + path
    headers = {"X-Auth-Token": os.environ["ST2_ACTION_AUTH_TOKEN"]}
    urllib.request.urlopen(urllib.request.Request(url, headers=headers, method="DELETE"))
"""


def test_the_log_tells_who_changed_what(started, until):
    """And neither what was sent nor what happens all the time."""
    until(lambda: started.get("/triggerinstances?trigger=demo.tick"), "the sensor told it")
    asking = "show_secrets=true&decrypt=true"
    for path in ("/", "/metrics"):
        assert started.call("GET", f"{path}?{asking}", token="").status_code == 200
    started.call("GET", f"/actions?{asking}")
    rule = {"name": "mine", "trigger": {"type": "demo.tick"}, "action": {"ref": "core.noop"}}
    made = started.call("POST", "/rules", json=rule).json()["id"]
    started.call("DELETE", f"/rules/{made}")
    started.call("PUT", "/keys/pin", json={"name": "pin", "value": "4711", "secret": True})
    started.call("GET", "/keys/pin?decrypt=true")
    started.call("GET", "/configs/demo?show_secrets=true")
    started.call("DELETE", "/keys/pin", token=started.token_of("bob"))
    assert started.call("DELETE", "/keys/pin").status_code == 404
    started.dispatch("demo.event", {"n": 0})
    started.call("PUT", "/keys/of_it", json={"name": "of_it", "value": "v"})
    body = {"action": "core.local", "parameters": {"cmd": f"{sys.executable} -c '{_DELETES}'"}}
    asked = started.call("POST", "/executions", json=body).json()["id"]
    _ended(started, until, asked)

    lines = [json.loads(line) for line in started.log.splitlines()]
    told = [
        tuple(line.get(name) for name in ("event", "user", "by", "secrets"))
        for line in lines
        if line["logger"] == "st2solo.api.audit"
    ]
    refs = [line.get("ref") for line in lines if "/rules" in line["event"]]
    assert refs == ["default.mine", "default.mine", "demo.on_event"]
    token = "authentication token"
    assert told == [
        ("POST /tokens", "alice", "password", None),
        ("POST /v1/rules", "alice", token, None),
        (f"DELETE /v1/rules/{made}", "alice", token, None),
        ("PUT /v1/keys/pin", "alice", token, None),
        ("GET /v1/keys/pin", "alice", token, "decrypt"),
        ("GET /v1/configs/demo", "alice", token, "show_secrets"),
        ("POST /tokens", "bob", "password", None),
        ("DELETE /v1/keys/pin", "bob", token, None),
        ("PUT /v1/keys/of_it", "alice", token, None),
        ("DELETE /v1/rules/demo.on_event", "alice", "action or sensor", None),
    ]
    assert "4711" not in started.log


def test_the_doctor_of_a_running_and_of_a_stopped_one(started, until):
    until(
        lambda: _figures(started).get('st2solo_sensor_up{sensor="demo.Feed"}'), "the sensor is up"
    )
    done = _run(started, "doctor")
    assert "it serves at http://127.0.0.1:" in done.stdout
    assert "demo.Feed lives" in done.stdout
    assert started.stop(signal.SIGKILL) == -signal.SIGKILL
    done = _run(started, "doctor")
    assert (done.returncode, "does not answer" in done.stdout) == (1, True)
