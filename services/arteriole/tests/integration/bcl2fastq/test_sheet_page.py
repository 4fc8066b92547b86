"""The page for sample sheets: its files over HTTP, and as a person meets it in a real browser."""

import re
from importlib import resources

import pytest

from arteriole.app import page as shared
from arteriole.app.auth import Role, Tokens
from arteriole.bcl2fastq import page

from ..runfolder.browser import ENTER, Browser

FILES = {
    file.name: file
    for package in (shared, page)
    for file in resources.files(package).iterdir()
    if file.name.endswith((".html", ".css", ".js", ".svg"))
}
FLOW_CELL = "HMTFYDRXX"
IMAGE = "<img src=x onerror=\"document.title='ran'\">"
GOOD = "[Data]\nSample_ID,index\nA,ACGTACGT\nB,TGCATGCA\n"
BAD = f'[Data]\nSample_ID,Description,index\nA,"a, b",ACGTACGX\n{IMAGE},,TGCATGCA\n'
OTHER = GOOD.replace("B,", "C,")


def test_its_files_are_served_to_be_trusted_by_nothing_else(make_service):
    site = make_service()
    for path in ("/samplesheet", *(f"/static/{name}" for name in FILES)):
        answer = site.get(path)
        assert answer.status_code == 200, path
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'") and "unsafe" not in policy
    for path in ("/static/__init__.py", "/static/%2e%2e%2fkind.py", "/static/main.js", "/"):
        assert site.get(path).status_code == 404, path
    assert "security" not in site.get("/openapi.json").json()["paths"]["/samplesheet"]["get"]


@pytest.mark.parametrize("name", FILES)
def test_no_file_asks_another_host_or_makes_markup_of_text(name):
    text = FILES[name].read_text(encoding="utf-8")
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    assert not re.findall(r"<[a-z]+[^>]*\s(?:style|on[a-z]+)=", text)


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium):
    chromium.complaints()
    yield chromium
    assert chromium.complaints() == []
    chromium.open("about:blank")


def drop(browser, name, text):
    """As if a file were let go of over the page."""
    browser.script(
        "const data = new DataTransfer();"
        "data.items.add(new File([arguments[1]], arguments[0], {type: 'text/csv'}));"
        "document.getElementById('drop').dispatchEvent("
        "new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));",
        name,
        text,
    )


def test_a_person_checks_a_sheet_mends_it_and_hands_it_in(browser, make_service, tmp_path):
    tokens = Tokens(tmp_path / "tokens.json")
    token = tokens.create("anna", Role.OPERATOR)
    site = make_service(tokens=tokens)
    browser.open(f"{site.url}/samplesheet")
    browser.sees("A token is needed")
    browser.enter("#token", f"wrong{ENTER}")
    browser.sees("The token was refused: this token is not known here", "#login")
    browser.enter("#token", f"{token}{ENTER}")
    browser.sees("Drop a sheet here", "#work")

    (tmp_path / "next.csv").write_text(BAD)
    browser.find("#file").send_keys(str(tmp_path / "next.csv"))
    browser.sees("next.csv: 2 errors; checked without its run", "#verdict")
    marks = "return [...document.querySelectorAll('mark')].map((one) => one.textContent)"
    assert browser.script(marks) == ["ACGTACGX", IMAGE]
    browser.sees("expected an index of A, C, G, T (and N), found 'ACGTACGX'", "#line-3 + .finding")
    browser.sees("Try: write out the bases in capital letters", "#line-3 + .finding")
    browser.sees("[sheet.name_characters]", "#line-4 + .finding")
    assert "Is the data safe?" not in browser.text("#sheet")
    browser.click("#line-4 + .finding summary")
    browser.sees("Is the data safe?", "#line-4 + .finding h2")
    assert browser.count("img") == 0 and "ran" not in browser.title
    assert browser.text("#hand_in") == ""

    browser.enter("#flow_cell", FLOW_CELL)
    drop(browser, "mended.csv", GOOD)
    browser.sees("mended.csv: nothing is wrong with it", "#verdict")
    browser.click("#deliver")
    browser.sees(f"{FLOW_CELL}.csv is handed in. SHA-256", "#delivered")
    there = tmp_path / "sheets" / f"{FLOW_CELL}.csv"
    assert there.read_text() == GOOD

    drop(browser, "other.csv", OTHER)
    browser.sees("other.csv: nothing", "#verdict")
    browser.click("#deliver")
    browser.sees("Another sheet lies there", "#hand_in")
    assert there.read_text() == GOOD
    browser.click("#replace")
    browser.sees("the earlier one is kept as", "#delivered")
    assert there.read_text() == OTHER
    headers = {"Authorization": f"Bearer {token}"}
    events = site.get("/api/1.0/events", headers=headers).json()["events"]
    assert [(e["who"], e["what"]) for e in events] == [("anna", "sheet_handed_in")] * 2

    tokens.revoke("anna")
    browser.click("#check")
    browser.sees("The token was refused", "#login")
    assert browser.script("return sessionStorage.length") == 0


def test_what_cannot_be_asked_is_told(browser, make_service):
    site = make_service(sheet_folder=None)
    browser.open(f"{site.url}/samplesheet")
    browser.sees("Drop a sheet here", "#work")
    browser.enter("#flow_cell", "hmtf")
    drop(browser, "next.csv", GOOD)
    browser.sees("flow_cell", "#trouble")
    browser.enter("#flow_cell", FLOW_CELL)
    browser.click("#check")
    browser.sees("next.csv: nothing is wrong with it", "#verdict")
    assert (browser.text("#trouble"), browser.text("#hand_in")) == ("", "")
    drop(browser, "large.csv", "x" * (512 * 1024 + 1))
    browser.sees("large.csv is larger than 512 KiB", "#trouble")
    drop(browser, "empty.csv", "")
    browser.sees("the sample sheet is empty", "#rest")
