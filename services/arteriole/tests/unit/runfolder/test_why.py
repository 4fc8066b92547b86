"""Why a run stands where it stands: one sentence, one deed, for each state."""

from pathlib import Path

import pytest

from arteriole.app.mode import Mode
from arteriole.runfolder.absence import away
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.waivers import waive
from arteriole.runfolder.why import AT_RISK, CAN_WAIT, LATE, why

from .conftest import RUN, verdict


def judged(kind, **more):
    def prepare(desk):
        run = desk.runs.register(Path("/data", RUN), adopted=True)
        desk.runs.judged(run, verdict(kind, **more))

    return prepare


def unadopted(desk):
    desk.arrive(adopted=False)


def held(desk):
    desk.arrive()
    desk.hold(reason="in doubt")


def picked_up(desk):
    desk.runs.set_arteria_state(desk.arrive(), RunState.STARTED, "arteria")


def claimed(desk):
    desk.arrive()
    desk.claim()


def half_done(desk):
    claimed(desk)
    desk.do("convert", "checksum")


def running(desk):
    half_done(desk)
    desk.begin("transfer")
    desk.begin("archive")


def failed(hint):
    def prepare(desk):
        claimed(desk)
        desk.begin("convert")
        desk.end("convert", "failed", code="sheet.index", message="line 7", hint=hint)

    return prepare


def waiting(desk):
    claimed(desk)
    desk.begin("convert")
    desk.end("convert", "held", code="metadata.missing", message="2 samples", hint="drop it")


def failed_check(code, hint):
    def prepare(desk):
        claimed(desk)
        desk.do("convert")
        desk.begin("checksum")
        desk.end("checksum", "failed", code=code, message="m", hint=hint)

    return prepare


def done(desk):
    claimed(desk)
    desk.do("convert", "checksum", "transfer", "archive", "tell")


def aborted(prepare):
    def prepared(desk):
        prepare(desk)
        desk.abort()

    return prepared


def with_a_job(desk):
    claimed(desk)
    desk.do("convert")
    desk.begin("checksum")
    desk.attach("checksum", 7)


def held_by(*holds):
    def prepare(desk):
        claimed(desk)
        for scope, name in holds:
            desk.hold(scope, name)

    return prepare


def stage_observed(desk):
    claimed(desk)
    desk.begin("convert")
    desk.end("convert", "skipped", code="run.observed")


def degraded(desk):
    desk.arrive("other")
    desk.runs.register(Path("/data", RUN), adopted=True)
    desk.judge("incomplete")
    waive(desk.runs, RUN, "one tile", [], "ada")
    desk.claim()
    desk.begin("convert")


RETRY = f"arteriole retry {RUN}"
ADOPT = f"arteriole adopt {RUN}"
REDO = f"arteriole redo {RUN} --from"
ONLY = "yes, in the run folder only: do not delete it"
BOTH = "only on the instrument and in the run folder: delete neither"
UNKNOWN = "unknown: the run folder cannot be reached; keep any other copy of it"
GONE = "unknown: no longer in its landing folder; keep any other copy of it"
FASTQS = "no, not these FASTQs; the base calls are as they were"


