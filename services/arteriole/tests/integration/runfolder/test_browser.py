"""The status page as a person meets it, in a real browser."""

import json
import shutil
from pathlib import Path

import pytest

from arteriole.app import times
from arteriole.app.auth import Role, Tokens
from arteriole.app.mode import Mode
from arteriole.app.store import Store
from arteriole.disk.disk import Disk
from arteriole.disk.space import Root, Space

from .browser import ENTER, TAB, Browser
from .conftest import SLOW, Site

PLAN = {
    "stages": {
        "receive": {},
        "convert": {"after": ["receive"], "makes_attempt": True, "time_limit": 3600},
        "transfer": {"after": ["convert"]},
    }
}
DONE, FAILED, HELD, OTHER = (f"2401{day}_A00834_03{day}_AHYT5WDSX7" for day in (10, 11, 12, 13))
IMAGE = "<img src=x onerror=\"document.title='ran'\">"
SCRIPT = "<script>document.title = 'ran'</script>"
LIST, RUN = "#list", "#run"
#: Notifications find what comes; what comes before the first scan is as good as what comes later.
QUIET = {"scan_interval": SLOW, "adopt_existing": True}


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium):
    """With a console that has nothing to complain of, before and after."""
    chromium.complaints()
    yield chromium
    assert chromium.complaints() == []
    chromium.resize(1400, 900)
    chromium.hasten(1)
    chromium.open("about:blank")


@pytest.fixture(scope="module")
def site(tmp_path_factory, sequenced):
    """A run of each kind; tests take others than these where they change something."""
    site = Site(tmp_path_factory.mktemp("looking"), sequenced, **QUIET)
    site.start(scanned=False)
    for name in (DONE, FAILED, HELD):
        arrive(site, name)
    for stage in ("convert", "transfer"):
        do(site, DONE, stage)
    do(site, FAILED, "convert", "failed", code="convert.io", message="a disk fails", hint="mend it")
    site.act("hold", {"reason": "the cluster moves"}, HELD)
    yield site
    site.stop()


def arrive(site, name, plan=PLAN):
    site.bring(name)
    site.becomes(name, state="ready")
    site.act("claim", {"by": "ex1", "plan": plan}, name)


def do(site, name, stage, state="done", **told):
    site.act(f"stages/{stage}/1/begin", {"by": "ex2"}, name)
    if state != "running":
        site.act(f"stages/{stage}/1/end", {"by": "ex2", "state": state, **told}, name)


def row(name):
    return f'tr[data-run="{name}"]'


def look(browser, site, place="#/"):
    browser.open(f"{site.serving.url}/{place}")
    browser.sees("live", "#live")


def test_a_token_is_asked_for_once(browser, make_site, tmp_path):
    tokens = Tokens(tmp_path / "tokens.json")
    token = tokens.create("anna", Role.READER)
    site = make_site(**QUIET).start(scanned=False, tokens=tokens)
    browser.open(site.serving.url)
    browser.sees("A token is needed")
    assert browser.text("#refusal") == ""
    browser.enter("#token", f"wrong{ENTER}")
    browser.sees("The token was refused: this token is not known here, or was revoked", "#login")
    browser.enter("#token", f"no täken{ENTER}")
    browser.sees("That is no token", "#login")
    browser.enter("#token", f"{token}{ENTER}")
    browser.sees("No run was seen yet", LIST)
    browser.sees("arteriole inspect FOLDER", LIST)
    assert browser.script("return [localStorage.length, sessionStorage.length]") == [0, 1]
    browser.reload()
    browser.sees("No run was seen yet", LIST)
    site.bring(OTHER)
    browser.until(lambda: browser.count(row(OTHER)) == 1)
    browser.click("#forget")
    browser.sees("A token is needed")
    assert browser.count(row(OTHER)) == 0
    assert browser.script("return [localStorage.length, sessionStorage.length]") == [0, 0]
    browser.click("#keep")
    browser.enter("#token", f"{token}{ENTER}")
    browser.sees("live", "#live")
    assert browser.script("return [localStorage.length, sessionStorage.length]") == [1, 0]
    tokens.revoke("anna")
    browser.reload()
    browser.sees("The token was refused", "#login")


