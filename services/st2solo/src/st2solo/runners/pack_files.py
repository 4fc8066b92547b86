"""The tasks of packs.install that take long: `st2solo.pack_files` in a process of its own."""

import json
import sys

from st2solo.pack_files import lacking
from st2solo.runners.pack_registration import change_of
from st2solo.runners.protocol import (
    OUTPUT_FILE,
    Command,
    Ended,
    Job,
    Outcome,
    base_environment,
    timeout_error,
)
from st2solo.statuses import Status


class PackFiles:
    def prepare(self, job: Job) -> Command | Outcome:
        changes = change_of(job)
        environments, step = job.settings.environments, job.runner["step"]
        if step == "environments" and not lacking(environments, changes.folder, job.parameters):
            return Outcome(Status.SUCCEEDED, {"made": []})
        order = {
            **job.parameters,
            "step": step,
            "execution": job.execution_id,
            "folder": str(changes.folder),
            "fixed": {ref: str(path) for ref, path in changes.fixed().items()},
            "registered": changes.registered(),
            "own": environments.own and str(environments.own),
            "site": environments.site and str(environments.site),
            "result_path": str(job.folder / OUTPUT_FILE),
        }
        return Command(
            argv=[sys.executable, "-P", "-m", "st2solo.pack_files"],
            env=base_environment(),
            stdin=json.dumps(order),
            timeout=job.runner.get("timeout"),
        )

    def outcome(self, ended: Ended) -> Outcome:
        if ended.timed_out:
            return Outcome(Status.TIMEOUT, {"error": timeout_error(ended)})
        if ended.exit_code != 0 or ended.output is None:
            return Outcome(Status.FAILED, {"error": ended.error or ended.stderr.strip()})
        return Outcome(Status.SUCCEEDED, ended.output)
