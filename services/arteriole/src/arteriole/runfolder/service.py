"""The runfolder service: every run, its evidence, stages and history."""

import asyncio
import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client import Metric

from arteriole.app.aside import answered
from arteriole.app.auth import Role
from arteriole.app.errors import InvalidError, NotFoundError
from arteriole.app.mode import Mode
from arteriole.app.page import Page
from arteriole.app.routes import Call, NoBody, Reply, Route
from arteriole.app.store import Store
from arteriole.disk.disk import Disk
from arteriole.runfolder.arteria import ArteriaApi
from arteriole.runfolder.attempts import Attempts
from arteriole.runfolder.bodies import (
    AcceptRequest,
    AlertRequest,
    AttachRequest,
    BeginRequest,
    ClaimRequest,
    ComparisonRequest,
    EndRequest,
    Heartbeat,
    HistoryQuery,
    HoldRequest,
    JudgedRequest,
    OverdueQuery,
    ProgressRequest,
    ReasonRequest,
    RedoRequest,
    ReleaseHoldRequest,
    ReleaseRequest,
    RunQuery,
    RunsQuery,
    UnwaiveRequest,
    WaitingRequest,
    WaiveRequest,
)
from arteriole.runfolder.brief import brief
from arteriole.runfolder.copies import Copies
from arteriole.runfolder.detection import Detector
from arteriole.runfolder.figures import figures
from arteriole.runfolder.holds import Finding, Holds
from arteriole.runfolder.leases import Leases
from arteriole.runfolder.measuring import Measuring
from arteriole.runfolder.overdue import overdue
from arteriole.runfolder.pressure import Pressure
from arteriole.runfolder.progress import Progress
from arteriole.runfolder.records import Run, Scope, Stage
from arteriole.runfolder.runs import Runs
from arteriole.runfolder.sensor import SensorWatch
from arteriole.runfolder.settings import RunfolderSettings
from arteriole.runfolder.sheetless import SheetlessWatch
from arteriole.runfolder.sheets import Sheets
from arteriole.runfolder.sighting import SHEET
from arteriole.runfolder.stages import Stages
from arteriole.runfolder.standings import asked_state, group_of, is_asked
from arteriole.runfolder.states import StageState
from arteriole.runfolder.waiting import Waiting
from arteriole.runfolder.waivers import unwaive, unwaive_rules, waive, waive_rules
from arteriole.runfolder.why import why


