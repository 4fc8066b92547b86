"""Analyses on a real Slurm: chains, failures, cancellation, deaths on every side."""

import shutil
import time
from collections.abc import Callable
from typing import Any

import pytest
from centre import RUN, Site, sample

from arteriole.app.errors import ArterioleError
from arteriole.jobs.executors import find, shell
from arteriole.jobs.executors.step import Step
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task
from arteriole.wes.errors import AnalysisError
from arteriole.wes.settings import WesSettings

from ..conftest import kill_process_of
from ..ports import free_ports
from ..slurm import Slurm

pytestmark = pytest.mark.xdist_group("slurm")
SAMPLES: dict[str, Any] = {
    "samples": [sample("R1", pipeline="sleep")],
    "held": ["T1", "N1"],
}
ONE = {"attempt": 1, **SAMPLES}
Until = Callable[..., Any]


@pytest.fixture
def site(centre: Site, slurm: Slurm) -> Site:
    centre.on_slurm()
    return centre


@pytest.fixture
def wes(site: Site, serve: Callable[..., Any]) -> Any:
    return serve("wes", site.settings)


def starts(site: Site) -> list[str]:
    """Slurm's id of the job in which the tool was started, once each time."""
    path = site.home / "starts.R1"
    return path.read_text().split() if path.exists() else []


def ours(slurm: Slurm) -> list[str]:
    return [name for name, _ in slurm.queue()]


def test_bcbio_then_umccrise(
    site: Site, pair: list[dict[str, Any]], slurm: Slurm, until: Until
) -> None:
    body = {"samples": pair, "held": ["R1"]}
    first = site.analyse(**body)
    assert [unit["unit"] for unit in first["units"]] == ["bcbio-1.2.9.CASE1"]
    kept = site.result("bcbio-1.2.9.CASE1")
    assert (kept / "T1" / "T1-ready.bam").read_text() == "[55, 55]\n"  # both lanes and the top-up
    assert (kept / "N1" / "N1-ready.bam").read_text() == "[50, 50]\n"
    site.analyse(pipeline="umccrise", **body)
    assert (site.result("umccrise-2.3.1.CASE1") / "pcgr.html").read_text() == "['N1', 'T1']\n"
    until(lambda: ours(slurm) == [])


def test_umccrise_without_bcbio_fails(site: Site, pair: list[dict[str, Any]]) -> None:
    with pytest.raises(AnalysisError, match="umccrise: exit code 1: fake umccrise") as raised:
        site.analyse(pipeline="umccrise", samples=pair, held=["R1"])
    assert raised.value.code == "analysis.step"


def test_a_job_that_fails_says_which_step_and_the_last_lines(
    site: Site, pair: list[dict[str, Any]], slurm: Slurm, until: Until
) -> None:
    site.behave("fail")
    with pytest.raises(AnalysisError) as raised:
        site.analyse(samples=pair, held=["R1"])
    assert raised.value.code == "analysis.step"
    assert "bcbio-1.2.9.CASE1: step run: exit code 3: " in str(raised.value)
    assert "the aligner ran out of index" in str(raised.value)
    until(lambda: ours(slurm) == [])
    site.behave("")
    with pytest.raises(AnalysisError, match="ran out of index"):  # bcbio keeps what it was told
        site.analyse(samples=pair, held=["R1"])


def test_a_stop_ends_bcbio_and_the_jobs_that_it_submitted(
    site: Site, pair: list[dict[str, Any]], slurm: Slurm, wes: Any, until: Until
) -> None:
    site.behave("hang")
    other = slurm.ask(
        "sbatch", "--parsable", "--job-name=aw-other", "--output=/dev/null", "--wrap=sleep 60"
    ).strip()
    job_id = wes.submit(RUN, attempt=1, samples=pair, held=["R1"])["job_id"]
    until(lambda: len(ours(slurm)) == 4)  # run, its controller, its engines, the other one
    wes.call("POST", f"stop/{job_id}")
    assert wes.ended(job_id)["state"] == "cancelled"
    until(lambda: ours(slurm) == ["aw-other"])
    slurm.run("scancel", other)


