"""Arteria's API 1.0 of a runfolder service, for Arteria's clients, packs and tests.

Behaviour as of arteria-runfolder 1.5: handlers.py and services.py there.
"""

import asyncio
import json
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pydantic import BaseModel, ConfigDict, Field

from arteriole.app.application import VERSION
from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.errors import InvalidError, NotFoundError
from arteriole.app.mode import Mode
from arteriole.app.routes import JSON, Call, NoBody, Reply, Request, Route
from arteriole.runfolder.bodies import PickupRequest, RenewRequest
from arteriole.runfolder.detection import Detector
from arteriole.runfolder.leases import Leases
from arteriole.runfolder.runs import Folder, Run, Runs
from arteriole.runfolder.settings import Readiness, RunfolderSettings
from arteriole.runfolder.states import RunState

#: What the reagent and library barcodes of a folder made by PUT are.
TEST_RUN_PARAMETERS = (
    '<?xml version="1.0" encoding="utf-8"?>\n<RunParameters>\n'
    "\t<ReagentKitBarcode>{kit}</ReagentKitBarcode>\n"
    "\t<RfidsInfo>\n\t\t<LibraryTubeSerialBarcode>{library}</LibraryTubeSerialBarcode>\n"
    "\t</RfidsInfo>\n</RunParameters>\n"
)


#: Longest name of a folder, in bytes, as of Linux's file systems.
NAME_LIMIT = 255


class ListQuery(Request):
    """Arteria knows `state` only; the others are ours, and tell of pages."""

    state: str | None = None
    limit: int | None = Field(default=None, ge=1, le=1000)
    before: int | None = Field(default=None, ge=0, lt=2**63)


class StateRequest(BaseModel):
    """Arteria knows `state` only; whoever picked the run up may name the lease."""

    model_config = ConfigDict(extra="ignore")

    state: str
    lease: str | None = None


class LogLevel(Request):
    log_level: str


