"""Everything that goes wrong in real centres, each made from outside, side by side on one machine.

Each row: the right verdict, nothing converted that must not be, a `why` that tells, and the run
brought to its right end by what that `why` names.
"""

import os
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import Kind
from arteriole.simulator.misdeeds import MISDEEDS, copying, instrument, misdeed_of, sheet
from arteriole.simulator.plan import RunPlan
from arteriole.simulator.sequencer import write_run
from demo.machine import JOB_SERVICES, ROOT, Machine
from demo.prove import prove
from tests.conftest import Raise, St2, arteriole, wait_for_state, wait_until

#: Seconds; in production the first is minutes, the second hours.
TIMES = {"settle_seconds": 2.0, "stalled_after": 4.0, "recheck_seconds": 1.0}
NAMES = {
    Kind.HISEQ4000: "260115_K00188_{:04d}_AHFJ5CBBXX",
    Kind.MISEQ: "260115_M04034_{:04d}_000000000-L6NVV",
    Kind.NEXTSEQ500: "260115_NB551452_{:04d}_AHW7JJAFXY",
    Kind.NEXTSEQ2000: "260115_VH00123_{:04d}_AAAC5WLM5",
    Kind.NOVASEQ6000: "260115_A00121_{:04d}_BHVKJ3DSX7",
}


