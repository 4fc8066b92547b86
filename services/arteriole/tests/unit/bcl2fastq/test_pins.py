"""Projects that ask for a converter, and for one version of it."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from arteriole.bcl2fastq import converters, pins
from arteriole.bcl2fastq import work as working
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionError
from arteriole.bcl2fastq.kind import Bcl2fastqKind, ConvertRequest, IndexesRequest
from arteriole.bcl2fastq.pin_settings import ProjectPin
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.sheet_requests import CheckRequest
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task

OLD, NEW, CONVERT = "2.20.0.422", "2.20.1.500", "4.2.7"
ROWS: list[dict[str, Any]] = [
    {"pattern": "CUP_EXTRA", "converter": "builtin"},
    {"pattern": "CUP_[A-Z]+", "converter": "bcl2fastq", "version": OLD},
    {"pattern": "(CUP|NEW)_[0-9]{1,3}", "converter": "bcl2fastq", "version": NEW},
    {"pattern": "WGS_.*", "converter": "bclconvert", "version": CONVERT},
]
PINS = [ProjectPin.model_validate(row) for row in ROWS]


def sheet(*projects: str) -> bytes:
    rows = [f"S{n},{p},{'ACGT'[n % 4] * 4}" for n, p in enumerate(projects)]
    return "\n".join(["[Data]", "Sample_ID,Sample_Project,index", *rows, ""]).encode()


def settings(tmp_path: Path, **given: Any) -> Bcl2fastqSettings:
    (tmp_path / "r1").mkdir(exist_ok=True)
    common = {"run_roots": [tmp_path], "fastq_root": tmp_path, "converter": "bcl2fastq"}
    tools = {"bcl2fastq_tool": {"version": OLD}, "bclconvert_tool": {"version": CONVERT}}
    return Bcl2fastqSettings.model_validate({**common, **tools, "projects": ROWS, **given})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"converter": "builtin"}, "pattern"),
        ({"pattern": "(a+)+b", "converter": "builtin"}, "a group is repeated"),
        ({"pattern": "A", "converter": "bcl2fastq3"}, "expected one of"),
        ({"pattern": "A", "converter": "bcl2fastq"}, "expected a version with the converters"),
        ({"pattern": "A", "converter": "builtin", "version": "0.1"}, "and with no other"),
        ({"pattern": "A", "converter": "bclconvert", "version": "4.x"}, "version"),
        ({"pattern": "A", "converter": "builtin", "project": "B"}, "project"),
    ],
)
def test_rows_that_are_none(row: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ProjectPin.model_validate(row)


@pytest.mark.parametrize(
    ("projects", "converter", "version", "told"),
    [
        (["OTHER", ""], "bcl2fastq", OLD, []),
        (["CUP_A", "OTHER", "CUP_B"], "bcl2fastq", OLD, []),
        (["CUP_A"], "bcl2fastq", NEW, ["line 3", f"bcl2fastq {OLD} (row 2 of", NEW]),
        (["OTHER", "CUP_A"], "builtin", None, ["line 4", "with builtin"]),
        (["CUP_12"], "bcl2fastq", OLD, ["line 3", "row 3", NEW, OLD]),
        (["WGS_x"], "bcl2fastq", OLD, ["line 3", f"bclconvert {CONVERT}", "row 4"]),
        (["WGS_x", "OTHER"], "bclconvert", CONVERT, []),
        (["WGS_x"], "bclconvert", None, ["bclconvert 4.2.7", "with bclconvert"]),
        (["CUP_EXTRA"], "builtin", None, []),  # the first row that fits counts
        (["CUP_EXTRA"], "bcl2fastq", OLD, ["asks for builtin (row 1"]),
        (["X", "WGS_x", "CUP_A"], "bclconvert", CONVERT,
         ["line 4", "bclconvert", "on line 5 for bcl2fastq", "converted by one"]),
        (["CUP_A", "CUP_1"], "bcl2fastq", OLD, ["line 3", OLD, "on line 4", NEW]),
    ],
)  # fmt: skip
def test_what_is_asked_and_what_would_convert(
    projects: list[str], converter: str, version: str | None, told: list[str]
) -> None:
    if not told:
        pins.require(PINS, sheet(*projects), converter, version)
        return
    with pytest.raises(ConversionError) as refused:
        pins.require(PINS, sheet(*projects), converter, version)
    said = f"{refused.value} {refused.value.hint}"
    assert refused.value.code == "convert.pinned" and refused.value.hint
    assert [word for word in told if word not in said] == []
    assert [project for project in projects if len(project) > 1 and project in said] == []


@pytest.mark.parametrize(
    ("data", "given", "converter"),
    [
        (sheet("WGS_x", "OTHER"), {}, "bclconvert"),
        (sheet("OTHER"), {}, "bcl2fastq"),
        (sheet("CUP_EXTRA"), {}, "builtin"),
        (sheet("WGS_x", "CUP_A"), {}, "bcl2fastq"),
        (sheet("WGS_x"), {"bclconvert_tool": None}, "bcl2fastq"),
        (sheet("WGS_x"), {"bclconvert_tool": {"version": "4.0.3"}}, "bcl2fastq"),
        (sheet("WGS_x"), {"projects": []}, "bcl2fastq"),
        (b"[Data", {}, "bcl2fastq"),
        (None, {}, "bcl2fastq"),
    ],
)
def test_a_run_is_converted_with_what_its_projects_ask_for_if_that_is_there(
    tmp_path: Path, data: bytes | None, given: dict[str, Any], converter: str
) -> None:
    chosen = settings(tmp_path, **given)
    kind = Bcl2fastqKind(chosen)
    for own in (True, False):  # the sheet in the run folder, or that of the request
        if data is not None and own:
            (tmp_path / "r1" / "SampleSheet.csv").write_bytes(data)
        sent = None if own or data is None else base64.b64encode(data).decode()
        found = kind.parameters("r1", ConvertRequest(sheet=sent))
        assert found["converter"] == converter
        assert (f"{converter}_tool" in found, len(found["projects"])) == (
            True,
            len(chosen.projects),
        )
        assert kind.parameters("r1", IndexesRequest(sheet=sent))["converter"] == converter
        (tmp_path / "r1" / "SampleSheet.csv").unlink(missing_ok=True)


def test_options_are_those_of_the_converter_that_is_asked_for(tmp_path: Path) -> None:
    kind = Bcl2fastqKind(settings(tmp_path))
    (tmp_path / "r1" / "SampleSheet.csv").write_bytes(sheet("WGS_x"))
    with pytest.raises(ConversionError, match="not for the converter bclconvert"):
        kind.parameters("r1", ConvertRequest(additional_args=["--no-lane-splitting"]))


def test_a_container_of_any_converter_that_may_be_used_counts(tmp_path: Path) -> None:
    image = {"version": CONVERT, "image": "bcl-convert:4.2.7"}
    assert not settings(tmp_path).goes_on
    assert settings(tmp_path, bclconvert_tool=image).goes_on
    assert not settings(tmp_path, bclconvert_tool=image, projects=[]).goes_on
    with pytest.raises(ValidationError, match="no image in bclconvert_tool beside executor"):
        settings(tmp_path, bclconvert_tool=image, executor={"type": "slurm"})
    assert {*Bcl2fastqKind(settings(tmp_path)).versions()} == {"bcl2fastq", "bclconvert", "builtin"}


def test_a_sheet_is_checked_by_the_converter_that_would_convert_it(tmp_path: Path) -> None:
    """Indexes that collide may be waived for builtin, and not for Illumina's converters."""
    kind = Bcl2fastqKind(settings(tmp_path))
    for project, ok in (("CUP_EXTRA", True), ("OTHER", False)):
        data = sheet(project, project).replace(b"CCCC", b"AAAT")
        given = base64.b64encode(data).decode()
        request = CheckRequest(sheet=given, waived_rules=["sheet.index_collision"])
        assert kind.sheets.judge(request)["ok"] is ok


