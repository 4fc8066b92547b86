"""The command `arteriole inspect`."""

import json
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

import click

from arteriole.app.errors import ArterioleError
from arteriole.inspection.document import document
from arteriole.inspection.inspection import Inspection, NotARunFolderError
from arteriole.inspection.inspection import inspect as inspect_folder
from arteriole.inspection.rendering import printable, render

_QUIET_SECONDS = 2.0
_PATH = click.Path(readable=False, path_type=Path)


class _Work(threading.Thread):
    """The inspection, beside a terminal that is told how it goes on."""

    def __init__(self, run_dir: Path, sheet: Path | None, fastq: tuple[Path, ...]) -> None:
        super().__init__(daemon=True)
        self._asked = run_dir, sheet, fastq
        self.step = ""
        self.found: Inspection | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.found = inspect_folder(*self._asked, on_step=self._tell)
        except BaseException as err:  # raised again where it is waited for
            self.error = err

    def _tell(self, step: str) -> None:
        self.step = step

    def result(self) -> Inspection:
        """Wait for the end; a terminal sees the time and the step once it takes longer."""
        started = time.monotonic()
        self.start()
        self.join(_QUIET_SECONDS)
        shows = sys.stderr.isatty()
        while self.is_alive():
            if shows:
                seconds = time.monotonic() - started
                click.echo(f"\r{seconds:4.0f} s: looking at {self.step:<40}", nl=False, err=True)
            self.join(0.5)
        if shows and time.monotonic() - started > _QUIET_SECONDS:
            click.echo("\r" + " " * 62 + "\r", nl=False, err=True)
        if self.error is not None:
            raise self.error
        assert self.found is not None
        return self.found


@click.command(short_help="What a run folder holds, and what is wrong with it.")
@click.argument("run_dir", metavar="RUNDIR", type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@click.option("--sheet", type=_PATH, help="This sheet instead of the run's SampleSheet.csv.")
@click.option(
    "--fastq",
    type=_PATH,
    multiple=True,
    help="A folder of FASTQ files to compare with the sheet; may be given again.",
)
def inspect(run_dir: Path, as_json: bool, sheet: Path | None, fastq: tuple[Path, ...]) -> None:
    """Say what RUNDIR holds, what is wrong with it, and what Arteriole would do.

    Needs no service and no configuration, and writes nothing. Ends with 0 when the run is complete
    and its sheet fits, with 1 when something is wrong, with 2 when RUNDIR is no run folder.
    """
    for folder in fastq:
        if not folder.is_dir():
            raise click.BadParameter(f"{folder} is not a folder", param_hint="--fastq")
    if sheet is not None and not sheet.is_file():
        raise click.BadParameter(f"{sheet} is not a file", param_hint="--sheet")
    try:
        found = _Work(run_dir, sheet, fastq).result()
    except NotARunFolderError as err:
        _refuse(err, as_json, 2)
    except OSError as err:
        unreadable = ArterioleError(
            f"{err.filename} cannot be read: {err.strerror}",
            code="inspect.unreadable",
            hint="check its permissions and that the file system is mounted",
        )
        _refuse(unreadable, as_json, 1)
    if as_json:
        click.echo(json.dumps(document(found), indent=1))
    else:
        click.echo(render(found), nl=False)
    raise SystemExit(0 if found.is_well else 1)


def _refuse(err: ArterioleError, as_json: bool, status: int) -> NoReturn:
    if as_json:
        click.echo(json.dumps(err.document(), indent=1))
    else:
        click.echo(f"arteriole: {printable(str(err))}", err=True)
        click.echo(f"  {printable(err.hint)}", err=True)
    raise SystemExit(status)
