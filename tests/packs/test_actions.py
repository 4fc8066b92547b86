"""The pack arteria's actions, against an HTTP service."""

import os
import re
from typing import Any

import pytest

RUN = "200624_A00834_0183_BHMTFYDRXX"
BASE = "/api/1.0"
STAGE = f"{BASE}/runs/{RUN}/stages/convert/1"
OF_STAGE = {"run": RUN, "stage": "convert", "attempt": 1}
#: Refusals of an action to which no run is named.
NO_SCOPE = ("hold.scope", "adopt.scope")
TEXTS = ("{{ x }}", "{% x %}", "<% x %>")


def job(state: str, **fields: Any) -> dict[str, Any]:
    return {
        "job_id": 12,
        "state": state,
        "code": "",
        "message": "",
        "hint": "",
        **OF_STAGE,
    } | fields


def test_token_and_route_of_a_call(action, service):
    service.answers["POST", f"{BASE}/runs/{RUN}/retry"] = (200, {"retried": ["convert"]})
    assert action("retry", run=RUN) == (True, {"retried": ["convert"]})
    assert service.asked[0].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("name", "parameters", "path", "body"),
    [
        ("retry", {}, "retry", {}),
        ("adopt", {}, "adopt", {}),
        (
            "waive",
            {"ignore": ["missing-bcls"], "reason": "{{ why }}"},
            "waive",
            {"ignore": ["missing-bcls"], "reason": "{{ why }}"},
        ),
        (
            "waive",
            {"rules": ["sheet.index_collision"], "reason": "r"},
            "waive",
            {"ignore": [], "rules": ["sheet.index_collision"], "reason": "r"},
        ),
        ("unwaive", {"reason": "{{ why }}"}, "unwaive", {"reason": "{{ why }}"}),
        (
            "unwaive",
            {"rules": ["a.b"], "reason": "r"},
            "unwaive",
            {"rules": ["a.b"], "reason": "r"},
        ),
        ("abort", {"reason": "<% why %>"}, "abort", {"reason": "<% why %>"}),
        ("accept", {"reason": "{{ why }}"}, "accept", {"reason": "{{ why }}"}),
        (
            "accept",
            {"reason": "known", "stage": "qc"},
            "accept",
            {"reason": "known", "stage": "qc"},
        ),
        (
            "redo",
            {"from_stage": "convert", "reason": "new sheet"},
            "redo",
            {"from": "convert", "reason": "new sheet"},
        ),
    ],
)
def test_deeds_of_people(action, service, name, parameters, path, body):
    where = f"{BASE}/runs/{RUN}/{path}"
    service.answers["POST", where] = (200, {"ok": True})
    assert action(name, run=RUN, **parameters)[0]
    assert service.calls() == [(where, body)]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("claim", {"plan": {}}),
        ("begin_stage", {"stage": "convert", "attempt": 1}),
        ("start_job", {"stage": "c", "attempt": 1, "service": "checksum", "try_number": 1}),
        ("start_analysis", {"stage": "c", "attempt": 1, "try_number": 1}),
        ("account_samples", {"stage": "c", "attempt": 1}),
        ("end_stage", {"stage": "c", "attempt": 1, "service": "checksum", "job_id": "1"}),
        ("check_samplesheet", {"stage": "check", "attempt": 1}),
        ("run", {}),
        ("trace", {}),
        ("why", {}),
        ("retry", {}),
        ("redo", {"from_stage": "convert"}),
        ("adopt", {}),
        ("abort", {"reason": "r"}),
        ("waive", {"ignore": [], "reason": "r"}),
        ("unwaive", {"reason": "r"}),
        ("hold", {"reason": "r"}),
        ("accept", {"reason": "r"}),
        ("release", {}),
        ("restore", {"attempt": 1}),
        ("restore", {}),
        ("verify", {}),
        ("policy_explain", {}),
        ("start_indexes", {}),
        ("judge_indexes", {"job_id": "1"}),
        ("accept_sheet", {"reason": "r"}),
    ],
)
@pytest.mark.parametrize("run", ["<% st2kv('system.x') %>", "a{{ x }}", "..", "", "a/b", "a b"])
def test_a_hostile_name_reaches_no_service(action, service, name, parameters, run):
    if name in ("end_stage", "check_samplesheet", "judge_indexes"):
        service.answers["GET", f"{BASE}/status/1"] = (200, job("done", job_id=1, run=run))
        service.answers["POST", f"{BASE}/samplesheets/check"] = (200, {"ok": True})
    succeeded, result = action(name, run=run, **parameters)
    assert not succeeded
    assert result["code"] in ("name.characters", *(NO_SCOPE if run == "" else ()))
    assert not any(mark in str(result) for mark in ("{{", "{%", "<%"))
    reached = ("/runs/", "/holds", "/restore/", "/indexes/", "/verify/", "/policy/")
    assert not [path for path, _ in service.calls() if any(word in path for word in reached)]


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ({"run": RUN}, {"scope": "run", "name": RUN}),
        ({"instrument": "A00834"}, {"scope": "instrument", "name": "A00834"}),
        ({"all": True}, {"scope": "all", "name": ""}),
        ({}, None),
        ({"run": RUN, "all": True}, None),
        ({"run": RUN, "instrument": "A00834"}, None),
        ({"instrument": "<% x %>"}, None),
    ],
)
@pytest.mark.parametrize(
    ("name", "path", "more"),
    [("hold", "holds", {"reason": "{{ why }}"}), ("release", "holds/release", {})],
)
def test_holds_are_of_one_scope(action, service, name, path, more, parameters, body):
    service.answers["POST", f"{BASE}/{path}"] = (200, {"held": True})
    succeeded, result = action(name, **more, **parameters)
    assert succeeded is (body is not None)
    if body is None:
        assert result["code"] in ("hold.scope", "name.characters") and not service.calls()
    else:
        assert service.calls() == [(f"{BASE}/{path}", {**body, **more})]


def test_abort_stops_the_jobs(action, service):
    jobs = [{"service": "bcl2fastq", "job_id": 12}, {"service": "checksum", "job_id": 3}]
    where = f"{BASE}/runs/{RUN}/abort"
    service.answers["POST", where] = (200, {"aborted": True, "jobs": jobs})
    service.answers["POST", f"{BASE}/stop/3"] = (200, {"stopped": [3]})
    for number in (3, 12):
        service.answers["GET", f"{BASE}/status/{number}"] = (200, job("started", job_id=number))
    succeeded, result = action("abort", run=RUN, reason="wrong {{ library }}")
    assert (succeeded, result["jobs"], result["stopped"]) == (False, 2, 1)
    assert "arteria.reconcile" in result["hint"]
    service.answers["POST", f"{BASE}/stop/12"] = (200, {"stopped": [12]})
    assert action("abort", run=RUN, reason="again") == (
        True,
        {"aborted": True, "jobs": 2, "stopped": 2},
    )
    assert service.calls()[0] == (where, {"reason": "wrong {{ library }}"})


def test_abort_stops_no_job_of_another_run(action, service):
    jobs = [{"service": "bcl2fastq", "job_id": 12}]
    service.answers["POST", f"{BASE}/runs/{RUN}/abort"] = (200, {"aborted": True, "jobs": jobs})
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started", job_id=12, run="other"))
    succeeded, result = action("abort", run=RUN, reason="r")
    assert (succeeded, result["code"], result["stopped"]) == (False, "job.other_stage", 0)
    assert len(service.calls()) == 1


@pytest.mark.parametrize(
    "unknown",
    [{"service": "http://elsewhere", "job_id": 1}, {"service": "bcl2fastq", "job_id": "<%"}],
)
def test_abort_stops_jobs_of_known_services_only(action, service, unknown):
    where = f"{BASE}/runs/{RUN}/abort"
    service.answers["POST", where] = (200, {"aborted": True, "jobs": [unknown]})
    succeeded, result = action("abort", run=RUN, reason="r")
    assert (succeeded, result["stopped"], len(service.calls())) == (False, 0, 1)
    assert "<%" not in str(result)


