"""Starting, stopping, and what must not outlive the process."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests


def _alive(pid):
    """Whether a process that is no zombie has this id."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _pid(served):
    rows = served.rows("SELECT value FROM keys WHERE name = 'demo.Feed:pid'")
    return int(rows[0][0]) if rows else None


def test_a_sensor_ends_with_the_process_and_starts_with_the_next(stopped, until):
    stopped.start()
    first = until(lambda: _pid(stopped), "the sensor started")
    stopped.stop(signal.SIGKILL)
    until(lambda: not _alive(first), "the sensor ended")
    stopped.start()
    second = until(lambda: _pid(stopped) != first and _pid(stopped), "the sensor started again")
    assert stopped.stop() == 0, stopped.log
    assert not _alive(second)


def test_a_sensor_that_dies_is_started_again_and_disabling_ends_it(stopped, until):
    stopped.start()
    first = until(lambda: _pid(stopped), "the sensor started")
    subprocess.run(["kill", "-9", str(first)], check=True)
    second = until(lambda: _pid(stopped) != first and _pid(stopped), "the sensor started again")
    sensor = stopped.get("/sensortypes/demo.Feed")
    reply = stopped.call("PUT", f"/sensortypes/{sensor['id']}", json=sensor | {"enabled": False})
    assert reply.json()["enabled"] is False
    until(lambda: not _alive(second), "the sensor ended")


def test_a_pack_that_is_named_no_more_is_told_and_can_be_removed(stopped, until):
    """It counts until then; its files stay, since they are not st2solo's."""
    stopped.run("register")
    (stopped.folder / "other").mkdir()
    config = stopped.folder / "st2solo.yaml"
    config.write_text(config.read_text().replace("[packs]", "[other]"))
    stopped.start()
    assert "the pack demo still counts, and is in no folder of `packs`" in stopped.log
    assert stopped.get("/rules?pack=demo")
    asked = stopped.call("POST", "/packs/uninstall", json={"packs": ["demo"]})
    assert asked.status_code == 202, asked.text
    until(lambda: not stopped.get("/rules?pack=demo"), "its rules are gone")
    assert (stopped.folder / "packs/demo/pack.yaml").is_file()


def test_a_port_in_use_is_told_with_its_setting(stopped):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = stopped.folder / "st2solo.yaml"
        config.write_text(config.read_text().replace("stream: 0", f"stream: {port}"))
        done = subprocess.run(
            [sys.executable, "-m", "st2solo", "serve"],
            cwd=stopped.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is in use; set ports.stream" in done.stderr


def test_an_interval_timer_ticks_and_is_not_repeated_by_a_restart(stopped, until):
    (stopped.folder / "packs/demo/rules/timer.yaml").write_text(
        "name: timer\nenabled: true\n"
        "trigger: {type: core.st2.IntervalTimer, parameters: {unit: seconds, delta: 1}}\n"
        "action: {ref: core.noop}\n"
    )
    stopped.start()
    sql = "SELECT enforced_at FROM rule_enforcements WHERE rule_ref = 'demo.timer'"
    until(lambda: len(stopped.rows(sql)) >= 2, "two ticks")
    stopped.stop(signal.SIGKILL)
    before = len(stopped.rows(sql))
    stopped.start()
    until(lambda: len(stopped.rows(sql)) > before, "a tick after the restart")
    ticks = stopped.rows("SELECT count(*), count(DISTINCT id) FROM trigger_instances")
    assert ticks[0][0] == ticks[0][1]


def test_a_closing_stream_ends(stopped):
    stopped.start()
    url = stopped.url("stream", "/v1/stream")
    with requests.get(url, params={"x-auth-token": stopped.token}, stream=True, timeout=120) as r:
        assert r.headers["Content-Type"].startswith("text/event-stream")
        assert stopped.stop() == 0
        assert r.content.startswith(b"\n")
