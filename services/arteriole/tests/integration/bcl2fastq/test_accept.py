"""A proposed sheet is accepted: the command, with both services that it speaks to."""

import base64
import hashlib
import json

import pytest
from click.testing import CliRunner

from arteriole.app.auth import Role, Tokens
from arteriole.app.mode import Mode
from arteriole.bcl2fastq.service import Bcl2fastqService
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.cli import main
from arteriole.runfolder.service import RunfolderService
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.misdeeds import misdeed_of
from arteriole.simulator.sequencer import write_run

from ..app.serving import Serving, eventually

PLAN = default_plan(clusters=150, lanes=1, swaths=1, read_cycles=(8, 8), samples=6)
RUN = PLAN.run
FLOW_CELL = RUN.split("_")[3][1:]
CODE = "indexes.reversed_i5"


class Centre:
    """A run whose sheet has every i5 reversed, both services, and people with tokens."""

    def __init__(self, home):
        self.home, self.sheets = home, home / "sheets"
        for name in ("sheets", "fastq"):
            (home / name).mkdir()
        self.run_dir = write_run(PLAN, home / "runs", misdeeds=[misdeed_of("i5-reversed")])
        self.good = write_run(PLAN, home / "good") / "SampleSheet.csv"
        self.tokens = Tokens(home / "tokens.json")
        self.secrets = {
            name: self.tokens.create(name, Role.OPERATOR) for name in ("ada", "grace", "packs")
        }
        self.running = {}

    def serve_runfolder(self, *sheets):
        settings = RunfolderSettings(
            monitored_directories=[self.home / "runs"],
            sheets=list(sheets) or [{"folder": self.sheets}, "run_folder"],
            scan_interval=0.05,
            settle_seconds=0.0,
            read_metrics=False,
        )
        self._serve("runfolder", lambda: RunfolderService(settings, self.home / "state", Mode.ACT))
        eventually(self.run, lambda run: run.get("verdict") == "complete")
        self.call("runfolder", "POST", f"runs/{RUN}/adopt")

    def serve_bcl2fastq(self, mode=Mode.ACT, **more):
        fields = {"run_roots": [self.home / "runs"], "fastq_root": self.home / "fastq"}
        fields |= {"converter": "builtin", "sheet_folder": self.sheets, **more}
        settings = Bcl2fastqSettings.model_validate(fields)
        self._serve("bcl2fastq", lambda: Bcl2fastqService(settings, self.home / "state", mode))

    def _serve(self, name, make):
        if name in self.running:
            self.running[name].stop()
        self.running[name] = Serving(make, self.tokens)

    def call(self, service, method, path, who="packs", **more):
        """The answer's document; of a refusal its error."""
        headers = {"Authorization": f"Bearer {self.secrets[who]}", **more.pop("headers", {})}
        answer = self.running[service].call(method, f"/api/1.0/{path}", headers=headers, **more)
        return answer.json() if answer.ok else answer.json()["error"]

    def command(self, *words, who="ada"):
        return self.arteriole("indexes", RUN, *words, who=who)

    def why(self):
        """What `arteriole why` tells of its sheet."""
        code, shown = self.arteriole("why", RUN)
        assert code == 0, shown
        return shown.partition("which sheet? ")[2]

    def arteriole(self, *words, who="ada"):
        addresses = {
            "ARTERIOLE_URL": self.running["runfolder"].url,
            "ARTERIOLE_BCL2FASTQ_URL": self.running["bcl2fastq"].url,
            "ARTERIOLE_TOKEN": self.secrets[who],
        }
        result = CliRunner(env=addresses).invoke(main, words)
        return result.exit_code, " ".join(result.output.split()) + str(result.exception or "")

    def accept(self, who="ada", reason="a NovaSeq sheet"):
        return self.command("--accept", "--reason", reason, who=who)

    def hold(self):
        """As the packs hold it once the indexes are compared."""
        self.command()
        job = self.call("bcl2fastq", "GET", f"indexes/{RUN}")["job"]["job_id"]
        body = {"scope": "run", "name": RUN, "reason": "other indexes", "code": CODE}
        about = {"hint": f"arteriole indexes {RUN}", "about": f"bcl2fastq.{job}"}
        assert self.call("runfolder", "POST", "holds", json=body | about)["held"] is True

    def run(self):
        return self.call("runfolder", "GET", f"runs/{RUN}")

    def told(self, service, what):
        path = f"runs/{RUN}/history" if service == "runfolder" else "events"
        events = self.call(service, "GET", path)["events"]
        return [(e["who"], e["payload"]) for e in events if e["what"] == what]

    def lying(self):
        return sorted(path.name for path in self.sheets.iterdir())