def test_runs_that_need_a_person_come_first(browser, site):
    look(browser, site)
    browser.until(lambda: browser.count("tr[data-run]") == 3)
    order = browser.script(
        "return [...document.querySelectorAll('tr[data-run]')].map((row) => row.dataset.run)"
    )
    assert order == [FAILED, HELD, DONE]
    browser.until(lambda: browser.text(f"{row(FAILED)} .badge") == "error")
    browser.sees("convert failed: a disk fails", row(FAILED))
    browser.sees(f"mend it; then: arteriole retry {FAILED}", row(FAILED))
    assert browser.title == "(2) Arteriole"
    browser.sees(f"Held: {HELD}", "#notices")
    browser.sees("the cluster moves", "#notices")


def test_a_stage_that_ends_is_seen_without_a_reload(browser, site):
    arrive(site, OTHER)
    look(browser, site)
    browser.script("window.stays = true")
    browser.script("document.querySelector(arguments[0]).focus()", f"{row(OTHER)} a")
    chip = f"{row(OTHER)} .stage:nth-child(2)"
    browser.until(lambda: browser.count(f"{chip}[data-state=waiting]") == 1)
    do(site, OTHER, "convert", "running")
    browser.until(lambda: browser.count(f"{chip}[data-state=running]") == 1)
    browser.sees("of 1 h", row(OTHER))
    site.act("stages/convert/1/end", {"by": "ex2", "state": "failed", "code": "x.y"}, OTHER)
    browser.until(lambda: browser.count(f"{chip}[data-state=failed]") == 1)
    assert browser.script("return window.stays")
    assert browser.focused.text == OTHER
    browser.until(lambda: browser.text(f"{row(OTHER)} .badge") == "error")
    assert browser.script("return document.getElementById('said').textContent") == f"{OTHER}: error"
    site.act("retry", {}, OTHER)
    for stage in ("convert", "transfer"):
        do(site, OTHER, stage)
    browser.until(lambda: browser.text(f"{row(OTHER)} .badge") == "done")


def test_how_far_a_job_is_and_what_a_held_stage_waits_for(browser, make_site):
    """No event tells of progress: it is asked for with every third regular look, here soon."""
    site = make_site(**QUIET).start(scanned=False)
    arrive(site, OTHER, {"stages": {**PLAN["stages"], "archive": {"after": ["convert"]}}})
    do(site, OTHER, "convert", "running")
    job = {"service": "checksum", "job_id": 7}
    site.act("stages/convert/1/attach", {"by": "ex2", **job}, OTHER)
    browser.hasten(50)
    look(browser, site)
    browser.sees("of 1 h", row(OTHER))
    told = {**job, "done": 3_180_000_000, "total": 7_500_000_000, "unit": "bytes"}
    assert site.act("stages/convert/1/progress", told, OTHER) == {"taken": True}
    browser.sees("convert\n42 %", f"{row(OTHER)} .running")
    bar, told_ = f"{row(OTHER)} .running .bar", "3.2 of 7.5 GB (42 %), as of 20"
    browser.until(lambda: browser.attribute(bar, "title").startswith(told_))
    browser.until(lambda: browser.attribute(f"{row(OTHER)} progress", "value") == "3180000000")
    browser.click(f"{row(OTHER)} a")
    browser.sees("3.2 of 7.5 GB (42 %) at ", f"{RUN} [data-stage=convert]")
    browser.sees("of 1 h", f"{RUN} [data-stage=convert]")
    site.act("stages/convert/1/progress", {**told, "done": 7_400_000_000}, OTHER)
    browser.sees("7.4 of 7.5 GB (98 %)", f"{RUN} [data-stage=convert]")
    site.act("stages/convert/1/end", {"by": "ex3", "state": "done", **job}, OTHER)
    lacking = {
        "code": "metadata.missing",
        "message": "2 samples are not known",
        "hint": "enter them",
    }
    do(site, OTHER, "archive", "running")
    do(site, OTHER, "transfer", "held", **lacking)
    browser.sees("transfer is held: it waits for something from outside", f"{RUN} .history")
    browser.sees("held since 20", f"{RUN} [data-stage=transfer]")
    assert "GB" not in browser.text(RUN)
    browser.back()
    needs = f'[data-group="person"] {row(OTHER)}'
    browser.sees("transfer is held: it waits for something from outside", needs)
    browser.until(lambda: browser.text(f"{needs} .running").startswith("archive"))
    site.act("stages/archive/1/end", {"by": "ex3", "state": "done"}, OTHER)
    browser.sees("pending", f"{needs} .badge")
    for text in ("transfer waits: 2 samples are not known", "enter them"):
        browser.sees(text, needs)
    assert browser.count(f"{needs} .stage[data-state=held]") == 1


