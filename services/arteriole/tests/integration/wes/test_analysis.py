"""Analyses as processes of this machine, with Debian's own tools as the pipeline."""

import fcntl
import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from centre import EARLIER, RUN, THREE, Site, sample, write_attempt

from arteriole.app.errors import ArterioleError
from arteriole.jobs.executors.shell import Shell
from arteriole.wes.errors import AnalysisError


@pytest.fixture
def wes(centre: Site, serve: Callable[..., Any]) -> Callable[[], Any]:
    return lambda: serve("wes", centre.settings)


def reads(path: Path) -> list[bytes]:
    """The names of the records."""
    return gzip.decompress(path.read_bytes()).splitlines()[::4]


def test_each_sample_is_analysed_with_its_lanes_merged(centre: Site, wes: Any) -> None:
    service = wes()
    job = service.ended(service.submit(RUN, attempt=1, samples=THREE)["job_id"])
    assert job["state"] == "done", job
    units = [unit["unit"] for unit in job["result"]["units"]]
    assert units == ["count-1.N1", "count-1.R1", "count-1.T1"]
    kept = centre.result("count-1.T1") / "T1_R1_001.fastq.gz"
    assert [name.split(b":")[1] for name in reads(kept)] == [b"1"] * 30 + [b"2"] * 20
    record = centre.record("count-1.T1")
    assert (record["pipeline"], record["version"], record["attempt"]) == ("count", "1", 1)
    assert [len(record["samples"][0]["reads"][read]) for read in ("R1", "R2")] == [2, 2]
    printed = next((centre.result("count-1.T1") / "steps").glob("*-2.stdout")).read_text()
    assert hashlib.sha256(kept.read_bytes()).hexdigest() in printed
    assert job["progress"] == {"done": 15, "total": 15, "unit": "steps"}


def test_a_repeat_finds_the_results_and_runs_nothing(centre: Site) -> None:
    centre.analyse()
    before = {path: path.stat().st_mtime_ns for path in centre.results.rglob("*")}
    assert all(unit["already"] for unit in centre.analyse()["units"])
    assert {path: path.stat().st_mtime_ns for path in centre.results.rglob("*")} == before


def test_top_ups_are_merged(centre: Site) -> None:
    centre.analyse(samples=[sample("T1", top_up_of=[EARLIER]), *THREE[1:]])
    names = reads(centre.result("count-1.T1") / "T1_R2_001.fastq.gz")
    runs = [name.split(b":")[0][1:].decode() for name in names]
    assert runs == [RUN] * 50 + [EARLIER] * 5


def test_a_degraded_top_up_wants_a_release(centre: Site) -> None:
    degraded = "260122_A00121_0029_AHVKJ3DSX7"
    write_attempt(centre.fastq, degraded, {"T1": {1: 5}}, degraded=True)
    samples = [sample("T1", top_up_of=[degraded]), *THREE[1:]]
    result = centre.analyse(samples=samples)
    assert result["held"] == [{"sample": "T1", "reason": "analysis.degraded"}]
    assert [unit["group"] for unit in result["units"]] == ["N1", "R1"]
    assert centre.analyse(samples=samples, released=True)["held"] == []


def test_a_top_up_whose_record_cannot_be_read_holds_its_sample(centre: Site) -> None:
    (centre.fastq / EARLIER / "attempt-1" / "attempt.json").write_text("{")
    result = centre.analyse(samples=[sample("T1", top_up_of=[EARLIER]), *THREE[1:]])
    assert result["held"] == [{"sample": "T1", "reason": "analysis.record"}]
    assert [unit["group"] for unit in result["units"]] == ["N1", "R1"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pipeline": "other"}, "pipeline.unknown"),
        ({"genome_build": "hg17", "pipeline": "typed"}, "pipeline.genome"),
        ({"top_up_of": ["260101_A00121_0001_AHVKJ3DSX7"]}, "analysis.top_up"),
        ({"pipeline": "paired", "batch": "B", "phenotype": "tumor"}, "pipeline.pair"),
    ],
)
def test_what_is_wrong_with_a_sample_holds_that_sample(
    centre: Site, change: dict[str, Any], reason: str
) -> None:
    count = centre.settings["pipelines"]["count"]
    centre.settings["pipelines"] |= {
        "typed": {**count, "genomes": {"GRCh38": {"reference": "/x"}}},
        "paired": {**count, "needs": ["tumor", "normal"]},
    }
    result = centre.analyse(samples=[sample("T1", **change), *THREE[1:]])
    assert result["held"] == [{"sample": "T1", "reason": reason}]
    assert [unit["group"] for unit in result["units"]] == ["N1", "R1"]


