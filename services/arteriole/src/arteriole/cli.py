"""The command `arteriole`."""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

import click
import structlog

from arteriole.app.auth import Role, Tokens
from arteriole.app.errors import ArterioleError
from arteriole.commands.act import (
    abort_command,
    adopt_command,
    hold_command,
    redo_command,
    release_command,
    retry_command,
    unwaive_command,
    waive_command,
)
from arteriole.commands.metadata import metadata_group
from arteriole.commands.restore import restore_command
from arteriole.commands.show import holds_command, run_command, runs_command, why_command
from arteriole.commands.terminal import complain, settings_of
from arteriole.inspection.command import inspect
from arteriole.observe.command import observe
from arteriole.serve import configured, serve
from arteriole.simulator.command import judge, simulate


class Failing(click.Group):
    """Tells an ArterioleError as one sentence and a hint, never as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArterioleError as err:
            complain(f"{err} [{err.code}]", err.hint)
            sys.exit(1)


@click.group(cls=Failing)
@click.option(
    "--config",
    "config",
    envvar="ARTERIOLE_CONFIG",
    type=click.Path(path_type=Path),
    help="arteriole.yaml; also ARTERIOLE_CONFIG.",
)
@click.version_option(package_name="arteriole")
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """Runs a DNA sequencing centre by events."""
    context.obj = config


@main.command("serve", short_help="Run the services until stopped.")
@click.argument("names", nargs=-1)
@click.pass_context
def serve_command(context: click.Context, names: tuple[str, ...]) -> None:
    """Run the named services, or all that are configured, until stopped."""
    _log_to_stderr()
    settings = settings_of(context)
    asyncio.run(serve(settings, list(names) or configured(settings)))


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    logging.getLogger("arteriole").setLevel(logging.INFO)
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


@main.group("config")
def config_group() -> None:
    """The configuration."""


@config_group.command("check")
@click.pass_context
def config_check(context: click.Context) -> None:
    """Check arteriole.yaml; what is wrong is told with file and line."""
    settings = settings_of(context)
    services = ", ".join(configured(settings)) or "none (none has a section)"
    click.echo(f"{context.obj}: good; mode: {settings.mode.value}; services: {services}")
    for path, keys in settings.folders().items():
        if not _is_dir(path):
            click.echo(f"  note: {path} is no folder here, or not yet: {', '.join(keys)}")


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


@main.group("token")
def token_group() -> None:
    """Who may call the services."""


@token_group.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice([role.name.lower() for role in Role]), default="operator")
@click.pass_context
def token_create(context: click.Context, name: str, role: str) -> None:
    """Make a token for NAME and print it: it cannot be shown again."""
    click.echo(Tokens(settings_of(context).token_file).create(name, Role[role.upper()]))


@token_group.command("revoke")
@click.argument("name")
@click.pass_context
def token_revoke(context: click.Context, name: str) -> None:
    """End the token of NAME, from the next call on."""
    if not Tokens(settings_of(context).token_file).revoke(name):
        raise click.ClickException(f"{name} has no token")


@token_group.command("list")
@click.pass_context
def token_list(context: click.Context) -> None:
    """Names and roles."""
    for name, role in Tokens(settings_of(context).token_file).names().items():
        click.echo(f"{name}\t{role}")


for command in (
    runs_command,
    run_command,
    why_command,
    holds_command,
    hold_command,
    release_command,
    retry_command,
    redo_command,
    abort_command,
    waive_command,
    unwaive_command,
    adopt_command,
    metadata_group,
    restore_command,
    inspect,
    observe,
    simulate,
    judge,
):
    main.add_command(command)

if __name__ == "__main__":
    main()
