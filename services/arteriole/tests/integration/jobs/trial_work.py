"""The worker of the trial kind: notes that it began, then does as it is told.

`wait` ends when the file `gate` is in its folder; `tool` waits in a tool of its own.
"""

import os
import signal
import sys
import time
from pathlib import Path

from arteriole.jobs.worker import Task, WorkError, main


def work(task: Task) -> dict[str, object]:
    folder = Path(task.parameters["folder"])
    with open(folder / "begun", "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {os.getppid()}\n")
    task.progress(1, 2, "steps")
    match task.parameters["do"]:
        case "fail":
            raise WorkError("the disk is full", code="trial.full", hint="make room")
        case "raise":
            raise ValueError("unexpected")
        case "full":
            with open("/dev/full", "w", encoding="utf-8") as file:
                file.write("x")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "tool":
            waiting = "import os,sys,time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.02)"
            task.command([sys.executable, "-c", waiting, str(folder / "gate")], timeout=60)
        case _:
            while not (folder / "gate").exists():
                time.sleep(0.02)
    task.progress(2, 2, "steps")
    return {"answer": 42}


def observe(task: Task) -> dict[str, object]:
    if task.parameters["do"] == "fail":
        raise WorkError("the disk would be full", code="trial.full", hint="make room")
    return {"do": task.parameters["do"]}


if __name__ == "__main__":
    main(work, observe)
