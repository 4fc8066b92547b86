"""The status page's files over HTTP, what it asks for, and the colours it uses."""

import itertools
import re
from importlib import resources
from pathlib import Path

import pytest

from arteriole.app import page as shared_page
from arteriole.app import times
from arteriole.app.auth import Role, Tokens
from arteriole.runfolder import page

from .conftest import Site

RUNBOOK = Path(__file__).parents[5] / "docs" / "runbook"
FILES = {
    file.name: file
    for package in (shared_page, page)
    for file in resources.files(package).iterdir()
    if file.name.endswith((".html", ".css", ".js", ".svg"))
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory, sequenced):
    folder = tmp_path_factory.mktemp("page")
    tokens = Tokens(folder / "tokens.json")
    site = Site(folder, sequenced).start(scanned=False, tokens=tokens)
    token = tokens.create("anna", Role.READER)
    site.serving.reader = {"Authorization": f"Bearer {token}"}
    yield site.serving
    site.stop()


def test_the_page_needs_no_token_and_holds_no_data(shared):
    assert shared.get("/api/1.0/runs").status_code == 401
    answer = shared.get("/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text == (resources.files(page) / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("main.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("index.html", "text/html; charset=utf-8"),
    ],
)
def test_content_types(shared, name, content_type):
    answer = shared.get(f"/static/{name}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)


@pytest.mark.parametrize("path", ["/", *(f"/static/{name}" for name in FILES)])
def test_the_browser_is_told_to_trust_nothing_else(shared, path):
    answer = shared.get(path)
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy.pop("default-src") == "'none'"
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert {policy[key] for key in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert policy["frame-ancestors"] == "'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_what_has_not_changed_is_not_sent_again(shared):
    seen = shared.get("/static/main.js").headers["ETag"]
    assert shared.get("/static/main.js", headers={"If-None-Match": seen}).status_code == 304


@pytest.mark.parametrize(
    "path",
    [
        "/static/other.js",
        "/static/__init__.py",
        "/static/%2e%2e%2fservice.py",
        "/static/..%2F..%2Fpy.typed",
        "/static/page.css%00.js",
        "/static/%2Fetc%2Fpasswd",
        "/static/page/main.js",
        "/static/",
        "/static",
    ],
)
def test_nothing_else_is_served(shared, path):
    answer = shared.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] in ("request.not_found", "request.invalid")


def test_the_page_is_in_the_table_of_routes(shared):
    paths = shared.get("/openapi.json").json()["paths"]
    assert "security" not in paths["/"]["get"]
    assert "/static/{file}" in paths


def test_the_runbook_is_told_to_whoever_may_see_the_runs(shared):
    path = "/api/1.0/runbook/convert.io"
    assert shared.get(path).status_code == 401
    text = (RUNBOOK / "convert.io.md").read_text(encoding="utf-8")
    assert shared.get(path, headers=shared.reader).json() == {"code": "convert.io", "text": text}


@pytest.mark.parametrize(
    "name",
    ["README", "convert.io.md", "x.y", "..%2Frunbook%2Fconvert.io", "%2e%2e%2f__init__", "%00"],
)
def test_only_codes_are_looked_up_in_the_runbook(shared, name):
    answer = shared.get(f"/api/1.0/runbook/{name}", headers=shared.reader)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "request.not_found")


@pytest.mark.parametrize("name", FILES)
def test_no_file_asks_another_host_or_makes_markup_of_text(name):
    text = FILES[name].read_text(encoding="utf-8")
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    assert not re.findall(r"<[a-z]+[^>]*\s(?:style|on[a-z]+)=", text)


@pytest.fixture(scope="module")
def many(tmp_path_factory, sequenced):
    """Five runs, the last of which is claimed."""
    site = Site(tmp_path_factory.mktemp("many"), sequenced, adopt_existing=True)
    site.start(scanned=False)
    for number in range(5):
        site.bring(f"run-{number}")
        site.becomes(f"run-{number}", state="ready")
    plan = {"stages": {"receive": {}, "convert": {"after": ["receive"], "time_limit": 60}}}
    site.act("claim", {"by": "ex", "plan": plan}, "run-4")
    yield site
    site.stop()


