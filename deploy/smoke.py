"""Takes a tiny simulated run through the whole chain of a running deployment.

smoke.py --landing FOLDER --url http://127.0.0.1:8180 --token-file FILE [--seconds 600]

Exit code 0: the run's stages are done (or, where the services observe, worked out), and the packs'
sensor lives. Otherwise 1, with why the run stands where it stands. Nothing but Python's standard
library and the command `arteriole` is needed.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

#: What `arteriole simulate` is asked for: a few hundred kilobytes.
TINY = ["--kind", "novaseq6000", "--lanes", "1", "--surfaces", "1", "--swaths", "1",
        "--tiles", "1", "--clusters", "200", "--read-cycles", "8", "--samples", "2",
        "--quiet"]  # fmt: skip
#: Stages in which a run stays until something moves it.
ENDED = {"done", "skipped"}


class SmokeError(Exception):
    """The deployment does not do what it is there for."""


class Runfolder:
    """The runfolder service, asked with a token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token

    def get(self, path: str) -> Any:
        """The JSON there; None where there is nothing (404)."""
        request = urllib.request.Request(
            f"{self._url}{path}", headers={"Authorization": f"Bearer {self._token}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as err:
            if err.code == 404:
                return None
            raise SmokeError(f"{self._url}{path} answers {err.code} {err.reason}") from err
        except (OSError, ValueError) as err:
            raise SmokeError(f"{self._url}{path} does not answer: {err}") from err


def sensor_trouble(health: dict[str, Any]) -> str:
    """What is wrong with the heartbeat of the packs' sensor; empty if nothing is."""
    if health.get("sensor_heartbeat") is None:
        return (
            "the packs' sensor was never heard: is the orchestrator running, and has it the token?"
        )
    if health.get("sensor_silent"):
        return f"the packs' sensor is silent since {health['sensor_heartbeat']}"
    return ""


def told(run: dict[str, Any] | None) -> str:
    """Where the run stands and why, for a person."""
    if run is None:
        return "the runfolder service has not seen it: does it watch the folder it was written to?"
    why = run["why"]
    code = f" [{why['code']}]" if why["code"] else ""
    lines = [f"it is {run['standing']}: {why['message']}{code}"]
    lines += [f"  {s['stage']}: {s['state']} {s['code']} {s['message']}" for s in run["stages"]]
    if why.get("hint"):
        lines.append(f"  what to do: {why['hint']}")
    return "\n".join(lines)


def failed(run: dict[str, Any]) -> bool:
    return run["state"] in ("error", "cancelled")


def ended(run: dict[str, Any]) -> bool:
    """Every stage of the newest attempt has ended well."""
    stages = [s for s in run["stages"] if s["attempt"] == run["attempt"]]
    return bool(stages) and all(stage["state"] in ENDED for stage in stages)


def wait(service: Runfolder, name: str, seconds: float, pause: float) -> dict[str, Any]:
    """The run once its stages have ended; the sensor is asked for as long as it takes."""
    deadline = time.monotonic() + seconds
    run, trouble = None, "nothing was asked yet"
    while time.monotonic() < deadline:
        trouble = sensor_trouble(service.get("/health") or {})
        run = service.get(f"/api/1.0/runs/{name}")
        if run is not None and failed(run):
            raise SmokeError(f"{name}: {told(run)}")
        if run is not None and ended(run) and not trouble:
            return dict(run)
        time.sleep(pause)
    raise SmokeError(f"{name} had not ended after {seconds:.0f} s: {trouble or told(run)}"
                     + (f"\n{told(run)}" if trouble else ""))  # fmt: skip


def new_name() -> str:
    """A name that no instrument gives."""
    # NB: of a NovaSeq 6000, whose CopyComplete.txt spares the quiet period of minutes.
    day, number = time.strftime("%y%m%d"), random.randrange(1, 9999)
    return f"{day}_A09999_{number:04}_ASMOKE{random.randrange(16**4):04X}"


def simulate(arteriole: str, landing: Path, name: str, truth: Path) -> None:
    done = subprocess.run(
        [arteriole, "simulate", str(landing), "--run", name, "--truth", str(truth), *TINY],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SmokeError(f"the run could not be written to {landing}: {done.stderr or done.stdout}")


def smoke(arguments: argparse.Namespace) -> str:
    """What was seen; SmokeError if the chain does not work."""
    try:
        token = arguments.token_file.read_text(encoding="utf-8").strip()
    except OSError as err:
        raise SmokeError(f"the token cannot be read: {err}") from err
    service = Runfolder(arguments.url, token)
    if service.get("/health") is None:
        raise SmokeError(f"{arguments.url} is no runfolder service")
    name, begun = new_name(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="arteriole-smoke-", dir=arguments.truth) as truth:
        simulate(arguments.arteriole, arguments.landing, name, Path(truth) / "truth")
    run = wait(service, name, arguments.seconds, arguments.pause)
    stages = ", ".join(f"{s['stage']} {s['state']}" for s in run["stages"])
    return f"{name}: {stages}; the sensor lives; {time.monotonic() - begun:.0f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--landing", type=Path, required=True, help="folder for the run folder")
    parser.add_argument("--url", default="http://127.0.0.1:8180", help="the runfolder service")
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--arteriole", help="the command; by default the one beside this Python")
    parser.add_argument("--truth", default="/tmp", help="folder for what is thrown away")
    parser.add_argument("--seconds", type=float, default=600.0, help="most seconds for it all")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two looks")
    arguments = parser.parse_args()
    beside = Path(sys.executable).with_name("arteriole")
    arguments.arteriole = arguments.arteriole or str(beside if beside.exists() else "arteriole")
    try:
        print(f"smoke test passed: {smoke(arguments)}")
    except SmokeError as err:
        print(f"smoke test failed: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
