"""Commands and scripts on this machine.

A command is text for a shell: that is what the runner is. It is the one place where st2solo
starts a shell. A script is started with a list of arguments.

Source: contrib/runners/local_runner of StackStorm 3.9.
"""

import json
import stat
from pathlib import Path
from typing import Any

from st2solo import json_text
from st2solo.errors import InvalidError
from st2solo.runners.protocol import (
    Command as Process,
)
from st2solo.runners.protocol import (
    Ended,
    Job,
    Outcome,
    action_environment,
    base_environment,
    timeout_error,
)
from st2solo.statuses import Status

#: Above what is printed are the names of a stream and, of remote commands, of a host.
_DEEPEST = json_text.DEEPEST - 2
_STATUSES = {0: Status.SUCCEEDED, 1: Status.FAILED, -9: Status.TIMEOUT, -15: Status.ABANDONED}


def stripped(text: str) -> str:
    """Without the line end at its end."""
    return text.removesuffix("\n").removesuffix("\r")


def _not_json(constant: str) -> Any:
    raise ValueError(constant)


def read_output(text: str) -> Any:
    """Output that is JSON becomes what it says, unless it is nested too deep to be passed on."""
    try:
        value = json.loads(stripped(text), parse_constant=_not_json)
    except (ValueError, RecursionError):
        return stripped(text)
    return stripped(text) if json_text.is_deeper(value, _DEEPEST) else value


class _Shell:
    def outcome(self, ended: Ended) -> Outcome:
        code = -9 if ended.timed_out else ended.exit_code
        error = timeout_error(ended) if ended.timed_out else ended.error
        status = Status.FAILED
        if code is not None and not ended.too_much:
            status = _STATUSES.get(code, Status.FAILED)
        read = stripped if ended.too_much else read_output
        result = {
            "failed": status is not Status.SUCCEEDED,
            "succeeded": status is Status.SUCCEEDED,
            "return_code": code,
            "stdout": read(ended.stdout),
            "stderr": read(ended.stderr),
        }
        if error:
            result["error"] = error
        return Outcome(status, result)

    @staticmethod
    def _process(job: Job, argv: list[str], cwd: str | None) -> Process:
        if job.runner.get("sudo"):
            raise InvalidError(
                f"{job.action.ref} asks for sudo; st2solo runs actions only as its own user:"
                " set sudo to false"
            )
        own = {str(k): str(v) for k, v in (job.runner.get("env") or {}).items()}
        return Process(
            argv=argv,
            env={**base_environment(), **own, **action_environment(job)},
            cwd=cwd,
            timeout=job.runner.get("timeout"),
        )


class Command(_Shell):
    """local-shell-cmd: the parameter `cmd` is a line for bash."""

    def prepare(self, job: Job) -> Process | Outcome:
        argv = ["/bin/bash", "-c", command_text(job, "local-shell-script")]
        return self._process(job, argv, job.runner.get("cwd"))


class Script(_Shell):
    """local-shell-script: the file of the action, with named and positional arguments."""

    def prepare(self, job: Job) -> Process | Outcome:
        script = script_file(job)
        if not script.stat().st_mode & stat.S_IXUSR:
            script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP)
        return self._process(
            job, [str(script), *script_arguments(job)], job.runner.get("cwd") or str(script.parent)
        )


def command_text(job: Job, script_runner: str) -> str:
    """The line for the shell.

    Raises:
        InvalidError: there is none, or the action names a file, which is for the other runner.
    """
    if job.action.entry_point is not None:
        raise InvalidError(f"entry_point is only valid for {script_runner} runner")
    command = job.runner.get("cmd")
    if not isinstance(command, str):
        raise InvalidError(f"{job.action.ref} has no command: give the parameter cmd")
    return command


def script_file(job: Job) -> Path:
    """The file of the action.

    Raises:
        InvalidError: it names none, or there is none.
    """
    script = job.action.entry_point
    if script is None:
        raise InvalidError("Missing entry_point action metadata attribute")
    if not script.is_file():
        raise InvalidError(f"the script {script} of {job.action.ref} is not there")
    return script


def script_arguments(job: Job) -> list[str]:
    """The named, then the positional arguments of a script."""
    declared = job.action.parameters
    positions = {
        attributes["position"]: name
        for name, attributes in declared.items()
        if attributes.get("position") is not None
    }
    operator = job.runner.get("kwarg_op", "--")
    positional = [positions[p] for p in sorted(positions)]
    named: list[str] = []
    for name, value in job.parameters.items():
        if name in positional or value is None or value == "":
            continue
        if isinstance(value, bool):
            named += [f"{operator}{name}"] if value else []
        else:
            named.append(f"{operator}{name}={value}")
    return named + [_positional(job.parameters.get(name)) for name in positional]


def _positional(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value)
    return str(value)
