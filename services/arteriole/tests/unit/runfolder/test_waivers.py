"""Waivers: what may be waived, and which attempts are degraded by it, for good."""

import json

import pytest

from arteriole.app import times
from arteriole.app.errors import ConflictError
from arteriole.bcl2fastq import converters
from arteriole.runfolder.ignorable import WAIVABLE_RULES
from arteriole.runfolder.overdue import overdue
from arteriole.runfolder.records import WAIVABLE, Terms
from arteriole.runfolder.stages import STILL
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.waivers import (
    Ignorable,
    unwaive,
    unwaive_rules,
    waive,
    waive_rules,
)
from arteriole.runfolder.why import why

from .conftest import RUN

BCLS = [Ignorable.MISSING_BCLS]
STAGES = ("convert", "checksum", "transfer", "archive", "tell")


def do_waive(desk, ignore=BCLS, reason="one tile", who="ada"):
    return waive(desk.runs, RUN, reason, ignore, who)


@pytest.fixture
def short(desk):
    """A run that is not whole."""
    desk.arrive("other")
    desk.runs.register(desk.runs.get("other").path.with_name(RUN), adopted=True)
    desk.judge("incomplete", message="3 files missing")
    return desk


@pytest.mark.parametrize("kind", VerdictKind)
def test_only_what_is_at_rest_is_waived(desk, kind):
    desk.arrive()
    desk.judge(kind)
    if kind in WAIVABLE:
        assert do_waive(desk).ignore == ("missing-bcls",)
        assert desk.run.state is RunState.READY
        return
    with pytest.raises(ConflictError, match=f"is {kind.value}, so there is nothing") as error:
        do_waive(desk)
    assert error.value.code == "run.not_waivable"
    assert desk.run.waiver is None and desk.told("waived") == []


PASSED_ONLY = "Data/Intensities/BaseCalls/L001/C26.1/L001_1.cbcl"
NEEDED = {"passed_only": PASSED_ONLY, "filter_needed": True, "waiver": []}
NOT_NEEDED = {"passed_only": PASSED_ONLY, "filter_needed": False}
FILTER = [Ignorable.MISSING_FILTER]


@pytest.mark.parametrize(
    ("kind", "evidence", "ignore", "is_refused"),
    [
        ("incomplete", NEEDED, FILTER, True),
        ("incomplete", NEEDED, BCLS, True),  # the filters would be missing all the same
        ("failed", NEEDED, [], True),
        ("incomplete", {**NOT_NEEDED, "waiver": ["missing-bcls"]}, BCLS, False),
        ("incomplete", {**NOT_NEEDED, "waiver": ["missing-bcls"]}, [*BCLS, *FILTER], True),
        # they are missing on a lane whose base calls are all there
        ("incomplete", {**NOT_NEEDED, "waiver": ["missing-filter"]}, FILTER, False),
        ("incomplete", {"waiver": ["missing-filter"]}, FILTER, False),
        ("complete", NOT_NEEDED, FILTER, True),
        ("complete", NOT_NEEDED, [Ignorable.EMPTY_SAMPLES], False),
        ("complete", {}, FILTER, False),
    ],
)
def test_a_filter_file_is_waived_only_where_that_helps(desk, kind, evidence, ignore, is_refused):
    desk.arrive()
    desk.judge(kind, message="seen", evidence=evidence)
    if not is_refused:
        assert do_waive(desk, ignore).ignore
        return
    with pytest.raises(ConflictError, match=f"cannot be waived: {PASSED_ONLY} holds") as error:
        do_waive(desk, ignore)
    assert error.value.code == "run.not_waivable" and "copy the filter files" in error.value.hint
    assert desk.run.waiver is None and desk.told("waived") == []


def ready(desk):
    return [e.run for e in desk.runs.events.read(None).events if e.what == "run_ready"].count(RUN)


def test_the_attempt_of_a_waived_run_is_degraded_for_good(short):
    do_waive(short)
    assert ready(short) == 1
    assert [e["what"] for e in overdue([short.run], 0.0)] == ["run_ready"]
    assert why(short.run)["message"] == "3 files missing; waived by ada: one tile; it is ready"
    assert short.claim()["claimed"]
    assert short.last("claimed").payload["degraded"] is True
    short.judge("complete")
    (attempt,) = short.run.attempts
    assert (attempt.degraded, attempt.ignore) == (True, ("missing-bcls",))
    short.do(*STAGES)
    short.redo("transfer")
    assert [one.degraded for one in short.run.attempts] == [True]


def test_a_redo_once_it_is_complete_is_clean(short):
    do_waive(short)
    short.claim()
    short.do(*STAGES)
    short.judge("complete")
    assert short.redo("convert") == 2
    assert [(one.degraded, one.ignore) for one in short.run.attempts] == [
        (True, ("missing-bcls",)),
        (False, ()),
    ]