class ArteriaApi:
    def __init__(
        self, runs: Runs, leases: Leases, detector: Detector, settings: RunfolderSettings
    ) -> None:
        self._runs = runs
        self._leases = leases
        self._detector = detector
        self._settings = settings

    def routes(self) -> list[Route]:
        v1, path = "/api/1.0", "/api/1.0/runfolders/path{path:rest}"
        lease = f"{v1}/runfolders/pickup/{{lease}}"
        read, act = Role.READER, Role.OPERATOR
        return [
            Route("GET", f"{v1}/runfolders", self._list, read, "run folders; state=ready unless"
                  " another or * is asked for", query=ListQuery),
            Route("GET", f"{v1}/runfolders/next", self._next, read, "the next ready run folder",
                  answers={200: JSON, 204: ""}),
            Route("GET", f"{v1}/runfolders/pickup", self._pickup, act,
                  "the next ready run folder, which becomes pending",
                  answers={200: JSON, 204: ""}),
            Route("POST", f"{v1}/runfolders/pickup", self._pick_up, act,
                  "the next ready run folder, for one client and until its lease ends",
                  body=PickupRequest, answers={200: JSON, 204: ""}),
            Route("POST", f"{lease}/renew", self._renew, act, "prolong a lease",
                  body=RenewRequest),
            Route("POST", f"{lease}/release", self._give_back, act,
                  "give a run back that was picked up", body=NoBody),
            Route("GET", path, self._get, read, "one run folder"),
            Route("POST", path, self._set_state, act, "set its state", body=StateRequest,
                  answers={200: ""}),
            Route("PUT", path, self._create, act, "make a run folder for a test", body=NoBody,
                  answers={201: ""}),
            Route("PUT", f"{v1}/runfolders/test/markasready/path{{path:rest}}", self._mark, act,
                  "write the marker of a run folder for a test", body=NoBody, answers={200: ""}),
            Route("GET", f"{v1}/admin/log_level", self._log_level, read, "the level of the log"),
            Route("PUT", f"{v1}/admin/log_level", self._set_log_level, Role.ADMIN,
                  "change the level of the log", body=LogLevel),
        ]  # fmt: skip

    def _document(self, run: Run, call: Call) -> dict[str, Any]:
        return {
            "host": socket.gethostname(),
            "path": str(run.path),
            "state": run.state.value,
            "service_version": VERSION,
            "metadata": run.metadata,
            "link": f"{call.base_url}/api/1.0/runfolders/path{run.path}",
        }

    async def _look(self) -> None:
        """Arteria looks at its folders when it is asked, so by its rule a marker counts at once."""
        if self._settings.readiness is Readiness.MARKER:
            await self._detector.refresh()

    async def _list(self, call: Call) -> Reply:
        query: ListQuery = call.query
        if query.state in ("*", ""):
            state = None
        else:
            state = _state(query.state) if query.state else RunState.READY
        await self._look()
        folders = self._runs.folders(state, query.limit, query.before)
        text = ", ".join(self._texts(folders, call))
        if query.limit is None:
            return Reply(f'{{"runfolders": [{text}]}}')
        before = folders[-1].id if len(folders) == query.limit else None
        return Reply(f'{{"runfolders": [{text}], "before": {json.dumps(before)}}}')

    def _texts(self, folders: list[Folder], call: Call) -> Iterator[str]:
        """As `_document`, put together as text: there may be thousands."""
        host, version = json.dumps(socket.gethostname()), json.dumps(VERSION)
        link = json.dumps(f"{call.base_url}/api/1.0/runfolders/path")[:-1]
        for folder in folders:
            path = json.dumps(folder.path)
            yield (
                f'{{"host": {host}, "path": {path}, "state": "{folder.state}",'
                f' "service_version": {version}, "metadata": {folder.metadata},'
                f' "link": {link}{path[1:]}}}'
            )

    async def _next(self, call: Call) -> Reply:
        await self._look()
        run = self._runs.next_ready()
        return Reply(status=204) if run is None else Reply(self._document(run, call))

    async def _pickup(self, call: Call) -> Reply:
        await self._look()
        run = self._runs.next_ready()
        if run is None:
            return Reply(status=204)
        self._runs.set_arteria_state(run, RunState.PENDING, call.identity.name)
        return Reply(self._document(self._runs.get(run.name), call))

    async def _pick_up(self, call: Call) -> Reply:
        body: PickupRequest = call.body
        who = call.identity.name
        await self._look()
        run = self._leases.pick_up(body.client or who, body.seconds, who)
        return Reply(status=204) if run is None else self._leased(run, call)

    def _renew(self, call: Call) -> Reply:
        return self._leased(self._leases.renew(call.path["lease"], call.body.seconds), call)

    def _give_back(self, call: Call) -> Reply:
        run = self._leases.give_back(call.path["lease"], call.identity.name)
        return Reply(self._document(run, call))

    def _leased(self, run: Run, call: Call) -> Reply:
        """Arteria's document with `lease`."""
        assert run.lease is not None
        lease = {"id": run.lease.id, **run.lease.document()}
        return Reply({**self._document(run, call), "lease": lease})

    def _path(self, call: Call) -> Path:
        """The path asked for; it must lie directly below a monitored directory."""
        text = call.path["path"]
        path = Path(text)
        if (
            "\0" in text
            or text.endswith(("/", "/.."))
            or len(os.fsencode(path.name)) > NAME_LIMIT
            or path.parent not in self._monitored()
        ):
            raise InvalidError(
                f"{text[:200]!r} does not lie directly below a monitored directory",
                code="path.not_monitored",
            )
        return path

    def _monitored(self) -> list[Path]:
        return self._settings.monitored_directories

    async def _seen(self, call: Call) -> Run:
        path = self._path(call)
        if not await answered(_is_folder, path):
            raise NotFoundError(f"there is no folder {path}", code="run.not_found")
        await self._detector.judge(await self._detector.meet(path))
        found = self._runs.by_path(path)
        assert found is not None
        return found

    async def _get(self, call: Call) -> Reply:
        return Reply(self._document(await self._seen(call), call))

    async def _set_state(self, call: Call) -> Reply:
        state = _state(call.body.state)
        run, who = await self._seen(call), call.identity.name
        self._runs.set_arteria_state(run, state, who, call.body.lease)
        return Reply()

    def _for_tests(self) -> None:
        if not self._settings.can_create_runfolder:
            raise InvalidError(
                "making run folders is not enabled",
                code="config.not_enabled",
                hint="runfolder.can_create_runfolder: true, for tests only",
            )
        if self._runs.mode is Mode.OBSERVE:
            raise InvalidError(
                "nothing is written to a monitored directory while the mode is observe",
                code="config.not_enabled",
                hint="mode: act, for tests only",
            )

    async def _create(self, call: Call) -> Reply:
        self._for_tests()
        path = self._path(call)
        text = TEST_RUN_PARAMETERS.format(
            kit=escape("AB1234567-123V1"), library=escape("NV0012345-LIB")
        )
        try:
            path.mkdir()
            (path / "runParameters.xml").write_text(text, encoding="utf-8")
        except FileExistsError as err:
            raise InvalidError(f"{path} exists already", code="run.exists") from err
        except OSError as err:
            raise InvalidError(f"{path} cannot be made: {err.strerror}") from err
        await self._seen(call)
        return Reply(status=201)

    async def _mark(self, call: Call) -> Reply:
        self._for_tests()
        await self._seen(call)
        try:
            (self._path(call) / "RTAComplete.txt").touch(exist_ok=False)
        except FileExistsError as err:
            raise InvalidError("the marker is there already", code="run.exists") from err
        except OSError as err:
            raise InvalidError(f"the marker cannot be made: {err.strerror}") from err
        await asyncio.sleep(0)
        await self._seen(call)
        return Reply()

    def _log_level(self, call: Call) -> Reply:
        return Reply({"log_level": logging.getLevelName(logging.getLogger("arteriole").level)})

    def _set_log_level(self, call: Call) -> Reply:
        level = logging.getLevelNamesMapping().get(call.body.log_level)
        if level is None:
            raise InvalidError(f"{call.body.log_level[:40]!r} is no level", field="log_level")
        logging.getLogger("arteriole").setLevel(level)
        return self._log_level(call)


def _is_folder(path: Path) -> bool:
    return not path.is_symlink() and path.is_dir()


def _state(text: str) -> RunState:
    try:
        return RunState(text)
    except ValueError as err:
        raise InvalidError(
            f"{text[:40]!r} is no state; there are {', '.join(RunState)}", field="state"
        ) from err
