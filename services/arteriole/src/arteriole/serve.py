"""`arteriole serve`: any or all services in one process, each on its port."""

import asyncio
import contextlib
import errno
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import structlog

from arteriole.app.application import Application, Service, run_until_cancelled
from arteriole.app.auth import Role, Tokens
from arteriole.app.claim import claim, turn
from arteriole.app.errors import ArterioleError
from arteriole.archive.kind import ArchiveKind
from arteriole.archive.service import ArchiveService
from arteriole.bcl2fastq.service import Bcl2fastqService
from arteriole.checksum.kind import ChecksumKind
from arteriole.jobs.service import JobService
from arteriole.metadata.service import MetadataService
from arteriole.runfolder.service import RunfolderService
from arteriole.settings import SERVICES, Auth, Settings
from arteriole.transfer.kind import TransferKind
from arteriole.wes.service import WesService

log = structlog.get_logger()

#: Tokens made at first start: one for the packs, one for whoever set it up.
FIRST_TOKENS = {"packs": Role.OPERATOR, "admin": Role.ADMIN}


class ServeError(ArterioleError):
    """The services cannot be started."""

    code = "serve.failed"


def make(name: str, settings: Settings) -> tuple[Service, int]:
    """The service called `name` and the port it is to have."""
    makers: dict[str, Callable[[], tuple[Service, int]]] = {}
    if (runfolder := settings.runfolder) is not None:
        makers["runfolder"] = lambda: (
            RunfolderService(runfolder, settings.state_dir, settings.mode),
            runfolder.port,
        )
    if (bcl2fastq := settings.bcl2fastq) is not None:
        makers["bcl2fastq"] = lambda: (
            Bcl2fastqService(bcl2fastq, settings.state_dir, settings.mode),
            bcl2fastq.port,
        )
    if (checksum := settings.checksum) is not None:
        makers["checksum"] = lambda: (
            JobService(
                ChecksumKind(checksum), settings.state_dir, checksum.parallel, settings.mode
            ),
            checksum.port,
        )
    if (transfer := settings.transfer) is not None:
        makers["transfer"] = lambda: (
            JobService(
                TransferKind(transfer), settings.state_dir, transfer.parallel, settings.mode
            ),
            transfer.port,
        )
    if (archive := settings.archive) is not None:
        makers["archive"] = lambda: (
            ArchiveService(
                ArchiveKind(archive), settings.state_dir, archive.parallel, settings.mode
            ),
            archive.port,
        )
    if (wes := settings.wes) is not None:
        makers["wes"] = lambda: (WesService(wes, settings.state_dir, settings.mode), wes.port)
    if (metadata := settings.metadata) is not None:
        makers["metadata"] = lambda: (
            MetadataService(metadata, settings.state_dir),
            metadata.port,
        )
    if name not in makers:
        raise ServeError(
            f"{name!r} has no section in the configuration; configured are {', '.join(makers)}"
        )
    return makers[name]()


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
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(token + "\n")
        log.info("made a token", name=name, file=str(path))

    tokens.create_first(FIRST_TOKENS, keep)


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
    applications = []
    ports = {}
    for name in dict.fromkeys(names):
        service, port = make(name, settings)
        application = Application(service, tokens, settings.chat)
        ports[name] = _listen(application, settings.host, port)
        applications.append(application)
        url = f"http://{settings.host}:{ports[name]}"
        log.info("serving", service=name, url=url, mode=settings.mode.value)
    with turn(settings.state_dir / ".turn"):
        _write_ports(settings.state_dir, settings.host, ports)
    return applications


async def _serve(applications: list[Application]) -> None:
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


def _write_ports(state_dir: Path, host: str, ports: dict[str, int]) -> None:
    """Which service listens where, for commands on this machine and ports chosen by the kernel."""
    known = state_dir / "ports.json"
    partial = state_dir / ".ports.json.partial"
    urls = {name: f"http://{host}:{port}" for name, port in ports.items()}
    with contextlib.suppress(OSError, ValueError):  # each service may have a process of its own
        urls = {**json.loads(known.read_text(encoding="utf-8")), **urls}
    partial.write_text(json.dumps(urls, indent=1), encoding="utf-8")
    partial.rename(known)