def test_adopt_all(action, service):
    """Runs that wait for it, without what was refused or dismissed; a refusal stops no other."""
    rows = [
        {"name": "r1", "adopted": False, "verdict": "complete", "state": "none"},
        {"name": "r2", "adopted": True, "verdict": "complete", "state": "ready"},
        {"name": "r3", "adopted": False, "verdict": "refused", "state": "none"},
        {"name": "r4", "adopted": False, "verdict": "complete", "state": "cancelled"},
        {"name": "<% x %>", "adopted": False, "verdict": "complete", "state": "none"},
        {"name": "r5", "adopted": False, "verdict": "complete", "state": "none"},
    ]
    service.answers["GET", f"{BASE}/runs"] = (200, {"runs": rows})
    refusal = {"error": {"code": "run.observed", "message": "set mode: act first"}}
    service.answers["POST", f"{BASE}/runs/r1/adopt"] = (409, refusal)
    service.answers["POST", f"{BASE}/runs/r5/adopt"] = (200, {"adopted": True})
    assert action("adopt", all=True) == (True, {"adopted": 1, "refused": 1})
    assert [path for path, _ in service.calls()] == [
        f"{BASE}/runs/r1/adopt",
        f"{BASE}/runs/r5/adopt",
    ]
    assert action("adopt")[1]["code"] == action("adopt", run="r1", all=True)[1]["code"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"claimed": True, "attempt": 1},
            {"claimed": True, "duplicate": False, "by": "w1", "attempt": 1},
        ),
        (
            {"claimed": False, "duplicate": True, "by": "w0"},
            {"claimed": False, "duplicate": True, "by": "w0", "attempt": 0},
        ),
    ],
)
def test_claim(action, service, answer, expected):
    where = f"{BASE}/runs/{RUN}/claim"
    service.answers["POST", where] = (200, answer)
    plan = {"stages": {"receive": {"after": [], "time_limit": 60}}}
    assert action("claim", run=RUN, plan=plan, by="w1") == (True, expected)
    assert service.calls() == [(where, {"by": "w1", "plan": plan})]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"begun": True, "try": 2},
            {"begun": True, "duplicate": False, "by": "w1", "try_number": 2},
        ),
        (
            {"begun": False, "duplicate": True, "by": "w0"},
            {"begun": False, "duplicate": True, "by": "w0", "try_number": 0},
        ),
    ],
)
def test_begin_stage(action, service, answer, expected):
    service.answers["POST", f"{STAGE}/begin"] = (200, answer)
    assert action("begin_stage", **OF_STAGE, by="w1") == (True, expected)
    assert service.calls() == [(f"{STAGE}/begin", {"by": "w1"})]


@pytest.fixture(autouse=True)
def _sheet_in_the_run_folder(service):
    service.answers["GET", f"{BASE}/runs/{RUN}/sheet"] = (200, {"source": "run_folder"})


def attempts(service, *rows: dict[str, Any]) -> None:
    """What the runfolder service tells of the run's attempts."""
    document = {"name": RUN, "attempts": [{"attempt": 1, **row} for row in rows]}
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, document)


def start(action, **parameters: Any):
    return action("start_job", **OF_STAGE, service="bcl2fastq", try_number=2, by="w1", **parameters)


def test_start_job_starts_with_the_key_of_the_try_and_attaches(action, service):
    attempts(service, {"observed": False, "ignore": [], "aborted": False})
    service.answers["POST", f"{BASE}/start/{RUN}"] = (202, job("pending"))
    service.answers["POST", f"{STAGE}/attach"] = (200, {"attached": True})
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started"))
    assert start(action, destination="cluster") == (
        True,
        {"service": "bcl2fastq", "job_id": "12", "state": "started"},
    )
    assert service.calls() == [
        (f"{BASE}/start/{RUN}", {"attempt": 1, "stage": "convert", "destination": "cluster"}),
        (f"{STAGE}/attach", {"by": "w1", "service": "bcl2fastq", "job_id": 12}),
    ]
    assert service.wait_for(f"{BASE}/start/{RUN}")[0].headers["idempotency-key"] == (
        f"{RUN}.convert.1.2"
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"part": "results"},
        {"storage_class": "DEEP_ARCHIVE", "part": "data"},
        {"destination": "cluster", "part": "runfolder"},
        {"part": ""},
    ],
)
def test_start_job_hands_on_what_is_asked_of_the_service(action, service, asked):
    attempts(service, {})
    service.answers["POST", f"{BASE}/start/{RUN}"] = (202, job("pending"))
    service.answers["POST", f"{STAGE}/attach"] = (200, {"attached": True})
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started"))
    assert start(action, **asked)[0]
    sent = {name: word for name, word in asked.items() if word}
    assert service.calls()[0][1] == {"attempt": 1, "stage": "convert", **sent}


@pytest.mark.parametrize("found", [{"source": "run_folder"}, {"source": "x", "base64": "QQ=="}])
def test_a_sheet_from_elsewhere_goes_with_the_request(action, service, found):
    """And nothing goes where the run folder has it, which bcl2fastq reads itself."""
    service.answers["GET", f"{BASE}/runs/{RUN}/sheet"] = (200, {"run": RUN, **found})
    sent = {"sheet": "QQ=="} if "base64" in found else {}
    attempts(service, {})
    service.answers["POST", f"{BASE}/start/{RUN}"] = (202, job("pending"))
    service.answers["POST", f"{STAGE}/attach"] = (200, {"attached": True})
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started"))
    assert start(action)[0]
    assert service.calls()[0][1] == {"attempt": 1, "stage": "convert", **sent}
    service.answers["POST", f"{BASE}/samplesheets/check"] = (200, {"ok": True})
    where = f"{BASE}/runs/{RUN}/stages/check/1/end"
    service.answers["POST", where] = (200, {"ended": True})
    assert action("check_samplesheet", run=RUN, stage="check", attempt=1, by="w1")[0]
    assert service.calls()[-2] == (f"{BASE}/samplesheets/check", {"run": RUN, **sent})


@pytest.mark.parametrize("name", ["start_job", "check_samplesheet"])
def test_nothing_is_done_by_another_sheet_when_the_look_up_fails(action, service, name):
    error = {"error": {"code": "run.sheet_lookup", "message": "the LIMS is away"}}
    service.answers["GET", f"{BASE}/runs/{RUN}/sheet"] = (500, error)
    attempts(service, {})
    if name == "start_job":
        succeeded, result = start(action)
    else:
        succeeded, result = action(name, run=RUN, stage="check", attempt=1)
    assert (succeeded, result["code"]) == (False, "run.sheet_lookup")
    assert service.calls() == []


@pytest.mark.parametrize("name", ["destination", "part", "storage_class"])
def test_start_job_sends_names_only(action, service, name):
    succeeded, result = start(action, **{name: "<% x %>"})
    assert not succeeded and result["code"] == "name.characters" and not service.asked


def test_archive_drill(action, service):
    where = f"{BASE}/drills"
    drill = {"destination": "vault", "job_id": 7, "run": RUN, "attempt": 1, "code": "<% x %>"}
    service.answers["POST", where] = (202, {"drills": [drill]})
    told = {"drills": [{"job_id": "7", "run": RUN, "attempt": 1}]}
    assert action("archive_drill") == (True, told)
    assert action("archive_drill", destination="vault") == (True, told)
    assert service.calls() == [(where, {}), (where, {"destination": "vault"})]
    succeeded, result = action("archive_drill", destination="{{ x }}")
    assert not succeeded and result["code"] == "name.characters"


def test_a_drill_that_cannot_begin_fails_after_the_others_began(action, service):
    begun = {"destination": "vault", "job_id": 7, "run": RUN, "attempt": 1}
    refused = [
        {"destination": "far", "code": "restore.not_set", "message": "m {{ x }}"},
        {"destination": "cold", "code": "destination.unusable", "message": "/keys/Gundula"},
    ]
    service.answers["POST", f"{BASE}/drills"] = (202, {"drills": [begun], "refused": refused})
    succeeded, result = action("archive_drill")
    assert not succeeded and result == {
        "code": "drill.not_begun",
        "message": "no drill could begin of cold (destination.unusable), far (restore.not_set)",
        "hint": "arteriole drills --now tells more",
        "begun": 1,
        "sent": 0,
    }


@pytest.mark.parametrize(
    ("name", "method", "where", "answer"),
    [
        ("restore", "POST", "restore/RUN", job("pending", job_id=7)),
        ("verify", "POST", "verify/RUN", job("pending", job_id=7)),
        ("policy_explain", "GET", "policy/RUN/3", {"kinds": []}),
    ],
)
def test_the_newest_attempt_is_meant_where_none_is_named(
    action, service, name, method, where, answer
):
    where = f"{BASE}/{where.replace('RUN', RUN)}"
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, {"attempt": 3})
    service.answers[method, where] = (200, answer)
    assert action(name, run=RUN)[0]
    assert [row.path for row in service.asked] == [f"{BASE}/runs/{RUN}", where]
    assert service.calls() == ([(where, {"attempt": 3})] if method == "POST" else [])
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, {"attempt": None})
    assert action(name, run=RUN)[1]["code"] == "service.answer"


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ({"attempt": 2}, {"attempt": 2}),
        ({"attempt": 1, "destination": "glacier", "part": "results"}, None),
        ({"attempt": "<% x %>"}, {}),
        ({"attempt": 1, "destination": "{{ x }}"}, {}),
        ({"attempt": 1, "part": "a b"}, {}),
        ({"attempt": 1, "sample": "S1", "file": "fastq/P1/S1.fastq.gz"}, None),
        ({"attempt": 1, "sample": "<% x %>"}, {}),
        ({"attempt": 1, "file": "fastq/../x"}, {}),
        ({"attempt": 1, "file": "/etc"}, {}),
    ],
)
def test_restore_starts_one_job_for_an_execution(action, service, asked, body):
    where = f"{BASE}/restore/{RUN}"
    service.answers["POST", where] = (202, job("pending", job_id=7))
    succeeded, result = action("restore", run=RUN, **asked)
    if body == {}:
        assert not succeeded and result["code"] == "name.characters" and not service.asked
        return
    assert (succeeded, result) == (True, {"service": "archive", "job_id": "7", "state": "pending"})
    assert service.calls() == [(where, body or asked)]
    assert service.asked[0].headers["idempotency-key"] == "restore.e1"