def test_a_complete_run_whose_conversion_failed_may_be_waived_by_name(desk):
    desk.arrive()
    desk.claim()
    desk.end("convert", "failed", code="convert.empty_sample")
    with pytest.raises(ConflictError, match="must be named") as error:
        do_waive(desk, [])
    assert error.value.code == "run.not_waivable"
    for _ in range(2):
        do_waive(desk, [Ignorable.EMPTY_SAMPLES])
    assert len(desk.told("waived")) == 1
    assert desk.redo("convert") == 2
    assert [(one.degraded, one.ignore) for one in desk.run.attempts] == [
        (False, ()),
        (True, ("empty-samples",)),
    ]


def test_a_redo_takes_the_waiver_as_it_is_then(short):
    do_waive(short)
    short.claim()
    short.do(*STAGES)
    do_waive(short, [Ignorable.EMPTY_SAMPLES, *BCLS, *BCLS])
    assert short.redo("convert") == 2
    assert [one.ignore for one in short.run.attempts] == [
        ("missing-bcls",),
        ("missing-bcls", "empty-samples"),
    ]


def test_data_that_is_taken_over_stays_degraded(short):
    plan = {
        "receive": {},
        "convert": {"after": ["receive"], "makes_attempt": True},
        "analyse": {"after": ["convert"], "makes_attempt": True},
    }
    do_waive(short)
    short.claim(plan)
    short.do("convert", "analyse")
    short.judge("complete")
    assert short.redo("analyse") == 2
    assert short.run.newest.degraded and short.run.newest.ignore == ("missing-bcls",)
    short.do("analyse", attempt=2)
    assert short.redo("convert") == 3
    assert not short.run.newest.degraded


def test_a_run_that_becomes_complete_before_the_claim_needs_its_waiver_no_more(short):
    do_waive(short)
    short.judge("complete")
    assert ready(short) == 1  # it was ready all the time
    short.claim()
    assert not short.run.newest.degraded and short.run.waiver is not None


def test_while_it_is_written_again_it_is_not_claimed(short):
    do_waive(short)
    short.judge("copying")
    with pytest.raises(ConflictError, match="it is copying"):
        short.claim()
    short.judge("stalled")
    assert ready(short) == 2
    assert short.claim()["claimed"] and short.run.newest.degraded


@pytest.mark.parametrize(
    ("failed", "kind", "still", "is_refused"),
    [
        ("convert", "copying", True, True),
        ("convert", "sequencing", False, True),
        ("convert", "sequencing", True, False),
        ("convert", "incomplete", True, False),
        ("convert", "complete", False, False),
        ("transfer", "copying", True, True),
        ("transfer", "sequencing", False, False),  # its FASTQs are made
    ],
)
def test_a_retry_waits_for_the_end_of_a_copy(short, failed, kind, still, is_refused):
    do_waive(short)
    short.claim()
    short.do(*STAGES[: STAGES.index(failed)])
    short.begin(failed)
    short.end(failed, "failed", code="convert.run_data")
    quiet = times.now(-STILL - 60 if still else -60)
    short.judge(kind, message="2 files are missing", evidence={"quiet_since": quiet})
    if not is_refused:
        assert short.retry() == [failed]
        return
    with pytest.raises(ConflictError, match=f"still being written .* is {kind}: 2 files") as error:
        short.retry()
    assert error.value.code == "run.not_ready" and f"arteriole why {RUN}" in error.value.hint
    assert short.stage(failed).state.value == "failed" and short.told("stage_retried") == []
    short.judge("complete")
    assert short.retry() == [failed]


@pytest.mark.parametrize("kind", ["sequencing", "copying"])
def test_no_data_is_made_anew_of_files_that_are_still_being_written(short, kind):
    """What the waiver lets be ignored may be just about to arrive."""
    do_waive(short)
    short.claim()
    short.do(*STAGES)
    short.judge(kind)
    with pytest.raises(ConflictError, match=f"is {kind}") as error:
        short.redo("convert")
    assert error.value.code == "run.not_ready" and short.run.attempt == 1
    short.judge(kind, evidence={"quiet_since": times.now(-60)})
    with pytest.raises(ConflictError, match=f"is {kind}"):
        short.redo("convert")
    assert short.redo("transfer") == 1  # its FASTQs are made
    short.judge("complete")
    short.do("transfer", "tell")
    assert short.redo("convert") == 2 and not short.run.newest.degraded


def test_a_sheet_that_a_person_put_into_a_stalled_run_delays_a_redo_by_half_an_hour(short):
    """Not until it counts as stalled again."""
    short.judge("stalled")
    do_waive(short)
    short.claim()
    short.do(*STAGES)
    short.judge("sequencing", evidence={"quiet_since": times.now(-STILL - 60)})
    assert short.redo("convert") == 2 and short.run.newest.degraded


