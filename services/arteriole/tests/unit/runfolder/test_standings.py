"""Which runs need a person, and by which words they are asked for."""

import pytest

from arteriole.app.mode import Mode
from arteriole.runfolder.figures import figures
from arteriole.runfolder.standings import WORDS, asked_state, group_of, is_asked
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.why import why

from .conftest import RUN
from .test_why import claimed, done, failed, held, judged, picked_up, running, unadopted, waiting


def only_observed(desk):
    desk.runs.mode = Mode.OBSERVE
    done(desk)


@pytest.mark.parametrize(
    ("prepare", "group", "words"),
    [
        (judged(VerdictKind.SEQUENCING), "underway", {"none", "sequencing"}),
        (judged(VerdictKind.COPYING), "underway", {"none", "copying"}),
        (judged(VerdictKind.SEQUENCING, evidence={"no_run": True}), "rest", {"none", "no_run"}),
        (judged(VerdictKind.STUCK), "person", {"none", "stuck"}),
        (judged(VerdictKind.STALLED), "person", {"none", "stalled"}),
        (judged(VerdictKind.INCOMPLETE), "person", {"none", "incomplete"}),
        (judged(VerdictKind.NO_SHEET), "person", {"none", "no_sheet"}),
        (judged(VerdictKind.EMPTIED), "rest", {"none", "emptied"}),
        (judged(VerdictKind.REFUSED), "person", {"error"}),
        (judged(VerdictKind.COMPLETE), "underway", {"ready"}),
        (unadopted, "rest", {"pending"}),
        (held, "person", {"pending"}),
        (picked_up, "underway", {"started"}),
        (claimed, "underway", {"started"}),
        (running, "underway", {"started"}),
        (failed("mend it"), "person", {"error"}),
        (waiting, "person", {"pending"}),
        (done, "rest", {"done"}),
        (only_observed, "rest", {"none", "observed"}),
    ],
)
def test_how_a_run_stands(desk, prepare, group, words):
    prepare(desk)
    run = desk.runs.get(RUN)
    reason = why(run)
    assert group_of(run, reason["code"], reason["urgency"]) == group
    assert {word for word in WORDS if is_asked(run, word)} == words
    assert {asked_state(word) for word in words} == {run.state}
    counted, _ = figures(desk.runs)
    (sample,) = counted.samples
    assert (sample.labels["standing"].replace("_", " "), sample.value) == (run.standing, 1)


def test_a_word_is_said_once():
    assert len(set(WORDS)) == len(WORDS) and set(RunState) < set(WORDS)
