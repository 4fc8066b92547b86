"""Tells all who listen to the event stream.

Source: contrib/runners/announcement_runner of StackStorm 3.9.
"""

from st2solo.errors import InvalidError
from st2solo.runners.protocol import Announcement as Told
from st2solo.runners.protocol import Command, Ended, Job, Outcome
from st2solo.statuses import Status


class Announcement:
    def prepare(self, job: Job) -> Command | Outcome:
        if not job.runner.get("experimental"):
            raise InvalidError(f"Experimental flag is missing for action {job.action.ref}")
        return Outcome(
            Status.SUCCEEDED,
            {"output": job.parameters, **job.parameters},
            Told(job.runner["route"], job.parameters),
        )

    def outcome(self, ended: Ended) -> Outcome:
        raise AssertionError("an announcement has no process")
