"""The jobs of the bcl2fastq service: a run's base calls to FASTQ, as one attempt, and its QC."""

import re
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field

from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.errors import InvalidError, NotFoundError
from arteriole.app.names import find_run, require_identifier, within
from arteriole.app.routes import Call, Reply, Route
from arteriole.bcl2fastq import arguments, converters, pins
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.parts import Part
from arteriole.bcl2fastq.qc import document
from arteriole.bcl2fastq.settings import Bcl2fastqSettings, Word
from arteriole.bcl2fastq.sheet_requests import SheetBytes, WaivedRules
from arteriole.bcl2fastq.sheet_routes import SheetRoutes
from arteriole.bcl2fastq.sheets import sheet_bytes
from arteriole.illumina import calls_size
from arteriole.jobs.needs import DiskNeed
from arteriole.jobs.service import StartRequest

Ignorable = Literal["missing-bcls", "missing-filter", "missing-positions", "empty-samples"]
assert set(get_args(Ignorable)) == set(converters.IGNORABLE)


class ConvertRequest(StartRequest):
    part: Literal[Part.CONVERT, Part.QC] = Part.CONVERT
    #: What a person waived, see ConversionRequest.ignore.
    ignore: list[Ignorable] = Field(default=[], max_length=16)
    waived_rules: WaivedRules = Field(default=[])
    sheet: SheetBytes | None = None
    #: Options of bcl2fastq as words, which come after those of the configuration.
    additional_args: list[Word] = Field(default=[], max_length=100)

    def asked(self) -> dict[str, Any]:
        document = super().asked()
        if self.part is Part.CONVERT:
            del document["part"]
        return {name: value for name, value in document.items() if value is not None}


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
        self._converters = [converters.find(n, settings.tool_of(n)) for n in settings.versions]
        self.sheets = SheetRoutes(settings)

    def parameters(self, run: str, request: ConvertRequest | IndexesRequest) -> dict[str, Any]:
        settings = self._settings
        if isinstance(request, IndexesRequest):
            return self._of_indexes(run, request)
        if request.part is Part.QC:
            return self._of_qc(run, request)
        if request.stage == Part.INDEXES:
            raise InvalidError(
                f"{Part.INDEXES} is no stage of a conversion",
                hint=f"POST /api/1.0/indexes/{run}",
                field="stage",
            )
        run_dir = find_run(settings.run_roots, run)
        converter = self._converter_for(run_dir, request.sheet)
        tool, executor = settings.tool_of(converter), settings.executor
        words = [*settings.additional_args, *request.additional_args]
        arguments.parse(words, converter)
        return {
            "run_dir": str(run_dir),
            "fastq_root": str(settings.fastq_root),
            "needs": settings.needs_of(converter).document(),
            "disk": DiskNeed(settings.fastq_root, calls_size.fastq_size(run_dir)).document(),
            "converter": converter,
            "projects": [pin.model_dump(mode="json") for pin in settings.projects],
            "barcode_mismatches": list(settings.barcode_mismatches),
            "include_non_pf": settings.include_non_pf,
            "ignore_adapters": settings.ignore_adapters,
            "allow_index_collisions": settings.allow_index_collisions,
            "allow_empty_samples": settings.allow_empty_samples,
            "threads": settings.threads,
            "ignore": sorted(set(request.ignore)),
            "additional_args": words,
            "waived_rules": sorted(set(request.waived_rules)),
            "sheet": request.sheet,
            f"{converter}_tool": tool and tool.model_dump(mode="json"),
            "index2": settings.index2,
            "index_sets": [str(path) for path in settings.index_sets],
            "executor": executor and executor.model_dump(mode="json", exclude_unset=True),
        }

    def _converter_for(self, run_dir: Path, given: str | None) -> str:
        """NB: settled once for a job, so that each of its starts finds what another has begun."""
        return pins.converter_for(self._settings, lambda: sheet_bytes(run_dir, given))

    def _of_indexes(self, run: str, request: IndexesRequest) -> dict[str, Any]:
        run_dir = find_run(self._settings.run_roots, run)
        return {
            "part": Part.INDEXES,
            "light": True,
            "run_dir": str(run_dir),
            "barcode_mismatches": list(self._settings.barcode_mismatches),
            "allow_index_collisions": self._settings.allow_index_collisions,
            "converter": self._converter_for(run_dir, request.sheet),
            "additional_args": list(self._settings.additional_args),
            "index2": self._settings.index2,
            "index_sets": [str(path) for path in self._settings.index_sets],
            "sheet": request.sheet,
        }

    def _of_qc(self, run: str, request: ConvertRequest) -> dict[str, Any]:
        settings = self._settings
        return {
            "part": Part.QC,
            "light": True,
            "run_dir": str(find_run(settings.run_roots, run)),
            "fastq_root": str(settings.fastq_root),
            "sheet": request.sheet,
            "qc": settings.qc.model_dump(mode="json", exclude_unset=True),
        }

    def versions(self) -> dict[str, str]:
        return {converter.name: converter.version for converter in self._converters}

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
            Route(
                "GET",
                "/api/1.0/qc/{runfolder}/{attempt}",
                self._qc,
                Role.READER,
                "how an attempt was judged: its measures, findings and thresholds",
            ),
        ]

    async def _attempt(self, call: Call) -> Reply:
        attempt = await self._named(call)
        record = None if attempt is None else await answered(attempt.record)
        if record is None:
            raise self._not_found(call, "complete attempt", "attempt.not_found")
        return Reply(record)

    async def _qc(self, call: Call) -> Reply:
        attempt, found = await self._named(call), None
        if attempt is not None:
            path = document.path_of(attempt)
            await answered(within, attempt.home, *path.relative_to(attempt.home).parts)
            found = await answered(document.read, attempt)
        if found is None:
            raise self._not_found(call, "judged attempt", "qc.not_found")
        return Reply(found)

    async def _named(self, call: Call) -> Attempt | None:
        """The attempt that the path names, be it there or not; None if that is no number."""
        run = require_identifier(call.path["runfolder"], "runfolder")
        number, root = call.path["attempt"], self._settings.fastq_root
        if not re.fullmatch("[1-9][0-9]{0,3}", number):
            return None
        await answered(within, root, run, f"attempt-{number}")
        return Attempt(root, run, int(number))

    def _not_found(self, call: Call, what: str, code: str) -> NotFoundError:
        run, number = call.path["runfolder"], call.path["attempt"]
        return NotFoundError(
            f"{run} has no {what} {number[:40]!r} in {self._settings.fastq_root}",
            code=code,
            hint=f"arteriole run {run}",
        )
