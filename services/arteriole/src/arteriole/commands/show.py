"""Commands that read: run, why, holds; `runs` is in listing."""

from typing import Any

import click
from rich import box
from rich.table import Column, Table

from arteriole.client import Client, ClientError, run_path
from arteriole.commands.sheet_taken import in_words, sheet_taken
from arteriole.commands.terminal import as_json, cell, client_of, console, moment, plain, say
from arteriole.runfolder.states import RunState

STYLE: dict[str, Any] = {"box": box.SIMPLE_HEAD, "padding": (0, 1, 0, 0)}

#: So much of a run's name stands in one line, to be copied.
NAME_WIDTH = 36
#: What a hold is of, by its scope.
_HELD = {"run": "{}", "instrument": "all runs of {}", "all": "all runs"}

json_option = click.option("--json", "json_", is_flag=True, help="As JSON.")


def say_silence(client: Client) -> None:
    """What the orchestrator's silence means for all runs, if it is silent."""
    silence = client.health().get("silence")
    if silence is not None:
        say(f"{silence['message']} [{silence['code']}]")
        say(f"  {silence['hint']}")


def marks(run: dict[str, Any]) -> list[str]:
    """What is unusual about a run or its newest attempt."""
    newest = run["attempts"][-1] if run["attempts"] else {}
    return [
        mark
        for mark, is_so in (
            ("held", run["held"] is not None),
            ("degraded", newest.get("degraded", False)),
            ("waived", run["waiver"] is not None and not run["attempts"]),
            ("observed", run["observed"]),
        )
        if is_so
    ]


def _told(run: dict[str, Any]) -> str:
    """Its state, and its marks as far as the state does not tell them."""
    state = str(run["standing"])
    return ", ".join([state, *(mark for mark in marks(run) if mark != state)])


@click.command("run")
@click.argument("name", metavar="RUN")
@json_option
@click.pass_context
def run_command(context: click.Context, name: str, json_: bool) -> None:
    """One run, its attempts and its stages."""
    run = client_of(context).get(run_path(name))
    if json_:
        as_json(run)
        return
    say(f"{run['name']}: {_told(run)}; {run['why']['message']}")
    if run["waiver"] is not None:
        waiver = run["waiver"]
        ignored = ", ".join(waiver["ignore"]) or "nothing named"
        say(f"waived by {waiver['by']}, to ignore {ignored}: {waiver['reason']}")
    for rule in run["waived_rules"]:
        say(f"waived by {rule['by']}, for its sheet, {rule['rule']}: {rule['reason']}")
    for attempt in run["attempts"]:
        say(_attempt(attempt))
    made = {attempt["attempt"]: attempt["made"] for attempt in run["attempts"]}
    table = Table(
        "attempt",
        Column("stage", overflow="fold"),
        Column("state", no_wrap=True),
        Column("begun (UTC)", no_wrap=True),
        "ended (UTC)",
        Column("job", overflow="fold", min_width=12),
        **STYLE,
    )
    for stage in run["stages"]:
        job = f"{stage['service']}/{stage['job_id']}" if stage["job_id"] is not None else ""
        table.add_row(
            str(stage["attempt"]),
            cell(stage["stage"]),
            stage["state"],
            moment(stage["begun"]),
            _ended(stage, made.get(stage["attempt"])),
            cell(job),
        )
    if run["stages"]:
        console().print(table)
    for stage in run["stages"]:
        if stage["progress"] is not None:
            say(f"{stage['stage']} of attempt {stage['attempt']}: {how_far(stage['progress'])}")
        if stage["message"] not in run["why"]["message"]:
            say(f"{stage['stage']} of attempt {stage['attempt']}: {stage['message']}")


