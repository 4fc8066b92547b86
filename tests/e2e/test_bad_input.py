"""Bad input ends a run `error`, with the file, the line or field, and what to do; others go on."""

import re

import pytest

from demo.machine import Machine
from demo.prove import prove
from tests.conftest import wait_for_state, wait_until
from tests.e2e import runs

HEADER = "[Header]\nIEMFileVersion,4\n[Data]\nSample_ID,Sample_Name,index,index2,Sample_Project\n"


SHEETS = {
    11: ("no sections\n", r"sheet\.", r"SampleSheet\.csv, line 1: "),
    12: (HEADER + '"S1,S1,ACGT,ACGT,P\n', "sheet.quotes", r"SampleSheet\.csv, line 5"),
    13: (HEADER + "S1,S1,ACGTXXGT,ACGTACGT,P\n", r"sheet\.index", r"line 5, column 3: .*ACGTXXGT"),
    14: (HEADER + "S1,S1,GGGGGGGG,GGGGGGGG,P\n", "convert.empty_sample", r"line 5: .*GGGGGGGG"),
    15: (HEADER + "S1,S1,ACGTACGTACGT,ACGTACGT,P\n", r"sheet\.index", r"line 5, column 3: .*12"),
}


@pytest.fixture(scope="module")
def side_by_side(machine: Machine) -> dict[int, str]:
    """A run for each bad sheet, and a good one (1) among them."""
    written = {number: runs.write(machine, number, sheet=SHEETS[number][0].encode())
               for number in SHEETS}  # fmt: skip
    return written | {1: runs.write(machine, 1)}


@pytest.mark.parametrize("number", SHEETS)
def test_a_bad_sheet_stops_its_run_and_tells_why(machine, side_by_side, number):
    _, code, told = SHEETS[number]
    bad = side_by_side[number]
    why = wait_for_state(machine, bad, "error")["why"]
    assert re.match(code, why["code"]), why
    assert re.search(told, why["message"]), why
    assert why["hint"] and f"arteriole retry {bad}" in why["hint"]
    assert why["data_safe"] and why["urgency"]


def test_an_empty_sheet_is_one_that_has_not_come_yet(machine):
    waiting = runs.write(machine, 10, sheet=b"")

    def told() -> dict:
        return (machine.run(waiting) or {}).get("why", {})

    wait_until("its verdict", lambda: told().get("code") == "run.no_sheet")
    assert "SampleSheet.csv is empty" in told()["message"]


def test_a_good_run_beside_them_is_not_disturbed(machine, side_by_side):
    good = side_by_side[1]
    wait_for_state(machine, good, "done")
    assert prove(machine.home, good).problems == ()


def test_a_mended_sheet_and_the_named_command_bring_the_run_to_its_end(machine):
    bad = runs.write(machine, 30, sheet=HEADER.encode())
    wait_for_state(machine, bad, "error")
    (machine.incoming / bad / "SampleSheet.csv").write_text(HEADER + runs.sheet_row(30))
    for _ in range(2):  # the command is safe to give twice
        machine.api("runfolder", f"runs/{bad}/retry", "POST")
    ended = wait_for_state(machine, bad, "done")
    assert {s["stage"]: s["try"] for s in ended["stages"]}["check"] == 2


@pytest.mark.parametrize(
    ("number", "text", "told"),
    [
        (40, "<RunInfo><Run", r"RunInfo\.xml"),
        (41, "", r"RunInfo\.xml"),
        (42, '<RunInfo><Run Id="x" Number="1"></Run></RunInfo>', r"Flowcell|Reads"),
        (43, '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><RunInfo>&a;</RunInfo>',
         r"RunInfo\.xml"),
    ],
)  # fmt: skip
def test_a_malformed_run_info_is_told_and_goes_on_by_itself_when_mended(
    machine, number, text, told
):
    bad = runs.write(machine, number, run_info=text)
    ended = wait_for_state(machine, bad, "error")
    assert re.search(told, ended["why"]["message"]) and ended["why"]["hint"]
    assert "root:" not in ended["why"]["message"]
    runs.right_run_info(machine, bad).replace(machine.incoming / bad / "RunInfo.xml")
    wait_for_state(machine, bad, "done")
    assert prove(machine.home, bad).problems == ()


def test_a_wrong_ssh_key_is_told_and_mended_by_retry(machine: Machine):
    authorized = machine.ssh / "authorized_keys"
    right = authorized.read_text()
    authorized.write_text((machine.ssh / "host_key.pub").read_text())
    bad = runs.write(machine, 60)
    ended = wait_for_state(machine, bad, "error")
    assert ended["why"]["code"] == "transfer.key_refused"
    assert "cluster" in ended["why"]["message"] and "identity_file" in ended["why"]["hint"]
    states = {s["stage"]: s["state"] for s in ended["stages"]}
    assert states["transfer"] == "failed" and states["convert"] == "done"
    authorized.write_text(right)
    other = runs.write(machine, 61)
    wait_for_state(machine, other, "done")
    machine.api("runfolder", f"runs/{bad}/retry", "POST")
    wait_for_state(machine, bad, "done")
    assert prove(machine.home, bad).problems == ()
    (archive,) = machine.api("archive", f"status?run={bad}")["jobs"]
    assert archive["state"] == "done"
