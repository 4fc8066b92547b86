"""The command `arteriole log`: what the job of a stage prints, while it does so."""

import time
from typing import Any

import click

from arteriole.app.errors import NotFoundError
from arteriole.client import Client, run_path
from arteriole.commands.terminal import client_of, complain, say

#: Seconds between two looks at a log that is followed.
EVERY = 1.0


@click.command("log")
@click.argument("run")
@click.option("--stage", help="Of this stage; else of the one that runs, or was begun last.")
@click.option("--follow", is_flag=True, help="Go on until the job ends.")
@click.pass_context
def log_command(context: click.Context, run: str, stage: str | None, follow: bool) -> None:
    """What the newest job of a run printed."""
    chosen = _stage(client_of(context).get(run_path(run)), stage)
    client = client_of(context, chosen["service"])
    path = f"logs/{run}"
    of_job = {"job_id": str(chosen["job_id"])}
    if follow:
        _follow(client, path, of_job)
    elif text := client.text(path, **of_job)[0]:
        _print(text)
    else:
        complain(f"{chosen['service']}/{chosen['job_id']} has printed nothing")


def _stage(run: dict[str, Any], name: str | None) -> dict[str, Any]:
    """The stage whose job is meant; NotFoundError if none has one."""
    with_job = [
        stage
        for stage in run["stages"]
        if stage["job_id"] is not None and name in (None, stage["stage"])
    ]
    if not with_job:
        whose = run["name"] if name is None else f"the stage {name} of {run['name']}"
        raise NotFoundError(
            f"{whose} has no job so far",
            code="job.not_found",
            hint=f"arteriole run {run['name']}",
        )
    return max(with_job, key=lambda stage: (stage["state"] == "running", stage["begun"] or ""))


def _follow(client: Client, path: str, of_job: dict[str, str]) -> None:
    """From the beginning to the end of the job."""
    offset, rest = "0", ""
    while True:
        state = client.get(f"status/{of_job['job_id']}")["state"]  # NB: before the log is read
        text, headers = client.text(path, offset=offset, **of_job)
        lines, newline, rest = (rest + text).rpartition("\n")
        _print(lines + newline)
        offset = headers["X-Log-Offset"]
        if not text and state not in ("pending", "started"):
            _print(rest)
            say(f"the job is {state}")
            return
        if not text:
            time.sleep(EVERY)


def _print(text: str) -> None:
    for line in text.splitlines():
        say(line)