def test_the_check_tells_what_the_conversion_would_refuse(tmp_path: Path) -> None:
    kind = Bcl2fastqKind(settings(tmp_path))
    for projects, line in ((("OTHER", "CUP_EXTRA"), 0), (("WGS_x", "CUP_A"), 4), (("CUP_12",), 3)):
        given = base64.b64encode(sheet(*projects)).decode()
        told = kind.sheets.judge(CheckRequest(sheet=given))
        found = [f for f in told["findings"] if f["code"] == "convert.pinned"]
        assert [f["line"] for f in found] == ([line] if line else []), projects
        assert all(f["column"] and f["hint"] for f in found)
        assert not (found and told["ok"])


# --- a job -----------------------------------------------------------------------------------


@pytest.fixture
def task(tmp_path: Path, tiny_run: Any, cluster_of: Any) -> Callable[..., Task]:
    tiny_run.reads = ((4, "Y"), (4, "N"))
    tiny_run.clusters[1, 1101] = [cluster_of("ACGTGGGG")]
    tiny_run.write("[Data]\nSample_ID,Sample_Project,index\nS1,CUP_A,ACGT\n")
    (tmp_path / "fastq").mkdir()

    def make(row: dict[str, Any], converter: str = "builtin") -> Task:
        folder = JobFolder(tmp_path / "jobs" / "1")
        about = {"job_id": 1, "run": "r1", "stage": "convert", "attempt": 1}
        parameters = {
            "run_dir": str(tiny_run.folder),
            "fastq_root": str(tmp_path / "fastq"),
            "converter": converter,
            "projects": [{"pattern": "CUP_A", **row}],
            "barcode_mismatches": [1, 1],
            "include_non_pf": False,
            "ignore_adapters": False,
            "allow_index_collisions": False,
            "allow_empty_samples": False,
            "threads": 1,
        }
        folder.prepare({**about, "parameters": parameters})
        lock = folder.lock()
        assert lock is not None
        return Task(folder, lock)

    return make


