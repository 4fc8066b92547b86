"""Notifications, the digest and the heartbeat, against a strict fake of Slack."""

import json
from typing import Any

import pytest

from tests.fake_slack import FakeSlack

RUN = "200624_A00834_0183_BHMTFYDRXX"
BASE = "/api/1.0"
#: Names that may leave the house in no notification; planted wherever a service's words could be.
PLANTED = ("Gundula-Patient", "Projekt_Herz", "SMP-4711")
WORDS = f"sample {PLANTED[2]} of {PLANTED[0]} in {PLANTED[1]}"


def document(name: str = RUN, **fields: Any) -> dict[str, Any]:
    """A run of which every free text holds the planted names."""
    why = {
        "code": "convert.failed",
        "message": f"convert failed: {WORDS}",
        "data_safe": "yes, in the run folder only: do not delete it",
        "urgency": "result late",
        "until": f"2026-03-01T10:00Z: {WORDS}",
        "samples": 24,
        "hint": f"look at {WORDS}; then: arteriole retry {name}",
        "page": f"docs/runbook/{WORDS}.md",
    }
    stage = {
        "stage": "convert",
        "state": "failed",
        "attempt": 1,
        "code": "convert.failed",
        "message": WORDS,
        "hint": WORDS,
        "service": "bcl2fastq",
        "job_id": 1,
    }
    return {
        "name": name,
        "path": f"/data/{PLANTED[0]}/{name}",
        "state": "error",
        "standing": "error",
        "attempt": 1,
        "instrument": PLANTED[1],
        "held": {"by": PLANTED[0], "reason": WORDS},
        "waiver": {"by": PLANTED[0], "reason": WORDS, "ignore": []},
        "metadata": {"project": PLANTED[1]},
        "stages": [stage],
        "why": {**why, **fields.pop("why", {})},
        **fields,
    }


@pytest.fixture
def slack(config, load, monkeypatch):
    load("arteria/actions/notify.py")
    import arteria_backends

    monkeypatch.setattr(arteria_backends, "_FIRST_PAUSE", 0.01)
    fakes = []

    def start(*answers: int) -> FakeSlack:
        fakes.append(FakeSlack(*answers))
        config["notify_slack_webhook"] = fakes[-1].url
        return fakes[-1]

    yield start
    for fake in fakes:
        fake.stop()


def test_by_default_nothing_is_sent_and_that_is_said(action, service):
    for name, parameters in (("notify", {"run": RUN, "what": "run_done"}), ("digest", {})):
        succeeded, result = action(name, **parameters)
        assert succeeded and result["sent"] == 0 and "notify_slack_webhook" in result["why"]
    assert action("heartbeat") == (True, {"sent": False, "why": "heartbeat_url is not set"})
    assert service.asked == []


def test_what_slack_is_told(action, service, slack):
    fake = slack()
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document())
    assert action("notify", run=RUN, what="run_error") == (True, {"sent": 1})
    assert fake.texts == [
        f"{RUN}: error, convert failed\n"
        "Data safe: yes, in the run folder only: do not delete it\n"
        "Urgency: result late\n"
        "Until: 2026-03-01T10:00Z\n"
        "Samples: 24\n"
        f"Do: as docs/runbook/convert.failed.md says, then: arteriole retry {RUN}\n"
        "Code: convert.failed\n"
        "See: docs/runbook/convert.failed.md"
    ]
    assert fake.refused == []


@pytest.mark.parametrize(
    ("safe", "told"),
    [("yes: archived", "yes, archived and verified"), ("no: damaged", "no"),
     ("no, unless", "no"), ("unknown: gone", "unknown"), ("unknown until", "unknown")],
)  # fmt: skip
def test_whether_the_data_is_safe_is_told(action, service, slack, safe, told):
    fake = slack()
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document(why={"data_safe": safe}))
    assert action("notify", run=RUN, what="run_error")[0]
    assert f"\nData safe: {told}\n" in fake.texts[0]


@pytest.mark.parametrize(
    ("standing", "told"),
    [("no sheet", "no sheet"), ("stalled", "stalled"), ("no patient", "unknown")],
)
def test_the_word_of_a_run_is_told(action, service, slack, standing, told):
    fake = slack()
    stages = {"standing": standing, "stages": []}
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document(**stages))
    assert action("notify", run=RUN, what="run_error")[0]
    assert fake.texts[0].startswith(f"{RUN}: {told}\n")


