"""What a runner takes and gives."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from st2solo.ports import ActionDefinition, PackChanges
from st2solo.settings import EngineSettings
from st2solo.statuses import Status


@dataclass(frozen=True)
class Job:
    """One execution that is about to run.

    `runner` and `parameters` are the rendered values of the runner's and of the action's own
    parameters. `folder` is private to this execution.
    """

    execution_id: str
    action: ActionDefinition
    user: str
    runner: dict[str, Any]
    parameters: dict[str, Any]
    folder: Path
    settings: EngineSettings
    config: Callable[[], dict[str, Any]]
    token: Callable[[], str]
    #: Any execution as the API shows it; an alias by its id, if there is such a one.
    document: Callable[[str], dict[str, Any]]
    alias: Callable[[str], dict[str, Any] | None]
    #: What may install and remove packs, where that is possible.
    packs: PackChanges | None = None


@dataclass(frozen=True)
class Command:
    """A process to start; `stdin` is the only place for what must not be seen.

    `imports_from` are folders, beside those on PYTHONPATH, in which a Python process looks for
    modules before it looks among Python's own.
    """

    argv: list[str]
    env: dict[str, str]
    stdin: str = ""
    cwd: str | None = None
    timeout: float | None = None
    imports_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """How a process ended. `output` is the document that it left, if it is one that leaves one.

    Of one that has printed or returned `too_much` there are only the ends of both streams, and
    `error` tells the sizes.
    """

    exit_code: int | None
    stdout: str
    stderr: str
    timed_out: bool = False
    killed: bool = False
    timeout: float | None = None
    error: str | None = None
    output: dict[str, Any] | None = None
    too_much: bool = False


@dataclass(frozen=True)
class Announcement:
    """What those who listen to the event stream are told, as `st2.announcement__<route>`."""

    route: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What becomes of the execution; an announcement is made once that is written."""

    status: Status
    result: Any = field(default_factory=dict)
    announcement: Announcement | None = None


class Runner(Protocol):
    """One kind of action."""

    def prepare(self, job: Job) -> Command | Outcome:
        """What to start, or at once what came of it.

        Raises:
            InvalidError: this action cannot be run so.
        """

    def outcome(self, ended: Ended) -> Outcome:
        """The meaning of how the process ended."""


#: The file in a job's folder to which a process writes its document.
OUTPUT_FILE = "output.json"


def base_environment() -> dict[str, str]:
    """st2solo's own environment without its own settings."""
    return {k: v for k, v in os.environ.items() if not k.startswith("ST2SOLO_")}


def action_environment(job: Job) -> dict[str, str]:
    """The variables that StackStorm gives to every action (st2common/runners/base.py)."""
    return {
        "ST2_ACTION_PACK_NAME": job.action.pack,
        "ST2_ACTION_EXECUTION_ID": job.execution_id,
        "ST2_ACTION_API_URL": job.settings.api_url,
        "ST2_ACTION_DEBUG": str(bool(job.runner.get("debug"))),
        "ST2_ACTION_AUTH_TOKEN": job.token(),
    }


def timeout_error(ended: Ended) -> str:
    """The sentence for an action that ran out of time."""
    seconds = ended.timeout
    whole = int(seconds) if seconds is not None and seconds == int(seconds) else seconds
    return f"Action failed to complete in {whole} seconds"
