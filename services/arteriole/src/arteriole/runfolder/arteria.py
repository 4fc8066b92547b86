"""Arteria's API 1.0 of a runfolder service, for Arteria's clients, packs and tests.

Behaviour as of arteria-runfolder 1.5: handlers.py and services.py there.
"""

import asyncio
import logging
import os
import socket
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pydantic import BaseModel, ConfigDict

from arteriole.app.application import VERSION
from arteriole.app.auth import Role
from arteriole.app.errors import InvalidError, NotFoundError
from arteriole.app.mode import Mode
from arteriole.app.routes import JSON, Call, NoBody, Reply, Request, Route
from arteriole.runfolder.detection import Detector
from arteriole.runfolder.runs import Run, Runs
from arteriole.runfolder.settings import Readiness, RunfolderSettings
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind

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
    state: str | None = None


class StateRequest(BaseModel):
    model_config = ConfigDict(extra="ignore")

    state: str


class LogLevel(Request):
    log_level: str


class ArteriaApi:
    def __init__(self, runs: Runs, detector: Detector, settings: RunfolderSettings) -> None:
        self._runs = runs
        self._detector = detector
        self._settings = settings

    def routes(self) -> list[Route]:
        v1, path = "/api/1.0", "/api/1.0/runfolders/path{path:rest}"
        read, act = Role.READER, Role.OPERATOR
        return [
            Route("GET", f"{v1}/runfolders", self._list, read, "run folders; state=ready unless"
                  " another or * is asked for", query=ListQuery),
            Route("GET", f"{v1}/runfolders/next", self._next, read, "the next ready run folder",
                  answers={200: JSON, 204: ""}),
            Route("GET", f"{v1}/runfolders/pickup", self._pickup, act,
                  "the next ready run folder, which becomes pending",
                  answers={200: JSON, 204: ""}),
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

    async def _listed(self, state: RunState | None) -> list[Run]:
        if self._settings.readiness is Readiness.MARKER:
            await self._detector.scan()
        return [
            run
            for run in self._runs.all()
            if run.verdict is not VerdictKind.UNREACHABLE and state in (None, run.state)
        ]

    async def _list(self, call: Call) -> Reply:
        text = call.query.state
        if text in ("*", ""):
            state = None
        else:
            state = _state(text) if text else RunState.READY
        runs = await self._listed(state)
        return Reply({"runfolders": [self._document(run, call) for run in runs]})

    async def _next(self, call: Call) -> Reply:
        ready = await self._listed(RunState.READY)
        return Reply(self._document(ready[0], call)) if ready else Reply(status=204)

    async def _pickup(self, call: Call) -> Reply:
        ready = await self._listed(RunState.READY)
        if not ready:
            return Reply(status=204)
        self._runs.set_arteria_state(ready[0], RunState.PENDING, call.identity.name)
        return Reply(self._document(self._runs.get(ready[0].name), call))

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
        if path.is_symlink() or not path.is_dir():
            raise NotFoundError(f"there is no folder {path}", code="run.not_found")
        run = self._runs.by_path(path)
        if run is None:
            run = self._detector.register(path)
        await self._detector.judge(run)
        found = self._runs.by_path(path)
        assert found is not None
        return found

    async def _get(self, call: Call) -> Reply:
        return Reply(self._document(await self._seen(call), call))

    async def _set_state(self, call: Call) -> Reply:
        state = _state(call.body.state)
        self._runs.set_arteria_state(await self._seen(call), state, call.identity.name)
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


def _state(text: str) -> RunState:
    try:
        return RunState(text)
    except ValueError as err:
        raise InvalidError(
            f"{text[:40]!r} is no state; there are {', '.join(RunState)}", field="state"
        ) from err