def test_what_a_webhook_is_told(action, service, config, new_service):
    place = new_service()
    place.answers["POST", "/hook"] = (200, {})
    config |= {"notify_webhook_url": f"{place.url}/hook", "notify_webhook_token": "t0ken"}
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document())
    assert action("notify", run=RUN, what="run_error")[0]
    (asked,) = place.asked
    assert asked.headers["authorization"] == "Bearer t0ken"
    assert asked.body["what"] == "run_error" and asked.body["run"] == RUN
    told = {name: asked.body[name] for name in ("state", "stage", "code", "samples", "attempt")}
    assert told == {"state": "error", "stage": "convert", "code": "convert.failed",
                    "samples": 24, "attempt": 1}  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"standing": WORDS},
        {"attempt": WORDS, "why": {"samples": WORDS}},
        {"why": {"code": WORDS, "urgency": WORDS, "data_safe": WORDS, "until": WORDS}},
        {"why": {"data_safe": f"yes: {WORDS}", "until": f"now {WORDS}"}},
        {"why": {"hint": f"arteriole redo {RUN} --from {PLANTED[2]}"}},
        {"why": {"hint": f"arteriole retry {PLANTED[2]}"}},
        {"why": {"hint": f"arteriole {PLANTED[2].lower()} {RUN}"}},
        {"stages": [{"stage": WORDS, "state": "failed", "attempt": 1}]},
        {"stages": [{"stage": "check", "state": WORDS, "attempt": 1}]},
    ],
)
def test_no_planted_name_leaves_the_house(action, service, slack, config, new_service, fields):
    fake, place = slack(), new_service()
    place.answers["POST", "/"] = (200, {})
    config["notify_webhook_url"] = f"{place.url}/"
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document(**fields))
    service.answers["GET", f"{BASE}/runs"] = (200, {"runs": [document(**fields)]})
    for name, parameters in (("notify", {"run": RUN, "what": "run_error"}), ("digest", {})):
        assert action(name, **parameters)[0]
    sent = json.dumps([fake.texts, [asked.body for asked in place.asked]])
    assert len(fake.texts) == len(place.asked) == 2 and RUN in sent
    assert not [name for name in PLANTED if name.lower() in sent.lower()]


@pytest.mark.parametrize(
    ("hint", "first", "command"),
    [
        (f"arteriole retry {RUN}", False, f"arteriole retry {RUN}"),
        (f"free the disk; then: arteriole retry {RUN}", True, f"arteriole retry {RUN}"),
        (f"arteriole redo {RUN} --from convert", False, f"arteriole redo {RUN} --from convert"),
        (f"mend it: arteriole redo {RUN} --from convert", True,
         f"arteriole redo {RUN} --from convert"),
        (f"set mode: act; then: arteriole adopt {RUN}", True, f"arteriole adopt {RUN}"),
        (f"see arteriole steps {RUN}; when it is mended: arteriole retry {RUN}", True,
         f"arteriole retry {RUN}"),
        (f"bring it back; if it was removed: arteriole abort {RUN}", False,
         f"arteriole why {RUN}"),
        (f"move it, then: arteriole abort {RUN}; else: arteriole release {RUN}", False,
         f"arteriole why {RUN}"),
        (f"copy them, then: arteriole why {RUN}", False, f"arteriole why {RUN}"),
        (f"arteriole waive {RUN} --ignore x --reason y", False, f"arteriole why {RUN}"),
        (f"arteriole redo {RUN} --from elsewhere", False, f"arteriole why {RUN}"),
        ("look at the log", False, f"arteriole why {RUN}"),
        (None, False, f"arteriole why {RUN}"),
    ],
)  # fmt: skip
def test_the_one_command(load, hint, first, command):
    """No command that only goes on is told without what has to be done before it."""
    load("arteria/actions/notify.py")
    from arteria_notice import notice

    told = notice(document(why={"hint": hint}))
    assert told["command"] == command
    assert told["first"] == ("as docs/runbook/convert.failed.md says" if first else "")


@pytest.mark.parametrize(
    ("answers", "posts", "sent"),
    [((500,), 2, True), ((429, 503), 3, True), ((404,), 1, False), ((400,), 1, False)],
)
def test_what_is_tried_again(action, service, slack, answers, posts, sent):
    fake = slack(*answers)
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document())
    succeeded, result = action("notify", run=RUN, what="run_error")
    assert (succeeded, fake.posts, len(fake.texts)) == (sent, posts, int(sent))
    if not sent:
        assert result["code"] == "notify.not_sent" and str(answers[0]) in result["message"]
        assert "secret" not in json.dumps(result)