@pytest.mark.parametrize("name", ["verify", "addendum"])
def test_an_attempt_is_digested_again_once_an_execution(action, service, name):
    where = f"{BASE}/{name}/{RUN}"
    service.answers["POST", where] = (202, job("pending", job_id=7))
    started = (True, {"service": "checksum", "job_id": "7", "state": "pending"})
    assert action(name, run=RUN, attempt=2) == started
    assert service.calls() == [(where, {"attempt": 2})]
    assert service.asked[0].headers["idempotency-key"] == f"{name}.e1"
    for hostile in ({"run": "<% x %>", "attempt": 1}, {"run": RUN, "attempt": "{{ x }}"}):
        assert action(name, **hostile)[1]["code"] == "name.characters"
    assert len(service.asked) == 1


EVIDENCE = {"state": "done", "held": True, "observed": False, "attempt": 2, "cursor": "e1-7"}


def _done(service, **more):
    row = {"state": "done", "held": {"reason": "x"}, "observed": False, "attempt": 2, **more}
    service.answers["GET", f"{BASE}/runs"] = (200, {"runs": [], "next": "e1-7"})
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, row)


def _evidence_sent(service):
    ((_, body),) = service.calls()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["evidence"].pop("time"))
    return body


@pytest.mark.parametrize(
    ("asked", "verb", "kinds"),
    [
        ({"verb": "delete", "kind": "fastq"}, "delete", ["fastq"]),
        ({"verb": "empty"}, "empty", ["raw", "fastq"]),
    ],
)
def test_the_archive_is_told_what_the_run_is_when_something_is_to_go(
    action, service, asked, verb, kinds
):
    _done(service)
    service.answers["POST", f"{BASE}/clean/{RUN}"] = (202, job("pending", job_id=7))
    succeeded, result = action("clean", run=RUN, **asked)
    assert (succeeded, result) == (True, {"service": "archive", "job_id": "7", "state": "pending"})
    expected = {"attempt": 2, "verb": verb, "kinds": kinds, "reason": "", "evidence": EVIDENCE}
    assert _evidence_sent(service) == expected
    assert service.asked[-1].headers["idempotency-key"] == "clean.e1"


def test_a_listing_tells_of_the_runs_whose_reads_are_in_the_results(action, service):
    """One that the runfolder service does not know is left out: so nothing goes."""
    _done(service)
    service.answers["GET", f"{BASE}/clean/{RUN}/2"] = (200, {"merged": ["R2", "R3", "R4"]})
    service.answers["GET", f"{BASE}/runs/R2"] = (200, {"held": {"reason": "x"}})
    service.answers["GET", f"{BASE}/runs/R3"] = (200, {"held": None})
    service.answers["GET", f"{BASE}/runs/R4"] = (404, {"error": {"code": "run.not_found"}})
    service.answers["POST", f"{BASE}/clean/{RUN}"] = (202, job("pending", job_id=7))
    assert action("clean", run=RUN)[0]
    body = _evidence_sent(service)
    assert (body["verb"], body["kinds"]) == ("list", ["raw", "fastq", "results"])
    merged = [{"run": "R2", "held": True}, {"run": "R3", "held": False}]
    assert body["evidence"] == {**EVIDENCE, "merged": merged}


def test_nothing_goes_of_a_run_without_an_attempt(action, service):
    _done(service, attempt=None)
    assert action("clean", run=RUN)[1]["code"] == "service.answer"
    assert service.calls() == []


def test_a_chat_hears_what_may_go_and_codes(action, service):
    _done(service)
    service.answers["GET", f"{BASE}/clean/{RUN}/2"] = (200, {"merged": []})
    service.answers["POST", f"{BASE}/clean/{RUN}"] = (202, job("pending", job_id=7))
    objection = {"code": "clean.held", "message": "the run is {{ held }}", "hint": ""}
    result = {
        "objections": [],
        "kinds": [
            {"kind": "raw", "files": 4, "objections": []},
            {"kind": "fastq", "files": 5, "objections": [objection]},
            {"kind": "results", "files": 0, "objections": [objection], "gone": "is in the bin"},
        ],
    }
    service.answers["GET", f"{BASE}/status/7"] = (200, job("done", job_id=7, result=result))
    told = action("clean_list", run=RUN)
    words = "the run is (( held )) [clean.held]"
    gone = f"results is taken away already: {words}"
    assert told == (True, f"{RUN}\nraw may go: 4 files\nfastq stays: {words}\n{gone}")
    told = action("clean_list", run=RUN, chat_user="jane")[1]
    assert told.endswith("fastq stays: clean.held\nresults is taken away already")
    assert _only_listed(service)


def _only_listed(service):
    return {body["verb"] for where, body in service.calls() if "/clean/" in where} == {"list"}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (
            {"destination": "archive.far", "allowed": False, "rule": "clinical", "why": "{{ x }}"},
            {"destination": "archive.far", "allowed": False, "rule": "clinical"},
        ),
        (
            {"destination": "archive.far", "allowed": 1, "rule": ""},
            {"destination": "archive.far", "allowed": False, "rule": ""},
        ),
        ({"destination": "{{ x }}", "allowed": True, "rule": "a"}, None),
    ],
)
def test_of_the_policy_only_names_are_told(action, service, found, told):
    kind = {"kind": "raw", "keep_days": None, "copies": 2, "rules": ["a"], "destinations": [found]}
    service.answers["GET", f"{BASE}/policy/{RUN}/1"] = (200, {"kinds": [kind]})
    succeeded, result = action("policy_explain", run=RUN, attempt=1)
    if told is None:
        assert not succeeded and result["code"] == "name.characters"
        return
    expected = {"kind": "raw", "keep_days": None, "copies": 2, "destinations": [told]}
    rule = f" ({told['rule']})" if told["rule"] else ""
    text = f"raw: kept for ever; archive.far refused{rule}"
    assert (succeeded, result) == (True, {"kinds": [expected], "text": text})


def test_how_long_the_policy_keeps_data_is_told_in_days(action, service):
    one = {"destination": "archive.far", "allowed": True, "rule": "clinical"}
    kinds = [{"kind": "fastq", "keep_days": 30, "copies": 2, "destinations": [one]}]
    service.answers["GET", f"{BASE}/policy/{RUN}/1"] = (200, {"kinds": kinds})
    _, result = action("policy_explain", run=RUN, attempt=1, chat_user="ron")
    assert result["text"] == "fastq: kept 30 days, then 2 copies; archive.far allowed (clinical)"


def test_what_is_final_is_digested_of_runs_that_are_sequenced(action, service):
    verdicts = {"a": "sequencing", "b": "complete", "c": "sequencing", "d": "sequencing"}
    rows = [{"name": name, "verdict": verdict} for name, verdict in verdicts.items()]
    rows.append({"name": "{{ x }}", "verdict": "sequencing"})
    service.answers["GET", f"{BASE}/runs"] = (200, {"runs": rows, "mode": "act"})
    goes_on = {"c": "started"}

    def status(request):
        state = goes_on.get(request.query["run"], "done")
        assert request.query["stage"] == "early"
        return 200, {"jobs": [job(state, job_id=1)]}

    service.answers["GET", f"{BASE}/status"] = status
    service.answers["POST", f"{BASE}/early/a"] = (202, job("pending", job_id=7))
    assert action("start_early") == (True, {"started": ["a"], "refused": 1})
    assert service.calls() == [(f"{BASE}/early/a", {}), (f"{BASE}/early/d", {})]
    keys = [row.headers["idempotency-key"] for row in service.asked if row.method == "POST"]
    assert keys == ["early.e1.a", "early.e1.d"]


