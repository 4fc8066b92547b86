"""The commands `arteriole simulate` and `arteriole judge`."""

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from arteriole.app.errors import ArterioleError
from arteriole.simulator.defaults import default_plan, samples_from_csv
from arteriole.simulator.instruments import Kind, NonPf
from arteriole.simulator.judge import judge as judge_files
from arteriole.simulator.misdeeds import misdeed_of
from arteriole.simulator.plan import RunPlan
from arteriole.simulator.sequencer import write_run

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_FRACTION = click.FloatRange(0, 1)


class Lengths(click.ParamType[tuple[int, ...]]):
    """`36` for both reads, or `36,40` for the first and the second; `36,0` for one read only."""

    name = "cycles"

    def __init__(self, *, paired: bool) -> None:
        self.paired = paired

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
            self.fail(f"expected cycles as 36 or 36,36; found {value!r}", param, ctx)
        if len(parts) == 1 and self.paired:
            parts *= 2
        return tuple(int(part) for part in parts if int(part))


@click.command(short_help="Write a run as an instrument does, cycle by cycle.")
@click.argument("output_dir", type=_FOLDER)
@click.option("--run", help="The run's name, e.g. 260114_K00188_0042_AHFJ5CBBXX.")
@click.option(
    "--kind", type=click.Choice([kind.value for kind in Kind]), default="hiseq4000",
    show_default=True,
)  # fmt: skip
@click.option("--lanes", type=click.IntRange(min=1), help="Number of lanes.")
@click.option("--surfaces", type=click.IntRange(1, 2))
@click.option("--swaths", type=click.IntRange(min=1))
@click.option("--tiles", type=click.IntRange(min=1), help="Tiles a swath (and camera).")
@click.option("--clusters", type=click.IntRange(min=1), help="Clusters a tile.")
@click.option(
    "--read-cycles", type=Lengths(paired=True), default="36", show_default=True,
    help="36 for two reads, 36,40 for unequal ones, 36,0 for one read.",
)  # fmt: skip
@click.option(
    "--index-cycles", type=Lengths(paired=True), default="8", show_default=True,
    help="8 for two index reads, 8,0 for one.",
)  # fmt: skip
@click.option(
    "--samples", default="4", show_default=True,
    help="How many, or a CSV with the columns id, name, project, lane, i7, i5.",
)  # fmt: skip
@click.option("--empty-tiles", type=click.IntRange(min=0), help="Tiles without a cluster.")
@click.option(
    "--non-pf", type=click.Choice([rule.value for rule in NonPf]),
    help="What a CBCL has of clusters that fail  [default: as the instrument]",
)  # fmt: skip
@click.option("--failing", type=_FRACTION, help="Fraction that does not pass the filter.")
@click.option("--index-error", type=_FRACTION, help="Chance of one error in an index.")
@click.option("--index-ruin", type=_FRACTION, help="Chance of two or three errors in an index.")
@click.option("--unknown", type=_FRACTION, help="Fraction with an index of nobody.")
@click.option("--phix", type=_FRACTION, help="Fraction of PhiX.")
@click.option("--genome", type=_FILE, help="FASTA to draw the fragments from.")
@click.option("--genome-length", type=click.IntRange(min=1), help="Bases of a genome made up.")
@click.option("--variants", type=click.IntRange(min=0), help="Variants of each sample.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--seconds-per-cycle", type=click.FloatRange(min=0), default=0.0, show_default=True)
@click.option("--sheet", type=_FILE, help="Put this SampleSheet.csv into the run folder.")
@click.option("--truth", type=_FOLDER, help="Folder for the truth  [default: <run>.truth]")
@click.option(
    "--misdeed", "misdeeds", multiple=True, metavar="NAME[:ARG]",
    help="What goes wrong, of the list above; may be given several times.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="Tell no progress.")
def simulate(
    output_dir: Path,
    samples: str,
    kind: str,
    seconds_per_cycle: float,
    sheet: Path | None,
    truth: Path | None,
    misdeeds: tuple[str, ...],
    quiet: bool,
    **others: Any,
) -> None:
    """Sequence a run into OUTPUT_DIR as an instrument does, cycle by cycle.

    The truth, with which `arteriole judge` compares FASTQ files, is written beside it; with
    --variants it has a VCF a sample too. `--variants 12 --genome-length 4000 --read-cycles 76`
    reads each base of the four samples of a HiSeq 4000 about 30 times.

    \b
    Misdeeds and their arguments (a cycle is the middle of the run unless given):
      marker-early[:CYCLE]       the end is told after that cycle, 5 before the last
      copy-stalls[:CYCLE]        nothing comes after that cycle
      truncated-file[:CYCLE]     a base call file of that cycle is cut in half
      missing-cycle[:CYCLE]      a cycle's base calls never come
      missing-tile[:1_1101]      a tile never comes, the last unless given
      failed-run[:CYCLE]         the instrument gives up
      instrument-restart[:CYCLE] the run is abandoned; the next one is whole
      clock-skew:SECONDS         the instrument's clock is wrong
      sheet-late[:SECONDS]       the sheet comes 5 seconds after the rest
      sheet-never                there is no sheet
      i5-reversed                the sheet has every i5 reverse-complemented
      lanes-exchanged            the sheet has the first two lanes exchanged
      wells-shifted[:WELLS]      the sheet has the samples 8 wells further on the plate

    The same options without misdeeds give the good run, byte for byte: written elsewhere and
    copied over a folder with `rsync -a --checksum`, it mends what went wrong.
    """
    try:
        plan = _plan(samples, Kind(kind), others)
        folder = write_run(
            plan,
            output_dir,
            seconds_per_cycle=seconds_per_cycle,
            on_cycle=None if quiet else _tell_cycle,
            sheet=sheet.read_bytes() if sheet else None,
            truth=truth,
            misdeeds=[misdeed_of(text) for text in misdeeds],
        )
    except ArterioleError as err:
        _fail(err)
    except OSError as err:
        raise click.ClickException(f"the run cannot be written: {err}") from err
    click.echo(f"run    {folder}")
    click.echo(f"truth  {truth or folder.with_name(folder.name + '.truth')}")


def _plan(samples: str, kind: Kind, others: dict[str, Any]) -> RunPlan:
    given = {name: value for name, value in others.items() if value is not None}
    if "non_pf" in given:
        given["non_pf"] = NonPf(given["non_pf"])
    if samples.isascii() and samples.isdigit():
        return default_plan(kind=kind, samples=int(samples), **given)
    path = Path(samples)
    if not path.is_file():
        raise click.BadParameter(
            f"expected a number or a CSV file; found {samples!r}", param_hint="--samples"
        )
    return default_plan(kind=kind, samples=samples_from_csv(path), **given)


def _tell_cycle(cycle: int, cycles: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\rcycle {cycle} of {cycles}", nl=cycle == cycles, err=True)
    else:
        click.echo(f"cycle {cycle} of {cycles}", err=True)


@click.command(short_help="Compare FASTQs with the truth of a simulated run.")
@click.argument("truth", type=_FOLDER)
@click.argument("fastq", type=_FOLDER)
def judge(truth: Path, fastq: Path) -> None:
    """Compare the FASTQ files below FASTQ with the TRUTH of a simulated run.

    Ends with 1 when anything differs.
    """
    try:
        verdict = judge_files(truth, fastq)
    except ArterioleError as err:
        _fail(err)
    for difference in verdict.differences:
        click.echo(difference)
    click.echo(
        f"{verdict.records} records of {verdict.samples} samples in {verdict.files} files:"
        f" {len(verdict.differences) or 'no'} differences"
    )
    if verdict.differences:
        raise SystemExit(1)


def _fail(err: ArterioleError) -> NoReturn:
    hint = f" ({err.hint})" if err.hint else ""
    raise click.ClickException(f"{err}{hint} [{err.code}]") from err
