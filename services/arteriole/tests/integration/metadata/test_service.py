"""Versions, freezes and waiting, over HTTP and a drop folder."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from arteriole.app.auth import Role, Tokens

from ..app.serving import eventually
from .conftest import API, RUN, research


def test_a_sample_has_a_version_for_each_record_that_differs(site):
    site.put("a.csv", "S1,P1,research,wgs", "S2,P1,research,wgs")
    site.start()
    site.knows("S1", pipeline="wgs")
    first = site.sample("S1")
    assert (first["version"], first["source"], first["known"]) == (1, "csv", True)
    site.put("b.csv", "S1,P1,research,rna", "S2,P1,research,wgs")
    site.knows("S1", pipeline="rna")
    site.put("c.csv", "S1,P1,research,wgs")
    site.knows("S1", pipeline="wgs")
    versions = site.get("samples/S1/versions")["versions"]
    assert [one["version"] for one in versions] == [1, 2, 3]
    assert versions[0] == {key: first[key] for key in versions[0]}
    assert len(site.get("samples/S2/versions")["versions"]) == 1


def test_samples_are_listed_by_project_and_page(site):
    rows = [f"S{n:02},P{n % 2},research,wgs" for n in range(25)]
    site.put("a.csv", *rows)
    site.start()
    eventually(lambda: len(site.get("samples")["samples"]), lambda count: count == 25)
    names, after = [], ""
    while after is not None:
        page = site.get(f"samples?project=P1&limit=5&after={after}")
        names += [one["sample"] for one in page["samples"]]
        after = page["next"]
    assert names == [f"S{n:02}" for n in range(25) if n % 2]
    site.put("b.csv", "S01,P0,research,wgs")
    site.knows("S01", project="P0")
    assert "S01" not in [one["sample"] for one in site.get("samples?project=P1")["samples"]]


def test_what_is_frozen_stays_as_it_is(site):
    site.put("a.csv", "S1,P1,research,wgs", "S2,P1,research,wgs")
    site.start()
    first = site.freeze("S1", "S2", "S1")
    assert first["complete"] and first["missing"] == []
    assert [(one["sample"], one["version"]) for one in first["records"]] == [("S1", 1), ("S2", 1)]
    assert first["records"][0]["record"]["pipeline"] == "wgs"
    site.put("b.csv", "S1,P1,research,rna", "S2,P1,research,wgs")
    site.knows("S1", pipeline="rna")
    assert site.freeze("S1", "S2") == site.freeze("S2") == site.frozen() == first
    (site.drop / "a.csv").unlink()
    (site.drop / "b.csv").unlink()
    eventually(lambda: site.sample("S1"), lambda found: found["known"] is False)
    assert site.sample("S1")["version"] == 2
    assert site.freeze("S1", "S2") == first
    second = site.freeze("S1", attempt=2)
    assert not second["complete"] and second["missing"][0]["code"] == "metadata.unknown"
    assert site.ready() == []


def test_a_record_that_was_wrong_is_given_up_by_a_person(site):
    site.put("a.csv", "S1,P1,research,wgs", "S2,P1,research,wgs")
    site.start()
    site.freeze("S1", "S2")
    site.put("b.csv", "S1,P1,research,rna", "S2,P1,research,wgs")
    site.knows("S1", pipeline="rna")
    thaw = f"{API}/thaw/{RUN}/1"
    refused = site.serving.post(thaw, {"samples": ["S1", "S3"], "reason": "mistyped"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "metadata.not_frozen")
    assert len(site.frozen()["records"]) == 2
    left = site.serving.post(thaw, {"samples": ["S1"], "reason": "mistyped"}).json()
    assert [one["sample"] for one in left["records"]] == ["S2"]
    records = site.freeze("S1", "S2")["records"]
    assert [(one["sample"], one["version"]) for one in records] == [("S1", 2), ("S2", 1)]
    events = site.get("events")["events"]
    assert [(one["what"], one["payload"]) for one in events] == [
        ("metadata_thawed", {"samples": 1})
    ]


def test_a_missing_sample_that_comes_is_told_of_once_and_then_frozen(site):
    site.put("a.csv", "S1,P1,research,wgs")
    site.start()
    for _ in range(2):
        found = site.freeze("S1", "S2", "S3")
        assert not found["complete"]
        assert [one["sample"] for one in found["records"]] == ["S1"]
        assert [one["sample"] for one in found["missing"]] == ["S2", "S3"]
        assert found["missing"][0]["reason"] == "no source knows it (csv)"
        assert site.frozen() == found
    (waiting,) = site.get("waiting")["waiting"]
    since = waiting.pop("since")
    assert waiting == {"run": RUN, "attempt": 1, "missing": 2, "known": False}
    site.put("b.csv", "S2,P1,research,wgs")
    eventually(lambda: site.frozen()["missing"][0]["known"])
    assert site.ready() == []
    site.put("c.csv", "S3,P1,research,wgs")
    eventually(site.ready)
    (waiting,) = site.get("waiting")["waiting"]
    assert waiting == {"run": RUN, "attempt": 1, "missing": 2, "known": True, "since": since}
    assert [one["sample"] for one in site.frozen()["records"]] == ["S1"]
    site.put("d.csv", "S9,P1,research,wgs")
    site.knows("S9")
    found = site.freeze("S1", "S2", "S3")
    assert found["complete"] and len(found["records"]) == 3
    assert site.get("waiting")["waiting"] == []
    assert site.ready() == [(RUN, 1, {})]
    reset = site.get("events?after=none")
    assert reset["reset"] and reset["events"] == []


def test_a_cursor_that_is_lost_gets_the_attempts_that_still_wait(site):
    site.start()
    site.freeze("S1")
    site.freeze("S1", attempt=2)
    site.put("a.csv", "S1,P1,research,wgs")
    eventually(site.ready, lambda told: len(told) == 2)
    site.freeze("S1")
    replay = site.get("events?after=none")
    assert replay["reset"] and [event["attempt"] for event in replay["events"]] == [2]


def test_one_that_went_away_before_it_was_frozen_is_told_of_again(site):
    site.start()
    site.freeze("S1")
    site.put("a.csv", "S1,P1,research,wgs")
    eventually(site.ready)
    (site.drop / "a.csv").unlink()
    eventually(lambda: not site.sample("S1")["known"])
    assert site.freeze("S1")["missing"][0]["known"] is False
    site.put("a.csv", "S1,P1,research,rna")
    eventually(site.ready, lambda told: len(told) == 2)
    assert site.freeze("S1")["complete"]


def test_names_that_are_none_are_missing_for_good_and_do_no_harm(site):
    site.put("a.csv", "S1,P1,research,wgs")
    site.start()
    hostile = ["<% x %>", "../S1", "S 1", "", "x" * 300, "-rf", "S1\0"]
    found = site.freeze("S1", *hostile)
    assert [one["sample"] for one in found["records"]] == ["S1"]
    assert {one["sample"] for one in found["missing"]} == set(hostile)
    assert {one["code"] for one in found["missing"]} == {"name.characters"}
    assert not found["complete"]
    assert site.freeze("S1") == found


def test_samples_may_be_asked_for_in_pieces(site):
    site.start()
    site.freeze("S1")
    site.freeze("S2")
    site.put("a.csv", "S1,P1,research,wgs")
    eventually(lambda: site.frozen()["missing"][0]["known"])
    assert site.ready() == []
    site.put("b.csv", "S2,P1,research,wgs")
    eventually(site.ready)
    found = site.freeze("S2")
    assert found["complete"]
    assert [one["sample"] for one in found["records"]] == ["S1", "S2"]


def test_concurrent_freezes_are_one(site, lims):
    entered, go = threading.Event(), threading.Event()

    def slow():
        entered.set()
        go.wait(60)
        return 200, {}, b'{"project": "P1", "use": "research", "pipeline": "wgs"}'

    lims.answers["S1"] = slow
    site.start(lims.source(timeout=60), retry_seconds=3600)
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(site.freeze, "S1", "S3") for _ in range(5)]
        assert entered.wait(60)
        asked.append(pool.submit(site.freeze, "S1", "S2"))
        go.set()
        found = [one.result() for one in asked]
    assert all(one["records"] == found[0]["records"] for one in found)
    assert [path for path, _ in lims.asked].count("/api/samples/S1") == 1


def test_what_was_found_late_does_not_undo_what_is_newer(site, lims):
    """A freeze waits for one sample while the record of another changes."""
    entered, go = threading.Event(), threading.Event()

    def slow():
        entered.set()
        go.wait(60)
        return 404, {}, b""

    lims.answers["S2"] = slow
    site.put("a.csv", "S1,P1,research,wgs")
    site.start(site.csv(), lims.source(timeout=60))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(site.freeze, "S1", "S2")
        assert entered.wait(60)
        site.put("b.csv", "S1,P1,research,rna")
        site.knows("S1", pipeline="rna")
        go.set()
        (record,) = asked.result()["records"]
    assert (record["version"], record["record"]["pipeline"]) == (2, "rna")
    assert len(site.get("samples/S1/versions")["versions"]) == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "samples/S9", None, 404, "metadata.unknown"),
        ("GET", "samples/S9/versions", None, 404, "metadata.unknown"),
        ("GET", "samples/%3C%25x", None, 400, "name.characters"),
        ("GET", f"frozen/{RUN}/1", None, 404, "metadata.not_frozen"),
        ("GET", f"frozen/{RUN}/0", None, 400, "request.invalid"),
        ("GET", f"frozen/{RUN}/%C2%B2", None, 400, "request.invalid"),
        ("POST", f"freeze/{RUN}/10000", {"samples": ["S1"]}, 400, "request.invalid"),
        ("POST", "freeze/%3C%25x/1", {"samples": ["S1"]}, 400, "name.characters"),
        ("POST", f"freeze/{RUN}/1", {"samples": []}, 400, "request.invalid"),
        ("POST", f"freeze/{RUN}/1", {"samples": ["S"] * 5001}, 400, "request.invalid"),
        ("POST", f"freeze/{RUN}/1", {"samples": "S1"}, 400, "request.invalid"),
        ("POST", f"thaw/{RUN}/1", {"samples": ["S1"]}, 400, "request.invalid"),
        ("POST", f"thaw/{RUN}/1", {"samples": ["S1"], "reason": "x"}, 404, "metadata.not_frozen"),
        ("GET", "samples?limit=0", None, 400, "request.invalid"),
    ],
)
def test_requests_that_are_refused(site, method, path, body, status, code):
    site.start()
    answer = site.serving.call(method, f"{API}/{path}", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_readers_look_and_operators_freeze(site, tmp_path):
    tokens = Tokens(tmp_path / "tokens.json")
    headers = {"Authorization": f"Bearer {tokens.create('someone', Role.READER)}"}
    site.start(tokens=tokens)
    for path in ("samples", "sources", "waiting"):
        assert site.serving.get(f"{API}/{path}").status_code == 401
        assert site.serving.get(f"{API}/{path}", headers=headers).status_code == 200
    answer = site.serving.post(f"{API}/freeze/{RUN}/1", {"samples": ["S1"]}, headers=headers)
    assert answer.status_code == 403
    body = {"samples": ["S1"], "reason": "x"}
    assert site.serving.post(f"{API}/thaw/{RUN}/1", body, headers=headers).status_code == 403


def test_five_thousand_samples_are_frozen_at_once(site):
    names = [f"S{n}" for n in range(5000)]
    site.put("a.csv", *(f"{name},P1,research,wgs" for name in names))
    site.start()
    found = site.freeze(*names)
    assert found["complete"] and len(found["records"]) == 5000
    assert found["records"][0]["record"] == {
        **dict.fromkeys(found["records"][0]["record"], ""),
        **research(sample="S0", expected_reads=0, top_up_of=[]),
    }