def test_a_run_and_back_again(browser, site):
    look(browser, site)
    browser.enter("#search", "a00834 error")
    browser.until(lambda: browser.count("tr[data-run]") == 1)
    browser.click(f"{row(FAILED)} a")
    browser.sees("Why, and what now", RUN)
    assert browser.address == f"/run/{FAILED}"
    assert browser.focused.text == FAILED
    told = browser.text(RUN)
    for text in (
        "convert failed: a disk fails", f"mend it; then: arteriole retry {FAILED}",
        "unknown until the disk was looked at", "result late", "results are due 24 h after",
        "Code\nconvert.io", "Attempt 1", "after convert", "all 59 are there and whole",
        "RTAComplete.txt", "4 in the sheet", "Base calling ended?\nyes: ",
        "K00188, HiSeq 3000/4000, run", "convert ended: failed", "seen for the first time",
    ):  # fmt: skip
        assert text in told, text
    assert browser.text(f"{RUN} .command") == f"arteriole retry {FAILED}"
    assert browser.count(f"{RUN} .copy") == 1
    assert browser.find("#run time").get_attribute("title").endswith("UTC")
    browser.back()
    browser.until(lambda: browser.count("tr[data-run]") == 1)
    assert browser.address == "/?search=a00834+error"
    assert browser.focused.text == FAILED
    look(browser, site, f"#/run/{FAILED}")
    browser.sees("a disk fails", RUN)
    browser.click("#back")
    browser.until(lambda: browser.count("tr[data-run]") >= 3)


def test_each_code_leads_to_its_page_in_the_runbook_and_back(browser, site):
    look(browser, site, f"#/run/{FAILED}")
    for part in (".why", ".attempt", ".history"):
        browser.until(
            lambda part=part: browser.count(f'{RUN} {part} [href="#/code/convert.io"]') > 0
        )
    browser.script("document.querySelector(arguments[0]).scrollIntoView()", f"{RUN} .history")
    was = browser.script("return scrollY")
    assert was > 0
    browser.click(f"{RUN} .history a")
    browser.sees("Is the data safe?", "#code section h2")
    assert browser.address == "/code/convert.io" and browser.focused.text == "convert.io"
    assert browser.title == "(2) convert.io – Arteriole"
    assert browser.script("return [scrollY, document.getElementById('run').hidden]") == [0, True]
    assert browser.count("#code ol li") > 1 and browser.count("#code li code") > 0
    browser.click("#code nav a")
    browser.sees("Why, and what now", RUN)
    assert browser.address == f"/run/{FAILED}"
    assert browser.script("return scrollY") == was
    assert browser.attribute(":focus", "href").endswith("#/code/convert.io")


