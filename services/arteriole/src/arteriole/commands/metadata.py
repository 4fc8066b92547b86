"""Commands on the metadata of samples: show, check, sources, thaw."""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.table import Column, Table

from arteriole.app.errors import NotFoundError
from arteriole.commands.show import STYLE, json_option
from arteriole.commands.terminal import as_json, cell, client_of, complain, console, moment, say
from arteriole.metadata.sources import csv_table
from arteriole.metadata.sources.csv_table import TableError


@click.group("metadata", short_help="What is known of samples.")
def metadata_group() -> None:
    """What is known of samples, and where from."""


@metadata_group.command("show")
@click.argument("sample")
@json_option
@click.pass_context
def show_command(context: click.Context, sample: str, json_: bool) -> None:
    """The record of a sample, as the sources have it now."""
    if sample in ("", ".", ".."):
        raise NotFoundError(f"{sample!r} is no sample", code="metadata.unknown")
    found = client_of(context, "metadata").get(f"samples/{quote(sample, safe='')}")
    if json_:
        as_json(found)
        return
    told = f"version {found['version']} of {moment(found['time'])} UTC, from {found['source']}"
    say(f"{found['sample']}: {told}")
    for name, value in found["record"].items():
        if value not in ("", []):
            say(f"  {name:15} {' '.join(value) if isinstance(value, list) else value}")
    if found["trouble"] is not None:
        trouble = found["trouble"]
        say(f"it is not known any more: {trouble['message']} [{trouble['code']}]")


@metadata_group.command("check", short_help="Check a CSV before it is dropped.")
@click.argument("file", type=click.Path(path_type=Path))
def check_command(file: Path) -> None:
    """Check a CSV before it is dropped; exit code 1 if anything of it would be refused."""
    try:
        with open(file, "rb") as opened:
            table = csv_table.read(opened.read(csv_table.SIZE_LIMIT + 1), str(file))
    except OSError as err:
        raise TableError(str(file), 0, f"it cannot be read: {err.strerror or err}") from err
    for refusal in table.refused:
        complain(f"{refusal} [{refusal.code}]")
    samples, refused = len(table.entries), len(table.refused)
    say(f"{file}: {samples} sample{'s' * (samples != 1)}, {refused or 'nothing'} refused")
    if refused:
        sys.exit(1)


@metadata_group.command("thaw", short_help="Give up wrong records by which an attempt goes.")
@click.argument("run")
@click.argument("samples", nargs=-1, required=True, metavar="SAMPLE...")
@click.option("--attempt", type=click.IntRange(1, 9999), help="The newest if left out.")
@click.option("--reason", required=True, help="Why, for the records.")
@click.pass_context
def thaw_command(
    context: click.Context, run: str, samples: tuple[str, ...], attempt: int | None, reason: str
) -> None:
    """Give up records by which an attempt goes, because they were wrong.

    Correct them at their source first. Results that were made with them stay as they are.
    """
    name = quote(run, safe="")
    if attempt is None:
        attempt = int(client_of(context, "runfolder").get(f"runs/{name}")["attempt"])
    body = {"samples": list(samples), "reason": reason}
    client_of(context, "metadata").post(f"thaw/{name}/{attempt}", body)
    say(f"{run}: {len(set(samples))} given up of attempt {attempt}")
    say(f"now: arteriole redo {run} --from analyse")


@metadata_group.command("sources")
@json_option
@click.pass_context
def sources_command(context: click.Context, json_: bool) -> None:
    """The sources, how they are, and what of their tables is refused."""
    found = client_of(context, "metadata").get("sources")["sources"]
    if json_:
        as_json(found)
        return
    table = Table("source", "kind", "state", "samples", "rejected",
                  Column("last error (UTC)", overflow="fold"), **STYLE)  # fmt: skip
    for source in found:
        error = source["last_error"]
        table.add_row(
            cell(source["name"]),
            source["kind"],
            source["state"],
            str(source.get("samples", "")),
            str(source.get("rejected", "")),
            cell(f"{moment(error['time'])} {error['message']}" if error else ""),
        )
    console().print(table)
    for source in found:
        for row in source.get("rejected_rows", ()):
            say(_refused(row))


def _refused(row: dict[str, Any]) -> str:
    where = f"{row['file']}:{row['line']}" if row["line"] else row["file"]
    told = ": ".join(filter(None, (where, row["column"], row["message"])))
    return f"{told} [{row['code']}]"
