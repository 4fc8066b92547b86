"""bcl2fastq and BCL Convert in a SIF image, with strict stand-ins for them and for Apptainer."""

import hashlib
import json
import os
import runpy
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, find
from arteriole.bcl2fastq.converters.bclconvert.about import BCL_CONVERT
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.tools import tool
from arteriole.bcl2fastq.tools.sif import Sif
from arteriole.bcl2fastq.work import observe, work
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task

FAKES = Path(__file__).parent / "fakes"
HEADER: bytes = runpy.run_path(str(FAKES / "fake_apptainer.py"))["HEADER"]
_CONVERT = shlex.join([sys.executable, "-I", "-S", str(FAKES / "fake_bcl_convert.py")])
_CONVERT_VERSION = "bcl-convert Version 00.000.000.4.2.7"
PROGRAMS = {
    "bcl2fastq": [sys.executable, str(FAKES / "fake_bcl2fastq.py")],
    "bcl-convert": [
        *("sh", "-c"),
        f'[ "$*" = --version ] && exec echo {_CONVERT_VERSION}; exec {_CONVERT} "$@"',
        "sh",
    ],
}
SHEET = "[Data]\nSample_ID,Sample_Project,index\nS1,P1,ACGT\nS2,,TTTT\n"
VERSION = "2.20.0.422"
Image = Callable[..., dict[str, Any]]


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """Makes a SIF and a stand-in for Apptainer; gives the settings of a tool that names both."""
    apptainer = tmp_path / "bin" / "apptainer"
    apptainer.parent.mkdir()
    words = shlex.join([sys.executable, str(FAKES / "fake_apptainer.py")])
    apptainer.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    apptainer.chmod(0o755)

    def make(program: str = "bcl2fastq", version: str = VERSION, **inside: Any) -> dict[str, Any]:
        inside = {
            "programs": {program: PROGRAMS[program]},
            "environment": {"FAKE_BCL2FASTQ": json.dumps(inside.pop("knobs", {}))},
            "seen": str(tmp_path / "seen"),
            **inside,
        }
        path = tmp_path / "tool.sif"
        path.write_bytes(HEADER + json.dumps(inside).encode())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {
            "version": version, "program": program, "sif": str(path), "sif_sha256": digest,
            "apptainer": str(apptainer),
        }  # fmt: skip

    return make


@pytest.fixture
def run(tiny_run: Any, cluster_of: Any) -> Path:
    tiny_run.reads = ((4, "N"), (4, "Y"))
    tiny_run.clusters[1, 1101] = [cluster_of("GGGGACGT"), cluster_of("AAAATTTT")]
    tiny_run.write(SHEET)
    folder: Path = tiny_run.folder
    return folder


@pytest.fixture
def task(tmp_path: Path, run: Path) -> Callable[..., Task]:
    (tmp_path / "fastq").mkdir()

    def make(settings: dict[str, Any], converter: str = "bcl2fastq") -> Task:
        number = len(list(tmp_path.glob("jobs/*"))) + 1
        folder = JobFolder(tmp_path / "jobs" / str(number))
        parameters = {
            "run_dir": str(run),
            "fastq_root": str(tmp_path / "fastq"),
            "converter": converter,
            f"{converter}_tool": settings,
            "barcode_mismatches": [1, 1],
            "include_non_pf": False,
            "ignore_adapters": False,
            "allow_index_collisions": False,
            "allow_empty_samples": False,
            "threads": 2,
        }
        about = {"job_id": number, "run": "r1", "stage": "convert", "attempt": 1}
        folder.prepare({**about, "parameters": parameters})
        lock = folder.lock()
        assert lock is not None
        return Task(folder, lock)

    return make