def test_a_page_of_the_runbook_leads_on_to_others_and_not_out_of_it(browser, site):
    look(browser, site, "#/code/convert.waits_for_space")
    browser.click('#code [href="#/code/disk.critical"]')
    browser.sees("disk.critical", "#code h1")
    look(browser, site, "#/code/apptainer.refused")
    browser.sees("How urgent?", "#code")
    addresses = "return [...document.querySelectorAll('#code a')].map((a) => a.hash)"
    assert set(browser.script(addresses)) == {"#/"}
    assert "](" not in browser.text("#code")


def test_a_code_of_which_the_runbook_has_no_page(browser, site):
    look(browser, site, "#/code/x.y")
    browser.sees("the runbook has no page of this code.", "#code")
    browser.click("#code nav a")
    browser.until(lambda: browser.count(row(FAILED)) == 1)


def test_times_in_a_message_are_those_of_here(browser, site):
    browser.stay_in("Asia/Kolkata")
    try:
        moved = {"reason": "moved from 2026-03-01T10:00:05.250Z to 2026-03-01T20:00Z"}
        site.act("release", {}, HELD)
        site.act("hold", moved, HELD)
        for place, shown in (("#/", row(HELD)), (f"#/run/{HELD}", f"{RUN} .lead")):
            look(browser, site, place)
            browser.sees("moved from 2026-03-01 15:30:05 to 2026-03-02 01:30", shown)
    finally:
        site.act("release", {}, HELD)
        site.act("hold", {"reason": "the cluster moves"}, HELD)
        browser.stay_in("")


def test_a_long_path_in_a_hint_is_not_cut(browser, site):
    look(browser, site)
    browser.sees("mend it", f"{row(FAILED)} .hint")
    widths = browser.script(
        "const hint = document.querySelector(arguments[0]); hint.prepend('/data'.repeat(30), ' ');"
        "return [hint.scrollWidth, hint.clientWidth]",
        f"{row(FAILED)} .hint",
    )
    assert widths[0] <= widths[1]


def test_a_run_that_is_not_there(browser, site):
    look(browser, site, "#/run/no-such-run")
    browser.sees("no run 'no-such-run' was seen here", RUN)
    look(browser, site, "#/run/..")
    browser.sees("this is no run's name", RUN)


def test_a_run_that_is_open_changes_by_itself(browser, site):
    look(browser, site, f"#/run/{HELD}")
    browser.sees("it is held by local: the cluster moves", RUN)
    site.act("release", {}, HELD)
    browser.sees("hold ended", f"{RUN} .history")
    browser.until(lambda: "Held:" not in browser.text("#notices"))
    site.act("hold", {"reason": "the cluster moves"}, HELD)
    browser.sees("it is held by local: the cluster moves", RUN)


def test_history_is_shown_further_on_request(browser, site):
    for number in range(15):
        site.act("hold", {"reason": f"reason {number}"}, DONE)
        site.act("release", {}, DONE)
    look(browser, site, f"#/run/{DONE}")
    browser.until(lambda: browser.count(f"{RUN} .history li") == 30)
    browser.click("#earlier")
    browser.sees("seen for the first time", f"{RUN} .history li:last-child")
    browser.sees("hold ended", f"{RUN} .history li:first-child")
    assert browser.count("#earlier") == 0


def test_what_data_says_is_text(browser, make_site):
    site = make_site(**QUIET).start(scanned=False)
    arrive(site, OTHER)
    (site.directories[0] / f"a {IMAGE.replace('/', '')}" / "Data").mkdir(parents=True)
    site.act("hold", {"reason": SCRIPT}, OTHER)
    site.act("release", {}, OTHER)
    do(site, OTHER, "convert", "failed", code="x.y", message=IMAGE, hint=SCRIPT)
    look(browser, site)
    browser.until(lambda: browser.count("tr[data-run]") == 2)
    for text in (f"convert failed: {IMAGE}", SCRIPT, f"a {IMAGE}"):
        browser.sees(text, LIST)
    browser.click(f"{row(OTHER)} a")
    browser.sees("convert ended: failed", RUN)
    assert browser.text(RUN).count(SCRIPT) >= 3  # what to do, the stage, history
    browser.back()
    browser.click(f"{LIST} tr:not({row(OTHER)}) th a")
    browser.sees(f"a {IMAGE}", f"{RUN} h1")
    browser.sees("rename the folder", RUN)
    site.serving.post("/api/1.0/holds", {"scope": "all", "reason": IMAGE + SCRIPT})
    browser.sees(IMAGE + SCRIPT, "#notices")
    assert browser.count("body img, body script") == 0
    assert "ran" not in browser.title.split()


