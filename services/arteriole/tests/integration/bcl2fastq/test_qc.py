"""QC jobs of a simulated run: held, failed, observed; the document over real HTTP."""

import itertools
import json
import shutil

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq import work
from arteriole.bcl2fastq.kind import Bcl2fastqKind, ConvertRequest
from arteriole.bcl2fastq.qc import document
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.sequencer import write_run

HELD = {"few_reads": {"below": 1_000_000, "consequence": "hold"}}
FAILED = {"q30": {"below": 99.9, "consequence": "fail"}}


class Centre:
    """A run that was simulated, and its jobs, done here."""

    def __init__(self, home):
        self.home = home
        self._numbers = itertools.count(1)
        plan = default_plan(clusters=60, read_cycles=(8, 8), lanes=1, swaths=1)
        self.run = write_run(plan, home / "runs", truth=home / "truth").name
        (home / "fastq").mkdir()

    def settings(self, qc):
        return {
            "run_roots": [str(self.home / "runs")],
            "fastq_root": str(self.home / "fastq"),
            "converter": "builtin",
            "qc": qc,
        }

    def task(self, qc=None, *, part="qc", attempt=1, observe=False):
        kind = Bcl2fastqKind(Bcl2fastqSettings.model_validate(self.settings(qc or {})))
        folder = JobFolder(self.home / f"job-{next(self._numbers)}")
        folder.prepare(
            {
                "job_id": 1,
                "run": self.run,
                "stage": part,
                "attempt": attempt,
                "observe": observe,
                "parameters": kind.parameters(self.run, ConvertRequest(part=part)),
                "worker": kind.worker,
            }
        )
        lock = folder.lock()
        assert lock is not None
        return Task(folder, lock)

    def document(self):
        return document.read(self.attempt)

    @property
    def attempt(self):
        return work.Attempt(self.home / "fastq", self.run, 1)


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    """An attempt is immutable, so one conversion serves all tests."""
    centre = Centre(tmp_path_factory.mktemp("centre"))
    work.work(centre.task(part="convert"))
    return centre


def test_a_run_is_held_for_a_project_and_the_document_tells_all(centre, serve):
    qc = {"projects": {"Trio": HELD}}
    service, run = serve("bcl2fastq", centre.settings(qc)), centre.run
    answer = service.call("GET", f"qc/{run}/9")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "qc.not_found")
    asked = {"key": "q", "stage": "qc", "part": "qc"}
    job = service.ended(service.submit(run, **asked)["job_id"])
    assert (job["state"], job["code"], job["stage"]) == ("done", "qc.few_reads", "qc")
    assert job["result"]["verdict"] == "hold"
    assert "fewer than 1000000" in job["message"] and f"arteriole accept {run}" in job["hint"]
    assert service.events("job_finished")[-1]["payload"]["code"] == "qc.few_reads"

    told = service.call("GET", f"qc/{run}/1").json()
    record = service.call("GET", f"attempts/{run}/1").json()
    assert told["verdict"] == "hold" and told["findings"] == job["result"]["findings"]
    reads = {row["sample_id"]: row["reads"] for row in record["samples"]}
    shown = {row["sample_id"]: row["reads"] for row in told["samples"]}
    assert {**shown, "Undetermined": reads["Undetermined"]} == reads
    held = {row["sample"] for row in told["findings"] if row["consequence"] == "hold"}
    assert held == {row["sample_id"] for row in told["samples"] if row["project"] == "Trio"}
    assert len(held) < len(told["samples"])
    (lane,) = told["lanes"]
    assert lane["clusters_pf"] == record["clusters_pf"] and 0 < lane["q30"] < 100
    assert told["sources"] == ["attempt.json", "Stats/Stats.json", "InterOp"]
    assert told["thresholds"]["Trio"]["few_reads"]["consequence"] == "hold"
    assert not list(centre.attempt.path.rglob("qc*")), "an attempt is immutable"

    assert service.submit(run, **asked)["job_id"] == job["job_id"]
    body = {"attempt": 1, "stage": "qc"}
    refused = service.call("POST", f"start/{run}", json=body, headers={"Idempotency-Key": "q"})
    assert refused.status_code == 409

    for attempt in (2, 0, "x", "..%2f1"):
        assert service.call("GET", f"qc/{run}/{attempt}").status_code == 404
    folder = document.path_of(centre.attempt).parent
    (folder / "attempt-3.json").write_text("{")
    answer = service.call("GET", f"qc/{run}/3")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "qc.unreadable")
    (folder / "attempt-4.json").symlink_to("/etc/hostname")
    assert service.call("GET", f"qc/{run}/4").json()["error"]["code"] == "path.outside"


def test_a_run_fails_and_its_document_is_there_all_the_same(centre):
    with pytest.raises(ArterioleError, match=r"lane 1: .* have quality 30 or better") as error:
        work.work(centre.task({"default": FAILED}))
    assert error.value.code == "qc.q30" and "redo" in error.value.hint
    assert centre.document()["verdict"] == "fail"


