"""Starts what is requested, follows what runs, and picks up what an earlier st2solo left."""

import asyncio
import logging
import sqlite3
import time
import traceback
from collections.abc import Callable
from typing import Any

from st2solo import json_text
from st2solo.errors import NotFoundError
from st2solo.inquiries import Inquiries
from st2solo.lifecycle import Lifecycle
from st2solo.policies import Lane, Policies
from st2solo.ports import ActionSource, PackChanges, PolicyDefinition, TokenSource
from st2solo.preparation import Preparation
from st2solo.processes import Fate, Processes
from st2solo.records import Execution, Records
from st2solo.runners import RUNNERS, WORKFLOW_RUNNER
from st2solo.runners.protocol import Announcement, Command, Job, Outcome
from st2solo.settings import EngineSettings
from st2solo.statuses import Status
from st2solo.store import Store
from st2solo.workflows import Workflows

_LOG = logging.getLogger(__name__)

_BATCH = 20
_RETRY_SECONDS = 1.0
_LAUNCHES = 3
_LONGEST_SLEEP_SECONDS = 3600.0
#: After so long the event loop serves others first.
_SLICE_SECONDS = 0.1


class Dispatcher:
    """Runs in the event loop, outside of any transaction; `pump` does all that is due."""

    def __init__(
        self,
        store: Store,
        records: Records,
        lifecycle: Lifecycle,
        preparation: Preparation,
        workflows: Workflows,
        inquiries: Inquiries,
        policies: Policies,
        actions: ActionSource,
        tokens: TokenSource,
        settings: EngineSettings,
        packs: PackChanges | None,
    ) -> None:
        self._store = store
        self._records = records
        self._lifecycle = lifecycle
        self._preparation = preparation
        self._workflows = workflows
        self._inquiries = inquiries
        self._policies = policies
        #: Called with each announcement, once the execution that makes it is written.
        self.on_announcement: list[Callable[[Announcement], None]] = []
        self._actions = actions
        self._tokens = tokens
        self._settings = settings
        self._packs = packs
        self.processes = Processes(
            settings.work_dir, settings.kill_grace_seconds, settings.max_result_size
        )
        self._running: dict[str, int] = {}
        self._stopping: set[str] = set()
        #: Executions that are over and whose end could not be written yet.
        self._unwritten: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._soon: asyncio.TimerHandle | None = None
        self._retries: set[asyncio.TimerHandle] = set()

    def start(self) -> None:
        """Recovery, then all that is due."""
        self._recover_workflows()
        self._recover_processes()
        self.pump()

    def close(self) -> None:
        """Follow nothing any more; what runs goes on."""
        for timer in (self._timer, self._soon, *self._retries):
            if timer is not None:
                timer.cancel()
        self.processes.close()

    def pump_soon(self) -> None:
        """Do what is due when the event loop has served the others; asked twice it is done once."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(0, self._pump_now)

    def _pump_now(self) -> None:
        self._soon = None
        self.pump()

    def pump(self) -> None:
        """Stop what is to be canceled, wake what is due, start what is requested."""
        self._stop_canceled()
        self._wake_due()
        free = max(0, self._settings.max_processes - len(self._running))
        # what waits to have its end written must not keep the others from their turn
        more = len(self._unwritten)
        held = self._let_go()
        waiting = [execution for execution in held if execution.instant]
        waiting += self._requested(processes=False, limit=_BATCH + more)
        processes = [execution for execution in held if not execution.instant]
        processes += self._requested(processes=True, limit=min(free, _BATCH) + more)
        waiting += processes[:free]
        end = time.monotonic() + _SLICE_SECONDS
        for execution in waiting:
            self._begin(execution)
            if time.monotonic() > end:
                break
        if waiting:
            self.pump_soon()
        if self._workflows.unfinished:
            written = self._guarded(self._workflows.go_on_unfinished)
            if written:
                self.pump_soon()
            else:
                self._later(_RETRY_SECONDS, self.pump)

    def _let_go(self) -> list[Execution]:
        """Of the executions that a policy delays, the oldest of each lane that may start now."""
        found: dict[Lane, Execution | None] = {}
        for execution in self._records.held():
            lane = self._policies.lane(execution)
            if lane not in found:
                blocked = self._policies.blocking(execution) is not None
                found[lane] = None if blocked else execution
        return [execution for execution in found.values() if execution is not None]

    def _requested(self, *, processes: bool, limit: int) -> list[Execution]:
        found = self._records.requested(processes=processes, limit=limit)
        return [execution for execution in found if execution.id not in self._unwritten]

    def _later(self, seconds: float, call: Any, *arguments: Any) -> None:
        def run() -> None:
            self._retries.discard(handle)
            call(*arguments)

        handle = asyncio.get_running_loop().call_later(seconds, run)
        self._retries.add(handle)

    def _guarded(self, call: Any, *arguments: Any) -> bool:
        """Call inside a transaction; False, and logged, when that failed."""
        try:
            with self._store.transaction():
                call(*arguments)
        except Exception:
            _LOG.exception("a step failed; it was rolled back")
            return False
        return True

    def _stop_canceled(self) -> None:
        for execution in self._records.with_status(Status.CANCELING):
            if execution.id in self._running and execution.id not in self._stopping:
                self._stopping.add(execution.id)
                self.processes.stop(execution.id)

    def _wake_due(self) -> None:
        """Let delayed executions go whose time has come, and close inquiries whose time is over."""
        now = time.time()
        for execution in self._records.due(now):
            if not self._guarded(self._wake, execution):
                self._later(_RETRY_SECONDS, self.pump)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        later = self._records.next_due()
        if later is not None and later > now:
            wait = min(later - now + 0.001, _LONGEST_SLEEP_SECONDS)
            self._timer = asyncio.get_running_loop().call_later(wait, self.pump)

    def _wake(self, execution: Execution) -> None:
        if execution.status is Status.PENDING:
            self._inquiries.expire(execution)
        else:
            self._lifecycle.move(execution, Status.REQUESTED)

    def _begin(self, execution: Execution) -> None:
        """Start one execution; one that cannot be started fails with the reason."""
        begun: Command | Outcome | None = None
        try:
            with self._store.transaction():
                policy = self._policies.blocking(execution)
                if policy is not None:
                    self._hold(execution, policy)
                elif execution.runner == WORKFLOW_RUNNER:
                    self._workflows.begin(execution)
                else:
                    begun = self._begin_action(execution)
        except sqlite3.OperationalError as error:  # a full disk: it waits for its turn
            _LOG.warning("it waits: the store: %s", error, extra=_about(execution))
            self._unwritten.add(execution.id)
            self._later(_RETRY_SECONDS, self._again, execution.id)
            return
        except Exception as error:  # of packs' templates, of files that are not there
            self._fail(execution, error)
            return
        if isinstance(begun, Command):
            self._launch(execution, begun)
        elif begun is not None and begun.announcement is not None:
            for listener in self.on_announcement:
                listener(begun.announcement)

    def _hold(self, execution: Execution, policy: PolicyDefinition) -> None:
        """Let a policy have its way with an execution that must not start now."""
        if policy.parameters["action"] == "cancel":
            result = {"message": f"Action canceled by policy {policy.ref}."}
            self._lifecycle.move(execution, Status.CANCELED, result=result)
        elif execution.status is not Status.DELAYED:
            self._lifecycle.move(execution, Status.DELAYED)

    def _again(self, execution_id: str) -> None:
        self._unwritten.discard(execution_id)
        self.pump()

    def _begin_action(self, execution: Execution) -> Command | Outcome:
        prepared = self._prepare(execution)
        running = self._lifecycle.move(execution, Status.SCHEDULED)
        running = self._lifecycle.move(running, Status.RUNNING)
        if isinstance(prepared, Outcome):
            if prepared.status is Status.PENDING:
                self._inquiries.open(running, prepared.result)
            else:
                self._lifecycle.move(running, prepared.status, result=prepared.result)
        return prepared

    def _prepare(self, execution: Execution) -> Command | Outcome:
        action = self._actions.action(execution.action_ref)
        runner, parameters = self._preparation.final(execution)
        job = Job(
            execution_id=execution.id,
            action=action,
            user=execution.user,
            runner=runner,
            parameters=parameters,
            folder=self.processes.folder(execution.id),
            settings=self._settings,
            config=lambda: self._preparation.config(action.pack, execution.user),
            token=lambda: self._tokens.action_token(
                execution.id, execution.user, self._settings.token_ttl_seconds
            ),
            document=lambda other: self._records.document(self._records.get(other)),
            alias=self._actions.alias,
            packs=self._packs,
        )
        return RUNNERS[execution.runner].prepare(job)

    def _fail(self, execution: Execution, error: Exception) -> None:
        _LOG.info("it cannot run: %s", error, extra=_about(execution))
        trace = "".join(traceback.format_tb(error.__traceback__, 20))
        result = {"error": str(error), "traceback": trace}
        self._complete(execution.id, Outcome(Status.FAILED, result))

    def _launch(self, execution: Execution, command: Command) -> None:
        launches = self._running.get(execution.id, 0) + 1
        self._running[execution.id] = launches
        try:
            self.processes.make_folder(execution.id)
            self.processes.start(execution.id, command, self._ended)
        except OSError as error:
            self._fail(execution, error)

    def _relaunch(self, execution: Execution) -> None:
        """Start a process that was recorded as running but never began."""
        if self._running.get(execution.id, 0) >= _LAUNCHES:
            self._fail(execution, RuntimeError("the supervisor of the process does not start"))
            return
        try:
            with self._store.transaction():
                prepared = self._prepare(execution)
        except sqlite3.OperationalError:  # a full disk
            self._later(_RETRY_SECONDS, self._ended, execution.id)
            return
        except Exception as error:
            self._fail(execution, error)
            return
        if isinstance(prepared, Command):
            self._launch(execution, prepared)
        else:
            self._complete(execution.id, prepared)

    def _ended(self, execution_id: str) -> None:
        """A process is over, or was found to be; what fails here is tried again."""
        try:
            self._follow_up(execution_id)
        except Exception:
            _LOG.exception("the end is not followed up", extra={"execution_id": execution_id})
            self._later(_RETRY_SECONDS, self._ended, execution_id)

    def _follow_up(self, execution_id: str) -> None:
        try:
            execution = self._records.get(execution_id)
        except NotFoundError:
            self._forget(execution_id)
            return
        fate = self.processes.fate(execution_id)
        if execution.completed:
            self._forget(execution_id)
        elif fate is Fate.FINISHED:
            self._complete(execution_id, self._outcome(execution))
        elif execution.status is Status.CANCELING:
            self.processes.kill_orphan(execution_id)
            self._complete(execution_id, Outcome(Status.CANCELED, {}))
        elif fate is Fate.UNBORN:
            self._relaunch(execution)
        else:
            self._died(execution)

    def _outcome(self, execution: Execution) -> Outcome:
        try:
            outcome = RUNNERS[execution.runner].outcome(self.processes.ended(execution.id))
        except Exception as error:  # an action may have left anything
            _LOG.exception("the result cannot be read", extra=_about(execution))
            return Outcome(Status.FAILED, {"error": f"the result cannot be read: {error}"})
        if json_text.is_deeper(outcome.result):
            reason = f"the result is nested deeper than {json_text.DEEPEST} levels"
            return Outcome(Status.FAILED, {"error": f"{reason}; what the action did is done"})
        return outcome

    def _died(self, execution: Execution) -> None:
        """It began and left no result: run it again if its tags allow that, else give it up."""
        self.processes.kill_orphan(execution.id)
        if self._runs_again(execution):
            if self._guarded(self._lifecycle.move, execution, Status.REQUESTED):
                self._forget(execution.id)
            else:
                self._later(_RETRY_SECONDS, self._ended, execution.id)
        else:
            error = "the process of the action is gone and has left no result"
            self._complete(execution.id, Outcome(Status.ABANDONED, {"error": error}))

    def _runs_again(self, execution: Execution) -> bool:
        """Whether the action may safely run twice: its tags say so, or the site."""
        tags = execution.action.get("tags") or []
        return execution.action_ref in self._settings.rerun or any(
            tag.get("name") == "rerun" and str(tag.get("value")).lower() == "true" for tag in tags
        )

    def _complete(self, execution_id: str, outcome: Outcome) -> None:
        """Record the end; tried again until it is written, for the effect has happened."""

        def record() -> None:
            execution = self._records.get(execution_id)
            if not execution.completed:
                canceled = execution.status is Status.CANCELING
                status = Status.CANCELED if canceled else outcome.status
                self._lifecycle.move(execution, status, result=outcome.result)
            self._tokens.revoke_of(execution_id)

        if self._guarded(record):
            self._unwritten.discard(execution_id)
            self._forget(execution_id)
        else:
            self._unwritten.add(execution_id)
            self._later(_RETRY_SECONDS, self._complete, execution_id, outcome)

    def _forget(self, execution_id: str) -> None:
        freed = self._running.pop(execution_id, None) is not None
        self._stopping.discard(execution_id)
        self.processes.remove(execution_id)
        if freed:
            self.pump_soon()

    def _recover_workflows(self) -> None:
        active = (Status.RUNNING, Status.PAUSING, Status.RESUMING, Status.CANCELING)
        for execution in self._records.with_status(*active):
            if execution.runner == WORKFLOW_RUNNER:
                self._recover_workflow(execution.id)

    def _recover_workflow(self, execution_id: str) -> None:
        if not self._guarded(self._workflows.go_on, execution_id):
            self._later(_RETRY_SECONDS, self._recover_workflow, execution_id)

    def _recover_processes(self) -> None:
        known = set()
        for execution in self._records.with_status(Status.RUNNING, Status.CANCELING):
            if execution.runner != WORKFLOW_RUNNER:
                known.add(execution.id)
                self._running[execution.id] = 0
                self._recover_process(execution.id)
        for name in set(self.processes.folders()) - known:
            if self.processes.fate(name) is not Fate.RUNNING:
                self.processes.remove(name)

    def _recover_process(self, execution_id: str) -> None:
        """Follow one; what fails here is tried again and keeps nobody else from being found."""
        try:
            if self.processes.fate(execution_id) is Fate.RUNNING:
                self.processes.adopt(execution_id, self._ended)
            else:
                self._ended(execution_id)
        except OSError:
            _LOG.exception("the process is not found", extra={"execution_id": execution_id})
            self._later(_RETRY_SECONDS, self._recover_process, execution_id)


def _about(execution: Execution) -> dict[str, str]:
    """What a line of the log is about."""
    return {"execution_id": execution.id, "action": execution.action_ref}
