"""The comparisons of a run's indexes with its sheet, as the commands ask for them."""

import time
from typing import Any
from urllib.parse import quote

from arteriole.client import Client, ClientError, run_path

#: Seconds between two looks, at a job or for a sheet.
POLL = 0.5
OPEN = ("pending", "started")
#: Seconds for which a look-up that cannot say is asked again: a new sheet counts after three.
PATIENCE = 15.0


class Comparisons:
    """Of `run`; `runfolder` knows its sheet and its hold, `bcl2fastq` compares."""

    def __init__(self, run: str, runfolder: Client, bcl2fastq: Client) -> None:
        self.run = run
        self.path = f"indexes/{quote(run, safe='')}"
        self.runfolder = runfolder
        self.bcl2fastq = bcl2fastq

    def sheet(self) -> dict[str, Any]:
        """The sheet that counts now, as the runfolder service looks it up."""
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                found: dict[str, Any] = self.runfolder.get(run_path(self.run, "sheet"))
                return found
            except ClientError as err:
                if err.code != "run.sheet_lookup" or time.monotonic() > give_up:
                    raise
            time.sleep(POLL)

    def newest(self, *, again: bool) -> dict[str, Any]:
        """The newest, once it has ended; one is started if there is none, or `again`."""
        asked = {"run": self.run, "stage": "indexes", "limit": "1000"}
        jobs = self.bcl2fastq.get("status", **asked)["jobs"]
        if again or not jobs:
            there = self.sheet()
            body = {"sheet": there["base64"]} if there.get("base64") else {}
            self.bcl2fastq.post(self.path, body, f"{self.run}.indexes.1.{len(jobs) + 1}")
        while True:
            found: dict[str, Any] = self.bcl2fastq.get(self.path)
            if found["job"]["state"] not in OPEN:
                return found
            time.sleep(POLL)
