"""bcl2fastq in containers of a real Docker engine, with a stand-in for it (`make docker-test`)."""

import importlib.util
import json
import os
import signal
import subprocess
import sys

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionRequest, find
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.tools.container import LABEL
from arteriole.bcl2fastq.work import _key, observe, work
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import StoppedError, Task
from demo.machine import ROOT
from tests.conftest import wait_until
from tests.deploy.base_image import base_image, engine, run

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(engine()), reason=engine()),
]

UNIT = ROOT / "services" / "arteriole" / "tests" / "unit" / "bcl2fastq"
SHEET = "[Data]\nSample_ID,Sample_Project,index\nS1,P1,ACGT\nS2,,TTTT\n"


def _tiny():
    """The sequencer in miniature of the unit tests."""
    spec = importlib.util.spec_from_file_location("tiny_sequencer", UNIT / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    tiny = _tiny()
    made = tiny.TinyRun(tmp_path_factory.mktemp("runs") / "r1", reads=((4, "N"), (4, "Y")))
    made.clusters[1, 1101] = [tiny.Cluster(tiny.calls(b)) for b in ("GGGGACGT", "AAAATTTT")]
    made.clusters[1, 1102] = [tiny.Cluster(tiny.calls("CCCCGGGG"))]
    made.write(SHEET)
    return made.folder


@pytest.fixture(scope="module")
def prepared(run_dir, tmp_path_factory):
    """What the builtin converter makes of the run: the image holds it, and hands it out."""
    out = tmp_path_factory.mktemp("prepared")
    request = ConversionRequest(run_dir, run_dir / "SampleSheet.csv", out)
    find("builtin").convert(request, lambda done, total: None)
    return out


#: Stand-ins that do something wrong, each a program of its own in one image.
WRONG = {
    "ends": {"exit": 3},
    "eats": {"eat": 3 << 30},
    "old": {"version": "2.17"},
    "waits": {"begun": "begun", "sleep": 600},
}


@pytest.fixture(scope="module")
def image(prepared, tmp_path_factory):
    """An image with the stand-in as `bcl2fastq`, and with those of WRONG; gone after the tests."""
    folder = tmp_path_factory.mktemp("image")
    run("cp", "-R", prepared, folder / "prepared")
    run("cp", UNIT / "fakes" / "fake_bcl2fastq.py", folder)
    (folder / "bin").mkdir()
    for name, knobs in {"bcl2fastq": {}, **WRONG}.items():
        knobs = json.dumps({"prepared": "/fake/prepared", **knobs})
        (folder / "bin" / name).write_text(
            f"#!/bin/sh\nexport FAKE_BCL2FASTQ='{knobs}'\n"
            'exec python3 /fake/fake_bcl2fastq.py "$@"\n'
        )
        (folder / "bin" / name).chmod(0o755)
    (folder / "Dockerfile").write_text(
        f"FROM {base_image()}\nCOPY . /fake\nENV PATH=/fake/bin:/usr/bin:/bin\n"
    )
    tag = f"arteriole-test-bcl2fastq:{os.getpid()}"
    run("docker", "build", "--quiet", "--tag", tag, folder)
    yield tag
    subprocess.run(["docker", "rmi", "--force", tag], capture_output=True, check=False)


@pytest.fixture
def task(tmp_path, run_dir):
    (tmp_path / "fastq").mkdir()
    made = []

    def make(image, job_id=1, stopping=False, **tool):
        folder = JobFolder(tmp_path / "jobs" / str(job_id))
        parameters = {
            "run_dir": str(run_dir), "fastq_root": str(tmp_path / "fastq"),
            "converter": "bcl2fastq", "barcode_mismatches": [1, 1], "include_non_pf": False,
            "ignore_adapters": False, "allow_index_collisions": False,
            "allow_empty_samples": False, "threads": 1,
            "bcl2fastq_tool": {"version": "2.20.0.422", "image": image, **tool},
        }  # fmt: skip
        about = {"job_id": job_id, "run": "r1", "stage": "convert", "attempt": 1}
        folder.prepare({**about, "parameters": parameters, "stopping": stopping})
        made.append(folder)
        return Task(folder, folder.lock())

    yield make
    subprocess.run(["docker", "rm", "--force", _key(attempt(tmp_path))],
                   capture_output=True, check=False)  # fmt: skip


def attempt(tmp_path):
    return Attempt(tmp_path / "fastq", "r1", 1)


def containers(tmp_path):
    label = f"label={LABEL}={_key(attempt(tmp_path))}"
    return run("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", label).split()


def test_a_job_in_a_container_gives_what_the_builtin_converter_gives(
    image, task, tmp_path, run_dir, prepared
):
    before = sorted(run_dir.rglob("*"))
    job = task(image, cpus=1, memory_gb=1)
    would = observe(job)
    answer = work(job)
    assert (answer["converter"], answer["converter_version"]) == ("bcl2fastq", "2.20.0.422")
    home = attempt(tmp_path).path
    made = sorted(path.relative_to(home).as_posix() for path in home.rglob("*.fastq.gz"))
    assert made == sorted(would["files"])
    for path in made:
        assert (home / path).read_bytes() == (prepared / path).read_bytes()
    assert (home / made[0]).stat().st_uid == os.getuid()
    assert "0 errors and 0 warnings" in (home / "bcl2fastq.log").read_text()
    assert sorted(run_dir.rglob("*")) == before
    assert containers(tmp_path) == []


def test_a_container_is_confined(image, task, tmp_path, run_dir):
    first = _start(task(image, program="waits", cpus=1, memory_gb=1), tmp_path)
    [container] = containers(tmp_path)
    shown = json.loads(run("docker", "inspect", container))[0]
    host = shown["HostConfig"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"]) == ("none", True, ["ALL"])
    assert (host["NanoCpus"], host["Memory"]) == (10**9, 1 << 30)
    assert shown["Config"]["User"] == f"{os.getuid()}:{os.getgid()}"
    mounted = {mount["Source"]: mount["RW"] for mount in shown["Mounts"]}
    [partial] = attempt(tmp_path).home.glob(".attempt-1.partial-*")
    assert mounted == {str(run_dir): False, str(partial): True}
    os.killpg(first.pid, signal.SIGTERM)
    assert first.wait(60) == 143
    assert containers(tmp_path) == []  # a stop of the job is one of the container


def _start(job, tmp_path):
    """A worker of the job, once its container has begun to write."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "arteriole.bcl2fastq.work", str(job.folder.path), "0"],
        process_group=0,
    )
    home = attempt(tmp_path).home
    name = f".attempt-1.partial-{job.job_id}/begun"
    wait_until("it began", lambda: (home / name).exists(), 60)
    return worker


def test_kill_9_and_whoever_comes_next_ends_the_container_first(image, task, tmp_path):
    first = _start(task(image, program="waits"), tmp_path)
    [left] = containers(tmp_path)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert containers(tmp_path) == [left]
    # started only to end what is left
    with pytest.raises(StoppedError):
        work(task(image, job_id=2, stopping=True))
    assert containers(tmp_path) == []
    # another job of the attempt
    second = _start(task(image, job_id=3, program="waits"), tmp_path)
    [left] = containers(tmp_path)
    os.killpg(second.pid, signal.SIGKILL)
    second.wait()
    assert work(task(image, job_id=4))["files"] == 3
    assert containers(tmp_path) == []
    assert sorted(path.name for path in attempt(tmp_path).home.iterdir()) == [
        *("attempt-1", "current")
    ]


@pytest.mark.parametrize(
    ("tool", "code", "message"),
    [
        ({"program": "ends"}, "convert.tool_failed", "ended with 3: ERROR: barcode collision"),
        ({"program": "eats", "memory_gb": 1}, "convert.tool_failed", "was killed (137)"),
        ({"program": "old"}, "convert.version", "says v2.17"),
        ({"program": "/opt/none"}, "tool.missing", "has no /opt/none that can be run"),
        ({"program": "none"}, "tool.missing", "has no none that can be run"),
        ({"program": "waits", "timeout_hours": 1 / 3600}, "tool.timeout", "not ended after 1 s"),
        ({"image": "arteriole-no-such-image:1"}, "docker.image", "the image is not there"),
    ],
    ids=["exit", "memory", "version", "path", "name", "time", "image"],
)
def test_what_goes_wrong_is_told_and_leaves_nothing(image, task, tmp_path, tool, code, message):
    with pytest.raises(ArterioleError) as failed:
        work(task(tool.get("image", image), **{k: v for k, v in tool.items() if k != "image"}))
    assert failed.value.code == code and failed.value.hint
    assert message in str(failed.value)
    assert containers(tmp_path) == [] and list(attempt(tmp_path).home.iterdir()) == []


def test_the_version_is_that_of_an_image_that_is_there(image):
    settings = {"version": "2.20.0.422", "image": image}
    assert find("bcl2fastq", ToolSettings.model_validate(settings)).version == "2.20.0.422"
    settings["image"] = "arteriole-no-such-image:1"
    assert find("bcl2fastq", ToolSettings.model_validate(settings)).version == "not installed"