def test_the_policy_lets_no_markup_in(browser, site):
    look(browser, site)
    refused = (
        "const p = document.querySelector('main');"
        "try { p.innerHTML = arguments[0]; return '' } catch (err) { return err.name }"
    )
    assert browser.script(refused, IMAGE) == "TypeError"
    browser.script(
        "const p = document.createElement('p'); p.setAttribute('style', 'color: red');"
        "document.body.append(p);"
    )
    browser.until(lambda: any("Content Security Policy" in told for told in browser.complaints()))


def test_a_lost_connection_is_told_and_mended(browser, make_site):
    site = make_site(**QUIET).start(scanned=False)
    arrive(site, OTHER)
    look(browser, site)
    browser.sees("started", row(OTHER))
    port = site.serving.port
    site.stop()
    browser.sees("Not live since", "#lost")
    browser.sees("what is shown is of then", "#lost")
    browser.until(lambda: browser.text("#live").startswith("not live since"))
    assert browser.title == "Arteriole"
    assert browser.count(f"{row(OTHER)} [data-state=done]") == 1
    site.start(scanned=False, port=port)
    do(site, OTHER, "convert", "running")
    browser.until(lambda: browser.count(f"{row(OTHER)} [data-state=running]") == 1)
    browser.until(lambda: browser.text("#live") == "live")
    assert browser.count("#lost") == 0
    site.act("stages/convert/1/end", {"by": "ex2", "state": "done"}, OTHER)
    browser.until(lambda: browser.count(f"{row(OTHER)} [data-state=done]") == 2)


def test_another_store_is_noticed(browser, make_site, sequenced):
    site = make_site(**QUIET).start(scanned=False)
    for name in (OTHER, DONE):
        site.bring(name)
        site.becomes(name, state="ready")
    look(browser, site)
    browser.until(lambda: browser.count("tr[data-run]") == 2)
    port = site.serving.port
    site.stop()
    shutil.rmtree(site.store.parent)
    shutil.rmtree(site.directories[0] / OTHER)
    site.start(scanned=False, port=port)
    browser.until(lambda: browser.count(row(OTHER)) == 0 and browser.text("#live") == "live")
    browser.until(lambda: browser.count(row(DONE)) == 1)


def test_pages_that_were_left_hold_no_connection(browser, site):
    """A browser keeps them for the way back, and has six connections to one host."""
    for _ in range(8):
        look(browser, site)
        assert browser.script("return performance.now()") < 20_000  # ms; else one gave up waiting


def test_filters_and_search_stand_in_the_address(browser, site):
    look(browser, site)
    browser.click("#shows [data-show=person]")
    browser.until(lambda: browser.count(row(DONE)) == 0)
    assert browser.count(row(FAILED)) == 1
    assert browser.address == "/?show=person"
    browser.enter("#search", "no such run")
    browser.sees("No run matches “no such run” here", LIST)
    look(browser, site, "#/?state=done&search=convert:done")
    browser.until(lambda: browser.count(row(DONE)) == 1)
    assert browser.count(row(FAILED)) == 0
    assert browser.find("#state").get_attribute("value") == "done"
    assert browser.find("#search").get_attribute("value") == "convert:done"
    look(browser, site, "#/?show=underway")
    browser.sees("Nothing is under way", LIST)


def test_with_the_keyboard_alone(browser, site):
    look(browser, site)
    browser.press(TAB)
    assert browser.focused.text == "Skip to the runs"
    browser.press("/")
    assert browser.focused.get_attribute("id") == "search"
    browser.press(FAILED, TAB)
    browser.until(lambda: browser.count("tr[data-run]") == 1)
    assert browser.focused.text == FAILED
    browser.press(ENTER)
    browser.sees("a disk fails", RUN)


