"""What passes between a conversion's worker and the node that converts, without a Slurm."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from arteriole.app.application import VERSION
from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq import node
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.cluster import ORDER, OnCluster
from arteriole.bcl2fastq.converters import ConversionError, ConversionResult
from arteriole.bcl2fastq.work import sha256
from arteriole.jobs.executors.step import ExecutorError, Step, StepEnd
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task

KEY = "arteriole-convert-0"
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def run(tiny_run, cluster_of):
    tiny_run.clusters[1, 1101] = [cluster_of("ACGTAAAAAAACGT")]
    tiny_run.write("[Data]\nSample_ID,index\nS1,AAA\n")
    return tiny_run.folder


@pytest.fixture
def task(tmp_path, run):
    (tmp_path / "fastq").mkdir()
    folder = JobFolder(tmp_path / "jobs" / "1")
    parameters = {
        "run_dir": str(run),
        "fastq_root": str(tmp_path / "fastq"),
        "converter": "builtin",
        "barcode_mismatches": [1, 1],
        "include_non_pf": False,
        "ignore_adapters": False,
        "allow_index_collisions": False,
        "allow_empty_samples": False,
        "threads": 1,
        "executor": {"type": "slurm", "settle_seconds": 0, "poll_seconds": 0.01},
    }
    about = {"job_id": 1, "run": "r1", "stage": "convert", "attempt": 1}
    folder.prepare({**about, "parameters": parameters})
    lock = folder.lock()
    assert lock is not None
    return Task(folder, lock)


@pytest.fixture
def here(task, run, monkeypatch):
    """The side of the worker, whose order is written; no Slurm is asked."""
    attempt = Attempt(Path(task.parameters["fastq_root"]), "r1", 1)
    conversion = OnCluster(task, attempt, KEY, sha256(run / "SampleSheet.csv"))
    monkeypatch.setattr(conversion, "end_earlier", lambda: None)
    conversion.begin()
    return conversion


@pytest.fixture
def order(task):
    home = Path(task.parameters["fastq_root"], "r1", ".attempt-1.partial-1")
    return JobFolder(home / ORDER)


def judged(
    here: OnCluster, code: int | None = 0, reason: str = ""
) -> tuple[Path, ConversionResult]:
    step = Step(f"{KEY}-1", "/none", 0, "convert", "/none", ())
    return here._judged(StepEnd(code, NOW, NOW, code=reason, reason="went away"), step)


def done(order: JobFolder) -> dict[str, object]:
    """What the node does, and what it says."""
    result = node.work(Task(order, 0))
    outcome = {"ok": True, "code": "", "message": "", "hint": "", "result": result}
    order.write("outcome.json", json.loads(json.dumps(outcome)))
    return result


def test_each_start_has_a_folder_of_its_own(here, order):
    first = done(order)
    second = done(order)  # after the node's death, say
    assert first["folder"] != second["folder"]
    folder, result = judged(here)
    assert folder == order.path.parent / str(second["folder"])
    assert json.loads(json.dumps(asdict(result))) == json.loads(json.dumps(second["result"]))
    assert {path.name for path in folder.parent.iterdir()} == {ORDER, folder.name}
    assert order.progress() == {"done": 2, "total": 2, "unit": "tiles"}


def test_the_same_order_is_not_written_again(here, order, run, task):
    token = order.read("task.json")["token"]
    here.begin()
    assert order.read("task.json")["token"] == token
    other = OnCluster(task, here._attempt, KEY, "of another sheet")
    other.end_earlier = lambda: None
    other.begin()
    assert order.read("task.json")["token"] != token


def test_a_node_with_another_version_or_sheet_does_not_begin(here, order, run):
    (run / "SampleSheet.csv").write_text("[Data]\nSample_ID,index\nS9,AAA\n")
    with pytest.raises(ConversionError) as refused:
        done(order)
    assert refused.value.code == "convert.sheet_changed"
    order.write("task.json", {**order.read("task.json"), "version": "0.0.1"})
    with pytest.raises(ConversionError, match=f"expected arteriole 0.0.1 .* found {VERSION}") as no:
        done(order)
    assert no.value.code == "convert.node_version"


@pytest.mark.parametrize(
    ("change", "exit_code", "code"),
    [
        (lambda told: told.clear(), 0, "convert.node_version"),
        (lambda told: told.update(folder="../../x"), 0, "convert.node_version"),
        (lambda told: told["result"].update(files=[{"path": 1}]), 0, "convert.node_version"),
        (lambda told: None, 67, "step.died"),
        (lambda told: None, None, "slurm.lost"),
    ],
)
def test_what_is_no_end_of_a_conversion(here, order, change, exit_code, code):
    done(order)
    outcome = order.read("outcome.json")
    change(outcome["result"])
    order.write("outcome.json", outcome)
    with pytest.raises(ArterioleError) as refused:
        judged(here, exit_code, "" if exit_code is not None else "slurm.lost")
    assert refused.value.code == code and refused.value.hint


def test_what_the_node_refused_is_told_as_it_told_it(here, order):
    order.write("outcome.json", {"ok": False, "code": "convert.io", "message": "m", "hint": "h"})
    with pytest.raises(ConversionError, match="m") as refused:
        judged(here, 1)
    assert (refused.value.code, refused.value.hint) == ("convert.io", "h")


def test_a_file_that_never_comes_is_no_attempt(here, order):
    told = done(order)
    next(Path(order.path.parent, told["folder"]).rglob("*.fastq.gz")).unlink()
    folder, result = judged(here)
    with pytest.raises(ConversionError) as refused:
        here._attempt.complete(folder, result, "")
    assert refused.value.code == "convert.reconcile" and not here._attempt.path.exists()


def test_an_end_without_a_word(here):
    with pytest.raises(ExecutorError, match="exit code 137") as refused:
        judged(here, 137)
    assert refused.value.code == "step.died"