@pytest.mark.parametrize(
    ("prepare", "code", "message", "hint", "urgency", "safe"),
    [
        (judged(VerdictKind.SEQUENCING, message="cycle 3 of 9"), "", "cycle 3 of 9", "", CAN_WAIT,
         BOTH),
        (judged(VerdictKind.COPYING, code="run.copying", message="m", hint="h"), "run.copying", "m",
         "h", CAN_WAIT, BOTH),
        (judged(VerdictKind.INCOMPLETE, code="run.incomplete", message="m", hint="h"),
         "run.incomplete", "m", "h", LATE, BOTH),
        (judged(VerdictKind.STALLED, code="run.stalled", message="m", hint="h"),
         "run.stalled", "m", "h", AT_RISK, BOTH),
        (judged(VerdictKind.STALLED, code="run.superseded", message="m", hint="h"),
         "run.superseded", "m", "h", LATE, BOTH),
        (judged(VerdictKind.FAILED, code="run.failed", message="m", hint="h"),
         "run.failed", "m", "h", LATE, BOTH),
        (judged(VerdictKind.NO_SHEET, code="run.no_sheet", message="m", hint="h"),
         "run.no_sheet", "m", "h", LATE, ONLY),
        (judged(VerdictKind.UNREADABLE, code="c", message="m", hint="h"), "c", "m", "h", LATE,
         BOTH),
        (judged(VerdictKind.UNREACHABLE, code="c", message="m", hint="h"), "c", "m", "h", AT_RISK,
         UNKNOWN),
        (judged(VerdictKind.UNREACHABLE, code="c", message="m", hint="h", evidence={"gone": True}),
         "c", "m", "h", LATE, GONE),
        (judged(VerdictKind.COMPLETE, message="all"), "", "all; it is ready", "", CAN_WAIT, ONLY),
        (unadopted, "run.not_adopted", "it was in its directory before Arteriole first looked"
         " there, so nothing is done to it", ADOPT, CAN_WAIT, ONLY),
        (picked_up, "", "complete; it is started", "", CAN_WAIT, ONLY),
        (held, "run.held", "it is held by ada: in doubt", f"arteriole release {RUN}", LATE, ONLY),
        (held_by(("all", "")), "run.held", "all runs are held by ada: in doubt",
         "arteriole release --all", LATE, ONLY),
        (held_by(("all", ""), ("instrument", "K00188")), "run.held",
         "all runs of K00188 are held by ada: in doubt", "arteriole release --instrument K00188",
         LATE, ONLY),
        (claimed, "", "convert is about to begin (attempt 1)", "", CAN_WAIT, ONLY),
        (half_done, "", "transfer and archive is about to begin (attempt 1)", "", CAN_WAIT, ONLY),
        (running, "", "transfer and archive are running (attempt 1)", "", CAN_WAIT, ONLY),
        (degraded, "", "convert is running (degraded attempt 1)", "", CAN_WAIT, BOTH),
        (failed(""), "sheet.index", "convert failed: line 7", RETRY, LATE, ONLY),
        (failed("mend it"), "sheet.index", "convert failed: line 7", f"mend it; then: {RETRY}",
         LATE, ONLY),
        (failed(f"mend it, {RETRY}"), "sheet.index", "convert failed: line 7",
         f"mend it, {RETRY}", LATE, ONLY),
        (failed(f"{RETRY} or ask."), "sheet.index", "convert failed: line 7",
         f"{RETRY} or ask; then: {RETRY}", LATE, ONLY),
        (failed_check("checksum.not_as_written", "the FASTQs were changed."),
         "checksum.not_as_written", "checksum failed: m",
         f"the FASTQs were changed: {REDO} convert", LATE, FASTQS),
        (failed_check("manifest.missing", ""), "manifest.missing", "checksum failed: m",
         f"{REDO} checksum", LATE, ONLY),
        (waiting, "metadata.missing", "convert waits: 2 samples", "drop it", LATE, ONLY),
        (stage_observed, "stage.observed",
         "convert failed: ex1 only observes, though the runfolder service acts",
         f"set the same mode for both in arteriole.yaml and start them again; then: {RETRY}", LATE,
         ONLY),
        (done, "", "all stages of attempt 1 are done", "", CAN_WAIT,
         "yes: the run folder is archived and verified"),
        (aborted(unadopted), "run.aborted", "it was dismissed by ada: wrong flow cell", ADOPT,
         CAN_WAIT, ONLY),
        (aborted(claimed), "run.aborted", "attempt 1 was aborted by ada: wrong flow cell",
         f"{REDO} convert", CAN_WAIT, ONLY),
        (aborted(with_a_job), "run.aborted", "attempt 1 was aborted by ada: wrong flow cell;"
         " checksum is running still", f"arteriole abort {RUN}", CAN_WAIT, ONLY),
        (aborted(running), "run.aborted", "attempt 1 was aborted by ada: wrong flow cell",
         f"{REDO} transfer", CAN_WAIT, ONLY),
    ],
)  # fmt: skip
def test_each_state_is_explained(desk, prepare, code, message, hint, urgency, safe):
    prepare(desk)
    told = why(desk.run)
    del told["until"], told["samples"]
    assert told == {
        "code": code,
        "message": message,
        "hint": hint,
        "urgency": urgency,
        "data_safe": safe,
        "page": f"docs/runbook/{code}.md" if code else "",
    }


@pytest.mark.parametrize(
    ("mode", "hint"),
    [
        (Mode.ACT, ADOPT),
        (Mode.OBSERVE,
         f"set mode: act in arteriole.yaml and start the services again; then: {ADOPT}"),
    ],
)  # fmt: skip
def test_an_observed_run_is_explained(make_desk, mode, hint):
    desk = make_desk(mode=Mode.OBSERVE)
    done(desk)
    told = why(desk.run, mode)
    assert (told["code"], told["urgency"], told["hint"]) == ("run.observed", CAN_WAIT, hint)
    assert told["message"] == "attempt 1 only worked out what would be done; nothing was done"
    assert told["data_safe"] == ONLY  # it was not archived
    acting = desk.switch(Mode.ACT)
    acting.adopt()
    assert why(acting.run)["message"] == "complete; it is ready"


