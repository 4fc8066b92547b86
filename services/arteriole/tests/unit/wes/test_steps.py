"""What the commands of a unit become."""

import json
from pathlib import PurePosixPath
from typing import Any

import pytest

from arteriole.jobs.executors.step import Step
from arteriole.wes.settings import Pipeline
from arteriole.wes.steps import Places, Unfolded
from arteriole.wes.units import SampleInput, Source, Unit

PLACES = Places(PurePosixPath("/data"), PurePosixPath("/w/R/attempt-2"),
                PurePosixPath("/r/R/attempt-2"), "R", 2)  # fmt: skip
WORK = "/w/R/attempt-2/p-1.CASE"


def one(name: str, phenotype: str) -> SampleInput:
    files = {
        read: [Source(path=f"R/attempt-2/{name}_L1_{read}.fastq.gz", reads=3, md5=""),
               Source(path=f"Q/attempt-1/{name}_L1_{read}.fastq.gz", reads=4, md5="")]
        for read in ("R1", "R2")
    }  # fmt: skip
    return SampleInput(
        sample=name, version=1, phenotype=phenotype, batch="CASE", genome_build="GRCh38",
        reads=files,
    )  # fmt: skip


UNIT = Unit(
    pipeline="p", version="1", group="CASE", samples=[one("N", "normal"), one("T", "tumor")]
)


def unfold(unit: Unit = UNIT, **entry: Any) -> list[Step]:
    given = {"version": "1", "executor": "here", **entry}
    return Unfolded(unit, Pipeline.model_validate(given), PLACES, "aw-e-7-1").steps()


def command(*words: str, **more: Any) -> dict[str, Any]:
    return {"name": "do", "command": list(words), **more}


def test_inputs_are_merged_first() -> None:
    inputs = unfold(steps=[command("x")])[0]
    assert (inputs.key, inputs.home, inputs.cwd) == ("aw-e-7-1-0", f"{WORK}/.steps", WORK)
    assert inputs.files["T_R2.list"] == (
        "/data/R/attempt-2/T_L1_R2.fastq.gz\n/data/Q/attempt-1/T_L1_R2.fastq.gz\n"
    )
    assert inputs.command[4:] == (WORK, "aw-e-7-1-0", inputs.file("wanted"))
    assert inputs.files["wanted"].splitlines()[-1] == "T_R2_001.fastq.gz 7 T_R2.list"


def test_what_starts_a_step_is_no_longer_for_more_samples() -> None:
    """Behind ssh it is one word, of 128 KiB at most."""
    many = [one(f"S{n}", "") for n in range(1000)]
    unit = UNIT.model_copy(update={"samples": many})
    few, more = (unfold(u, steps=[command("x", "{fastqs}")]) for u in (UNIT, unit))
    assert [step.arguments for step in few] == [step.arguments for step in more]


def test_a_step_of_the_group_and_of_each_sample() -> None:
    steps = unfold(
        genomes={"GRCh38": {"reference": "/ref.fa"}},
        steps=[
            command("bwa", "-t{cpus}", "{reference}", "{r1}", "{r2}", for_each="sample", cpus=3),
            command("all", "{fastqs}", "{{x}}", cwd="{group}/work", hours=2),
        ],
    )
    assert [step.name for step in steps] == ["inputs", "do.N", "do.T", "do"]
    assert steps[2].command == ("bwa", "-t3", "/ref.fa", f"{WORK}/fastq/T_R1_001.fastq.gz",
                                f"{WORK}/fastq/T_R2_001.fastq.gz")  # fmt: skip
    assert len(steps[3].command) == 6 and steps[3].command[-1] == "{x}"
    assert (steps[3].cwd, steps[3].hours, steps[1].cpus) == (f"{WORK}/CASE/work", 2, 3)


def test_a_third_read_is_among_the_fastqs() -> None:
    tumor = one("T", "tumor")
    three = tumor.model_copy(update={"reads": {**tumor.reads, "R3": tumor.reads["R2"]}})
    unit = UNIT.model_copy(update={"samples": [three]})
    names = [f"{WORK}/fastq/T_R{read}_001.fastq.gz" for read in (1, 2, 3)]
    assert unfold(unit, steps=[command("all", "{fastqs}")])[1].command == ("all", *names)


def test_a_table_has_a_row_a_sample() -> None:
    columns = {"description": "{sample}", "phenotype": "{phenotype}", "batch": "{batch}"}
    step = unfold(
        steps=[command("x", "{table}")], table={"name": "{group}.csv", "columns": columns}
    )[1]
    assert step.command == ("x", step.file("CASE.csv"))
    assert step.files["CASE.csv"] == ("description,phenotype,batch\nN,normal,CASE\nT,tumor,CASE\n")


def test_results_of_another_pipeline_are_taken() -> None:
    unit = UNIT.model_copy(update={"input": "bcbio-1.CASE"})
    steps = unfold(unit, after="bcbio", steps=[command("umccrise", "{input}")])
    assert [step.name for step in steps] == ["inputs", "do"]
    assert steps[0].files["wanted"] == ""
    assert steps[1].command == ("umccrise", "/r/R/attempt-2/bcbio-1.CASE")


@pytest.mark.parametrize("more", [{}, {"after": "bcbio"}])
def test_other_metadata_makes_other_inputs(more: dict[str, Any]) -> None:
    """Of equal files, too; another version of the same metadata makes none."""
    tumor = UNIT.samples[1]

    def digest(**of: Any) -> str:
        unit = UNIT.model_copy(update={"samples": [UNIT.samples[0], tumor.model_copy(update=of)]})
        return unfold(unit, steps=[command("x")], **more)[0].digest

    assert digest(version=2) == digest()
    assert digest(phenotype="normal") != digest()


def test_nextflow() -> None:
    step = unfold(
        engine="nextflow",
        nextflow={
            "workflow": "nf-core/sarek", "revision": "3.4.0", "profile": "singularity",
            "params": {"input": "{table}", "outdir": "{work}/results", "step": "mapping", "n": 3},
        },
        table={"columns": {"sample": "{sample}", "fastq_1": "{r1}"}},
    )[1]  # fmt: skip
    assert step.command == (
        "nextflow", "-log", f"{WORK}/nextflow.log", "run", "nf-core/sarek", "-ansi-log", "false",
        "-resume", "-params-file", step.file("params.json"), "-work-dir", f"{WORK}/nextflow",
        "-revision", "3.4.0", "-profile", "singularity",
    )  # fmt: skip
    assert json.loads(step.files["params.json"]) == {
        "input": step.file("samples.csv"), "outdir": f"{WORK}/results", "step": "mapping", "n": 3,
    }  # fmt: skip


def test_an_equal_step_of_another_job_is_known_again() -> None:
    entry = Pipeline.model_validate(
        {"version": "1", "executor": "here", "steps": [command("x", "--tag", "{key}")]}
    )
    first = Unfolded(UNIT, entry, PLACES, "aw-e-7-1").steps()
    second = Unfolded(UNIT, entry, PLACES, "aw-e-8-1").steps()
    assert [step.digest for step in first] == [step.digest for step in second]
    assert first[1].command != second[1].command
    assert first[0].digest != first[1].digest
