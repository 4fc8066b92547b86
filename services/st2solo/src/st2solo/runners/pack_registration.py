"""The last task of packs.install and packs.uninstall: what was prepared counts, or is gone.

It needs no process: packs and execution change in the same transaction.
"""

from st2solo.errors import ForbiddenError
from st2solo.installed_packs import InstalledPack
from st2solo.ports import PackChanges
from st2solo.runners.protocol import Command, Ended, Job, Outcome
from st2solo.statuses import Status

_WORKFLOWS = ("packs.install", "packs.uninstall")


class PackRegistration:
    def prepare(self, job: Job) -> Command | Outcome:
        changes, named = change_of(job), job.parameters["packs"]
        if job.runner["step"] == "load":
            done = changes.install([InstalledPack.of(document) for document in named])
        else:
            done = changes.remove(named)
        return Outcome(Status.SUCCEEDED, {"packs": done})

    def outcome(self, ended: Ended) -> Outcome:
        raise AssertionError("a registration has no process")


def change_of(job: Job) -> PackChanges:
    """The means to change packs, for a task of a workflow that an administrator asked for.

    Raises:
        ForbiddenError: this execution is none.
    """
    parent = job.document(job.execution_id).get("parent")
    above = job.document(parent) if parent else None
    asked = above and above["action"]["ref"] in _WORKFLOWS and not above.get("parent")
    if job.packs is None or not asked:
        raise ForbiddenError(f"{job.action.ref} is only a task of {' and '.join(_WORKFLOWS)}")
    return job.packs
