"""64 clients drain 5,000 ready runs; some die, and the service is killed and started again."""

import random
import sys
import threading
import time
from typing import Any

from tests.chaos.check import Check, CheckError
from tests.drain import Drain, handed_out, write
from tests.landing import Landing

_RUNS, _CLIENTS, _DEATHS = 5_000, 64, 8
_LEASE_SECONDS = 20.0


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The name of the check, and its figures.

    Raises:
        CheckError: a run was done twice, by nobody, or handed out while another had it.
    """
    folder = check.folder / "runfolder_drain"
    landing = Landing(folder, readiness="marker")
    paths = write(landing.directory, _RUNS)
    landing.start()
    try:
        print(f"{_RUNS} run folders are looked at", file=sys.stderr)
        landing.get("runfolders?limit=1")
        drain = Drain(landing.url, paths, _CLIENTS, _DEATHS, _LEASE_SECONDS)
        random.seed(check.seed)
        killer = threading.Thread(target=_kill, args=(landing, drain, random.randrange(_RUNS // 2)))
        killer.start()
        seconds = drain.run()
        killer.join()
        picked_up, expired = handed_out(landing)
    except AssertionError as err:
        raise CheckError([str(err)], str(folder)) from err
    finally:
        landing.kill()
    problems = [f"{path} was done {n} times" for path, n in drain.done.items() if n != 1]
    problems += [
        f"{name} was handed out {n} times, and {expired[name]} leases ran out"
        for name, n in picked_up.items()
        if n != 1 + expired[name]
    ]
    if problems:
        raise CheckError(problems, str(folder))
    figures = {
        "runs": _RUNS,
        "clients": _CLIENTS,
        "clients_that_died": len(drain.abandoned),
        "kills_of_the_service": 1,
        "runs_handed_out_again_after_a_lease": len(expired),
        "seconds": round(seconds, 1),
    }
    return f"runfolder: {_CLIENTS} clients drain {_RUNS:,} ready runs by POST pickup", figures


def _kill(landing: Landing, drain: Drain, after: int) -> None:
    """Kill the service once so many runs are done, and start it again."""
    while len(drain.done) < after:
        time.sleep(0.01)
    landing.kill()
    landing.start()
