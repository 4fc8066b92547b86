"""The command `arteriole let-pass`: a job begins though its volume has too little space."""

import click

from arteriole.client import run_path
from arteriole.commands.terminal import client_of, say


@click.command("let-pass", short_help="Let a job begin that waits for space on its volume.")
@click.argument("run")
@click.option("--reason", required=True, help="Kept in the history of the job.")
@click.pass_context
def let_pass_command(context: click.Context, run: str, reason: str) -> None:
    """Let the jobs of a run begin that wait for space on the volume that they are to write to.

    One that finds too little fails, leaves nothing behind, and is tried again by `arteriole retry`.
    Safe to do twice.
    """
    stages = client_of(context).get(run_path(run))["stages"]
    passed = []
    for stage in stages:
        if stage["state"] == "running" and stage["job_id"] is not None:
            client = client_of(context, stage["service"])
            if client.get(f"status/{stage['job_id']}")["lacks_space"]:
                answer = client.post(f"let-pass/{stage['job_id']}", {"reason": reason})
                passed += [stage["stage"]] if answer["passed"] else []
    say(f"begins whatever is free: {', '.join(passed)}" if passed else "nothing waits for space")
