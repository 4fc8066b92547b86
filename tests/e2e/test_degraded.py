"""A real HiSeq X run folder of which one cycle's base calls are left: told, left alone, waived.

That one file is cut to 20 000 of its 6 470 949 clusters: the rest would be more N.
"""

import gzip
import json
import os
import shutil
import struct
from pathlib import Path

import pytest

from demo.machine import JOB_SERVICES, Machine
from tests.conftest import Raise, arteriole, wait_for_state, wait_until

RUN = "151005_ST-00295_0022_BHH5VTCCXX"
KEPT = 20_000
FLAGS = ("missing-bcls", "missing-filter", "missing-positions", "empty-samples")


@pytest.fixture(scope="module")
def machine(raise_machine: Raise) -> Machine:
    root = os.environ.get("ARTERIOLE_REAL_DATA")
    if not root:
        pytest.skip("ARTERIOLE_REAL_DATA is not set")
    machine = raise_machine(services={"bcl2fastq": {"ignore_adapters": True}})
    copy = machine.home / RUN
    shutil.copytree(Path(root) / RUN, copy)
    for folder in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        folder.chmod(0o755)  # the data may be kept read-only
    calls = copy / "Data/Intensities/BaseCalls/L001/C1.1/s_1_1101.bcl.gz"
    first = gzip.decompress(calls.read_bytes())
    calls.unlink()
    calls.write_bytes(gzip.compress(struct.pack("<I", KEPT) + first[4 : 4 + KEPT]))
    copy.rename(machine.incoming / RUN)
    return machine


def test_it_is_seen_as_incomplete_and_nothing_is_done_to_it(machine):
    found = wait_until(
        "its verdict",
        lambda: (run := machine.run(RUN)) and run["verdict"] == "incomplete" and run,
    )
    why = found["why"]
    assert why["code"] == "run.incomplete"
    assert "L001" in why["message"] and RUN in why["hint"]
    assert found["attempt"] == 0 and found["state"] == "none"
    for service in JOB_SERVICES:
        assert machine.api(service, f"status?run={RUN}")["jobs"] == []
    assert list(machine.fastq.iterdir()) == []


def test_a_person_may_waive_and_the_attempt_is_degraded_for_good(machine):
    ignore = [word for flag in FLAGS for word in ("--ignore", flag)]
    for _ in range(2):  # safe to give twice
        arteriole(machine, "waive", RUN, *ignore, "--reason", "only its sheet is tried")
    ended = wait_for_state(machine, RUN, "done", seconds=200)
    (attempt,) = ended["attempts"]
    assert attempt["degraded"] is True and sorted(attempt["ignore"]) == sorted(FLAGS)
    record = json.loads((machine.fastq / RUN / "attempt-1" / "attempt.json").read_text())
    assert record["degraded"] is True and sorted(record["ignored"]) == sorted(FLAGS)
    events = machine.api("runfolder", f"runs/{RUN}/history")["events"]
    (waived,) = {(e["who"], e["payload"].get("reason")) for e in events if e["what"] == "waived"}
    assert waived == ("admin", "only its sheet is tried")
    assert "degraded" in arteriole(machine, "run", RUN)


def test_it_stays_degraded_through_a_redo_of_what_comes_after(machine):
    arteriole(machine, "redo", RUN, "--from", "checksum", "--reason", "a trial")
    wait_for_state(machine, RUN, "done", seconds=200)
    assert [a["degraded"] for a in machine.run(RUN)["attempts"]] == [True]
