"""Which samples are analysed together, and which are not."""

from pathlib import Path
from typing import Any

import pytest

from arteriole.wes.attempts import AttemptFastqs
from arteriole.wes.grouping import Grouping
from arteriole.wes.request import AnalysisSample
from arteriole.wes.settings import WesSettings
from arteriole.wes.units import Source

RUN = "260201_A00121_0031_BHVKJ3DSX7"
STEPS = {"version": "1", "executor": "here", "steps": [{"name": "do", "command": ["true"]}]}
PIPELINES: dict[str, Any] = {"any": STEPS, "pair": {**STEPS, "needs": ["tumor", "normal"]}}


def settings(home: Path, pipelines: dict[str, Any]) -> WesSettings:
    roots = {f"{name}_root": str(home / name) for name in ("fastq", "work", "results")}
    executors = {"here": {"type": "process", "cores": 2}}
    return WesSettings.model_validate({**roots, "executors": executors, "pipelines": pipelines})


def grouped(
    home: Path, *samples: dict[str, Any], pipeline: str = "", reads: dict[str, int] | None = None,
    pipelines: dict[str, Any] = PIPELINES,
) -> Grouping:  # fmt: skip
    """Samples of the pipeline `any` unless they say otherwise; each has one read unless told."""
    there = {
        one["sample"]: {
            read: [Source(path=f"{one['sample']}_{read}", reads=count, md5="")]
            for read in ("R1", "R2")
        }
        for one in samples
        for count in [(reads or {}).get(one["sample"], 1)]
    }
    attempt = AttemptFastqs(RUN, 1, degraded=False, samples=there)
    grouping = Grouping(settings(home, pipelines), attempt)
    given = [AnalysisSample.model_validate({"pipeline": "any", **one}) for one in samples]
    grouping.take(given, [], pipeline)
    return grouping


def one(sample: str, **more: Any) -> dict[str, Any]:
    return {"sample": sample, "batch": "B1", "project": "P", **more}


def pair(**of_normal: Any) -> list[dict[str, Any]]:
    common = {"pipeline": "pair", "subject": "S-1"}
    return [
        one("T", **common, phenotype="tumor"),
        one("N", **{**common, **of_normal}, phenotype="normal"),
    ]


@pytest.mark.parametrize(
    "samples",
    [
        [one("A"), one("B", project="Q")],
        [one("A"), one("B1", batch="")],
        pair(subject="S-2"),
        pair(project="Q"),
    ],
    ids=[
        "batches of two projects",
        "a sample called like it",
        "two subjects",
        "a pair of projects",
    ],
)
def test_what_is_no_batch_is_held(tmp_path: Path, samples: list[dict[str, Any]]) -> None:
    grouping = grouped(tmp_path, *samples)
    assert grouping.units == []
    held = {held.sample: held.reason for held in grouping.held}
    assert held == dict.fromkeys((row["sample"] for row in samples), "pipeline.batch")


@pytest.mark.parametrize(
    "samples",
    [
        [one("A", subject="S-1"), one("B", subject="S-2"), one("C")],
        pair(),
        pair(subject=""),
        [one("A"), one("B", batch="B2", project="Q")],
    ],
    ids=["a family", "a pair", "a subject left out", "two batches"],
)
def test_what_is_a_batch_is_analysed_together(
    tmp_path: Path, samples: list[dict[str, Any]]
) -> None:
    grouping = grouped(tmp_path, *samples)
    assert grouping.held == []
    found = {unit.group: {one.sample for one in unit.samples} for unit in grouping.units}
    batches = {row["batch"] for row in samples}
    assert found == {b: {row["sample"] for row in samples if row["batch"] == b} for b in batches}


def test_a_batch_waits_for_its_sample_that_is_held(tmp_path: Path) -> None:
    """Its results never change, so they are not made without it."""
    samples = [one("A"), one("B"), one("C", batch="B2")]
    grouping = grouped(tmp_path, *samples, reads={"A": 0})
    assert [(held.sample, held.reason) for held in grouping.held] == [
        ("A", "analysis.no_reads"),
        ("B", "pipeline.batch"),
    ]
    assert [unit.group for unit in grouping.units] == ["B2"]


def after(name: str, **more: Any) -> dict[str, Any]:
    steps = [{"name": "do", "command": ["true", "{input}"]}]
    return {**STEPS, "steps": steps, "after": name, **more}


CHAIN = {
    "any": STEPS,
    "second": after("any"),
    "third": after("second", genomes={"GRCh38": {"reference": "/ref"}}),
}


def test_a_pipeline_may_be_after_one_that_is_after_another(tmp_path: Path) -> None:
    samples = [one("A", genome_build="GRCh38"), one("B", batch="B2", genome_build="hg17")]
    grouping = grouped(tmp_path, *samples, pipeline="third", pipelines=CHAIN)
    assert [(unit.name, unit.input) for unit in grouping.units] == [("third-1.B1", "second-1.B1")]
    assert [(held.sample, held.reason) for held in grouping.held] == [("B", "pipeline.genome")]
    grouping = grouped(tmp_path, *samples, pipeline="second", pipelines=CHAIN)
    inputs = [(unit.name, unit.input) for unit in grouping.units]
    assert inputs == [("second-1.B1", "any-1.B1"), ("second-1.B2", "any-1.B2")]


def test_a_sample_whose_pipeline_takes_no_fastqs_is_held(tmp_path: Path) -> None:
    grouping = grouped(tmp_path, one("A", pipeline="second"), pipelines=CHAIN)
    assert grouping.units == []
    assert [(held.sample, held.reason) for held in grouping.held] == [("A", "pipeline.unknown")]
