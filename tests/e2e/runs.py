"""Small simulated runs for the end-to-end tests."""

from pathlib import Path

from arteriole.simulator.plan import RunPlan
from arteriole.simulator.sequencer import default_plan, write_run
from demo.machine import Machine


def plan(number: int, clusters: int = 120) -> RunPlan:
    """Of run `number`."""
    return default_plan(
        f"260115_K00188_{number:04d}_AHFJ5CBBXX", clusters=clusters, tiles=1, seed=number
    )


def sheet_row(number: int) -> str:
    """A line of a sheet with one sample of run `number`."""
    sample = plan(number).samples[0]
    return f"{sample.id},{sample.id},{sample.i7},{sample.i5},{sample.project}\n"


def write(
    machine: Machine,
    number: int,
    *,
    sheet: bytes | None = None,
    extra_file: str = "",
    run_info: str | None = None,
    clusters: int = 120,
) -> str:
    """Write run `number` as quickly as possible, with its truth, and return its name.

    It is written elsewhere and renamed, so that what differs from a good run is seen with it:
    another `sheet`, one more file, another RunInfo.xml (the right one then lies beside the truth).
    """
    planned = plan(number, clusters)
    written = write_run(
        planned, machine.truth, truth=machine.truth / f"{planned.run}.truth", sheet=sheet
    )
    if extra_file:
        (written / extra_file).touch()
    if run_info is not None:
        (written / "RunInfo.xml").rename(right_run_info(machine, planned.run))
        (written / "RunInfo.xml").write_text(run_info)
    written.rename(machine.incoming / planned.run)
    (machine.truth / f"{planned.run}.truth").rename(machine.truth / planned.run)
    return planned.run


def right_run_info(machine: Machine, run: str) -> Path:
    """Where `write` keeps the RunInfo.xml that it replaced."""
    return machine.truth / f"{run}.RunInfo.xml"
