"""The command `arteriole steps`: how far the analyses of a run are, and what their steps said."""

from typing import Any

import click
from rich.table import Column, Table

from arteriole.app.errors import NotFoundError
from arteriole.client import run_path
from arteriole.commands.show import STYLE, json_option
from arteriole.commands.terminal import as_json, cell, client_of, console, moment, say


@click.command("steps")
@click.argument("run")
@click.option("--attempt", type=click.IntRange(1, 9999), help="The newest if left out.")
@click.option("--stage", help="Only of this stage.")
@click.option("--output", metavar="ID", help="What this step printed, instead of the list.")
@json_option
@click.pass_context
def steps_command(
    context: click.Context,
    run: str,
    attempt: int | None,
    stage: str | None,
    output: str | None,
    json_: bool,
) -> None:
    """The steps of a run's analyses, and what they printed."""
    steps = _steps(context, run, attempt, stage)
    if output is not None:
        steps = [one for one in steps if output in (one["id"], _short(one))]
        if not steps:
            raise NotFoundError(
                f"{run} has no step {output!r}",
                hint=f"arteriole steps {run} lists them",
                code="job.not_found",
            )
    if json_:
        as_json(steps)
    elif output is not None:
        _print(steps[0])
    elif steps:
        _list(steps)
    else:
        say(f"{run} has no analyses so far")


def _steps(
    context: click.Context, run: str, attempt: int | None, stage: str | None
) -> list[dict[str, Any]]:
    """Those of every job of the attempt, the oldest first."""
    wanted = attempt or client_of(context).get(run_path(run))["attempt"]
    wes = client_of(context, "wes")
    jobs = wes.get("status", run=run, attempt=str(wanted), limit="1000")["jobs"]
    return [
        {"stage": job["stage"], **step}
        for job in reversed(jobs)
        if stage in (None, job["stage"])
        for step in wes.get(f"tasks/{job['job_id']}")["tasks"]
    ]


def _list(steps: list[dict[str, Any]]) -> None:
    table = Table(
        Column("id", no_wrap=True),
        Column("unit", overflow="fold", min_width=20),
        Column("step", overflow="fold", min_width=10),
        Column("state", no_wrap=True),
        Column("begun (UTC)", no_wrap=True),
        **STYLE,
    )
    for step in steps:
        code = step["exit_code"]
        told = f" ({code})" if step["state"] == "failed" and code is not None else ""
        table.add_row(
            _short(step),
            cell(step["unit"]),
            cell(step["step"]),
            f"{step['state']}{told}",
            moment(step["begun"]),
        )
    console().print(table)
    for step in steps:
        if step["state"] == "failed":
            say(f"{step['unit']}, {step['step']}:")
            _print(step)


def _short(step: dict[str, Any]) -> str:
    """Its id without what all ids of the service have in common: job, unit, step."""
    return str(step["id"]).split("-", 2)[-1]


def _print(step: dict[str, Any]) -> None:
    if step["message"]:
        say(f"  {step['message']}")
    for stream in ("stdout", "stderr"):
        for line in step[stream].splitlines():
            say(f"  {line}")
