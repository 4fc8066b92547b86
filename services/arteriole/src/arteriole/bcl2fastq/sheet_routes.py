"""What the bcl2fastq service answers about sample sheets."""

import base64
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.names import find_run, is_identifier
from arteriole.app.routes import Call, Reply, Route
from arteriole.bcl2fastq import converters, pins, sheets
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.sheet_folder import SheetFolder
from arteriole.bcl2fastq.sheet_requests import CheckRequest
from arteriole.bcl2fastq.sheets import Standard
from arteriole.illumina import index_sets
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.index_sets import IndexSets
from arteriole.illumina.run_folder import RunFolder


class SheetRoutes:
    """Checks of sheets, by the settings of the site."""

    def __init__(self, settings: Bcl2fastqSettings) -> None:
        self._settings = settings
        self._sets = index_sets.load(settings.index_sets)

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/api/1.0/samplesheets/check", self._check, Role.READER,
                  "check a sample sheet: of a run, for a flow cell, or before there is a run",
                  body=CheckRequest),
        ]  # fmt: skip

    async def _check(self, call: Call) -> Reply:
        body: CheckRequest = call.body
        return Reply(await answered(self.judge, body))

    def judge(self, request: CheckRequest) -> dict[str, Any]:
        """The findings; see sheets.check. NB: on another thread, since it looks at file systems.

        Raises:
            InvalidError: no root has such a run, or two have.
        """
        waived = request.waived_rules
        given = None if request.sheet is None else base64.b64decode(request.sheet)
        if request.run is not None:
            run_dir = find_run(self._settings.run_roots, request.run)
            standard = self._standard(waived, lambda: sheets.sheet_bytes(run_dir, request.sheet))
            return sheets.check(run_dir, given, standard)
        if request.flow_cell is None:
            assert given is not None, "CheckRequest lets nothing else pass"
            return sheets.check_given(given, None, self._standard(waived, lambda: given))
        return self._judge_for(request.flow_cell, given, waived)

    def _judge_for(self, flow_cell: str, given: bytes | None, waived: list[str]) -> dict[str, Any]:
        run_dir = run_of(self._settings.run_roots, flow_cell)
        folder = self._settings.sheet_folder
        if given is None and folder is not None:
            given = SheetFolder(folder).find(flow_cell)
        if given is not None:
            return sheets.check_given(given, run_dir, self._standard(waived, lambda: given))
        if run_dir is not None:
            standard = self._standard(waived, lambda: sheets.sheet_bytes(run_dir, None))
            return sheets.check(run_dir, None, standard)
        return sheets.missing(
            f"there is neither a sheet nor a run for the flow cell {flow_cell}",
            "give the sheet with the request, or hand it in",
        )

    def _standard(self, waived: list[str], read: Callable[[], bytes | None]) -> Standard:
        return standard_of(self._settings, self._sets, read, waived)


def standard_of(
    settings: Bcl2fastqSettings,
    sets: IndexSets,
    read: Callable[[], bytes | None],
    waived: Sequence[str] = (),
) -> Standard:
    """The site's, for the converter that would convert the sheet that `read` gives."""
    converter = pins.converter_for(settings, read)
    version = settings.versions.get(converter)
    return Standard(
        settings.barcode_mismatches,
        settings.allow_index_collisions,
        settings.sheet_rules.site_rules(),
        converters.waived_for(converter, waived),
        converter,
        settings.index2,
        sets,
        lambda sheet: pins.findings(settings.projects, sheet, converter, version),
    )


def run_of(roots: list[Path], flow_cell: str) -> Path | None:
    """The run folder whose name ends with `flow_cell` and whose RunInfo.xml names it.

    Of several the last by name, which begins with the date. A run that is just being sequenced has
    its RunInfo.xml already.
    """
    found = []
    for root in dict.fromkeys(roots):
        if not root.is_dir():
            continue
        for entry in os.scandir(root):
            if not (entry.name.endswith(flow_cell) and is_identifier(entry.name)):
                continue
            path = root / entry.name
            if path.is_dir() and path.resolve().is_relative_to(root.resolve()):
                found.append(path)
    for path in sorted(found, key=lambda path: path.name, reverse=True):
        try:
            if RunFolder(path).run_info.flowcell == flow_cell:
                return path
        except RunDataError:
            continue
    return None
