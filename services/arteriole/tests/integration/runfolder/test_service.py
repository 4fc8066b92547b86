"""The runfolder service over HTTP: the contract's calls, and input that must not pass."""

import json
import shutil

import pytest
from click.testing import CliRunner

from arteriole.app.auth import Role, Tokens
from arteriole.app.mode import Mode
from arteriole.cli import main

from ..app.serving import eventually
from .conftest import Site

PLAN = {
    "stages": {
        "receive": {},
        "convert": {"after": ["receive"], "makes_attempt": True},
        "transfer": {"after": ["convert"], "time_limit": 60},
    }
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory, sequenced):
    site = Site(tmp_path_factory.mktemp("site"), sequenced).start()
    site.bring()
    site.becomes(state="ready")
    yield site
    site.stop()


def test_the_whole_life_of_a_run(make_site, sequenced):
    site = make_site().start()
    site.bring()
    site.becomes(state="ready")
    name = sequenced.name
    assert site.act("claim", {"by": "ex1", "plan": PLAN}) == {"claimed": True, "attempt": 1}
    assert site.act("claim", {"by": "ex2", "plan": PLAN}) == {
        "claimed": False,
        "duplicate": True,
        "by": "ex1",
    }
    assert site.act("stages/convert/1/begin", {"by": "ex3"}) == {"begun": True, "try": 1}
    site.act("stages/transfer/1/begin", {"by": "ex3"}, status=409)
    job = {"service": "bcl2fastq", "job_id": 1}
    assert site.act("stages/convert/1/attach", {"by": "ex3", **job}) == {"attached": True}
    running = site.serving.get("/api/1.0/overdue?grace=0").json()["overdue"]
    assert [(entry["what"], entry["job_id"]) for entry in running] == [("stage_running", 1)]
    failed = {"by": "ex4", "state": "failed", "code": "x.y", "message": "m", "hint": "h", **job}
    assert site.act("stages/convert/1/end", failed) == {"ended": True}
    assert site.act("stages/convert/1/end", failed) == {"ended": False, "duplicate": True}
    run = site.run()
    assert (run["state"], run["why"]["hint"]) == ("error", f"h; then: arteriole retry {name}")
    assert site.act("retry") == {"retried": ["convert"]}
    assert site.act("stages/convert/1/begin", {"by": "ex5"}) == {"begun": True, "try": 2}
    assert site.act("stages/convert/1/release", {"by": "ex5", "reason": "died"}) == {
        "released": True
    }
    for stage in ("convert", "transfer"):
        assert site.act(f"stages/{stage}/1/begin", {"by": "ex6"})["begun"]
        assert site.act(f"stages/{stage}/1/end", {"by": "ex6", "state": "done"})["ended"]
    assert site.run()["state"] == "done"
    assert site.act("redo", {"from": "convert", "reason": "new sheet"}) == {"attempt": 2}
    listed = site.serving.get("/api/1.0/runs?state=started").json()["runs"]
    assert [run["name"] for run in listed] == [name]
    kinds = [event["what"] for event in site.events() if event["run"] == name]
    assert kinds == [
        "run_seen", "verdict", "run_copied", "run_ready", "claimed", "stage_ready", "stage_begun",
        "job_attached", "stage_ended", "run_error", "stage_retried", "stage_ready", "stage_begun",
        "stage_released", "stage_ready", "stage_begun", "stage_ended", "stage_ready",
        "stage_begun", "stage_ended", "run_done", "redo", "stage_ready",
    ]  # fmt: skip


def test_how_far_a_job_is_stands_with_its_stage_and_nowhere_else(make_site):
    """In the whole run and in brief; not in the store, so a service that starts anew asks again."""
    site = make_site().start()
    site.bring()
    site.becomes(state="ready")
    site.act("claim", {"by": "ex1", "plan": PLAN})
    site.act("stages/convert/1/begin", {"by": "ex2"})
    job = {"service": "bcl2fastq", "job_id": 1}
    told = {**job, "done": 130, "total": 310, "unit": "tiles"}
    assert site.act("stages/convert/1/progress", told) == {"taken": False}
    site.act("stages/convert/1/attach", {"by": "ex2", **job})
    events = site.events()
    assert site.act("stages/convert/1/progress", {**told, "job_id": 2}) == {"taken": False}
    assert running_progress(site) == {None}
    assert site.act("stages/convert/1/progress", told) == {"taken": True}
    shown = {"done": 130, "total": 310, "unit": "tiles", "percent": 41}
    assert running_progress(site) == {tuple(shown.items())}
    assert site.events() == events
    site.stop()
    site.start(scanned=False)
    assert running_progress(site) == {None}
    site.act("stages/convert/1/end", {"by": "ex3", "state": "done", **job})
    assert site.act("stages/convert/1/progress", told) == {"taken": False}
    site.act("stages/nope/1/progress", told, status=404)
    assert site.serving.get("/api/1.0/runs?running=true").json()["runs"] == []


