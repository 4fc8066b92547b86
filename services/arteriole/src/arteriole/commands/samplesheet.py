"""Commands on sample sheets."""

import re
from dataclasses import replace
from pathlib import Path

import click

from arteriole.bcl2fastq import sheets
from arteriole.bcl2fastq.sheet_routes import standard_of
from arteriole.bcl2fastq.sheets import Standard
from arteriole.commands.sheet_report import report
from arteriole.commands.terminal import as_json, console, settings_of
from arteriole.illumina import index_sets, run_file
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.sheet_text import SIZE_LIMIT

_PATH = click.Path(readable=False, path_type=Path)


@click.group("samplesheet")
def samplesheet_group() -> None:
    """Sample sheets."""


def _mismatches(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    if not re.fullmatch("[0-2],[0-2]", text):
        raise click.BadParameter(f"expected two numbers from 0 to 2 as in 1,1; found {text!r}")
    return int(text[0]), int(text[2])


@samplesheet_group.command("check", short_help="What is wrong with a sample sheet.")
@click.argument("file", type=_PATH)
@click.option("--run", "run_dir", type=_PATH, help="The run folder that the sheet belongs to.")
@click.option(
    "--mismatches",
    callback=_mismatches,
    metavar="I7,I5",
    help="Allowed in each index; bcl2fastq.barcode_mismatches, or 1,1, if left out.",
)
@click.option("--json", "machine", is_flag=True, help="Print one JSON document.")
@click.pass_context
def check_command(
    context: click.Context,
    file: Path,
    run_dir: Path | None,
    mismatches: tuple[int, int] | None,
    machine: bool,
) -> None:
    """Say what is wrong with the sample sheet FILE, and where, and what would mend it.

    Needs no service. Without --run it is checked as before its run: what only the run could tell
    is left out. With a configuration the rules of the site count too. Ends with 0 if there is no
    error, with 1 if there is one, with 2 if FILE or the run folder is none.
    """
    if run_dir is not None and not (run_dir / "RunInfo.xml").exists():
        raise click.BadParameter(f"{run_dir} has no RunInfo.xml", param_hint="--run")
    try:
        data = run_file.read(file, SIZE_LIMIT)
    except RunDataError as err:
        raise click.BadParameter(str(err), param_hint="FILE") from err
    standard = _standard(context, mismatches, data)
    found = sheets.check_given(data, None if run_dir is None else run_dir.absolute(), standard)
    if machine:
        as_json(found)
    else:
        report(found, file.name, data, console())
    context.exit(0 if found["ok"] else 1)


def _standard(context: click.Context, mismatches: tuple[int, int] | None, data: bytes) -> Standard:
    """The site's, if a configuration is named."""
    settings = None if context.obj is None else settings_of(context).bcl2fastq
    if settings is None:
        return Standard(mismatches or (1, 1))
    own = standard_of(settings, index_sets.load(settings.index_sets), lambda: data)
    return replace(own, mismatches=mismatches or own.mismatches)
