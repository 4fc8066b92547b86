"""Starts the jobs that wait, adopts those that run, and records those that ended."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from arteriole.app.aside import SilentError, aside
from arteriole.app.errors import ArterioleError
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.jobs import Job, JobState, Outcome
from arteriole.jobs.machine import Machine, TooLargeError
from arteriole.jobs.needs import DiskNeed, Needs
from arteriole.jobs.queue import JobQueue

#: A job whose process died is started at most so many times.
STARTS = 3
POLL = 0.1
#: So many seconds a look at all jobs waits for what a kind says of the end of one.
BRIEF = 0.5
STOPPED = Outcome(JobState.CANCELLED, None, "job.stopped", "it was stopped", "", {})
NOT_NOW = Outcome(
    JobState.ERROR,
    None,
    "job.observe_mode",
    "it was to act, and the service only observes now: it is not started",
    "set mode: act, start the service again, then retry",
    {},
)

log = structlog.get_logger()

# They outlive the runner that started them: here they stay known until they end and are reaped,
# by whichever runner of this process looks next.
_supervisors: set[subprocess.Popen[bytes]] = set()


def _reap() -> None:
    for supervisor in tuple(_supervisors):
        if supervisor.poll() is not None:
            _supervisors.discard(supervisor)


def _refused(err: ArterioleError) -> Outcome:
    return Outcome(JobState.ERROR, None, err.code, str(err), err.hint, {})


def _is_light(job: Job) -> bool:
    return job.parameters.get("light") is True


class Runner:
    """Keeps at most `parallel` jobs of `queue` running, each in a folder below `folders`.

    Beside those of other services each needs its share of the `machine` (machine.py).

    Those that are light (`light` in their parameters), since they read a few small files only, or
    may wait for days, wait for no other, nor others for them: there may be as many beside them.

    Started again after a crash it needs nothing but rows and folders: lock held, the job is
    adopted; a result there, it is recorded; neither, the process died, and the job is started
    again if `rerun`, or failed.

    With `far` the work of a job goes on elsewhere when its process is gone: one that was to stop is
    started once more, to end that.

    With `at_start` the worker is given what that says, instead of the job's parameters; a job of
    which it says (ArterioleError) that it is not to start ends.

    With `at_end` the outcome of a job that has begun is what that makes of it, on another thread;
    what that raises is logged, and changes nothing.

    With `observe_only` no job is started but those that observe; one that acts already is adopted.
    """

    def __init__(
        self,
        queue: JobQueue,
        folders: Path,
        worker: str,
        *,
        parallel: int,
        rerun: bool,
        observe_only: bool = False,
        far: bool = False,
        machine: Machine | None = None,
        at_start: Callable[[Job], dict[str, Any]] | None = None,
        at_end: Callable[[Job, Outcome], Outcome] | None = None,
    ) -> None:
        self._queue = queue
        self._folders = folders
        self._worker = worker
        self._parallel = parallel
        self._rerun = rerun
        self._observe_only = observe_only
        self._far = far
        self._at_start = at_start
        self._at_end = at_end
        self.machine = machine or Machine.boundless()
        self.machine.hold(queue.service, queue.in_state(JobState.STARTED))
        self._ends: dict[int, asyncio.Future[Outcome]] = {}  # what `at_end` was asked
        self._waits: dict[int, str] = {}
        self._lacking: set[int] = set()  # those that wait for space
        self.trouble: str | None = None  # why the last look at the jobs failed

    def folder(self, job_id: int) -> JobFolder:
        return JobFolder(self._folders / str(job_id))

    def waits_for(self, job: Job) -> str | None:
        """What a pending job waits for, as it was last seen; None of any other."""
        return self._waits.get(job.job_id, "") if job.state is JobState.PENDING else None

    @property
    def lacking(self) -> int:
        """How many wait for space."""
        return len(self._lacking)

    def lacks_space(self, job: Job) -> bool:
        """What it waits for is space on the volume that it is to write to."""
        return job.state is JobState.PENDING and job.job_id in self._lacking

    async def stop(self, job: Job) -> None:
        waits = job.state is JobState.PENDING
        outcome = await self._of_kind(job, STOPPED) if waits else STOPPED
        if outcome is None:
            raise SilentError
        state = self._queue.get(job.job_id).state  # it may have begun meanwhile
        if state is JobState.PENDING:
            self._queue.ended(job, outcome)
        elif state is JobState.STARTED:
            self.folder(job.job_id).ask_to_stop()

    async def _end(self, job: Job, outcome: Outcome) -> bool:
        """Whether it has ended: what its kind makes of the outcome may have to be waited for."""
        made = await self._of_kind(job, outcome)
        if made is not None:
            self._queue.ended(job, made)
        return made is not None

    async def _of_kind(self, job: Job, outcome: Outcome) -> Outcome | None:
        """None as long as that is not known: where its kind looks, a mount may hang."""
        if self._at_end is None or not job.starts:
            return outcome
        if (asked := self._ends.get(job.job_id)) is None:
            asked = asyncio.ensure_future(aside(self._at_end, job, outcome))
            self._ends[job.job_id] = asked
        await asyncio.wait({asked}, timeout=BRIEF)
        if not asked.done():
            return None
        self._ends.pop(job.job_id, None)
        if (err := asked.exception()) is None:
            return asked.result()
        log.error("what a job did is not known", job_id=job.job_id, exc_info=err)
        return outcome

    async def run(self) -> None:
        while True:
            try:
                await self.step()
                self.trouble = None
            except Exception as err:  # a full disk, say: the next step may succeed
                if self.trouble is None:
                    log.exception("jobs could not be looked after", service=self._queue.service)
                self.trouble = str(err) or type(err).__name__
                self.machine.line_up(self._queue.service, ())  # none waits for what cannot start
                await asyncio.sleep(1.0)
            await asyncio.sleep(POLL)

    async def step(self) -> None:
        """One look at all jobs that have not ended."""
        _reap()
        running = {True: 0, False: 0}  # light ones, and the others
        there = self._queue.in_state(JobState.STARTED)
        started = [job for job in there if await self._still_running(job)]
        for job in started:
            running[_is_light(job)] += 1
        service, pending = self._queue.service, self._queue.in_state(JobState.PENDING)
        self.machine.hold(service, started)
        self.machine.line_up(service, pending)
        self.machine.promise(service, self._still_to_write(started), pending)
        self._waits = {}
        self._lacking = set()
        for job in pending:
            if self._observe_only and not job.observed:
                await self._end(job, NOT_NOW)
            elif lack := self.machine.lacks_space(service, job):
                self._waits[job.job_id] = lack
                self._lacking.add(job.job_id)
            elif running[_is_light(job)] >= self._parallel:
                self._waits[job.job_id] = f"one of {self._parallel} places ({service}.parallel)"
            elif await self._may_start(job):
                running[_is_light(job)] += await self._start(job)

    def _still_to_write(self, started: list[Job]) -> dict[int, DiskNeed]:
        """Of each job that runs and was expected to write much: by the part that it has done."""
        found = {}
        for job in started:
            if (need := DiskNeed.of(job.parameters, job.observed)) is not None:
                told = self.folder(job.job_id).progress()
                done = told["done"] / told["total"] if told and told["total"] else 0.0
                found[job.job_id] = replace(need, bytes=int(need.bytes * max(0.0, 1 - done)))
        return found

    async def _may_start(self, job: Job) -> bool:
        """Whether there is room for it; one that will never have any is ended."""
        try:
            self.machine.require(Needs.of(job.parameters, job.observed))
        except TooLargeError as err:  # the machine was larger when it was made
            await self._end(job, _refused(err))
            return False
        if waits := self.machine.admit(self._queue.service, job):
            self._waits[job.job_id] = waits
        return not waits

    async def _still_running(self, job: Job) -> bool:
        folder = self.folder(job.job_id)
        if folder.path.is_dir() and folder.held():
            return True
        outcome = folder.outcome() or folder.orphaned_outcome()
        if outcome is None and folder.asked_to_stop() and not (self._far and job.starts < STARTS):
            outcome = STOPPED
        elif outcome is None and self._rerun and job.starts < STARTS:
            log.warning("a job's process died; it is started again", job_id=job.job_id)
            self._queue.again(job)
            return False
        elif outcome is None:
            outcome = Outcome(
                JobState.ERROR,
                None,
                "job.died",
                f"its process died {job.starts} times and left no result",
                "look at the job's log and the machine's (memory?), then retry",
                {},
            )
        return not await self._end(job, outcome)

    async def _start(self, job: Job) -> bool:
        """Whether it takes one of the places."""
        folder = self.folder(job.job_id)
        folder.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = folder.lock()
        if lock is None:  # the process of an earlier start is still ending
            return True
        try:
            try:
                parameters = self._at_start(job) if self._at_start else job.parameters
            except ArterioleError as err:
                await self._end(job, _refused(err))
                return False
            await aside(
                folder.prepare,
                {
                    "job_id": job.job_id,
                    "run": job.run,
                    "stage": job.stage,
                    "attempt": job.attempt,
                    "observe": job.observed,
                    "far": self._far,
                    "stopping": self._far and job.starts > 0 and folder.asked_to_stop(),
                    "parameters": parameters,
                    "worker": self._worker,
                },
            )
            if self._queue.get(job.job_id).state is not JobState.PENDING:
                return False  # it was stopped meanwhile
            self._queue.started(job)
            with open(folder.log, "ab") as output:
                _supervisors.add(
                    subprocess.Popen(
                        [
                            sys.executable,
                            "-m",
                            "arteriole.jobs.supervisor",
                            str(folder.path),
                            str(lock),
                        ],
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                        pass_fds=(lock,),
                    )
                )
        finally:
            os.close(lock)
        return True
