"""The process that is measured: `python -m tests.bench.send FASTQ MANIFEST DESTINATION OUT`.

A transfer as its service does it; DESTINATION are the settings as JSON, OUT is for the job.
"""

import json
import sys
from pathlib import Path

from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task
from arteriole.transfer.work import work

RUN = "run"


def main(fastq: str, manifest: str, destination: str, out: Path) -> None:
    job = JobFolder(out / "jobs" / "1")
    parameters = {
        "fastq": fastq,
        "manifest": manifest,
        "name": "bench",
        "destination": json.loads(destination),
        "rsync": "rsync",
        "ssh": "ssh",
        "timeout": 3600.0,
    }
    job.prepare(
        {"job_id": 1, "run": RUN, "stage": "transfer", "attempt": 1, "parameters": parameters}
    )
    lock = job.lock()
    assert lock is not None
    work(Task(job, lock))


if __name__ == "__main__":
    main(*sys.argv[1:4], Path(sys.argv[4]))
