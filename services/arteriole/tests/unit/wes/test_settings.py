"""The section `wes`: what is wrong with it is told when it is read."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from arteriole.wes.settings import WesSettings

STEP = {"name": "align", "command": ["bwa", "{r1}"], "for_each": "sample"}


def settings(**pipeline: Any) -> WesSettings:
    given = {"version": "1", "executor": "here", "steps": [STEP], **pipeline}
    return WesSettings.model_validate(
        {
            "fastq_root": "/f",
            "work_root": "/w",
            "results_root": "/r",
            "executors": {"here": {"type": "process"}},
            "pipelines": {"p": {name: value for name, value in given.items() if value is not None}},
        }
    )


@pytest.mark.parametrize(
    ("pipeline", "told"),
    [
        ({"executor": "there"}, "expected an executor of here, found there"),
        (
            {"after": "q", "steps": [{"name": "x", "command": ["x"]}]},
            "expected a pipeline after `after`, found q",
        ),
        (
            {"after": "p", "steps": [{"name": "x", "command": ["x", "{input}"]}]},
            "expected one that takes FASTQs at the end of `after`, found p after p",
        ),
        ({"after": "p"}, "{r1} in '{r1}': the pipeline has none"),
        ({"steps": None}, "expected steps for the engine command only"),
        ({"engine": "nextflow"}, "expected steps for the engine command only"),
        ({"engine": "nextflow", "steps": None}, "expected nextflow for that engine only"),
        ({"steps": [{**STEP, "for_each": "group"}]}, "{r1} in '{r1}' is none of"),
        ({"steps": [{**STEP, "command": ["awk", "{print}"]}]}, "{print} in '{print}' is none of"),
        ({"steps": [{**STEP, "command": ["awk", "{1}"]}]}, "{{ and }} for braces; found '{1}'"),
        ({"steps": [{**STEP, "command": ["x", "{table}"]}]}, "the pipeline has none"),
        ({"steps": [{**STEP, "command": ["x", "{input}"]}]}, "the pipeline has none"),
        ({"steps": [{**STEP, "command": ["x", "{workflow}"]}]}, "the pipeline has none"),
        ({"steps": [{**STEP, "cwd": "/etc"}]}, "expected a path below the work folder"),
        ({"steps": [{**STEP, "cwd": "../x"}]}, "expected a path below the work folder"),
        ({"steps": [{**STEP, "name": "a b"}]}, "must be 1 to 200 of"),
        ({"results": ""}, "expected a path below the work folder"),
        ({"table": {"columns": {"a": "{r3}"}}}, "{r3} in '{r3}' is none of"),
        ({"nextflow": {"workflow": "x"}}, "expected nextflow for that engine only"),
        ({"shell": "rm"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_pipeline_is_refused(pipeline: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        settings(**pipeline)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    "option", ["--job-name=x", "-J", "--output=/x", "--wrap=rm", "partition=main", "-p\nx"]
)
def test_options_of_sbatch_that_are_refused(option: str) -> None:
    executor = {"type": "slurm", "options": [option]}
    with pytest.raises(ValidationError, match="expected an option of sbatch"):
        WesSettings.model_validate(
            {"fastq_root": "/f", "work_root": "/w", "results_root": "/r",
             "executors": {"here": executor}}
        )  # fmt: skip


def test_genomes_give_names() -> None:
    step = {**STEP, "command": ["bwa", "{reference}", "{r1}"]}
    entry = settings(steps=[step], genomes={"GRCh38": {"reference": "/x"}}).pipelines["p"]
    assert (entry.type, entry.workflow_type_version) == ("COMMAND", "1.0")


def test_the_pipelines_of_the_documentation_are_good() -> None:
    text = (Path(__file__).parents[5] / "docs" / "analysis.md").read_text()
    block = text.partition("    executors:\n")[2].partition("\n\n")[0]
    settings_ = yaml.safe_load("    executors:\n" + block)
    roots = {"fastq_root": "/f", "work_root": "/w", "results_root": "/r"}
    found = WesSettings.model_validate({**roots, **settings_})
    assert list(found.pipelines) == ["bcbio", "umccrise"]