def test_the_waiver_of_a_complete_run_waives_no_file_that_went_missing_later(desk):
    """Its folder was removed and is copied in again, or a disk lost a part of it."""
    desk.arrive()
    desk.hold()
    do_waive(desk)
    desk.judge("unreachable")
    desk.judge("incomplete")
    desk.free()
    with pytest.raises(ConflictError, match="it is incomplete"):
        desk.claim()
    assert desk.run.state is RunState.NONE
    desk.judge("complete")
    desk.claim()
    assert desk.run.newest.ignore == ("missing-bcls",)
    desk.judge("incomplete")
    desk.redo("convert")
    assert not desk.run.newest.degraded


@pytest.mark.parametrize("waived_anew", [False, True])
def test_an_attempt_that_has_not_begun_is_kept_while_the_waiver_is_the_same(short, waived_anew):
    do_waive(short)
    short.claim()
    assert [short.redo("convert"), short.redo("convert")] == [2, 2]
    if waived_anew:
        do_waive(short, [Ignorable.MISSING_FILTER])
    else:
        short.judge("complete")
    assert [short.redo("convert"), short.redo("convert")] == [3, 3]
    newest = short.run.newest
    assert (newest.degraded, newest.ignore) == (
        (True, ("missing-filter",)) if waived_anew else (False, ())
    )


def test_the_same_waiver_again_changes_nothing_and_another_replaces_it(short):
    first = do_waive(short)
    assert do_waive(short) == first
    assert len(short.told("waived")) == ready(short) == 1
    second = do_waive(short, [], "all of it", "bob")
    assert short.run.waiver == second
    assert (second.by, second.reason, second.ignore) == ("bob", "all of it", ())
    assert short.last("waived").payload == {"reason": "all of it", "ignore": []}
    assert ready(short) == 1


def test_a_waiver_that_is_withdrawn_makes_no_attempt(short):
    do_waive(short)
    assert unwaive(short.runs, RUN, "the tile was found", "bob").by == "ada"
    assert short.last("unwaived").payload == {
        "reason": "the tile was found",
        "ignore": ["missing-bcls"],
        "waived_by": "ada",
    }
    assert short.last("unwaived").who == "bob"
    assert (short.run.waiver, short.run.state) == (None, RunState.NONE)
    assert overdue([short.run], 0.0) == []
    with pytest.raises(ConflictError, match="it is incomplete"):
        short.claim()
    assert unwaive(short.runs, RUN, "again", "bob") is None
    assert len(short.told("unwaived")) == 1
    do_waive(short)  # another person may decide otherwise
    short.claim()
    assert short.run.newest.degraded


def test_an_attempt_made_under_a_waiver_stays_degraded_and_no_other_is_made_under_it(short):
    do_waive(short)
    short.claim()
    short.do("convert")
    unwaive(short.runs, RUN, "not so", "bob")
    assert (short.run.newest.degraded, short.run.newest.ignore) == (True, ("missing-bcls",))
    short.begin("checksum")
    short.end("checksum", "failed")
    assert short.retry() == ["checksum"]  # it goes on
    short.do("checksum", "transfer", "archive", "tell")
    assert short.redo("transfer") == 1 and short.run.newest.degraded
    short.do("transfer", "tell")
    assert short.redo("convert") == 2
    assert [(one.degraded, one.ignore) for one in short.run.attempts] == [
        (True, ("missing-bcls",)),
        (False, ()),
    ]


def test_a_waived_run_waits_for_adoption_and_holds_like_any_other(short):
    short.runs.store.execute("UPDATE run SET adopted = 0")
    short.hold()
    do_waive(short)
    assert short.run.state is RunState.PENDING and ready(short) == 0
    short.adopt()
    assert ready(short) == 0
    short.free()
    assert ready(short) == 1


def test_a_run_without_a_waiver_is_not_degraded(claimed):
    claimed.judge("incomplete")
    claimed.redo("convert")
    assert not claimed.run.newest.degraded


RULE = "sheet.index_collision"
CHECKED = {
    "receive": {},
    "check": {"after": ["receive"]},
    "convert": {"after": ["check"], "makes_attempt": True},
}


def do_waive_rule(desk, rules=(RULE,), reason="pooled so", who="ada"):
    return waive_rules(desk.runs, RUN, reason, list(rules), who)


@pytest.fixture
def refused(desk):
    """A run whose sheet breaks a rule."""
    desk.arrive()
    desk.claim(CHECKED)
    desk.begin("check")
    desk.end("check", "failed", code=RULE, message="too near", hint="correct the index")
    return desk


