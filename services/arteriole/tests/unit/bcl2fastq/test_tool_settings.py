"""Which bcl2fastq may be named, and how a mistake is told."""

import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from arteriole.app.config import ConfigError, load
from arteriole.bcl2fastq.cluster_settings import ClusterSettings
from arteriole.bcl2fastq.kind import Bcl2fastqKind, ConvertRequest, IndexesRequest
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.jobs.needs import NOTHING, Needs
from arteriole.settings import Settings

VERSION = "2.20.0.422"


def settings(tmp_path: Path, **given: Any) -> Bcl2fastqSettings:
    return Bcl2fastqSettings.model_validate(
        {"run_roots": [tmp_path], "fastq_root": tmp_path, "converter": "bcl2fastq", **given}
    )


@pytest.mark.parametrize("program", ["bcl2fastq", "bcl2fastq-2.20", "/opt/bcl2fastq/bin/bcl2fastq"])
def test_programs(program: str) -> None:
    assert ToolSettings(version=VERSION, program=program).program == program


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "version"),
        ({"version": "v2.20"}, "version"),
        ({"version": VERSION, "program": "bin/bcl2fastq"}, "a program's name or absolute path"),
        ({"version": VERSION, "program": "/opt/../bcl2fastq"}, "a program's name or absolute"),
        ({"version": VERSION, "program": "-x"}, "a program's name or absolute path"),
        ({"version": VERSION, "program": "bcl2fastq; id"}, "a program's name or absolute path"),
        ({"version": VERSION, "image": "bcl2fastq"}, "an image with a tag or a digest"),
        ({"version": VERSION, "cpus": 2}, "cpus and memory_gb with an image only"),
        ({"version": VERSION, "memory_gb": 2}, "cpus and memory_gb with an image only"),
        ({"version": VERSION, "timeout_hours": 0}, "timeout_hours"),
    ],
)
def test_what_may_not_be_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ToolSettings.model_validate(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "expected bcl2fastq_tool with the converter bcl2fastq"),
        ({"include_non_pf": True}, "expected no include_non_pf with the converter bcl2fastq"),
        ({"allow_index_collisions": True}, "expected no allow_index_collisions with"),
    ],
)
def test_the_converter_needs_its_tool(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    tool = {"bcl2fastq_tool": {"version": VERSION}} if given else {}
    with pytest.raises(ValidationError, match=message):
        settings(tmp_path, **given, **tool)


def test_a_mistake_is_told_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "arteriole.yaml"
    path.write_text(
        f"state_dir: {tmp_path}\n"
        "bcl2fastq:\n"
        f"  run_roots: [{tmp_path}]\n"
        f"  fastq_root: {tmp_path}\n"
        "  converter: bcl2fastq\n"
        "  bcl2fastq_tool:\n"
        "    image: bcl2fastq\n"
    )
    with pytest.raises(ConfigError) as refused:
        load(path, Settings, {})
    text = str(refused.value)
    assert "arteriole.yaml:7" in text and "bcl2fastq.bcl2fastq_tool.image" in text
    assert "bcl2fastq.bcl2fastq_tool.version: expected a value, found none" in text


def test_the_tool_reaches_the_worker_as_it_was_named(tmp_path: Path) -> None:
    (tmp_path / "r1").mkdir()
    tool = {"version": VERSION, "image": "bcl2fastq:2.20", "memory_gb": 16}
    chosen = settings(tmp_path, bcl2fastq_tool=tool)
    assert chosen.in_containers == ["bcl2fastq"]
    parameters = Bcl2fastqKind(chosen).parameters("r1", ConvertRequest())
    assert ToolSettings.model_validate(parameters["bcl2fastq_tool"]) == chosen.bcl2fastq_tool
    here = settings(tmp_path, bcl2fastq_tool={"version": VERSION})
    assert not here.in_containers


def test_bcl_convert_has_a_tool_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="expected bclconvert_tool with the converter bclcon"):
        settings(tmp_path, converter="bclconvert", bcl2fastq_tool={"version": VERSION})
    with pytest.raises(ValidationError, match="version"):
        settings(tmp_path, converter="bclconvert", bclconvert_tool={"version": "3.10.5"})
    tool = {"version": "4.2.7", "image": "bcl-convert:4.2.7"}
    chosen = settings(
        tmp_path, converter="bclconvert", bclconvert_tool=tool, bcl2fastq_tool={"version": VERSION}
    )
    assert chosen.bclconvert_tool is not None
    assert chosen.bclconvert_tool.program == "bcl-convert"
    assert chosen.in_containers == ["bclconvert"]
    (tmp_path / "r1").mkdir()
    parameters = Bcl2fastqKind(chosen).parameters("r1", ConvertRequest())
    assert ToolSettings.model_validate(parameters["bclconvert_tool"]).image == tool["image"]
    assert "bcl2fastq_tool" not in parameters


