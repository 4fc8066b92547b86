"""The jobs of the bcl2fastq service: one run's base calls to FASTQ, as one attempt."""

import re
from typing import Any, Literal, get_args

from pydantic import Field

from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.errors import InvalidError, NotFoundError
from arteriole.app.names import find_run, require_identifier, within
from arteriole.app.routes import Call, Reply, Route
from arteriole.bcl2fastq import converters
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.sheet_requests import SheetBytes, WaivedRules
from arteriole.bcl2fastq.sheet_routes import SheetRoutes
from arteriole.jobs.service import StartRequest

Ignorable = Literal["missing-bcls", "missing-filter", "missing-positions", "empty-samples"]
assert set(get_args(Ignorable)) == set(converters.IGNORABLE)


class ConvertRequest(StartRequest):
    #: What a person waived, see ConversionRequest.ignore.
    ignore: list[Ignorable] = Field(default=[], max_length=16)
    waived_rules: WaivedRules = Field(default=[])
    sheet: SheetBytes | None = None

    def asked(self) -> dict[str, Any]:
        return {name: value for name, value in super().asked().items() if value is not None}


#: What a job is told as that compares the observed indexes with the sheet; no stage of a run.
INDEXES = "indexes"


class IndexesRequest(StartRequest):
    """Body of `POST /api/1.0/indexes/<runfolder>`."""

    stage: Literal["indexes"] | None = None
    sheet: SheetBytes | None = None

    def asked(self) -> dict[str, Any]:
        return {name: value for name, value in super().asked().items() if value is not None}


class Bcl2fastqKind:
    name = "bcl2fastq"
    stage = "convert"
    worker = "arteriole.bcl2fastq.work"
    request: type[StartRequest] = ConvertRequest
    rerun = True

    def __init__(self, settings: Bcl2fastqSettings) -> None:
        self._settings = settings
        self._converter = converters.find(settings.converter, settings.tool)
        self.sheets = SheetRoutes(settings)

    def parameters(self, run: str, request: ConvertRequest | IndexesRequest) -> dict[str, Any]:
        settings = self._settings
        if isinstance(request, IndexesRequest):
            return self._of_indexes(run, request)
        if request.stage == INDEXES:
            raise InvalidError(
                f"{INDEXES} is no stage of a conversion",
                hint=f"POST /api/1.0/indexes/{run}",
                field="stage",
            )
        tool = settings.tool
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
            "waived_rules": sorted(set(request.waived_rules)),
            "sheet": request.sheet,
            f"{settings.converter}_tool": tool and tool.model_dump(mode="json"),
            "index2": settings.index2,
        }

    def _of_indexes(self, run: str, request: IndexesRequest) -> dict[str, Any]:
        return {
            "part": INDEXES,
            "run_dir": str(find_run(self._settings.run_roots, run)),
            "barcode_mismatches": list(self._settings.barcode_mismatches),
            "allow_index_collisions": self._settings.allow_index_collisions,
            "sheet": request.sheet,
        }

    def versions(self) -> dict[str, str]:
        return {self._converter.name: self._converter.version}

    def routes(self) -> list[Route]:
        return [
            *self.sheets.routes(),
            Route(
                "GET",
                "/api/1.0/attempts/{runfolder}/{attempt}",
                self._attempt,
                Role.READER,
                "attempt.json of a complete attempt: its samples and files",
            ),
        ]

    async def _attempt(self, call: Call) -> Reply:
        run = require_identifier(call.path["runfolder"], "runfolder")
        number, root = call.path["attempt"], self._settings.fastq_root
        record = None
        if re.fullmatch("[1-9][0-9]{0,3}", number):
            await answered(within, root, run, f"attempt-{number}")
            record = await answered(Attempt(root, run, int(number)).record)
        if record is None:
            raise NotFoundError(
                f"{run} has no complete attempt {number[:40]!r} in {root}",
                code="attempt.not_found",
                hint=f"arteriole run {run}",
            )
        return Reply(record)
