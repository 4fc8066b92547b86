"""Asks a person: the execution is pending until somebody answers or the time is over.

Source: contrib/runners/inquirer_runner of StackStorm 3.9.
"""

from st2solo.runners.protocol import Command, Ended, Job, Outcome
from st2solo.statuses import Status

ASKED = ("schema", "roles", "users", "route", "ttl")


class Inquirer:
    def prepare(self, job: Job) -> Command | Outcome:
        return Outcome(Status.PENDING, {name: job.runner[name] for name in ASKED})

    def outcome(self, ended: Ended) -> Outcome:
        raise AssertionError("an inquiry has no process")
