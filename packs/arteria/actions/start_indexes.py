from typing import Any, Dict

from arteria_action import ServiceAction
from arteria_client import path
from arteria_names import identifier
from arteria_sheet import sheet_of


class StartIndexes(ServiceAction):
    """Start the job that compares the indexes that a run has read with its sheet.

    Once a run: a repeat is the same job. People start further ones with `arteriole indexes`.
    """

    def act(self, run: str) -> Dict[str, Any]:
        key = "%s.indexes.1.0" % identifier(run, "run")
        job = self.client.post(
            "bcl2fastq",
            path("indexes", run),
            dict(sheet_of(self.client, run)),
            {"Idempotency-Key": key},
        )
        return {
            "service": "bcl2fastq",
            "job_id": identifier(str(job["job_id"]), "job_id"),
            "state": identifier(job.get("state"), "state"),
        }