@pytest.mark.parametrize("width", [360, 800])
@pytest.mark.parametrize("place", ["#/", f"#/run/{FAILED}"])
def test_a_narrow_page_is_as_wide_as_the_screen(browser, site, width, place):
    browser.resize(width, 800)
    look(browser, site, place)
    browser.sees("a disk fails", "main")
    assert browser.script("return document.documentElement.scrollWidth") <= width


def test_what_the_site_must_know_is_said_at_the_top(browser, make_site):
    spaces = {"/full": Space(1, 10**12, 10**10), "/fills": Space(2, 10**12, 10**11)}
    roots = [Root(f"wes{path}_root".replace("/", "."), Path(path), 15, 5) for path in spaces]
    disk = Disk(roots, 0.1, lambda path: spaces[str(path)])
    disk.expect("wes", {Path("/fills"): 10**11})
    site = make_site(heartbeat_limit=0.01, mode=Mode.OBSERVE, disk=disk).start(scanned=False)
    site.serving.post("/api/1.0/heartbeat", {"sensor": "arteria"})
    site.directories[1].rmdir()
    for name in ("A00834", "all"):
        scope = {"scope": "all"} if name == "all" else {"scope": "instrument", "name": name}
        site.serving.post("/api/1.0/holds", {**scope, "reason": f"service of {name}"})
    look(browser, site)
    for text in (
        f"A monitored directory cannot be read: {site.directories[1]}",
        "The orchestrator's sensor is silent: nobody looks for what is overdue either, so no stage",
        "st2 sensor list (sensor.silent)",
        "It only observes", "observes only",
        "Held: all runs of A00834", "Held: all runs: no stage", "service of all",
        "Too little space, no conversion begins: wes.full_root (/full): 10.0 GB of 1.0 TB are free",
        "A volume fills up: wes.fills_root (/fills): 100.0 GB of 1.0 TB are free (10 %); 100.0 GB",
    ):  # fmt: skip
        browser.sees(text)
    for code in ("sensor.silent", "disk.critical", "disk.early"):
        assert browser.text(f'#notices [href="#/code/{code}"]') == code


def test_a_run_that_was_only_observed(browser, make_site):
    site = make_site(**QUIET, mode=Mode.OBSERVE).start(scanned=False)
    arrive(site, OTHER)
    do(site, OTHER, "convert", code="run.observed")
    look(browser, site, f"#/run/{OTHER}")
    browser.sees("no: it was only observed", f"{RUN} .facts")
    browser.sees("skipped", f"{RUN} .attempt")
    assert "run.observed" not in browser.text(f"{RUN} .attempt")


@pytest.fixture
def thousands(make_site):
    """2,000 runs, straight into the store; their folders are there, so that none is judged."""
    site = make_site(**QUIET).start(scanned=False)
    site.stop()
    store = Store(site.store, "arteriole.runfolder.sql")
    with store.transaction():
        for number in range(2000):
            name, at = f"200624_A00834_{number:04}_BHMTFYDRXX", times.now(-3600.0 * number)
            path = site.directories[0] / name
            path.mkdir()
            store.execute(
                "INSERT INTO run (id, name, path, first_seen, adopted, verdict, verdict_since,"
                " message, evidence, attempt) VALUES (?, ?, ?, ?, 1, 'complete', ?, ?, ?, 1)",
                (number + 1, name, str(path), at, at, "all are there", json.dumps({"samples": 4})),
            )
            store.execute("INSERT INTO attempt (run, attempt, made) VALUES (?, 1, ?)",
                          (number + 1, at))  # fmt: skip
            for position, stage in enumerate(("receive", "convert", "transfer", "archive")):
                store.execute(
                    "INSERT INTO stage (run, stage, attempt, position, after, time_limit, state,"
                    " begun, ended) VALUES (?, ?, 1, ?, '[]', 3600, ?, ?, ?)",
                    (number + 1, stage, position, "failed" if number == 1999 and position == 3
                     else "done", at, at),
                )  # fmt: skip
    store.close()
    return site.start(scanned=False)