class RunfolderService:
    name = "runfolder"

    def __init__(
        self,
        settings: RunfolderSettings,
        state_dir: Path,
        mode: Mode = Mode.OBSERVE,
        disk: Disk | None = None,
    ) -> None:
        self._settings = settings
        self._store = Store(state_dir / self.name / "runs.sqlite", "arteriole.runfolder.sql")
        self._runs = Runs(self._store, mode)
        self._stages = Stages(self._runs, settings.begin_lease)
        self._attempts = Attempts(self._runs, self._stages)
        self._holds = Holds(self._runs, self._stages)
        self._sheets = Sheets(settings.sheets)
        self._measuring = Measuring(self._runs)
        measuring = self._measuring if settings.read_metrics else None
        copies = Copies(self._runs, self._holds)
        self._detector = Detector(self._runs, settings, self._sheets, measuring, copies)
        self._leases = Leases(self._runs, settings.pickup_lease)
        self._arteria = ArteriaApi(self._runs, self._leases, self._detector, settings)
        self._page = Page("/", "the status page", "arteriole.runfolder.page")
        self._progress = Progress()
        self._waiting = Waiting()
        self._sensor = SensorWatch(self._runs, settings.heartbeat_limit)
        self._sheetless = SheetlessWatch(self._runs, settings.sheet_due_hours)
        self._pressure = Pressure(self._runs, disk or Disk([]), settings.run_gb)
        self._tasks: list[asyncio.Task[None]] = []
        self.events = self._runs.events

    async def start(self) -> None:
        working = (
            self._detector,
            self._leases,
            self._sensor,
            self._pressure,
            self._measuring,
            self._sheetless,
        )
        self._tasks = [asyncio.create_task(one.run()) for one in working]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._store.close()

    def health(self) -> dict[str, Any]:
        """Degraded when a monitored directory cannot be read, a scan failed, the packs' sensor is
        silent, or a volume has too little space.
        """
        silent = self._sensor.is_silent
        unreachable = {str(path): why_ for path, why_ in self._detector.unreachable.items()}
        document: dict[str, Any] = {
            "unreachable_directories": unreachable,
            "directories": self._detector.directories(),
            "sensor_heartbeat": self._sensor.heartbeat,
            "sensor_silent": silent,
            "reconciled": self._sensor.reconciled,
            **self._pressure.document(),
        }
        if (silence := self._sensor.silence()) is not None:
            document["silence"] = silence
        if notes := self._detector.notes():
            document["notes"] = notes
        if self._detector.trouble is not None:
            document["trouble"] = self._detector.trouble
        if (
            unreachable
            or silent
            or self._pressure.is_critical
            or self._detector.trouble is not None
        ):
            document["status"] = "degraded"
        return document

    def figures(self) -> Iterable[Metric]:
        """How runs stand, what people should know, and what is free on each volume."""
        return [*figures(self._runs), *self._pressure.figures()]

    def routes(self) -> list[Route]:
        run = "/api/1.0/runs/{run}"
        stage = f"{run}/stages/{{stage}}/{{attempt}}"
        read, act = Role.READER, Role.OPERATOR
        return [
            *self._arteria.routes(),
            *self._page.routes(),
            Route("GET", "/api/1.0/runs", self._list, read, "every run", query=RunsQuery),
            Route("GET", run, self._get, read, "one run, with its stages", query=RunQuery),
            Route("GET", f"{run}/evidence", self._evidence, read, "what its verdict rests on"),
            Route("GET", f"{run}/sheet", self._sheet, read,
                  "its sample sheet, looked up now, and the places where one would count; the"
                  " content only if it is from elsewhere"),
            Route("GET", f"{run}/history", self._history, read,
                  "what happened to it; with a limit the newest first", query=HistoryQuery),
            Route("POST", f"{run}/claim", self._claim, act, "give it its plan", body=ClaimRequest),
            Route("POST", f"{stage}/begin", self._begin, act, "begin a stage", body=BeginRequest),
            Route("POST", f"{stage}/attach", self._attach, act, "name the job that does it",
                  body=AttachRequest),
            Route("POST", f"{stage}/progress", self._tell_progress, act, "how far its job has come",
                  body=ProgressRequest),
            Route("POST", f"{stage}/waiting", self._tell_waiting, act, "what its job waits for",
                  body=WaitingRequest),
            Route("POST", f"{stage}/end", self._end, act, "end a stage", body=EndRequest),
            Route("POST", f"{stage}/release", self._release, act,
                  "its workflow ended and left no job", body=ReleaseRequest),
            Route("POST", f"{run}/retry", self._retry, act, "try its failed stages again",
                  body=NoBody),
            Route("POST", f"{run}/accept", self._accept, act,
                  "let a held stage count as done as it is", body=AcceptRequest),
            Route("POST", f"{run}/redo", self._redo, act, "do it again from a stage on",
                  body=RedoRequest),
            Route("POST", f"{run}/adopt", self._adopt, act, "let it be worked on", body=NoBody),
            Route("POST", f"{run}/waive", self._waive, act, "let it be worked on as it is",
                  body=WaiveRequest),
            Route("POST", f"{run}/unwaive", self._unwaive, act, "withdraw its waivers",
                  body=UnwaiveRequest),
            Route("POST", f"{run}/abort", self._abort, act, "end its attempt, or dismiss it",
                  body=ReasonRequest),
            Route("POST", f"{run}/comparison/begin", self._begin_comparison, act,
                  "name the job that compares its indexes with its sheet", body=ComparisonRequest),
            Route("POST", f"{run}/comparison/judged", self._judged_comparison, act,
                  "what that job found was acted on", body=JudgedRequest),
            Route("POST", f"{run}/hold", self._hold_run, act, "let no stage begin",
                  body=ReasonRequest),
            Route("POST", f"{run}/release", self._release_run, act, "end its own hold",
                  body=NoBody),
            Route("GET", "/api/1.0/holds", self._list_holds, read, "the holds"),
            Route("POST", "/api/1.0/holds", self._hold, act,
                  "hold a run, an instrument's runs, or all", body=HoldRequest),
            Route("POST", "/api/1.0/holds/release", self._release_hold, act, "end a hold",
                  body=ReleaseHoldRequest),
            Route("GET", "/api/1.0/overdue", self._overdue, read,
                  "what should have moved and has not", query=OverdueQuery),
            Route("POST", "/api/1.0/heartbeat", self._beat, act, "the packs' sensor is alive",
                  body=Heartbeat),
            Route("GET", "/api/1.0/alerts", self._list_alerts, read,
                  "what people should be told of"),
            Route("POST", "/api/1.0/alerts/take", self._take_alert, act,
                  "ask to be the one who tells people of it", body=AlertRequest),
            Route("POST", "/api/1.0/alerts/told", self._told_alert, act,
                  "people were told of it", body=AlertRequest),
        ]  # fmt: skip

    def _document(self, run: Run) -> dict[str, Any]:
        reason = self._why(run)
        return {
            "name": run.name,
            "path": str(run.path),
            "state": run.state.value,
            "standing": run.standing,
            "group": group_of(run, reason["code"], reason["urgency"]).value,
            "since": run.since,
            "progress": run.progress,
            "why": reason,
            "verdict": run.verdict.value,
            "instrument": run.instrument,
            "adopted": run.adopted,
            "held": None if run.held is None else run.held.document(),
            "lease": None if run.lease is None else run.lease.document(),
            "waiver": None if run.waiver is None else run.waiver.document(),
            "waived_rules": [one.document() for one in run.waived_rules],
            "observed": run.observed,
            "attempt": run.attempt,
            "attempts": [one.document(aborted=run.is_aborted(one.attempt)) for one in run.attempts],
            "claimed_by": run.claimed_by,
            "first_seen": run.first_seen,
            "metadata": run.metadata,
            "metrics": run.metrics,
            "stages": [self._stage_document(run, stage) for stage in run.stages],
        }

    def _stage_document(self, run: Run, stage: Stage) -> dict[str, Any]:
        return {**stage.document(), "progress": self._progress.document(run, stage)}

    def _why(self, run: Run) -> dict[str, Any]:
        waits = {s.stage: wait for s in run.current if (wait := self._waiting.of(run, s))}
        filling = self._pressure.filling(run) if run.awaits_claim else None
        document = why(
            run, self._runs.mode, self._settings.result_due_hours, waits=waits, filling=filling
        )
        if run.awaits_claim and (paused := self._detector.paused(run)):
            document["message"] = f"{document['message']}; {paused}"
        return document

    def _shown(self, run: Run, *, in_brief: bool) -> dict[str, Any]:
        if in_brief:
            return brief(run, self._why(run), self._progress)
        return self._document(run)

    def _run(self, call: Call) -> Run:
        return self._runs.get(call.path["run"])

    def _list(self, call: Call) -> Reply:
        query: RunsQuery = call.query
        limit, word = query.limit, query.state
        state = None if word is None else asked_state(word)
        if query.running:
            runs = self._runs.running()
        else:
            runs = (
                self._runs.all(state)
                if limit is None
                else self._runs.newest(limit, query.before, state)
            )
        shown = [
            self._shown(run, in_brief=query.brief)
            for run in runs
            if word is None or is_asked(run, word)
        ]
        return Reply(
            {
                "runs": shown,
                "mode": self._runs.mode.value,
                "before": runs[-1].id if len(runs) == limit else None,
                "next": self.events.newest,
            }
        )

    def _get(self, call: Call) -> Reply:
        return Reply(self._shown(self._run(call), in_brief=call.query.brief))

    def _evidence(self, call: Call) -> Reply:
        run = self._run(call)
        return Reply(
            {
                "run": run.name,
                "verdict": run.verdict.value,
                "since": run.verdict_since,
                "message": run.message,
                "evidence": run.evidence,
                "paused": self._detector.paused(run),
            }
        )

    async def _sheet(self, call: Call) -> Reply:
        run = self._run(call)
        flowcell = str(run.evidence.get("flowcell", ""))
        in_folder = await answered(_has_sheet, run.path)
        found = await self._sheets.find(run.name, flowcell, in_folder=in_folder, anew=True)
        if found is None:
            raise NotFoundError(
                f"{run.name} has no sample sheet",
                code="run.no_sheet",
                hint=f"put {SHEET} into {run.path}",
            )
        document: dict[str, Any] = {"run": run.name, "source": found.source}
        document["places"] = self._sheets.until(found.source)
        if found.data is not None:
            document["sha256"] = found.sha256
            document["base64"] = base64.b64encode(found.data).decode("ascii")
        return Reply(document)

    def _history(self, call: Call) -> Reply:
        query: HistoryQuery = call.query
        name = self._run(call).name
        if query.limit is None:
            events = self.events.read(None, limit=1000, run=name).events
        else:
            events = self.events.read_back(query.before, limit=query.limit, run=name)
        return Reply(
            {
                "events": [event.document() for event in events],
                "before": events[-1].cursor if len(events) == query.limit else None,
            }
        )

    def _claim(self, call: Call) -> Reply:
        request: ClaimRequest = call.body
        return Reply(
            self._attempts.claim(
                call.path["run"], request.plan, request.by, call.identity.name, request.lease
            )
        )

    def _stage(self, call: Call) -> tuple[str, str, int]:
        attempt = call.path["attempt"]
        if not (attempt.isascii() and attempt.isdigit() and len(attempt) < 6):
            raise NotFoundError(f"{attempt[:40]!r} is no attempt", code="stage.not_found")
        return call.path["run"], call.path["stage"], int(attempt)

    def _begin(self, call: Call) -> Reply:
        return Reply(
            self._stages.begin(*self._stage(call), by=call.body.by, who=call.identity.name)
        )

    def _attach(self, call: Call) -> Reply:
        body: AttachRequest = call.body
        self._stages.attach(
            *self._stage(call),
            by=body.by,
            service=body.service,
            job_id=body.job_id,
            who=call.identity.name,
        )
        return Reply({"attached": True})

    def _tell_progress(self, call: Call) -> Reply:
        body: ProgressRequest = call.body
        run, stage = self._stages.find(*self._stage(call))
        job = (body.service, body.job_id)
        self._waiting.end(run, stage)
        return Reply(
            {"taken": self._progress.tell(run, stage, job, body.done, body.total, body.unit)}
        )

    def _tell_waiting(self, call: Call) -> Reply:
        body: WaitingRequest = call.body
        run, stage = self._stages.find(*self._stage(call))
        job = (body.service, body.job_id)
        taken = self._waiting.tell(run, stage, job, body.message, lacks_space=body.lacks_space)
        return Reply({"taken": taken})

    def _end(self, call: Call) -> Reply:
        body: EndRequest = call.body
        if (body.service is None) != (body.job_id is None):
            raise InvalidError("service and job_id go together", field="job_id")
        job = None
        if body.service is not None and body.job_id is not None:
            job = (body.service, body.job_id)
        return Reply(
            self._stages.end(
                *self._stage(call),
                StageState(body.state),
                by=body.by,
                code=body.code,
                message=body.message,
                hint=body.hint,
                job=job,
                who=call.identity.name,
            )
        )

    def _release(self, call: Call) -> Reply:
        body: ReleaseRequest = call.body
        return Reply(
            self._stages.release(
                *self._stage(call), by=body.by, reason=body.reason, who=call.identity.name
            )
        )

    def _retry(self, call: Call) -> Reply:
        return Reply({"retried": self._stages.retry(call.path["run"], call.identity.name)})

    def _accept(self, call: Call) -> Reply:
        body: AcceptRequest = call.body
        stages = self._stages.accept(call.path["run"], body.stage, body.reason, call.identity.name)
        return Reply({"accepted": stages})

    async def _redo(self, call: Call) -> Reply:
        body: RedoRequest = call.body
        if (run := self._run(call)).is_gone:
            await self._detector.look_again(run)  # it may have been moved back just now
        attempt = self._attempts.redo(call.path["run"], body.from_, body.reason, call.identity.name)
        return Reply({"attempt": attempt})

    def _adopt(self, call: Call) -> Reply:
        self._runs.adopt(call.path["run"], call.identity.name)
        return Reply({"adopted": True})

    def _waive(self, call: Call) -> Reply:
        body: WaiveRequest = call.body
        name, who = call.path["run"], call.identity.name
        with self._store.transaction():
            if body.ignore or not body.rules:
                waive(self._runs, name, body.reason, body.ignore, who)
            if body.rules:
                waive_rules(self._runs, name, body.reason, body.rules, who)
        document = self._document(self._run(call))
        return Reply({key: document[key] for key in ("waiver", "waived_rules")})

    def _unwaive(self, call: Call) -> Reply:
        body: UnwaiveRequest = call.body
        name, who = call.path["run"], call.identity.name
        with self._store.transaction():
            waiver = None if body.rules else unwaive(self._runs, name, body.reason, who)
            rules = unwaive_rules(self._runs, name, body.reason, who, body.rules or None)
        degraded = [one.attempt for one in self._run(call).attempts if one.degraded]
        unwaived = waiver is not None or bool(rules)
        return Reply({"unwaived": unwaived, "rules": list(rules), "degraded": degraded})

    def _abort(self, call: Call) -> Reply:
        jobs = self._attempts.abort(call.path["run"], call.body.reason, call.identity.name)
        listed = [{"service": service, "job_id": job_id} for service, job_id in jobs]
        return Reply({"aborted": True, "jobs": listed})

    def _hold_run(self, call: Call) -> Reply:
        self._holds.hold(Scope.RUN, call.path["run"], call.body.reason, call.identity.name)
        return Reply({"held": True})

    def _release_run(self, call: Call) -> Reply:
        released = self._holds.release(Scope.RUN, call.path["run"], call.identity.name)
        held = self._run(call).held
        return Reply({"released": released, "held": None if held is None else held.document()})

    def _list_holds(self, _: Call) -> Reply:
        return Reply({"holds": [hold.document() for hold in self._runs.holds()]})

    def _hold(self, call: Call) -> Reply:
        body: HoldRequest = call.body
        finding = Finding(body.code, body.hint, body.about or "")
        held = self._holds.hold(body.scope, body.name, body.reason, call.identity.name, finding)
        return Reply({"held": held})

    def _release_hold(self, call: Call) -> Reply:
        body: ReleaseHoldRequest = call.body
        who = call.identity.name
        if body.code:
            released = self._holds.release_finding(body.name, body.code, body.reason, who)
        else:
            released = self._holds.release(body.scope, body.name, who, body.reason)
        return Reply({"released": released})

    def _overdue(self, call: Call) -> Reply:
        self._sensor.looked(call.identity.name)
        grace, owed = call.query.grace, self._runs.alerts.owed(call.query.grace)
        comparisons = self._runs.comparisons.owed(grace)
        return Reply({"overdue": overdue(self._runs.unfinished(), grace, owed, comparisons)})

    def _begin_comparison(self, call: Call) -> Reply:
        body: ComparisonRequest = call.body
        run, who = self._run(call), call.identity.name
        begun = self._runs.comparisons.begin(run.id, run.name, who, body.service, body.job_id)
        return Reply({"begun": begun})

    def _judged_comparison(self, call: Call) -> Reply:
        body: JudgedRequest = call.body
        run, who = self._run(call), call.identity.name
        noted = self._runs.comparisons.judge(
            run.id, run.name, who, body.service, body.job_id, body.code
        )
        return Reply({"noted": noted})

    def _beat(self, call: Call) -> Reply:
        return Reply({"time": self._sensor.beat(call.identity.name)})

    def _list_alerts(self, _: Call) -> Reply:
        standing = self._runs.alerts.standing()
        return Reply({"alerts": [alert.document() for alert in standing]})

    def _take_alert(self, call: Call) -> Reply:
        body: AlertRequest = call.body
        taken = self._runs.alerts.take(body.what, body.run or "", body.by, body.volume or "")
        return Reply({"taken": taken})

    def _told_alert(self, call: Call) -> Reply:
        body: AlertRequest = call.body
        noted = self._runs.alerts.note_told(body.what, body.run or "", body.by, body.volume or "")
        return Reply({"noted": noted})


def _has_sheet(run_dir: Path) -> bool:
    """The run folder has a sheet that is not empty."""
    try:
        path = run_dir / SHEET
        return path.is_file() and path.stat().st_size > 0
    except OSError:
        return False