def test_samples_without_metadata_are_held_and_done_later(centre: Site) -> None:
    first = centre.analyse(samples=THREE[:1], held=["N1", "R1"])
    assert [row["reason"] for row in first["held"]] == ["metadata.missing"] * 2
    before = (centre.result("count-1.T1") / "analysis.json").stat().st_mtime_ns
    later = centre.analyse()
    assert [unit["already"] for unit in later["units"]] == [False, False, True]
    assert (centre.result("count-1.T1") / "analysis.json").stat().st_mtime_ns == before


def test_controls_and_samples_without_a_pipeline_are_left_out(centre: Site) -> None:
    samples = [sample("T1", control="no-template"), sample("N1", pipeline=""), sample("R1")]
    result = centre.analyse(samples=samples)
    assert result["left_out"] == 2
    assert [unit["group"] for unit in result["units"]] == ["R1"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"samples": THREE[:2]}, "analysis.samples"),
        ({"samples": [*THREE, sample("X")]}, "analysis.samples"),
        ({"samples": [*THREE, THREE[0]]}, "analysis.samples"),
        ({"held": ["T1"]}, "analysis.samples"),
        ({"samples": [sample("../x")]}, "name.characters"),
        ({"pipeline": "none"}, "pipeline.unknown"),
        ({"attempt": 2}, "attempt.not_found"),
    ],
)
def test_refused_at_the_start(centre: Site, body: dict[str, Any], code: str) -> None:
    with pytest.raises(ArterioleError) as raised:
        centre.parameters(**body)
    assert (raised.value.status, raised.value.code) == (400, code)


def test_an_attempt_whose_record_names_no_samples_is_refused(centre: Site) -> None:
    record = centre.fastq / RUN / "attempt-1" / "attempt.json"
    record.write_text(record.read_text().replace("sample_id", "sample"))
    with pytest.raises(ArterioleError) as raised:
        centre.parameters()
    assert raised.value.code == "analysis.record"
    assert f"arteriole redo {RUN} --from convert" in raised.value.hint


def test_a_degraded_attempt_wants_a_release(centre: Site) -> None:
    run = "260202_A00121_0032_AHVKJ3DSX7"
    write_attempt(centre.fastq, run, {"R1": {1: 3}}, degraded=True)
    with pytest.raises(ArterioleError) as raised:
        centre.parameters(run, samples=[sample("R1")])
    assert (raised.value.status, raised.value.code) == (409, "analysis.degraded")
    assert centre.analyse(run, samples=[sample("R1")], released=True)["units"]


def test_a_step_that_fails_is_told_with_sample_and_last_lines(centre: Site) -> None:
    steps = centre.settings["pipelines"]["count"]["steps"]
    steps[1]["command"] = ["ls", "{r1}", str(centre.home / "flag.{sample}")]
    for name in ("N1", "R1"):
        (centre.home / f"flag.{name}").touch()
    with pytest.raises(AnalysisError) as raised:
        centre.analyse()
    assert raised.value.code == "analysis.step"
    assert "1 of 3 analyses failed, 2 succeeded" in str(raised.value)
    assert "step digest of sample T1: exit code 2: ls: cannot access" in str(raised.value)
    assert centre.result("count-1.R1").is_dir() and not centre.result("count-1.T1").exists()
    (centre.home / "flag.T1").touch()
    assert [unit["already"] for unit in centre.analyse()["units"]] == [True, True, False]


def test_a_retry_does_not_repeat_the_steps_that_succeeded(centre: Site) -> None:
    count = centre.home / "count"
    steps = centre.settings["pipelines"]["count"]["steps"]
    steps.insert(1, {"name": "note", "command": ["mkdir", str(count)]})
    steps[2]["command"] = ["ls", str(centre.home / "flag")]
    samples = {"samples": [sample("R1")], "held": ["T1", "N1"]}
    with pytest.raises(AnalysisError):
        centre.analyse(**samples)
    (centre.home / "flag").touch()
    assert centre.analyse(**samples)["units"]  # mkdir would fail at its second time