def test_two_thousand_runs(browser, thousands):
    look(browser, thousands)
    browser.sees("2000 runs", "#count")
    assert browser.count("tr[data-run]") == 100
    first = "document.querySelector('tr[data-run]').dataset.run"
    assert "_1999_" in browser.script(f"return {first}")  # it needs a person
    browser.script("scrollTo(0, document.body.scrollHeight)")
    browser.until(lambda: browser.count("tr[data-run]") > 100)
    searched = """
        const search = document.getElementById('search');
        const begun = performance.now();
        search.value = given[0];
        search.dispatchEvent(new Event('input'));
        while (document.querySelectorAll('tr[data-run]').length !== 1)
            await new Promise(requestAnimationFrame);
        return performance.now() - begun;
    """
    assert browser.promise(searched, "_1234_") < 10_000  # ms


PIECES = [
    (["id: e-1\nevent: x\ndata: {}\n\n"], [["x", "{}", "e-1"]]),
    (["id: e-1\r\nevent: x\r", "\ndata: {}\r\n\r\n"], [["x", "{}", "e-1"]]),
    (["da", "ta: a\n", "data: b\n", "\n"], [["message", "a\nb", None]]),
    (["\n", "\n\n", ": a comment\n\n"], []),
    (
        ["event: reset\ndata: {}\n\nid: 2\ndata:x\n\nda"],
        [["reset", "{}", None], ["message", "x", "2"]],
    ),
    (["event: x\n\n", "data: y\n\n"], [["message", "y", None]]),
]


def test_the_stream_may_come_in_any_pieces(browser, site):
    look(browser, site)
    frames = """
        const { Frames } = await import('/static/feed.js');
        const frames = new Frames();
        const found = given[0].flatMap((piece) => frames.push(piece));
        return found.map(({ event, data, id }) => [event, data, id]);
    """
    for pieces, events in PIECES:
        assert browser.promise(frames, pieces) == events, pieces
        assert browser.promise(frames, list("".join(pieces))) == events, pieces


LANE = {
    **{"lane": 2, "clusters_pf": 900, "percent_pf": 90.0, "density": 281400},
    **{"percent_q30": 91.5, "yield_gigabases": 0},
}
CLUSTERS = "900 clusters passed the filter (90 %), 281 thousand a mm²"

