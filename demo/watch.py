"""`make demo`: a sequencer writes a run; everything after that happens by itself, and is shown."""

import argparse
import shlex
import shutil
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from arteriole.simulator.defaults import default_plan
from arteriole.simulator.sequencer import write_run
from demo.machine import (
    ROOT,
    USER,
    Machine,
    MachineError,
    alone_in,
    chosen_ports,
    end_on_signals,
)
from demo.prove import prove

#: Seconds until a run that does not end counts as stuck.
PATIENCE = 300.0
SECONDS_PER_CYCLE = 0.05
ENDS = ("done", "error", "cancelled")


class Sequencer(threading.Thread):
    """Writes the run; `text` tells how far it is."""

    def __init__(self, directory: Path, truth: Path) -> None:
        super().__init__(daemon=True)
        self.plan = default_plan()
        self.name = self.plan.run
        self.text = "starting"
        self.failure: Exception | None = None
        self._directory = directory
        self._truth = truth

    def run(self) -> None:
        try:
            write_run(
                self.plan,
                self._directory,
                seconds_per_cycle=SECONDS_PER_CYCLE,
                on_cycle=self._cycle,
                truth=self._truth / self.name,
            )
            self.text = "run complete"
        except Exception as err:
            self.failure = err
            self.text = f"failed: {err}"

    def _cycle(self, done: int, total: int) -> None:
        self.text = f"cycle {done} of {total}"


@dataclass(frozen=True)
class Row:
    """What is shown of one stage."""

    stage: str
    state: str
    seconds: str
    progress: str


class Screen:
    """A live table on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._told: dict[str, str] = {}
        self._live = Live(console=console, refresh_per_second=8) if console.is_terminal else None

    def __enter__(self) -> "Screen":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, rows: list[Row]) -> None:
        elapsed = time.monotonic() - self._began
        if self._live:
            table = Table("stage", "state", "seconds", "progress", title=f"{elapsed:.1f} s")
            for row in rows:
                state = Text(row.state, style=_STYLES.get(row.state, ""))
                table.add_row(row.stage, state, row.seconds, Text(row.progress))
            self._live.update(table)
            return
        for row in rows:
            if self._told.get(row.stage) != row.state:
                self._told[row.stage] = row.state
                line = f"{elapsed:7.1f} s  {row.stage:10} {row.state}"
                self._console.print(Text(line))


_STYLES = {"done": "green", "running": "yellow", "failed": "bold red", "writing": "yellow"}


def follow(machine: Machine, sequencer: Sequencer, screen: Screen) -> dict[str, Any]:
    """Show the run until it has ended; MachineError if it does not."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if sequencer.failure is not None:
            raise MachineError(f"the simulated sequencer failed: {sequencer.failure}")
        run = machine.run(sequencer.name)
        screen.show(_rows(machine, sequencer, run))
        if run is not None and run["state"] in ENDS:
            return run
        time.sleep(0.2)
    raise MachineError(f"{sequencer.name} had not ended after {PATIENCE:.0f} s")


def _rows(machine: Machine, sequencer: Sequencer, run: dict[str, Any] | None) -> list[Row]:
    writing = "writing" if sequencer.is_alive() else "done"
    rows = [Row("sequencer", writing, "", sequencer.text)]
    for stage in run["stages"] if run else []:
        rows.append(Row(stage["stage"], stage["state"], _seconds(stage), _progress(machine, stage)))
    return rows


def _seconds(stage: dict[str, Any]) -> str:
    if not stage["begun"]:
        return ""
    end = datetime.fromisoformat(stage["ended"]) if stage["ended"] else datetime.now(UTC)
    return f"{(end - datetime.fromisoformat(stage['begun'])).total_seconds():.1f}"


def _progress(machine: Machine, stage: dict[str, Any]) -> str:
    if stage["state"] == "failed":
        return str(stage["message"])
    if stage["state"] != "running" or not stage["job_id"]:
        return ""
    job = machine.api(stage["service"], f"status/{stage['job_id']}")
    progress = job["progress"]
    return f"{progress['done']} of {progress['total']} {progress['unit']}" if progress else ""


def tell(console: Console, machine: Machine, run: dict[str, Any]) -> bool:
    """Prove the run, say what was done and what to try; True if all is as it must be."""
    name = run["name"]
    if run["state"] != "done":
        why = run["why"]
        console.print(Text(f"\nthe run ended {run['state']}: {why['message']}", style="bold red"))
        console.print(Text(f"what to do: {why['hint']}"))
        return False
    proof = prove(machine.home, name)
    for problem in proof.problems:
        console.print(Text(f"NOT SO: {problem}", style="bold red"))
    if proof.problems:
        return False
    events = machine.api("runfolder", f"runs/{name}/history")["events"]
    began, ended = events[0]["time"], events[-1]["time"]
    console.print(
        f"\n[bold green]{name} is done[/]: seen {began}, done {ended}.\n"
        f"  {proof.records} FASTQ records in {proof.files} files (as converted, on the cluster and"
        " in the archive)\n  equal the truth of the simulated sequencer; every digest matches"
        " wherever the bytes went.\n",
        highlight=False,
    )
    for what, path in {
        "run folder": machine.incoming / name,
        "FASTQs": machine.fastq / name / "current",
        "manifests": machine.manifests / name,
        "cluster": machine.cluster / "ready" / f"{name}.attempt-1",
        "archive": machine.vault / name,
    }.items():
        console.print(f"  {what:11} {path}", highlight=False, soft_wrap=True)
    return True


def suggest(console: Console, machine: Machine) -> None:
    """The lines that log the `st2` command in, and three commands to try."""
    st2 = shlex.quote(str(ROOT / ".venv-st2" / "bin" / "st2"))
    password = shlex.quote(str(machine.state / "operator.password"))
    exports = " ".join(f"{key}={value}" for key, value in machine.st2_environment.items())
    name = next(iter(sorted(machine.incoming.glob("*_*_*_*"))), Path("RUN")).name
    for line in (
        "\nLog the st2 command in:",
        f"  export {exports}",
        f'  {st2} login {USER} -w --password "$(cat {password})"',
        "Then try:",
        f"  {st2} execution list",
        f"  {st2} run arteria.why run={name}",
        f"  {st2} rule list",
    ):
        console.print(Text(line), soft_wrap=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop at the end; exit code 0 or 1")
    parser.add_argument("--home", type=Path, default=ROOT / "var" / "demo", help="where it lives")
    options = parser.parse_args()
    home: Path = options.home.absolute()
    console = Console()
    end_on_signals()
    try:
        with alone_in(home):
            machine = Machine(home, chosen_ports())
            machine.require_free_ports()
            if home.exists():
                shutil.rmtree(home)
            home.mkdir(parents=True)
            machine.lay_out()
            sys.exit(0 if _demo(console, machine, options.once) else 1)
    except MachineError as err:
        console.print(Text(str(err), style="bold red"), soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _demo(console: Console, machine: Machine, once: bool) -> bool:
    try:
        console.print("starting the services, st2solo and an sshd of the demo's own ...")
        machine.start()
        sequencer = Sequencer(machine.incoming, machine.truth)
        sequencer.start()
        with Screen(console) as screen:
            run = follow(machine, sequencer, screen)
        good = tell(console, machine, run)
        suggest(console, machine)
        if not once:
            console.print("\nEverything is up until Ctrl-C.")
            threading.Event().wait()
        return good
    finally:
        machine.stop()


if __name__ == "__main__":
    main()
