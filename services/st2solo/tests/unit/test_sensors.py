"""Sensors are kept alive, whatever becomes of those who are told."""

import asyncio
import sqlite3

from st2solo.auth import Tokens, Users
from st2solo.environments import Environments
from st2solo.sensors import Sensors, SensorSettings
from st2solo.settings import EngineSettings


def test_a_store_that_cannot_be_written_keeps_no_sensor_dead(site):
    """The process starts and dies, and each time telling of it fails; it is started again."""
    site.write("sensors/s.yaml", "class_name: S\nentry_point: s.py\n")
    python = site.folder / "virtualenvs" / "demo" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)
    site.registry.register(fail_on_failure=True)
    engine = EngineSettings(
        "http://127.0.0.1:1/v1",
        site.config.work,
        Environments(site=site.folder / "virtualenvs"),
    )
    sensors = Sensors(
        site.resources,
        site.registry,
        Tokens(site.store, Users(site.store)),
        SensorSettings(engine, site.config.state, site.config.logs),
    )
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
