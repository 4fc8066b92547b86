"""From a run to archived results by rules: bcbio, then umccrise, on a real Slurm, as documented.

bcbio and umccrise are fakes that check what they are given; Slurm is real.
"""

import csv
import importlib
import io
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import requests
import yaml

from arteriole.simulator.plan import Sample
from demo.machine import ROOT, Machine
from tests.conftest import Raise, St2, arteriole, wait_for_state, wait_until
from tests.e2e import runs

TESTS_OF_WES = ROOT / "services" / "arteriole" / "tests" / "integration" / "wes"
PLAN = ROOT / "packs" / "umccr" / "plans" / "with_analyses.yaml"
COLUMNS = ("sample", "project", "use", "subject", "phenotype", "batch", "genome_build", "pipeline",
           "recipient", "consent", "control")  # fmt: skip


def _slurm() -> Any:
    """That of the services' tests, which are no package that could be imported."""
    package = ModuleType("tests_of_services")
    package.__path__ = [str(TESTS_OF_WES.parent)]
    sys.modules[package.__name__] = package
    return importlib.import_module("tests_of_services.slurm")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[Any]:
    module = _slurm()
    if why := module.missing():
        pytest.skip(why)
    slurm = module.Slurm(
        tmp_path_factory.mktemp("slurm"), lambda ready: wait_until("Slurm is up", ready, 60)
    )
    try:
        slurm.begin()
        yield slurm
    finally:
        slurm.end()


def documented() -> dict[str, Any]:
    """The executors and pipelines of docs/analysis.md."""
    text = (ROOT / "docs" / "analysis.md").read_text()
    block = text.partition("    executors:\n")[2].partition("\n\n")[0]
    found: dict[str, Any] = yaml.safe_load("    executors:\n" + block)
    return found


@pytest.fixture(scope="module")
def machine(raise_machine: Raise, slurm: Any, tmp_path_factory) -> Iterator[Machine]:
    home = tmp_path_factory.mktemp("tools")
    for name, fake in {
        "bcbio_nextgen.py": "fake_bcbio_nextgen.py",
        "umccrise": "fake_umccrise.py",
    }.items():
        (home / name).symlink_to(TESTS_OF_WES / "fakes" / fake)
    (home / "template.yaml").write_text("details: [{analysis: x}]\nupload: {dir: ../final}\n")
    wes = documented()
    wes["executors"] = {"cluster": {"type": "slurm", "options": ["--partition=genomics"],
                                    "poll_seconds": 0.2, "settle_seconds": 2.0}}  # fmt: skip
    wes["pipelines"]["bcbio"]["genomes"]["GRCh38"]["template"] = str(home / "template.yaml")
    wes["pipelines"]["umccrise"]["steps"][0]["cpus"] = 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", slurm.environment["SLURM_CONF"])
        patch.setenv("PATH", f"{home}:{slurm.environment['PATH']}")
        yield raise_machine(services={"wes": wes}, plan=yaml.safe_load(PLAN.read_text())["plan"])


SAMPLES = runs.plan(1).samples
TUMOR, NORMAL, BLANK, LATE = SAMPLES
CASE = {"project": "Glioma-7", "use": "clinical", "subject": "PSEUDO-4711", "batch": "CASE1",
        "genome_build": "GRCh38", "pipeline": "bcbio", "recipient": "dr-hill",
        "consent": "general"}  # fmt: skip