def how_far(progress: dict[str, Any]) -> str:
    """How far a job is, and about when it ends.

    >>> how_far({"done": 300, "total": 400, "unit": "tiles", "percent": 75})
    '300 of 400 tiles (75 %)'
    >>> how_far({"done": 300, "total": 400, "unit": "tiles", "percent": 75,
    ...          "per_second": 0.05, "ends": "2026-11-23T14:00:05.123Z"})
    '300 of 400 tiles (75 %), 3 a minute, until about 2026-11-23 14:00 UTC'
    >>> how_far({"done": 10**9, "total": 4 * 10**9, "unit": "bytes", "percent": 25,
    ...          "per_second": 1.25e8, "ends": "2026-11-23T14:00:05.123Z"})
    '1,000,000,000 of 4,000,000,000 bytes (25 %), 125 MB a second, until about 2026-11-23 14:00 UTC'
    """
    done, total, unit = progress["done"], progress["total"], progress["unit"]
    told = f"{done:,} of {total:,} {unit} ({progress['percent']} %)"
    if "ends" not in progress:
        return told
    rate, every = progress["per_second"] * 60, "a minute"
    if unit == "bytes":
        rate, every = progress["per_second"] / 1e6, "MB a second"
    speed = f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
    return f"{told}, {speed} {every}, until about {moment(progress['ends'])[:16]} UTC"


def _ended(stage: dict[str, Any], made: str | None) -> str:
    """When it ended; the time alone if that was on the day on which it, or its attempt, began."""
    begun, ended = moment(stage["begun"] or made), moment(stage["ended"])
    same_day = begun and ended[:10] == begun[:10]
    return ended[11:] if same_day else ended


def _attempt(attempt: dict[str, Any]) -> str:
    noted = [word for word in ("observed", "degraded", "aborted") if attempt[word]]
    if attempt["ignore"]:
        noted.append(f"ignores {', '.join(attempt['ignore'])}")
    if attempt["waived_rules"]:
        noted.append(f"goes without {', '.join(attempt['waived_rules'])}")
    told = f": {', '.join(noted)}" if noted else ""
    return f"attempt {attempt['attempt']} of {moment(attempt['made'])} UTC{told}"


@click.command("why")
@click.argument("name", metavar="RUN")
@json_option
@click.pass_context
def why_command(context: click.Context, name: str, json_: bool) -> None:
    """Why a run stands where it stands, and what to do."""
    client = client_of(context)
    run = client.get(run_path(name))
    why = run["why"]
    sheet, unknown = _sheet(context, run)
    if json_:
        as_json({**why, "sheet": sheet})
        return
    say(f"{run['name']} is {run['standing']}: {why['message']}")
    samples = "not known" if why["samples"] is None else str(why["samples"])
    for question, answer in (
        ("is the data safe?", why["data_safe"]),
        ("how urgent?", why["urgency"]),
        ("until when?", why["until"]),
        ("how many samples?", samples),
        ("which sheet?", in_words(sheet) if sheet else unknown),
        ("what to do:", why["hint"]),
        ("code:", why["code"]),
        ("read on in:", why["page"]),
    ):
        if answer:
            say(f"  {question:18} {answer}")
    if run["state"] not in (RunState.DONE, RunState.CANCELLED):
        say_silence(client)


def _sheet(context: click.Context, run: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The one that was accepted or handed in, if any, and why that cannot be told; where no service
    bcl2fastq is known, there is none to tell of.
    """
    try:
        bcl2fastq = client_of(context, "bcl2fastq")
    except ClientError:
        return None, ""
    try:
        return sheet_taken(bcl2fastq, run), ""
    except ClientError as err:
        return None, f"not known: {err} [{err.code}]"


@click.command("holds")
@json_option
@click.pass_context
def holds_command(context: click.Context, json_: bool) -> None:
    """Every hold: of a run, of an instrument's runs, of all."""
    holds = client_of(context).get("holds")["holds"]
    if json_:
        as_json(holds)
        return
    if not holds:
        say("nothing is held")
        return
    held = [plain(_HELD[hold["scope"]].format(hold["name"])) for hold in holds]
    width = min(NAME_WIDTH, max(map(len, held)))
    table = Table(
        Column("held", overflow="fold", width=width), "since (UTC)", "by", "reason", **STYLE
    )
    for hold, what in zip(holds, held, strict=True):
        table.add_row(
            cell(what),
            moment(hold["since"]),
            cell(hold["by"]),
            cell(hold["reason"]),
        )
    console().print(table)
