"""The throw-away st2solo of the pytest fixture `st2solo`."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from st2solo.trial import Trial, TrialError

GREETER = Path(__file__).parents[2] / "examples" / "greeter"
_BREAKS = (
    "name: breaks\npack: greeter\nenabled: true\ntrigger: {type: greeter.arrived}\n"
    "action: {ref: core.noop, parameters: {x: '{{ trigger.nothing }}'}}\n"
)
_LEFT_ALONE = f"""
import pathlib, sys, time
from st2solo.trial import Trial
trial = Trial(pathlib.Path(sys.argv[1]))
trial.packs({str(GREETER)!r})
print(trial._process.pid, flush=True)
time.sleep(600)
"""


def _until(check, seconds=120):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """With a sensor that runs, and a rule whose parameters cannot be rendered."""
    folder = tmp_path_factory.mktemp("trial")
    pack = shutil.copytree(GREETER, folder / "greeter")
    (pack / "rules" / "breaks.yaml").write_text(_BREAKS)
    (folder / "book").write_text("Ann\n")
    with Trial(folder / "st2solo") as trial:
        trial.packs(pack, configs={"greeter": {"book": str(folder / "book")}}, sensors=True)
        yield trial


def test_a_sensor_runs_where_it_is_asked_for(trial):
    assert trial.wait_for("greeter.welcome")["parameters"] == {"names": ["Ann"]}


def test_each_wait_has_another_execution(trial):
    """Both go on at once, so either may be over first."""
    for name in ("Bo", "Cy"):
        trial.dispatch("greeter.arrived", {"name": name}, trace_tag=name)
    waited = [trial.wait_for("greeter.welcome") for _ in range(2)]
    assert sorted(one["parameters"]["names"] for one in waited) == [["Bo"], ["Cy"]]


def test_an_execution_that_fails_is_handed_out_too(trial):
    assert trial.run("core.local", cmd="exit 3")["result"]["return_code"] == 3
    assert trial.run("core.local", cmd="exit 3")["status"] == "failed"


def test_what_does_not_come_is_told_with_what_came(trial):
    trial.dispatch("greeter.arrived", {"name": "nobody"})
    assert trial.wait_for("core.noop")["status"] == "failed"
    with pytest.raises(TrialError) as told:
        trial.wait_for("greeter.none", seconds=0)
    assert "expected an execution of greeter.none" in str(told.value)
    assert "core.noop failed" in str(told.value)
    assert "greeter.breaks: " in str(told.value)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (lambda trial: trial.run("greeter.none"), "greeter.none"),
        (lambda trial: trial.run("core.local", cmd="sleep 30", seconds=0), "not over within"),
        (lambda trial: trial.dispatch("greeter.none"), "greeter.none"),
        (lambda trial: trial.dispatch("greeter.arrived", {"name": 1}), "400|name|type"),
        (lambda trial: trial.packs(GREETER), "at once"),
    ],
)
def test_what_is_refused(trial, wish, words):
    with pytest.raises(TrialError, match=words):
        wish(trial)


def test_packs_that_are_wrong_or_not_there(tmp_path):
    pack = shutil.copytree(GREETER, tmp_path / "greeter")
    (pack / "actions" / "greet.yaml").write_text("name: greet\nrunner_type: mistral-v2\n")
    with Trial(tmp_path / "st2solo") as trial:
        with pytest.raises(TrialError, match="has not been started"):
            trial.run("core.noop")
        with pytest.raises(TrialError, match=r"no pack\.yaml"):
            trial.packs(tmp_path)
        with pytest.raises(TrialError, match=r"greet\.yaml:2: .*mistral-v2"):
            trial.packs(pack)


def test_what_still_runs_ends_with_it(tmp_path):
    pid = tmp_path / "pid"
    with Trial(tmp_path / "st2solo") as trial:
        trial.packs(GREETER)
        assert [sensor["enabled"] for sensor in trial.call("GET", "/sensortypes")] == [False]
        command = f"echo $$ > '{pid}.new'; mv '{pid}.new' '{pid}'; exec sleep 600"
        asked = {"action": "core.local", "parameters": {"cmd": command}}
        trial.call("POST", "/executions", json=asked)
        _until(pid.exists)
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()


def test_it_ends_when_the_tests_are_killed(tmp_path):
    tests = subprocess.Popen(
        [sys.executable, "-c", _LEFT_ALONE, tmp_path / "st2solo"], stdout=subprocess.PIPE, text=True
    )
    with tests:
        pid = int(tests.stdout.readline())
        tests.send_signal(signal.SIGKILL)
    _until(lambda: not Path(f"/proc/{pid}").exists())