def test_a_page_of_runs_begins_with_the_last_seen(many):
    pages, before = [], ""
    while before is not None:
        found = many.serving.get(f"/api/1.0/runs?brief=true&limit=2{before}").json()
        pages.append([run["name"] for run in found["runs"]])
        before = found["before"] and f"&before={found['before']}"
    assert pages == [["run-4", "run-3"], ["run-2", "run-1"], ["run-0"]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "before=-1", "brief=2", "state=x"]
)
def test_a_page_that_cannot_be_is_refused(many, query):
    assert many.serving.get(f"/api/1.0/runs?{query}").status_code == 400


def test_a_run_in_brief_says_what_the_whole_says(many):
    whole = many.run("run-4")
    brief = many.serving.get("/api/1.0/runs/run-4?brief=true").json()
    listed = many.serving.get("/api/1.0/runs?brief=true&limit=1").json()["runs"]
    assert listed == [brief]
    same = {"name", "path", "instrument", "state", "standing", "since", "progress", "verdict"}
    same |= {"observed", "attempt", "first_seen", "group"}
    assert {key: brief[key] for key in same} == {key: whole[key] for key in same}
    assert set(brief) - same == {"why", "held", "waived", "degraded", "stages"}
    assert brief["why"].items() <= whole["why"].items()
    assert [stage["stage"] for stage in brief["stages"]] == ["receive", "convert"]
    assert all(
        one.items() <= all_.items()
        for one, all_ in zip(brief["stages"], whole["stages"], strict=True)
    )


def test_the_list_names_the_cursor_after_which_the_next_event_comes(many):
    cursor = many.serving.get("/api/1.0/runs").json()["next"]
    assert many.serving.get(f"/api/1.0/events?after={cursor}").json()["events"] == []
    many.act("hold", {"reason": "later"}, "run-0")
    events = many.serving.get(f"/api/1.0/events?after={cursor}").json()["events"]
    many.act("release", {}, "run-0")
    assert [event["what"] for event in events] == ["held"]


def test_history_is_read_back_from_its_end(many):
    path = "/api/1.0/runs/run-4/history"
    whole = many.serving.get(path).json()
    ids = [event["id"] for event in whole["events"]]
    assert whole["before"] is None and len(ids) > 3
    back, before = [], ""
    while before is not None:
        found = many.serving.get(f"{path}?limit=2{before}").json()
        back += [event["id"] for event in found["events"]]
        before = found["before"] and f"&before={found['before']}"
    assert back == ids[::-1]
    strange = many.serving.get(f"{path}?limit=1&before=other-3").json()["events"]
    assert [event["id"] for event in strange] == ids[-1:]


def test_since_when_a_run_stands_as_it_does(many):
    assert many.run("run-3")["since"] <= times.now()
    many.act("stages/convert/1/begin", {"by": "ex"}, "run-4")
    run = many.run("run-4")
    assert run["since"] == run["stages"][-1]["begun"]
    many.act("hold", {"reason": "later"}, "run-4")
    run = many.run("run-4")
    assert run["since"] == run["held"]["since"]
    many.act("release", {}, "run-4")
    many.act("stages/convert/1/end", {"by": "ex", "state": "failed", "code": "x.y"}, "run-4")
    run = many.run("run-4")
    assert run["since"] == run["stages"][-1]["ended"]
    many.act("abort", {"reason": "enough"}, "run-4")
    assert many.run("run-4")["since"] > run["since"]


# Contrast, as of WCAG 2.2, success criterion 1.4.3: 4.5 for text of this size.

PAIRS = [
    *itertools.product(("text", "faint", "link", "good", "bad"), ("back", "face")),
    ("busy", "busy-back"), ("warn", "warn-back"), ("bad", "bad-back"), ("good", "calm-back"),
    ("text", "calm-back"), ("text", "warn-back"), ("text", "bad-back"), ("warn", "face"),
    ("face", "link"), ("face", "text"),
]  # fmt: skip


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "back"), PAIRS, ids="-on-".join)
def test_contrast(scheme, text, back):
    css = FILES["base.css"].read_text(encoding="utf-8")
    root = re.findall(r":root \{(.*?)\}", css, re.S)[scheme]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", root))
    one, other = sorted((luminance(colours[text]), luminance(colours[back])))
    assert (other + 0.05) / (one + 0.05) >= 4.5
