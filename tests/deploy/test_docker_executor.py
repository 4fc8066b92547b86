"""Steps of analyses as containers of a real Docker engine (`make docker-test`)."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from arteriole.jobs.executors import DockerSettings
from arteriole.jobs.executors.docker import STEP_LABEL, DockerExecutor
from arteriole.jobs.executors.shell import Shell
from arteriole.jobs.executors.step import ExecutorError, Step
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.ssh import Host
from arteriole.jobs.worker import Task
from demo.machine import ROOT
from tests.conftest import wait_until
from tests.deploy.base_image import base_image, engine, run

sys.path.insert(0, str(ROOT / "services" / "arteriole" / "tests" / "integration" / "wes"))

from centre import RUN, Site, sample

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(engine()), reason=engine()),
]


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "genome").write_text("ACGT\n")
    return {"type": "docker", "image": base_image(), "mounts": [str(tmp_path / "reference")],
            "cores": 2, "poll_seconds": 0.1}  # fmt: skip


@pytest.fixture
def executor(tmp_path, settings):
    """Makes executors over the same folder, as workers that come one after the other have them."""
    folder = JobFolder(tmp_path / "job")
    folder.prepare(
        {"job_id": 1, "run": "r", "stage": "analyse", "attempt": 1, "parameters": {}, "worker": ""}
    )
    task = Task(folder, folder.lock())

    def make(**given):
        chosen = DockerSettings.model_validate({**settings, **given})
        return DockerExecutor(chosen, Shell(task, Host()))

    return make


@pytest.fixture
def step(tmp_path, request):
    """Steps of one piece of work; their containers are gone after the test."""
    made = []

    def make(*command, key=None, **more):
        key = key or f"aw-test-{os.getpid()}-{len(made)}-{abs(hash(request.node.name)) % 10**8}"
        one = Step(key=key, home=str(tmp_path / "unit" / ".steps"), number=0, name="a",
                   cwd=str(tmp_path / "unit"), command=command, **more)  # fmt: skip
        made.append(one)
        return one

    yield make
    for one in made:
        subprocess.run(["docker", "rm", "--force", one.key], capture_output=True, check=False)


def state(step):
    label = f"label={STEP_LABEL}={step.key}"
    return run("docker", "ps", "--all", "--format", "{{.Status}}", "--filter", label)


def end_of(executor, step):
    return wait_until("the step ends", lambda: executor.look([step]).get(step.key), 60)


def containers(step):
    return run("docker", "ps", "--all", "--quiet", "--filter", f"label={STEP_LABEL}={step.key}")


def test_a_step_runs_and_its_container_goes(executor, step, tmp_path):
    one = step("sh", "-c", 'echo "$1"; echo err >&2; id -u > made; exit 3', "sh", "a b; $(x)")
    executor().submit(one)
    end = end_of(executor(), one)
    assert (end.exit_code, end.stdout, end.stderr) == (3, "a b; $(x)\n", "err\n")
    assert (tmp_path / "unit" / "made").read_text() == f"{os.getuid()}\n"
    assert containers(one) == ""


def test_it_sees_its_mounts_only_to_read_and_no_network(executor, step, tmp_path):
    script = 'cat "$1/genome"; echo x > "$1/new" || echo refused; echo x > /etc/x || echo refused'
    script += "; cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' '; grep CapEff /proc/self/status"
    one = step("sh", "-c", script, "sh", str(tmp_path / "reference"))
    executor().submit(one)
    words = end_of(executor(), one).stdout.split()
    assert words == ["ACGT", "refused", "refused", "lo", "CapEff:", "0000000000000000"]
    assert not (tmp_path / "reference" / "new").exists()


def test_submitted_again_by_whoever_comes_next_it_runs_once(executor, step, tmp_path):
    one = step("sh", "-c", "echo start >> starts; while [ ! -e go ]; do sleep 0.05; done")
    executor().submit(one)
    executor().submit(one)
    wait_until("it began", (tmp_path / "unit" / "starts").exists)
    late = executor()
    late.submit(one)
    assert late.look([one]) == {}
    (tmp_path / "unit" / "go").touch()
    assert end_of(late, one).ok
    executor().submit(one)  # it has ended: nothing is made
    assert containers(one) == ""
    assert (tmp_path / "unit" / "starts").read_text() == "start\n"


def test_a_container_that_was_made_and_not_started_is_started(executor, step):
    one = step("true")
    first = executor()
    first._shell.run('mkdir -p "$1" && tar -xf - -C "$1"', one.folder, input_bytes=one.archive())
    with first._engine() as containers:
        first._create(containers, one)
    assert executor().look([one]) == {}
    executor().submit(one)
    assert end_of(executor(), one).ok


def test_an_earlier_step_of_the_same_work_is_ended_first(executor, step):
    old, new = step("sleep", "600"), step("true")
    executor().submit(old)
    executor().submit(new)
    assert end_of(executor(), new).ok
    assert containers(old) == ""


def test_what_ended_long_ago_and_nobody_saw_is_taken_away(executor, step, monkeypatch):
    old, new = step("true"), step("sleep", "600")
    executor().submit(old)
    wait_until("it ends", lambda: executor()._ends([old])[old.key], 60)
    executor()._shell.run('rm -r "$1"', old.folder)
    new = replace(new, home=f"{new.home}2")  # of other work
    executor().submit(new)
    assert containers(old)
    executor().cancel([new])
    monkeypatch.setattr("arteriole.jobs.executors.docker.LEFT_SECONDS", -1)
    wait_until("it is seen as ended", lambda: "Exited" in state(old), 60)
    executor().submit(new)
    assert containers(old) == ""
    executor().cancel([new])


def test_cancelled_it_is_gone(executor, step):
    one = step("sleep", "600")
    executor().submit(one)
    executor().cancel([one])
    executor().cancel([one])
    assert containers(one) == ""


@pytest.mark.parametrize(
    ("more", "command", "code"),
    [
        ({"memory_gb": 1}, ["python3", "-c", "x = b'x' * (3 << 30)"], "docker.memory"),
        ({"hours": 0.0001}, ["sleep", "600"], "docker.timeout"),
    ],
    ids=["memory", "time"],
)
def test_what_takes_too_much_is_told(executor, step, more, command, code):
    one = step(*command, **more)
    executor().submit(one)
    end = end_of(executor(), one)
    assert (end.code, end.ok) == (code, False) and end.reason
    assert containers(one) == ""


def test_a_container_that_somebody_took_away_is_told(executor, step):
    one = step("sleep", "600")
    executor().submit(one)
    run("docker", "rm", "--force", one.key)
    assert end_of(executor(), one).code == "docker.died"


@pytest.mark.parametrize(
    ("given", "more", "code"),
    [
        ({"image": "arteriole-no-such-image:1"}, {}, "docker.image"),
        ({"engine": "/tmp/no-such.sock", "patience_hours": 1e-9}, {}, "docker.unreachable"),
        ({"mounts": ["/no/such/folder"]}, {"cpus": 100_000}, "docker.refused"),
    ],
)
def test_what_cannot_be_started_is_told(executor, step, given, more, code):
    with pytest.raises(ExecutorError) as raised:
        executor(**given).submit(step("true", **more))
    assert raised.value.code == code and raised.value.hint


# as an executor of the wes service


@pytest.fixture
def site(tmp_path, settings):
    site = Site(tmp_path)
    settings["mounts"].append(str(site.fastq))
    site.settings["executors"] = {"here": settings}
    return site


def test_an_analysis_in_containers_gives_what_one_in_processes_gives(site):
    result = site.analyse(samples=[sample("T1"), sample("N1")], held=["R1"])
    assert [unit["already"] for unit in result["units"]] == [False, False]
    kept = site.result("count-1.T1")
    assert {"T1_R1_001.fastq.gz", "T1_R2_001.fastq.gz"} <= {path.name for path in kept.iterdir()}
    assert (kept / "T1_R1_001.fastq.gz").stat().st_uid == os.getuid()
    assert json.loads((kept / "analysis.json").read_text())["unit"] == "count-1.T1"


def test_kill_9_of_the_worker_and_the_container_is_found_again(site, tmp_path, request):
    script = "echo start >> starts; while [ ! -e go ]; do sleep 0.05; done"
    script += "; mkdir results; cp starts results"
    site.settings["pipelines"]["count"]["steps"] = [
        {"name": "wait", "command": ["sh", "-c", script]}
    ]
    folder = JobFolder(tmp_path / "jobs" / "7")
    name = f"aw-e-{os.getpid()}-1-1"
    request.addfinalizer(
        lambda: subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)
    )
    body = {"samples": [sample("R1")], "held": ["T1", "N1"]}
    folder.prepare(
        {"job_id": os.getpid(), "run": RUN, "stage": "analyse", "attempt": 1, "observe": False,
         "parameters": site.parameters(**body), "worker": "arteriole.wes.work"}
    )  # fmt: skip
    lock = folder.lock()
    command = [sys.executable, "-m", "arteriole.wes.work", str(folder.path), str(lock)]
    work = site.work / RUN / "attempt-1" / "count-1.R1"
    with open(tmp_path / "log", "ab") as log:
        first = subprocess.Popen(command, pass_fds=(lock,), stdout=log, stderr=log)
        wait_until("it began", (work / "starts").exists)
        first.send_signal(signal.SIGKILL)
        first.wait()
        second = subprocess.Popen(command, pass_fds=(lock,), stdout=log, stderr=log)
        time.sleep(0.2)
        (work / "go").touch()
        assert second.wait(60) == 0, (tmp_path / "log").read_text()
    assert (site.result("count-1.R1") / "starts").read_text() == "start\n"
