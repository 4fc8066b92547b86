"""What each source says, how it fails, and in which order they are asked."""

import contextlib
import json
import os
import threading
from pathlib import Path

import pytest
import requests

from arteriole.metadata.sources import csv_folder
from arteriole.metadata.sources.source import AT_ONCE

from ..app.serving import eventually
from .conftest import API, research


def missing(site, sample="S1"):
    """Code and reason for which nothing is frozen."""
    found = {one["sample"]: one for one in site.freeze(sample)["missing"]}[sample]
    return found["code"], found["reason"]


def test_a_lims_knows_a_sample_or_does_not(site, lims, tmp_path):
    (tmp_path / "token").write_text("secret-token\n")
    lims.knows("S1", **research(top_up_of=["R1"], subject=None))
    site.start(lims.source(token_file=str(tmp_path / "token")))
    record = site.sample("S1")["record"]
    assert record["pipeline"] == "wgs" and record["top_up_of"] == ["R1"]
    assert lims.asked[0] == ("/api/samples/S1", "Bearer secret-token")
    assert missing(site, "S2") == ("metadata.unknown", "no source knows it (http)")
    assert site.health()["status"] == "ok"
    assert "secret" not in json.dumps(site.get("sources"))


def test_an_answer_of_another_form_is_mapped(site, lims):
    answer = {
        "sample": "S1",
        "project": {"code": 4711},
        "use": "clinical",
        "donor": {"id": "SBJ1", "consents": {"research": "general"}},
        "recipient": "clinic-a",
        "pipeline": "wgs",
        "received": "2026-01-01",
    }
    lims.knows("S1", **answer)
    fields = {
        "project": "project.code",
        "subject": "donor.id",
        "consent": "donor.consents.research",
        "batch": "donor.id.none",
    }
    site.start(lims.source(fields=fields))
    record = site.sample("S1")["record"]
    assert (record["project"], record["subject"], record["consent"]) == ("4711", "SBJ1", "general")
    assert record["batch"] == ""