def test_nothing_is_digested_early_where_all_is_observed(action, service):
    rows = [{"name": "a", "verdict": "sequencing"}]
    service.answers["GET", f"{BASE}/runs"] = (200, {"runs": rows, "mode": "observe"})
    assert action("start_early") == (True, {"started": [], "refused": 0})
    assert service.calls() == []


COMPARISON = f"{BASE}/runs/{RUN}/comparison"


@pytest.mark.parametrize(
    ("status", "sheet", "body"),
    [
        (200, {"source": "run_folder"}, {}),
        (200, {"source": "folder /sheets", "base64": "QQ=="}, {"sheet": "QQ=="}),
        (404, {"error": {"code": "run.no_sheet", "message": "m"}}, {}),
    ],
)
def test_the_indexes_of_a_run_are_compared_once(action, service, status, sheet, body):
    where = f"{BASE}/indexes/{RUN}"
    service.answers["GET", f"{BASE}/runs/{RUN}/sheet"] = (status, sheet)
    service.answers["POST", where] = (202, job("pending", job_id=7))
    service.answers["POST", f"{COMPARISON}/begin"] = (200, {"begun": True})
    succeeded, result = action("start_indexes", run=RUN)
    assert (succeeded, result) == (
        True, {"service": "bcl2fastq", "job_id": "7", "state": "pending"},
    )  # fmt: skip
    begun = (f"{COMPARISON}/begin", {"service": "bcl2fastq", "job_id": 7})
    assert service.calls() == [(where, body), begun]
    assert service.asked[-2].headers["idempotency-key"] == f"{RUN}.indexes.1.0"


def _refusal(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "m"}}


@pytest.mark.parametrize(
    ("status", "code", "noted"),
    [
        (404, "run.not_found", [(f"{COMPARISON}/judged", {"service": "bcl2fastq",
                                                          "code": "run.not_found"})]),
        (403, "auth.role", []),
    ],
)  # fmt: skip
def test_a_comparison_that_would_be_refused_again_is_not_started_again(
    action, service, status, code, noted
):
    service.answers["GET", f"{BASE}/runs/{RUN}/sheet"] = (200, {"source": "run_folder"})
    service.answers["POST", f"{BASE}/indexes/{RUN}"] = (status, _refusal(code))
    service.answers["POST", f"{COMPARISON}/judged"] = (200, {"noted": True})
    succeeded, result = action("start_indexes", run=RUN)
    assert (succeeded, result["code"]) == (False, code)
    assert service.calls()[1:] == noted


def test_a_comparison_that_began_with_another_sheet_is_that_of_the_run(action, service):
    where = f"{BASE}/indexes/{RUN}"
    service.answers["GET", f"{BASE}/runs/{RUN}/sheet"] = (200, {"source": "run_folder"})
    service.answers["POST", where] = (409, _refusal("job.key_reused"))
    service.answers["GET", where] = (200, {"job": job("started", job_id=5), "diagnosis": None})
    service.answers["POST", f"{COMPARISON}/begin"] = (200, {"begun": True})
    assert action("start_indexes", run=RUN)[1]["job_id"] == "5"
    assert service.calls()[-1] == (
        f"{COMPARISON}/begin", {"service": "bcl2fastq", "job_id": 5},
    )  # fmt: skip


FOUND = {"code": "indexes.reversed_i5", "message": "with {{ x }} 4 of 4 samples have reads"}


FIRST = {
    "sha256": "5" * 64, "job_id": 7, "code": FOUND["code"], "by": "ada", "first": "",
    "reason": "{{ kit }}", "complete": False, "message": "ada has accepted it", "hint": "a second",
}  # fmt: skip
WORD = {**FIRST, "by": "grace", "first": "ada", "complete": True, "message": "", "hint": ""}
RELEASE = {
    "scope": "run", "name": RUN, "code": FOUND["code"],
    "reason": "the corrected sheet fits, accepted by ada and grace: {{ kit }}",
}  # fmt: skip


@pytest.mark.parametrize(
    ("ended", "held", "result"),
    [
        ({"result": FOUND}, True, {"code": FOUND["code"], "held": True}),
        ({"result": FOUND}, False, {"code": FOUND["code"]}),
        ({"result": {"code": "", "message": ""}}, None, {}),
        ({"result": {"would": FOUND}, "observed": True}, None,
         {"code": FOUND["code"], "observed": True}),
        ({"state": "error", "code": "indexes.not_read", "result": {}}, None,
         {"code": "indexes.not_read"}),
        ({"stage": "convert", "result": FOUND}, None, "job.other_stage"),
        ({"result": []}, None, "service.answer"),
    ],
)  # fmt: skip
def test_a_run_is_held_for_what_its_indexes_say(action, service, ended, held, result):
    _compared(service, ended, acceptance=None)
    service.answers["POST", f"{BASE}/holds"] = (200, {"held": held})
    succeeded, found = action("judge_indexes", run=RUN, job_id="7")
    if isinstance(result, str):
        assert (succeeded, found["code"]) == (False, result)
    else:
        nothing = {"code": "", "held": False, "released": False, "observed": False}
        assert (succeeded, found) == (True, nothing | result)
    bodies = [body for path, body in service.calls() if path == f"{BASE}/holds"]
    judged = {"service": "bcl2fastq", "job_id": 7, "code": found["code"]}
    noted = [] if isinstance(result, str) else [(f"{COMPARISON}/judged", judged)]
    assert service.calls()[len(bodies) :] == noted
    if held is None:
        assert bodies == []
        return
    (body,) = bodies
    assert body.pop("reason").endswith(FOUND["message"])
    assert body == {
        "scope": "run",
        "name": RUN,
        "code": FOUND["code"],
        "hint": f"arteriole indexes {RUN}",
        "about": "bcl2fastq.7",
    }


def _compared(service, ended, acceptance):
    service.answers["GET", f"{BASE}/status/7"] = (
        200, {**job("done", job_id=7), "run": RUN, "stage": "indexes", "attempt": 1, **ended},
    )  # fmt: skip
    found = {"job": job("done", job_id=7), "diagnosis": None, "acceptance": acceptance}
    service.answers["GET", f"{BASE}/indexes/{RUN}"] = (200, found)
    service.answers["POST", f"{COMPARISON}/judged"] = (200, {"noted": True})


@pytest.mark.parametrize(
    ("result", "word", "calls"),
    [
        ({"code": "", "sheet_sha256": "5" * 64}, WORD, [(f"{BASE}/holds/release", RELEASE)]),
        ({"code": "", "sheet_sha256": "6" * 64}, WORD, []),
        ({"code": "", "sheet_sha256": "5" * 64}, FIRST, []),
    ],
)
def test_a_sheet_that_was_accepted_and_fits_ends_the_hold(action, service, result, word, calls):
    _compared(service, {"result": result}, word)
    service.answers["POST", f"{BASE}/holds/release"] = (200, {"released": True})
    succeeded, found = action("judge_indexes", run=RUN, job_id="7")
    assert (succeeded, found["released"]) == (True, bool(calls))
    assert service.calls()[:-1] == calls


@pytest.mark.parametrize(("proposed", "said"), [("5", True), ("6", False)])
def test_a_hold_tells_of_a_first_word_on_the_same_proposal(action, service, proposed, said):
    _compared(service, {"result": {**FOUND, "proposal_sha256": proposed * 64}}, FIRST)
    service.answers["POST", f"{BASE}/holds"] = (200, {"held": True})
    action("judge_indexes", run=RUN, job_id="7")
    ((_, body), _) = service.calls()
    assert body["reason"].startswith("ada has accepted it; its indexes") is said
    assert body["hint"] == ("a second" if said else f"arteriole indexes {RUN}")


SHEET = {"source": "folder /s", "places": ["folder /s"], "base64": "W0RhdGFdCg=="}
ACCEPT = (f"{BASE}/indexes/{RUN}/accept",
          {"reason": "r", "places": ["folder /s"], "sheet": SHEET["base64"]})  # fmt: skip


def _may_be_accepted(service, status, answer, newest):
    service.answers["GET", f"{BASE}/runs/{RUN}/sheet"] = (200, SHEET)
    service.answers["POST", ACCEPT[0]] = (status, answer)
    service.answers["GET", f"{BASE}/indexes/{RUN}"] = (200, newest)
    service.answers["GET", f"{BASE}/status"] = (200, {"jobs": [{}]})
    service.answers["POST", f"{BASE}/indexes/{RUN}"] = (202, job("pending", job_id=8))
    service.answers["POST", f"{BASE}/holds/release"] = (200, {"released": True})
    service.answers["POST", f"{BASE}/holds"] = (200, {"held": True})
    held = {"scope": "run", "code": FOUND["code"], "reason": "other indexes"}
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, {"held": held})


