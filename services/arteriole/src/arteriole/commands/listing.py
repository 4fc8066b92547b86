"""`arteriole runs`: every run, in the order of the page: those that need a person first."""

from collections import defaultdict
from typing import Any

import click
from rich.table import Column, Table

from arteriole.commands.show import NAME_WIDTH, STYLE, json_option, say_silence
from arteriole.commands.terminal import as_json, cell, client_of, console, plain, say
from arteriole.runfolder.standings import WORDS, Group
from arteriole.runfolder.why import AT_RISK

#: Longest reason; `arteriole why` tells the whole.
FEW_WORDS = 60
#: The longest word for how a run stands.
STANDING_WIDTH = len("unreachable")
#: So many of those at rest are listed, those that changed last.
AT_REST = 20


class Standing(click.Choice[str]):
    """As it is listed, or with underscores."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(value.replace(" ", "_"), param, ctx)


@click.command("runs")
@click.option("--state", type=Standing(WORDS), metavar="WORD", help="Only those that stand so.")
@click.option("--all", "everything", is_flag=True, help="All of those at rest, too.")
@json_option
@click.pass_context
def runs_command(context: click.Context, state: str | None, everything: bool, json_: bool) -> None:
    """Every run and its state, those that need a person first.

    Of those at rest the last twenty, unless a state is asked for. A word is one that is listed, or
    a state of Arteria's.
    """
    query = {} if state is None else {"state": state}
    client = client_of(context)
    if json_:
        as_json(client.get("runs", **query)["runs"])
        return
    answer = client.get("runs", brief="true", **query)
    groups = _grouped(answer["runs"])
    resting = groups[Group.REST]
    shown = resting if everything or state is not None else resting[:AT_REST]
    if answer["runs"]:
        _list([*groups[Group.PERSON], *groups[Group.UNDERWAY], *shown])
    else:
        said = "" if state is None else state.replace("_", " ")
        say(f"no run is {said}" if said else "no run was seen yet")
    if resting[len(shown) :]:
        say(f"{len(resting) - len(shown)} more are at rest: arteriole runs --all")
    say_silence(client)
    if answer.get("mode") == "observe":
        say("mode: observe; what would be done is worked out, and nothing is done")


def _grouped(runs: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The newest change first; of those that need a person what is at risk, then the oldest."""
    groups = defaultdict(list)
    for run in sorted(runs, key=lambda run: str(run["since"]), reverse=True):
        groups[run["group"]].append(run)
    groups[Group.PERSON].reverse()
    groups[Group.PERSON].sort(key=lambda run: run["why"]["urgency"] != AT_RISK)
    return groups


def _list(runs: list[dict[str, Any]]) -> None:
    screen = console()
    longest = max(len(plain(run["name"])) for run in runs)
    name, state, attempt = min(longest, NAME_WIDTH), STANDING_WIDTH, len("degraded")
    few = min(FEW_WORDS, max(12, screen.width - name - state - attempt - 9))
    table = Table(
        Column("run", overflow="fold", width=name),
        Column("state", width=state),
        Column("why", overflow="fold", width=few),
        Column("attempt", width=attempt),
        **STYLE,
    )
    for run in runs:
        marks = [mark for mark in ("held", "degraded", "waived", "observed") if _has(run, mark)]
        table.add_row(
            cell(run["name"]),
            run["standing"],
            cell(_reason(run["why"], few)),
            "\n".join([*([str(run["attempt"])] if run["attempt"] else []), *marks]),
        )
    screen.print(table)


def _has(run: dict[str, Any], mark: str) -> bool:
    """Whether this is unusual about it; once it has an attempt, that is degraded, not waived."""
    return bool(run[mark]) and (mark != "waived" or run["attempt"] == 0)


def _reason(why: dict[str, Any], room: int) -> str:
    """The code, which names the point, and the message as far as there is room.

    >>> why = {"code": "run.no_sheet", "message": "all 1425 files are there, and no sheet"}
    >>> _reason(why, 16)
    'run.no_sheet'
    >>> _reason(why, 60)
    'run.no_sheet: all 1425 files are there, and no sheet'
    >>> _reason({"code": "", "message": "all stages are done"}, 16)
    'all stages are done'
    """
    if not why["code"]:
        return _few_words(why["message"])
    return why["code"] if room < FEW_WORDS // 2 else _few_words(f"{why['code']}: {why['message']}")


def _few_words(text: str) -> str:
    """The beginning of `text`; a long path does not hide what comes before it, nor itself.

    >>> _few_words("convert failed: " + "/data" * 12)
    'convert failed: /data/data/data/data/data/data/data/data ...'
    """
    words = " ".join(plain(text).split())
    return words if len(words) <= FEW_WORDS else f"{words[: FEW_WORDS - 4].rstrip()} ..."
