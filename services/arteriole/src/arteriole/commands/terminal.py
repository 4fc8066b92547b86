"""What the commands share: whom they speak to, and how they write to a terminal."""

import json
import os
import re
from typing import TYPE_CHECKING, Any

import click

from arteriole.app.config import load
from arteriole.settings import Settings

if TYPE_CHECKING:  # `serve` needs none of them, and they take memory
    from rich.console import Console
    from rich.text import Text

    from arteriole.client import Client

#: Where a service is, for these commands; no setting.
_ADDRESS = re.compile(r"ARTERIOLE_[A-Z0-9]+_URL")


def settings_of(context: click.Context) -> Settings:
    if context.obj is None:
        raise click.UsageError("name the configuration: arteriole --config arteriole.yaml ...")
    variables = {name: v for name, v in os.environ.items() if not _ADDRESS.fullmatch(name)}
    return load(context.obj, Settings, variables)


def client_of(context: click.Context, service: str = "runfolder") -> "Client":
    """A client of the service, by the environment or by what `serve` left behind."""
    from arteriole.client import Client

    state_dir = settings_of(context).state_dir if context.obj is not None else None
    return Client.find(state_dir, service)


def plain(text: str) -> str:
    """`text` without characters that a terminal obeys.

    >>> plain("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def cell(text: str, style: str = "") -> "Text":
    """`text` for a table: plain, and without rich's markup."""
    from rich.text import Text

    return Text(plain(text), style=style)


def say(text: str) -> None:
    click.echo(plain(text))


def complain(text: str, hint: str = "") -> None:
    """To standard error: what was refused, and what to do."""
    click.echo("\n".join(map(plain, f"arteriole: {text}".split("\n"))), err=True)
    if hint:
        click.echo(plain(f"  {hint}"), err=True)


def as_json(document: Any) -> None:
    click.echo(json.dumps(document, indent=1))


def console() -> "Console":
    from rich.console import Console

    return Console(highlight=False)


def moment(time: str | None) -> str:
    """`2026-11-23 14:00:05`, UTC."""
    return plain(time[:19].replace("T", " ")) if time else ""