@pytest.mark.parametrize(
    ("state", "diagnosis", "call", "result"),
    [
        ("done", {"sheet_sha256": "6" * 64, "code": FOUND["code"]},
         (f"{BASE}/indexes/{RUN}", {"sheet": SHEET["base64"]}), {"job_id": "8", "released": False}),
        ("error", None,
         (f"{BASE}/indexes/{RUN}", {"sheet": SHEET["base64"]}), {"job_id": "8", "released": False}),
        ("started", None, None, {"job_id": "7", "released": False}),
        ("done", {"sheet_sha256": "5" * 64, "code": ""},
         (f"{BASE}/holds/release", RELEASE), {"job_id": "7", "released": True}),
        ("done", {"sheet_sha256": "5" * 64, "code": "indexes.ambiguous"},
         None, {"job_id": "7", "released": False}),
    ],
)  # fmt: skip
def test_a_sheet_is_accepted_and_compared(action, service, state, diagnosis, call, result):
    newest = {"job": job(state, job_id=7), "diagnosis": diagnosis, "acceptance": WORD}
    _may_be_accepted(service, 200, {**WORD, "accepted": True, "file": "F.csv"}, newest)
    assert action("accept_sheet", run=RUN, reason="r") == (
        True, {"accepted": True, "file": "F.csv", **result},
    )  # fmt: skip
    assert service.calls() == [ACCEPT, *([call] if call else [])]


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, {**FIRST, "accepted": False}),
        (409, {"error": {"code": "indexes.same_person", "message": "m"}}),
    ],
)
def test_the_hold_tells_that_a_second_person_is_missing(action, service, status, answer):
    _may_be_accepted(service, status, answer, {"acceptance": FIRST})
    succeeded, result = action("accept_sheet", run=RUN, reason="r")
    assert succeeded is (status == 200)
    assert result.get("accepted") is (False if succeeded else None)
    told = {
        "scope": "run", "name": RUN, "code": FOUND["code"], "hint": "a second",
        "reason": "ada has accepted it; other indexes", "about": "bcl2fastq.7.accepted",
    }  # fmt: skip
    assert service.calls() == [ACCEPT, (f"{BASE}/holds", told)]


@pytest.mark.parametrize(
    ("row", "name", "more"),
    [
        ({"observed": True, "ignore": []}, "bcl2fastq", {"observe": True}),
        ({"observed": True, "ignore": ["missing-bcls"]}, "checksum", {"observe": True}),
        (
            {"observed": True, "ignore": ["missing-bcls"]},
            "bcl2fastq",
            {"observe": True, "ignore": ["missing-bcls"]},
        ),
        (
            {"observed": False, "ignore": ["missing-bcls", "empty-samples"]},
            "bcl2fastq",
            {"ignore": ["missing-bcls", "empty-samples"]},
        ),
    ],
)
def test_start_job_tells_what_the_attempt_is(action, service, row, name, more):
    """Of this attempt, not of a later one."""
    attempts(service, row, {"attempt": 2, "observed": not row["observed"], "ignore": []})
    service.answers["POST", f"{BASE}/start/{RUN}"] = (202, job("pending"))
    service.answers["POST", f"{STAGE}/attach"] = (200, {"attached": True})
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started"))
    assert action("start_job", **OF_STAGE, service=name, try_number=1)[0]
    assert service.calls()[0] == (f"{BASE}/start/{RUN}", {"attempt": 1, "stage": "convert", **more})


@pytest.mark.parametrize(
    "rows", [[], [{"attempt": 2, "observed": False}], [{"ignore": ["<% x %>"]}]]
)
def test_start_job_starts_nothing_for_an_attempt_of_which_it_knows_nothing(action, service, rows):
    attempts(service, *rows)
    succeeded, result = start(action)
    assert not succeeded and result["code"] in ("service.answer", "name.characters")
    assert not service.calls()


def test_start_job_starts_nothing_for_an_aborted_attempt(action, service):
    attempts(service, {"aborted": True})
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    assert start(action) == (True, {"service": "bcl2fastq", "job_id": "", "state": "cancelled"})
    ((where, body),) = service.calls()
    assert (where, body["state"], body["code"]) == (f"{STAGE}/end", "failed", "run.aborted")


def test_a_job_that_ended_before_it_was_attached_ends_its_stage(action, service):
    attempts(service, {})
    service.answers["POST", f"{BASE}/start/{RUN}"] = (202, job("pending"))
    service.answers["POST", f"{STAGE}/attach"] = (200, {"attached": True})
    service.answers["GET", f"{BASE}/status/12"] = (200, job("done"))
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    assert start(action)[0]
    assert service.calls()[-1][0] == f"{STAGE}/end"


@pytest.mark.parametrize(("status", "ends"), [(400, True), (409, True), (500, False), (401, False)])
def test_a_start_that_is_refused_for_good_fails_the_stage(action, service, status, ends):
    attempts(service, {})
    error = {"code": "transfer.destination", "message": "no nowhere", "hint": "name one"}
    service.answers["POST", f"{BASE}/start/{RUN}"] = (status, {"error": error})
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    succeeded, result = start(action)
    assert (succeeded, result["code"]) == (False, "transfer.destination")
    told = {**error, "message": "bcl2fastq: no nowhere", "by": "w1", "state": "failed"}
    assert service.calls()[1:] == ([(f"{STAGE}/end", told)] if ends else [])


RECORD = f"{BASE}/attempts/{RUN}/1"
FREEZE = f"{BASE}/freeze/{RUN}/1"
FROZEN = f"{BASE}/frozen/{RUN}/1"


def analysis(action, service, row=None, stages=(), **parameters: Any):
    """Starts an analysis of the samples S1, of which there is metadata, and S2."""
    attempts(service, row or {})
    service.answers["GET", f"{BASE}/runs/{RUN}"][1]["stages"] = list(stages)
    rows = [{"sample_id": name, "lane": 1, "reads": 9} for name in ("S2", "S1", "Undetermined")]
    service.answers.setdefault(("GET", RECORD), (200, {"samples": rows}))
    service.answers.setdefault(("GET", f"{BASE}/status"), (200, {"jobs": []}))
    record = {"sample": "S1", "pipeline": "bcbio", "batch": "", "recipient": "dr-hill"}
    frozen = {"sample": "S1", "version": 3, "record": record}
    missing = [{"sample": "S2", "reason": "nobody knows it"}]
    service.answers["POST", FREEZE] = (200, {"records": [frozen], "missing": missing})
    service.answers["POST", f"{BASE}/start/{RUN}"] = (202, job("pending"))
    service.answers["POST", f"{STAGE}/attach"] = (200, {"attached": True})
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started"))
    return action("start_analysis", **OF_STAGE, try_number=2, by="w1", **parameters)


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ({}, {}),
        ({"pipeline": "umccrise", "released": True}, {"pipeline": "umccrise", "released": True}),
    ],
)
def test_an_analysis_takes_the_metadata_that_there_is(action, service, parameters, fields):
    assert analysis(action, service, **parameters) == (
        True,
        {"service": "wes", "job_id": "12", "state": "started"},
    )
    assert service.calls() == [
        (FREEZE, {"samples": ["S1", "S2"]}),
        (
            f"{BASE}/start/{RUN}",
            {
                "attempt": 1,
                "stage": "convert",
                **fields,
                "samples": [{"sample": "S1", "pipeline": "bcbio", "version": 3}],
                "held": ["S2"],
            },
        ),
        (f"{STAGE}/attach", {"by": "w1", "service": "wes", "job_id": 12}),
    ]


@pytest.mark.parametrize(
    ("before", "state", "asked"),
    [("analyse", "done", FROZEN), ("analyse", "skipped", FREEZE), ("transfer", "done", FREEZE)],
)
def test_an_analysis_of_results_goes_by_what_was_frozen_for_them(
    action, service, before, state, asked
):
    """S2's metadata is there by now; its results are not."""
    rows = [
        {"stage": OF_STAGE["stage"], "attempt": 1, "after": ["between"], "state": "running"},
        {"stage": "between", "attempt": 1, "after": [before], "state": "done"},
        {"stage": before, "attempt": 1, "after": [], "state": state,
         "service": "wes" if before == "analyse" else before},
    ]  # fmt: skip
    frozen = {"sample": "S1", "version": 3, "record": {"sample": "S1", "pipeline": "bcbio"}}
    missing = [{"sample": "S2", "known": True}]
    service.answers["GET", FROZEN] = (200, {"records": [frozen], "missing": missing})
    assert analysis(action, service, stages=rows)[0]
    assert [row.path for row in service.asked if row.path in (FREEZE, FROZEN)] == [asked]
    ((_, body),) = [call for call in service.calls() if call[0] == f"{BASE}/start/{RUN}"]
    assert ([row["sample"] for row in body["samples"]], body["held"]) == (["S1"], ["S2"])


