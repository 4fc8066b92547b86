"""The small detached process that starts a worker, outlives the service, and leaves the result.

It is started with the lock of the job's folder as an inherited descriptor and hands it on to the
worker, so the lock is held as long as either lives: nobody needs to trust a pid.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from arteriole.jobs.folder import JobFolder, state_of

#: Seconds between asking a worker to end and killing it.
GRACE = 10.0
#: The same for one that has to end what it began on other machines.
FAR_GRACE = 300.0
POLL = 0.1
#: What a worker is given unless the site says otherwise. numpy's pool of threads spins while it
#: waits: that took a fifth of a conversion's CPU and made it no quicker.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}


def supervise(folder: JobFolder, lock: int) -> None:
    """Run the worker that task.json names to its end and write result.json."""
    task = folder.read("task.json")
    if task is None or folder.outcome() is not None:
        return
    with open(folder.log, "ab") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", task["worker"], str(folder.path), str(lock)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            process_group=0,
            cwd=folder.path,
            env={**ENVIRONMENT, **os.environ},
        )
    stopped = _wait(worker, folder, FAR_GRACE if task.get("far") else GRACE, task.get("stopping"))
    _kill_group(worker)
    if task.get("far") and worker.returncode < 0 and folder.read("outcome.json") is None:
        return  # NB: what it began elsewhere goes on; the service starts a worker that finds it
    folder.write_when_there_is_room("result.json", _result(folder, worker.returncode, stopped))


def _wait(
    worker: subprocess.Popen[bytes], folder: JobFolder, grace: float, stopping: object
) -> bool:
    """Wait for the end; True if it was asked for, unless that is all that the worker does."""
    while True:
        try:
            worker.wait(POLL)
            return False
        except subprocess.TimeoutExpired:
            if folder.asked_to_stop() and not stopping:
                break
    os.killpg(worker.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.wait(grace)
    _kill_group(worker)
    worker.wait()
    return True


def _kill_group(worker: subprocess.Popen[bytes]) -> None:
    """End the worker and the tools that it may have left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)


def _result(folder: JobFolder, exit_code: int, stopped: bool) -> dict[str, object]:
    outcome = folder.read("outcome.json")
    result = {"exit_code": exit_code, "code": "", "message": "", "hint": "", "result": {}}
    if outcome is not None:
        result |= {name: outcome[name] for name in ("code", "message", "hint", "result")}
        return result | {"state": state_of(outcome).value}
    if stopped:
        return result | {"state": "cancelled", "code": "job.stopped", "message": "it was stopped"}
    ended = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    return result | {
        "state": "error",
        "code": "job.died",
        "message": f"the worker ended with {ended} and left no outcome",
        "hint": "the job's log has its last words; then retry",
    }


if __name__ == "__main__":
    supervise(JobFolder(Path(sys.argv[1])), int(sys.argv[2]))
