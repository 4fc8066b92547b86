"""Sheets are handed in: checked as any other, put where they are looked up, and told of."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

from arteriole.app.aside import answered
from arteriole.app.errors import ArterioleError, ConflictError
from arteriole.app.events import EventLog
from arteriole.app.mode import Mode
from arteriole.app.store import Store
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.sheet_folder import HandedIn, SheetFolder, SheetFolderError
from arteriole.bcl2fastq.sheet_requests import CheckRequest
from arteriole.bcl2fastq.sheet_routes import SheetRoutes


class FaultySheetError(ArterioleError):
    """The sheet has errors, so it is not handed in; `found` is the whole answer of the check."""

    status = 422

    def __init__(self, found: dict[str, Any]) -> None:
        super().__init__(found["message"], hint=found["hint"], code=found["code"], field="sheet")
        self.found = found


class HandIn:
    """Into the drop folder of the site, one at a time."""

    def __init__(
        self,
        settings: Bcl2fastqSettings,
        sheets: SheetRoutes,
        mode: Mode,
        store: Store,
        events: EventLog,
    ) -> None:
        self._folder = settings.sheet_folder
        self._judge = sheets.judge
        self._mode = mode
        self._store = store
        self._events = events
        self._one_at_a_time = asyncio.Lock()

    @property
    def is_possible(self) -> bool:
        return self._folder is not None and self._mode is Mode.ACT

    def folder(self) -> SheetFolder:
        """Raises:
        SheetFolderError: none is configured.
        ConflictError: the service only observes.
        """
        if self._folder is None:
            raise SheetFolderError(
                "no folder is configured in which sheets are handed in",
                hint="set bcl2fastq.sheet_folder to the folder of runfolder.sheets",
            )
        if self._mode is Mode.OBSERVE:
            raise ConflictError(
                "nothing is handed in while the mode is observe",
                code="sheet.observe",
                hint=f"set mode: act, or put the sheet into {self._folder} yourself",
            )
        return SheetFolder(self._folder)

    async def put(
        self,
        flow_cell: str,
        data: bytes,
        replace: str | None,
        who: str,
        also: Callable[[], None] = lambda: None,
    ) -> tuple[HandedIn, dict[str, Any]]:
        """What became of it, and what the check found.

        Args:
            replace: the digest of the sheet that may be replaced.
            also: what is written into the store together with it, even if it lay there already.

        Raises:
            FaultySheetError: it has errors.
            OtherSheetError, SheetFolderError: as SheetFolder.hand_in.
            ConflictError: the service only observes.
        """
        folder = self.folder()
        encoded = base64.b64encode(data).decode("ascii")
        question = CheckRequest(sheet=encoded, flow_cell=flow_cell)
        found = await answered(self._judge, question)
        if not found["ok"]:
            raise FaultySheetError(found)
        async with self._one_at_a_time:
            done = await answered(folder.hand_in, flow_cell, data, replace)
            with self._store.transaction():
                if done.written:
                    self._events.append(
                        "sheet_handed_in",
                        who=who,
                        run=found["run"],
                        flow_cell=flow_cell,
                        sha256=done.sha256,
                        replaced=done.replaced,
                        kept_as=done.kept_as,
                    )
                also()
        return done, found