def test_an_analysis_that_was_started_by_an_execution_that_died_is_attached(action, service):
    """Metadata may have come in between: asked for anew it would be another request."""
    key = f"{RUN}.{OF_STAGE['stage']}.1"
    jobs = [{**job("started"), "job_id": n, "key": f"{key}.{n - 10}"} for n in (13, 12, 11)]
    service.answers["GET", f"{BASE}/status"] = (200, {"jobs": jobs})
    assert analysis(action, service)[1]["job_id"] == "12"
    assert service.calls() == [
        (f"{STAGE}/attach", {"by": "w1", "service": "wes", "job_id": 12}),
    ]


def test_an_observed_analysis_freezes_nothing(action, service):
    assert analysis(action, service, {"observed": True})[0]
    assert service.calls()[0] == (
        f"{BASE}/start/{RUN}",
        {"attempt": 1, "stage": "convert", "observe": True},
    )


def test_an_analysis_of_an_attempt_that_is_not_there_fails_its_stage(action, service):
    error = {"code": "attempt.not_found", "message": "none", "hint": ""}
    service.answers["GET", RECORD] = (404, {"error": error})
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    succeeded, result = analysis(action, service)
    assert (succeeded, result["code"]) == (False, "attempt.not_found")
    ((where, body),) = service.calls()
    assert (where, body["state"], body["code"]) == (f"{STAGE}/end", "failed", "attempt.not_found")


HELD = [{"sample": f"S{n}", "reason": "metadata.missing"} for n in range(7)]


@pytest.mark.parametrize(
    ("held", "state", "code", "message", "hint"),
    [
        ([], "done", "", "", ""),
        (HELD, "held", "metadata.missing", "7 of its samples are held", "it goes on by itself"),
        (
            [{"sample": "T1", "reason": "pipeline.pair"}],
            "held",
            "pipeline.pair",
            "the others are done: T1 (pipeline.pair)",
            f"arteriole redo {RUN} --from analyse",
        ),
    ],
)
def test_samples_are_accounted_for(action, service, held, state, code, message, hint):
    row = {"stage": "analyse", "attempt": 1, "service": "wes", "job_id": 12, "state": "done"}
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, {"stages": [{**row, "attempt": 2}, row]})
    service.answers["GET", f"{BASE}/status/12"] = (200, job("done", result={"held": held}))
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    assert action("account_samples", **OF_STAGE, by="w1") == (
        True,
        {"held": len(held), "code": code, "ended": True},
    )
    ((_, body),) = service.calls()
    assert (body["state"], body["code"]) == (state, code)
    assert message in body["message"] and hint in body["hint"]


@pytest.mark.parametrize(("newest", "redone"), [(1, True), (2, False)])
def test_what_became_known_of_an_older_attempt_does_no_newer_one_again(
    action, service, newest, redone
):
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, {"attempt": newest})
    service.answers["POST", f"{BASE}/runs/{RUN}/redo"] = (200, {"attempt": 1})
    succeeded, result = action("redo", run=RUN, from_stage="analyse", attempt=1)
    assert succeeded and result["attempt"] == newest
    assert bool(service.calls()) is redone


def test_samples_that_a_later_analysis_holds_are_accounted_for_too(action, service):
    row = {"attempt": 1, "service": "wes", "state": "done"}
    rows = [
        {**row, "stage": "analyse", "job_id": 12},
        {**row, "stage": "umccrise", "job_id": 13},
        {**row, "stage": "transfer", "service": "transfer", "job_id": 14},
        {**row, "stage": "again", "state": "waiting", "job_id": 15},
    ]
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, {"stages": rows})
    for job_id, held in ((12, []), (13, [{"sample": "T1", "reason": "pipeline.genome"}])):
        told = job("done", result={"held": held})
        service.answers["GET", f"{BASE}/status/{job_id}"] = (200, told)
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    assert action("account_samples", **OF_STAGE)[1]["held"] == 1
    ((_, body),) = service.calls()
    assert (body["state"], body["code"]) == ("held", "pipeline.genome")
    assert body["hint"].endswith(f"arteriole redo {RUN} --from umccrise")


@pytest.mark.parametrize(
    ("rows", "succeeded"),
    [
        ([], False),
        ([{"stage": "analyse", "attempt": 1, "job_id": None, "state": "waiting"}], False),
        ([{"stage": "analyse", "attempt": 1, "job_id": None, "state": "skipped"}], True),
    ],
)
def test_nothing_is_accounted_for_without_an_analysis(action, service, rows, succeeded):
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, {"stages": rows})
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    assert action("account_samples", **OF_STAGE)[0] is succeeded
    assert bool(service.calls()) is succeeded


@pytest.mark.parametrize(
    ("found", "state", "code"),
    [
        (job("done"), "done", ""),
        (job("done", observed=False), "done", ""),
        (job("done", observed=True), "skipped", "run.observed"),
        (job("done", code="qc.q30", result={"verdict": "warn"}), "done", "qc.q30"),
        (job("done", code="qc.q30", result={"verdict": "hold"}), "held", "qc.q30"),
        (job("error", code="qc.q30", result={"verdict": "hold"}), "failed", "qc.q30"),
        (job("error", observed=True, code="sheet.bad"), "failed", "sheet.bad"),
        (job("error", code="convert.disk_full"), "failed", "convert.disk_full"),
        (job("error", code="Bad {{ code }}"), "failed", "job.error"),
        (job("cancelled"), "failed", "job.cancelled"),
    ],
)
def test_end_stage_passes_the_message_from_service_to_service(action, service, found, state, code):
    found = found | {"message": "the {{ message }}", "hint": "the <% hint %>"}
    service.answers["GET", f"{BASE}/status/12"] = (200, found)
    service.answers["POST", f"{STAGE}/end"] = (200, {"ended": True})
    succeeded, result = action("end_stage", **OF_STAGE, service="bcl2fastq", job_id="12")
    assert (succeeded, result) == (True, {"ended": True, "state": found["state"], "code": code})
    assert service.calls() == [
        (
            f"{STAGE}/end",
            {
                "by": "e1",
                "state": state,
                "code": code,
                "message": "the {{ message }}",
                "hint": "the <% hint %>",
                "service": "bcl2fastq",
                "job_id": 12,
            },
        )
    ]


@pytest.mark.parametrize(
    ("found", "end", "succeeded", "result"),
    [
        (job("started"), None, True, {"ended": False, "state": "started", "code": ""}),
        (
            job("done"),
            (200, {"ended": False, "duplicate": True}),
            True,
            {"ended": False, "state": "done", "code": ""},
        ),
        (
            job("done"),
            (409, {"error": {"code": "stage.state", "message": "no"}}),
            True,
            {"ended": False, "state": "done", "code": ""},
        ),
        (job("done", run="another"), None, False, "job.other_stage"),
        (job("done", attempt=2), None, False, "job.other_stage"),
    ],
)
def test_end_stage_that_does_not_end_it(action, service, found, end, succeeded, result):
    service.answers["GET", f"{BASE}/status/12"] = (200, found)
    service.answers["POST", f"{STAGE}/end"] = end
    outcome = action("end_stage", **OF_STAGE, service="bcl2fastq", job_id="12")
    assert outcome[0] is succeeded
    assert (outcome[1] if succeeded else outcome[1]["code"]) == result
    assert len(service.calls()) == (end is not None)


FINDING = {"code": "sheet.index", "severity": "error", "message": "sample X", "hint": "mend it"}


@pytest.mark.parametrize(
    ("status", "verdict", "state", "code", "message"),
    [
        (200, {"ok": True, "code": "", "findings": []}, "done", "", ""),
        (200, {"ok": True, "findings": [{**FINDING, "waived": True}]}, "done", "", ""),
        (
            200,
            {"ok": False, "code": "sheet.bad", "message": "two errors", "findings": [FINDING] * 2},
            "failed",
            "sheet.bad",
            "two errors",
        ),
        (200, {"ok": False, "findings": [FINDING]}, "failed", "sheet.index", "sample X"),
        (
            400,
            {"error": {"code": "sheet.missing", "message": "no sheet"}},
            "failed",
            "sheet.missing",
            "bcl2fastq: no sheet",
        ),
    ],
)
def test_check_samplesheet_ends_the_stage(action, service, status, verdict, state, code, message):
    attempts(service, {})
    service.answers["POST", f"{BASE}/samplesheets/check"] = (status, verdict)
    where = f"{BASE}/runs/{RUN}/stages/check/1/end"
    service.answers["POST", where] = (200, {"ended": True})
    succeeded, result = action("check_samplesheet", run=RUN, stage="check", attempt=1, by="w1")
    findings = len(verdict.get("findings", []))
    assert succeeded
    assert result == {"ok": state == "done", "code": code, "findings": findings, "ended": True}
    path, body = service.calls()[-1]
    assert path == where
    assert (body["state"], body["code"], body["message"]) == (state, code, message)
    assert "job_id" not in body