AT = "2026-11-22T14:00:07.123Z"
DUE = "2026-11-23T14:00Z: results are due 24 h after the run is complete"


def since(desk, time=AT):
    desk.store.execute("UPDATE run SET verdict_since = ?", (time,))


@pytest.mark.parametrize(
    ("prepare", "until"),
    [
        (failed(""), DUE),
        (held, DUE),
        (judged(VerdictKind.NO_SHEET), DUE),
        (judged(VerdictKind.INCOMPLETE), ""),  # the time runs from when it is complete
        (unadopted, ""),
        (done, ""),
        (judged(VerdictKind.UNREACHABLE), "now"),
        (judged(VerdictKind.STALLED), "now"),
    ],
)  # fmt: skip
def test_until_when(desk, prepare, until):
    prepare(desk)
    since(desk)
    assert why(desk.run)["until"] == until


def test_the_results_are_due_when_the_site_says(desk):
    failed("")(desk)
    since(desk)
    told = why(desk.run, result_due_hours=1.5)["until"]
    assert told == "2026-11-22T15:30Z: results are due 1.5 h after the run is complete"


def test_results_are_due_from_the_claim_where_the_verdict_changed_since(desk):
    failed("")(desk)
    desk.store.execute("UPDATE attempt SET made = ?", (AT,))
    assert why(desk.run)["until"] == DUE
    desk.judge("unreachable")
    assert why(desk.run)["until"] == DUE


@pytest.mark.parametrize(
    ("evidence", "samples"),
    [({"samples": 12}, 12), ({"samples": 0}, 0), ({}, None), ({"samples": None}, None),
     ({"samples": "<% x %>"}, None)],
)  # fmt: skip
def test_how_many_samples(desk, evidence, samples):
    judged(VerdictKind.COMPLETE, evidence=evidence)(desk)
    assert why(desk.run)["samples"] == samples


def test_how_many_samples_is_known_of_a_folder_that_is_gone_too(desk):
    judged(VerdictKind.COMPLETE, evidence={"samples": 12})(desk)
    run = desk.run
    desk.runs.judged(run, away(run, verdict(VerdictKind.UNREACHABLE)))
    assert why(desk.run)["samples"] == 12


def gone(desk, evidence):
    desk.judge("unreachable", code="run.unreachable", message="it is gone", hint="bring it back",
               evidence=evidence)  # fmt: skip
    since(desk)


GONE_SINCE = "since 2026-11-22T14:00Z it is gone; "


def test_a_folder_that_is_gone_comes_before_what_is_missed_in_it(desk):
    failed("")(desk)
    gone(desk, {"gone": True})
    told = why(desk.run)
    assert told["message"] == f"{GONE_SINCE}convert failed: line 7"
    assert (told["code"], told["page"]) == ("run.unreachable", "docs/runbook/run.unreachable.md")
    assert told["hint"] == f"bring it back; once it is there again: {RETRY}"
    assert (told["urgency"], told["data_safe"]) == (LATE, GONE)


def test_a_folder_that_is_away_is_told_of_a_run_that_goes_on(desk):
    running(desk)
    gone(desk, {})
    told = why(desk.run)
    assert told["message"] == f"{GONE_SINCE}transfer and archive are running (attempt 1)"
    assert (told["hint"], told["urgency"]) == ("bring it back", LATE)


def test_what_comes_after_the_archive_needs_the_folder_no_more(desk):
    done(desk)
    desk.redo("tell")
    gone(desk, {"gone": True})
    told = why(desk.run)
    about = "tell is about to begin (attempt 1)"
    assert (told["message"], told["code"]) == (f"{about}; {GONE_SINCE[:-2]}", "")
    assert told["urgency"] == CAN_WAIT


def test_a_held_run_whose_folder_is_gone_says_both(desk):
    desk.arrive()
    desk.hold()
    gone(desk, {})
    assert why(desk.run)["message"] == "it is held by ada: in doubt"
    gone(desk, {"gone": True})
    told = why(desk.run)
    assert told["message"] == "it is held by ada: in doubt; it is gone"
    assert told["hint"] == f"arteriole release {RUN}"


def test_a_run_that_is_done_needs_its_folder_no_more(desk):
    done(desk)
    gone(desk, {"gone": True})
    assert why(desk.run)["message"] == "all stages of attempt 1 are done"


def test_a_code_that_is_none_has_no_page(desk):
    judged(VerdictKind.INCOMPLETE, code="../etc/passwd")(desk)
    assert why(desk.run)["page"] == ""


def test_a_refused_folder_is_explained(desk):
    desk.arrive("a b")
    reason = why(desk.runs.get("a b"))
    assert (reason["code"], reason["hint"]) == ("run.name", "rename the folder")
