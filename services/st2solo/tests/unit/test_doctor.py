"""What the doctor finds wrong, where, and what it says to do."""

import os
import sqlite3

import pytest

from st2solo.auth import Users
from st2solo.doctor import examine
from st2solo.findings import BAD, GOOD, WARNING
from st2solo.installed_packs import InstalledPack, InstalledPacks

_PYTHON = "name: act\nrunner_type: python-script\nentry_point: act.py\n"
_FLOW = "name: flow\nrunner_type: orquesta\nentry_point: workflows/flow.yaml\n"
_RULE = "name: r\ntrigger: {type: core.st2.generic.actiontrigger}\naction: {ref: %s}\n"

#: files of the pack, grade, subject, words of the finding
_WRONG = {
    "an entry point that is not there": (
        {"actions/act.yaml": _PYTHON},
        BAD,
        "action",
        "act.yaml:3: entry_point",
    ),
    "code that is no Python": (
        {"actions/act.yaml": _PYTHON, "actions/act.py": "def ("},
        BAD,
        "action",
        "act.py:1: ",
    ),
    "a sensor that is not there": (
        {"sensors/s.yaml": "class_name: S\nentry_point: s.py\n"},
        BAD,
        "sensor",
        "s.yaml:2: entry_point",
    ),
    "a workflow that is not there": (
        {"actions/flow.yaml": _FLOW},
        BAD,
        "action",
        "flow.yaml:3: entry_point: there is no file",
    ),
    "a workflow with an unknown action": (
        {
            "actions/flow.yaml": _FLOW,
            "actions/workflows/flow.yaml": "version: 1.0\ntasks:\n  a: {action: demo.none}\n",
        },
        BAD,
        "action",
        "flow.yaml:3: tasks.a.action: no pack here has the action demo.none",
    ),
    "a workflow that lacks an input": (
        {
            "actions/flow.yaml": _FLOW,
            "actions/workflows/flow.yaml": "version: 1.0\ntasks:\n  a: {action: core.local}\n",
        },
        BAD,
        "action",
        "flow.yaml:3: the action needs the parameter cmd",
    ),
    "a rule for nothing": (
        {"rules/r.yaml": _RULE % "demo.none"},
        BAD,
        "rule",
        "r.yaml:3: action.ref: no pack",
    ),
    "a file that is refused": ({"actions/act.yaml": "name: act\n"}, BAD, "action", "runner_type"),
    "requirements": ({"requirements.txt": "no-such-thing"}, WARNING, "pack", "st2solo register"),
    "a configuration that does not fit": (
        {"config.schema.yaml": "n: {type: integer}\n", "../../configs/demo.yaml": "n: x\n"},
        BAD,
        "config",
        "demo.yaml:1",
    ),
    "a configuration that is no YAML": (
        {"config.schema.yaml": "n: {type: integer}\n", "../../configs/demo.yaml": "n: [\n"},
        BAD,
        "config",
        "demo.yaml",
    ),
}


@pytest.mark.parametrize("name", _WRONG)
def test_what_is_wrong_with_a_pack(name, site):
    files, grade, subject, words = _WRONG[name]
    for path, text in files.items():
        site.write(path, text)
    found = [f for f in examine(site.config) if f.grade != GOOD and f.subject == subject]
    assert [f.grade for f in found] == [grade], found
    assert words in found[0].message


def test_nothing_is_wrong(site):
    Users(site.store).add("ann", "sesame")
    site.write("actions/act.yaml", "name: act\nrunner_type: noop\n")
    site.write("rules/r.yaml", _RULE % "demo.act")
    grades = {f.subject: f.grade for f in examine(site.config)}
    assert grades == {
        "pack": GOOD,
        "key": GOOD,
        "store": GOOD,
        "disk": GOOD,
        "service": WARNING,
    }


def _found(site, subject):
    return [f for f in examine(site.config) if f.subject == subject and f.grade != GOOD]


def test_nobody_can_log_in(site):
    assert "user add" in _found(site, "users")[0].message


def test_a_key_that_others_may_read(site):
    site.config.crypto_key.chmod(0o644)
    assert "chmod 600" in _found(site, "key")[0].message


def test_a_store_that_is_no_store(site):
    site.store.close()
    site.config.store.write_bytes(os.urandom(10_000))
    assert "restore a backup" in _found(site, "store")[0].message


def test_a_store_of_the_future(site):
    site.store.execute("PRAGMA user_version = 999")
    assert "newer st2solo" in _found(site, "store")[0].message


def test_what_runs_for_days_and_what_fails(site):
    site.store.execute(
        "INSERT INTO executions (id, action_ref, runner, status, user, parameters, context, result,"
        " log, action, start_timestamp) VALUES ('e1', 'a.b', 'noop', 'running', 'u', '{}', '{}',"
        " '{}', '[]', '{}', '2020-01-01T00:00:00.000000Z')"
    )
    site.store.execute(
        "INSERT INTO rule_enforcements VALUES ('x', 'i', 'r', 'a.r', NULL, 'no such thing',"
        " 'failed', '9999-01-01T00:00:00.000000Z')"
    )
    assert "execution cancel e1" in _found(site, "execution")[0].message
    assert "a.r failed 1 times in a day: no such thing" in _found(site, "rule")[0].message


def test_a_service_that_does_not_answer(site):
    site.config.ports_file.write_text('{"host": "127.0.0.1", "api": 9}')
    (found,) = _found(site, "service")
    assert (found.grade, "does not answer" in found.message) == (BAD, True)


def test_it_changes_nothing(site):
    with sqlite3.connect(site.config.store) as connection:
        before = list(connection.iterdump())
        examine(site.config)
        assert list(connection.iterdump()) == before
    connection.close()


def test_installed_packs_are_looked_at_too(site):
    ref, folder = "hello", f"{1:024x}.0"
    InstalledPacks(site.store, site.config.installed_packs).put(
        InstalledPack(ref, folder, "file:///srv/hello", "c" * 40)
    )
    path = site.config.installed_packs / folder / ref / "actions" / "act.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("name: act\n")
    meta = "name: hello\ndescription: d\nversion: 1.0.0\nauthor: a\nemail: a@example.org\n"
    (path.parents[1] / "pack.yaml").write_text(meta)
    found = [f for f in examine(site.config) if str(path) in f.message]
    assert [(f.grade, f.subject) for f in found] == [(BAD, "action")]