@dataclass
class Scene:
    """A machine, a run on it, and the hands of the people and instruments around them."""

    machine: Machine
    plan: RunPlan
    misdeed: str
    released: threading.Event = field(default_factory=threading.Event)
    instrument: threading.Thread | None = None

    @property
    def run(self) -> str:
        return self.plan.run

    @property
    def folder(self) -> Path:
        return self.machine.incoming / self.run

    def why(self) -> dict[str, Any]:
        found = self.machine.run(self.run)
        return {**found["why"], "verdict": found["verdict"]} if found else {}

    # making it

    def write(self, *misdeeds: Any, seconds_per_cycle: float = 0.0) -> None:
        """The instrument writes in place, in a thread of its own."""

        def sequence() -> None:
            truth = self.machine.truth / self.run
            write_run(self.plan, self.machine.incoming, truth=truth, misdeeds=misdeeds,
                      seconds_per_cycle=seconds_per_cycle)  # fmt: skip

        self.instrument = threading.Thread(target=sequence, daemon=True)
        self.instrument.start()

    def wait_for_release(self) -> None:
        self.released.wait(900)

    # mending it

    def go_on(self) -> None:
        self.released.set()

    def copy_again(self) -> None:
        """The rsync line that `why` names, with the good folder as the instrument."""
        words = shlex.split(self.why()["hint"].split(": ", 1)[1].split(" ;")[0])
        assert words[:2] == ["rsync", "-a"] and words[2] == f"INSTRUMENT:{self.run}/"
        assert Path(words[3]) == self.folder
        good = self._good()
        for _ in range(2):  # safe to do twice
            subprocess.run(["rsync", "-a", f"{good}/", words[3]], check=True)

    def drop_sheet(self) -> None:
        """Where `why` says, by the flow cell; it never comes into the run folder."""
        hint = self.why()["hint"]
        path = self.machine.sheets / "000000000-L6NVV.csv"
        assert str(self.folder) in hint and f"or see to {path};" in hint
        shutil.copy(self._good() / "SampleSheet.csv", path)
        ended = wait_for_state(self.machine, self.run, "done", seconds=200)
        kept = self.machine.fastq / self.run / "attempt-1" / "SampleSheet.csv"
        assert kept.read_bytes() == path.read_bytes()
        assert not (self.folder / "SampleSheet.csv").exists()
        assert ended["why"]["samples"] == len(self.plan.samples)
        path.unlink()  # all of our runs of a kind have one flow cell

    def reverse_i5_and_wait(self) -> None:
        """The instrument stands still some cycles after the index reads."""
        last = max(end for _, end in self.plan.spans_of(is_index=True))
        stop = copying.CopyStalls(last + 4, self.wait_for_release)
        self.write(sheet.I5Reversed(), stop)

    def take_proposed_sheet(self) -> None:
        """As the page of the code says, before the run has gone on to its end."""
        assert self.why()["hint"] == f"arteriole indexes {self.run}"
        shown = arteriole(self.machine, "indexes", self.run, check=False)
        assert "[indexes.reversed_i5]" in shown and f"{self.run} --accept" in shown
        for _ in range(2):  # safe to do twice
            accept = ("indexes", self.run, "--accept", "--reason", "the kit's list")
            assert "nothing is wrong" in arteriole(self.machine, *accept)
        taken = (self.machine.sheets / "HFJ5CBBXX.csv").read_bytes()
        assert taken == (self._good() / "SampleSheet.csv").read_bytes()
        assert taken != (self.folder / "SampleSheet.csv").read_bytes()
        self.go_on()

    def exchange_lanes_and_wait(self) -> None:
        """As with a reversed i5; half of the samples lie on the first lane, the others on the
        second.
        """
        half = len(self.plan.samples) // 2
        samples = (replace(one, lanes=(1 + n // half,)) for n, one in enumerate(self.plan.samples))
        self.plan = replace(self.plan, samples=tuple(samples))
        last = max(end for _, end in self.plan.spans_of(is_index=True))
        self.write(sheet.LanesExchanged(), copying.CopyStalls(last + 4, self.wait_for_release))

    def correct_sheet(self) -> None:
        """In the run folder, since none is proposed; as the page of the code says."""
        shown = arteriole(self.machine, "indexes", self.run, check=False)
        assert "[indexes.exchanged]" in shown and "--accept" not in shown
        shutil.copy(self._good() / "SampleSheet.csv", self.folder)
        assert "nothing is wrong" in arteriole(self.machine, "indexes", self.run, "--again")
        for _ in range(2):  # safe to do twice
            arteriole(self.machine, "release", self.run)
        self.go_on()

    def give(self, verb: str) -> None:
        """The command that `why` names, twice: it is safe to give again."""
        hint = self.why()["hint"]
        words = shlex.split(hint[hint.index(f"arteriole {verb} {self.run}") :])
        arteriole(self.machine, *words[1:])
        again = arteriole(self.machine, *words[1:], check=False)
        refused = "arteriole: " in again
        assert not refused or "[stage.running]" in again, again  # it has gone on meanwhile

    def dismiss(self) -> None:
        """As the page of the code says; `why` first has somebody look at the instrument."""
        assert "still has the run" in self.why()["hint"]
        for _ in range(2):  # safe to do twice
            arteriole(self.machine, "abort", self.run)

    def _good(self) -> Path:
        elsewhere = self.machine.home / "instrument"
        if not (elsewhere / self.run).exists():
            write_run(self.plan, elsewhere, truth=elsewhere / f"{self.run}.truth")
        return elsewhere / self.run


@dataclass(frozen=True)
class Mishap:
    """`told` are words of `why`'s message; `end` the state of the run when it is mended."""

    misdeed: str
    kind: Kind
    make: Callable[[Scene], None]
    verdict: str
    code: str
    told: str
    mend: Callable[[Scene], None]
    end: str = "done"
    degraded: bool = False


def _plain(misdeed: str) -> Callable[[Scene], None]:
    return lambda scene: scene.write(misdeed_of(misdeed))


def _nothing(scene: Scene) -> None:
    """It goes on by itself."""
    assert scene.why()["hint"].startswith("nothing")


MISHAPS = (
    Mishap(
        "marker-early", Kind.HISEQ4000,
        lambda scene: scene.write(copying.MarkerEarly(40), seconds_per_cycle=0.15),
        "copying", "run.copying", "missing or not whole", _nothing,
    ),
    Mishap(
        "copy-stalls", Kind.NEXTSEQ2000,
        lambda scene: scene.write(copying.CopyStalls(go_on=scene.wait_for_release)),
        "stalled", "run.stalled", "nothing has changed since", Scene.go_on,
    ),
    Mishap(
        "truncated-file", Kind.NOVASEQ6000, _plain("truncated-file"),
        "incomplete", "run.incomplete", ".cbcl", Scene.copy_again,
    ),
    Mishap(
        "missing-tile", Kind.MISEQ, _plain("missing-tile"),
        "incomplete", "run.incomplete", "missing", Scene.copy_again,
    ),
    Mishap(
        "missing-cycle", Kind.NEXTSEQ500, _plain("missing-cycle"),
        "incomplete", "run.incomplete", "missing", Scene.copy_again,
    ),
    Mishap(
        "failed-run", Kind.NEXTSEQ500, _plain("failed-run"),
        "failed", "run.failed", "did not end as planned", lambda scene: scene.give("waive"),
        degraded=True,
    ),
    Mishap(
        "sheet-late", Kind.NOVASEQ6000,
        lambda scene: scene.write(sheet.SheetLate(scene.wait_for_release)),
        "no_sheet", "run.no_sheet", "SampleSheet.csv is not there", Scene.go_on,
    ),
    Mishap(
        "sheet-never", Kind.MISEQ, _plain("sheet-never"),
        "no_sheet", "run.no_sheet", "SampleSheet.csv is not there", Scene.drop_sheet,
    ),
    Mishap(
        "i5-reversed", Kind.HISEQ4000, Scene.reverse_i5_and_wait,
        "stalled", "indexes.reversed_i5", "4 of 4 samples have reads", Scene.take_proposed_sheet,
    ),
    Mishap(
        "lanes-exchanged", Kind.NOVASEQ6000, Scene.exchange_lanes_and_wait,
        "stalled", "indexes.exchanged", "of other lanes' samples", Scene.correct_sheet,
    ),
    Mishap(
        "instrument-restart", Kind.MISEQ, _plain("instrument-restart"),
        "stalled", "run.superseded", "has begun", Scene.dismiss, end="cancelled",
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def machine(raise_machine: Raise) -> Machine:
    return raise_machine(services={"runfolder": TIMES})


@pytest.fixture(scope="module")
def scenes(machine: Machine) -> Iterator[dict[str, Scene]]:
    """All mishaps happen at once."""
    made: dict[str, Scene] = {}
    for number, mishap in enumerate(MISHAPS, start=1):
        name = NAMES[mishap.kind].format(10 * number)
        plan = default_plan(name, kind=mishap.kind, clusters=120, seed=number)
        made[mishap.misdeed] = scene = Scene(machine, plan, mishap.misdeed)
        mishap.make(scene)
    yield made
    for scene in made.values():
        scene.released.set()
        if scene.instrument is not None:
            scene.instrument.join(60)


def _assert_nothing_was_made_of(scene: Scene) -> None:
    for service in JOB_SERVICES:
        jobs = scene.machine.api(service, f"status?run={scene.run}")["jobs"]
        made = [job for job in jobs if job["stage"] != "indexes"]
        assert all(job["state"] == "error" for job in made), made
    fastq = scene.machine.fastq / scene.run
    assert not fastq.exists() or list(fastq.iterdir()) == []
    assert not (scene.machine.cluster / scene.run).exists()
    assert not (scene.machine.vault / scene.run).exists()


def test_every_misdeed_of_the_simulator_is_a_row():
    """But for a wrong clock, which is below, and one more wrong sheet, which is as the others."""
    others = {"clock-skew", "wells-shifted"}
    assert {mishap.misdeed for mishap in MISHAPS} == set(MISDEEDS) - others


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda mishap: mishap.misdeed)
def test_it_is_seen_told_and_mended(machine, scenes, mishap):
    scene = scenes[mishap.misdeed]
    found: dict[str, Any] = {}

    def told() -> bool:
        found.update(scene.why())
        return found.get("code") == mishap.code and mishap.told in found["message"]

    wait_until(f"{mishap.code} of {scene.run}", told)
    assert found["verdict"] == mishap.verdict, found
    assert found["hint"] and found["data_safe"], found
    assert found["urgency"] in ("instrument at risk", "result late", "can wait")
    assert (ROOT / found["page"]).is_file(), found
    if mishap.misdeed not in ("sheet-never", "sheet-late"):
        assert found["samples"] == len(scene.plan.samples), found
    if mishap.mend is not _nothing:  # else it may have gone on by itself meanwhile
        _assert_nothing_was_made_of(scene)
        shown = arteriole(machine, "why", scene.run)
        assert mishap.code in shown and found["hint"].split()[0] in shown

    mishap.mend(scene)

    ended = wait_for_state(machine, scene.run, mishap.end, seconds=200)
    if mishap.end == "cancelled":
        _assert_nothing_was_made_of(scene)
        return
    assert [a["degraded"] for a in ended["attempts"]] == [mishap.degraded]
    if not mishap.degraded:
        assert prove(machine.home, scene.run, ended["attempt"]).problems == ()


def test_the_run_after_the_restart_is_done_by_itself(machine, scenes):
    abandoned = scenes["instrument-restart"].plan
    name = instrument.InstrumentRestart().plans(abandoned)[-1].run
    wait_for_state(machine, name, "done", seconds=200)
    (machine.truth / abandoned.run).rename(machine.truth / name)
    assert prove(machine.home, name).problems == ()


@pytest.mark.parametrize("seconds", [-86_400, 3_600, 86_400 * 30])
def test_a_wrong_clock_of_the_instrument_delays_nothing(machine, scenes, seconds):
    number = 500 + abs(seconds) % 97
    plan = default_plan(NAMES[Kind.MISEQ].format(number), kind=Kind.MISEQ, clusters=60, seed=number)
    scene = Scene(machine, plan, "clock-skew")
    scene.write(misdeed_of(f"clock-skew:{seconds}"))
    assert scene.instrument is not None
    scene.instrument.join(60)
    (folder,) = machine.incoming.glob(f"*_M04034_{number:04d}_*")
    ended = wait_for_state(machine, folder.name, "done", seconds=60)
    assert ended["verdict"] == "complete"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small tmpfs")
@pytest.mark.timeout(300)
def test_a_full_disk_is_told_and_mended_by_the_command_it_names(
    raise_machine: Raise, tmp_path: Path
):
    """The FASTQs' file system has 200 KiB: the conversion waits until somebody lets it pass."""
    mounted: list[Path] = []

    def mount(machine: Machine) -> None:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(machine.fastq)], check=True
        )
        mounted.append(machine.fastq)

    try:
        machine = raise_machine(before=mount)
        plan = default_plan(NAMES[Kind.NOVASEQ6000].format(7), kind=Kind.NOVASEQ6000, clusters=900)
        scene = Scene(machine, plan, "full-disk")
        scene.write()

        def waits() -> bool:
            stages = (machine.run(scene.run) or {}).get("stages", [])
            jobs = [one["job_id"] for one in stages if one["stage"] == "convert"]
            status = machine.api("bcl2fastq", f"status/{jobs[0]}") if any(jobs) else {}
            return bool(status.get("lacks_space"))

        wait_until("it waits", waits)
        st2 = St2(machine, tmp_path)
        st2("run", "arteria.reconcile", "grace=0", "seconds=0")  # else within a minute
        why = scene.why()
        assert why["code"] == "convert.waits_for_space"
        assert f"on {machine.fastq}, more than" in why["message"] and (ROOT / why["page"]).is_file()

        def told() -> list[Any]:
            """When people were told of it."""
            alerts = machine.api("runfolder", "alerts")["alerts"]
            return [one["told"] for one in alerts if one.get("volume") == "bcl2fastq.fastq_root"]

        wait_until("people are told", lambda: any(told()))
        passed = arteriole(machine, "let-pass", scene.run, "--reason", "it may be less")
        assert "whatever is free: convert" in passed
        again = arteriole(machine, "let-pass", scene.run, "--reason", "safe to do twice")
        assert "nothing waits for space" in again
        ended = wait_for_state(machine, scene.run, "error")
        why = ended["why"]
        assert why["code"] in ("convert.disk_full", "disk.full"), why
        assert str(machine.fastq) in why["message"] and (ROOT / why["page"]).is_file()
        assert list((machine.fastq / scene.run).glob("attempt-*")) == []
        subprocess.run(["mount", "-o", "remount,size=100m", str(machine.fastq)], check=True)
        scene.give("retry")
        wait_for_state(machine, scene.run, "done")
        assert prove(machine.home, scene.run).problems == ()
        wait_until("that is over", lambda: told() == [])
    finally:
        for folder in mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_flipped_byte_in_a_compressed_file_is_found_and_mended(machine, scenes):
    """Size and markers are right, so only reading it can tell."""
    plan = default_plan(NAMES[Kind.NOVASEQ6000].format(901), kind=Kind.NOVASEQ6000, clusters=120)
    scene = Scene(machine, plan, "flipped byte")
    elsewhere = machine.home / "flipped"
    made = write_run(plan, elsewhere, truth=machine.truth / plan.run)
    path = sorted(made.rglob("*.cbcl"))[20]
    data = bytearray(path.read_bytes())
    data[-len(data) // 4] ^= 1
    path.write_bytes(data)
    made.rename(scene.folder)
    why = wait_for_state(machine, scene.run, "error")["why"]
    assert why["code"] == "convert.run_data" and path.name in why["message"], why
    _assert_nothing_was_made_of(scene)
    good = scene._good()
    subprocess.run(["rsync", "-a", "--checksum", f"{good}/", str(scene.folder)], check=True)
    scene.give("retry")
    wait_for_state(machine, scene.run, "done")
    assert prove(machine.home, scene.run).problems == ()


def test_a_sheet_that_changes_during_the_conversion_publishes_nothing(machine, scenes):
    name = NAMES[Kind.MISEQ].format(950)
    plan = default_plan(name, kind=Kind.MISEQ, clusters=25_000, seed=950)
    scene = Scene(machine, plan, "changed sheet")
    scene.write()
    sheet = scene.folder / "SampleSheet.csv"
    wait_until(
        "the conversion",
        lambda: any(
            job["progress"]
            for job in machine.api("bcl2fastq", f"status?run={name}&stage=convert")["jobs"]
        ),
    )
    good = sheet.read_text()
    sheet.write_text(good.replace(plan.samples[0].i7, plan.samples[1].i7))
    why = wait_for_state(machine, name, "error")["why"]
    assert why["code"] == "convert.sheet_changed", why
    _assert_nothing_was_made_of(scene)
    sheet.write_text(good)
    scene.give("redo")
    ended = wait_for_state(machine, name, "done")
    assert prove(machine.home, name, ended["attempt"]).problems == ()