def drop(machine: Machine, name: str, *rows: dict[str, str]) -> None:
    target = io.StringIO()
    writer = csv.DictWriter(target, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    partial = machine.home / "partial.csv"
    partial.write_text(target.getvalue())
    partial.rename(machine.metadata / name)


def control(sample: Sample) -> dict[str, str]:
    return {"sample": sample.id, "project": "Glioma-7", "use": "research", "control": "no-template"}


@pytest.fixture(scope="module")
def run(machine) -> str:
    """A run of which one sample's metadata comes late."""
    drop(
        machine,
        "case.csv",
        {"sample": TUMOR.id, "phenotype": "tumor", **CASE},
        {"sample": NORMAL.id, "phenotype": "normal", **CASE},
        control(BLANK),
    )
    name = runs.write(machine, 1)
    wait_for_state(machine, name, "pending", seconds=120)
    held = machine.run(name)
    assert held["why"]["code"] == "metadata.missing" and LATE.id in held["why"]["message"]
    before = machine.results / name / "attempt-1" / "bcbio-1.2.9.CASE1" / "analysis.json"
    written = before.stat().st_mtime_ns
    drop(machine, "late.csv", control(LATE))
    wait_for_state(machine, name, "done", seconds=120)
    assert before.stat().st_mtime_ns == written
    return name


def test_each_stage_was_done_by_its_rule(machine, slurm, run):
    stages = {stage["stage"]: stage for stage in machine.run(run)["stages"]}
    assert {stage["state"] for stage in stages.values()} == {"done"}
    assert [stages[name]["try"] for name in ("transfer", "analyse", "account")] == [1, 2, 2]
    assert slurm.queue() == []


def test_the_steps_can_be_looked_at(machine, run):
    steps = json.loads(arteriole(machine, "steps", run, "--json"))
    assert [(step["stage"], step["step"], step["state"]) for step in steps] == [
        ("analyse", "inputs", "done"),
        ("analyse", "template", "done"),
        ("analyse", "run", "done"),
        ("umccrise", "inputs", "done"),
        ("umccrise", "umccrise", "done"),
    ]
    shown = arteriole(machine, "steps", run)
    assert "umccrise-2.3.1.CASE1" in shown and max(map(len, shown.splitlines())) <= 80
    short = steps[0]["id"].split("-", 2)[-1]
    assert short in shown
    printed = arteriole(machine, "steps", run, "--output", short)
    assert printed == arteriole(machine, "steps", run, "--output", steps[0]["id"])
    assert f"{TUMOR.id}_R1_001.fastq.gz " in printed
    assert "no step 'x'" in arteriole(machine, "steps", run, "--output", "x", check=False)
    assert "has no analyses" in arteriole(machine, "steps", run, "--stage", "transfer")


def test_results_are_archived_as_they_are(machine, run):
    units = {"bcbio-1.2.9.CASE1", "umccrise-2.3.1.CASE1"}
    results = machine.results / run / "attempt-1"
    archive = machine.vault / run / "attempt-1.results"
    assert {path.name for path in results.iterdir()} == units
    assert {path.name for path in archive.iterdir()} == units
    for unit in units:
        for path in (results / unit).rglob("*"):
            if path.is_file():
                copy = archive / unit / "results" / path.relative_to(results / unit)
                assert copy.read_bytes() == path.read_bytes()
    record = json.loads((results / "umccrise-2.3.1.CASE1" / "analysis.json").read_text())
    assert record["input"] == "bcbio-1.2.9.CASE1"
    assert [sample["sample"] for sample in record["samples"]] == [NORMAL.id, TUMOR.id]


def test_no_name_of_a_sample_project_or_patient_is_in_a_log_figure_or_payload(
    machine, run, tmp_path
):
    names = [sample.id for sample in SAMPLES] + [sample.project for sample in SAMPLES]
    names += ["Glioma-7", "PSEUDO-4711", "CASE1"]
    told = {path.name: path.read_text(errors="replace") for path in machine.state.glob("*.log")}
    assert {"services.log", "st2solo.log"} <= set(told)
    for service in machine.ports.services:
        url = machine.url(service)
        told[f"{service} figures"] = requests.get(f"{url}/metrics", timeout=30).text
        told[f"{service} events"] = json.dumps(machine.api(service, "events?limit=1000"))
        told[f"{service} health"] = requests.get(f"{url}/health", timeout=30).text
    token = St2(machine, tmp_path)("auth", "operator", "-p", machine.password, "-t").strip()
    for what in ("executions", "triggerinstances", "traces", "metrics"):
        answer = requests.get(
            f"{machine.st2_environment['ST2_API_URL']}/{what}?limit=-1",
            headers={"X-Auth-Token": token},
            timeout=60,
        )
        assert answer.ok and len(answer.text) > 100, what
        told[f"st2solo {what}"] = answer.text
    assert run in told["wes events"] and "umccr.umccrise" in told["st2solo executions"]
    found = [(where, name) for where, text in told.items() for name in names if name in text]
    assert found == []
