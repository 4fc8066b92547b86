"""A chat asks and acts through st2solo with the real services, and hears of what happens."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from demo.machine import ROOT, USER, Machine
from tests.conftest import Raise, St2, wait_for_state, wait_until
from tests.e2e import runs
from tests.errbot import Errbot
from tests.fake_slack import FakeSlack

HEADER = "[Header]\nIEMFileVersion,4\n[Data]\nSample_ID,Sample_Name,index,index2,Sample_Project\n"
PLANTED = ("Gundula*Patient", "SMP-4711", "Projekt_Herz")
ROW = f"{PLANTED[0]},{PLANTED[1]},ACGTACGT,ACGTACGT,{PLANTED[2]}\n"


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    fake = FakeSlack(503)  # what was posted first is posted again
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def machine(raise_machine: Raise, slack: FakeSlack) -> Machine:
    def configure(machine: Machine) -> None:
        chat = {"users": {"jane": "operator", "ron": "reader"}}
        for name, more in (
            ("arteriole.yaml", {"chat": chat}),
            ("configs/arteria.yaml", {"notify_slack_webhook": slack.url}),
        ):
            path = machine.state / name
            content = {**yaml.safe_load(path.read_text()), **more}
            content.get("runfolder", {}).update(
                {"scan_interval": 0.2, "stuck_after": 1.0, "heartbeat_limit": 20.0}
            )
            path.write_text(yaml.safe_dump(content))

    return raise_machine(configure)


class Chat:
    """What a bot does: it passes on what a person typed, and tells what came of it."""

    def __init__(self, machine: Machine) -> None:
        self._api = machine.st2_environment["ST2_API_URL"]
        self._token = requests.post(
            f"{machine.st2_environment['ST2_AUTH_URL']}/tokens",
            auth=(USER, machine.password),
            json={},
            timeout=30,
        ).json()["token"]

    def _call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"X-Auth-Token": self._token}
        return requests.request(method, self._api + path, headers=headers, timeout=30, **more)

    def api_key(self) -> str:
        return str(self._call("POST", "/apikeys", json={"user": USER}).json()["key"])

    def __call__(self, user: str, text: str) -> tuple[str, str]:
        """How the execution ended, and what the chat reads."""
        body = {"command": text, "user": user, "source_channel": "#lab",
                "notification_route": "errbot"}  # fmt: skip
        answer = self._call("POST", "/aliasexecution/match_and_execute", json=body)
        if answer.status_code != 201:
            return "refused", answer.json()["faultstring"]
        asked = answer.json()["results"][0]["execution"]["id"]

        def posted() -> list[dict[str, Any]]:
            found = self._call("GET", "/executions?action=chatops.post_result&status=succeeded")
            return [one for one in found.json() if one["parameters"]["execution_id"] == asked]

        told = wait_until(f"the answer to {text}", posted)[0]["result"]["result"]
        return self._call("GET", f"/executions/{asked}").json()["status"], told["message"]


@pytest.fixture(scope="module")
def ask(machine: Machine) -> Chat:
    return Chat(machine)


@pytest.fixture(scope="module")
def done(machine: Machine) -> str:
    name = runs.write(machine, 1)
    wait_for_state(machine, name, "done")
    return name


@pytest.fixture(scope="module")
def failed(machine: Machine) -> str:
    name = runs.write(machine, 2, sheet=(HEADER + ROW).encode())
    wait_for_state(machine, name, "error")
    return name


def who(machine: Machine, run: str, what: str) -> list[str]:
    events = machine.api("runfolder", f"runs/{run}/history")["events"]
    return [event["who"] for event in events if event["what"] == what]


def test_what_anybody_who_is_listed_may_ask(ask, done, failed):
    for user in ("ron", "jane"):
        status, told = ask(user, "seq runs")
        assert status == "succeeded" and done in told and failed in told
    assert failed not in ask("ron", "seq runs done")[1]
    told = ask("ron", f"seq run {done}")[1]
    assert "archive" in told and "attempt 1" in told
    told = ask("@ron", f"seq why {failed}")[1]
    assert f"{failed}: error, check failed" in told
    assert f".md says, then: arteriole retry {failed}" in told
    assert not [name for name in PLANTED if name in told]


def test_what_an_operator_may_do(machine, ask, done, failed):
    assert ask("jane", f"seq hold {done} the flow cell leaks") == ("succeeded", f"{done} is held")
    held = machine.run(done)["held"]
    assert (held["by"], held["reason"]) == ("packs/chat:jane", "the flow cell leaks")
    status, told = ask("jane", f"seq release {done}")
    assert status == "succeeded" and "held no more" in told and machine.run(done)["held"] is None
    assert who(machine, done, "hold_released") == ["packs/chat:jane"]
    status, told = ask("jane", f"seq redo {done} from transfer")
    assert (status, told) == ("succeeded", f"{done} is done again from transfer on")
    wait_for_state(machine, done, "done")
    status, told = ask("jane", f"seq retry {failed}")
    assert (status, told) == ("succeeded", f"{failed}: tried again: check")
    wait_for_state(machine, failed, "error")


@pytest.mark.parametrize(
    ("user", "text", "told", "code"),
    [
        ("mallory", "seq hold RUN why", "chat.users", "auth.chat_user"),
        ("mallory", "seq release RUN", "chat.users", "auth.chat_user"),
        ("mallory", "seq retry RUN", "chat.users", "auth.chat_user"),
        ("mallory", "seq redo RUN from archive", "chat.users", "auth.chat_user"),
        ("ron", "seq redo RUN from archive", "role reader", "auth.role"),
        ("ron", "seq restore RUN", "role reader", "auth.role"),
        ("ron", "seq verify RUN", "role reader", "auth.role"),
        ("ron", "seq drill", "role reader", "auth.role"),
        ("mallory", "seq policy RUN", "chat.users", "auth.chat_user"),
        # the bot does not say who: the channel counts, which is no name
        ("", "seq retry RUN", "must be 1 to 200", "name.characters"),
    ],
)
def test_who_is_refused(machine, ask, done, user, text, told, code):
    before = machine.api("runfolder", f"runs/{done}/history")["events"]
    status, message = ask(user, text.replace("RUN", done))
    assert status == "failed" and told in message and code in message, message
    assert machine.api("runfolder", f"runs/{done}/history")["events"] == before


@pytest.mark.parametrize(
    "text",
    [
        "seq retry RUN chat_user=jane",
        'seq retry RUN env={"http_proxy":"http://127.0.0.1:9"}',
        "seq retry {{ st2kv.system.arteria_token }}",
        "seq hold RUN <% st2kv('system.arteria_token') %>",
        "seq frobnicate RUN",
    ],
)
def test_what_no_one_may_say(ask, done, text):
    assert ask("mallory", text.replace("RUN", done))[0] == "refused"


@pytest.fixture(scope="module")
def errbot(
    machine: Machine, ask: Chat, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Errbot]:
    key = ask.api_key()
    bot = Errbot(tmp_path_factory.mktemp("errbot"), machine.st2_environment, key)
    yield bot
    bot.end()


def test_a_real_errbot_asks_by_each_alias(errbot, machine, done, failed):
    asked = set()
    for user, text, answer in (
        ("ron", "seq runs", failed),
        ("ron", "seq runs done", done),
        ("ron", f"seq run {done}", "attempt 1"),
        ("ron", f"seq why {done}", "Data safe: yes, archived and verified"),
        ("ron", f"seq hold {done} why", "auth.role"),
        ("jane", f"seq clean {done}", "clean.not_set"),
        ("ron", f"seq policy {done}", "policy.not_found"),
        ("jane", f"seq verify {done}", f"{done} is being read by checksum job"),
        ("jane", f"seq restore {done} attempt=1 part=fastq", f"{done} is being brought back"),
        ("jane", "seq drill", f"some of {done} is being brought back"),
        ("jane", f"seq hold {done} not yet", f"{done} is held"),
        ("jane", f"seq release {done}", f"{done} is held no more"),
        ("jane", f"seq retry {done}", f"{done}: nothing had failed"),
        ("jane", f"seq redo {done} from archive", f"{done} is done again from archive"),
    ):
        errbot(user, f"!st2 {text}", answer)
        asked.add("_".join(text.split()[:2]))
    wait_for_state(machine, done, "done")
    aliases = [yaml.safe_load(path.read_text()) for path in ROOT.glob("packs/*/aliases/*.yaml")]
    assert asked == {alias["name"] for alias in aliases}
    for display in (display for alias in aliases for display in alias["formats"]):
        errbot("jane", "!st2help", f"!st2 {display} - ")


@pytest.mark.parametrize(
    ("user", "text", "answer"),
    [
        ("mallory", "seq retry RUN", "auth.chat_user"),
        ("jane", "seq frobnicate RUN", "st2 command 'seq frobnicate RUN' not found"),
        ("jane", "seq hold RUN {{ st2kv.system.arteria_token }}", "holds a template"),
    ],
)
def test_what_a_real_errbot_is_refused(errbot, done, user, text, answer):
    errbot(user, f"!st2 {text}".replace("RUN", done), answer.replace("RUN", done))


def test_a_real_errbot_whose_stream_broke_hears_again(errbot, machine, done):
    """It comes back by itself within its own pause of ten seconds, and then hears every answer."""
    errbot("ron", "!st2 seq runs done", done)
    machine.kill("st2solo")
    machine.start_st2solo()
    wait_until(
        "it hears again", lambda: errbot.hears("ron", "!st2 seq runs done", done, seconds=5.0)
    )
    errbot("ron", f"!st2 seq run {done}", "attempt 1")


def test_the_real_command_asks_as_a_chat_does(st2: St2, failed):
    shown = st2("action-alias", "test", f"seq why {failed}", "-u", "ron")
    assert f"{failed}: error, check failed" in shown.partition("Formatted ChatOps")[2]
    out = st2("action-alias", "execute", f"seq why {failed}")  # it names nobody: the channel cli
    asked = out.split()[-1]
    refused = wait_until("its end", lambda: _ended(st2, asked))
    assert refused["status"].startswith("failed") and "chat.users" in json.dumps(refused["result"])
    assert "arteria.run_error" in st2("trace", "list", "--trace-tag", failed, "-a", "all", "-j")


def _ended(st2: St2, execution: str) -> dict[str, Any] | None:
    shown: dict[str, Any] = json.loads(st2("execution", "get", execution, "-d", "-j"))
    return None if shown["status"].split()[0] in ("requested", "scheduled", "running") else shown


def test_people_are_told_without_a_planted_name(machine, st2, slack, done, failed):
    why = machine.run(failed)["why"]
    assert any(name in why["message"] for name in PLANTED), "a name that could be told"
    assert "Code: sheet." in slack.wait_for(f"{failed}: error, check failed")
    assert "archived and verified" in slack.wait_for(f"{done}: done")
    assert "succeeded" in st2("run", "arteria.digest")
    assert f"{failed}  sheet." in slack.wait_for("Runs: done 1, error 1")
    told = "\n".join(slack.texts)
    assert not [name for name in PLANTED if name in told]
    assert slack.refused == [] and slack.posts == len(slack.texts) + 1


def _begin_run(machine: Machine, name: str) -> Path:
    """A folder as an instrument begins it; returns that of its lane."""
    folder = machine.incoming / name
    lane = folder / "Data/Intensities/BaseCalls/L001"
    lane.mkdir(parents=True)
    text = (machine.incoming / runs.plan(1).run / "RunInfo.xml").read_text()
    text = text.replace(runs.plan(1).run, name)
    text = re.sub(r'(<Run [^>]*Number=)"\d+"', rf'\1"{int(name.split("_")[2])}"', text)
    (folder / "RunInfo.xml").write_text(re.sub(r'NumCycles="\d+"', 'NumCycles="100"', text))
    return lane


def test_people_are_told_once_of_what_stands_still_while_the_sensor_is_dead(
    machine, st2, slack, done
):
    """By the rule that reconciles; what the sensor brings later is told already."""
    broken, stuck, gone = (f"260120_K00188_{number:04d}_AHFJ5CBBXX" for number in (21, 22, 23))
    _begin_run(machine, broken)
    (machine.incoming / broken / "RTAComplete.txt").touch()
    assert "run.incomplete" in slack.wait_for(f"{broken}: incomplete")
    st2("sensor", "disable", "arteria.EventFeedSensor")
    lanes = [_begin_run(machine, name) for name in (stuck, gone)]
    for cycle in range(26, 34):
        for lane, name in zip(lanes, (stuck, gone), strict=True):
            (lane / f"C{cycle}.1").mkdir()
            wait_until(
                f"cycle {cycle} of {name}",
                lambda name=name, cycle=cycle: (
                    (machine.run(name) or {}).get("progress")
                    and machine.run(name)["progress"]["done"] == cycle
                ),
            )
    (machine.incoming / gone).rename(machine.truth / gone)

    def standing() -> set[str]:
        return {alert["what"] for alert in machine.api("runfolder", "alerts")["alerts"]}

    known = {"run_stuck", "run_unreachable", "sensor_silent"}
    wait_until("all of it is known", lambda: known <= standing())
    st2("run", "arteria.reconcile", "grace=0", "seconds=0")
    assert "instrument at risk" in slack.wait_for(f"{stuck}: stuck")
    assert "Data safe: unknown" in slack.wait_for(f"{gone}: unreachable")
    assert "sensor.silent" in slack.wait_for("The sensor is silent")
    st2("sensor", "enable", "arteria.EventFeedSensor")
    wait_until("the sensor is heard", lambda: "sensor_silent" not in standing())

    def dispatched(run: str) -> int:
        """How often its rule has run: once by the reconciling one, once by the sensor."""
        rule = f"umccr.notify_{'stuck' if run == stuck else 'unreachable'}"
        return len(json.loads(st2("rule-enforcement", "list", "--rule", rule, "-j")))

    wait_until("the sensor brings them", lambda: min(map(dispatched, (stuck, gone))) >= 2)
    running = ("--status", "running", "--action", "arteria.notify", "-j")
    wait_until("they are dealt with", lambda: st2("execution", "list", *running).strip() == "[]")
    told = [text.split("\n")[0] for text in slack.texts]
    for first in (f"{broken}: incomplete", f"{stuck}: stuck", f"{gone}: unreachable"):
        assert told.count(first) == 1
    assert sum(text.startswith("The sensor is silent") for text in told) == 1


def test_the_address_is_told_to_nobody(machine, st2):
    assert "/services/T000" not in st2("execution", "list", "-n", "200", "-j")
    for log in machine.state.rglob("*.log"):
        assert "/services/T000" not in log.read_text(errors="replace"), log
