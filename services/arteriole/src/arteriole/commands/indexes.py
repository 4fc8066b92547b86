"""The command that tells whether the indexes that were read are those of the sheet."""

import base64
import difflib
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.table import Column, Table

from arteriole.bcl2fastq.indexes.examination import Question, examine
from arteriole.client import ClientError, run_path
from arteriole.commands.accept_sheet import accept as accept_sheet
from arteriole.commands.comparison import Comparisons
from arteriole.commands.show import STYLE, json_option
from arteriole.commands.terminal import as_json as print_json
from arteriole.commands.terminal import cell, client_of, complain, console, say
from arteriole.illumina.sheet_text import SIZE_LIMIT

#: Samples of a lane that are shown where all is well; every one with --json.
SHOWN = 400


@click.command("indexes", short_help="Whether the indexes that were read are those of the sheet.")
@click.argument("run")
@click.option("--again", is_flag=True, help="Compare again, with the sheet that is there now.")
@click.option("--proposal", is_flag=True, help="Print the sheet that is proposed, and no more.")
@click.option("--accept", is_flag=True, help="Make the sheet that is proposed the run's.")
@click.option("--reason", help="Of --accept: kept in the history.")
@click.option(
    "--sheet",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="RUN is a folder: compare it with this sheet, without a service.",
)
@json_option
@click.pass_context
def indexes_command(
    context: click.Context,
    run: str,
    again: bool,
    proposal: bool,
    accept: bool,
    reason: str | None,
    sheet: Path | None,
    json_: bool,
) -> None:
    """Compare the indexes that RUN's instrument has read with its sample sheet.

    It can be asked as soon as the index cycles are on disk. Nothing is written into the run folder,
    and no sheet is changed but with --accept: then the proposed sheet is handed in as the run's,
    and compared; if it fits, the hold that the comparison put is ended. That is safe to do twice;
    where the site asks for two people, each does it. Ends with 0 when the sheet is the run's, with
    1 when it is not, or that cannot be told.
    """
    if accept != bool(reason) or (accept and (again or proposal or sheet)):
        raise click.UsageError("give --accept and --reason TEXT together, with none but --json")
    if sheet is not None:
        _of_folder(context, Path(run), sheet, proposal, json_)
        return
    client = client_of(context, "bcl2fastq")
    path = f"indexes/{quote(run, safe='')}/proposal"
    if proposal:
        _print(base64.b64decode(client.get(path)["base64"]))
        return
    comparisons = Comparisons(run, client_of(context), client)
    found = accept_sheet(comparisons, reason) if reason else comparisons.newest(again=again)
    if found is None:
        context.exit(1)
    job, diagnosis = found["job"], found["diagnosis"]
    if json_:
        print_json(found)
    elif job["state"] != "done" or diagnosis is None:
        complain(f"{job['message'] or 'the job was stopped'} [{job['code']}]", job["hint"])
    else:
        _show(diagnosis)
        if diagnosis["proposal_sha256"] is not None:
            proposed = client.get(path)
            _show_proposal(_sheet(context, run), base64.b64decode(proposed["base64"]))
            say(f"the whole sheet: arteriole indexes {run} --proposal > {run}.csv")
            word = found["acceptance"] or {}
            if word.get("message"):
                say(word["message"])
            say(f"to make it the run's: arteriole indexes {run} --accept --reason TEXT")
    context.exit(0 if job["state"] == "done" and diagnosis and not diagnosis["code"] else 1)


def _of_folder(
    context: click.Context, run_dir: Path, sheet: Path, proposal: bool, json_: bool
) -> None:
    if not run_dir.is_dir():
        raise click.BadParameter(f"{run_dir} is not a folder", param_hint="RUN")
    with open(sheet, "rb") as file:
        data = file.read(SIZE_LIMIT + 1)
    found = examine(Question(run_dir, data))
    if proposal:
        if found.proposal is None:
            raise ClientError("no sheet is proposed", code="indexes.no_proposal")
        _print(found.proposal)
    elif json_:
        print_json(found.whole)
    else:
        _show(found.whole)
        if found.proposal is not None:
            _show_proposal(data, found.proposal)
    context.exit(0 if not found.whole["code"] else 1)


def _sheet(context: click.Context, run: str) -> bytes | None:
    """The sheet as it is now; None if it is in the run folder, which may be out of sight here."""
    found = client_of(context).get(run_path(run, "sheet"))
    if found.get("base64"):
        return base64.b64decode(found["base64"])
    try:
        path = Path(client_of(context).get(run_path(run))["path"]) / "SampleSheet.csv"
        return path.read_bytes()
    except OSError:
        return None


def _print(data: bytes) -> None:
    """As it is, to be redirected into a file."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _show(diagnosis: dict[str, Any]) -> None:
    for lane in diagnosis["lanes"]:
        _show_lane(lane, is_proposed=diagnosis["reading"] is not None)
    if not diagnosis["code"]:
        say("nothing is wrong with the indexes of the sheet, as far as counts can show")
        return
    say(f"{diagnosis['message']} [{diagnosis['code']}]")
    if diagnosis["by_hand"]:
        say(f"correct it by hand: {diagnosis['by_hand']}")
    elif diagnosis["reading"] is None:
        say("no sheet is proposed: which sample is which, counts cannot tell")


def _show_lane(lane: dict[str, Any], *, is_proposed: bool) -> None:
    name = f"lane {lane['lane']}"
    if lane["not_judged"]:
        say(f"{name}: {lane['not_judged']}")
        return
    which = "that passed the filter" if lane["passed_only"] else "of all, before the filter"
    say(
        f"{name}: {lane['there']} of {lane['expected']} samples have reads;"
        f" {lane['clusters']} clusters {which}, of {len(lane['tiles'])} tiles"
    )
    table = Table(
        Column("Sample", overflow="fold"),
        Column("index+index2", no_wrap=True),
        Column("Reads", justify="right"),
        Column("Share", justify="right"),
        *([Column("As proposed", justify="right")] if is_proposed else []),
        Column("Verdict"),
        **STYLE,
    )
    for row in lane["samples"][:SHOWN]:
        shown = [row["sample_id"], _pair(row), str(row["reads"]), f"{row['share']:.2%}"]
        if is_proposed:
            shown.append(str(row.get("proposed", "")))
        table.add_row(*map(cell, [*shown, row["verdict"]]))
    left = lane["samples_left_out"] + max(0, len(lane["samples"]) - SHOWN)
    for row in lane["unknown"]:
        shown = ["(unknown)", _pair(row), str(row["reads"]), f"{row['share']:.2%}"]
        table.add_row(*map(cell, [*shown, *([""] if is_proposed else []), row["like"] or "nobody"]))
    console().print(table)
    if left:
        say(f"... and {left} more samples; --json has up to 2000 a lane")


def _pair(row: dict[str, Any]) -> str:
    return "+".join(filter(None, (row["index"], row["index2"])))


def _show_proposal(before: bytes | None, proposed: bytes) -> None:
    """What would be another line of the sheet."""
    if before is None:
        return
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (before, proposed))
    for line in difflib.unified_diff(old, new, "the sheet", "proposed", n=0, lineterm=""):
        say(line)
