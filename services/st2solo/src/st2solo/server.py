"""One st2solo: builds its parts, opens the ports, runs until it is told to stop."""

import asyncio
import errno
import json
import logging
import signal
import socket
from dataclasses import asdict

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from st2solo import logs, state_lock
from st2solo.alias_executions import AliasExecutions
from st2solo.aliases import Aliases
from st2solo.api.http import application
from st2solo.auth import ApiKeys, Tokens, Users
from st2solo.collector import Collector
from st2solo.config import Config, Ports
from st2solo.crypto import load_or_create
from st2solo.enforcements import Enforcements
from st2solo.environments import Environments, PackEnvironmentError
from st2solo.errors import St2SoloError
from st2solo.executions import Executions
from st2solo.installed_packs import InstalledPacks
from st2solo.keys import Keys
from st2solo.metrics import Metrics
from st2solo.registry import Registry
from st2solo.resources import Resources
from st2solo.rules import RulesEngine
from st2solo.runner_types import RUNNER_TYPES
from st2solo.sensors import Sensors, SensorSettings
from st2solo.services import Services
from st2solo.settings import EngineSettings
from st2solo.store import Store
from st2solo.stream import Stream
from st2solo.timers import Timers
from st2solo.traces import Traces
from st2solo.triggers import Triggers

_LOG = logging.getLogger(__name__)

#: Bytes of a body that are read to answer in words; a larger one ends the connection.
_MOST_READ = 2**30


class PortError(St2SoloError):
    """A port cannot be used."""


def registry_of(config: Config, store: Store) -> tuple[Registry, Resources, Triggers, Keys]:
    resources = Resources(store)
    triggers = Triggers(store, resources)
    keys = Keys(store, load_or_create(config.crypto_key))
    registry = Registry(
        store,
        resources,
        triggers,
        keys,
        roots=config.packs,
        configs=config.configs,
        installed=InstalledPacks(store, config.installed_packs),
        runners={name: runner.parameters for name, runner in RUNNER_TYPES.items()},
    )
    return registry, resources, triggers, keys


def build(config: Config, store: Store, api_url: str) -> Services:
    registry, resources, triggers, keys = registry_of(config, store)
    users = Users(store)
    tokens = Tokens(store, users, config.system_user)
    settings = EngineSettings(
        api_url=api_url,
        work_dir=config.work,
        environments=config.environments,
        system_user=config.system_user,
        max_processes=config.max_processes,
        max_result_size=config.max_result_size,
        validate_output_schema=config.validate_output_schema,
        rerun=config.rerun,
        ssh=config.ssh,
    )
    executions = Executions(store, registry, keys, tokens, settings, registry)
    aliases = Aliases(resources)
    enforcements = Enforcements(store)
    sensors = Sensors(
        resources, registry, triggers, tokens, SensorSettings(settings, config.state, config.logs)
    )
    return Services(
        config=config,
        store=store,
        users=users,
        tokens=tokens,
        api_keys=ApiKeys(store, users),
        keys=keys,
        resources=resources,
        aliases=aliases,
        alias_executions=AliasExecutions(aliases, executions, registry, keys),
        triggers=triggers,
        traces=Traces(store),
        registry=registry,
        executions=executions,
        enforcements=enforcements,
        rules=RulesEngine(
            store,
            resources,
            triggers,
            enforcements,
            keys,
            registry,
            executions,
            system_user=config.system_user,
        ),
        timers=Timers(store, resources, triggers),
        sensors=sensors,
        stream=Stream(),
        metrics=Metrics(store, registry, sensors),
        collector=Collector(store, config.keep, registry.installed),
    )


async def make_environments(environments: Environments, registry: Registry) -> list[str]:
    """Make the Python environments that packs lack; what could not be made is logged and told."""
    told: list[str] = []
    lacking = [one for one in registry.pack_paths() if environments.lacks(*one)]
    for number, (pack, path) in enumerate(lacking, start=1):
        _LOG.info(
            "Python environment %d of %d that packs lack; nothing is served before all are made",
            number,
            len(lacking),
        )
        try:
            await environments.make(pack, path)
        except PackEnvironmentError as error:
            told.append(
                f"{error}; its Python actions and sensors run with st2solo's own Python until"
                " `st2solo register` or the next start makes it"
            )
            _LOG.error("%s", told[-1])
    return told