@pytest.fixture
def centre(tmp_path, monkeypatch):
    monkeypatch.setattr("arteriole.runfolder.sheets.SETTLE", 0.2)
    centre = Centre(tmp_path)
    yield centre
    for serving in centre.running.values():
        serving.stop()


def test_one_person_accepts_it_and_the_run_goes_on(centre):
    centre.serve_runfolder()
    centre.serve_bcl2fastq()
    wrong = (centre.run_dir / "SampleSheet.csv").read_bytes()
    (centre.sheets / f"{FLOW_CELL}.csv").write_bytes(wrong)
    centre.hold()
    code, shown = centre.accept()
    assert (code, "nothing is wrong with the indexes" in shown) == (0, True), shown
    kept, new = sorted(centre.lying(), key=len, reverse=True)
    assert new == f"{FLOW_CELL}.csv" and kept.startswith(f"{new}.replaced-") and kept in shown
    assert (centre.sheets / new).read_bytes() == centre.good.read_bytes()
    assert (centre.sheets / kept).read_bytes() == wrong
    assert (centre.run_dir / "SampleSheet.csv").read_bytes() == wrong
    assert (centre.run()["held"], centre.run()["state"]) == (None, "ready")
    ((who, released),) = centre.told("runfolder", "hold_released")
    assert (who, released["reason"]) == (
        "ada", "the corrected sheet fits, accepted by ada: a NovaSeq sheet",
    )  # fmt: skip
    ((who, word),) = centre.told("bcl2fastq", "proposal_accepted")
    assert (who, word["reason"], word["code"]) == ("ada", "a NovaSeq sheet", CODE)
    assert word["sha256"] == hashlib.sha256(centre.good.read_bytes()).hexdigest()

    jobs = centre.call("bcl2fastq", "GET", "status")["jobs"]
    assert centre.accept(who="grace", reason="again")[0] == 0
    assert centre.call("bcl2fastq", "GET", "status")["jobs"] == jobs
    assert len(centre.told("bcl2fastq", "proposal_accepted")) == 1
    assert len(centre.told("runfolder", "hold_released")) == 1 and len(centre.lying()) == 2


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("failed", f"convert of attempt 1 failed before; then: arteriole retry {RUN}"),
        ("done", f"to make it anew: arteriole redo {RUN} --from convert"),
    ],
)
def test_what_does_not_go_on_by_itself_is_told(centre, state, told):
    centre.serve_runfolder()
    centre.serve_bcl2fastq()
    plan = {"receive": {}, "convert": {"after": ["receive"], "makes_attempt": True}}
    plan["archive"] = {"after": ["convert"]}
    convert = f"runs/{RUN}/stages/convert/1"
    for path, body in (
        (f"runs/{RUN}/claim", {"by": "ex1", "plan": {"stages": plan}}),
        (f"{convert}/begin", {"by": "ex2"}),
        (f"{convert}/end", {"by": "ex2", "state": state}),
    ):
        assert "code" not in centre.call("runfolder", "POST", path, json=body)
    centre.hold()
    code, shown = centre.accept()
    assert (code, told in shown) == (0, True), shown
    if state == "failed":
        centre.call("runfolder", "POST", f"runs/{RUN}/retry")
        assert "arteriole retry" not in centre.accept()[1]


