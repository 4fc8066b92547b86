"""A proposed sheet is taken over: it becomes the run's, by the word of one person or of two."""

import base64
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from arteriole.app.aside import answered
from arteriole.app.auth import Identity
from arteriole.app.errors import ConflictError, InvalidError, NotFoundError
from arteriole.app.events import EventLog
from arteriole.app.store import Store
from arteriole.bcl2fastq.hand_in import HandIn
from arteriole.bcl2fastq.indexes.acceptance import (
    ACCEPTED,
    Acceptance,
    needs_second,
    require_second,
)
from arteriole.bcl2fastq.indexes.work import DIAGNOSIS, PROPOSAL, own_sheet
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.sheet_requests import FLOW_CELL, AcceptRequest
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.sample_sheet import parse
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.jobs import Job


def proposal_of(job: Job, folder: JobFolder) -> tuple[bytes, dict[str, Any]]:
    """The sheet that a comparison proposes, and its diagnosis.

    Raises:
        NotFoundError: it proposes none, or has not ended.
    """
    found = folder.read(DIAGNOSIS) or {}
    wanted = found.get("proposal_sha256")
    if wanted is None:
        raise NotFoundError(
            f"no sheet is proposed for {job.run}",
            code="indexes.no_proposal",
            hint=f"arteriole indexes {job.run}",
        )
    data = (folder.path / PROPOSAL).read_bytes()
    assert hashlib.sha256(data).hexdigest() == wanted, "it is written before the diagnosis"
    return data, found


class Takeover:
    """NB: the caller sees to one at a time."""

    def __init__(
        self, settings: Bcl2fastqSettings, hand_in: HandIn, store: Store, events: EventLog
    ) -> None:
        self._settings = settings
        self._hand_in = hand_in
        self._store = store
        self._events = events

    def standing(self, run: str, comparisons: Sequence[Job]) -> Acceptance | None:
        """The last word, unless what was proposed since is another sheet."""
        last = Acceptance.last(self._store, run)
        return None if last is None or last.is_void(comparisons) else last

    async def accept(
        self,
        comparisons: Sequence[Job],
        folder: JobFolder,
        request: AcceptRequest,
        who: Identity,
    ) -> dict[str, Any]:
        """Hand in what the newest comparison proposes; or record the first of two words.

        A repeat of what is done changes nothing.

        Args:
            comparisons: of the run, the newest first. folder: of the newest.

        Returns:
            The acceptance as a document, `{accepted, written, file, replaced, kept_as}` with it.

        Raises:
            NotFoundError: none is proposed.
            ConflictError: it would not be the run's sheet then, the sheet that was compared is
                not the one that counts now, the second person is the first, or we observe.
            ForbiddenError: two people are needed, and this name is not that of one.
            SheetFolderError, OtherSheetError, FaultySheetError: as of a hand-in.
        """
        job = comparisons[0]
        run, run_dir = job.run, Path(job.parameters["run_dir"])
        self._hand_in.folder()
        now = await answered(_digest_of_the_one_there, run_dir, request.sheet)
        last = self.standing(run, comparisons)
        if last is not None and last.complete and last.sha256 == now:
            return _answer(run, last)
        data, diagnosis = await answered(proposal_of, job, folder)
        compared, proposed = diagnosis["sheet_sha256"], diagnosis["proposal_sha256"]
        if now not in (compared, proposed):
            raise ConflictError(
                f"the sheet of {run} is another one now than the one that was compared",
                code="indexes.sheet_changed",
                hint=f"look at what it is now: arteriole indexes {run} --again",
            )
        flow_cell = await answered(_flow_cell, run_dir)
        if now != proposed:
            await answered(self._require_that_it_counts, run, flow_cell, request.places)
        word = Acceptance(
            proposed, job.job_id, diagnosis["code"], who.name, "", request.reason, complete=True
        )
        if needs_second(self._settings.second_person, parse(data)):
            first = last if last is not None and not last.complete else None
            if not require_second(first, who, run):
                return self._record_first(run, word)
            assert first is not None
            word = Acceptance(**{**asdict(word), "first": first.by})
        done, _ = await self._hand_in.put(
            flow_cell, data, compared, who.name, also=partial(self._record, run, word)
        )
        return _answer(run, word) | asdict(done)

    def _record_first(self, run: str, word: Acceptance) -> dict[str, Any]:
        word = Acceptance(**{**asdict(word), "complete": False})
        with self._store.transaction():
            self._record(run, word)
        return _answer(run, word)

    def _record(self, run: str, word: Acceptance) -> None:
        self._events.append(ACCEPTED, who=word.by, run=run, **word.payload())

    def _require_that_it_counts(self, run: str, flow_cell: str, places: list[str]) -> None:
        """NB: on another thread.

        Raises:
            ConflictError: a sheet that is handed in would not be the one that is looked up.
        """
        folder = self._settings.sheet_folder
        assert folder is not None, "HandIn.folder() was asked"
        if f"folder {folder}" not in places:
            raise _would_not_count(
                f"a sheet in {folder} would not count: the site looks into {places[-1]} before",
                f"list 'folder: {folder}' before it in runfolder.sheets and start the services"
                f" again; or replace the sheet there by hand: arteriole indexes {run} --proposal",
            )
        by_run = folder / f"{run}.csv"
        if run != flow_cell and os.path.lexists(by_run):
            raise _would_not_count(
                f"the sheet in {folder} is named by the run; beside one that is named by the flow"
                " cell and differs, neither would count",
                f"rename {by_run} to {flow_cell}.csv; then again: arteriole indexes {run} --accept"
                " --reason TEXT",
            )


def _would_not_count(message: str, hint: str) -> ConflictError:
    return ConflictError(message, code="indexes.would_not_count", hint=hint)


def _answer(run: str, word: Acceptance) -> dict[str, Any]:
    """As of a repeat, which writes nothing."""
    told = {"run": run, "accepted": word.complete, **word.document(run)}
    return {**told, "file": "", "written": False, "replaced": "", "kept_as": ""}


def _digest_of_the_one_there(run_dir: Path, given: str | None) -> str:
    data = own_sheet(run_dir) if given is None else base64.b64decode(given)
    return hashlib.sha256(data).hexdigest()


def _flow_cell(run_dir: Path) -> str:
    found = RunFolder(run_dir).run_info.flowcell
    if not re.fullmatch(FLOW_CELL, found):
        raise InvalidError(
            f"the RunInfo.xml of {run_dir.name} names the flow cell {found[:60]!r}; expected"
            " capitals, digits and dashes, as a sheet is named by it",
            hint=f"put the sheet there by hand: arteriole indexes {run_dir.name} --proposal",
        )
    return found
