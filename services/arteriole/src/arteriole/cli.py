"""The command `arteriole`."""

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

import click
import structlog
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from arteriole.app.auth import Role, Tokens
from arteriole.app.config import load
from arteriole.app.errors import ArterioleError
from arteriole.client import Client, run_path
from arteriole.serve import configured, serve
from arteriole.settings import Settings
from arteriole.simulator.command import judge, simulate


class Failing(click.Group):
    """Tells an ArterioleError as one sentence and a hint, never as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ArterioleError as err:
            click.echo(f"arteriole: {err}", err=True)
            if err.hint:
                click.echo(f"  {err.hint}", err=True)
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


def _settings(context: click.Context) -> Settings:
    if context.obj is None:
        raise click.UsageError("name the configuration: arteriole --config arteriole.yaml ...")
    return load(context.obj, Settings)


def _client(context: click.Context) -> Client:
    return Client.find(_settings(context).state_dir if context.obj is not None else None)


@main.command("serve")
@click.argument("names", nargs=-1)
@click.pass_context
def serve_command(context: click.Context, names: tuple[str, ...]) -> None:
    """Run the named services, or all that are configured, until stopped."""
    _log_to_stderr()
    settings = _settings(context)
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
    settings = _settings(context)
    click.echo(f"{context.obj}: good; services: {', '.join(configured(settings))}")


@main.group("token")
def token_group() -> None:
    """Who may call the services."""


@token_group.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice([role.name.lower() for role in Role]), default="operator")
@click.pass_context
def token_create(context: click.Context, name: str, role: str) -> None:
    """Make a token for NAME and print it: it cannot be shown again."""
    click.echo(Tokens(_settings(context).token_file).create(name, Role[role.upper()]))


@token_group.command("revoke")
@click.argument("name")
@click.pass_context
def token_revoke(context: click.Context, name: str) -> None:
    """End the token of NAME, from the next call on."""
    if not Tokens(_settings(context).token_file).revoke(name):
        raise click.ClickException(f"{name} has no token")


@token_group.command("list")
@click.pass_context
def token_list(context: click.Context) -> None:
    """Names and roles."""
    for name, role in Tokens(_settings(context).token_file).names().items():
        click.echo(f"{name}\t{role}")


def _plain(text: str) -> Text:
    """`text` without markup, and without characters that a terminal obeys."""
    return Text("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))


def _moment(time: str | None) -> str:
    return time[:19].replace("T", " ") if time else ""


@main.command("runs")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def runs_command(context: click.Context, as_json: bool) -> None:
    """Every run and its state."""
    runs = _client(context).get("runs")["runs"]
    if as_json:
        click.echo(json.dumps(runs, indent=1))
        return
    table = Table(Column("run", overflow="fold"), "state", "attempt", "why")
    for run in runs:
        table.add_row(
            _plain(run["name"]),
            run["state"],
            str(run["attempt"] or ""),
            _plain(run["why"]["message"]),
        )
    Console().print(table)


@main.command("run")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def run_command(context: click.Context, name: str, as_json: bool) -> None:
    """One run and its stages."""
    run = _client(context).get(run_path(name))
    if as_json:
        click.echo(json.dumps(run, indent=1))
        return
    table = Table("attempt", "stage", "state", "begun (UTC)", "ended (UTC)", "job", "message")
    for stage in run["stages"]:
        job = f"{stage['service']}/{stage['job_id']}" if stage["job_id"] else ""
        table.add_row(
            str(stage["attempt"]),
            stage["stage"],
            stage["state"],
            _moment(stage["begun"]),
            _moment(stage["ended"]),
            job,
            _plain(stage["message"]),
        )
    console = Console()
    console.print(_plain(f"{run['name']}: {run['state']}, {run['why']['message']}"))
    console.print(table)


@main.command("why")
@click.argument("name")
@click.pass_context
def why_command(context: click.Context, name: str) -> None:
    """Why a run stands where it stands, and what to do."""
    run = _client(context).get(run_path(name))
    why = run["why"]
    click.echo(f"{run['name']} is {run['state']}: {why['message']}")
    click.echo(f"  is the data safe?  {why['data_safe']}")
    click.echo(f"  how urgent?        {why['urgency']}")
    if why["hint"]:
        click.echo(f"  what to do:        {why['hint']}")
    if why["code"]:
        click.echo(f"  code:              {why['code']}")


@main.command("retry")
@click.argument("name")
@click.pass_context
def retry_command(context: click.Context, name: str) -> None:
    """Try the failed stages of a run again; safe to do twice."""
    stages = _client(context).post(run_path(name, "retry"))["retried"]
    click.echo(f"tried again: {', '.join(stages)}" if stages else "nothing had failed")


@main.command("redo")
@click.argument("name")
@click.option("--from", "first", required=True, help="The first stage to do again.")
@click.option("--reason", default="", help="Kept in the history.")
@click.pass_context
def redo_command(context: click.Context, name: str, first: str, reason: str) -> None:
    """Do a run again from a stage on; data made anew is a new attempt beside the old one."""
    answer = _client(context).post(run_path(name, "redo"), {"from": first, "reason": reason})
    click.echo(f"{name} goes on from {first} as attempt {answer['attempt']}")


@main.command("adopt")
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every run that waits for it.")
@click.pass_context
def adopt_command(context: click.Context, names: tuple[str, ...], everything: bool) -> None:
    """Let runs that were here at the first start be worked on."""
    client = _client(context)
    if everything:
        names = tuple(run["name"] for run in client.get("runs")["runs"] if _adoptable(run))
    for name in names:
        client.post(run_path(name, "adopt"))
        click.echo(f"adopted {name}")


def _adoptable(run: dict[str, Any]) -> bool:
    return not run["adopted"] and run["verdict"] != "refused"


@main.command("hold")
@click.argument("name")
@click.option("--reason", required=True)
@click.pass_context
def hold_command(context: click.Context, name: str, reason: str) -> None:
    """Let no stage of a run begin; what runs goes on."""
    _client(context).post(run_path(name, "hold"), {"reason": reason})
    click.echo(f"{name} is held")


@main.command("unhold")
@click.argument("name")
@click.pass_context
def unhold_command(context: click.Context, name: str) -> None:
    """End the hold of a run."""
    _client(context).post(run_path(name, "unhold"))
    click.echo(f"{name} goes on")


main.add_command(simulate)
main.add_command(judge)

if __name__ == "__main__":
    main()