def test_a_place_that_takes_nothing_keeps_no_other_from_it(
    action, service, slack, config, new_service
):
    fake, place = slack(), new_service()
    place.answers["POST", "/"] = [(0, None), (500, {})]
    config |= {"notify_webhook_url": f"{place.url}/", "notify_retry_seconds": 0.05}
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document())
    succeeded, result = action("notify", run=RUN, what="run_error")
    assert (succeeded, result["code"], result["sent"]) == (False, "notify.not_sent", 1)
    assert "notify_webhook_url" in result["message"] and fake.posts == 1
    assert len(place.asked) > 1


@pytest.mark.parametrize("url", ["hooks.slack.com/x", "file:///etc/passwd", "https://", "x"])
def test_an_address_that_is_none(action, service, config, url):
    config["notify_slack_webhook"] = url
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document())
    succeeded, result = action("notify", run=RUN, what="run_error")
    assert (succeeded, result["code"]) == (False, "pack.config")


ALERTS = ("run_failed", "run_stuck", "run_unreachable")
TAKE, TOLD = f"{BASE}/alerts/take", f"{BASE}/alerts/told"


@pytest.mark.parametrize("what", ALERTS)
def test_an_alert_is_told_once_and_that_is_noted(action, service, slack, what):
    fake = slack()
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document())
    service.answers["POST", TAKE] = [(200, {"taken": True}), (200, {"taken": False})]
    service.answers["POST", TOLD] = (200, {"noted": True})
    assert action("notify", run=RUN, what=what) == (True, {"sent": 1})
    body = {"what": what, "run": RUN, "by": "e1"}
    assert service.calls() == [(TAKE, body), (TOLD, body)]
    succeeded, result = action("notify", run=RUN, what=what)
    assert (succeeded, result["sent"], fake.posts) == (True, 0, 1)


@pytest.mark.parametrize(
    ("repaired", "then"),
    [(True, "runs go on, once a minute only"), (False, "no stage begins until it is back")],
)
def test_the_silence_of_the_sensor_is_told(
    action, service, slack, config, new_service, repaired, then
):
    fake, place = slack(), new_service()
    place.answers["POST", "/"] = (200, {})
    config["notify_webhook_url"] = f"{place.url}/"
    service.answers["POST", TAKE] = (200, {"taken": True})
    service.answers["POST", TOLD] = (200, {"noted": True})
    service.answers["GET", "/health"] = (200, {"silence": {"repaired": repaired}})
    assert action("notify", what="sensor_silent") == (True, {"sent": 2})
    assert fake.texts == [
        f"The sensor is silent: {then}\n"
        "Urgency: result late\n"
        "Do: st2 sensor list\n"
        "Code: sensor.silent\n"
        "See: docs/runbook/sensor.silent.md"
    ]
    (asked,) = place.asked
    assert (asked.body["what"], asked.body["code"]) == ("sensor_silent", "sensor.silent")
    assert service.calls()[-1] == (TOLD, {"what": "sensor_silent", "by": "e1"})


VOLUME = "bcl2fastq.fastq_root"
FULL = {
    "roots": {VOLUME: f"/data/{PLANTED[0]}"},
    "level": "critical",
    "size": 10**12,
    "free": 41_200_000_000,
    "reserve": 50_000_000_000,
    "inodes": 0,
    "free_inodes": 0,
    "to_come": 300_000_000_000,
    "reserve_reached": "2026-11-22T18:30Z",
    "words": PLANTED[1],
}


def test_a_volume_that_fills_up_is_told_once_with_its_figures(action, service, slack):
    fake = slack()
    service.answers["GET", "/health"] = (200, {"volumes": {VOLUME: FULL}})
    service.answers["POST", TAKE] = [(200, {"taken": True}), (200, {"taken": False})]
    service.answers["POST", TOLD] = (200, {"noted": True})
    told = {"what": "disk_pressure", "volume": VOLUME}
    assert action("notify", **told) == (True, {"sent": 1})
    assert fake.texts == [
        f"{VOLUME}: too little space, no conversion begins\n"
        "Free: 41.2 GB\n"
        "Of: 1000.0 GB\n"
        "Kept free: 50.0 GB\n"
        "Known to come: 300.0 GB\n"
        "Urgency: instrument at risk\n"
        "Reserve reached: 2026-11-22T18:30Z\n"
        "Do: arteriole runs --state done\n"
        "Code: disk.critical\n"
        "See: docs/runbook/disk.critical.md"
    ]
    body = {**told, "by": "e1"}
    assert service.calls() == [(TAKE, body), (TOLD, body)]
    succeeded, result = action("notify", **told)
    assert (succeeded, result["sent"], fake.posts) == (True, 0, 1)


