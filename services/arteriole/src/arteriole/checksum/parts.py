"""What of an attempt a job is about: the data, or what analyses made of it."""

import enum
from typing import Any

from arteriole.jobs.service import StartRequest


class Part(enum.StrEnum):
    DATA = "data"  # the run folder and the FASTQs
    RESULTS = "results"


class PartRequest(StartRequest):
    part: Part = Part.DATA

    def asked(self) -> dict[str, Any]:
        document = super().asked()
        if self.part is Part.DATA:
            del document["part"]
        return document
