"""The runfolder service over HTTP: the contract's calls, and input that must not pass."""

import pytest

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
        "run_seen", "verdict", "run_ready", "claimed", "stage_ready", "stage_begun",
        "job_attached", "stage_ended", "run_error", "stage_retried", "stage_ready", "stage_begun",
        "stage_released", "stage_ready", "stage_begun", "stage_ended", "stage_ready",
        "stage_begun", "stage_ended", "run_done", "redo", "stage_ready",
    ]  # fmt: skip


KEYS = {
    "name", "path", "state", "why", "verdict", "adopted", "attempt", "claimed_by", "stages",
    "first_seen", "metadata",
}  # fmt: skip


def test_a_run_has_the_fields_of_the_contract(shared):
    run = shared.run()
    assert set(run) >= KEYS
    assert set(run["why"]) == {"code", "message", "hint", "urgency", "data_safe"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("runs/nope/claim", {"by": "a", "plan": PLAN}, 404),
        ("runs/nope/retry", {}, 404),
        ("runs/nope/redo", {"from": "a"}, 404),
        ("runs/nope/adopt", {}, 404),
        ("runs/nope/hold", {"reason": "x"}, 404),
        ("runs/nope/unhold", {}, 404),
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
        ("heartbeat", {"sensor": "x" * 101}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(shared, path, body, status):
    before = shared.run()
    answer = shared.serving.post(f"/api/1.0/{path.format(run=before['name'])}", body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert shared.run() == before


@pytest.mark.parametrize("query", ["grace=-1", "grace=nan", "grace=inf", "grace=1e300", "grace=x"])
def test_a_grace_is_a_sane_number_of_seconds(shared, query):
    assert shared.serving.get(f"/api/1.0/overdue?{query}").status_code == 400


@pytest.mark.parametrize("query", ["state=nope", "x=1"])
def test_runs_are_asked_for_by_a_known_state(shared, query):
    assert shared.serving.get(f"/api/1.0/runs?{query}").status_code == 400


def test_a_lost_cursor_of_any_length_is_a_reset(shared):
    epoch = shared.events()[0]["id"].rpartition("-")[0]
    page = shared.serving.get(f"/api/1.0/events?after={epoch}-{'9' * 6000}").json()
    assert page["reset"] is True


def test_a_silent_sensor_is_told_by_health(make_site):
    site = make_site(heartbeat_limit=0.05).start()
    assert site.serving.get("/health").json()["sensor_silent"] is None
    assert site.serving.post("/api/1.0/heartbeat", {"sensor": "arteria"}).ok
    health = eventually(
        lambda: site.serving.get("/health").json(), lambda health: health["sensor_silent"]
    )
    assert health["status"] == "degraded"
