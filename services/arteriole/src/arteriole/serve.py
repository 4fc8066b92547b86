"""`arteriole serve`: any or all services in one process, each on its port."""

import asyncio
import contextlib
import errno
import json
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from arteriole.app import private_file
from arteriole.app.application import Application, Service, run_until_cancelled
from arteriole.app.auth import Tokens
from arteriole.app.claim import claim, turn
from arteriole.app.errors import ArterioleError
from arteriole.archive.settings import ArchiveSettings
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.checksum.settings import ChecksumSettings
from arteriole.disk.disk import Disk
from arteriole.jobs.machine import Machine
from arteriole.metadata.settings import MetadataSettings
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.settings import SERVICES, Auth, Settings
from arteriole.transfer.settings import TransferSettings
from arteriole.wes.settings import WesSettings

if TYPE_CHECKING:
    from arteriole.policy.gate import Gate

log = structlog.get_logger()

#: Seconds after which a thread that computes lets another one go on. While a directory of thousands
#: is listed, Python's 5 ms would come on top of an answer several times over.
SWITCH_SECONDS = 0.0005


class ServeError(ArterioleError):
    """The services cannot be started."""

    code = "serve.failed"


def make(name: str, settings: Settings, machine: Machine) -> tuple[Service, int]:
    """The service called `name` and the port it is to have; its jobs share `machine`."""
    section = getattr(settings, name) if name in SERVICES else None
    if section is None:
        raise ServeError(
            f"{name!r} has no section in the configuration; configured are"
            f" {', '.join(configured(settings))}"
        )
    return _MAKERS[name](section, settings, machine), section.port


# What a service needs is imported when it is made: others would cost time and memory for nothing.


def _runfolder(section: RunfolderSettings, settings: Settings, machine: Machine) -> Service:
    from arteriole.runfolder.service import RunfolderService

    return RunfolderService(section, settings.state_dir, settings.mode, machine.disk)


def _bcl2fastq(section: Bcl2fastqSettings, settings: Settings, machine: Machine) -> Service:
    from arteriole.bcl2fastq.service import Bcl2fastqService

    return Bcl2fastqService(section, settings.state_dir, settings.mode, machine)


def _checksum(section: ChecksumSettings, settings: Settings, machine: Machine) -> Service:
    from arteriole.checksum.kind import ChecksumKind
    from arteriole.checksum.service import ChecksumService

    kind, mode = ChecksumKind(section), settings.mode
    return ChecksumService(kind, settings.state_dir, section.parallel, mode, machine=machine)


def _gate(settings: Settings, service: str) -> "Gate | None":
    if settings.policy is None:
        return None
    from arteriole.policy.gate import Gate

    return Gate(settings.policy, service, settings.run_roots())


def _transfer(section: TransferSettings, settings: Settings, machine: Machine) -> Service:
    from arteriole.jobs.service import JobService
    from arteriole.transfer.kind import TransferKind

    kind, mode = TransferKind(section, _gate(settings, "transfer")), settings.mode
    return JobService(kind, settings.state_dir, section.parallel, mode, machine=machine)


def _archive(section: ArchiveSettings, settings: Settings, machine: Machine) -> Service:
    from arteriole.archive.kind import ArchiveKind
    from arteriole.archive.service import ArchiveService

    kind, mode = ArchiveKind(section, _gate(settings, "archive")), settings.mode
    return ArchiveService(kind, settings.state_dir, section.parallel, mode, machine=machine)


def _wes(section: WesSettings, settings: Settings, machine: Machine) -> Service:
    from arteriole.wes.service import WesService

    return WesService(section, settings.state_dir, settings.mode, machine)


def _metadata(section: MetadataSettings, settings: Settings, _: Machine) -> Service:
    from arteriole.metadata.service import MetadataService

    return MetadataService(section, settings.state_dir)


_MAKERS: dict[str, Callable[[Any, Settings, Machine], Service]] = {
    "runfolder": _runfolder,
    "bcl2fastq": _bcl2fastq,
    "checksum": _checksum,
    "transfer": _transfer,
    "archive": _archive,
    "wes": _wes,
    "metadata": _metadata,
}


