"""The command that shows when bringing back from each archive was last proved, and proves it."""

from typing import Any

import click

from arteriole.commands.terminal import client_of, complain, moment, say


@click.command("drills", short_help="When bringing back was last proved, archive by archive.")
@click.option("--now", is_flag=True, help="Start one at each archive.")
@click.option("--from", "destination", default="", help="Only at this archive, with --now.")
@click.pass_context
def drills_command(context: click.Context, now: bool, destination: str) -> None:
    """Show the last drill of each archive: files brought back, verified and removed again."""
    if destination and not now:
        raise click.UsageError("give --from with --now")
    client = client_of(context, "archive")
    if now:
        answer = client.post("drills", {"destination": destination})
        for drill in answer["drills"]:
            results = "results of " if drill["part"] == "results" else ""
            of = f"{results}{drill['run']}, attempt {drill['attempt']}"
            say(f"{drill['destination']}: bringing back some of {of}: archive/{drill['job_id']}")
        for one in answer["refused"]:
            complain(f"{one['destination']}: {one['message']} [{one['code']}]", one["hint"])
        context.exit(1 if answer["refused"] else 0)
    for found in client.get("drills")["destinations"]:
        say(_line(found))


def _line(found: dict[str, Any]) -> str:
    last = found["last"]
    good = f"last good {moment(found['last_good'])}" if found["last_good"] else "never a good one"
    line = f"{found['destination']}: {good}, of {found['archived']} attempts archived"
    if last is not None and (last["state"] != "done" or last["code"]):
        code = f" [{last['code']}]" if last["code"] else ""
        line += f"; the last ({last['run']}, archive/{last['job_id']}) is {last['state']}{code}"
    return line
