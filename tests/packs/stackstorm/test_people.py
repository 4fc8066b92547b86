"""What people ask and do, in the terminal and in a chat, on st2solo as on StackStorm.

README.md tells how to run these tests on a real StackStorm.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml

from demo.machine import ROOT, SERVICES
from tests.conftest import wait_for_state, wait_until
from tests.packs.stackstorm.conftest import LIMIT, Centre

pytestmark = pytest.mark.timeout(600)

#: What the packs' rules start, and what their workflows do.
ACTIONS = (
    "umccr.receive",
    "arteria.stage_check",
    "arteria.stage_job",
    "umccr.transfer",
    "umccr.archive",
    "arteria.end_stage",
    "arteria.notify",
)
TASKS = ("arteria.claim", "arteria.begin_stage", "arteria.check_samplesheet", "arteria.start_job")


@pytest.fixture(scope="module")
def run(centre: Centre) -> str:
    name = centre.write_run(10)
    centre.assert_done_once(name)
    wait_until("people are told of it", lambda: _told(centre, name), seconds=LIMIT)
    return name


def _told(centre: Centre, run: str) -> bool:
    found = centre.st2.executions("arteria.notify", run)
    return any(one["status"] == "succeeded" for one in found)


def test_a_trace_lists_all_that_happened_to_a_run_in_order(centre, run):
    execution = centre.st2.command("run", "arteria.trace", f"run={run}")
    lines = [line.split() for line in execution["result"]["result"].splitlines()]
    assert [line[0] for line in lines] == sorted(line[0] for line in lines)
    told = [tuple(line[1:3]) for line in lines]
    for before, after in (
        (("runfolder", "run_ready"), ("execution", "umccr.receive")),
        (("execution", "umccr.receive"), ("execution", "arteria.claim")),
        (("execution", "arteria.claim"), ("runfolder", "claimed")),
        (("runfolder", "claimed"), ("execution", "arteria.stage_check")),
        (("execution", "arteria.stage_job"), ("bcl2fastq", "job_created")),
        (("bcl2fastq", "job_finished"), ("execution", "arteria.end_stage")),
        (("execution", "arteria.end_stage"), ("checksum", "job_created")),
        (("archive", "job_finished"), ("runfolder", "run_done")),
        (("runfolder", "run_done"), ("execution", "arteria.notify")),
    ):
        assert told.index(before) < told.index(after), (before, after)
    expected = {one["id"] for action in ACTIONS for one in centre.st2.executions(action, run)}
    ids = [line[4] for line in lines if line[1] == "execution"]
    assert expected <= set(ids) and len(ids) == len(set(ids))
    assert {what for source, what in told if source == "execution"} == {*ACTIONS, *TASKS}
    for service in SERVICES:
        if service in ("wes", "metadata"):  # An example's configuration names neither.
            continue
        events = centre.machine.api(service, f"events?run={run}&limit=1000")["events"]
        listed = Counter(what for source, what in told if source == service)
        assert listed == Counter(event["what"] for event in events), service


def _aliases() -> list[dict[str, Any]]:
    return [yaml.safe_load(path.read_text()) for path in ROOT.glob("packs/*/aliases/*.yaml")]


def test_help_tells_of_each_alias(centre):
    for pack in {alias["pack"] for alias in _aliases()}:
        found = centre.st2.ask("GET", "actionalias/help", params={"pack": pack})
        told = {(one["display"], one["description"]) for one in found["helpstrings"]}
        mine = [alias for alias in _aliases() if alias["pack"] == pack]
        assert told == {(form, one["description"]) for one in mine for form in one["formats"]}


class Bot:
    """Passes on what a person typed, and tells what it hears of the end."""

    def __init__(self, centre: Centre, heard: Iterator[dict[str, Any]]) -> None:
        self._st2, self._heard = centre.st2, heard

    def __call__(self, user: str, text: str) -> tuple[str, str, str]:
        """The alias, how its execution ended, and what the chat reads."""
        body = {"command": text, "user": user, "source_channel": "#lab",
                "notification_route": "errbot"}  # fmt: skip
        done = self._st2.ask("POST", "aliasexecution/match_and_execute", json=body)["results"]
        assert len(done) == 1
        payload = next(self._heard)
        assert (payload["user"], payload["channel"]) == (user, "#lab")
        ended = self._st2.execution(done[0]["execution"]["id"])
        return ended["context"]["action_alias_ref"]["name"], ended["status"], payload["message"]


def test_a_chat_asks_by_each_alias(centre, run):
    asked = set()
    with centre.st2.announcements("errbot") as heard:
        bot = Bot(centre, heard)
        for user, text, status, answer in (
            ("ron", "seq runs", "succeeded", run),
            ("ron", "seq runs done", "succeeded", run),
            ("ron", "seq run RUN", "succeeded", "attempt 1"),
            ("@ron", "seq why RUN", "succeeded", "Data safe: yes, archived and verified"),
            ("jane", "seq clean RUN", "succeeded", "clean.not_set"),
            ("ron", "seq policy RUN", "failed", "policy.not_found"),
            ("jane", "seq verify RUN", "succeeded", "RUN is being read by checksum job"),
            ("jane", "seq restore RUN attempt=1 part=fastq", "succeeded", "RUN is being brought"),
            ("jane", "seq drill", "succeeded", "is being brought back by archive job"),
            ("ron", "seq hold RUN why", "failed", "auth.role"),
            ("mallory", "seq retry RUN", "failed", "auth.chat_user"),
            ("jane", "seq hold RUN not yet", "succeeded", "RUN is held"),
            ("jane", "seq release RUN", "succeeded", "RUN is held no more"),
            ("jane", "seq retry RUN", "succeeded", "RUN: nothing had failed"),
            ("jane", "seq redo RUN from archive", "succeeded", "RUN is done again from archive"),
        ):
            alias, ended, told = bot(user, text.replace("RUN", run))
            assert (ended, answer.replace("RUN", run) in told) == (status, True), (text, told)
            asked.add(alias)
    assert asked == {alias["name"] for alias in _aliases()}
    wait_until("the redo", lambda: centre.stage(run, "archive")["try"] == 2)
    wait_for_state(centre.machine, run, "done", seconds=LIMIT)


def test_hubot_asks_in_its_own_way(centre, run):
    alias = centre.st2.ask("GET", "actionalias/arteria.seq_why")
    body = {"name": alias["name"], "format": alias["formats"][0], "command": f"seq why {run}",
            "user": "ron", "source_channel": "lab", "notification_route": "hubot"}  # fmt: skip
    with centre.st2.announcements("chatops") as heard:
        centre.st2.ask("POST", "aliasexecution", json=body)
        assert next(heard)["message"].startswith(f"{run}: done")


@pytest.mark.parametrize(
    "template", ["{{ st2kv.system.arteria_token }}", "<% st2kv('system.arteria_token') %>"]
)
def test_what_a_person_types_is_evaluated_nowhere(centre, run, template):
    """StackStorm passes it on as it is, st2solo refuses it."""
    with centre.st2.announcements("errbot") as heard:
        try:
            _, _, told = Bot(centre, heard)("jane", f"seq hold {run} {template}")
        except requests.HTTPError as error:
            assert " 400 " in str(error)
            told = str(error)
    token = (centre.machine.state / "arteriole" / "packs.token").read_text().strip()
    held = centre.machine.run(run)["held"]
    assert token not in told and (held is None or held["reason"] == template)
    if held:
        centre.machine.api("runfolder", f"runs/{run}/release", "POST", json={"reason": "over"})