@pytest.mark.parametrize(
    ("status", "headers", "body", "code", "told"),
    [
        (500, {}, b"oops", "metadata.source", "expected 200 or 404, found 500"),
        (401, {}, b"", "metadata.source", "found 401"),
        (204, {}, b"", "metadata.source", "found 204"),
        (200, {}, b"<html>", "metadata.source", "expected a JSON object"),
        (200, {}, b"[]", "metadata.source", "expected a JSON object, found list"),
        (200, {}, b"[" * 100_000, "metadata.source", "expected a JSON object"),
        (200, {}, b'{"project": "\\ud800"}', "metadata.source", "expected a JSON object"),
        (200, {}, b"{}", "metadata.record", "project: expected a value, found none"),
        (200, {}, json.dumps(research(use="x")).encode(), "metadata.record", "use: expected"),
        (200, {}, json.dumps(research(colour="x")).encode(), "metadata.record", "no such key"),
        (200, {}, json.dumps(research(sample="s1")).encode(), "metadata.record",
         "sample: expected S1, found s1"),
        (200, {}, b'{"x": "' + b"x" * 2**21 + b'"}', "metadata.source", "1048576 bytes"),
        (200, {"Content-Length": "9"}, b"{", "metadata.source", "Connection closed"),
        (302, {"Location": "http://127.0.0.2:1/S1"}, b"", "metadata.source", "another host"),
        (302, {"Location": "https://lims.example.org/S1"}, b"", "metadata.source", "another host"),
        (302, {"Location": "file:///etc/passwd"}, b"", "metadata.source", "another host"),
        (302, {}, b"", "metadata.source", "after 3 redirects"),
    ],
)  # fmt: skip
def test_a_lims_that_errs_is_told_and_is_never_taken_for_a_no(
    site, lims, status, headers, body, code, told
):
    lims.answers["S1"] = (status, headers, body)
    site.put("a.csv", "S1,P1,research,wgs")
    site.start(lims.source(), site.csv())
    found = missing(site)
    assert found[0] == code and told in found[1]
    assert found[1].startswith(f"http: {lims.url}/api/samples/{{sample}}: ")
    assert site.health()["status"] == "degraded"
    assert site.health()["failing_sources"] == ["http"]
    assert told in site.source("http")["last_error"]["message"]
    answer = site.serving.get(f"{API}/samples/S1")
    assert (answer.status_code // 100, answer.json()["error"]["code"]) == (5, code)


def test_a_redirect_on_the_same_host_is_followed(site, lims):
    lims.answers["S1"] = (307, {"Location": "/v2/S1b"}, b"")
    lims.knows("S1b")
    site.start(lims.source())
    assert site.sample("S1")["record"]["project"] == "P1"


def test_a_lims_that_is_down_is_not_asked_for_every_sample(site, lims):
    lims.otherwise = (503, {}, b"")
    site.start(lims.source(), retry_seconds=3600)
    found = site.freeze(*(f"S{n}" for n in range(50)))
    assert len(found["missing"]) == 50
    assert {one["code"] for one in found["missing"]} == {"metadata.source"}
    assert len(lims.asked) <= AT_ONCE
    lims.otherwise = (200, {}, json.dumps(research()).encode())
    assert site.freeze("S1")["complete"]


def test_a_lims_that_is_gone(site, lims):
    lims.close()
    site.start(lims.source(), retry_seconds=3600)
    code, reason = missing(site)
    assert code == "metadata.source" and "Connection refused" in reason


def test_a_lims_that_does_not_answer_in_time(site, lims):
    lims.answers["S1"] = lambda: eventually(lambda: lims.answers.get("go"))
    site.start(lims.source(timeout=0.2), retry_seconds=3600)
    assert "expected an answer within 0.2 s" in missing(site)[1]
    lims.answers["go"] = (404, {}, b"")


def test_a_token_that_cannot_be_read_or_sent(site, lims, tmp_path):
    token = tmp_path / "token"
    site.start(lims.source(token_file=str(token)))
    assert "token_file cannot be read: " in missing(site)[1]
    token.write_text("se cret\r\nX-Evil: 1")
    assert "expected one token" in missing(site)[1]
    assert "cret" not in json.dumps(site.get("sources"))
    assert lims.asked == []


def test_what_a_lims_lacked_is_asked_for_again(site, lims):
    site.start(lims.source())
    assert not site.freeze("S1")["complete"]
    lims.knows("S1")
    eventually(site.ready)
    assert site.freeze("S1")["complete"] and len(site.ready()) == 1


def test_the_first_source_that_knows_a_sample_tells_of_it(site, lims, program):
    site.put("a.csv", "S1,PC,research,wgs", "S2,PC,research,wgs")
    lims.knows("S2", **research(project="PH"))
    lims.knows("S3", **research(project="PH"))
    script = program('print(json.dumps({"project": "PX", "use": "research", "control": "phix"}))')
    site.start(site.csv(), lims.source(), script)
    found = site.freeze("S1", "S2", "S3", "S4")
    told = {one["sample"]: (one["source"], one["record"]["project"]) for one in found["records"]}
    assert told == {
        "S1": ("csv", "PC"),
        "S2": ("csv", "PC"),
        "S3": ("http", "PH"),
        "S4": ("command", "PX"),
    }


def test_a_folder_behind_another_source_waits_for_its_word(site, lims):
    lims.knows("S1", **research(project="PH"))
    site.put("a.csv", "S1,PC,research,wgs", "S2,PC,research,wgs")
    site.start(lims.source(), site.csv(), retry_seconds=3600)
    assert site.sample("S2")["record"]["project"] == "PC"
    assert site.sample("S1")["record"]["project"] == "PH"
    assert len(site.get("samples/S1/versions")["versions"]) == 1
    site.freeze("S3")
    site.put("b.csv", "S3,PC,research,wgs")
    eventually(site.ready)


@pytest.mark.parametrize(
    ("lines", "code", "told"),
    [
        ("sys.exit(3)", "metadata.unknown", "no source knows it"),
        ("print({})", "metadata.unknown", "no source knows it"),
        ("print('x')", "metadata.source", "expected a JSON object"),
        ("print('null')", "metadata.source", "found NoneType"),
        (
            "print(*'abcdefg', sep='\\n', file=sys.stderr); sys.exit(1)",
            "metadata.source",
            "expected exit code 0 or 3, found 1: c / d / e / f / g",
        ),
        ("sys.exit(1)", "metadata.source", "found 1, and nothing on standard error"),
        ("os.kill(os.getpid(), 9)", "metadata.source", "found -9"),
        ("print('x' * 2**21)", "metadata.source", "expected at most 1048576 bytes"),
        ("print(json.dumps({'use': 'x'}))", "metadata.record", "use: expected"),
    ],
)
def test_a_program_that_does_not_know_or_errs(site, program, lines, code, told):
    site.start(program(lines), retry_seconds=3600)
    found = missing(site)
    assert found[0] == code and told in found[1]
    assert (site.health()["status"] == "ok") is (code == "metadata.unknown")


def test_a_program_gets_the_name_whole_and_none_of_our_settings(site, program, monkeypatch):
    monkeypatch.setenv("ARTERIOLE_TOKEN", "secret")
    site.start(
        program(
            "assert sys.argv[1:] == ['S1.x-y_z'] and not sys.stdin.read()\n"
            "assert not [name for name in os.environ if name.startswith('ARTERIOLE')]\n"
            "print(json.dumps({'project': 'P1', 'use': 'research', 'control': 'phix'}))"
        )
    )
    assert site.sample("S1.x-y_z")["record"]["control"] == "phix"


def test_a_program_that_is_not_there(site, tmp_path):
    site.start({"command": {"argv": [str(tmp_path / "none"), "{sample}"]}})
    assert "it cannot be run: No such file" in missing(site)[1]


def test_a_program_is_ended_at_its_time_with_all_that_it_started(site, program, tmp_path):
    pids = tmp_path / "pids"
    site.start(
        program(
            "child = os.fork()\n"
            f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
            "time.sleep(600)",
            timeout=5,
        ),
        retry_seconds=3600,
    )
    assert "expected an end within 5 s" in missing(site)[1]
    written = [int(line) for line in pids.read_text().split()]
    assert len(written) == 2
    for pid in written:
        eventually(lambda pid=pid: not _runs(pid))


def test_a_program_does_not_outlive_an_orderly_stop(site, program, tmp_path):
    written = tmp_path / "pid"
    lines = f"open({str(written)!r}, 'w').write(f'{{os.getpid()}}.')\ntime.sleep(600)"
    site.start(program(lines, timeout=300))
    asking = threading.Thread(target=_ask_in_vain, args=(site,))
    asking.start()
    pid = int(eventually(lambda: written.exists() and written.read_text()).rstrip("."))
    assert _runs(pid)
    site.stop()
    asking.join(60)
    eventually(lambda: not _runs(pid))


def _ask_in_vain(site):
    with contextlib.suppress(requests.RequestException, AssertionError):
        site.freeze("S1")


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_bad_rows_are_told_where_they_are_and_the_others_count(site):
    site.put("a.csv", "S1,P1,research,wgs", "S2,P1,reserch,wgs", "S3,P1,clinical,wgs")
    site.start()
    assert site.freeze("S1")["complete"]
    source = site.source()
    assert source["rejected"] == 4  # the clinical sample lacks three things
    first = source["rejected_rows"][0]
    assert (first["file"], first["line"], first["column"]) == ("a.csv", 3, "use")
    health = site.health()
    assert health["status"] == "degraded" and health["rejected_rows"] == 4
    assert "S2" not in json.dumps(health)
    code, reason = missing(site, "S2")
    assert code == "metadata.record" and "a.csv:3: use: expected" in reason
    site.put("a.csv", "S1,P1,research,wgs", "S2,P1,research,wgs")
    eventually(lambda: site.health()["status"] == "ok")
    assert site.freeze("S2")["complete"]


def test_a_file_that_is_copied_slowly_is_taken_once_it_is_whole(site, monkeypatch):
    monkeypatch.setattr(csv_folder, "YOUNG", 3600.0)  # a busy machine is slow between two pieces
    site.start()
    assert not site.freeze("S1")["complete"]
    path = site.drop / "a.csv"
    with open(path, "w") as file:
        for piece in ("sample,project,use,pip", "eline\nS1,P1,rese", "arch,wgs\n"):
            file.write(piece)
            file.flush()
            eventually(lambda: site.source()["being_written"] == ["a.csv"])
            assert "a.csv is still being written" in missing(site)[1]
    os.utime(path, (1e9, 1e9))
    eventually(site.ready)
    assert site.freeze("S1")["complete"]
    assert site.source()["rejected"] == 0


def test_names_of_samples_and_projects_stay_out_of_feed_figures_health_and_log(
    site, lims, program, caplog
):
    lims.answers["SECRETSAMPLE2"] = (500, {}, b"")
    site.put("a.csv", "SECRETSAMPLE1,SECRETPROJECT,research,wgs", "SECRETSAMPLE3,SECRETPROJECT,x,y")
    site.start(site.csv(), lims.source())
    site.freeze("SECRETSAMPLE1", "SECRETSAMPLE2", "SECRETSAMPLE4")
    lims.knows("SECRETSAMPLE2", **research(project="SECRETPROJECT"))
    site.freeze("SECRETSAMPLE2", attempt=2)
    site.sample("SECRETSAMPLE1")
    told = [
        site.serving.get(path).text
        for path in ("/health", "/metrics", f"{API}/events", f"{API}/waiting")
    ]
    assert "SECRET" not in "".join(told) + caplog.text