@pytest.mark.parametrize("index2", ["forward", "as-read", None, "reversed"])
def test_how_sheets_have_index2(tmp_path: Path, index2: str | None) -> None:
    (tmp_path / "r1").mkdir()
    given = {"converter": "builtin", "index2": index2}
    if index2 == "reversed":
        with pytest.raises(ValidationError, match="index2"):
            settings(tmp_path, **given)
        return
    parameters = Bcl2fastqKind(settings(tmp_path, **given)).parameters("r1", ConvertRequest())
    assert parameters["index2"] == index2


@pytest.mark.parametrize(
    ("executor", "tool", "message"),
    [
        ({"type": "process"}, {}, "slurm"),
        ({"type": "slurm", "options": ["--wrap=id"]}, {}, "an option of sbatch other than"),
        ({"type": "slurm", "parallel": 2}, {}, "bcl2fastq.parallel counts"),
        ({"type": "slurm", "python": "bin/python"}, {}, "an absolute path"),
        ({"type": "slurm"}, {"image": "bcl2fastq:2.20"}, "no image in bcl2fastq_tool beside"),
    ],
)
def test_what_is_no_cluster(
    tmp_path: Path, executor: dict[str, Any], tool: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(tmp_path, bcl2fastq_tool={"version": VERSION, **tool}, executor=executor)


def test_the_cluster_reaches_the_worker_as_it_was_named(tmp_path: Path) -> None:
    (tmp_path / "r1").mkdir()
    given = {"type": "slurm", "options": ["--partition=main"], "memory_gb": 64, "hours": 12}
    chosen = settings(tmp_path, bcl2fastq_tool={"version": VERSION}, executor=given)
    assert chosen.goes_on and chosen.executor is not None
    parameters = Bcl2fastqKind(chosen).parameters("r1", ConvertRequest())
    assert ClusterSettings.model_validate(parameters["executor"]) == chosen.executor
    assert chosen.executor.python == Path(sys.executable)
    assert not settings(tmp_path, bcl2fastq_tool={"version": VERSION}).goes_on


@pytest.mark.parametrize(
    ("given", "tool", "needs"),
    [
        ({}, {}, Needs(2, 1)),
        ({"threads": 8, "memory_gb": 12}, {}, Needs(8, 12)),
        ({"threads": 8}, {"image": "x:1", "memory_gb": 30}, Needs(8, 30)),
        ({"threads": 8}, {"image": "x:1", "cpus": 3}, Needs(3, 1)),
        ({"threads": 8, "executor": {"type": "slurm"}}, {}, Needs(0, 0)),
    ],
)
def test_what_a_conversion_needs_of_this_machine(
    tmp_path: Path, given: dict[str, Any], tool: dict[str, Any], needs: Needs
) -> None:
    (tmp_path / "r1").mkdir()
    chosen = settings(tmp_path, bcl2fastq_tool={"version": VERSION, **tool}, **given)
    parameters = Bcl2fastqKind(chosen).parameters("r1", ConvertRequest())
    assert Needs.of(parameters, False) == needs
    assert Needs.of(Bcl2fastqKind(chosen).parameters("r1", IndexesRequest()), False) == NOTHING
