"""`make demo`: sequencers write runs; everything after that happens by itself, and is shown.

Two runs at once, one of .bcl.gz files and one of CBCL; everything is killed in the middle of their
conversion; then a run comes whose copy from the instrument broke off, and of one of whose samples
nobody knows anything yet.
"""

import argparse
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from arteriole.simulator.defaults import calling_plan, made_up_samples
from arteriole.simulator.instruments import Kind
from demo import analysis
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
from demo.screen import Row, Screen
from demo.sequencer import Sequencer

#: Seconds until something that does not happen counts as stuck.
PATIENCE = 300.0
SECONDS_PER_CYCLE = 0.03
#: The runs, and the build of the genome that their samples have: each its own.
RUNS = {
    "260115_K00188_0001_AHFJ5CBBXX": "drawn-A",
    "260116_A00121_0002_BHVKJ3DSX7": "drawn-B",
    "260117_M04034_0003_000000000-L6NVV": "drawn-C",
}
ENDS = ("done", "error", "cancelled")


class Centre:
    """The machine, its sequencers, and what was last seen of each run."""

    def __init__(self, machine: Machine, screen: Screen) -> None:
        self.machine = machine
        self.sequencers: list[Sequencer] = []
        self._screen = screen
        self._seen: dict[str, dict[str, Any]] = {}

    def sequence(self, title: str, kind: Kind, run: str, directory: Path) -> Sequencer:
        """Let an instrument begin a run below `directory`."""
        letter = RUNS[run][-1]
        samples = analysis.named(made_up_samples(4, (8, 8), seed=1), letter)
        plan = calling_plan(run, kind=kind, samples=samples, seed=ord(letter))
        new = Sequencer(title, plan, directory, self.machine.truth, SECONDS_PER_CYCLE)
        self.sequencers.append(new)
        new.start()
        return new

    def until(self, what: str, ready: Callable[[], bool]) -> None:
        """Show the runs until `ready()`; MachineError, naming `what`, if that does not come."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self._look()
            self._screen.show([self._row(sequencer) for sequencer in self.sequencers])
            if ready():
                return
            if time.monotonic() > deadline:
                raise MachineError(f"not within {PATIENCE:.0f} s: {what}")
            time.sleep(0.2)

    def run(self, name: str) -> dict[str, Any]:
        """As last seen; empty before that."""
        return self._seen.get(name, {})

    def ended(self, name: str) -> bool:
        return self.run(name).get("state") in ENDS

    def stage(self, name: str, stage: str) -> str:
        """The state of a stage as last seen."""
        found = [s for s in self.run(name).get("stages", []) if s["stage"] == stage]
        return str(found[0]["state"]) if found else ""

    def _look(self) -> None:
        for sequencer in self.sequencers:
            if sequencer.failure is not None:
                raise MachineError(f"the simulated sequencer failed: {sequencer.failure}")
            found = self.machine.run(sequencer.name)
            if found is not None:
                self._seen[sequencer.name] = found

    def _row(self, sequencer: Sequencer) -> Row:
        run = self.run(sequencer.name)
        stages = {s["stage"]: self._word(s) for s in run.get("stages", [])}
        state = run.get("state", "")
        if not stages and state:
            state = run["verdict"]
        return Row(sequencer.title, sequencer.text, state, stages)

    def _word(self, stage: dict[str, Any]) -> str:
        """The state of a stage, or how far its job is."""
        if stage["state"] != "running" or not stage["job_id"]:
            return "" if stage["state"] == "waiting" else str(stage["state"])
        try:
            job = self.machine.api(stage["service"], f"status/{stage['job_id']}")
        except OSError:  # requests' errors are OSErrors: the service is down just now
            return "running"
        progress = job["progress"]
        return f"{100 * progress['done'] // max(1, progress['total'])} %" if progress else "running"


def tell_story(centre: Centre, screen: Screen) -> None:
    """Two runs, a kill, and a copy that broke off; returns when the last run has ended."""
    machine = centre.machine
    screen.say("Two instruments write at once: a HiSeq 4000 .bcl.gz, a NovaSeq 6000 CBCL.")
    names = list(RUNS)
    kinds = {"HiSeq 4000": Kind.HISEQ4000, "NovaSeq 6000": Kind.NOVASEQ6000}
    for (title, kind), name in zip(kinds.items(), names[:2], strict=True):
        run = centre.sequence(title, kind, name, machine.incoming)
        tell_samples(machine, run, len(run.plan.samples))
    names = names[:2]
    centre.until(
        "a conversion", lambda: any(centre.stage(n, "convert") == "running" for n in names)
    )
    strike(machine, screen, names[0])
    centre.until("both runs' end", lambda: all(map(centre.ended, names)))
    broken = broken_copy(centre, screen)
    centre.until(
        "the account of the third run's samples",
        lambda: centre.stage(broken.name, "account") == "held" or centre.ended(broken.name),
    )
    unknown_sample(centre, screen, broken)
    centre.until("the third run's end", lambda: centre.ended(broken.name))


def strike(machine: Machine, screen: Screen, name: str) -> None:
    """kill -9 in the middle of a conversion, and what mends it."""
    screen.say("In the middle of the conversion: kill -9 of the services and of st2solo.")
    machine.kill("services")
    machine.kill("st2solo")
    screen.quote(arteriole(machine, "why", name))
    screen.say(
        "Both are started again (arteriole serve, st2solo serve), as systemd would; the conversion"
        " itself never stopped."
    )
    machine.start_services()
    machine.start_st2solo()


def tell_samples(machine: Machine, run: Sequencer, count: int) -> None:
    """Drop the metadata of the first `count` samples, as a laboratory would."""
    text = analysis.metadata(run.plan.samples[:count], RUNS[run.name])
    partial = machine.home / "samples.csv"
    partial.write_text(text)
    partial.rename(machine.metadata / f"{run.name}.csv")


def unknown_sample(centre: Centre, screen: Screen, run: Sequencer) -> None:
    """What `why` says of a run of which one sample waits, and what lets it go on."""
    screen.say("Of one sample nobody knows what it is: it is held, the run's others are done.")
    screen.quote(arteriole(centre.machine, "why", run.name))
    screen.say("Its row is added to the table in the drop folder.")
    tell_samples(centre.machine, run, len(run.plan.samples))


def broken_copy(centre: Centre, screen: Screen) -> Sequencer:
    """A run whose copy from the instrument broke off, what `why` says, and what mends it."""
    machine = centre.machine
    screen.say("A third run is sequenced; its copy breaks off in the middle of a file.")
    instrument = machine.home / "instrument"
    run = centre.sequence("broken copy", Kind.MISEQ, list(RUNS)[2], instrument)
    tell_samples(machine, run, len(run.plan.samples) - 1)
    centre.until("the third run", lambda: not run.is_alive())
    whole, landed = instrument / run.name, machine.incoming / run.name
    shutil.copytree(whole, machine.home / "copy")
    cut = sorted((machine.home / "copy" / "Data").rglob("*.bcl"))[7]
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (machine.home / "copy").rename(landed)
    centre.until("the verdict", lambda: centre.run(run.name).get("verdict") == "incomplete")
    screen.quote(arteriole(machine, "why", run.name))
    command = ["rsync", "-a", f"{whole}/", f"{landed}/"]
    screen.say(f"So it is copied again: {shlex.join(command)}")
    subprocess.run(command, check=True)
    return run


def arteriole(machine: Machine, *arguments: str) -> str:
    """What the command `arteriole` prints on this machine."""
    program = Path(sys.executable).with_name("arteriole")
    config = machine.state / "arteriole.yaml"
    shown = subprocess.run(
        [str(program), "--config", str(config), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return f"$ arteriole {shlex.join(arguments)}\n{shown.stdout}"


def tell_end(console: Console, centre: Centre) -> bool:
    """Prove every run, and say where its files are; True if all is as it must be."""
    good = True
    for sequencer in centre.sequencers:
        good &= _tell_run(console, centre.machine, sequencer.title, centre.run(sequencer.name))
    if good:
        console.print(
            "\nEvery FASTQ record, as converted, on the cluster and in the archive, equals the\n"
            "truth of the simulated sequencers; every digest matches wherever the bytes went.\n"
            "The analyses found exactly the planted variants, none missing, none else.\n",
            highlight=False,
        )
        for what, path in _places(centre.machine).items():
            console.print(f"  {what:11} {path}", highlight=False, soft_wrap=True)
    return good


def _tell_run(console: Console, machine: Machine, title: str, run: dict[str, Any]) -> bool:
    name = run["name"]
    if run["state"] != "done":
        why = run["why"]
        console.print(Text(f"\n{name} ended {run['state']}: {why['message']}", style="bold red"))
        console.print(Text(f"what to do: {why['hint']}"))
        return False
    proof = prove(machine.home, name)
    for problem in proof.problems:
        console.print(Text(f"NOT SO: {name}: {problem}", style="bold red"), soft_wrap=True)
    if not proof.problems:
        console.print(
            f"[bold green]done[/]  {title:13} {name}: {proof.records} records in {proof.files}"
            f" files, {proof.variants} variants",
            highlight=False,
            soft_wrap=True,
        )
    return not proof.problems


def _places(machine: Machine) -> dict[str, Path]:
    return {
        "run folders": machine.incoming,
        "FASTQs": machine.fastq,
        "manifests": machine.manifests,
        "cluster": machine.cluster / "ready",
        "results": machine.results,
        "archive": machine.vault,
    }


def suggest(console: Console, machine: Machine) -> None:
    """The lines that log the `st2` command in, and commands to try."""
    st2 = shlex.quote(str(ROOT / ".venv-st2" / "bin" / "st2"))
    password = shlex.quote(str(machine.state / "operator.password"))
    exports = " ".join(f"{key}={value}" for key, value in machine.st2_environment.items())
    ours = shlex.quote(str(Path(sys.executable).with_name("arteriole")))
    config = shlex.quote(str(machine.state / "arteriole.yaml"))
    name = next(iter(sorted(machine.incoming.glob("*_*_*_*"))), Path("RUN")).name
    for line in (
        f"\nLook, in a browser: {machine.url('runfolder')}/",
        f"  with the token in {machine.state / 'arteriole' / 'admin.token'}",
        "Ask at the terminal:",
        f"  {ours} --config {config} runs",
        f"  {ours} --config {config} why {name}",
        "Or log the st2 command in:",
        f"  export {exports}",
        f'  {st2} login {USER} -w --password "$(cat {password})"',
        "and try:",
        f"  {st2} execution list",
        f"  {st2} run arteria.why run={name}",
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
            references = {build: machine.truth / run / "genome.fa" for run, build in RUNS.items()}
            machine.lay_out(
                services={"wes": {"pipelines": {analysis.PIPELINE: analysis.pipeline(references)}}},
                plan=analysis.plan(),
            )
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
        with Screen(console) as screen:
            centre = Centre(machine, screen)
            tell_story(centre, screen)
        good = tell_end(console, centre)
        if not once:
            suggest(console, machine)
            console.print("\nEverything is up until Ctrl-C.")
            threading.Event().wait()
        return good
    finally:
        machine.stop()


if __name__ == "__main__":
    main()
