"""A run goes through the whole chain by itself, and the proof of it cannot be fooled."""

import subprocess
import sys

import pytest

from demo.machine import ROOT
from demo.prove import prove
from tests.conftest import STAGES, wait_for_state
from tests.e2e import runs


@pytest.fixture(scope="module")
def run(machine) -> str:
    name = runs.write(machine, 1)
    wait_for_state(machine, name, "done")
    return name


def test_every_stage_is_done_once_in_the_order_of_the_plan(machine, run):
    stages = machine.run(run)["stages"]
    assert [(s["stage"], s["state"], s["try"]) for s in stages] == [
        (name, "done", 1) for name in sorted(STAGES, key=[s["stage"] for s in stages].index)
    ]
    ended = {s["stage"]: s["ended"] for s in stages}
    begun = {s["stage"]: s["begun"] for s in stages}
    for before, after in (
        ("check", "convert"), ("convert", "checksum"), ("checksum", "transfer"),
        ("checksum", "archive"),
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