def test_a_warning_and_nothing_at_all(centre):
    task = centre.task({"default": {"q30": {"below": 99.9}}})
    assert work.work(task)["verdict"] == "warn"
    assert (task.remarks["code"], task.remarks["hint"]) == ("qc.q30", "")
    task = centre.task()
    assert work.work(task) == {
        "verdict": "pass",
        "findings": [],
        "finding_count": 0,
        "path": str(document.path_of(centre.attempt)),
    }
    assert task.remarks == {}


def test_what_is_not_there_or_not_as_it_was_is_refused(centre):
    with pytest.raises(ArterioleError) as error:
        work.work(centre.task(attempt=2))
    assert error.value.code == "attempt.not_found"
    sheet = centre.home / "runs" / centre.run / "SampleSheet.csv"
    data = sheet.read_bytes()
    sheet.write_bytes(data + b"\n")
    with pytest.raises(ArterioleError) as error:
        work.work(centre.task())
    assert error.value.code == "convert.sheet_changed"
    sheet.write_bytes(data)


def test_who_observes_tells_what_the_instrument_measured(centre):
    before = sorted(centre.attempt.home.rglob("*"))
    would = work.observe(centre.task({"default": {**HELD, **FAILED}}, observe=True, attempt=7))
    assert would["verdict"] == "fail" and would["to"].endswith("qc/attempt-7.json")
    assert [row["code"] for row in would["findings"]] == ["qc.q30"]
    interop = centre.home / "runs" / centre.run / "InterOp"
    shutil.move(interop, centre.home / "InterOp")
    would = work.observe(centre.task(observe=True))
    shutil.move(centre.home / "InterOp", interop)
    assert {row["code"] for row in would["findings"]} == {"qc.not_measured"}
    assert sorted(centre.attempt.home.rglob("*")) == before


FINDS = {"exit_status": 1, "run_summary": {}, "Q30Handler": [
    {"type": "warning", "message": "Q30 is low", "data": {"lane": 1}},
    {"type": "error", "message": "\tfew {{ reads }}", "data": {"sample_name": "NA12878"}},
]}  # fmt: skip


@pytest.fixture
def check_qc(centre, tmp_path):
    """Does what a script says in the place of CheckQC, and gives the findings."""
    program, config = tmp_path / "checkqc", tmp_path / "checkqc.yaml"

    def judge(script, **more):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        if not config.exists():
            config.write_text("{}")
        wanted = {"program": str(program), "config": str(config), **more}
        task = centre.task({"checkqc": wanted})
        told = work.work(task)
        return told["verdict"], [(row["code"], row["message"]) for row in told["findings"]]

    return judge


def test_what_check_qc_finds_has_the_consequences_of_the_site(check_qc, tmp_path):
    (tmp_path / "report").write_text(json.dumps(FINDS))
    script = f"cat {tmp_path}/report; exit 1"
    found = [
        ("qc.checkqc_error", "CheckQC: few {{ reads }}"),
        ("qc.checkqc_warning", "CheckQC: Q30 is low"),
    ]
    assert check_qc(script) == ("hold", found)
    assert check_qc(script, error="warn")[0] == "warn"
    with pytest.raises(ArterioleError, match="few") as failed:
        check_qc(script, error="fail")
    assert failed.value.code == "qc.checkqc_error"
    assert check_qc('echo \'{"exit_status": 0, "run_summary": {}}\'') == ("pass", [])


@pytest.mark.parametrize(
    ("script", "more", "told"),
    [
        ("exit 0", {}, "it ended with 0 and no report"),
        ("echo no DemuxSummary >&2", {}, "no report: no DemuxSummary"),
        ("echo '{}'", {}, "no report"),
        ("echo '[1]'", {}, "no report"),
        ("kill -9 $$", {}, "it ended with -9"),
        ("echo '{\"run_summary\": {}}'; exit 1", {}, "ended with 1 and told of no error"),
        ("exec sleep 60", {"timeout_minutes": 0.003}, "had not ended after 0.18 s"),
        ("exit 0", {"program": "/nowhere/checkqc"}, "cannot be run: No such file"),
        ("echo checkqc, version 4.0.0", {"version": "4.1.2"}, "expected version 4.1.2"),
        ("exit 0", {"config": "/nowhere/x.yaml"}, "No such file"),
    ],
)
def test_check_qc_that_does_not_judge_is_never_passed_over(check_qc, script, more, told):
    verdict, ((code, message),) = check_qc(script, **more)
    assert (verdict, code, told in message) == ("hold", "qc.checkqc_failed", True), message
    assert check_qc(script, **more, no_answer="warn")[0] == "warn"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("[", "no configuration"),
        ("parser_configurations: {StatsJsonParser: {bcl2fastq_output_path: ../x}}", "outside"),
        ("parser_configurations: {SamplesheetParser: {samplesheet_name: /etc/x}}", "outside"),
        ("parser_configurations: [1]", "no configuration"),
    ],
)
def test_check_qc_is_led_out_of_no_folder(check_qc, tmp_path, config, told):
    (tmp_path / "checkqc.yaml").write_text(config)
    verdict, ((code, message),) = check_qc("exit 0")
    assert (verdict, code, told in message) == ("hold", "qc.checkqc_failed", True), message
