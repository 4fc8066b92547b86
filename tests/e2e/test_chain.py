"""A run goes through the whole chain, held once by its QC, and the proof cannot be fooled."""

import subprocess
import sys
from typing import Any

import pytest
import yaml

from demo.machine import ROOT
from demo.prove import prove
from tests.conftest import STAGES as OF_ALL
from tests.conftest import arteriole, wait_for_state, wait_until
from tests.e2e import runs

PACK = ROOT / "packs" / "umccr"
STAGES = (*OF_ALL, "checksum_run", "qc", "transfer_runfolder")
#: More reads than a sample of the simulated run has.
WANTED = {"few_reads": {"below": 1_000_000, "consequence": "hold"}}


@pytest.fixture(scope="module")
def machine(raise_machine):
    """The usual plan with two stages more of the one with analyses; the run folder is sent, too."""
    usual = yaml.safe_load((PACK / "config.schema.yaml").read_text())["plan"]["default"]["stages"]
    full = yaml.safe_load((PACK / "plans" / "with_analyses.yaml").read_text())["plan"]["stages"]
    plan = {name: full[name] for name in (*usual, "checksum_run", "qc")}
    plan["transfer_runfolder"] = {"after": ["checksum", "qc"], "time_limit": 3600}
    return raise_machine(plan={"stages": plan}, services={"bcl2fastq": {"qc": {"default": WANTED}}})


@pytest.fixture(scope="module")
def held(machine) -> dict[str, Any]:
    """The run while its QC holds it."""
    name = runs.write(machine, 1)
    return wait_until("qc holds it", lambda: (run := machine.run(name)) and _is_held(run) and run)


def _is_held(run: dict[str, Any]) -> bool:
    """The stages beside qc that it does not wait for are done."""
    states = {stage["stage"]: stage["state"] for stage in run["stages"]}
    return (states.get("qc"), states.get("checksum")) == ("held", "done")


@pytest.fixture(scope="module")
def run(machine, held) -> str:
    name = held["name"]
    arteriole(machine, "accept", name, "--stage", "qc", "--reason", "a trial run")
    wait_for_state(machine, name, "done")
    return name


def test_nothing_goes_anywhere_while_qc_holds_it(held):
    states = {stage["stage"]: stage["state"] for stage in held["stages"]}
    assert (states["transfer"], states["archive"], held["state"]) == (
        "waiting", "waiting", "pending",
    )  # fmt: skip
    why = held["why"]
    assert (why["code"], why["page"]) == ("qc.few_reads", "docs/runbook/qc.few_reads.md")
    assert why["message"].startswith("qc waits: ") and "accept" in why["hint"]


def test_who_accepted_it_and_why_stays(machine, run):
    assert "accepted by admin: a trial run" in machine.run(run)["why"]["message"]
    events = machine.api("runfolder", f"runs/{run}/history")["events"]
    (accepted,) = [event for event in events if event["what"] == "stage_accepted"]
    assert accepted["payload"] == {"code": "qc.few_reads", "reason": "a trial run"}


def test_every_stage_is_done_once_in_the_order_of_the_plan(machine, run):
    stages = machine.run(run)["stages"]
    assert [(s["stage"], s["state"], s["try"]) for s in stages] == [
        (name, "done", 1) for name in sorted(STAGES, key=[s["stage"] for s in stages].index)
    ]
    ended = {s["stage"]: s["ended"] for s in stages}
    begun = {s["stage"]: s["begun"] for s in stages}
    for before, after in (
        ("check", "checksum_run"), ("checksum_run", "convert"), ("convert", "checksum"),
        ("checksum", "transfer"), ("checksum", "archive"), ("convert", "qc"),
        ("qc", "transfer"), ("qc", "archive"), ("qc", "transfer_runfolder"),
    ):  # fmt: skip
        assert ended[before] <= begun[after]
    events = machine.api("runfolder", f"runs/{run}/history")["events"]
    assert [e["what"] for e in events].count("run_done") == 1
    for stage in STAGES[1:]:
        assert len([e for e in events if e["what"] == "stage_ended" and e["stage"] == stage]) == 1


def test_every_record_and_digest_is_as_it_must_be(machine, run):
    proof = prove(machine.home, run)
    assert proof.problems == ()
    assert proof.records > 1000 and proof.files == 60


def test_the_run_folder_is_on_the_cluster_beside_the_fastqs(machine, run):
    there = machine.home / "cluster" / run / "runfolder-1"
    manifest = machine.home / "manifests" / run / "attempt-1" / "runfolder.md5"
    assert (there / "runfolder.md5").read_bytes() == manifest.read_bytes()
    check = ["md5sum", "--check", "--strict", "--quiet", "runfolder.md5"]
    subprocess.run(check, cwd=there, check=True)
    assert (machine.home / "cluster" / "ready" / f"{run}.runfolder-1").resolve() == there


@pytest.mark.parametrize(
    "place",
    [
        "fastq/{run}/attempt-1/Undetermined_S0_L001_R1_001.fastq.gz",
        "cluster/{run}/attempt-1/Undetermined_S0_L002_R2_001.fastq.gz",
        "vault/{run}/attempt-1/fastq/Undetermined_S0_L001_R1_001.fastq.gz",
        "vault/{run}/attempt-1/runfolder/RunInfo.xml",
        "vault/{run}/attempt-1/runfolder/Data/Intensities/BaseCalls/L001/C1.1/*.bcl.gz",
        "manifests/{run}/attempt-1/fastq.md5",
    ],
)
def test_a_single_changed_byte_is_found(machine, run, place):
    path = next(machine.home.glob(place.format(run=run)))
    whole = path.read_bytes()
    middle = len(whole) // 2
    changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    path.write_bytes(changed)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "demo.prove", str(machine.home), run],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stdout
    finally:
        path.write_bytes(whole)
    assert prove(machine.home, run).problems == ()
