"""Does nothing and succeeds, whatever the parameters."""

from st2solo.runners.protocol import Command, Ended, Job, Outcome
from st2solo.statuses import Status


class Noop:
    """Source: contrib/runners/noop_runner of StackStorm 3.9."""

    def prepare(self, job: Job) -> Command | Outcome:
        return Outcome(Status.SUCCEEDED, {"failed": False, "succeeded": True, "return_code": 0})

    def outcome(self, ended: Ended) -> Outcome:
        raise AssertionError("a noop has no process")
