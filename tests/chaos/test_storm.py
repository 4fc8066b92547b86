"""A small storm; `make storm` makes the large one."""

import copy
import json
import random

import pytest

from tests.chaos import measured, pack, plan
from tests.chaos.__main__ import main
from tests.chaos.plan import Kind
from tests.chaos.storm import Seen, Storm
from tests.chaos.verdict import figures, problems

SEED, WORKFLOWS, KILLS = 11, 20, 3


@pytest.fixture(scope="module")
def storm(tmp_path_factory):
    """The plan, and what was seen, of one storm."""
    plan_ = plan.make(SEED, WORKFLOWS, KILLS)
    return plan_, Storm(tmp_path_factory.mktemp("storm"), plan_).run()


@pytest.mark.timeout(300)
def test_20_workflows_under_3_kills_end_with_each_line_once(storm):
    assert problems(*storm) == []
    told = figures(*storm)
    assert told["workflows"] == sum(told["workflows_by_end"].values()) == WORKFLOWS
    assert told["kills"] == {kind.value: 1 for kind in Kind}


def _line(seen: Seen, action: str) -> str:
    """A line of a succeeded execution of that action."""
    ids = {one["id"] for one in seen.executions if one["action"]["ref"] == action}
    return next(line for line in seen.lines if line.split()[-1] in ids)


def _root(seen: Seen) -> dict:
    return next(one for one in seen.executions if "workflow" in one["parameters"])


def _twice(seen: Seen) -> None:
    seen.lines.append(_line(seen, "storm.line"))


def _lost(seen: Seen) -> None:
    seen.lines.remove(_line(seen, "storm.line"))


def _lost_of_rerun(seen: Seen) -> None:
    line = _line(seen, "storm.line_again")
    seen.lines[:] = [one for one in seen.lines if one != line]


def _torn(seen: Seen) -> None:
    seen.lines[0] = seen.lines[0][:10]


def _open(seen: Seen) -> None:
    root = _root(seen)
    root["status"] = "running"
    root["log"].pop()


def _ended_twice(seen: Seen) -> None:
    root = _root(seen)
    root["log"].append(root["log"][-1])


def _given_up(seen: Seen) -> None:
    """Abandoned, though nobody killed it."""
    seen.killed.clear()
    one = next(one for one in seen.executions if one["action"]["ref"] == "storm.line")
    one["status"] = one["log"][-1]["status"] = "abandoned"


def _told_twice(seen: Seen) -> None:
    told = next(one for one in seen.executions if "ended" in one["parameters"])
    seen.executions.append({**told, "id": "0" * 24})


def _not_told(seen: Seen) -> None:
    told = next(one for one in seen.executions if "ended" in one["parameters"])
    seen.executions.remove(told)


def _asked_twice(seen: Seen) -> None:
    seen.executions.append({**_root(seen), "id": "0" * 24})


def _left(seen: Seen) -> None:
    seen.left.append("work/x")


def _fewer_kills(seen: Seen) -> None:
    seen.kills[Kind.ALONE] -= 1


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_twice, "left 2 lines after 1 starts"),
        (_lost, "left 0 lines after 1 starts"),
        (_lost_of_rerun, "left 0 lines after"),
        (_torn, "a line of no execution"),
        (_open, "should have ended once"),
        (_ended_twice, "should have ended once"),
        (_given_up, "(abandoned): "),
        (_told_twice, "its end was told 2 times"),
        (_not_told, "its end was told 0 times"),
        (_asked_twice, "2 executions"),
        (_left, "left behind: work/x"),
        (_fewer_kills, "1 of 3 kills did not strike"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_the_verdict_sees(harm, told, storm):
    plan_, seen = copy.deepcopy(storm)
    harm(seen)
    assert any(told in problem for problem in problems(plan_, seen))


@pytest.mark.timeout(300)
def test_an_abandoned_try_may_be_retried(storm):
    """Orquesta retries a task that was abandoned as one that failed."""
    plan_, seen = copy.deepcopy(storm)
    one = next(one for one in seen.executions if one["status"] == "failed" and "parent" in one)
    one["status"] = one["log"][-1]["status"] = "abandoned"
    seen.killed.add(one["id"])
    assert problems(plan_, seen) == []


def test_a_seed_decides_shapes_and_kills():
    assert plan.make(5, 30, 6) == plan.make(5, 30, 6) != plan.make(6, 30, 6)
    made = plan.make(random.randrange(1000), 400, 9)
    assert {shape for _, shape in made.workflows} == set(pack.SHAPES)
    assert [kill.lines for kill in made.kills] == sorted({kill.lines for kill in made.kills})
    assert all(0 < kill.lines < made.lines for kill in made.kills)
    with pytest.raises(ValueError, match="too few, 30 kills"):
        plan.make(5, 3, 30)


def test_figures_are_merged_with_those_of_other_checks(tmp_path):
    file = tmp_path / "measured.json"
    measured.record("b", 1, {"n": 1}, file)
    measured.record("a", 2, {"n": 2}, file)
    measured.record("b", 3, {"n": 3}, file)
    found = json.loads(file.read_text())
    assert [(name, one["seed"], one["figures"]) for name, one in found.items()] == [
        ("a", 2, {"n": 2}),
        ("b", 3, {"n": 3}),
    ]
    assert all(one["commit"] == measured.commit() for one in found.values())


def test_a_check_that_fails_tells_the_seed_and_keeps_its_folder(tmp_path, monkeypatch, capsys):
    """st2solo cannot start where its command is none."""
    monkeypatch.setattr("tests.solo.COMMAND", tmp_path / "absent")
    monkeypatch.setattr("tests.chaos.__main__.FOLDER", tmp_path)
    words = ["solo_storm", "--seed", "42", "--workflows", "9", "--kills", "3"]
    assert main([*words, "--record", str(tmp_path / "measured.json")]) == 1
    folder = tmp_path / "42" / "solo_storm"
    told = capsys.readouterr().err
    assert "solo_storm FAILED, seed 42" in told
    assert f"look at {folder}" in told
    assert (folder / "packs").is_dir()
    assert not (tmp_path / "measured.json").exists()