def test_check_samplesheet_leaves_the_stage_when_the_service_has_a_fault(action, service):
    attempts(service, {})
    service.answers["POST", f"{BASE}/samplesheets/check"] = (500, "boom")
    succeeded, result = action("check_samplesheet", run=RUN, stage="check", attempt=1)
    assert (succeeded, result["code"]) == (False, "service.refused")
    assert len(service.calls()) == 1


CHECK = f"{BASE}/samplesheets/check"
WAIVED = {"waived_rules": ["sheet.index_collision"]}


def test_rules_that_are_waived_go_with_the_requests_to_bcl2fastq(action, service):
    """Codes alone: who waived them, and why, stays in the runfolder service."""
    attempts(service, WAIVED, {"attempt": 2})
    service.answers["POST", CHECK] = (200, {"ok": True})
    service.answers["POST", f"{BASE}/runs/{RUN}/stages/check/1/end"] = (200, {"ended": True})
    service.answers["POST", f"{BASE}/start/{RUN}"] = (202, job("pending"))
    service.answers["POST", f"{STAGE}/attach"] = (200, {"attached": True})
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started"))
    assert action("check_samplesheet", run=RUN, stage="check", attempt=1, by="w1")[0]
    assert service.calls()[0] == (CHECK, {"run": RUN, **WAIVED})
    assert start(action)[0]
    assert (f"{BASE}/start/{RUN}", {"attempt": 1, "stage": "convert", **WAIVED}) in service.calls()
    service.asked.clear()
    assert action("start_job", **OF_STAGE, service="checksum", try_number=2, by="w1")[0]
    assert service.calls()[0][1] == {"attempt": 1, "stage": "convert"}


@pytest.mark.parametrize("name", ["check_samplesheet", "start_job"])
@pytest.mark.parametrize("rows", [[], [{"waived_rules": ["{{ x }}"]}]])
def test_nothing_is_checked_or_started_of_an_attempt_that_is_not_told_of(
    action, service, name, rows
):
    attempts(service, *rows)
    if name == "start_job":
        succeeded, result = start(action)
    else:
        succeeded, result = action(name, run=RUN, stage="check", attempt=1)
    assert (succeeded, result["code"]) == (False, "name.characters" if rows else "service.answer")
    assert service.calls() == []


@pytest.mark.parametrize("name", ["waive", "unwaive"])
def test_a_rule_is_an_identifier(action, service, name):
    succeeded, result = action(name, run=RUN, rules=["<% x %>"], reason="r")
    assert (succeeded, result["code"]) == (False, "name.characters") and service.asked == []


NEAR = {
    **{"code": "sheet.index_collision", "severity": "error", "line": 7, "column": 3},
    **{"message": "too near: {{ S1 }}", "hint": "mend it"},
}


@pytest.mark.parametrize(
    ("asked", "sheet", "body"),
    [
        ({"run": RUN}, {}, {"run": RUN}),
        ({"run": RUN}, {"base64": "QQ=="}, {"run": RUN, "sheet": "QQ=="}),
        ({"flow_cell": "HMTFYDRXX"}, {}, {"flow_cell": "HMTFYDRXX"}),
        ({"run": RUN, "file": "next.csv"}, {}, {"run": RUN, "sheet": "W0RhdGFd"}),
        ({"flow_cell": "HM", "file": "next.csv"}, {}, {"flow_cell": "HM", "sheet": "W0RhdGFd"}),
        ({"file": "next.csv"}, {}, {"sheet": "W0RhdGFd"}),
    ],
)
def test_samplesheet_check_tells_a_person(action, service, tmp_path, asked, sheet, body):
    (tmp_path / "next.csv").write_text("[Data]")
    if "file" in asked:
        asked = {**asked, "file": str(tmp_path / asked["file"])}
    service.answers["GET", f"{BASE}/runs/{RUN}/sheet"] = (200, {"run": RUN, **sheet})
    found = {"ok": False, "code": "sheet.index_collision", "message": "x <% y %>", "hint": "h"}
    found |= {"run": RUN, "findings": [NEAR, {**NEAR, "line": 0, "column": 0}], "finding_count": 60}
    service.answers["POST", CHECK] = (200, found)
    told = "error [sheet.index_collision]: too near: (( S1 )); mend it"
    assert action("samplesheet_check", **asked) == (
        True,
        {
            **{"ok": False, "code": "sheet.index_collision", "message": "x (% y %)", "hint": "h"},
            **{"run": RUN, "findings": [f"line 7, column 3: {told}", told], "finding_count": 60},
        },
    )
    assert service.calls() == [(CHECK, body)]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "samplesheet.scope"),
        ({"run": RUN, "flow_cell": "HM"}, "samplesheet.scope"),
        ({"run": "<% x %>"}, "name.characters"),
        ({"flow_cell": "{{ x }}"}, "name.characters"),
        ({"file": "relative.csv"}, "samplesheet.file"),
        ({"file": "/etc/passwd"}, "samplesheet.file"),
        ({"file": "/{home}/none.csv"}, "samplesheet.file"),
        ({"file": "{home}/folder.csv"}, "samplesheet.file"),
        ({"file": "{home}/pipe.csv"}, "samplesheet.file"),
        ({"file": "{home}/link.csv"}, "samplesheet.file"),
        ({"file": "{home}/large.csv"}, "samplesheet.file"),
        ({"file": "{home}/a\0.csv"}, "samplesheet.file"),
    ],
)
def test_samplesheet_check_reads_nothing_but_sheets(action, service, tmp_path, asked, code):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "secret").write_text("hush")
    (tmp_path / "link.csv").symlink_to(tmp_path / "secret")
    (tmp_path / "large.csv").write_bytes(b"x" * (512 * 1024 + 1))
    os.mkfifo(tmp_path / "pipe.csv")
    asked = {name: value.replace("{home}", str(tmp_path)) for name, value in asked.items()}
    succeeded, result = action("samplesheet_check", **asked)
    assert (succeeded, result["code"]) == (False, code)
    assert service.asked == [] and not any(mark in str(result) for mark in ("{{", "<%"))


def test_release_stage_reads_the_execution_and_passes_identifiers_only(action, service):
    service.answers["GET", "/v1/executions/abc"] = (
        200,
        {"status": "timeout", "parameters": {**OF_STAGE, "other": "{{ x }}"}},
    )
    service.answers["POST", f"{STAGE}/release"] = (200, {"released": True})
    assert action("release_stage", execution_id="abc") == (
        True,
        {"released": True, "failed": False},
    )
    assert service.asked[0].headers["x-auth-token"] == "st2-token"
    assert service.calls() == [(f"{STAGE}/release", {"by": "abc", "reason": "timeout"})]


@pytest.mark.parametrize(
    ("parameters", "succeeded"),
    [
        ({"run": RUN}, True),
        (OF_STAGE | {"run": "<% x %>"}, False),
        (OF_STAGE | {"attempt": "x"}, False),
    ],
)
def test_release_stage_of_what_is_no_stage(action, service, parameters, succeeded):
    service.answers["GET", "/v1/executions/abc"] = (200, {"parameters": parameters})
    outcome = action("release_stage", execution_id="abc")
    assert outcome[0] is succeeded
    assert not service.calls()


def test_release_stage_without_an_orchestrator_says_so(action, service, monkeypatch):
    service.answers["GET", "/v1/executions/abc"] = (403, {"faultstring": "no"})
    succeeded, result = action("release_stage", execution_id="abc")
    assert (succeeded, result["code"], result["status"]) == (False, "orchestrator.refused", 403)
    monkeypatch.delenv("ST2_ACTION_API_URL")
    succeeded, result = action("release_stage", execution_id="abc")
    assert (succeeded, result["code"]) == (False, "orchestrator.refused")


def test_a_service_that_restarts_is_waited_for(action, service, config):
    config["retry_seconds"] = 5
    where = f"{BASE}/runs/{RUN}/adopt"
    service.answers["POST", where] = [(0, None), (503, "starting"), (200, {"adopted": True})]
    assert action("adopt", run=RUN) == (True, {"adopted": True})
    assert len(service.calls()) == 3


def test_a_service_that_is_down_is_named(action, config):
    config["runfolder_url"] = "http://127.0.0.1:9"
    succeeded, result = action("adopt", run=RUN)
    assert not succeeded
    assert result["code"] == "service.unreachable"
    assert "127.0.0.1:9" in result["message"] and result["hint"]