def fastqs(folder: Path) -> dict[str, bytes]:
    paths = folder.rglob("*.fastq.gz")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    ("converter", "program", "version"),
    [("bcl2fastq", "bcl2fastq", VERSION), ("bclconvert", "bcl-convert", "4.2.7")],
)
def test_a_job_gives_what_the_builtin_converter_gives(
    tmp_path: Path, run: Path, image: Image, task: Callable[..., Task],
    converter: str, program: str, version: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("APPTAINER_BIND", "/etc")
    monkeypatch.setenv("SINGULARITYENV_SECRET", "1")
    settings = image(program, version)
    work(task(settings, converter))
    (tmp_path / "ours").mkdir()
    request = ConversionRequest(run, run / "SampleSheet.csv", tmp_path / "ours")
    ours = find("builtin").convert(request, lambda done, total: None)
    attempt = Attempt(tmp_path / "fastq", "r1", 1)
    record = attempt.record()
    assert record is not None
    assert (record["converter"], record["converter_version"]) == (converter, version)
    assert record["converter_image"] == f"sha256:{settings['sif_sha256']}"
    assert [(s["sample_id"], s["reads"]) for s in record["samples"]] == [
        (sample.sample_id, sample.reads) for sample in ours.samples
    ]
    if converter == "bcl2fastq":
        assert fastqs(attempt.path) == fastqs(tmp_path / "ours")
    words, environment = json.loads((tmp_path / "seen").read_text())
    assert "SECRET" not in environment and environment["LC_ALL"] == "C"
    mounts = [words[n + 1] for n, word in enumerate(words) if word == "--mount"]
    partial = attempt.partial(1)
    assert mounts == [
        f"type=bind,source={run},destination={run},ro",
        f"type=bind,source={partial},destination={partial},rw",
    ]


def test_the_command_line(image: Image) -> None:
    settings = ToolSettings.model_validate({**image("bcl-convert"), "cpus": 4, "memory_gb": 60})
    chosen = tool.of(settings, BCL_CONVERT)
    assert isinstance(chosen, Sif)
    assert chosen.command(["--a", "b"], ["type=bind"]) == [
        *(settings.apptainer, "exec", "--containall", "--cleanenv", "--no-home", "--no-privs"),
        *("--net", "--network", "none", "--pwd", "/", "--env", "LC_ALL=C"),
        *("--cpus", "4", "--memory", "60G", "--memory-swap", "60G"),
        *("--scratch", "/var/log/bcl-convert", "--mount", "type=bind"),
        *(str(settings.sif), "bcl-convert", "--a", "b"),
    ]


def test_a_path_of_any_characters_is_mounted(
    tmp_path: Path, run: Path, image: Image, task: Callable[..., Task]
) -> None:
    odd = tmp_path / 'a,b:c "d"' / "run"
    odd.parent.mkdir()
    run.rename(odd)
    asked = task(image())
    asked.parameters["run_dir"] = str(odd)
    assert work(asked)["clusters"] == 2


@pytest.mark.parametrize(
    ("inside", "code", "message"),
    [
        ({"programs": {}}, "apptainer.refused", 'has not run bcl2fastq: FATAL: "bcl2fastq": exec'),
        ({"refuses": "container creation failed"}, "apptainer.refused", "creation failed"),
        ({"knobs": {"version": "2.17.1.14"}}, "convert.version", "bcl2fastq says v2.17.1.14"),
        ({"knobs": {"exit": 1}}, "convert.tool_failed", "ended with 1: ERROR: barcode collision"),
        ({"knobs": {"signal": "SIGKILL"}}, "convert.tool_failed", "was killed (137)"),
    ],
)
def test_what_goes_wrong_is_told_and_leaves_nothing(
    tmp_path: Path, image: Image, task: Callable[..., Task],
    inside: dict[str, Any], code: str, message: str,
) -> None:  # fmt: skip
    with pytest.raises(ConversionError) as failed:
        work(task(image(**inside)))
    assert failed.value.code == code and failed.value.hint
    assert message in str(failed.value)
    home = tmp_path / "fastq" / "r1"
    assert not home.exists() or list(home.iterdir()) == []


def test_another_image_than_the_one_that_is_pinned_converts_nothing(
    tmp_path: Path, image: Image, task: Callable[..., Task]
) -> None:
    settings = image()
    path = tmp_path / "tool.sif"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ConversionError, match=r"expected the SHA-256 [0-9a-f]{64}, found") as other:
        work(task(settings))
    assert other.value.code == "apptainer.image" and not (tmp_path / "seen").exists()
    path.unlink()
    for do in (observe, work):
        with pytest.raises(ConversionError, match="there is no such file") as gone:
            do(task(settings))
        assert gone.value.code == "apptainer.image"


