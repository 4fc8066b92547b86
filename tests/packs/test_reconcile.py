"""What should have moved and has not is moved again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

RUN = "200624_A00834_0183_BHMTFYDRXX"
BASE = "/api/1.0"
HOOK = "/v1/webhooks/st2"
OF_STAGE = {"run": RUN, "stage": "convert", "attempt": 1}
STAGE = f"{BASE}/runs/{RUN}/stages/convert/1"


def item(what: str, **fields: Any) -> dict[str, Any]:
    return {
        "what": what,
        **OF_STAGE,
        "service": None,
        "job_id": None,
        "since": "2026-01-01T00:00:00Z",
        "past_limit": False,
    } | fields


def running(**fields: Any) -> dict[str, Any]:
    return item("stage_running", service="bcl2fastq", job_id=12, **fields)


def job(state: str, **fields: Any) -> dict[str, Any]:
    return {"job_id": 12, **OF_STAGE, "state": state} | fields


@pytest.fixture
def reconcile(action, service):
    def run(overdue: list[dict[str, Any]], *more: list[dict[str, Any]], **parameters: Any):
        looks = [(200, {"overdue": look}) for look in (overdue, *more)]
        service.answers["GET", f"{BASE}/overdue"] = looks
        service.answers.setdefault(("POST", HOOK), (202, {}))
        return action("reconcile", **{"seconds": 0, "pause": 0.01, **parameters})

    return run


def test_nothing_is_overdue(reconcile, service):
    succeeded, counts = reconcile([], seconds=30, grace=20)
    assert succeeded
    assert counts["looks"] == 1 and not any(counts[name] for name in counts if name != "looks")
    assert service.asked[0].query == {"grace": "20"}


@pytest.mark.parametrize(
    ("found", "trigger", "payload"),
    [
        (item("run_ready", stage=None, attempt=None), "arteria.run_ready", {"run": RUN}),
        (item("stage_ready"), "arteria.stage_ready", OF_STAGE),
        (item("indexes_read", stage=None, attempt=None), "arteria.indexes_read", {"run": RUN}),
    ],
)
def test_what_is_ready_is_told_again(reconcile, service, found, trigger, payload):
    succeeded, counts = reconcile([found])
    assert succeeded and counts["dispatched"] == 1
    assert service.calls() == [(HOOK, {"trigger": trigger, "payload": payload})]
    headers = service.asked[-1].headers
    assert headers["x-auth-token"] == "st2-token"
    assert headers["st2-trace-tag"] == RUN


def alert(what: str, **fields: Any) -> dict[str, Any]:
    return item(what, stage=None, attempt=None, code="run.failed") | fields


@pytest.mark.parametrize("what", ["run_failed", "run_stuck", "run_unreachable"])
def test_what_nobody_was_told_of_is_told_once_a_reconciliation(reconcile, service, what):
    ready = item("run_ready", stage=None, attempt=None)
    looks = [[alert(what), ready], [alert(what)], [alert(what)]]
    succeeded, counts = reconcile(*looks, seconds=0.4, grace=0)
    assert succeeded and counts["alerts"] == 1 and counts["looks"] > 1
    told = {"trigger": f"arteria.{what}", "payload": {"run": RUN, "code": "run.failed"}}
    assert service.calls()[0] == (HOOK, told)
    assert [body["trigger"] for _, body in service.calls()].count(told["trigger"]) == 1


def test_the_silence_of_the_sensor_is_told_without_the_sensor(reconcile, service):
    succeeded, counts = reconcile([alert("sensor_silent", run=None, code="sensor.silent")])
    assert succeeded and counts["alerts"] == 1
    told = {"trigger": "arteria.sensor_silent", "payload": {"code": "sensor.silent"}}
    assert service.calls() == [(HOOK, told)]
    assert service.asked[-1].headers["st2-trace-tag"] == "sensor.silent"


def test_a_volume_that_fills_up_is_told_by_its_name(reconcile, service):
    of_volume = {"volume": "bcl2fastq.fastq_root", "code": "disk.early"}
    succeeded, counts = reconcile([alert("disk_pressure", run=None, **of_volume)])
    assert succeeded and counts["alerts"] == 1
    assert service.calls() == [(HOOK, {"trigger": "arteria.disk_pressure", "payload": of_volume})]
    assert service.asked[-1].headers["st2-trace-tag"] == "bcl2fastq.fastq_root"


@pytest.mark.parametrize(
    "found",
    [
        alert("disk_pressure", run=None, volume="<% x %>"),
        alert("disk_pressure", volume=None),
        alert("run_failed", run="{{ x }}"),
        alert("run_failed", code="<% x %>"),
        alert("run_failed", run=None),
        alert("sensor_silent", run=None, code=None),
    ],
)
def test_an_alert_that_could_be_evaluated_goes_no_further(reconcile, service, found):
    succeeded, _ = reconcile([found, alert("run_stuck")])
    assert not succeeded
    assert [body["trigger"] for _, body in service.calls()] == ["arteria.run_stuck"]


WAITING = {"run": RUN, "attempt": 1, "missing": 2, "known": True}


@pytest.mark.parametrize(
    ("waiting", "told"),
    [
        ([WAITING], True),
        ([{**WAITING, "known": False}], False),
        ([{**WAITING, "attempt": 2}, {**WAITING, "run": "other"}], False),
        ([], False),
    ],
)
def test_metadata_that_is_there_by_now_is_told_again(reconcile, service, waiting, told):
    service.answers["GET", f"{BASE}/waiting"] = (200, {"waiting": waiting})
    succeeded, counts = reconcile([item("stage_held")])
    assert succeeded and counts["dispatched"] == told
    payload = {"run": RUN, "attempt": 1}
    assert service.calls() == (
        [(HOOK, {"trigger": "arteria.metadata_ready", "payload": payload})] if told else []
    )


def test_a_site_without_metadata_is_not_asked_for_it(reconcile, config):
    config["metadata_url"] = ""
    assert reconcile([item("stage_held")])[0]


@pytest.mark.parametrize(("code", "told"), [("", {}), ("job.failed", {"code": "job.failed"})])
def test_a_job_that_has_ended_is_told_again(reconcile, service, code, told):
    service.answers["GET", f"{BASE}/status/12"] = (200, job("error", code=code))
    succeeded, counts = reconcile([running(past_limit=True)])
    assert succeeded and counts["dispatched"] == 1 and counts["over_limit"] == 0
    ended = {"service": "bcl2fastq", "job_id": "12", "state": "error", **told}
    assert service.calls() == [
        (HOOK, {"trigger": "arteria.job_finished", "payload": {**OF_STAGE, **ended}})
    ]


def comparing(**fields: Any) -> dict[str, Any]:
    of_job = {"service": "bcl2fastq", "job_id": 12, "stage": None, "attempt": None}
    return item("comparison_running", **of_job, **fields)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((200, job("done", stage="indexes")),
         ("arteria.job_finished", {**OF_STAGE, "stage": "indexes", "service": "bcl2fastq",
                                   "job_id": "12", "state": "done"})),
        ((200, job("started", stage="indexes")), None),
        ((200, job("done")), ("arteria.indexes_read", {"run": RUN})),
        ((404, {"error": {"code": "job.not_found", "message": "m"}}),
         ("arteria.indexes_read", {"run": RUN})),
    ],
)  # fmt: skip
def test_a_comparison_whose_end_was_lost_is_told_and_one_that_is_lost_begun_again(
    reconcile, service, answer, told
):
    service.answers["GET", f"{BASE}/status/12"] = answer
    succeeded, counts = reconcile([comparing()])
    assert succeeded and (counts["dispatched"], counts["waiting"]) == ((1, 0) if told else (0, 1))
    trigger, payload = told or ("", {})
    expected = [(HOOK, {"trigger": trigger, "payload": payload})] if told else []
    assert service.calls() == expected


def test_a_job_that_runs_within_its_time_is_left_alone(reconcile, service):
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started"))
    succeeded, counts = reconcile([running()])
    assert succeeded and counts["waiting"] == 1
    assert not service.calls()


TILES = {"done": 42, "total": 100, "unit": "tiles"}
OLD = (404, {"error": {"code": "request.invalid", "message": "there is nothing at this address"}})


@pytest.mark.parametrize(
    ("progress", "told"),
    [
        (TILES, TILES),
        ({**TILES, "done": 0}, {**TILES, "done": 0}),
        (None, None),
        ({**TILES, "total": 0}, None),
        ({**TILES, "done": -1}, None),
        ({**TILES, "done": 1.5}, None),
        ({**TILES, "unit": "objects brought back"}, None),
        ({**TILES, "unit": "{{ x }}"}, None),
        ({"done": 1}, None),
        ("42 %", None),
    ],
)
@pytest.mark.parametrize("answer", [(200, {"taken": True}), (200, {"taken": False}), OLD])
def test_how_far_a_running_job_is_goes_to_the_runfolder_service(
    reconcile, service, progress, told, answer
):
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started", progress=progress))
    service.answers["POST", f"{STAGE}/progress"] = answer
    succeeded, counts = reconcile([running()])
    assert succeeded and counts["waiting"] == 1
    body = {"service": "bcl2fastq", "job_id": 12, **(told or {})}
    assert service.calls() == ([(f"{STAGE}/progress", body)] if told else [])


def test_progress_that_is_refused_keeps_no_other_from_its_turn(reconcile, service):
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started", progress=TILES))
    service.answers["POST", f"{STAGE}/progress"] = (403, {"error": {"code": "auth.role"}})
    succeeded, result = reconcile([running(), item("run_ready")])
    assert not succeeded
    assert (result["code"], result["errors"], result["dispatched"]) == ("auth.role", 1, 1)


def test_a_job_past_its_time_is_stopped_and_its_stage_ended(reconcile, service):
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started", progress=TILES))
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (
        200,
        {"stages": [{"stage": "convert", "attempt": 1, "time_limit": 3600}]},
    )
    service.answers["POST", f"{BASE}/stop/12"] = (200, {"stopped": [12]})
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    succeeded, counts = reconcile([running(past_limit=True)])
    assert succeeded and counts["over_limit"] == 1
    (stop, _), (end, body) = service.calls()
    assert (stop, end) == (f"{BASE}/stop/12", f"{STAGE}/end")
    assert (body["state"], body["code"]) == ("failed", "stage.time_limit")
    assert "3600 s" in body["message"]
    assert (body["service"], body["job_id"]) == ("bcl2fastq", 12)


LIMIT = {"stages": [{"stage": "convert", "attempt": 1, "time_limit": 3600}]}
WAITS = {"waits_for": "9.0 GB on /fastq: 1.0 GB of 1.0 TB are free (0 %)", "lacks_space": True}
TOLD_TO = f"{STAGE}/waiting"


@pytest.mark.parametrize(
    ("state", "fields", "over"),
    [
        ("pending", WAITS, False),  # whoever waits for space uses up no time
        ("pending", {**WAITS, "lacks_space": False}, True),
        ("pending", {}, True),
        ("started", {"seconds": 3590}, False),  # nor has one that waited before
        ("started", {"seconds": 3610}, True),
        ("started", {"started": None}, True),
        ("started", {"started": "<% x %>"}, True),
    ],
)
def test_the_time_of_a_stage_runs_from_its_jobs_start(reconcile, service, state, fields, over):
    if "seconds" in fields:
        begun = datetime.now(UTC) - timedelta(seconds=fields["seconds"])
        fields = {"started": begun.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    service.answers["GET", f"{BASE}/status/12"] = (200, job(state, **fields))
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, LIMIT)
    service.answers["POST", f"{BASE}/stop/12"] = (200, {"stopped": [12]})
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    service.answers["POST", TOLD_TO] = (200, {"taken": True})
    succeeded, counts = reconcile([running(past_limit=True)])
    assert succeeded and (counts["over_limit"], counts["waiting"]) == (int(over), int(not over))
    assert any(path.endswith("/end") for path, _ in service.calls()) is over


@pytest.mark.parametrize(
    ("state", "fields", "told"),
    [
        ("pending", WAITS, {"message": WAITS["waits_for"], "lacks_space": True}),
        ("pending", {"waits_for": "2 cores"}, {"message": "2 cores", "lacks_space": False}),
        ("pending", {"waits_for": ""}, None),
        ("pending", {"waits_for": None}, None),
        ("pending", {"waits_for": 7}, None),
        ("started", WAITS, None),
    ],
)
@pytest.mark.parametrize("answer", [(200, {"taken": True}), OLD])
def test_what_a_job_waits_for_goes_to_the_runfolder_service(
    reconcile, service, state, fields, told, answer
):
    service.answers["GET", f"{BASE}/status/12"] = (200, job(state, **fields))
    service.answers["POST", TOLD_TO] = answer
    succeeded, counts = reconcile([running()])
    assert succeeded and counts["waiting"] == 1
    body = {"service": "bcl2fastq", "job_id": 12, **(told or {})}
    assert service.calls() == ([(TOLD_TO, body)] if told else [])


def unwanted(**fields: Any) -> dict[str, Any]:
    return item("job_unwanted", service="bcl2fastq", job_id=12, **fields)


def test_the_job_of_an_aborted_attempt_is_stopped(reconcile, service):
    """Once within the grace; its end is told when it has come."""
    found = [
        (200, job("started")),
        (200, job("started")),
        (200, job("cancelled")),
    ]
    service.answers["GET", f"{BASE}/status/12"] = found
    service.answers["POST", f"{BASE}/stop/12"] = (200, {"stopped": [12]})
    succeeded, counts = reconcile([unwanted()], [unwanted()], [unwanted()], [], seconds=1.2)
    assert succeeded
    assert (counts["stopped"], counts["waiting"], counts["dispatched"]) == (1, 1, 1)
    ended = {**OF_STAGE, "service": "bcl2fastq", "job_id": "12", "state": "cancelled"}
    assert service.calls() == [
        (f"{BASE}/stop/12", {}),
        (HOOK, {"trigger": "arteria.job_finished", "payload": ended}),
    ]


NOT_FOUND = (404, {"error": {"code": "job.not_found", "message": "bcl2fastq has no job 12"}})


@pytest.mark.parametrize("found", [running(), running(past_limit=True), unwanted()])
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (NOT_FOUND, "job.not_found"),
        ((200, job("started", run="other")), "job.other_stage"),
        ((200, job("done", attempt=2)), "job.other_stage"),
    ],
)
def test_a_job_whose_service_lost_it_fails_its_stage_and_no_other_job_is_stopped(
    reconcile, service, found, answer, code
):
    service.answers["GET", f"{BASE}/status/12"] = answer
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    succeeded, counts = reconcile([found])
    assert succeeded and counts["lost"] == 1
    ((path, body),) = service.calls()
    assert path == f"{STAGE}/end"
    assert (body["state"], body["code"], body["service"]) == ("failed", code, "bcl2fastq")
    assert body["job_id"] == 12 and "lost" in body["message"]


def test_once_it_has_moved_something_it_looks_again_for_what_follows(reconcile):
    after = [item("stage_ready", stage="checksum")]
    succeeded, counts = reconcile([item("stage_ready")], [], after, [], seconds=0.3)
    assert succeeded
    assert counts["looks"] > 3
    assert (counts["found"], counts["dispatched"]) == (2, 2)


@pytest.mark.parametrize("found", [[], [running()]])
def test_it_looks_once_when_nothing_has_to_be_moved(reconcile, service, found):
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started"))
    succeeded, counts = reconcile(found, seconds=30)
    assert succeeded and counts["looks"] == 1


def test_it_does_not_dispatch_twice_within_the_grace(reconcile):
    ready = [item("stage_ready")]
    succeeded, counts = reconcile(ready, ready, [], seconds=0.3)
    assert succeeded and (counts["dispatched"], counts["waiting"]) == (1, 1)


def test_it_dispatches_again_what_became_ready_anew(reconcile):
    anew = [item("stage_ready", since="2026-01-01T00:01:00Z")]
    succeeded, counts = reconcile([item("stage_ready")], anew, [], seconds=0.3)
    assert succeeded and counts["dispatched"] == 2


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (item("stage_ready", run="<% x %>"), "name.characters"),
        (item("stage_ready", attempt="{{ 1 }}"), "name.characters"),
        (item("surprise"), "service.answer"),
        (running(), "request.not_found"),
        (item("stage_running", service="nobody", job_id=1), "job.service"),
        (item("job_unwanted", service="nobody", job_id=1), "job.service"),
        (item("comparison_running", service="nobody", job_id=1), "job.service"),
        (comparing(), "request.not_found"),
        (unwanted(), "request.not_found"),
    ],
)
def test_one_that_cannot_be_repaired_does_not_keep_the_others(reconcile, service, found, code):
    succeeded, result = reconcile([found, item("run_ready")])
    assert not succeeded
    assert (result["code"], result["errors"], result["dispatched"]) == (code, 1, 1)
    assert [body["trigger"] for _, body in service.calls()] == ["arteria.run_ready"]


def test_a_service_that_is_down_is_asked_once_a_look(reconcile, config):
    config["bcl2fastq_url"] = "http://127.0.0.1:9"
    succeeded, result = reconcile([running(), running(), item("run_ready")])
    assert not succeeded
    assert result["code"] == "service.unreachable"
    assert (result["errors"], result["waiting"], result["dispatched"]) == (1, 1, 1)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_webhook_fails_the_execution_and_says_what_to_do(reconcile, service, status):
    service.answers["POST", HOOK] = (status, {"faultstring": "no"})
    succeeded, result = reconcile([item("stage_ready")])
    assert not succeeded
    assert (result["code"], result["status"]) == ("orchestrator.refused", status)
    assert "webhooks" in result["hint"] and result["errors"] == 1
