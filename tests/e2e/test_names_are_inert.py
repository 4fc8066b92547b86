"""Text that Jinja, YAQL or a shell would evaluate starts nothing, leaks nothing, and is shown."""

import json
from typing import Any

import pytest
import requests

from demo.machine import Machine
from tests.conftest import St2, wait_for_state, wait_until
from tests.e2e import runs

SECRET = "the-secret-that-must-not-come-out"
TEXTS = ["<% st2kv('system.x') %>", "{{ ''.__class__ }}", "; touch x", "{{ st2kv.system.x }}"]
NAMES = ("sample", "project")


def _plain(text: str) -> str:
    """As the packs show it: nothing is left that another template could evaluate."""
    return text.translate(str.maketrans("{}<>", "()()"))


@pytest.fixture(scope="module")
def machine(raise_machine) -> Machine:
    machine = raise_machine()
    secret = machine.state / "secret"
    secret.write_text(SECRET)
    machine.kill("st2solo")
    machine.st2solo("key", "set", "x", "--value-file", str(secret))
    secret.unlink()
    machine.start_st2solo()
    return machine


@pytest.fixture(scope="module", autouse=True)
def nothing_was_started_or_leaked(machine, tmp_path_factory):
    """Looks, after all tests of this module, at everything that was executed and written."""
    yield
    st2 = St2(machine, tmp_path_factory.mktemp("home"))
    token = st2("auth", "operator", "-p", machine.password, "-t").strip()
    api = machine.st2_environment["ST2_API_URL"]
    headers = {"X-Auth-Token": token}
    for what in ("executions", "triggerinstances", "ruleenforcements"):
        answer = requests.get(f"{api}/{what}?limit=-1", headers=headers, timeout=60)
        assert answer.ok and answer.json(), what
        assert SECRET not in answer.text, what
        assert "<class" not in answer.text, what
    for service in machine.ports.services:
        assert SECRET not in json.dumps(machine.api(service, "events?limit=1000"))
    assert not [path for path in machine.home.rglob("x") if path.is_file()]
    for path in machine.state.rglob("*.log"):
        assert SECRET not in path.read_text(errors="replace"), path


def _all(machine: Machine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = machine.api("runfolder", "runs")["runs"]
    return found


@pytest.mark.parametrize("text", TEXTS)
def test_a_run_folder_so_named_is_refused_and_shown(machine, text):
    folder = machine.incoming / text
    folder.mkdir()
    (folder / "RunInfo.xml").write_text("<RunInfo/>")
    (folder / "RTAComplete.txt").touch()
    seen = wait_until(
        "the folder", lambda: next((r for r in _all(machine) if r["name"] == text), None)
    )
    assert seen["state"] == "error" and seen["why"]["code"] == "run.name"
    events = machine.api("runfolder", "events?limit=1000")["events"]
    assert not [event for event in events if event["run"] == text]


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("text", TEXTS)
def test_a_sheet_with_such_a_name_stops_the_run_and_tells(machine, text, field, st2_of):
    number = 100 + 10 * TEXTS.index(text) + NAMES.index(field)
    sample = text if field == "sample" else "S1"
    project = text if field == "project" else "P1"
    sheet = (
        "[Header]\nIEMFileVersion,4\n[Data]\nSample_ID,Sample_Name,index,index2,Sample_Project\n"
        f'"{sample}",S1,ACGTACGT,ACGTACGT,"{project}"\n'
    )
    run = runs.write(machine, number, sheet=sheet.encode())
    ended = wait_for_state(machine, run, "error")
    assert text in ended["why"]["message"] and "SampleSheet.csv, line 5" in ended["why"]["message"]
    shown = json.loads(st2_of("run", "arteria.why", f"run={run}", "-j"))
    assert shown["status"] == "succeeded"
    assert _plain(text) in json.dumps(shown["result"], ensure_ascii=False)


@pytest.fixture(scope="module")
def st2_of(machine, tmp_path_factory) -> St2:
    return St2(machine, tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("text", TEXTS)
def test_a_jobs_message_with_such_text_is_passed_on_as_it_is(machine, text, st2_of):
    """A file whose name md5sum would have to escape fails the checksum job, which names it."""
    number = 200 + TEXTS.index(text)
    name = f"{text}\\"
    run = runs.write(machine, number, extra_file=name)
    ended = wait_for_state(machine, run, "error")
    failed = next(s for s in ended["stages"] if s["state"] == "failed")
    assert failed["stage"] == "checksum" and text in failed["message"]
    shown = json.loads(st2_of("run", "arteria.why", f"run={run}", "-j"))
    assert _plain(text) in json.dumps(shown["result"], ensure_ascii=False)
