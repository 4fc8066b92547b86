"""The body of a start that says what of an attempt the job is about."""

from typing import Any

from arteriole.checksum.parts import Part
from arteriole.jobs.service import StartRequest


class PartRequest(StartRequest):
    part: Part = Part.DATA

    def asked(self) -> dict[str, Any]:
        document = super().asked()
        if self.part is Part.DATA:
            del document["part"]
        return document