@pytest.mark.parametrize(
    ("volumes", "lines"),
    [
        (
            {VOLUME: {**FULL, "level": "early", "reserve_reached": None}},
            ["it fills up", "Free: 41"],
        ),
        ({VOLUME: {**FULL, "inodes": 9, "free_inodes": 7}}, ["Free inodes: 7"]),
        ({VOLUME: dict.fromkeys(FULL, PLANTED[0])}, ["it fills up"]),
        ({VOLUME: PLANTED[0]}, ["it fills up"]),
        ({}, ["it fills up"]),
        (None, ["it fills up"]),
    ],
)
def test_of_a_volume_figures_alone_are_told(action, service, slack, volumes, lines):
    fake = slack()
    service.answers["GET", "/health"] = (200, {"volumes": volumes})
    service.answers["POST", TAKE] = (200, {"taken": True})
    service.answers["POST", TOLD] = (200, {"noted": True})
    assert action("notify", what="disk_pressure", volume=VOLUME)[0]
    (text,) = fake.texts
    assert all(line in text for line in lines) and "None" not in text
    assert not [name for name in PLANTED if name.lower() in text.lower()]


@pytest.mark.parametrize("volume", ["", "<% x %>", "/data"])
def test_a_volume_is_an_identifier(action, service, volume):
    succeeded, result = action("notify", what="disk_pressure", volume=volume)
    assert (succeeded, result["code"], service.asked) == (False, "name.characters", [])


def test_a_drill_that_failed_is_told(action, service, slack):
    fake = slack()
    assert action("notify", run=RUN, what="drill_failed") == (True, {"sent": 1})
    assert fake.texts == [
        f"{RUN}: files did not come back whole from its archive: delete no other copy of it\n"
        "Urgency: result late\n"
        "Do: arteriole drills\n"
        "Code: drill.failed\n"
        "See: docs/runbook/drill.failed.md"
    ]
    assert service.asked == []


NO_DRILL = [
    (
        (202, {"drills": [], "refused": [{"destination": "vault", "code": "restore.not_set",
                                          "message": WORDS, "hint": WORDS}]}),
        "vault (restore.not_set)",
        "drill.not_begun",
    ),
    (
        (500, {"error": {"code": "service.failed", "message": WORDS}}),
        "any archive",
        "service.failed",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "archives", "code"), NO_DRILL)
def test_a_drill_that_cannot_begin_is_told(action, service, slack, answer, archives, code):
    fake = slack()
    service.answers["POST", f"{BASE}/drills"] = answer
    succeeded, result = action("archive_drill")
    assert (succeeded, result["code"], result["sent"]) == (False, code, 1)
    assert fake.texts == [
        f"No drill could begin of {archives}: nobody knows whether it can be brought back\n"
        "Urgency: result late\n"
        "Do: arteriole drills --now\n"
        f"Code: {code}\n"
        f"See: docs/runbook/{code}.md"
    ]
    action("archive_drill", chat_user="ron")
    assert len(fake.texts) == 1, "who asks in a chat hears it there"


def test_a_drill_that_cannot_begin_fails_so_where_nobody_can_be_told(action, service, slack):
    slack(404)
    service.answers["POST", f"{BASE}/drills"] = NO_DRILL[0][0]
    succeeded, result = action("archive_drill")
    assert (succeeded, result["code"], result["sent"]) == (False, "drill.not_begun", 0)


@pytest.mark.parametrize(("reached", "noted"), [(False, False), (True, True)])
def test_an_alert_that_reached_nobody_is_not_noted_as_told(
    action, service, slack, config, new_service, reached, noted
):
    fake, place = slack(404), new_service()
    place.answers["POST", "/"] = (200, {}) if reached else (404, {})
    config["notify_webhook_url"] = f"{place.url}/"
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document())
    service.answers["POST", TAKE] = (200, {"taken": True})
    service.answers["POST", TOLD] = (200, {"noted": True})
    succeeded, result = action("notify", run=RUN, what="run_stuck")
    assert (succeeded, result["code"], fake.texts) == (False, "notify.not_sent", [])
    assert (TOLD in [where for where, _ in service.calls()]) is noted


@pytest.mark.parametrize("what", ["run_error", *ALERTS])
def test_only_the_sensor_needs_no_run(action, service, what):
    succeeded, result = action("notify", what=what)
    assert (succeeded, result["code"], service.asked) == (False, "name.characters", [])