async def serve(config: Config) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        StateInUseError: another st2solo serves the state folder.
        PortError: a port is in use, or may not be opened.
        StoreError: the store cannot be used.
    """
    with state_lock.held(config.state):
        await _serve(config)


async def _serve(config: Config) -> None:
    sockets = _open_ports(config)
    api_port = sockets["api"][0].getsockname()[1]
    store = Store(config.store)
    try:
        services = build(config, store, f"http://{config.host}:{api_port}/v1")
        servers = await _start(services, sockets)
        collecting = asyncio.create_task(services.collector.run())
        await _until_told_to_stop()
        _LOG.info("stopping")
        collecting.cancel()
        await _stop(services, servers)
    finally:
        store.close()


async def _start(services: Services, sockets: dict[str, list[socket.socket]]) -> list[HTTPServer]:
    services.tokens.forget_expired()
    done = services.registry.register(fail_on_failure=False)
    for problem in done.problems:
        _LOG.error("not registered: %s", problem)
    for pack in services.registry.left_behind():
        _LOG.warning(
            "the pack %s still counts, and is in no folder of `packs`: `st2 pack remove %s`"
            " forgets it",
            pack,
            pack,
        )
    _LOG.info("registered %s", done.counts)
    await make_environments(services.config.environments, services.registry)
    services.triggers.on_instance = services.rules.schedule
    services.executions.on_completed.append(services.rules.completed)
    services.executions.on_change.append(services.stream.execution_changed)
    services.executions.on_change.append(services.metrics.execution_changed)
    services.executions.on_change.append(logs.execution_changed)
    services.sensors.on_process.append(services.rules.sensor_changed)
    services.executions.on_announcement.append(services.stream.announce)
    services.keys.on_change.append(services.rules.key_changed)
    services.executions.outputs.on_printed.append(services.stream.printed)
    services.executions.inquiries.on_opened.append(services.rules.asked)
    services.registry.on_registered += [services.timers.refresh, services.sensors.refresh]
    servers = []
    for name, opened in sockets.items():
        app = application(services, stream=name == "stream")
        server = HTTPServer(app, max_body_size=_MOST_READ)
        server.add_sockets(opened)
        servers.append(server)
    await services.executions.start()
    services.rules.schedule()
    services.timers.refresh()
    services.sensors.refresh()
    _write_ports(services.config, sockets)
    return servers


async def _stop(services: Services, servers: list[HTTPServer]) -> None:
    services.timers.stop()
    await services.sensors.stop()
    await services.stream.close()
    for server in servers:
        server.stop()
    services.rules.stop()
    await services.executions.stop()
    for server in servers:
        await server.close_all_connections()
    services.config.ports_file.unlink(missing_ok=True)


async def _until_told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def _open_ports(config: Config) -> dict[str, list[socket.socket]]:
    opened: dict[str, list[socket.socket]] = {}
    for name, port in asdict(config.ports).items():
        try:
            opened[name] = bind_sockets(port, config.host)
        except OSError as err:
            for sockets in opened.values():
                for one in sockets:
                    one.close()
            reason = "is in use" if err.errno == errno.EADDRINUSE else f"cannot be opened: {err}"
            raise PortError(
                f"port {port} of {config.host} {reason}; set ports.{name} in st2solo.yaml to"
                " another one, or to 0 for any free port"
            ) from err
    return opened


def _write_ports(config: Config, sockets: dict[str, list[socket.socket]]) -> None:
    ports = Ports(**{name: opened[0].getsockname()[1] for name, opened in sockets.items()})
    draft = config.ports_file.with_suffix(".new")
    draft.write_text(json.dumps({"host": config.host, **asdict(ports)}))
    draft.rename(config.ports_file)
    _LOG.info("listening on %s: %s", config.host, asdict(ports))
