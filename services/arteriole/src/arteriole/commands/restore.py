"""The command that brings an archived attempt back, and waits for it."""

import time
import uuid
from typing import Any
from urllib.parse import quote

import click

from arteriole.client import Client, ClientError, run_path
from arteriole.commands.terminal import client_of, complain, say

#: Seconds between two looks at the job.
POLL = 1.0
OPEN = ("pending", "started")


@click.command("restore", short_help="Bring an archived attempt back from the archive.")
@click.argument("name", metavar="RUN")
@click.option("--attempt", type=click.IntRange(1, 9999), help="The run's newest, if left out.")
@click.option("--from", "destination", default="", help="An archive's name in arteriole.yaml.")
@click.option(
    "--part",
    type=click.Choice(["data", "runfolder", "fastq", "results"]),
    default="data",
    show_default=True,
)
@click.option("--sample", default="", help="Only the FASTQs of this sample.")
@click.option("--file", "file", default="", help="Only this file: runfolder/PATH or fastq/PATH.")
@click.option("--no-wait", is_flag=True, help="Only start it.")
@click.pass_context
def restore_command(
    context: click.Context,
    name: str,
    attempt: int | None,
    destination: str,
    part: str,
    sample: str,
    file: str,
    no_wait: bool,
) -> None:
    """Bring an archived attempt, its results, or some of it back below archive.restore_root.

    Every byte is verified; what is there already is verified and left. Ctrl-C ends the waiting,
    not the job. Safe to do twice.
    """
    attempt = attempt or _newest(context, name)
    client = client_of(context, "archive")
    body = {"attempt": attempt, "destination": destination, "part": part}
    body |= {name: word for name, word in (("sample", sample), ("file", file)) if word}
    key = f"{name}.restore.{attempt}.{uuid.uuid4().hex}"
    job = client.post(f"restore/{quote(name, safe='')}", body, key)
    say(f"bringing back {part} of {name}, attempt {attempt}: archive/{job['job_id']}")
    if not no_wait:
        _wait(context, client, job)


def _newest(context: click.Context, name: str) -> int:
    found = client_of(context).get(run_path(name)).get("attempt")
    if not found:
        raise ClientError(f"{name} has no attempt", hint="name one with --attempt")
    return int(found)


def _wait(context: click.Context, client: Client, job: dict[str, Any]) -> None:
    unit = ""
    while job["state"] in OPEN:
        time.sleep(POLL)
        job = client.get(f"status/{job['job_id']}")
        progress = job["progress"] or {}
        if progress.get("unit", unit) not in (unit, "bytes"):
            unit = progress["unit"]
            say(f"waiting: {progress['done']} of {progress['total']} {unit}")
    result = job["result"]
    if job["state"] != "done":
        complain(f"{job['message']} [{job['code']}]", job["hint"])
        context.exit(1)
    elif job["observed"]:
        would = result["would"]
        say(f"it would be brought to {would['to']}: {would['files']} files, {would['bytes']} bytes")
    else:
        there = result["already"] == result["units"]
        said = "was there already, and is whole" if there else "is there, every byte verified"
        say(f"{result['to']} {said}: {result['files']} files, {result['bytes']} bytes")
        if job["code"]:
            complain(f"{job['message']} [{job['code']}]", job["hint"])
