"""The jobs of the bcl2fastq service: one run's base calls to FASTQ, as one attempt."""

import base64
import binascii
import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field

from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.errors import NotFoundError
from arteriole.app.names import find_run, require_identifier, within
from arteriole.app.routes import Call, Reply, Request, Route
from arteriole.bcl2fastq import arguments, converters, sheets
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.settings import Bcl2fastqSettings, Word
from arteriole.jobs.service import StartRequest


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as err:
        raise ValueError(f"expected base 64: {err}") from err
    return text


#: A sheet from elsewhere than the run folder, in base 64; it travels in the body of a request.
SheetBytes = Annotated[str, Field(max_length=700_000), AfterValidator(_base64)]


class CheckRequest(Request):
    run: str
    sheet: SheetBytes | None = None


Ignorable = Literal["missing-bcls", "missing-filter", "missing-positions", "empty-samples"]
assert set(get_args(Ignorable)) == set(converters.IGNORABLE)


class ConvertRequest(StartRequest):
    #: What a person waived, see ConversionRequest.ignore.
    ignore: list[Ignorable] = Field(default=[], max_length=16)
    sheet: SheetBytes | None = None
    #: Options of bcl2fastq as words, which come after those of the configuration.
    additional_args: list[Word] = Field(default=[], max_length=100)

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
        self._converter = converters.find(settings.converter, settings.bcl2fastq_tool)

    def parameters(self, run: str, request: ConvertRequest) -> dict[str, Any]:
        settings = self._settings
        tool = settings.bcl2fastq_tool
        words = [*settings.additional_args, *request.additional_args]
        arguments.parse(words, settings.converter)
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
            "additional_args": words,
            "sheet": request.sheet,
            "bcl2fastq_tool": tool.model_dump(mode="json") if tool is not None else None,
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
            ),
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

    async def _check(self, call: Call) -> Reply:
        run_dir = await answered(find_run, self._settings.run_roots, call.body.run)
        found = await answered(
            sheets.check,
            run_dir,
            None if call.body.sheet is None else base64.b64decode(call.body.sheet),
            self._settings.barcode_mismatches,
            self._settings.allow_index_collisions,
        )
        return Reply(found)