def test_why_tells_whose_sheet_it_is_and_what_was_converted_with_it(centre):
    centre.serve_runfolder()
    centre.serve_bcl2fastq()
    centre.hold()
    assert centre.why() == ""
    assert centre.accept()[0] == 0
    digest = hashlib.sha256(centre.good.read_bytes()).hexdigest()
    time = centre.call("bcl2fastq", "GET", f"indexes/{RUN}")["acceptance"]["time"]
    accepted = (
        f"accepted by ada at {time[:10]} {time[11:19]} UTC (a NovaSeq sheet), SHA-256 {digest};"
    )
    assert centre.why().startswith(f"{accepted} nothing is converted yet")
    plan = {"receive": {}, "convert": {"after": ["receive"], "makes_attempt": True}}
    claim = {"by": "ex1", "plan": {"stages": plan}}
    assert centre.call("runfolder", "POST", f"runs/{RUN}/claim", json=claim)["claimed"]
    assert centre.why().startswith(f"{accepted} no FASTQs of attempt 1 are there")
    sheet = centre.call("runfolder", "GET", f"runs/{RUN}/sheet")["base64"]
    key = {"Idempotency-Key": f"{RUN}.convert.1.1"}
    job = centre.call(
        "bcl2fastq", "POST", f"start/{RUN}", json={"attempt": 1, "sheet": sheet}, headers=key
    )["job_id"]
    ended = eventually(
        lambda: centre.call("bcl2fastq", "GET", f"status/{job}"),
        lambda job: job["state"] not in ("pending", "started"),
    )
    assert ended["state"] == "done", ended
    assert centre.why().startswith(f"{accepted} attempt 1 was converted with it")
    other = centre.good.read_bytes() + b"\n"
    body = {"flow_cell": FLOW_CELL, "sheet": base64.b64encode(other).decode(), "replace": digest}
    told = centre.call("bcl2fastq", "POST", "samplesheets", who="grace", json=body)
    assert told["written"], told
    later = centre.why()
    assert later.startswith("handed in by grace at ")
    assert (
        f"SHA-256 {told['sha256']}; attempt 1 was converted with another one, SHA-256 {digest}"
        in later
    )
    sheet = json.loads(centre.arteriole("why", RUN, "--json")[1])["sheet"]
    assert (sheet["sha256"], sheet["converted_with"]) == (told["sha256"], digest)


def refuse_what_would_not_be_its_sheet(centre):
    centre.serve_runfolder("run_folder", {"folder": centre.sheets})
    centre.serve_bcl2fastq()
    assert "were not compared" in repr(centre.accept())
    centre.hold()
    assert "the site looks into run_folder before" in centre.accept()[1]
    centre.serve_runfolder()
    (centre.sheets / f"{RUN}.csv").write_bytes((centre.run_dir / "SampleSheet.csv").read_bytes())
    assert "is named by the run" in centre.accept()[1]
    (centre.sheets / f"{RUN}.csv").write_bytes(centre.good.read_bytes() + b"\n")
    assert "another one now than the one that was compared" in centre.accept()[1]
    (centre.sheets / f"{RUN}.csv").unlink()
    before = centre.lying()
    centre.serve_bcl2fastq(sheet_folder=None)
    assert "no folder is configured" in centre.accept()[1]
    centre.serve_bcl2fastq(mode=Mode.OBSERVE)
    assert "while the mode is observe" in centre.accept()[1]
    assert centre.run()["held"] is not None and centre.lying() == before == []
    assert centre.told("bcl2fastq", "proposal_accepted") == []


def test_two_people_accept_it_where_the_site_asks_for_them(centre):
    refuse_what_would_not_be_its_sheet(centre)
    project = PLAN.samples[0].project
    centre.serve_bcl2fastq(second_person=["CLIN_[0-9]+", project])
    refused = centre.accept(who="packs")
    assert (refused[0], "packs may be anybody" in refused[1]) == (1, True), refused
    code, shown = centre.accept(reason="the kit's list")
    assert (code, "the word of a second person is missing" in shown) == (1, True), shown
    why = centre.run()["why"]
    assert why["code"] == CODE and why["message"].startswith("it is held by ada: ada has accepted")
    assert why["hint"] == f"a second person: arteriole indexes {RUN} --accept --reason TEXT"
    centre.serve_bcl2fastq(second_person=True)  # started again, it still knows
    again = centre.accept(reason="I insist")[1]
    assert "ada has accepted this sheet already" in again and centre.lying() == []
    assert "ada has accepted the corrected sheet (the kit's list)" in centre.command()[1]
    assert centre.run()["held"] is not None
    code, shown = centre.accept(who="grace", reason="looked at it too")
    assert code == 0, shown
    assert centre.lying() == [f"{FLOW_CELL}.csv"] and centre.run()["held"] is None
    ((_, released),) = centre.told("runfolder", "hold_released")
    assert released["reason"].endswith("accepted by ada and grace: looked at it too")
    words = centre.told("bcl2fastq", "proposal_accepted")
    assert [(who, w["first"], w["complete"]) for who, w in words] == [
        ("ada", "", False), ("grace", "ada", True),
    ]  # fmt: skip
    assert centre.accept()[0] == 0
