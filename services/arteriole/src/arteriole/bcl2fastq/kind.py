"""The jobs of the bcl2fastq service: one run's base calls to FASTQ, as one attempt."""

import asyncio
from typing import Any, Literal, get_args

from pydantic import Field

from arteriole.app.auth import Role
from arteriole.app.names import find_run
from arteriole.app.routes import Call, Reply, Request, Route
from arteriole.bcl2fastq import converters, sheets
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.jobs.service import StartRequest


class CheckRequest(Request):
    run: str


Ignorable = Literal["missing-bcls", "missing-filter", "missing-positions", "empty-samples"]
assert set(get_args(Ignorable)) == set(converters.IGNORABLE)


class ConvertRequest(StartRequest):
    #: What a person waived, see ConversionRequest.ignore.
    ignore: list[Ignorable] = Field(default=[], max_length=16)


class Bcl2fastqKind:
    name = "bcl2fastq"
    stage = "convert"
    worker = "arteriole.bcl2fastq.work"
    request: type[StartRequest] = ConvertRequest
    rerun = True

    def __init__(self, settings: Bcl2fastqSettings) -> None:
        self._settings = settings
        self._converter = converters.find(settings.converter)

    def parameters(self, run: str, request: ConvertRequest) -> dict[str, Any]:
        settings = self._settings
        return {
            "run_dir": str(find_run(settings.run_roots, run)),
            "fastq_root": str(settings.fastq_root),
            "converter": settings.converter,
            "barcode_mismatches": list(settings.barcode_mismatches),
            "include_non_pf": settings.include_non_pf,
            "ignore_adapters": settings.ignore_adapters,
            "allow_index_collisions": settings.allow_index_collisions,
            "allow_empty_samples": settings.allow_empty_samples,
            "threads": settings.threads,
            "ignore": sorted(set(request.ignore)),
        }

    def versions(self) -> dict[str, str]:
        return {self._converter.name: self._converter.version}

    def routes(self) -> list[Route]:
        return [
            Route(
                "POST",
                "/api/1.0/samplesheets/check",
                self._check,
                Role.READER,
                "check the sample sheet of a run",
                body=CheckRequest,
            )
        ]

    async def _check(self, call: Call) -> Reply:
        run_dir = find_run(self._settings.run_roots, call.body.run)
        found = await asyncio.to_thread(
            sheets.check,
            run_dir,
            self._settings.barcode_mismatches,
            self._settings.allow_index_collisions,
        )
        return Reply(found)
