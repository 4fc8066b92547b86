"""How runs stand, in words for a person, and which of them need one."""

import enum

from arteriole.runfolder.records import FAULTY, Run
from arteriole.runfolder.states import RunState, StageState
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.why import CAN_WAIT

#: The words for which runs may be asked: Arteria's states, and what is said where it has no word.
WORDS = (
    *(state.value for state in RunState),
    "observed",
    "no_run",
    *(kind.value for kind in VerdictKind if kind not in {*FAULTY, VerdictKind.COMPLETE}),
)

_CLOSED = (RunState.DONE, RunState.CANCELLED)
_TROUBLED = (StageState.FAILED, StageState.HELD)
_COMING = (VerdictKind.SEQUENCING, VerdictKind.COPYING)


class Group(enum.StrEnum):
    """In the order in which they are listed."""

    PERSON = "person"
    UNDERWAY = "underway"
    REST = "rest"


def group_of(run: Run, code: str, urgency: str) -> Group:
    """Whether it needs a person, goes on by itself, or rests; `why` gives code and urgency."""
    if run.state in _CLOSED:
        return Group.REST
    troubled = any(stage.state in _TROUBLED for stage in run.current)
    if urgency != CAN_WAIT or run.state is RunState.ERROR or troubled:
        return Group.PERSON
    if run.state in (RunState.READY, RunState.STARTED):
        return Group.UNDERWAY
    if run.state is RunState.PENDING and code != "run.not_adopted":
        return Group.UNDERWAY
    coming = not run.observed and not run.holds_no_run and run.verdict in _COMING
    return Group.UNDERWAY if coming else Group.REST


def asked_state(word: str) -> RunState:
    """The state of all runs that stand like that."""
    return RunState(word) if word in set(RunState) else RunState.NONE


def is_asked(run: Run, word: str) -> bool:
    """Whether the run is in this state, or stands like that.

    NB: `none` is the state of many that are said to stand otherwise.
    """
    return word in (run.state.value, run.standing.replace(" ", "_"))
