"""Sensors: one process each, started again when it dies, ended with st2solo.

Its standard input stays open. It tells what to run, then each change of the triggers that the
sensor is for, and ends the process when it is closed.
"""

import asyncio
import json
import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import IO, Any

from st2solo.auth import Tokens
from st2solo.errors import St2SoloError
from st2solo.registry import Registry
from st2solo.resources import Kind, Resource, Resources
from st2solo.sensor_triggers import ToldTriggers
from st2solo.settings import EngineSettings
from st2solo.triggers import SENSOR_EXIT_TRIGGER, SENSOR_SPAWN_TRIGGER, Triggers

_LOG = logging.getLogger(__name__)

_CHILD = Path(__file__).parent / "child"
_FIRST_BACKOFF_SECONDS = 1.0
_LONGEST_BACKOFF_SECONDS = 30.0
#: A sensor that lived this long starts again without having to wait for its earlier deaths.
_STEADY_SECONDS = 60.0
_STOP_SECONDS = 5.0
#: A log of more bytes is put aside.
_LARGEST_LOG = 10 * 2**20
_TOKEN_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class SensorSettings:
    engine: EngineSettings
    state: Path
    logs: Path


@dataclass
class SensorState:
    """How it goes with a sensor: its process if it lives, and its deaths since st2solo started."""

    pid: int | None = None
    deaths: int = 0
    #: Set when there may be triggers of which it was not told.
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class _Sensor:
    """What a process was started from; it is started again when something of it has changed."""

    resource: Resource
    pack_path: Path
    config: str


#: The trigger's ref and its payload.
Told = Callable[[str, dict[str, Any]], None]


