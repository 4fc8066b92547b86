"""`python chain_step.py STEPS`: jobs of services, one after the other, and what they cost, as JSON.

STEPS is JSON: `config` (arteriole.yaml), and `steps` as chain.Step has them. A process of its own,
since all processes of the jobs become its children, so that it knows what they used.
"""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
import yaml

#: Linux, prctl(2): whoever loses its parent below this process becomes its child.
PR_SET_CHILD_SUBREAPER = 36
#: A job that is to be killed is so as soon as so much of its bytes is done.
KILLED_AT = 0.3
PATIENCE = 3600.0
POLL = 0.1


class Services:
    """`arteriole serve` of those that are named; they need no token."""

    def __init__(self, config: Path, names: list[str]) -> None:
        self._config, self._names = config, names
        self._settings = yaml.safe_load(config.read_text())
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-c", "from arteriole.cli import main; main()"]
        command += ["--config", str(self._config), "serve", *self._names]
        with self._config.with_name("serve.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        for name in self._names:
            while not self._answers(name):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{name} did not start: see serve.log")
                time.sleep(POLL)

    def _answers(self, name: str) -> bool:
        try:
            self.call(name, "GET", "versions")
        except requests.ConnectionError:
            return False
        return True

    def call(self, name: str, method: str, path: str, **more: Any) -> Any:
        url = f"http://127.0.0.1:{self._settings[name]['port']}/api/1.0/{path}"
        answer = requests.request(method, url, timeout=600, **more)
        if not answer.ok:
            raise SystemExit(f"{method} {url}: {answer.status_code} {answer.text[:1000]}")
        return answer.json()

    def take(self, step: dict[str, Any]) -> dict[str, Any]:
        """`{job, killed_at, seconds}`: the job once it is over; how much of it was done when all
        of it was killed, or None; what it took."""
        name, begun, killed_at = step["service"], time.perf_counter(), None
        job_id = self.call(name, "POST", step["path"], json=step["body"])["job_id"]
        deadline = time.monotonic() + PATIENCE
        while True:
            job = self.call(name, "GET", f"status/{job_id}")
            seconds = round(time.perf_counter() - begun, 1)
            if job["state"] not in ("pending", "started"):
                return {"job": job, "killed_at": killed_at, "seconds": seconds}
            if time.monotonic() > deadline:
                raise SystemExit(f"a job of {name} does not end: {job}")
            if step["kill"] and killed_at is None and (done := _share(job)) >= KILLED_AT:
                killed_at = round(done, 3)
                self._kill(name, job_id)
                self.start()
            time.sleep(POLL)

    def _kill(self, name: str, job_id: int) -> None:
        """kill -9 of the services, and of all that the job has started on this side."""
        self._process.kill()
        self._process.wait()
        lock = Path(self._settings["state_dir"]) / name / "jobs" / str(job_id) / "lock"
        while holders := _holders(lock):
            for pid in holders:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            reap(os.WNOHANG)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


def _share(job: dict[str, Any]) -> float:
    progress = job["progress"]
    return progress["done"] / progress["total"] if progress and progress["total"] else 0.0


def _holders(path: Path) -> list[int]:
    """The processes that have `path` open."""
    found = []
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):  # it ended meanwhile
            if any(link.readlink() == path for link in folder.iterdir()):
                found.append(int(folder.parent.name))
    return found


def reap(options: int) -> None:
    """Wait for children of any kind, so that what they used is counted."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, options) != (0, 0):
            pass


def main(config: Path, steps: list[dict[str, Any]]) -> dict[str, Any]:
    """`{taken, cpu_seconds, peak_memory_mib}`, `taken` of each step."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    services = Services(config, sorted({step["service"] for step in steps}))
    taken = [services.take(step) for step in steps]
    services.end()
    reap(0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "taken": taken,
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_memory_mib": round(used.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    print(json.dumps(main(Path(asked["config"]), asked["steps"])))
