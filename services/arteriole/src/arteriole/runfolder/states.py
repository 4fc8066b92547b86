"""The states of runs and stages, and what follows from what."""

import enum


class RunState(enum.StrEnum):
    """Arteria's names."""

    NONE = "none"
    READY = "ready"
    PENDING = "pending"
    STARTED = "started"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"


class StageState(enum.StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    #: It waits for something from outside: for data that is missing yet, or for a person to accept
    #: what was found.
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def passed(self) -> bool:
        """Stages after this one may begin."""
        return self in (StageState.DONE, StageState.SKIPPED)

    @property
    def ended(self) -> bool:
        return self.passed or self is StageState.FAILED


#: What may become of a stage. A failed or finished one goes back to waiting only by retry or redo;
#: one that is held is done when a person accepts it as it is.
TRANSITIONS: dict[StageState, frozenset[StageState]] = {
    StageState.WAITING: frozenset({StageState.RUNNING, StageState.FAILED}),
    StageState.RUNNING: frozenset(
        {
            StageState.WAITING,
            StageState.HELD,
            StageState.DONE,
            StageState.FAILED,
            StageState.SKIPPED,
        }
    ),
    StageState.HELD: frozenset({StageState.WAITING, StageState.DONE}),
    StageState.DONE: frozenset({StageState.WAITING}),
    StageState.SKIPPED: frozenset({StageState.WAITING}),
    StageState.FAILED: frozenset({StageState.WAITING}),
}


def claimed_state(stages: list[StageState], held: bool) -> RunState:
    """The state of a claimed run, from the stages of its newest attempt."""
    if StageState.FAILED in stages:
        return RunState.ERROR
    if all(stage.passed for stage in stages):
        return RunState.DONE
    if held:
        return RunState.PENDING
    if StageState.RUNNING in stages:
        return RunState.STARTED
    if StageState.HELD in stages:
        return RunState.PENDING
    if any(stage.passed for stage in stages):
        return RunState.STARTED
    return RunState.PENDING