def configured(settings: Settings) -> list[str]:
    return [name for name in SERVICES if getattr(settings, name) is not None]


def first_tokens(settings: Settings) -> None:
    """At first start make the tokens and leave each in a file that only the owner reads.

    A first start that was cut off, by a full disk say, is a first start again.
    """
    tokens = Tokens(settings.token_file)
    if settings.auth is Auth.NONE or tokens.path.exists():
        return

    def keep(name: str, token: str) -> None:
        path = settings.state_dir / f"{name}.token"
        private_file.write(path, f"{token}\n")
        log.info("made a token", name=name, file=str(path))

    tokens.create_first(keep)


async def serve(settings: Settings, names: list[str]) -> None:
    """Run the services until SIGTERM or SIGINT; jobs go on and are adopted at the next start.

    Raises:
        ServeError: there is nothing to serve, a port is in use, or the state cannot be written.
        StateInUseError: another process serves one of them from the same `state_dir`.
    """
    if not names:
        raise ServeError(
            "no service is configured",
            hint=f"add a section {', '.join(SERVICES[:-1])} or {SERVICES[-1]}",
        )
    if settings.policy is not None:
        from arteriole.policy.reading import require_policy

        require_policy(settings.policy, settings.destinations(), settings.encrypting())
    try:
        applications = _open(settings, names)
    except OSError as err:
        raise ServeError(
            f"the state in {settings.state_dir} cannot be written: {err}",
            hint="check the space and the permissions there",
        ) from err
    await _serve(applications)


def _open(settings: Settings, names: list[str]) -> list[Application]:
    """The named services, each on its port; nothing of theirs is touched before it is claimed."""
    unknown = sorted(set(names) - set(configured(settings)))
    if unknown:
        raise ServeError(
            f"{unknown[0]!r} has no section in the configuration; configured are"
            f" {', '.join(configured(settings))}"
        )
    for name in dict.fromkeys(names):
        claim(settings.state_dir / name)
    with turn(settings.state_dir / ".turn"):
        first_tokens(settings)
    tokens = None if settings.auth is Auth.NONE else Tokens(settings.token_file)
    machine = Machine.here(settings.jobs, Disk.of(settings.disk, settings.written_roots()))
    applications = []
    ports = {}
    for name in dict.fromkeys(names):
        service, port = make(name, settings, machine)
        application = Application(service, tokens, settings.chat)
        ports[name] = _listen(application, settings.host, port)
        applications.append(application)
        url = _url(settings.host, ports[name])
        log.info("serving", service=name, url=url, mode=settings.mode.value)
    with turn(settings.state_dir / ".turn"):
        write_ports(settings, ports)
    return applications


async def _serve(applications: list[Application]) -> None:
    sys.setswitchinterval(SWITCH_SECONDS)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(run_until_cancelled(app)) for app in applications]
    for task in tasks:
        task.add_done_callback(lambda _: stop.set())
    await stop.wait()
    ended = [task for task in tasks if task.done()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()


def _listen(application: Application, host: str, port: int) -> int:
    name = application.service.name
    try:
        return application.listen(host, port)
    except OSError as err:
        if err.errno == errno.EADDRINUSE:
            raise ServeError(
                f"{name} cannot listen on {host}:{port}: the port is in use",
                hint=f"stop what uses it, or set {name}.port (ARTERIOLE_{name.upper()}__PORT)",
                code="serve.port_in_use",
            ) from err
        raise ServeError(f"{name} cannot listen on {host}:{port}: {err.strerror}") from err


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def write_ports(settings: Settings, ports: dict[str, int]) -> None:
    """Which service listens where, for commands on this machine and ports chosen by the kernel."""
    known = settings.state_dir / "ports.json"
    partial = settings.state_dir / ".ports.json.partial"
    urls = {name: _url(settings.host, port) for name, port in ports.items()}
    with contextlib.suppress(OSError, ValueError):  # each service may have a process of its own
        urls = {**json.loads(known.read_text(encoding="utf-8")), **urls}
    urls = {name: url for name, url in urls.items() if name in configured(settings)}
    partial.write_text(json.dumps(urls, indent=1), encoding="utf-8")
    partial.rename(known)