WORDS = [
    ("times", "duration", [59.9], "59 s"),
    ("times", "duration", [3599], "59 min"),
    ("times", "duration", [7500], "2 h 05 min"),
    ("times", "duration", [14459], "4 h"),
    ("times", "duration", [93600], "1 d 2 h"),
    ("times", "duration", [86400], "1 d"),
    ("times", "utc", ["2026-11-24T13:03:22.500Z"], "2026-11-24 13:03:22 UTC"),
    ("words", "dateOf", [{"name": "200624_A_1_X", "first_seen": ""}], "2020-06-24"),
    ("words", "dateOf", [{"name": "20231108_A_1_X", "first_seen": ""}], "2023-11-08"),
    ("words", "dateOf", [{"name": "x", "first_seen": "2026-01-02T03:04:05Z"}], "2026-01-02"),
    ("words", "progressText", [{"done": 5, "total": 1028, "unit": "cycles"}],
     "cycle 5 of 1\u202f028"),
    ("words", "progressText", [{"done": 1500, "total": 2000, "unit": "tiles"}],
     "1\u202f500 of 2\u202f000 tiles"),
    ("words", "progressText", [{"done": 5, "total": 999, "unit": "bytes"}], "5 of 999 bytes"),
    ("words", "progressText", [{"done": 0, "total": 1000, "unit": "bytes"}], "0.0 of 1.0 kB"),
    ("words", "progressText", [{"done": 5e11, "total": 2e15, "unit": "bytes"}], "0.0 of 2.0 PB"),
    ("words", "hintParts", ["arteriole retry X"], ["", "arteriole retry X", ""]),
    ("words", "hintParts", ["mend it; then: arteriole retry X"],
     ["mend it; then: ", "arteriole retry X", ""]),
    ("words", "hintParts", ["copy: rsync -a A/ B/ ; then wait"],
     ["copy: ", "rsync -a A/ B/", "; then wait"]),
    ("words", "hintParts", ["see arteriole steps X_1; when it is mended: arteriole retry X_1"],
     ["see ", "arteriole steps X_1", "; when it is mended: ", "arteriole retry X_1", ""]),
    ("words", "hintParts", ["anew (arteriole redo X_1 --from convert), or correct it"],
     ["anew (", "arteriole redo X_1 --from convert", "), or correct it"]),
    ("words", "hintParts", ["make room: arteriole clean RUN lists what may go"],
     ["make room: ", "arteriole clean RUN", " lists what may go"]),
    ("words", "hintParts", ["arteriole config check tells when it is good"],
     ["", "arteriole config check", " tells when it is good"]),
    ("words", "hintParts", ["rename the folder"], ["rename the folder"]),
    ("words", "stateWord", ["held"], "held"),
    ("words", "stateWord", ["some_new_state"], "some new state"),
    ("words", "metricsWords", [{"cycle": 8, "lanes": [{**LANE, "yield_gigabases": 1.5}]}],
     [["Last cycle measured", "8"], ["Lane 2", f"{CLUSTERS}, 91.5 % at Q30 or better"]]),
    ("words", "metricsWords", [{"cycle": 8, "lanes": [{**LANE, "percent_q30": 0}]}],
     [["Last cycle measured", "8"], ["Lane 2", f"{CLUSTERS}, no qualities"]]),
    ("places", "placeOf", ["#/run/a%20b"], {"run": "a b"}),
    ("places", "placeOf", ["#/run/%E0%A4%A"], {"run": "%E0%A4%A"}),
    ("places", "placeOf", ["#/?show=other"], {"show": "all", "state": "", "search": ""}),
]  # fmt: skip


def test_words(browser, site):
    look(browser, site)
    said = "return (await import(`/static/${given[0]}.js`))[given[1]](...given[2])"
    for module, function, arguments, words in WORDS:
        assert browser.promise(said, module, function, arguments) == words, (function, arguments)


def test_a_job_whose_end_is_reckoned(browser, site):
    look(browser, site)
    shown = """
        const { jobBar } = await import('/static/parts.js');
        const { local } = await import('/static/times.js');
        const at = '2026-11-24T13:03:22.500Z', ends = '2026-11-25T01:40:00.000Z';
        const progress = { done: 300, total: 400, unit: 'tiles', percent: 75, at };
        const bars = [progress, { ...progress, ends }].map((one) => jobBar(one, { full: true }));
        const told = bars.map((bar) => [bar.textContent, bar.title]);
        return [local(ends, { seconds: false }), ...told];
    """
    ends, (text, title), (known, its) = browser.promise(shown)
    assert text.startswith("300 of 400 tiles (75 %) at ") and "until" not in text + title
    assert known == f"{text}, until about {ends}" and its == f"{title}, until about {ends}"


def test_a_stage_in_a_state_that_is_not_known_is_shown(browser, site):
    look(browser, site)
    shown = """
        const { stageChip } = await import('/static/parts.js');
        return ['held', 'asleep'].map((state) => {
            const chip = stageChip({ stage: 'deliver', state });
            document.getElementById('count').replaceChildren(chip);
            return [chip.innerText, getComputedStyle(chip, '::before').content.slice(0, 3)];
        });
    """
    (held, sign), (asleep, other) = browser.promise(shown)
    assert held.startswith("deliver") and asleep == "deliver: asleep"
    assert (sign, other) == ('"‖"', '"?"')
