"""The job that compares the indexes that were read with the sheet, and its command."""

import base64
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from arteriole.cli import main
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.misdeeds import copying, misdeed_of
from arteriole.simulator.sequencer import write_run

PLAN = default_plan(clusters=150, lanes=1, swaths=1, read_cycles=(8, 8), samples=6)


@pytest.fixture
def sequenced(tmp_path):
    """A run whose sheet has every i5 reversed."""
    reversed_i5 = misdeed_of("i5-reversed")
    return write_run(PLAN, tmp_path / "runs", truth=tmp_path / "truth", misdeeds=[reversed_i5])


@pytest.fixture
def site(serve, tmp_path, sequenced):
    (tmp_path / "fastq").mkdir()
    settings = {
        "run_roots": [str(tmp_path / "runs")],
        "fastq_root": str(tmp_path / "fastq"),
        "converter": "builtin",
    }
    return lambda mode="act": serve("bcl2fastq", settings, mode=mode)


def _files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("mode", ["act", "observe"])
def test_the_job_holds_the_diagnosis_and_nothing_is_written_elsewhere(
    site, tmp_path, sequenced, mode
):
    run = sequenced.name
    before = _files(tmp_path / "runs"), _files(tmp_path / "fastq")
    service = site(mode)
    answer = service.call("GET", f"indexes/{run}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "job.not_found")
    headers = {"Idempotency-Key": f"{run}.indexes.1.0"}
    job = service.call("POST", f"indexes/{run}", json={}, headers=headers).json()
    assert job["stage"] == "indexes"
    ended = service.ended(job["job_id"])
    assert (ended["state"], ended["message"]) == ("done", "")
    result = ended["result"]["would"] if mode == "observe" else ended["result"]
    assert result["code"] == "indexes.reversed_i5"
    assert not any(sample.id in json.dumps(result) for sample in PLAN.samples)
    found = service.call("GET", f"indexes/{run}").json()
    assert found["job"]["job_id"] == job["job_id"]
    assert len(found["diagnosis"]["lanes"][0]["samples"]) == 6
    proposal = service.call("GET", f"indexes/{run}/proposal").json()
    good = write_run(PLAN, tmp_path / "good", truth=tmp_path / "truth2") / "SampleSheet.csv"
    assert base64.b64decode(proposal["base64"]) == good.read_bytes()
    assert (_files(tmp_path / "runs"), _files(tmp_path / "fastq")) == before
    events = service.call("GET", "events").json()["events"]
    assert not any(sample.id in json.dumps(events) for sample in PLAN.samples)

    again = service.call("POST", f"indexes/{run}", json={}, headers=headers).json()
    assert again["job_id"] == job["job_id"]
    body = {"sheet": proposal["base64"]}
    job = service.call("POST", f"indexes/{run}", json=body, headers={"Idempotency-Key": "k"}).json()
    assert service.ended(job["job_id"])["state"] == "done"
    assert service.call("GET", f"indexes/{run}").json()["diagnosis"]["code"] == ""
    answer = service.call("GET", f"indexes/{run}/proposal")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "indexes.no_proposal")


def _by_lane():
    """Six samples on each of two lanes."""
    plan = default_plan(clusters=150, swaths=1, read_cycles=(8, 8), samples=12)
    samples = (replace(one, lanes=(1 + n // 6,)) for n, one in enumerate(plan.samples))
    return replace(plan, samples=tuple(samples))


#: Two columns and a half of a plate, of which one is taken for the next.
PLATE = default_plan(clusters=500, lanes=1, swaths=1, read_cycles=(8, 8), samples=20)


@pytest.mark.parametrize(
    ("plan", "misdeed", "code", "told"),
    [
        (_by_lane(), "", "", ""),
        (_by_lane(), "lanes-exchanged", "indexes.exchanged", "lane 1: 6 of 6 samples have no"),
        (PLATE, "", "", ""),
        (PLATE, "wells-shifted:8", "indexes.other_samples", "lane 1: 8 of 20 samples have no"),
    ],
)
def test_samples_that_stand_elsewhere_are_told_before_the_last_cycle_and_none_is_proposed(
    serve, tmp_path, plan, misdeed, code, told
):
    read = max(end for _, end in plan.spans_of(is_index=True)) + 2
    misdeeds = [misdeed_of(misdeed)] if misdeed else []
    folder = tmp_path / "runs"
    run = write_run(plan, folder, misdeeds=[*misdeeds, copying.CopyStalls(read)]).name
    assert read < plan.cycles and not (folder / run / "RTAComplete.txt").exists()
    (tmp_path / "fastq").mkdir()
    roots = {"run_roots": [str(folder)], "fastq_root": str(tmp_path / "fastq")}
    service = serve("bcl2fastq", {**roots, "converter": "builtin"})
    job = service.call("POST", f"indexes/{run}", json={}, headers={"Idempotency-Key": "k"}).json()
    result = service.ended(job["job_id"])["result"]
    assert (result["code"], result["reading"], result["proposal_sha256"]) == (code, None, None)
    assert told in result["message"]
    answer = service.call("GET", f"indexes/{run}/proposal")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "indexes.no_proposal")


def test_the_command_compares_a_folder_without_a_service(sequenced):
    sheet = sequenced / "SampleSheet.csv"
    asked = ["indexes", str(sequenced), "--sheet", str(sheet)]
    shown = CliRunner().invoke(main, asked)
    assert shown.exit_code == 1, shown.output
    assert "[indexes.reversed_i5]" in shown.output
    sample = PLAN.samples[0]
    assert f"+{sample.i7}" not in shown.output and f"{sample.i7}," in shown.output
    assert sum(line.startswith("+") and sample.i5 in line for line in shown.output.split("\n")) == 1
    document = json.loads(CliRunner().invoke(main, [*asked, "--json"]).output)
    assert document["reading"] == "index2 (i5) reverse-complemented"
    proposed = CliRunner().invoke(main, [*asked, "--proposal"])
    assert proposed.stdout_bytes != sheet.read_bytes()
    sheet.write_bytes(proposed.stdout_bytes)
    good = CliRunner().invoke(main, asked)
    assert (good.exit_code, "6 of 6 samples" in good.output) == (0, True), good.output
