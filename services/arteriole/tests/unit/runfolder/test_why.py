"""Why a run stands where it stands: one sentence, one deed, for each state."""

from pathlib import Path

import pytest

from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind
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
    desk.stages.hold(RUN, "in doubt", "ada")


def picked_up(desk):
    desk.runs.set_arteria_state(desk.arrive(), RunState.STARTED, "arteria")


def claimed(desk):
    desk.arrive()
    desk.claim()


def running(desk):
    claimed(desk)
    desk.do("convert", "checksum")
    desk.begin("transfer")
    desk.begin("archive")


def failed(hint):
    def prepare(desk):
        claimed(desk)
        desk.begin("convert")
        desk.end("convert", "failed", code="sheet.index", message="line 7", hint=hint)

    return prepare


def done(desk):
    claimed(desk)
    desk.do("convert", "checksum", "transfer", "archive", "tell")


RETRY = f"arteriole retry {RUN}"
ONLY = "yes, in the run folder only: do not delete it"
BOTH = "only on the instrument and in the run folder: delete neither"


@pytest.mark.parametrize(
    ("prepare", "code", "message", "hint", "urgency", "safe"),
    [
        (judged(VerdictKind.SEQUENCING, message="cycle 3 of 9"), "", "cycle 3 of 9", "", CAN_WAIT,
         BOTH),
        (judged(VerdictKind.INCOMPLETE, code="run.incomplete", message="m", hint="h"),
         "run.incomplete", "m", "h", LATE, BOTH),
        (judged(VerdictKind.UNREADABLE, code="c", message="m", hint="h"), "c", "m", "h", LATE,
         ONLY),
        (judged(VerdictKind.UNREACHABLE, code="c", message="m", hint="h"), "c", "m", "h", AT_RISK,
         "unknown: the run folder cannot be reached"),
        (judged(VerdictKind.COMPLETE, message="all"), "", "all; it is ready", "", CAN_WAIT, ONLY),
        (unadopted, "run.not_adopted", "it was here before Arteriole's first start, so nothing is"
         " done to it", f"arteriole adopt {RUN}", CAN_WAIT, ONLY),
        (picked_up, "", "complete; it is started", "", CAN_WAIT, ONLY),
        (held, "run.held", "it is held: in doubt", f"arteriole unhold {RUN}", LATE, ONLY),
        (claimed, "", "convert is about to begin", "", CAN_WAIT, ONLY),
        (running, "", "transfer and archive of attempt 1 is running", "", CAN_WAIT, ONLY),
        (failed(""), "sheet.index", "convert failed: line 7", RETRY, LATE, ONLY),
        (failed("mend it"), "sheet.index", "convert failed: line 7", f"mend it; then: {RETRY}",
         LATE, ONLY),
        (failed(f"{RETRY} please"), "sheet.index", "convert failed: line 7", f"{RETRY} please",
         LATE, ONLY),
        (done, "", "all stages of attempt 1 are done", "", CAN_WAIT,
         "yes: the run folder is archived and verified"),
    ],
)  # fmt: skip
def test_each_state_is_explained(desk, prepare, code, message, hint, urgency, safe):
    prepare(desk)
    assert why(desk.run) == {
        "code": code,
        "message": message,
        "hint": hint,
        "urgency": urgency,
        "data_safe": safe,
    }


def test_a_refused_folder_is_explained(desk):
    desk.arrive("a b")
    reason = why(desk.runs.get("a b"))
    assert (reason["code"], reason["hint"]) == ("run.name", "rename the folder")