def test_a_job_converts_with_what_is_asked_for(tmp_path: Path, task: Callable[..., Task]) -> None:
    working.work(task({"converter": "builtin"}))
    record = json.loads((tmp_path / "fastq" / "r1" / "attempt-1" / "attempt.json").read_text())
    assert (record["converter"], bool(record["converter_version"])) == ("builtin", True)
    assert record["projects"] == {"S1": ["CUP_A"]}


def test_a_job_is_refused_before_anything_is_converted(
    tmp_path: Path, task: Callable[..., Task]
) -> None:
    asked = task({"converter": "bcl2fastq", "version": OLD})
    for do in (working.observe, working.work):
        with pytest.raises(ConversionError, match=r"line 3 of the sheet asks for bcl2fastq 2\.20"):
            do(asked)
    assert list((tmp_path / "fastq").iterdir()) == []


def test_what_converted_in_the_end_is_held_against_it_once_more(
    tmp_path: Path, task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node of a cluster, say, answers another converter than it was told to use."""

    class Other:
        name, version, unit = "builtin", "1", "tiles"

        def end_earlier(self, key: str) -> None:
            pass

        def convert(self, *asked: Any) -> Any:
            return replace(converters.find("builtin").convert(*asked), converter="picard")

    monkeypatch.setattr(working, "converter_of", lambda task: Other())
    with pytest.raises(ConversionError, match="would be converted with picard") as refused:
        working.work(task({"converter": "builtin"}))
    assert refused.value.code == "convert.pinned"
    assert Attempt(tmp_path / "fastq", "r1", 1).record() is None