def running_progress(site):
    """What each way to ask says of the one running stage: its items but for the time, or None."""
    name = site.run()["name"]
    whole = [site.run(), site.serving.get(f"/api/1.0/runs/{name}?brief=true").json()]
    for query in ("", "?brief=true", "?running=true", "?running=true&brief=true"):
        whole += [
            r for r in site.serving.get(f"/api/1.0/runs{query}").json()["runs"] if r["stages"]
        ]
    assert len(whole) == 6
    found = [s["progress"] for run in whole for s in run["stages"] if s["state"] == "running"]
    return {told and tuple(list(told.items())[:-1]) for told in found}


KEYS = {
    "name", "path", "state", "why", "verdict", "adopted", "attempt", "claimed_by", "stages",
    "first_seen", "metadata", "held", "waiver", "observed", "attempts", "instrument",
    "standing", "since", "progress",
}  # fmt: skip

TOLD = {"service": "x", "job_id": 1, "done": 1, "total": 2, "unit": "tiles"}


def test_a_run_has_the_fields_of_the_contract(shared):
    run = shared.run()
    assert set(run) >= KEYS
    assert set(run["why"]) == {
        "code", "message", "hint", "urgency", "data_safe", "until", "samples", "page",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("runs/nope/claim", {"by": "a", "plan": PLAN}, 404),
        ("runs/nope/retry", {}, 404),
        ("runs/nope/redo", {"from": "a"}, 404),
        ("runs/nope/adopt", {}, 404),
        ("runs/nope/hold", {"reason": "x"}, 404),
        ("runs/nope/release", {}, 404),
        ("runs/nope/abort", {"reason": "x"}, 404),
        ("runs/nope/waive", {"reason": "x", "ignore": []}, 404),
        ("runs/nope/unwaive", {"reason": "x"}, 404),
        ("holds", {"scope": "run", "name": "nope", "reason": "x"}, 404),
        ("holds/release", {"scope": "run", "name": "nope"}, 404),
        ("runs/nope/stages/a/1/begin", {"by": "a"}, 404),
        ("runs/{run}/stages/nope/1/begin", {"by": "a"}, 404),
        ("runs/{run}/stages/a/x/begin", {"by": "a"}, 404),
        ("runs/{run}/stages/a/-1/begin", {"by": "a"}, 404),
        ("runs/{run}/stages/a/99999999999999999999/begin", {"by": "a"}, 404),
        ("runs/{run}/stages/a/1/begin", {"by": "<% x %>"}, 400),
        ("runs/{run}/stages/a/1/begin", {"by": ""}, 400),
        ("runs/{run}/stages/a/1/begin", {}, 400),
        ("runs/{run}/stages/a/1/begin", {"by": "a", "x": 1}, 400),
        ("runs/{run}/stages/a/1/attach", {"by": "a", "service": "x", "job_id": 10**30}, 400),
        ("runs/{run}/stages/a/1/attach", {"by": "a", "service": "x"}, 400),
        ("runs/{run}/stages/a/1/progress", TOLD, 404),
        ("runs/nope/stages/a/1/progress", TOLD, 404),
        ("runs/{run}/stages/a/1/progress", {**TOLD, "unit": "<% x %>"}, 400),
        ("runs/{run}/stages/a/1/progress", {**TOLD, "unit": ""}, 400),
        ("runs/{run}/stages/a/1/progress", {**TOLD, "total": 0}, 400),
        ("runs/{run}/stages/a/1/progress", {**TOLD, "total": 2**53}, 400),
        ("runs/{run}/stages/a/1/progress", {**TOLD, "done": -1}, 400),
        ("runs/{run}/stages/a/1/progress", {**TOLD, "done": 0.5}, 400),
        ("runs/{run}/stages/a/1/progress", {**TOLD, "done": "1e9"}, 400),
        ("runs/{run}/stages/a/1/progress", {**TOLD, "by": "x"}, 400),
        ("runs/{run}/stages/a/1/end", {"by": "a", "state": "running"}, 400),
        ("runs/{run}/stages/a/1/end", {"by": "a", "state": "done", "code": "A B"}, 400),
        ("runs/{run}/stages/a/1/end", {"by": "a", "state": "done", "job_id": 1}, 400),
        ("runs/{run}/stages/a/1/end", {"by": "{{ x }}", "state": "done"}, 400),
        ("runs/{run}/claim", {"by": "a", "plan": {}}, 400),
        ("runs/{run}/claim", {"by": "a", "plan": {"stages": {"<% x %>": {}}}}, 400),
        ("runs/{run}/claim", {"by": "a", "plan": {"stages": {"a": {"after": ["b"]}}}}, 400),
        ("runs/{run}/hold", {"reason": ""}, 400),
        ("runs/{run}/hold", {}, 400),
        ("runs/{run}/redo", {"from": "convert"}, 409),
        ("runs/{run}/abort", {"reason": ""}, 400),
        ("runs/{run}/abort", {}, 400),
        ("runs/{run}/unwaive", {}, 400),
        ("runs/{run}/waive", {"ignore": ["missing-bcls"]}, 400),
        ("runs/{run}/waive", {"reason": "x", "ignore": ["everything"]}, 400),
        ("runs/{run}/waive", {"reason": "x", "ignore": ["missing-bcls"] * 5}, 400),
        ("runs/{run}/waive", {"reason": "x" * 501}, 400),
        ("runs/{run}/waive", {"reason": "x", "ignore": []}, 409),
        ("runs/{run}/waive", {"reason": "x", "rules": ["sheet.quotes"]}, 409),
        ("runs/{run}/waive", {"reason": "x", "rules": ["<% x %>"]}, 400),
        ("runs/{run}/waive", {"reason": "x", "rules": "sheet.quotes"}, 400),
        ("runs/{run}/waive", {"rules": ["sheet.index_collision"]}, 400),
        ("runs/{run}/unwaive", {"reason": "x", "rules": ["{{ x }}"]}, 400),
        ("holds", {"scope": "site", "name": "x", "reason": "x"}, 400),
        ("holds", {"scope": "all", "name": "x", "reason": "x"}, 400),
        ("holds", {"scope": "all", "name": "", "reason": ""}, 400),
        ("holds", {"scope": "all"}, 400),
        ("holds", {"scope": "run", "reason": "x"}, 400),
        ("holds", {"scope": "instrument", "name": "<% x %>", "reason": "x"}, 400),
        ("holds", {"scope": "instrument", "name": "x" * 201, "reason": "x"}, 400),
        ("holds/release", {"scope": "instrument", "name": ""}, 400),
        ("holds/release", {"scope": "all", "name": "", "reason": "x" * 501}, 400),
        ("holds/release", {"scope": "all", "name": "", "code": "indexes.exchanged"}, 400),
        ("heartbeat", {"sensor": "x" * 101}, 400),
        ("alerts/take", {"what": "run_failed", "run": "<% x %>", "by": "a"}, 400),
        ("alerts/take", {"what": "{{ x }}", "by": "a"}, 400),
        ("alerts/told", {"what": "run_failed"}, 400),
        ("runs/{run}/comparison/begin", {"service": "bcl2fastq"}, 400),
        ("runs/{run}/comparison/judged", {"service": "bcl2fastq", "code": "<% x %>"}, 400),
        ("runs/other/comparison/begin", {"service": "bcl2fastq", "job_id": 1}, 404),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(shared, path, body, status):
    before = shared.run()
    answer = shared.serving.post(f"/api/1.0/{path.format(run=before['name'])}", body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert shared.run() == before
    assert shared.serving.get("/api/1.0/holds").json() == {"holds": []}


@pytest.mark.parametrize("query", ["grace=-1", "grace=nan", "grace=inf", "grace=1e300", "grace=x"])
def test_a_grace_is_a_sane_number_of_seconds(shared, query):
    assert shared.serving.get(f"/api/1.0/overdue?{query}").status_code == 400


@pytest.mark.parametrize("query", ["state=nope", "x=1", "running=x", "running=true&limit=1"])
def test_runs_are_asked_for_by_a_known_state(shared, query):
    assert shared.serving.get(f"/api/1.0/runs?{query}").status_code == 400


def test_a_lost_cursor_of_any_length_is_a_reset(shared):
    epoch = shared.events()[0]["id"].rpartition("-")[0]
    page = shared.serving.get(f"/api/1.0/events?after={epoch}-{'9' * 6000}").json()
    assert page["reset"] is True


def test_a_silent_sensor_is_told_by_health_and_by_the_commands(make_site, sequenced):
    site = make_site(heartbeat_limit=0.05).start()
    assert site.serving.get("/health").json()["sensor_silent"] is None
    assert site.serving.post("/api/1.0/heartbeat", {"sensor": "arteria"}).ok
    health = eventually(
        lambda: site.serving.get("/health").json(), lambda health: health["sensor_silent"]
    )
    assert health["status"] == "degraded"
    site.bring()
    site.becomes(verdict="complete")
    figures = site.serving.get("/metrics").text
    assert 'arteriole_alerts{what="sensor_silent"} 1.0' in figures
    assert 'arteriole_runs{standing="ready"} 1.0' in figures
    command = CliRunner(env={"ARTERIOLE_URL": site.serving.url})
    for words in (["runs"], ["why", sequenced.name]):
        said = command.invoke(main, words).output
        assert "silent: nobody looks for what is overdue either, so no stage begins" in said
        assert "st2 sensor list" in said
    assert json.loads(command.invoke(main, ["runs", "--json"]).output)


def test_health_tells_when_the_packs_have_looked_for_what_is_overdue(make_site):
    site = make_site().start()
    assert site.serving.get("/health").json()["reconciled"] is None
    site.serving.post("/api/1.0/heartbeat", {"sensor": "arteria"})
    site.serving.get("/api/1.0/overdue")
    assert site.serving.get("/health").json()["reconciled"].endswith("Z")


def test_a_silent_sensor_is_an_alert_over_a_restart_too(make_site):
    site = make_site(heartbeat_limit=0.05).start()
    site.serving.post("/api/1.0/heartbeat", {"sensor": "arteria"})
    for _ in range(2):
        (alert,) = eventually(lambda: site.serving.get("/api/1.0/alerts").json()["alerts"])
        assert (alert["what"], alert["run"], alert["code"]) == (
            "sensor_silent", None, "sensor.silent"
        )  # fmt: skip
        (owed,) = site.serving.get("/api/1.0/overdue?grace=0").json()["overdue"]
        assert (owed["what"], owed["run"], owed["code"]) == (
            "sensor_silent", None, "sensor.silent"
        )  # fmt: skip
        site.stop()
        site.start(scanned=False)
    assert site.told("sensor_silent") == [None]
    site.stop()
    site.settings = site.settings.model_copy(update={"heartbeat_limit": 1000.0})
    site.start(scanned=False)
    eventually(lambda: not site.serving.get("/api/1.0/alerts").json()["alerts"])


def test_an_alert_is_told_by_one(make_site, sequenced):
    site = make_site().start()
    partial = site.directories[0].parent / "partial"
    shutil.copytree(sequenced, partial, ignore=shutil.ignore_patterns("C3.1"))
    partial.rename(site.directories[0] / sequenced.name)
    site.becomes(verdict="incomplete")
    assert site.told("run_failed") == [sequenced.name]
    body = {"what": "run_failed", "run": sequenced.name, "by": "ex1"}

    def post(verb, **more):
        return site.serving.post(f"/api/1.0/alerts/{verb}", {**body, **more}).json()

    assert post("take", what="run_stuck") == post("take", run="other") == {"taken": False}
    assert post("take") == {"taken": True}
    assert post("take", by="ex2") == {"taken": False}
    assert post("told", by="ex2") == {"noted": False}
    assert post("told") == {"noted": True}
    overdue = site.serving.get("/api/1.0/overdue?grace=0").json()["overdue"]
    assert overdue == []
    (alert,) = site.serving.get("/api/1.0/alerts").json()["alerts"]
    assert alert["told"] and alert["since"] <= alert["told"]


def test_a_comparison_of_indexes_that_nobody_began_or_judged_is_overdue(make_site, sequenced):
    site = make_site().start()
    to_come = ("C2[5-8].1", "*Complete.txt")
    ignore = shutil.ignore_patterns(*to_come)
    shutil.copytree(sequenced, site.directories[0] / sequenced.name, ignore=ignore)

    def overdue():
        return site.serving.get("/api/1.0/overdue?grace=0").json()["overdue"]

    (owed,) = eventually(overdue)
    assert (owed["what"], owed["run"], owed["job_id"]) == ("indexes_read", sequenced.name, None)
    job = {"service": "bcl2fastq", "job_id": 3}
    assert site.act("comparison/begin", job) == {"begun": True}
    (owed,) = overdue()
    assert (owed["what"], owed["service"], owed["job_id"]) == (
        *("comparison_running", "bcl2fastq"),
        3,
    )
    site.stop()
    site.start(scanned=False)
    (still,) = overdue()
    assert still == owed
    assert site.act("comparison/judged", {**job, "code": ""}) == {"noted": True}
    assert overdue() == []
    assert site.act("comparison/begin", job) == {"begun": False}


def test_a_run_is_held_with_its_instrument_and_with_all(make_site, sequenced):
    site = make_site().start()
    site.bring()
    site.becomes(state="ready")
    assert site.act("hold", {"reason": "in doubt"}) == {"held": True}
    every = {"scope": "all", "name": "", "reason": "the move"}
    assert site.serving.post("/api/1.0/holds", every).json() == {"held": True}
    serial = site.run()["instrument"]
    assert serial == sequenced.name.split("_")[1]
    leak = {"scope": "instrument", "name": serial, "reason": "a leak"}
    assert site.serving.post("/api/1.0/holds", leak).ok
    site.stop()
    site.start(scanned=False)  # holds outlive it
    holds = site.serving.get("/api/1.0/holds").json()["holds"]
    assert [(hold["scope"], hold["name"], hold["reason"]) for hold in holds] == [
        ("run", sequenced.name, "in doubt"),
        ("all", "", "the move"),
        ("instrument", serial, "a leak"),
    ]
    assert site.run()["held"] == holds[0]
    site.act("claim", {"by": "ex1", "plan": PLAN}, status=409)
    assert site.act("release") == {"released": True, "held": holds[2]}
    assert site.act("release") == {"released": False, "held": holds[2]}
    for scope in ({"scope": "instrument", "name": serial}, {"scope": "all"}):
        assert site.run()["state"] == "pending"
        answer = site.serving.post("/api/1.0/holds/release", scope).json()
        assert answer == {"released": True}
        assert site.serving.post("/api/1.0/holds/release", scope).json() == {"released": False}
    assert site.run()["held"] is None
    assert site.told("run_ready") == [sequenced.name] * 2
    assert site.act("claim", {"by": "ex1", "plan": PLAN})["claimed"]


def test_an_abort_names_the_jobs_that_are_to_be_stopped(make_site):
    site = make_site().start()
    site.bring()
    site.becomes(state="ready")
    site.act("claim", {"by": "ex1", "plan": PLAN})
    site.act("stages/convert/1/begin", {"by": "ex2"})
    job = {"service": "bcl2fastq", "job_id": 4}
    site.act("stages/convert/1/attach", {"by": "ex2", **job})
    for _ in range(2):
        assert site.act("abort", {"reason": "no"}) == {"aborted": True, "jobs": [job]}
    (unwanted,) = site.serving.get("/api/1.0/overdue").json()["overdue"]
    assert (unwanted["what"], unwanted["service"], unwanted["job_id"]) == (
        "job_unwanted", "bcl2fastq", 4,
    )  # fmt: skip
    site.act("retry", status=409)
    site.act("adopt", status=409)
    site.act("stages/convert/1/end", {"by": "ex2", "state": "failed", "code": "x", **job})
    run = site.run()
    assert (run["state"], run["why"]["code"]) == ("cancelled", "run.aborted")
    assert run["attempts"][0]["aborted"] is True
    assert site.act("redo", {"from": "convert"}) == {"attempt": 2}
    assert [one["aborted"] for one in site.run()["attempts"]] == [True, False]
    assert site.told("run_error") == []


def test_a_waived_run_is_claimed_as_it_is(make_site):
    site = make_site(adopt_existing=True)
    next(site.bring().rglob("*.bcl.gz")).unlink()
    site.start(scanned=False)
    site.becomes(verdict="incomplete")
    body = {"reason": "one tile", "ignore": ["empty-samples", "missing-bcls"]}
    waiver = site.act("waive", body)["waiver"]
    assert (waiver["reason"], waiver["ignore"]) == ("one tile", ["missing-bcls", "empty-samples"])
    assert site.act("waive", body)["waiver"] == waiver
    assert site.run()["waiver"] == waiver and site.run()["state"] == "ready"
    assert site.act("claim", {"by": "ex1", "plan": PLAN}) == {"claimed": True, "attempt": 1}
    (attempt,) = site.run()["attempts"]
    made = attempt.pop("made")
    assert made.endswith("Z")
    assert attempt == {
        "attempt": 1,
        "observed": False,
        "degraded": True,
        "ignore": ["missing-bcls", "empty-samples"],
        "waived_rules": [],
        "aborted": False,
    }


def test_a_rule_is_waived_for_the_attempts_that_come(make_site):
    rule = "sheet.index_collision"
    site = make_site(adopt_existing=True)
    site.bring()
    site.start(scanned=False)
    site.becomes(state="ready")
    site.act("claim", {"by": "ex1", "plan": PLAN})
    answer = site.act("waive", {"reason": "pooled so", "rules": [rule]})
    (waived,) = answer["waived_rules"]
    assert (answer["waiver"], waived["rule"], waived["reason"]) == (None, rule, "pooled so")
    assert site.run()["waived_rules"] == [waived]
    assert site.act("redo", {"from": "convert"}) == {"attempt": 2}
    first, second = site.run()["attempts"]
    assert (first["degraded"], first["waived_rules"]) == (False, [])
    assert (second["degraded"], second["waived_rules"]) == (True, [rule])
    both = {"reason": "a blank", "rules": [rule], "ignore": ["empty-samples"]}
    assert site.act("waive", both)["waiver"]["ignore"] == ["empty-samples"]
    only = {"reason": "x", "rules": [rule]}
    told = {"unwaived": True, "rules": [rule], "degraded": [2]}
    assert site.act("unwaive", only) == told
    assert site.act("unwaive", only) == {**told, "unwaived": False, "rules": []}
    assert site.run()["waiver"] is not None
    site.act("waive", only)
    assert site.act("unwaive", {"reason": "all"}) == told
    assert (site.run()["waiver"], site.run()["waived_rules"]) == (None, [])


def test_of_two_waivers_in_one_request_both_are_given_or_none(make_site):
    site = make_site(adopt_existing=True)
    site.bring()
    site.start(scanned=False)
    site.becomes(state="ready")
    body = {"reason": "x", "ignore": ["empty-samples"], "rules": ["sheet.quotes"]}
    assert site.act("waive", body, status=409)["error"]["code"] == "run.rule_not_waivable"
    assert site.run()["waiver"] is None and site.told("waived") == []


def test_while_observing_a_run_is_observed_and_then_left_alone(make_site, sequenced):
    site = make_site(mode=Mode.OBSERVE).start()
    site.bring()
    site.becomes(state="ready")
    site.act("claim", {"by": "ex1", "plan": PLAN})
    for stage in ("convert", "transfer"):
        site.act(f"stages/{stage}/1/begin", {"by": "ex2"})
        end = {"by": "ex2", "state": "skipped", "code": "run.observed"}
        assert site.act(f"stages/{stage}/1/end", end) == {"ended": True}
    run = site.run()
    assert (run["state"], run["observed"], run["why"]["code"]) == ("none", True, "run.observed")
    assert site.act("adopt", status=409)["error"]["code"] == "run.observed"
    assert site.told("run_observed") == [sequenced.name] and site.told("run_done") == []
    assert site.serving.get("/api/1.0/runs").json()["mode"] == "observe"
    site.stop()
    site.mode = Mode.ACT
    site.start(scanned=False)
    assert site.run()["state"] == "none"
    site.act("adopt")
    assert site.act("claim", {"by": "ex3", "plan": PLAN}) == {"claimed": True, "attempt": 2}
    assert site.run()["observed"] is False


CALLS = [
    ("runs/{run}/hold", {"reason": "x"}),
    ("runs/{run}/release", {}),
    ("runs/{run}/abort", {"reason": "x"}),
    ("runs/{run}/waive", {"reason": "x"}),
    ("runs/{run}/stages/a/1/progress", TOLD),
    ("holds", {"scope": "all", "reason": "x"}),
    ("holds/release", {"scope": "all"}),
    ("alerts/take", {"what": "run_failed", "by": "x"}),
    ("alerts/told", {"what": "run_failed", "by": "x"}),
]


@pytest.mark.parametrize(("path", "body"), CALLS)
def test_a_reader_only_reads(make_site, tmp_path, path, body):
    tokens = Tokens(tmp_path / "tokens.json")
    reader = {"Authorization": f"Bearer {tokens.create('ada', Role.READER)}"}
    site = make_site()
    site.start(scanned=False, tokens=tokens)
    answer = site.serving.post(f"/api/1.0/{path.format(run='x')}", body, headers=reader)
    assert answer.status_code == 403
    holds = site.serving.get("/api/1.0/holds", headers=reader)
    assert holds.json() == {"holds": []}