def test_a_unit_that_waits_for_room_costs_no_calls(
    centre: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    read = Shell.read
    monkeypatch.setattr(Shell, "read", lambda self, path: calls.append(path) or read(self, path))
    centre.settings["executors"]["here"]["cores"] = 1
    centre.settings["pipelines"]["count"]["steps"][0]["command"] = [
        "sh", "-c", "sleep 0.5; mkdir -p {work}/results",
    ]  # fmt: skip
    centre.analyse()
    assert len(calls) == 3


def test_a_file_with_other_reads_than_counted_is_never_analysed(centre: Site) -> None:
    path = centre.fastq / RUN / "attempt-1" / "T1_S1_L002_R2_001.fastq.gz"
    path.write_bytes(gzip.compress(b"@x\nA\n+\nF\n"))
    broken = centre.fastq / RUN / "attempt-1" / "R1_S3_L001_R1_001.fastq.gz"
    broken.write_bytes(broken.read_bytes()[:-9])
    with pytest.raises(AnalysisError, match="2 of 3 analyses failed") as raised:
        centre.analyse()
    assert raised.value.code == "analysis.inputs"
    assert "R1_R1_001.fastq.gz has 7 reads (29 lines), expected are 7" in str(raised.value)


def test_results_never_change(centre: Site) -> None:
    one = {"samples": [THREE[0]], "held": ["N1", "R1"]}
    centre.analyse(**one)
    centre.settings["pipelines"]["count"]["steps"][1]["command"] = ["md5sum", "{r1}"]
    with pytest.raises(AnalysisError) as raised:
        centre.analyse(**one)
    assert raised.value.code == "analysis.other_inputs"
    centre.settings["pipelines"]["count"]["version"] = "2"
    centre.analyse(**one)
    assert {path.name for path in centre.result("").iterdir()} == {"count-1.T1", "count-2.T1"}


def test_nothing_of_earlier_inputs_is_in_the_results(centre: Site) -> None:
    """A sample was of the wrong batch, and what came after it failed until that was mended."""
    count = centre.settings["pipelines"]["count"]
    flag = centre.home / "flag"
    keep = {"name": "keep", "for_each": "sample", "command": ["cp", "{r1}", "{work}/results"]}
    fails = {"name": "check", "command": ["ls", str(flag)]}
    count["steps"] = [count["steps"][0], keep, fails]
    batch = {"batch": "B"}
    with pytest.raises(AnalysisError):
        centre.analyse(samples=[sample("T1", **batch), sample("N1", **batch)], held=["R1"])
    flag.touch()
    centre.analyse(samples=[sample("T1"), sample("N1", **batch)], held=["R1"])
    found = {path.name for path in centre.result("count-1.B").rglob("*") if path.is_file()}
    assert "N1_R1_001.fastq.gz" in found
    assert not [name for name in found if name.startswith("T1")]
    printed = (centre.result("count-1.B") / "steps").glob("*.stdout")
    assert not [path for path in printed if "T1" in path.read_text()]


def test_nothing_of_earlier_metadata_is_in_the_results(centre: Site) -> None:
    """Nor of the pipeline that takes the results of another."""
    count = centre.settings["pipelines"]["count"]
    flag = centre.home / "flag"
    keep = [
        {"name": "folder", "command": ["mkdir", "-p", "{work}/results"]},
        {"name": "keep", "command": ["cp", "{table}", "{work}/results/{key}.csv"]},
        {"name": "check", "command": ["ls", str(flag)]},
    ]
    table = {"columns": {"subject": "{subject}"}}
    first = {**count, "table": table, "steps": keep[:2]}
    after = {**first, "after": "count", "steps": keep}
    centre.settings["pipelines"] |= {"count": first, "next": after}
    held = {"held": ["N1", "R1"]}
    centre.analyse(samples=[sample("T1", subject="P1")], **held)
    with pytest.raises(AnalysisError):
        centre.analyse(samples=[sample("T1", subject="P1")], pipeline="next", **held)
    flag.touch()
    centre.analyse(samples=[sample("T1", subject="P2")], pipeline="next", **held)
    tables = [path.read_text() for path in centre.result("next-1.T1").glob("*.csv")]
    assert tables == ["subject\nP2\n"]


def test_results_that_were_taken_away_are_made_anew(centre: Site) -> None:
    one = {"samples": [THREE[0]], "held": ["N1", "R1"]}
    centre.analyse(**one)
    shutil.rmtree(centre.result("count-1.T1"))
    assert [unit["already"] for unit in centre.analyse(**one)["units"]] == [False]
    assert (centre.result("count-1.T1") / "T1_R1_001.fastq.gz").is_file()


def test_a_step_that_is_given_more_changes_no_results(centre: Site) -> None:
    """As the runbook says of one that needed more time or memory: what is there stays."""
    steps = centre.settings["pipelines"]["count"]["steps"]
    steps[1]["command"] = ["ls", "{r1}", str(centre.home / "{sample}")]
    for name in ("N1", "R1"):
        (centre.home / name).touch()
    with pytest.raises(AnalysisError):
        centre.analyse()
    steps[1] |= {"hours": 48, "memory_gb": 2}
    (centre.home / "T1").touch()
    assert [unit["already"] for unit in centre.analyse()["units"]] == [True, True, False]


def test_results_of_an_earlier_version_are_recognised(centre: Site) -> None:
    """Their digest is of what the steps were given, too."""
    one = {"samples": [THREE[0]], "held": ["N1", "R1"]}
    centre.analyse(**one)
    parameters = centre.parameters(**one)
    unit, entry = parameters["units"][0], parameters["pipelines"]["count"]
    of = [{key: value for key, value in unit.items() if key != "digest"}, entry]
    record = centre.result("count-1.T1") / "analysis.json"
    earlier = hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()
    assert unit["digest"] != earlier and unit["digest"] in record.read_text()
    record.write_text(record.read_text().replace(unit["digest"], earlier))
    assert [unit["already"] for unit in centre.analyse(**one)["units"]] == [True]


def test_results_of_very_many_samples_are_recognised(centre: Site) -> None:
    """Their analysis.json is longer than what is kept of a command's output."""
    sources = {f"R{read}": ["x" * 200] * 1000 for read in (1, 2)}
    one = {"samples": [THREE[0]], "held": ["N1", "R1"]}
    centre.analyse(**one)
    record = centre.result("count-1.T1") / "analysis.json"
    found = json.loads(record.read_text())
    record.write_text(json.dumps({**found, "steps": [sources]}, indent=1))
    assert [unit["already"] for unit in centre.analyse(**one)["units"]] == [True]


def test_what_publishes_unheard_is_waited_for(centre: Site, wes: Any, until: Any) -> None:
    """At its begin, and when its own results are to be published."""
    centre.on_slurm()
    centre.settings["pipelines"]["sleep"]["executor"] = "here"
    lock = centre.work / RUN / "attempt-1" / "sleep-1.R1" / ".publishing"
    lock.parent.mkdir(parents=True)
    service = wes()
    log, said = service.jobs / "1" / "log", "an earlier start still publishes its results"
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        samples = [sample("R1", pipeline="sleep")]
        job_id = service.submit(RUN, "k", attempt=1, samples=samples, held=["T1", "N1"])["job_id"]
        until(lambda: log.exists() and log.read_text().count(said) == 1)
        fcntl.flock(held, fcntl.LOCK_UN)
        until((centre.home / "starts.R1").exists)
        fcntl.flock(held, fcntl.LOCK_EX)
        (centre.home / "go.R1").touch()
        until(lambda: log.read_text().count(said) == 2)
        assert not (centre.result("sleep-1.R1")).exists()
    job = service.ended(job_id)
    assert job["state"] == "done", job


def test_a_pipeline_that_leaves_nothing_failed(centre: Site) -> None:
    centre.settings["pipelines"]["count"]["results"] = "elsewhere"
    with pytest.raises(AnalysisError) as raised:
        centre.analyse()
    assert raised.value.code == "analysis.no_results"


def test_observing_says_what_would_be_done(centre: Site) -> None:
    assert centre.analyse(observe=True) == {
        "pipelines": {"count": "1"},
        "to": f"{centre.results}/{RUN}/attempt-1",
    }
    assert not centre.results.exists() and not centre.work.exists()


@pytest.mark.parametrize(
    "entry",
    [
        {"steps": [{"name": "x", "command": ["no-such-program"]}]},
        {"engine": "nextflow", "nextflow": {"workflow": "w", "program": "no-such-program"}},
    ],
)
def test_observing_tells_of_a_program_that_is_missing(centre: Site, entry: dict[str, Any]) -> None:
    centre.settings["pipelines"]["missing"] = {"version": "1", "executor": "here", **entry}
    with pytest.raises(ArterioleError, match="cannot run no-such-program") as raised:
        centre.analyse(observe=True)
    assert raised.value.code == "tool.missing"


def test_killed_in_the_middle_it_goes_on_where_it_was(
    centre: Site, wes: Any, until: Callable[..., Any]
) -> None:
    centre.on_slurm()
    pipeline = centre.settings["pipelines"]["sleep"]
    pipeline["executor"] = "here"
    service = wes()
    samples = [sample("R1", pipeline="sleep")]
    job_id = service.submit(RUN, "k", attempt=1, samples=samples, held=["T1", "N1"])["job_id"]
    starts = centre.home / "starts.R1"
    until(lambda: starts.exists() and starts.read_text())
    service.kill()
    service.start()
    assert service.status(job_id)["state"] == "started"
    (centre.home / "go.R1").touch()
    job = service.ended(job_id)
    assert job["state"] == "done", job
    assert starts.read_text() == "-\n"


def test_a_stop_ends_the_tools(centre: Site, wes: Any, until: Callable[..., Any]) -> None:
    centre.on_slurm()
    centre.settings["pipelines"]["sleep"]["executor"] = "here"
    service = wes()
    samples = [sample("R1", pipeline="sleep")]
    job_id = service.submit(RUN, "k", attempt=1, samples=samples, held=["T1", "N1"])["job_id"]
    until((centre.home / "starts.R1").exists)
    service.call("POST", f"stop/{job_id}")
    assert service.ended(job_id)["state"] == "cancelled"
    assert not centre.results.exists()
    tasks = service.call("GET", f"tasks/{job_id}").json()["tasks"]
    assert [(task["step"], task["state"]) for task in tasks] == [
        ("inputs", "done"),
        ("wait", "stopped"),
    ]