def test_both_services_know_the_same_rules():
    assert converters.WAIVABLE_RULES == WAIVABLE_RULES


def test_a_waived_rule_goes_with_the_attempts_that_come(refused):
    assert [one.rule for one in do_waive_rule(refused)] == [RULE]
    assert refused.redo("check") == 2
    first, second = refused.run.attempts
    assert (first.degraded, first.waived_rules) == (False, ())
    assert (second.degraded, second.waived_rules) == (True, (RULE,))
    assert second.document(aborted=False)["waived_rules"] == [RULE]
    refused.do("check", "convert", attempt=2)
    assert unwaive_rules(refused.runs, RUN, "corrected", "bob") == (RULE,)
    assert unwaive_rules(refused.runs, RUN, "corrected", "bob") == ()
    assert refused.redo("check") == 3
    assert [one.degraded for one in refused.run.attempts] == [False, True, False]
    (told,) = [e for e in events(refused) if e.what == "rules_waived"]
    assert (told.who, told.payload) == ("ada", {"rules": [RULE], "reason": "pooled so"})
    (told,) = [e for e in events(refused) if e.what == "rules_unwaived"]
    assert (told.who, told.payload) == ("bob", {"rules": [RULE], "reason": "corrected"})


def events(desk):
    return desk.runs.events.read(None, limit=1000).events


def test_a_rule_is_waived_once_and_by_its_first_name(refused):
    do_waive_rule(refused)
    (waived,) = do_waive_rule(refused, reason="another", who="bob")
    assert (waived.by, waived.reason) == ("ada", "pooled so")
    assert len(refused.told("rules_waived")) == 1


def test_a_rule_may_be_waived_before_the_run_is_whole(short):
    """It is of the sheet; that the files are not there is waived apart from it."""
    do_waive_rule(short)
    assert short.run.state is RunState.NONE and not short.run.claimable
    short.judge("complete")
    short.claim(CHECKED)
    (attempt,) = short.run.attempts
    assert (attempt.degraded, attempt.ignore, attempt.waived_rules) == (True, (), (RULE,))


def test_files_and_rules_are_waived_side_by_side(short):
    do_waive(short)
    do_waive_rule(short)
    short.claim(CHECKED)
    assert short.run.attempts[0].terms == Terms(True, ("missing-bcls",), (RULE,))
    unwaive(short.runs, RUN, "they came", "ada")
    assert short.run.made_under() == Terms(True, (), (RULE,))


def test_data_that_is_taken_over_keeps_its_rules(refused):
    plan = {**CHECKED, "analyse": {"after": ["convert"], "makes_attempt": True}}
    refused.runs.store.execute("UPDATE run SET plan = ?", (json.dumps({"stages": plan}),))
    do_waive_rule(refused)
    refused.redo("check")
    refused.do("check", "convert", "analyse", attempt=2)
    unwaive_rules(refused.runs, RUN, "no more", "ada")
    assert refused.redo("analyse") == 3
    assert refused.run.attempts[-1].terms == Terms(True, (), (RULE,))


@pytest.mark.parametrize("rule", ["sheet.quotes", "sheet.name_characters", "convert.io", "x"])
def test_what_no_conversion_can_go_on_without_is_not_waived(refused, rule):
    with pytest.raises(ConflictError, match=f"{rule} cannot be waived") as error:
        do_waive_rule(refused, (RULE, rule))
    assert error.value.code == "run.rule_not_waivable" and "retry" in error.value.hint
    assert refused.run.waived_rules == () and refused.told("rules_waived") == []


def test_why_names_the_command_that_waives_it(refused):
    told = why(refused.run)
    waiver = f"arteriole waive {RUN} --rule {RULE} --reason TEXT"
    redo = f"arteriole redo {RUN} --from check"
    assert f"too near; whoever means it so: {waiver}, then: {redo}" in told["message"]
    assert told["hint"] == f"correct the index; then: arteriole retry {RUN}"
    do_waive_rule(refused)
    told = why(refused.run)
    assert told["message"] == "check failed: too near"
    assert told["hint"] == f"{RULE} is waived in the attempts that come: {redo}"
    refused.redo("check")
    refused.begin("check", attempt=2)
    refused.end("check", "failed", attempt=2, code=RULE, message="too near", hint="correct it")
    told = why(refused.run)  # a converter that goes on with none
    assert told["hint"] == f"correct it; then: arteriole retry {RUN}"
    assert "waive" not in told["message"]


def test_why_offers_no_waiver_that_would_be_refused(desk):
    desk.arrive()
    desk.claim(CHECKED)
    desk.begin("check")
    desk.end("check", "failed", code="sheet.quotes", message="the quotes do not match", hint="mend")
    assert "waive" not in str(why(desk.run))
