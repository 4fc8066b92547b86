"""Sheets that people hand in for a flow cell, over HTTP and on a real disk."""

import hashlib
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from arteriole.app.auth import Role, Tokens
from arteriole.app.mode import Mode
from arteriole.runfolder import sheets as lookup

from .conftest import base64_of

FLOW_CELL = "HMTFYDRXX"
SHEET = "[Data]\nSample_ID,index\nA,ACGTACGT\nB,TGCATGCA\n"
OTHER = SHEET.replace("B,", "C,")
WHERE = "/api/1.0/samplesheets"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def body(sheet=SHEET, **more):
    return {"flow_cell": FLOW_CELL, "sheet": base64_of(sheet), **more}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "sheets"


@pytest.fixture
def site(make_service):
    return make_service()


def told(site):
    events = site.get("/api/1.0/events").json()["events"]
    return [event for event in events if event["what"] == "sheet_handed_in"]


def test_it_lies_where_it_is_looked_up(site, folder, monkeypatch):
    answer = site.post(WHERE, body())
    assert (answer.status_code, answer.json()) == (
        200,
        {
            **{"flow_cell": FLOW_CELL, "file": f"{FLOW_CELL}.csv", "sha256": sha256(SHEET)},
            **{"written": True, "replaced": "", "kept_as": "", "findings": []},
        },
    )
    assert [path.name for path in folder.iterdir()] == [f"{FLOW_CELL}.csv"]
    assert stat.S_IMODE((folder / f"{FLOW_CELL}.csv").stat().st_mode) == 0o644
    monkeypatch.setattr(lookup, "SETTLE", 0.0)
    assert lookup._DropFolder(folder).find("a_run", FLOW_CELL) == SHEET.encode()
    (event,) = told(site)
    assert (event["who"], event["payload"]["flow_cell"]) == ("local", FLOW_CELL)
    assert event["payload"]["sha256"] == sha256(SHEET)
    again = site.post(WHERE, body()).json()
    assert (again["written"], len(told(site))) == (False, 1)


def test_another_sheet_is_replaced_by_who_knows_it(site, folder, monkeypatch):
    site.post(WHERE, body())
    for replace in ({}, {"replace": sha256(OTHER)}):
        answer = site.post(WHERE, body(OTHER, **replace))
        assert answer.status_code == 409, answer.text
        assert answer.json()["error"]["code"] == "sheet.other_there"
        assert answer.json()["sha256"] == sha256(SHEET)
    assert (folder / f"{FLOW_CELL}.csv").read_text() == SHEET
    done = site.post(WHERE, body(OTHER, replace=sha256(SHEET))).json()
    assert (done["written"], done["replaced"]) == (True, sha256(SHEET))
    assert (folder / f"{FLOW_CELL}.csv").read_text() == OTHER
    assert re.fullmatch(FLOW_CELL + r"\.csv\.replaced-\d{8}T\d{6}\.\d{6}Z", done["kept_as"])
    assert (folder / done["kept_as"]).read_text() == SHEET
    assert len(list(folder.iterdir())) == 2
    monkeypatch.setattr(lookup, "SETTLE", 0.0)
    assert lookup._DropFolder(folder).find("a_run", FLOW_CELL) == OTHER.encode()
    assert [e["payload"]["replaced"] for e in told(site)] == ["", sha256(SHEET)]


def test_of_several_at_once_one_is_taken(site, folder):
    sheets = [SHEET.replace("A,", f"A{n},") for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda sheet: site.post(WHERE, body(sheet)), sheets))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    (taken,) = (n for n, answer in enumerate(answers) if answer.ok)
    assert [path.read_text() for path in folder.iterdir()] == [sheets[taken]]
    assert len(told(site)) == 1


def test_a_sheet_with_errors_is_refused_with_what_was_found(site, folder):
    answer = site.post(WHERE, body(SHEET.replace("TGCATGCA", "ACGTACGA")))
    assert answer.status_code == 422
    document = answer.json()
    assert document["error"]["code"] == "sheet.index_collision"
    assert [finding["line"] for finding in document["findings"]] == [4]
    assert list(folder.iterdir()) == [] and told(site) == []


def test_a_warning_is_told_and_stops_nothing(site):
    answer = site.post(WHERE, body("[Odd]\n" + SHEET)).json()
    assert [finding["code"] for finding in answer["findings"]] == ["sheet.section_ignored"]
    assert answer["written"] is True


@pytest.mark.parametrize(
    "flow_cell", ["../x", "..", "a/b", "hmtfydrxx", ".HID", "A b", "A\x00B", "", "A" * 41, "A\n"]
)
def test_odd_names_are_refused(site, folder, tmp_path, flow_cell):
    answer = site.post(WHERE, {**body(), "flow_cell": flow_cell})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "flow_cell")
    assert list(folder.iterdir()) == [] and not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "pipe", "large"])
def test_what_is_no_sheet_is_neither_read_nor_replaced(site, folder, tmp_path, kind):
    target, secret = folder / f"{FLOW_CELL}.csv", tmp_path / "secret"
    secret.write_text(SHEET)
    make = {
        "link": lambda: target.symlink_to(secret),
        "dangling": lambda: target.symlink_to(tmp_path / "none"),
        "folder": target.mkdir,
        "pipe": lambda: os.mkfifo(target),
        "large": lambda: target.write_bytes(b"x" * (512 * 1024 + 1)),
    }
    make[kind]()
    before = target.lstat()
    answer = site.post(WHERE, body(OTHER, replace=sha256(SHEET)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "sheet.folder")
    assert target.lstat() == before and secret.read_text() == SHEET
    assert not (tmp_path / "none").exists() and len(list(folder.iterdir())) == 1


def test_a_folder_that_is_away_or_full_is_told(site, folder, monkeypatch):
    folder.rmdir()
    answer = site.post(WHERE, body())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "sheet.folder")
    assert not folder.exists()
    folder.mkdir()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    answer = site.post(WHERE, body())
    assert "No space left on device" in answer.json()["error"]["message"]
    assert list(folder.iterdir()) == []


def test_who_may_and_when(make_service, tmp_path):
    tokens = Tokens(tmp_path / "tokens.json")
    secrets = {
        role: tokens.create(role.name.lower(), role) for role in (Role.READER, Role.OPERATOR)
    }
    site = make_service(tokens=tokens)

    def post(role, path=WHERE, **more):
        headers = {"Authorization": f"Bearer {secrets[role]}"} if role else {}
        return site.post(path, body(**more), headers=headers).status_code

    assert [post(None), post(Role.READER)] == [401, 403]
    assert post(Role.READER, f"{WHERE}/check") == 200
    assert post(Role.OPERATOR) == 200
    headers = {"Authorization": f"Bearer {secrets[Role.READER]}"}
    events = site.get("/api/1.0/events", headers=headers).json()["events"]
    assert [event["who"] for event in events] == ["operator"]


def test_nothing_is_handed_in_while_it_observes_or_where_there_is_no_folder(make_service, folder):
    observing, without = make_service(mode=Mode.OBSERVE), make_service(sheet_folder=None)
    for site, status, code in ((observing, 409, "sheet.observe"), (without, 503, "sheet.folder")):
        answer = site.post(WHERE, body())
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert site.get(WHERE).json()["hand_in"] is False
    assert list(folder.iterdir()) == []
