"""An operator's day: the commands on runs, against a service that runs."""

import json

import pytest

from arteriole.client import Client
from arteriole.simulator.sequencer import default_plan, write_run

from ..ports import free_ports
from .conftest import RUN
from .serving import eventually


def test_an_operators_day(home, monkeypatch):
    home.bring()
    home.start()
    home.becomes("pending")
    home.bring("later")
    home.becomes("ready", "later")
    assert home.arteriole("adopt", "--all") == f"adopted {RUN}\n"
    assert home.arteriole("adopt", "--all") == "no run waits for it\n"
    home.becomes("ready")
    why = home.arteriole("why", RUN)
    assert f"{RUN} is ready: RTAComplete.txt is there" in why
    assert "is the data safe?  yes, in the run folder only" in why
    assert "how many samples?  not known" in why
    plan = {"receive": {}, "convert": {"after": ["receive"], "makes_attempt": True}}
    client = claim(home, plan)
    client.post(f"runs/{RUN}/stages/convert/1/begin", {"by": "ex2"})
    body = {"by": "ex2", "state": "failed", "code": "x.y", "message": "[bold]line 7[/bold]"}
    client.post(f"runs/{RUN}/stages/convert/1/end", body)
    told = home.arteriole("run", RUN)
    assert "convert failed: [bold]line 7[/bold]" in told
    assert told.count("line 7") == 1
    home.arteriole("hold", RUN, "--reason", "in doubt")
    told = home.arteriole("run", RUN)
    assert told.endswith("\nconvert of attempt 1: [bold]line 7[/bold]\n")
    home.arteriole("release", RUN)
    why = home.arteriole("why", RUN)
    assert f"what to do:        arteriole retry {RUN}" in why
    assert "read on in:        docs/runbook/x.y.md" in why
    assert "results are due 24 h after the run is complete" in why
    assert json.loads(home.arteriole("why", RUN, "--json"))["code"] == "x.y"
    assert "which sheet?" not in why  # no service bcl2fastq is there to know it
    monkeypatch.setenv("ARTERIOLE_BCL2FASTQ_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    told = "which sheet?       not known: http://127.0.0.1:"
    assert told in home.arteriole("why", RUN) and "does not answer" in home.arteriole("why", RUN)
    assert home.arteriole("retry", RUN) == "tried again: convert\n"
    assert home.arteriole("retry", RUN) == "nothing had failed\n"
    redo = home.arteriole("redo", RUN, "--from", "convert", "--reason", "new sheet")
    assert redo == f"{RUN} goes on from convert as attempt 2\n"
    assert RUN in home.arteriole("runs") and "error" not in home.arteriole("runs")
    found = json.loads(home.arteriole("run", RUN, "--json"))
    assert [stage["attempt"] for stage in found["stages"]] == [1, 1, 2, 2]
    ready = json.loads(home.arteriole("runs", "--state", "ready", "--json"))
    assert [run["name"] for run in ready] == ["later"]
    accept_what_is_held(home, "later")


def accept_what_is_held(home, run):
    client = claim(home, {"receive": {}, "qc": {"after": ["receive"]}}, run)
    body = {"state": "held", "code": "qc.q30", "message": "lane 1 is poor", "hint": "accept it"}
    client.post(f"runs/{run}/stages/qc/1/begin", {"by": "ex2"})
    client.post(f"runs/{run}/stages/qc/1/end", {"by": "ex2", **body})
    assert "qc waits: lane 1 is poor" in home.arteriole("why", run)
    accept = ("accept", run, "--stage", "qc", "--reason", "known lamp")
    assert home.arteriole(*accept) == "accepted: qc\n"
    assert home.arteriole(*accept) == "nothing is held\n"
    why = " ".join(home.arteriole("why", run).split())
    assert "qc [qc.q30]: lane 1 is poor; accepted by admin: known lamp" in why


def claim(home, plan, name=RUN):
    client = Client.find(home.state)
    client.post(f"runs/{name}/claim", {"by": "ex1", "plan": {"stages": plan}})
    return client


def ready(home, name=RUN):
    home.bring(name)
    home.start()
    eventually(home.run)
    home.arteriole("adopt", name)
    home.becomes("ready", name)


def test_holds_of_a_run_an_instrument_and_all(home):
    ready(home)
    assert home.arteriole("holds") == "nothing is held\n"
    assert home.arteriole("hold", RUN, "--reason", "in doubt") == f"{RUN} is held\n"
    said = home.arteriole("hold", "--instrument", "M00834", "--reason", "a leak")
    assert said == "all runs of M00834 are held\n"
    said = home.arteriole("hold", "--instrument", "M0834", "--reason", "a slip")
    assert said.endswith("no run of it was seen yet; seen were runs of M00834\n")
    home.arteriole("release", "--instrument", "M0834")
    assert home.arteriole("hold", "--all", "--reason", "the move") == "all runs are held\n"
    assert "it is held by admin: in doubt" in home.arteriole("why", RUN)
    listing = home.arteriole("holds")
    for text in ("in doubt", "M00834", "a leak", "the move"):
        assert text in listing
    holds = json.loads(home.arteriole("holds", "--json"))
    assert {(hold["scope"], hold["name"]) for hold in holds} == {
        ("run", RUN), ("instrument", "M00834"), ("all", ""),
    }  # fmt: skip
    assert home.arteriole("release", RUN).splitlines() == [
        f"{RUN}: the hold is ended",
        "it is still held by the hold of instrument M00834",
        "  arteriole release --instrument M00834",
    ]
    assert f"{RUN}: there was no such hold" in home.arteriole("release", RUN)
    home.arteriole("release", "--instrument", "M00834")
    assert home.run()["state"] == "pending"
    assert home.arteriole("release", "--all") == "all runs: the hold is ended\n"
    assert home.run()["state"] == "ready"


@pytest.mark.parametrize(
    "arguments",
    [
        ["hold", "--reason", "x"],
        ["hold", "a", "--all", "--reason", "x"],
        ["hold", "a"],
        ["release"],
        ["release", "--all", "--instrument", "x"],
        ["adopt"],
        ["adopt", "a", "--all"],
        ["waive", "a", "--ignore", "everything", "--reason", "x"],
        ["waive", "a"],
        ["unwaive", "a"],
        ["redo", "a"],
        ["runs", "--state", "odd"],
        ["abort"],
    ],
)
def test_a_command_that_makes_no_sense_is_a_usage_error(home, arguments):
    assert "Usage: " in home.arteriole(*arguments, status=2)


def test_abort_stops_the_jobs(home, serve):
    ready(home)
    trial = serve("trial", {"root": str(home.monitored)}, mode="act")
    job = trial.submit(RUN, attempt=1)["job_id"]
    eventually(lambda: trial.status(job)["state"] == "started")
    client = claim(home, {"trial": {}})
    client.post(f"runs/{RUN}/stages/trial/1/begin", {"by": "ex2"})
    attached = {"by": "ex2", "service": "trial", "job_id": job}
    client.post(f"runs/{RUN}/stages/trial/1/attach", attached)
    told = {"service": "trial", "job_id": job, "done": 1, "total": 2, "unit": "steps"}
    client.post(f"runs/{RUN}/stages/trial/1/progress", told)
    assert "\ntrial of attempt 1: 1 of 2 steps (50 %)\n" in home.arteriole("run", RUN)
    said = home.arteriole("abort", RUN, "--reason", "wrong flow cell", status=1)
    assert said.startswith(f"{RUN} is aborted\narteriole: trial/{job} could not be stopped: ")
    assert f"when that is mended: arteriole abort {RUN}" in said
    ports = home.state / "ports.json"
    url = trial.url.removesuffix("/api/1.0")
    ports.write_text(json.dumps({**json.loads(ports.read_text()), "trial": url}))
    assert home.arteriole("abort", RUN) == f"{RUN} is aborted\nstopped trial/{job}\n"
    assert trial.ended(job)["state"] == "cancelled"
    assert home.run()["state"] == "cancelled"
    log = trial.jobs / str(job) / "log"
    log.write_bytes(b"one\n" + "\x1b[2J zwölf\n".encode() + b"a line that")
    assert home.arteriole("log", RUN) == "one\n\\x1b[2J zwölf\na line that\n"
    followed = home.arteriole("log", RUN, "--stage", "trial", "--follow")
    assert followed == "one\n\\x1b[2J zwölf\na line that\nthe job is cancelled\n"
    log.write_bytes(b"")
    assert home.arteriole("log", RUN) == f"arteriole: trial/{job} has printed nothing\n"
    assert "has no job so far" in home.arteriole("log", RUN, "--stage", "other", status=1)
    end = {"by": "ex2", "state": "failed", "service": "trial", "job_id": job}
    client.post(f"runs/{RUN}/stages/trial/1/end", end)
    assert home.arteriole("abort", RUN) == f"{RUN} is aborted\n"
    assert "attempt 1 was aborted by admin: wrong flow cell" in home.arteriole("why", RUN)


def test_the_address_of_a_job_service_may_be_in_the_environment(home, serve, monkeypatch):
    trial = serve("trial", {"root": str(home.monitored)}, mode="act")
    monkeypatch.setenv("ARTERIOLE_TRIAL_URL", trial.url.removesuffix("/api/1.0"))
    assert "good" in home.arteriole("config", "check")  # it is no setting
    client = Client.find(None, "trial")
    assert client.get("versions")["trial"] == "1"


def test_a_run_is_dismissed_and_adopted_again(home):
    ready(home)
    assert home.arteriole("abort", RUN) == f"{RUN} is aborted\n"
    assert home.arteriole("adopt", "--all") == "no run waits for it\n"
    assert home.run()["state"] == "cancelled"
    assert home.arteriole("adopt", RUN) == f"adopted {RUN}\n"
    assert home.run()["state"] == "ready"


def test_a_waiver_is_given_and_its_attempt_is_marked(home, tmp_path):
    text = home.config.read_text().replace("readiness: marker", "readiness: evidence")
    home.write(f"{text}  settle_seconds: 0\n  adopt_existing: true\n")
    plan = default_plan(clusters=20, read_cycles=(6, 6), lanes=1, swaths=1)
    folder = write_run(plan, tmp_path / "written", truth=tmp_path / "truth")
    next(folder.rglob("*.bcl.gz")).unlink()
    name = folder.rename(home.monitored / folder.name).name
    home.start()
    eventually(
        lambda: home.run(name), lambda run: run is not None and run["verdict"] == "incomplete"
    )
    for word in ("incomplete", "none"):
        assert name in home.arteriole("runs", "--state", word)
    assert home.arteriole("runs", "--state", "no sheet") == "no run is no sheet\n"
    refused = home.arteriole("redo", name, "--from", "convert", status=1)
    assert f"{name} was not claimed yet" in refused
    waive = ["waive", name, "--ignore", "missing-bcls", "--reason", "one tile"]
    for _ in range(2):
        said = home.arteriole(*waive)
        assert "ignoring missing-bcls; its attempt is degraded" in said
    home.becomes("ready", name)
    assert "waived" in home.arteriole("runs")
    unwaive = ["unwaive", name, "--reason", "it was found"]
    assert home.arteriole(*unwaive) == f"the waiver of {name} is withdrawn\n"
    assert home.arteriole(*unwaive) == f"{name} has no waiver\n"
    assert home.run(name)["state"] == "none"
    assert f"{name} is incomplete: " in home.arteriole("why", name)
    assert f"{name}: incomplete; " in home.arteriole("run", name)
    home.arteriole(*waive)
    claim(home, {"convert": {"makes_attempt": True}}, name)
    assert "degraded" in home.arteriole("runs")
    said = home.arteriole("run", name)
    assert "UTC: degraded, ignores missing-bcls" in said
    assert "waived by admin, to ignore missing-bcls: one tile" in said
    (attempt,) = home.run(name)["attempts"]
    assert (attempt["degraded"], attempt["ignore"]) == (True, ["missing-bcls"])
    assert "redo" not in home.arteriole(*waive), "its attempt was made so"
    assert home.arteriole("waive", name, "--ignore", "missing-positions", "--reason", "x") == (
        f"{name} may be worked on as it is, ignoring missing-positions; its next attempt is"
        " degraded\nattempt 1 (pending) stays as it is; to make the next:\n"
        f"  arteriole redo {name} --from convert\n"
    )
    assert home.arteriole(*unwaive).splitlines() == [
        f"the waiver of {name} is withdrawn",
        "attempt 1 is degraded for good",
    ]
    told = Client.find(home.state).get(f"runs/{name}/history")["events"]
    assert [event["what"] for event in told].count("unwaived") == 2


def test_a_request_that_does_not_fit_is_told_in_our_words(home):
    ready(home)
    refused = home.arteriole("hold", RUN, "--reason", "", status=1)
    assert (
        "arteriole: reason: expected a length of at least 1, found 0 [request.invalid]" in refused
    )


def test_a_complete_run_is_not_waived_without_a_name_for_what(home):
    ready(home)
    refused = home.arteriole("waive", RUN, "--reason", "x", status=1)
    assert f"{RUN} is complete, so it must be named what is to be ignored" in refused


def test_one_refusal_does_not_keep_the_others_from_adoption(home):
    home.bring()
    home.start()
    home.becomes("pending")
    said = home.arteriole("adopt", "nope", RUN, status=1)
    assert "arteriole: nope: no run 'nope' was seen here [run.not_found]" in said
    assert f"adopted {RUN}" in said
    home.becomes("ready")


def test_while_observing_the_commands_say_so(home):
    home.write(home.config.read_text().replace("mode: act", "mode: observe"))
    ready(home)
    claim(home, {"receive": {}})
    found = home.run()
    assert (found["state"], found["why"]["code"]) == ("none", "run.observed")
    assert "mode: observe; what would be done" in home.arteriole("runs")
    assert "observed" in home.arteriole("runs")
    assert f"{RUN}: observed; attempt 1 only" in home.arteriole("run", RUN)
    assert home.arteriole("adopt", "--all").splitlines() == [
        "1 observed already; set mode: act to work on them",
        "no run waits for it",
    ]
    refused = home.arteriole("adopt", RUN, status=1)
    assert "the mode is still observe" in refused and "set mode: act" in refused
    home.end(home.processes[-1])
    home.write(home.config.read_text().replace("mode: observe", "mode: act"))
    home.start()
    assert home.arteriole("adopt", "--all") == f"adopted {RUN}\n"
    claim(home, {"receive": {}})
    home.becomes("done")
    found = json.loads(home.arteriole("run", RUN, "--json"))
    assert [one["observed"] for one in found["attempts"]] == [True, False]


def test_before_the_first_run_it_is_said_that_there_is_none(home):
    home.start()
    assert home.arteriole("runs") == "no run was seen yet\n"
    assert home.arteriole("runs", "--state", "done") == "no run is done\n"


def test_a_listing_begins_with_what_needs_a_person(home, monkeypatch):
    ready(home)
    (home.monitored / "broken").mkdir()
    (home.monitored / "broken" / "RunInfo.xml").touch()
    home.becomes("none", "broken")
    for name in ("early", "later"):
        home.bring(name)
        home.becomes("ready", name)
        home.arteriole("abort", name)
    monkeypatch.setattr("arteriole.commands.listing.AT_REST", 1)
    home.arteriole("hold", RUN, "--reason", "in doubt")
    listing = home.arteriole("runs", columns=80)
    assert listing.index(RUN) < listing.index("broken") < listing.index("later")
    assert "run.held" in listing and "in doubt" not in listing, "the code is its point"
    assert "run.held: it is held by admin: in doubt" in home.arteriole("runs", columns=160)
    assert "1 more are at rest: arteriole runs --all" in listing and "early" not in listing
    for words in (["--all"], ["--state", "cancelled"]):
        assert "early" in home.arteriole("runs", *words)
    assert len(json.loads(home.arteriole("runs", "--json"))) == 4


def test_a_listing_fits_a_terminal_of_80_columns(home):
    (home.monitored / (begun := "240102_M00834_0001_XXXX")).mkdir()
    (home.monitored / begun / "RunInfo.xml").touch()
    long = "20240101_LH00123_0042_B" + "X" * 60
    home.bring(long)
    ready(home)
    home.arteriole("adopt", "--all")
    home.arteriole("hold", RUN, "--reason", "in doubt " * 20)
    claim(home, {"receive": {}, "convert": {"after": ["receive"]}}, long)
    for command in (["runs"], ["run", long], ["holds"]):
        lines = home.arteriole(*command, columns=80).splitlines()
        table = [line for line in lines if not line.startswith(f"{long}:")]
        assert len(table) > 2
        assert max(map(len, table)) <= 80, command
    home.arteriole("hold", "--instrument", "LH00123", "--reason", "a leak " * 20)
    for command in ("runs", "holds"):
        assert RUN in home.arteriole(command, columns=80)  # in one piece, to be copied
    holds = home.arteriole("holds", columns=80)
    assert "all runs of LH00123" in holds
    assert (holds.count("doubt"), holds.count("leak")) == (20, 20), "nothing is cut off"
    listing = home.arteriole("runs", columns=80)
    assert "held" in listing and "pending" in listing
    assert " sequencing " in listing


def test_what_is_refused_is_told_in_a_sentence(home):
    home.start()
    for command in (["why", "nope"], ["run", ".."], ["adopt", "a/b"], ["retry", "nope"]):
        output = home.arteriole(*command, status=1)
        assert output.startswith("arteriole: ")


def test_a_hostile_name_is_shown_as_plain_text_and_left_out_of_adopt_all(home):
    names = ["<% st2kv('system.x') %>", "{{ x }}", "; touch x", "[red]x", "a\x1b[31mb"]
    odd = ["a\nb", "\u202exfdp.exe", "x" * 255, "'\"`$(id)", "a\tb", "\x9b31mc", "é" * 127]
    for name in [*names, *odd]:
        home.bring(name)
    home.bring()
    service = home.start()
    home.becomes("pending")
    listing = home.arteriole("runs")
    for name in names[:4]:
        assert name in listing
    assert "\x1b" not in listing and r"a\x1b[31mb" in listing
    assert home.arteriole("adopt", "--all") == f"adopted {RUN}\n"
    assert "rename the folder" in home.arteriole("why", names[0])
    assert is_plain(listing) and r"a\nb" in listing
    for name in odd:
        assert is_plain(home.arteriole("why", name))
    _, log = home.end(service)
    assert log and is_plain(log)


def is_plain(text):
    """A terminal would show it as it is, and do nothing else."""
    return all(char.isprintable() or char == "\n" for char in text)


def test_a_rule_is_waived_at_a_terminal(home):
    rule = "sheet.index_collision"
    home.bring()
    home.start()
    home.becomes("pending")
    home.arteriole("adopt", "--all")
    client = claim(home, {"receive": {}, "check": {"after": ["receive"], "makes_attempt": True}})
    client.post(f"runs/{RUN}/stages/check/1/begin", {"by": "ex2"})
    body = {"by": "ex2", "state": "failed", "code": rule, "message": "too near", "hint": "mend it"}
    client.post(f"runs/{RUN}/stages/check/1/end", body)
    waive = f"arteriole waive {RUN} --rule {rule} --reason TEXT"
    assert waive in home.arteriole("why", RUN)
    told = home.arteriole("waive", RUN, "--rule", rule, "--reason", "pooled so")
    assert f"waived for the sheet of {RUN}: {rule}; its next attempt is degraded" in told
    assert f"attempt 1 (error) stays as it is; to make the next:\n  arteriole redo {RUN}" in told
    assert f"arteriole redo {RUN} --from check" in home.arteriole("why", RUN)
    home.arteriole("redo", RUN, "--from", "check")
    told = home.arteriole("run", RUN)
    assert f"waived by admin, for its sheet, {rule}: pooled so" in told
    assert f": degraded, goes without {rule}" in told
    told = home.arteriole("unwaive", RUN, "--rule", rule, "--reason", "corrected")
    assert told.startswith(f"the waiver of {rule} of {RUN} is withdrawn\nattempt 2 is degraded")
    told = home.arteriole("unwaive", RUN, "--rule", rule, "--reason", "corrected")
    assert f"{RUN} has no such waiver" in told
    told = home.arteriole("waive", RUN, "--rule", "sheet.quotes", "--reason", "x", status=1)
    assert "sheet.quotes cannot be waived" in told and "[run.rule_not_waivable]" in told
