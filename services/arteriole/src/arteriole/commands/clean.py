"""The command that tells what of a run may go, and takes it away where people say so."""

import time
import uuid
from typing import Any
from urllib.parse import quote

import click

from arteriole.app import times
from arteriole.client import Client, ClientError, run_path
from arteriole.commands.terminal import client_of, complain, say

#: Seconds between two looks at the job.
POLL = 0.5


@click.command("clean", short_help="List what of a run may go; with --delete move it into a bin.")
@click.argument("name", metavar="RUN")
@click.option("--attempt", type=click.IntRange(1, 9999), help="The run's newest, if left out.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(["raw", "fastq", "results"]),
    multiple=True,
    help="Of this kind alone; without it raw and fastq go, and all three are listed.",
)
@click.option("--delete", is_flag=True, help="Move it into the bin of its file system.")
@click.option("--empty", is_flag=True, help="Remove what has lain in the bin long enough.")
@click.option("--reason", default="", help="Why; it is kept with your name.")
@click.pass_context
def clean_command(
    context: click.Context,
    name: str,
    attempt: int | None,
    kinds: tuple[str, ...],
    delete: bool,
    empty: bool,
    reason: str,
) -> None:
    """List what of the site's own copy of a run may go, and what speaks against the rest.

    Nothing goes without --delete, without archive.clean in arteriole.yaml, before the policy's
    days are over, or without archives that have the very same. --empty is for good.
    """
    if delete and empty:
        raise click.UsageError("--delete and --empty exclude each other")
    runs, client = client_of(context), client_of(context, "archive")
    newest, evidence = _evidence_of(runs, name)
    verb = "delete" if delete else "empty" if empty else "list"
    asked = list(kinds) or ["raw", "fastq", *(["results"] if verb == "list" else [])]
    body = {
        "attempt": attempt or newest,
        "verb": verb,
        "kinds": asked,
        "reason": reason,
        "evidence": evidence,
    }
    if "results" in asked:
        where = f"clean/{quote(name, safe='')}/{body['attempt']}"
        merged = (_merged(runs, other) for other in client.get(where)["merged"])
        evidence["merged"] = [told for told in merged if told]
    key = f"{name}.clean.{uuid.uuid4().hex}"
    answer = client.post(f"clean/{quote(name, safe='')}", body, key)
    if "job_id" not in answer:
        say(f"{answer['message']}; {answer['hint']}")
        return
    context.exit(_told(_ended(client, answer)))


def _evidence_of(client: Client, name: str) -> tuple[int, dict[str, Any]]:
    """The run's newest attempt, and what the archive is told of the run."""
    now = times.now()  # NB: it is at least as new as this
    cursor = client.get("runs", brief="true", limit="1")["next"]
    run = client.get(run_path(name))
    if not run["attempt"]:
        raise ClientError(f"{name} has no attempt", hint="only a run that is done is taken away")
    return int(run["attempt"]), {
        "state": run["state"],
        "held": run["held"] is not None,
        "observed": run["observed"],
        "attempt": run["attempt"],
        "cursor": cursor,
        "time": now,
    }


def _merged(client: Client, name: str) -> dict[str, Any]:
    """What the archive is told of another run whose reads are in the results; empty: nothing."""
    try:
        return {"run": name, "held": client.get(run_path(name))["held"] is not None}
    except ClientError:
        return {}


def _ended(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    while job["state"] in ("pending", "started"):
        time.sleep(POLL)
        job = client.get(f"status/{job['job_id']}")
    return job


def _told(job: dict[str, Any]) -> int:
    """Tell what became of it; the exit code."""
    if job["state"] != "done" or job["code"]:
        complain(f"{job['message']} [{job['code']}]", job["hint"])
    result = job["result"].get("would", job["result"])
    if "kinds" not in result:
        return 1
    if "objections" not in result:
        for kind, where in result.get("gone", {}).items():
            say(f"{kind}: nothing to do, it {where}")
        for kind, proof in result["kinds"].items():
            copies = ", ".join(sorted(proof["archives"]))
            deed = "removed from" if "emptied" in proof else "moved into"
            say(f"{kind}: {deed} {proof['bin']}; archived in {copies}")
        return 1 if job["code"] else 0
    for objection in result["objections"]:
        say(f"stays: {objection['message']} [{objection['code']}]")
    for kind in result["kinds"]:
        _tell(kind, bool(result["objections"]))
    return 0


def _tell(kind: dict[str, Any], whole_run_stays: bool) -> None:
    where = f"{kind['kind']}: {kind['where']}"
    if kind.get("gone"):
        say(f"{where} {kind['gone']}")
    elif kind["objections"]:
        said = "; ".join(f"{one['message']} [{one['code']}]" for one in kind["objections"])
        say(f"{where} stays: {said}")
    else:
        word = "could go, if that were not" if whole_run_stays else "may go"
        say(f"{where} {word}: {kind['files']} files, {kind['bytes']} bytes")
