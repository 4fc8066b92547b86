"""`arteriole observe report`."""

import getpass
import hashlib
import socket
from pathlib import Path

import click

from arteriole.app import times
from arteriole.app.application import VERSION
from arteriole.commands.terminal import as_json, client_of, settings_of
from arteriole.observe.report import Produced, assemble
from arteriole.observe.settings import pattern
from arteriole.observe.source import Source
from arteriole.observe.text import render


@click.group("observe")
def observe() -> None:
    """What would have been done, while the mode is observe."""


def _patterns(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(map(pattern, texts))
    except ValueError as err:
        raise click.BadParameter(str(err)) from err


@observe.command("report")
@click.option("--json", "machine", is_flag=True, help="For machines.")
@click.option(
    "--others",
    multiple=True,
    callback=_patterns,
    metavar="PATTERN",
    help="Where others leave their FASTQs, as /data/fastq/{run}; as observe.others.",
)
@click.option("--run", "names", multiple=True, metavar="NAME", help="Only this run.")
@click.pass_context
def report(
    context: click.Context, machine: bool, others: tuple[str, ...], names: tuple[str, ...]
) -> None:
    """Each observed run: what would have been done, and what others did.

    Once a run was really done: whether that was as announced.
    """
    source = Source(lambda service: client_of(context, service))
    found = assemble(source, _produced(context, others), names)
    if machine:
        as_json(found.document())
    else:
        click.echo(render(found))


def _produced(context: click.Context, others: tuple[str, ...]) -> Produced:
    config, digest, mode, patterns = "", "", "", list(others)
    if context.obj is not None:
        settings = settings_of(context)
        mode = settings.mode.value
        patterns = patterns or list(settings.observe.others)
        config = str(Path(context.obj).resolve())
        digest = hashlib.sha256(Path(context.obj).read_bytes()).hexdigest()
    return Produced(
        time=times.now(),
        by=f"{_user()} on {socket.gethostname()}",
        version=VERSION,
        config=config,
        config_sha256=digest,
        mode=mode,
        others=patterns,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, in a container
        return "unknown"