class Sensors:
    def __init__(
        self,
        resources: Resources,
        registry: Registry,
        triggers: Triggers,
        tokens: Tokens,
        settings: SensorSettings,
    ) -> None:
        self._resources = resources
        self._registry = registry
        self._triggers = triggers
        self._tokens = tokens
        self._settings = settings
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, _Sensor] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self.states: dict[str, SensorState] = {}
        #: Called when a process has started, and when one is over that was to live on.
        self.on_process: list[Told] = []

    def refresh(self) -> None:
        """Start and stop sensors so that just those run which are enabled, and tell them."""
        enabled = [s for s in self._resources.list(Kind.SENSOR) if s.enabled]
        wanted = {s.ref: _Sensor(s, *self._registry.pack_state(s.pack)) for s in enabled}
        for ref in list(self._tasks):
            if self._running[ref] != wanted.get(ref):
                self._cancel(self._tasks.pop(ref))
                self.states.pop(ref, None)
        for ref, sensor in wanted.items():
            if ref not in self._tasks:
                self._running[ref] = sensor
                self.states[ref] = SensorState()
                self._tasks[ref] = asyncio.create_task(self._keep(sensor.resource))
        self.triggers_changed()

    def triggers_changed(self) -> None:
        """Tell the sensors soon of the triggers that rules use now; for when rules have changed."""
        for state in self.states.values():
            state.news.set()

    async def stop(self) -> None:
        for task in self._tasks.values():
            self._cancel(task)
        self._tasks.clear()
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _cancel(self, task: asyncio.Task[None]) -> None:
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        task.cancel()

    async def _keep(self, sensor: Resource) -> None:
        backoff = _FIRST_BACKOFF_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                code: int | None = await self._run(sensor)
                how = f"has died with exit code {code}"
            except (OSError, St2SoloError, sqlite3.Error) as err:
                if (task := asyncio.current_task()) and task.cancelling():
                    raise asyncio.CancelledError from err  # its token could not be revoked
                code, how = None, f"cannot start: {err}"
            if clock() - began > _STEADY_SECONDS:
                backoff = _FIRST_BACKOFF_SECONDS
            self._shout(sensor, code, how, backoff)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)

    def _shout(self, sensor: Resource, code: int | None, how: str, backoff: float) -> None:
        """While a sensor is dead nothing is noticed: the log, the rules and the figures tell it."""
        state = self.states[sensor.ref]
        state.deaths += 1
        _LOG.error(
            "sensor %s %s, death %d since the start; it starts again in %.0f s, its log is %s",
            sensor.ref,
            how,
            state.deaths,
            backoff,
            self._log_path(sensor),
        )
        self._tell(SENSOR_EXIT_TRIGGER, sensor, exit_code=code, deaths=state.deaths)

    def _tell(self, trigger: str, sensor: Resource, **more: Any) -> None:
        payload = {"id": sensor.content["class_name"], "ref": sensor.ref, "timestamp": int(time())}
        for listener in self.on_process:
            try:
                listener(trigger, {**payload, **more})
            except sqlite3.Error as err:  # a full disk must not keep the sensor dead
                _LOG.error("the rules were not told of sensor %s: %s", sensor.ref, err)

    async def _run(self, sensor: Resource) -> int:
        token = self._tokens.service_token("sensor_service", _TOKEN_SECONDS)
        told = ToldTriggers(self._triggers, sensor.content["trigger_types"])
        try:
            with self._log(sensor) as log:
                process = await self._spawn(sensor, token, log, told)
            state = self.states[sensor.ref]
            state.pid = process.pid
            assert process.stdin is not None
            keep_told = self._keep_told(sensor, told, state.news, process.stdin)
            telling = asyncio.create_task(keep_told)
            try:
                self._tell(SENSOR_SPAWN_TRIGGER, sensor, pid=process.pid)
                return await process.wait()
            finally:
                state.pid = None
                telling.cancel()
                await _end(process)
        finally:
            self._tokens.revoke(token)

    async def _keep_told(
        self, sensor: Resource, told: ToldTriggers, news: asyncio.Event, pipe: asyncio.StreamWriter
    ) -> None:
        """Write each change of triggers to a process.

        One that does not read its pipe is told no more until it does, and then of all at once.
        """
        while True:
            await news.wait()
            news.clear()
            try:
                pipe.writelines(_line(change) for change in told.changes())
                await pipe.drain()
            except OSError:  # the process is over
                return
            except sqlite3.Error as err:
                _LOG.error("sensor %s was not told of triggers: %s", sensor.ref, err)
                news.set()
                await asyncio.sleep(_FIRST_BACKOFF_SECONDS)

    def _log_path(self, sensor: Resource) -> Path:
        return self._settings.logs / f"sensor.{sensor.ref}.log"

    def _log(self, sensor: Resource) -> IO[bytes]:
        self._settings.logs.mkdir(parents=True, exist_ok=True)
        return self._log_path(sensor).open("ab")

    async def _spawn(
        self, sensor: Resource, token: str, log: IO[bytes], told: ToldTriggers
    ) -> asyncio.subprocess.Process:
        pack_path = self._registry.pack_path(sensor.pack)
        first = _line(self._start_message(sensor) | {"triggers": told.changes()})
        process = await asyncio.create_subprocess_exec(
            str(self._settings.engine.environments.python_of(sensor.pack, pack_path)),
            "-u",
            str(_CHILD / "sensor_wrapper.py"),
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=self._environment(token),
            cwd=pack_path,
        )
        assert process.stdin is not None
        process.stdin.write(first)
        return process

    def _start_message(self, sensor: Resource) -> dict[str, Any]:
        """What the first line says; the configuration goes this way because it holds secrets."""
        locks = self._settings.state / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        pack_path = self._registry.pack_path(sensor.pack)
        return {
            "pack": sensor.pack,
            "class_name": sensor.content["class_name"],
            "file_path": str(pack_path / "sensors" / sensor.content["entry_point"]),
            "poll_interval": sensor.content.get("poll_interval"),
            "config": self._registry.pack_config(sensor.pack, self._settings.engine.system_user),
            "lock": str(locks / f"sensor.{sensor.ref}"),
            "log": str(self._log_path(sensor)),
            "largest_log": _LARGEST_LOG,
        }

    def _environment(self, token: str) -> dict[str, str]:
        passed = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return passed | {
            "PYTHONPATH": str(_CHILD / "lib"),
            "ST2_API_URL": self._settings.engine.api_url,
            "ST2_AUTH_TOKEN": token,
        }


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close the pipe, which asks the process to end, and kill it if it does not."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is not None:
        return
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
