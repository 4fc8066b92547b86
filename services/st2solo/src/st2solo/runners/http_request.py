"""HTTP requests, made in a process of their own so that they outlive a restart like any action."""

import json
import sys

from st2solo.runners.protocol import (
    OUTPUT_FILE,
    Command,
    Ended,
    Job,
    Outcome,
    base_environment,
    timeout_error,
)
from st2solo.runners.python_script import CHILD
from st2solo.statuses import Status


class HttpRequest:
    """Source: contrib/runners/http_runner of StackStorm 3.9."""

    def prepare(self, job: Job) -> Command | Outcome:
        timeout = float(job.parameters.get("timeout") or 60)
        asked = {
            "action": job.action.name,
            "result_path": str(job.folder / OUTPUT_FILE),
            "runner": job.runner,
            "action_parameters": job.parameters,
        }
        return Command(
            argv=[sys.executable, "-u", str(CHILD / "http_request.py")],
            env={**base_environment(), "PYTHONIOENCODING": "utf-8"},
            stdin=json.dumps(asked),
            # the request itself has the timeout; a body that trickles in is cut off here
            timeout=timeout * 2 + 10,
        )

    def outcome(self, ended: Ended) -> Outcome:
        if ended.output is not None:
            return Outcome(Status(ended.output["status"]), ended.output["result"])
        if ended.timed_out:
            return Outcome(Status.TIMEOUT, {"error": timeout_error(ended)})
        return Outcome(Status.FAILED, {"error": ended.error or ended.stderr})