def test_a_refusal_keeps_its_code_and_cannot_be_evaluated(action, service):
    message = " ".join(TEXTS)
    error = {"code": "run.not_ready", "message": message, "hint": message}
    service.answers["POST", f"{BASE}/runs/{RUN}/adopt"] = (409, {"error": error})
    succeeded, result = action("adopt", run=RUN)
    assert (succeeded, result["code"], result["status"]) == (False, "run.not_ready", 409)
    assert "(( x )) (% x %) (% x %)" in result["message"]
    assert not any(mark in str(result["hint"]) for mark in ("{{", "{%", "<%"))


def test_an_answer_that_is_no_json_is_refused(action, service):
    service.answers["POST", f"{BASE}/runs/{RUN}/adopt"] = (200, "<html>")
    assert action("adopt", run=RUN)[1]["code"] == "service.answer"


def test_a_service_that_the_site_lacks_is_named(action, config):
    config["archive_url"] = ""
    succeeded, result = action("job", service="archive", job_id="1")
    assert (succeeded, result["code"]) == (False, "pack.config")
    assert "archive_url" in result["hint"]


@pytest.mark.parametrize("name", ["job", "stop"])
def test_jobs_are_only_where_jobs_are(action, service, name):
    assert action(name, service="runfolder", job_id="1")[1]["code"] == "job.service"
    assert action(name, service="checksum", job_id="../1")[1]["code"] == "name.characters"
    assert not service.asked


def test_stop_and_job(action, service):
    service.answers["POST", f"{BASE}/stop/12"] = (200, {"stopped": [12]})
    service.answers["GET", f"{BASE}/status/12"] = (200, job("started", message="{{ x }}"))
    assert action("stop", service="bcl2fastq", job_id="12") == (True, {"stopped": [12]})
    succeeded, result = action("job", service="bcl2fastq", job_id="12")
    assert succeeded and result["message"] == "(( x ))"


DOCUMENT = {
    "name": RUN,
    "state": "error",
    "attempt": 1,
    "why": {
        "code": "convert.disk_full",
        "message": "convert failed: <% disk %> full",
        "data_safe": True,
        "urgency": "result late",
        "until": "",
        "samples": 8,
        "hint": f"arteriole retry {RUN}",
        "page": "docs/runbook/convert.disk_full.md",
    },
    "stages": [
        {"stage": "receive", "state": "done", "attempt": 1, "ended": "12:00"},
        {
            "stage": "convert",
            "state": "failed",
            "attempt": 1,
            "begun": "12:01",
            "ended": "12:02",
            "service": "bcl2fastq",
            "job_id": 12,
            "code": "convert.disk_full",
            "message": "full",
        },
    ],
}


def test_what_people_read(action, service):
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, DOCUMENT)
    service.answers["GET", f"{BASE}/runs"] = [(200, {"runs": [DOCUMENT]}), (200, {"runs": []})]
    assert action("why", run=RUN)[1].splitlines() == [
        f"{RUN}: error",
        "convert failed: (% disk %) full",
        "Data safe: yes",
        "Urgency: result late",
        "Samples: 8",
        f"Do: arteriole retry {RUN}",
        "Code: convert.disk_full",
        "See: docs/runbook/convert.disk_full.md",
    ]
    lines = action("run", run=RUN)[1].splitlines()
    assert len(lines) == 3
    assert " ".join(lines[2].split()) == (
        "convert failed attempt 1 12:01 - 12:02 bcl2fastq job 12 convert.disk_full full"
    )
    assert action("runs")[1].split() == [RUN, "error", "1", "convert.disk_full"]
    assert action("runs", state="ready")[1] == "no runs"
    assert service.asked[-1].query == {"state": "ready"}


def test_people_read_the_word_that_the_command_says(action, service):
    """Where Arteria has no word for a run's state, what was seen of it."""
    run = {**DOCUMENT, "state": "none", "standing": "unreachable", "attempt": 0, "stages": []}
    service.answers["GET", f"{BASE}/runs/{RUN}"] = (200, run)
    service.answers["GET", f"{BASE}/runs"] = (200, {"runs": [run]})
    assert action("why", run=RUN)[1].splitlines()[0] == f"{RUN}: unreachable"
    assert action("run", run=RUN)[1].split()[:3] == [RUN, "unreachable", "-"]
    assert action("runs")[1].split()[:3] == [RUN, "unreachable", "-"]


def test_a_trace_is_in_order_and_inert(action, service, config):
    for name in ("bcl2fastq", "checksum", "transfer", "archive", "wes", "metadata"):
        config[f"{name}_url"] = ""
    events = [
        {"time": "2026-01-02T03:04:07.5Z", "what": "stage_ended", "stage": "convert", "attempt": 1,
         "payload": {"state": "failed", "code": "x.y", "by": "e7"}},
        {"time": "2026-01-02T03:04:05+00:00", "what": "claimed", "payload": {"by": "{{ e1 }}"}},
    ]  # fmt: skip
    full = [events[1]] * 500
    service.answers["GET", f"{BASE}/events"] = [
        (200, {"events": full, "next": "a-500"}),
        (200, {"events": events[:1], "next": "a-501"}),
    ]
    part = {"object_id": "e7", "ref": "umccr.convert", "updated_at": "2026-01-02T03:04:06.1Z"}
    service.answers["GET", "/v1/traces"] = (200, [{"action_executions": [part, part]}])
    run = {"start_timestamp": "2026-01-02T03:04:06.000001Z", "status": "succeeded"}
    service.answers["GET", "/v1/executions/e7"] = (200, {**run, "action": {"ref": "a.stage_job"}})
    succeeded, text = action("trace", run=RUN)
    assert succeeded
    lines = [line.split() for line in text.splitlines()]
    assert len(lines) == 502
    assert lines[0] == ["2026-01-02T03:04:05.000Z", "runfolder", "claimed", "by=((", "e1", "))"]
    assert lines[-2] == [
        "2026-01-02T03:04:06.000Z", "execution", "a.stage_job", "succeeded", "e7",
    ]  # fmt: skip
    assert lines[-1][2:] == ["stage_ended", "convert", "1", "state=failed", "code=x.y", "by=e7"]
    pages = service.wait_for(f"{BASE}/events", 2)
    assert [page.query.get("after") for page in pages] == [None, "a-500"]
    assert service.wait_for("/v1/traces")[0].query["trace_tag"] == RUN


def test_a_trace_tells_of_executions_that_are_not_kept_any_more(action, service, config):
    config.update({f"{name}_url": "" for name in ("bcl2fastq", "checksum", "transfer", "archive")})
    service.answers["GET", f"{BASE}/events"] = (200, {"events": [], "next": "a-0"})
    part = {"object_id": "e7", "ref": "umccr.receive", "updated_at": "2026-01-02T03:04:06.1Z"}
    service.answers["GET", "/v1/traces"] = (200, [{"action_executions": [part]}])
    service.answers["GET", "/v1/executions/e7"] = (404, {"faultstring": "not found"})
    succeeded, text = action("trace", run=RUN)
    told = ["2026-01-02T03:04:06.100Z", "execution", "umccr.receive", "not_kept", "e7"]
    assert succeeded and text.split() == told
    service.answers["GET", "/v1/executions/e7"] = (403, {"faultstring": "no"})
    assert action("trace", run=RUN)[1]["code"] == "orchestrator.refused"


def test_metadata_of_a_sample_as_a_person_reads_it(action, service):
    record = {"sample": "S1", "project": "<% x %>", "subject": "", "top_up_of": ["R1", "R2"]}
    found = {"sample": "S1", "version": 2, "time": "2026-01-02", "source": "csv", "record": record}
    trouble = {"code": "metadata.unknown", "message": "no source knows it {{ x }}"}
    answers = [(200, {**found, "trouble": None}), (200, {**found, "trouble": trouble})]
    service.answers["GET", f"{BASE}/samples/S1"] = answers
    lines = [
        "S1: version 2 of 2026-01-02, from csv",
        "  sample          S1",
        "  project         (% x %)",
        "  top_up_of       R1 R2",
    ]
    assert action("metadata", sample="S1") == (True, "\n".join(lines))
    lines.append("Not known any more: no source knows it (( x )) (metadata.unknown)")
    assert action("metadata", sample="S1") == (True, "\n".join(lines))
    assert action("metadata", sample="<% x %>")[1]["code"] == "name.characters"
    assert len(service.asked) == 2


def test_a_site_without_metadata_is_told_so(action, config):
    config["metadata_url"] = ""
    succeeded, result = action("metadata", sample="S1")
    assert (succeeded, result["code"]) == (False, "pack.config")
