"""The body of a start that says what of an attempt the job is about."""

from typing import Any

from arteriole.checksum.parts import DigestedPart, Part
from arteriole.jobs.service import StartRequest


class PartRequest(StartRequest):
    part: Part = Part.DATA

    def asked(self) -> dict[str, Any]:
        return _without_data(super().asked())


class DigestRequest(StartRequest):
    part: DigestedPart = DigestedPart.DATA

    def asked(self) -> dict[str, Any]:
        return _without_data(super().asked())


class EarlyRequest(StartRequest):
    """Body of `POST /api/1.0/early/<runfolder>`."""

    def asked(self) -> dict[str, Any]:
        return {**super().asked(), "verb": "early"}


class VerifyRequest(StartRequest):
    """Body of `POST /api/1.0/verify/<runfolder>`."""

    def asked(self) -> dict[str, Any]:
        return {**super().asked(), "verb": "verify"}


class AddendumRequest(StartRequest):
    """Body of `POST /api/1.0/addendum/<runfolder>`."""

    def asked(self) -> dict[str, Any]:
        return {**super().asked(), "verb": "addendum"}


def _without_data(document: dict[str, Any]) -> dict[str, Any]:
    """A key of a version that knew no parts still means the same job."""
    return {name: value for name, value in document.items() if (name, value) != ("part", "data")}
