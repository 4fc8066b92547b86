"""Python actions of packs: `Action.run` in a process of its own.

Source: contrib/runners/python_runner of StackStorm 3.9.
"""

import json
import os
from importlib import resources
from pathlib import Path

from st2solo.errors import InvalidError
from st2solo.runners.protocol import (
    OUTPUT_FILE,
    Command,
    Ended,
    Job,
    Outcome,
    action_environment,
    base_environment,
    timeout_error,
)
from st2solo.statuses import Status

CHILD = Path(str(resources.files("st2solo"))) / "child"

_BAD_STATUS_EXIT_CODE = 220


def python_path(pack_path: Path) -> str:
    """PYTHONPATH of a pack's code: its actions' library, then the names it knows StackStorm by."""
    parts = [pack_path / "actions" / "lib", CHILD / "lib"]
    return os.pathsep.join(str(part) for part in parts)


class PythonScript:
    """python-script. Parameters, configuration and token never stand on a command line."""

    def prepare(self, job: Job) -> Command | Outcome:
        if job.action.entry_point is None:
            raise InvalidError(f'Action "{job.action.name}" is missing entry_point attribute')
        python = job.settings.environments.python_of(job.action.pack, job.action.pack_path)
        own = {
            str(k): str(v)
            for k, v in (job.runner.get("env") or {}).items()
            if str(k).lower() != "pythonpath"
        }
        given = action_environment(job)
        env = {
            **base_environment(),
            "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": python_path(job.action.pack_path),
            "PYTHONIOENCODING": "utf-8",
            **own,
            **given,
            "ST2_API_URL": job.settings.api_url,
            "ST2_AUTH_TOKEN": given["ST2_ACTION_AUTH_TOKEN"],
        }
        wrapped = {
            "pack": job.action.pack,
            "file_path": str(job.action.entry_point),
            "config": job.config(),
            "parameters": job.parameters,
            "user": job.user,
            "log_level": job.runner.get("log_level") or "DEBUG",
            "result_path": str(job.folder / OUTPUT_FILE),
        }
        return Command(
            argv=[str(python), "-u", str(CHILD / "python_action.py")],
            env=env,
            stdin=json.dumps(wrapped),
            timeout=job.runner.get("timeout"),
            imports_from=(str(job.action.entry_point.resolve().parent),),
        )

    def outcome(self, ended: Ended) -> Outcome:
        if ended.exit_code == _BAD_STATUS_EXIT_CODE and ended.output is None:
            return Outcome(Status.FAILED, {"error": ended.stderr, "traceback": ""})
        output = ended.output or {"result": "None", "status": None}
        result = {
            "stdout": ended.stdout,
            "stderr": ended.stderr,
            "exit_code": ended.exit_code,
            "result": output["result"],
        }
        if ended.timed_out:
            return Outcome(Status.TIMEOUT, {**result, "error": timeout_error(ended)})
        if ended.error:
            result["error"] = ended.error
        succeeded = ended.exit_code == 0 and output["status"] is not False and not ended.too_much
        return Outcome(Status.SUCCEEDED if succeeded else Status.FAILED, result)