def test_the_digest(action, service, slack):
    fake = slack()
    at_risk = {"urgency": "instrument at risk", "until": "now", "code": "run.stalled", "hint": ""}
    waits = {"urgency": "can wait", "code": "run.not_adopted"}
    rows = [
        document("r1"),
        document("r2", standing="stalled", why=at_risk),
        document("r3", standing="none", why=waits),
        document("r4", standing="none", why=waits),
        document("r5", standing="done", why={"code": ""}),
        document("r6", why={"until": "2026-02-28T10:00Z"}),
    ]
    service.answers["GET", f"{BASE}/runs"] = (200, {"runs": rows})
    assert action("digest") == (True, {"sent": 1, "urgent": 3})
    then = "as docs/runbook/convert.failed.md says, then: arteriole retry "
    assert fake.texts[0].split("\n") == [
        "Runs: done 1, error 2, none 2, stalled 1",
        "instrument at risk  now  r2  run.stalled  arteriole why r2",
        "result late  2026-02-28T10:00Z  r6  convert.failed  " + then + "r6",
        "result late  2026-03-01T10:00Z  r1  convert.failed  " + then + "r1",
        "Can wait: run.not_adopted 2",
    ]
    assert action("digest", limit=1)[0]
    assert "and 2 more that press" in fake.texts[1]


def test_the_digest_of_a_thousand_runs_fits(action, service, slack):
    fake = slack()
    rows = [document(f"{n:04d}" + "x" * 190) for n in range(1000)]
    service.answers["GET", f"{BASE}/runs"] = (200, {"runs": rows})
    assert action("digest")[0]
    assert len(fake.texts[0]) <= 8000 and fake.refused == []


def test_a_digest_without_runs(action, service, slack):
    fake = slack()
    service.answers["GET", f"{BASE}/runs"] = (200, {"runs": []})
    assert action("digest")[0] and fake.texts == ["Runs: none"]


@pytest.mark.parametrize(
    ("health", "told"),
    [
        ({"status": "ok", "sensor_silent": False}, ""),
        ({"status": "degraded", "sensor_silent": True}, "the sensor is silent"),
        ({"status": "ok", "sensor_silent": None}, "the sensor is silent"),
        ({"status": "degraded", "sensor_silent": False}, "runfolder is degraded"),
        (None, "checksum does not answer"),
    ],
)
def test_the_heartbeat(action, service, config, new_service, health, told):
    watch = new_service()
    watch.answers["GET", "/ping/secret"] = (200, "OK")
    config["heartbeat_url"] = f"{watch.url}/ping/secret"
    service.answers["GET", "/health"] = (200, health) if health else (404, {})
    succeeded, result = action("heartbeat")
    assert (succeeded, len(watch.asked)) == (not told, int(not told))
    if told:
        assert result["code"] == "heartbeat.withheld" and told in result["message"]


def test_a_watch_that_does_not_answer(action, service, config, new_service):
    watch = new_service()
    config["heartbeat_url"] = f"{watch.url}/ping/secret"
    service.answers["GET", "/health"] = (200, {"status": "ok", "sensor_silent": False})
    succeeded, result = action("heartbeat")
    assert (succeeded, result["code"]) == (False, "notify.not_sent")
    assert "secret" not in json.dumps(result)


@pytest.mark.parametrize(("name", "body"), [("why", None), ("run", None), ("retry", {})])
@pytest.mark.parametrize(
    ("chat_user", "header"), [("jane", "jane"), ("@jane", "jane"), ("U0123.x", "U0123.x")]
)
def test_the_services_hear_who_asks_in_a_chat(action, service, name, body, chat_user, header):
    where = f"{BASE}/runs/{RUN}" + ("/retry" if body is not None else "")
    service.answers["POST" if body is not None else "GET", where] = (200, document())
    assert action(name, run=RUN, chat_user=chat_user)[0]
    assert service.asked[0].headers["x-on-behalf-of"] == header
    assert action(name, run=RUN)[0]
    assert "x-on-behalf-of" not in service.asked[1].headers


@pytest.mark.parametrize("name", ["#lab", "jane doe", "{{ x }}", "a@b", "@", "jane\r\nX: y"])
def test_a_name_in_a_chat_is_an_identifier(action, service, name):
    succeeded, result = action("retry", run=RUN, chat_user=name)
    assert (succeeded, result["code"], service.asked) == (False, "name.characters", [])


@pytest.mark.parametrize("name", ["why", "run"])
def test_a_chat_is_told_no_planted_name(action, service, config, name):
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document())
    succeeded, told = action(name, run=RUN, chat_user="jane")
    assert succeeded and "convert" in told
    assert not [planted for planted in PLANTED if planted in told]
    assert PLANTED[0] in action(name, run=RUN)[1]
    config["chat_messages"] = True
    assert PLANTED[0] in action(name, run=RUN, chat_user="jane")[1]
