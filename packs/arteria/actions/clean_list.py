import time

from arteria_action import ServiceAction
from arteria_clean import ask, listed
from arteria_jobs import job_status
from arteria_names import identifier, inert

#: Seconds for which the listing is waited for.
PATIENCE = 30.0


class CleanList(ServiceAction):
    """Tell what of a run may go, and what speaks against the rest. Nothing is taken away."""

    def act(self, run: str) -> str:
        job = ask(self.client, run, "list", "", "", self.execution_id())
        job_id = identifier(str(job["job_id"]), "job_id")
        give_up = time.monotonic() + PATIENCE
        while job.get("state") in ("pending", "started"):
            if time.monotonic() > give_up:
                return "still looking: st2 run arteria.job service=archive job_id=%s" % job_id
            time.sleep(0.2)
            job = job_status(self.client, "archive", job_id)
        return "%s\n%s" % (run, inert(listed(job, messages=not self.in_brief)))