@pytest.mark.parametrize("dead", [["work"], ["supervisor", "work"]])
def test_a_stop_reaches_slurm_when_nobody_is_left_to_obey(
    site: Site, slurm: Slurm, wes: Any, until: Until, dead: list[str]
) -> None:
    job_id = wes.submit(RUN, **ONE)["job_id"]
    until(lambda: starts(site))
    wes.kill()
    folder = wes.jobs / str(job_id)
    for module in dead:
        kill_process_of(folder, module)
    (folder / "stop").touch()
    wes.start()
    assert wes.ended(job_id)["state"] == "cancelled"
    until(lambda: ours(slurm) == [])


def test_killed_right_after_each_sbatch_nothing_is_doubled(
    site: Site,
    slurm: Slurm,
    serve: Callable[..., Any],
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Slurm has the job, and all who would have heard of it are dead; so is the service."""
    wrapper = site.home / "bin" / "sbatch"
    wrapper.parent.mkdir()
    real = shutil.which("sbatch", path=slurm.environment["PATH"])
    wrapper.write_text(
        f"""#!/bin/sh
{real} "$@" || exit
name=${{2#--job-name=}}
mkdir "{site.home}/died.$name" 2> /dev/null && kill -9 0
exit 0
"""
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{slurm.environment['PATH']}")
    wes = serve("wes", site.settings)
    job_id = wes.submit(RUN, **ONE)["job_id"]
    until(lambda: list(site.home.glob("died.*")))
    wes.kill()
    wes.start()
    until(lambda: starts(site))
    (site.home / "go.R1").touch()
    job = wes.ended(job_id)
    assert job["state"] == "done", job
    assert len(list(site.home.glob("died.*"))) == 2  # both steps
    assert len(starts(site)) == 1
    names = [name for name in slurm.submitted() if (site.home / f"died.{name}").exists()]
    assert len(names) == len(set(names)) == 2


def test_a_controller_that_is_away_is_waited_for(
    site: Site, slurm: Slurm, wes: Any, until: Until
) -> None:
    job_id = wes.submit(RUN, **ONE)["job_id"]
    until(lambda: starts(site))
    slurm.stop()
    try:
        (site.home / "go.R1").touch()
        log = wes.jobs / str(job_id) / "log"
        until(lambda: "slurm.unreachable" in log.read_text())
        assert wes.status(job_id)["state"] == "started"
    finally:
        slurm.start()
    job = wes.ended(job_id)
    assert job["state"] == "done", job
    assert len(starts(site)) == 1


def test_a_node_that_goes_down_in_the_middle(
    site: Site, slurm: Slurm, wes: Any, until: Until
) -> None:
    """Slurm starts the job again elsewhere; its first start counts for nothing."""
    job_id = wes.submit(RUN, **ONE)["job_id"]
    until(lambda: starts(site))
    slurm.lose_node()
    until(lambda: slurm.hurry() or len(starts(site)) == 2)
    (site.home / "go.R1").touch()
    job = wes.ended(job_id)
    assert job["state"] == "done", job
    assert len(set(starts(site))) == 1  # the same job


def test_a_job_that_somebody_cancels_fails_and_is_retried(
    site: Site, slurm: Slurm, wes: Any, until: Until
) -> None:
    job_id = wes.submit(RUN, **ONE)["job_id"]
    until(lambda: starts(site))
    slurm.run("scancel", "--user=root")
    job = wes.ended(job_id)
    assert (job["state"], job["code"]) == ("error", "slurm.cancelled")
    (site.home / "go.R1").touch()
    assert wes.ended(wes.submit(RUN, "retry", **ONE)["job_id"])["state"] == "done"


def test_what_sbatch_refuses(site: Site) -> None:
    site.on_slurm(options=["--partition=none"])
    with pytest.raises(AnalysisError, match="sbatch") as raised:
        site.analyse(**SAMPLES)
    assert raised.value.code == "slurm.refused"


def test_behind_ssh(site: Site, login_node: dict[str, Any]) -> None:
    site.on_slurm(**login_node)
    (site.home / "go.R1").touch()
    site.analyse(**SAMPLES)
    assert (site.result("sleep-1.R1") / "out").read_text() == "went\n"


def test_an_executor_that_cannot_be_reached_is_waited_for(
    site: Site, login_node: dict[str, Any]
) -> None:
    site.on_slurm(**{**login_node, "port": free_ports(1)[0]}, patience_hours=1 / 3600)
    begun = time.monotonic()
    with pytest.raises(ArterioleError, match=r"127\.0\.0\.1 cannot be reached") as raised:
        site.analyse(**SAMPLES)
    assert raised.value.code == "executor.unreachable"
    assert time.monotonic() - begun >= 1


@pytest.mark.parametrize(
    ("of", "code"),
    [
        ({"known_hosts": "other_hosts"}, "executor.host_key"),
        ({"known_hosts": "host_key.pub"}, "executor.host_key"),
        ({"identity_file": "other_key"}, "executor.key_refused"),
    ],
)
def test_an_executor_that_refuses_us_is_told_at_once(
    site: Site, login_node: dict[str, Any], sshd: Any, of: dict[str, str], code: str
) -> None:
    files = {name: str(sshd.home / file) for name, file in of.items()}
    site.on_slurm(**{**login_node, **files})  # which would be waited for 12 hours
    with pytest.raises(ArterioleError) as raised:
        site.analyse(**SAMPLES)
    assert raised.value.code == code


@pytest.fixture
def beside(site: Site, slurm: Slurm) -> Callable[[str], None]:
    """Puts the executor behind an ssh that gets no further than here; it does first as is told."""

    def put(first: str) -> None:
        ssh = site.home / "ssh"
        body = f'for word; do script=$word; done\n{first}\nexec sh -c "$script"\n'
        ssh.write_text(f"#!/bin/sh\n{body}")
        ssh.chmod(0o755)
        named = {name: str(site.home / name) for name in ("identity_file", "known_hosts")}
        site.on_slurm(host="login", user="seq", **named, poll_seconds=0.01)
        site.settings["ssh"] = str(ssh)

    return put


def test_an_executor_that_is_away_now_and_then_costs_nothing(
    site: Site, slurm: Slurm, beside: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second call does not get there, or does and its answer is lost."""
    monkeypatch.setattr(shell, "PAUSE", 0.01)
    calls = site.home / "calls"
    beside(
        f"echo >> {calls}; calls=$(wc -l < {calls})\n"
        "case $((calls % 4)) in\n"
        "  1) exit 255 ;;\n"
        '  3) sh -c "$script" > /dev/null; exit 255 ;;\n'
        "esac"
    )
    (site.home / "go.R1").touch()
    before = len(slurm.submitted())
    assert site.analyse(**SAMPLES)["units"]
    assert (site.result("sleep-1.R1") / "out").read_text() == "went\n"
    assert len(slurm.submitted()) == before + 2


def test_a_thousand_steps_are_looked_at_and_ended(
    site: Site, beside: Callable[[str], None]
) -> None:
    """All of them in one call would be more than ssh can be given."""
    beside("")
    folder = JobFolder(site.home / "jobs" / "1")
    folder.prepare({"job_id": 1, "run": RUN, "stage": "analyse", "attempt": 1, "parameters": {}})
    lock = folder.lock()
    assert lock is not None
    settings = WesSettings.model_validate(site.settings)
    executor, _ = find(settings.executors["cluster"], Task(folder, lock), settings.ssh)
    home = f"{site.work}/{'unit' * 40}/.steps"
    steps = [
        Step(key=f"aw-e-1-{n}-0", home=home, number=0, name="x", cwd="/", command=("true",))
        for n in range(1000)
    ]
    assert executor.look(steps) == {}
    executor.cancel([*steps] * 10)