def test_an_image_that_is_replaced_meanwhile_publishes_nothing(
    tmp_path: Path, image: Image, task: Callable[..., Task]
) -> None:
    fake = shlex.join(PROGRAMS["bcl2fastq"])
    replace = f'case "$1" in --version) ;; *) echo >> {tmp_path / "tool.sif"} ;; esac'
    words = ["sh", "-c", f'{replace}; exec {fake} "$@"', "sh"]
    settings = image(programs={"bcl2fastq": words})
    with pytest.raises(ConversionError, match="found") as other:
        work(task(settings))
    assert other.value.code == "apptainer.image" and (tmp_path / "seen").exists()
    assert Attempt(tmp_path / "fastq", "r1", 1).record() is None


def test_without_apptainer_nothing_is_converted(
    tmp_path: Path, image: Image, task: Callable[..., Task]
) -> None:
    settings = {**image(), "apptainer": str(tmp_path / "absent")}
    for do in (observe, work):
        with pytest.raises(ConversionError, match="there is no such program") as missing:
            do(task(settings))
        assert missing.value.code == "tool.missing"
    assert find("bcl2fastq", ToolSettings.model_validate(settings)).version == "not installed"


def test_one_that_does_not_end_is_stopped(image: Image, task: Callable[..., Task]) -> None:
    settings = {**image(knobs={"sleep": 600}), "timeout_hours": 1 / 3600}
    with pytest.raises(ConversionError, match="had not ended after 1 s") as stopped:
        work(task(settings))
    assert stopped.value.code == "tool.timeout"


def test_the_end_of_the_job_ends_what_runs_in_the_image(
    tmp_path: Path, image: Image, task: Callable[..., Task]
) -> None:
    job = task(image(knobs={"sleep": 600, "begun": "begun"}))
    worker = subprocess.Popen(
        [sys.executable, "-m", "arteriole.bcl2fastq.work", str(job.folder.path), "0"],
        process_group=0, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    home = tmp_path / "fastq" / "r1"
    deadline = time.monotonic() + 60
    while not list(home.glob(".attempt-1.partial-*/begun")):
        assert time.monotonic() < deadline and worker.poll() is None
        time.sleep(0.02)
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.wait(60) == 143
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)  # as the supervisor does
    while _live(worker.pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _live(group: int) -> list[list[str]]:
    """What runs in a group of processes; one that has ended may never be waited for."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found.append(stat.read_text().rpartition(") ")[2].split())
    return [one for one in found if one[0] != "Z" and int(one[2]) == group]


# --- what may be named -----------------------------------------------------------------------

SHA = "0" * 64


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sif": "/x.sif"}, "sif and sif_sha256 together"),
        ({"sif_sha256": SHA}, "sif and sif_sha256 together"),
        ({"sif": "/x.sif", "sif_sha256": SHA, "image": "x:1"}, "found both"),
        ({"sif": "x.sif", "sif_sha256": SHA}, "an absolute path"),
        ({"sif": "docker://x", "sif_sha256": SHA}, "an absolute path"),
        ({"sif": "/x.sif", "sif_sha256": "abc"}, "sif_sha256"),
        ({"sif": "/x.sif", "sif_sha256": SHA, "apptainer": "-x"}, "a program's name"),
    ],
)
def test_what_may_not_be_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ToolSettings.model_validate({"version": VERSION, **given})


def test_it_runs_on_a_cluster_and_ends_with_its_job(tmp_path: Path) -> None:
    sif = {"version": VERSION, "sif": "/x.sif", "sif_sha256": SHA, "memory_gb": 30}
    common = {"run_roots": [tmp_path], "fastq_root": tmp_path, "converter": "bcl2fastq"}
    here = Bcl2fastqSettings.model_validate({**common, "bcl2fastq_tool": sif})
    assert not here.goes_on and here.needs_of("bcl2fastq").memory_gb == 30
    there = {**common, "bcl2fastq_tool": sif, "executor": {"type": "slurm"}}
    assert Bcl2fastqSettings.model_validate(there).executor is not None
