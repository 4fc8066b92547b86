"""Sheets that are checked over HTTP: of a run, for a flow cell, before there is a run."""

import base64

import pytest

from arteriole.app.mode import Mode
from arteriole.bcl2fastq.kind import Bcl2fastqKind
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.jobs.service import JobService
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.sequencer import write_run

from ..app.serving import Serving

FLOW_CELL = "HFJ5CBBXX"
SHEET = "[Data]\nSample_ID,Sample_Project,index\nA,P1,ACGTACGTAC\nB,P2,TGCATGCATG\n"


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("site")
    for folder in ("fastq", "sheets", "runs"):
        (home / folder).mkdir()
    plan = default_plan(clusters=10, read_cycles=(4, 4), lanes=1, swaths=1)
    write_run(plan, home / "runs")
    return home


@pytest.fixture(scope="module")
def check(home):
    kit = home / "kit.csv"
    kit.write_text("SI-XX-A1,GGTTTACA,CTAAACGC,TCGGCGTG,AACCGTAT\n")  # made up; the form is 10x's
    settings = Bcl2fastqSettings(
        run_roots=[home / "runs"],
        fastq_root=home / "fastq",
        converter="builtin",
        sheet_folder=home / "sheets",
        index_sets=[kit],
    )
    make = lambda: JobService(Bcl2fastqKind(settings), home / "state", 1, Mode.OBSERVE)  # noqa: E731
    serving = Serving(make)

    def post(status=200, **body):
        answer = serving.post("/api/1.0/samplesheets/check", body)
        assert answer.status_code == status, answer.text
        return answer.json() if status == 200 else answer.json()["error"]

    yield post
    serving.stop()


@pytest.fixture(scope="module")
def run(home):
    (run,) = (path for path in (home / "runs").iterdir() if path.name.endswith(FLOW_CELL))
    return run


def codes(found):
    return [finding["code"] for finding in found["findings"]]


def test_a_sheet_before_its_run(check):
    found = check(sheet=base64_of(SHEET))
    assert (found["ok"], found["run"], found["findings"]) == (True, None, [])
    found = check(sheet=base64_of(SHEET.replace("TGCA", "TGXA")))
    assert (found["ok"], found["code"]) == (False, "sheet.index_alphabet")
    assert found["message"].startswith("SampleSheet.csv, line 4, column 3: expected an index")


def test_a_sheet_for_a_run(check, run):
    found = check(run=run.name, sheet=base64_of(SHEET))
    assert (found["run"], set(codes(found))) == (run.name, {"sheet.index_too_long"})
    assert check(run=run.name)["ok"] is True


def test_a_sheet_for_a_flow_cell_is_seen_against_its_run_if_that_is_there(check, run, home):
    found = check(flow_cell=FLOW_CELL, sheet=base64_of(SHEET))
    assert (found["run"], set(codes(found))) == (run.name, {"sheet.index_too_long"})
    found = check(flow_cell="H0THERXX", sheet=base64_of(SHEET))
    assert (found["ok"], found["run"]) == (True, None)
    assert check(flow_cell=FLOW_CELL)["ok"] is True  # the run's own
    assert check(flow_cell="H0THERXX")["code"] == "sheet.missing"
    (home / "sheets" / f"{FLOW_CELL}.csv").write_text(SHEET)
    assert set(codes(check(flow_cell=FLOW_CELL))) == {"sheet.index_too_long"}
    (home / "sheets" / f"{FLOW_CELL}.csv").unlink()


def test_a_run_is_its_flow_cells_by_its_own_word(check, run, home):
    """A folder that is only called so is not taken, nor a link that leads out."""
    (home / "runs" / f"999999_X_1_{FLOW_CELL}").mkdir()
    (home / "runs" / f"999999_X_2_{FLOW_CELL}").symlink_to(home / "fastq")
    assert check(flow_cell=FLOW_CELL)["run"] == run.name


def test_a_refusal_of_the_reader_is_a_finding_with_its_place(check):
    found = check(sheet=base64_of(SHEET.replace("B,P2", "B,P2,x,y")))
    (finding,) = found["findings"]
    assert (finding["code"], finding["line"]) == ("sheet.row_length", 4)
    assert not finding["message"].startswith("line")
    assert found["message"] == (
        f"SampleSheet.csv, line 4, column {finding['column']}: {finding['message']}"
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "request.invalid"),
        ({"run": "r", "flow_cell": FLOW_CELL}, "request.invalid"),
        ({"run": "none"}, "run.not_found"),
        ({"run": "../x"}, "name.characters"),
        ({"flow_cell": "../../x"}, "request.invalid"),
        ({"flow_cell": "hfj5cbbxx"}, "request.invalid"),
        ({"flow_cell": ".."}, "request.invalid"),
        ({"flow_cell": "A\n"}, "request.invalid"),
        ({"flow_cell": FLOW_CELL, "waived_rules": ["sheet.quotes"]}, "request.invalid"),
        ({"flow_cell": FLOW_CELL, "waived_rules": ["<% x %>"]}, "request.invalid"),
        ({"sheet": "&"}, "request.invalid"),
    ],
)
def test_what_is_refused(check, body, code):
    assert check(400, **body)["code"] == code


def test_a_waived_rule_stops_nothing_and_is_told(check):
    sheet = base64_of(SHEET.replace("TGCATGCATG", "ACGTACGTAA"))
    assert check(sheet=sheet)["code"] == "sheet.index_collision"
    found = check(sheet=sheet, waived_rules=["sheet.index_collision"])
    assert (found["ok"], found["code"], codes(found)) == (True, "", ["sheet.index_collision"])
    assert found["findings"][0]["waived"] is True
    both = base64_of(SHEET.replace("TGCATGCATG", "ACGTACGTAA").replace("B,", "B b,"))
    found = check(sheet=both, waived_rules=["sheet.index_collision"])
    assert (found["ok"], found["code"]) == (False, "sheet.name_characters")


def test_a_sites_own_rules_count_and_may_be_waived(make_service):
    rules = {"sample_id_pattern": r"S\d+", "projects": ["P1"]}
    site = make_service(sheet_rules=rules)
    where = "/api/1.0/samplesheets/check"
    found = site.post(where, {"sheet": base64_of(SHEET)}).json()
    assert {"sheet.site_sample_id", "sheet.project_unknown"} == set(codes(found))
    waived = sorted(set(codes(found)))
    found = site.post(where, {"sheet": base64_of(SHEET), "waived_rules": waived}).json()
    assert (found["ok"], len(found["findings"])) == (True, 3)
    assert site.get("/api/1.0/samplesheets").json()["rules"]["projects"] == ["P1"]


def test_index_sets_of_the_site_are_known(check):
    named = "[Data]\nSample_ID,Sample_Project,index\nA,P1,SI-XX-A1\n"
    assert check(sheet=base64_of(named))["ok"]
    unknown = check(sheet=base64_of(named.replace("A1", "A2")))
    assert unknown["code"] == "sheet.index_set" and "not in kit.csv" in unknown["message"]
