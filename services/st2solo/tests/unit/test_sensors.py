"""Sensors are kept alive, whatever becomes of those who are told."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys

import pytest

from st2solo.auth import Tokens, Users
from st2solo.environments import Environments
from st2solo.runners.python_script import CHILD
from st2solo.sensors import Sensors, SensorSettings
from st2solo.settings import EngineSettings

_SENSOR = (
    "class_name: S\nentry_point: s.py\ntrigger_types:\n- name: t\n"
    "  parameters_schema: {type: object, properties: {n: {type: integer}}}\n"
)


def _sensors(site, script):
    """One sensor of the type demo.t, whose process is a script."""
    site.write("sensors/s.yaml", _SENSOR)
    python = site.folder / "virtualenvs" / "demo" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    site.registry.register(fail_on_failure=True)
    engine = EngineSettings(
        "http://127.0.0.1:1/v1",
        site.config.work,
        Environments(site=site.folder / "virtualenvs"),
    )
    return Sensors(
        site.resources,
        site.registry,
        site.triggers,
        Tokens(site.store, Users(site.store), "stanley"),
        SensorSettings(engine, site.config.state, site.config.logs),
    )


def test_a_store_that_cannot_be_written_keeps_no_sensor_dead(site):
    """The process starts and dies, and each time telling of it fails; it is started again."""
    sensors = _sensors(site, "exit 3")
    told = []

    def full(trigger, payload):
        told.append((trigger.rpartition("_")[2], payload.get("exit_code")))
        if len(told) == 4:
            again.set()
        raise sqlite3.OperationalError("database or disk is full")

    async def watch():
        sensors.on_process.append(full)
        sensors.refresh()
        await asyncio.wait_for(again.wait(), 60)
        await sensors.stop()

    again = asyncio.Event()
    asyncio.run(watch())
    assert told == [("spawn", None), ("exit", 3)] * 2
    assert sensors.states["demo.S"].deaths == 2


def test_a_store_that_cannot_be_read_delays_what_a_sensor_is_told(site, caplog):
    """What it reads goes into its log here; the first line says what to run."""
    sensors = _sensors(site, "exec cat")
    log = site.config.logs / "sensor.demo.S.log"

    async def until(check):
        async with asyncio.timeout(60):
            while not check():
                await asyncio.sleep(0.01)

    async def watch():
        sensors.refresh()
        await until(lambda: log.exists() and log.read_text().endswith("\n"))
        site.store.execute("ALTER TABLE resources RENAME TO away")
        sensors.triggers_changed()
        await until(lambda: "sensor demo.S was not told of triggers" in caplog.text)
        site.store.execute("ALTER TABLE away RENAME TO resources")
        site.write("rules/r.yaml", _RULE)
        site.registry.register(fail_on_failure=True)
        await until(lambda: log.read_text().count("\n") == 2)
        await sensors.stop()

    asyncio.run(watch())
    start, change = map(json.loads, log.read_text().splitlines())
    assert start["triggers"] == []
    assert (change["method"], change["trigger"]["parameters"]) == ("add_trigger", {"n": 1})


def test_a_sensor_ends_though_its_token_cannot_be_revoked(site):
    """As when it is stopped while the store is closed: it is not started again for that."""
    sensors = _sensors(site, "exec cat")
    started = asyncio.Event()

    async def watch():
        sensors.on_process.append(lambda *_: started.set())
        sensors.refresh()
        await asyncio.wait_for(started.wait(), 60)
        site.store.execute("ALTER TABLE tokens RENAME TO away")
        async with asyncio.timeout(60):
            await sensors.stop()

    asyncio.run(watch())
    assert sensors.states["demo.S"].deaths == 0


def test_a_sensor_that_was_just_disabled_has_ended_before_st2solo(site, monkeypatch):
    """This one does not heed that its pipe is closed, so it takes a while."""
    monkeypatch.setattr("st2solo.sensors._STOP_SECONDS", 0.5)
    sensors = _sensors(site, "exec sleep 600")
    pids = []

    async def watch():
        started = asyncio.Event()
        sensors.on_process.append(lambda _, told: (pids.append(told["pid"]), started.set()))
        sensors.refresh()
        await asyncio.wait_for(started.wait(), 60)
        site.write("sensors/s.yaml", _SENSOR + "enabled: false\n")
        site.registry.register(fail_on_failure=True)
        sensors.refresh()
        await sensors.stop()
        with pytest.raises(ProcessLookupError):
            os.kill(pids[0], 0)

    asyncio.run(watch())
    assert len(pids) == 1


_RULE = (
    "name: r\nenabled: true\ntrigger: {type: demo.t, parameters: {n: 1}}\n"
    "action: {ref: core.noop}\n"
)
_WRITES = """
import os, sys
sys.path.insert(0, sys.argv[1])
import sensor_wrapper
log = sys.argv[2]
print("first", flush=True)
{meanwhile}
print("behind", flush=True)
sensor_wrapper.renew_log(log, 20)
print("then", flush=True)
os.write(2, b"an error\\n")
"""
_MEANWHILE = {
    "still small": ("pass", None, "first\nbehind\nthen\nan error\n"),
    "large": (
        "print(20 * 'x', flush=True)",
        f"first\n{20 * 'x'}\nbehind\n",
        "then\nan error\n",
    ),
    "moved away": ("os.rename(log, log + '.1')", "first\nbehind\n", "then\nan error\n"),
    "replaced": (
        "os.rename(log, log + '.1'); os.close(os.open(log, os.O_CREAT))",
        "first\nbehind\n",
        "then\nan error\n",
    ),
    "removed": ("os.unlink(log)", None, "then\nan error\n"),
}


@pytest.mark.parametrize("name", _MEANWHILE)
def test_a_log_begins_anew(name, tmp_path):
    meanwhile, before, now = _MEANWHILE[name]
    log = tmp_path / "logs" / "sensor.log"
    log.parent.mkdir()
    with log.open("ab") as file:
        subprocess.run(
            [sys.executable, "-c", _WRITES.format(meanwhile=meanwhile), CHILD, log],
            stdout=file,
            stderr=file,
            check=True,
            timeout=60,
        )
    assert log.read_text() == now
    old = log.with_name("sensor.log.1")
    assert (old.read_text() if old.exists() else None) == before
