"""Looks whether a deployment works: all that runs, or a tiny simulated run through the chain too.

smoke.py --token-file FILE [--url http://127.0.0.1:8180] [--st2solo-ports FILE]
smoke.py --what chain --landing FOLDER --token-file FILE ...
smoke.py --what problems --st2solo-ports FILE

services  Every service that ports.json beside the token names answers, the packs' sensor lives, and
          an action of the packs, which a rule starts each minute, reaches the runfolder service.
          With --st2solo-ports, st2solo has registered every file of its packs, or at least has left
          out no more than --problems-before. Nothing is written.
chain     All that, then a simulated run goes through every stage of the plan, as a run of an
          instrument does: where the services act it is archived, sent and analysed. Its run folder
          is removed at the end.
problems  No test: prints why files of packs are left out, how many reasons, for --problems-before.

Exit code 0 if all is well, otherwise 1, with what is not. Nothing but Python's standard library and
the command `arteriole` is needed.
"""

import argparse
import http.client
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: What `arteriole simulate` is asked for: a few hundred kilobytes.
TINY = ["--kind", "novaseq6000", "--lanes", "1", "--surfaces", "1", "--swaths", "1",
        "--tiles", "1", "--clusters", "200", "--read-cycles", "8", "--quiet"]  # fmt: skip
INSTRUMENT = "A09999"
#: Stages in which a run stays until something moves it.
ENDED = {"done", "skipped"}
#: What a proxy says while nobody is behind it.
NOT_UP = {502, 503, 504}
#: What a service listens on that listens everywhere.
EVERYWHERE = {"0.0.0.0", "::"}
SECONDS = 15.0
WITHOUT_A_RUN = "the test without a run: SMOKE=services (smoke.py --what services)"

# No proxy of the environment stands between the parts of a deployment.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class SmokeError(Exception):
    """The deployment does not do what it is there for."""


class NotUpError(SmokeError):
    """It does not answer, or not yet."""


class Service:
    """A service, asked with a token."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str) -> Any:
        """The JSON there; None where there is nothing (404)."""
        return self._ask(path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._ask(path, json.dumps(body).encode())

    def _ask(self, path: str, data: bytes | None) -> Any:
        headers = {**self._headers, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers)
        try:
            with _OPENER.open(request, timeout=SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as err:
            if err.code == 404:
                return None
            kind = NotUpError if err.code in NOT_UP else SmokeError
            raise kind(f"{self.url}{path} answers {err.code} {err.reason}") from err
        except (OSError, ValueError, http.client.HTTPException) as err:
            raise NotUpError(f"{self.url}{path} does not answer: {err}") from err


class Deployment:
    """What runs: the services, the packs' sensor, and the orchestrator as these see it."""

    def __init__(
        self, url: str, ports: Path, st2solo_ports: Path | None, problems_before: int
    ) -> None:
        self._runfolder = Service(url)
        self._ports = ports
        self._st2solo_ports = st2solo_ports
        self._problems_before = problems_before
        self._before: dict[str, Any] | None = None
        #: Those that answer, and how they are.
        self.standing: dict[str, str] = {}
        #: Why st2solo has left out files of its packs, how many reasons.
        self.problems = 0

    def trouble(self) -> str:
        """The first thing that is not well; empty once all is.

        Raises:
            SmokeError: it will not get well by itself.
        """
        try:
            health = self._health("runfolder", self._runfolder)
            for name, service in self._others().items():
                self._health(name, service)
            if self._st2solo_ports is not None:
                self.problems = registration_problems(self._st2solo_ports)
                require_registered(self.problems, self._problems_before)
        except NotUpError as err:
            return str(err)
        if self._before is None:
            self._before = health
        return sensor_trouble(health, self._before)

    def _health(self, name: str, service: Service) -> dict[str, Any]:
        health = service.get("/health")
        if not isinstance(health, dict) or health.get("service") != name:
            raise SmokeError(f"{service.url} is no {name} service")
        self.standing[name] = str(health.get("status"))
        return health

    def _others(self) -> dict[str, Service]:
        """All but the runfolder service."""
        try:
            urls: dict[str, str] = json.loads(self._ports.read_text(encoding="utf-8"))
            places = {name: urlsplit(url) for name, url in urls.items() if name != "runfolder"}
            here = urlsplit(self._runfolder.url).hostname or ""
            return {
                name: Service(
                    f"http://{bracketed(here)}:{place.port}"
                    if place.hostname in EVERYWHERE
                    else urls[name]
                )
                for name, place in places.items()
            }
        except (OSError, ValueError, AttributeError, TypeError) as err:
            raise NotUpError(f"{self._ports} cannot be read: {err}") from err


def sensor_trouble(health: dict[str, Any], before: dict[str, Any]) -> str:
    """What is wrong with what the packs do; empty if it went on since `before`."""
    beat, looked = health.get("sensor_heartbeat"), health.get("reconciled")
    if beat is None:
        return (
            "the packs' sensor was never heard: is the orchestrator running, and has it the token?"
        )
    if health.get("sensor_silent") or beat == before.get("sensor_heartbeat"):
        return f"the packs' sensor is silent since {beat}"
    if looked is None or looked == before.get("reconciled"):
        return (
            f"the packs' action arteria.reconcile was last heard at {looked or 'no time'}, though"
            " a rule starts it each minute: do rules and actions run, and are the packs registered?"
        )
    return ""


def bracketed(host: str) -> str:
    """As it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def registration_problems(ports: Path) -> int:
    """Why st2solo has left out files of its packs, how many reasons; `ports` is its ports.json."""
    try:
        place = json.loads(ports.read_text(encoding="utf-8"))
        url = f"http://{bracketed(place['host'])}:{place['api']}/v1/metrics"
        with _OPENER.open(url, timeout=SECONDS) as answer:
            words = dict(line.split(" ", 1) for line in answer.read().decode().splitlines() if line)
        return int(float(words["st2solo_registration_problems"]))
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as err:
        raise NotUpError(f"st2solo does not answer: {err}") from err


def require_registered(problems: int, before: int) -> None:
    """SmokeError if st2solo has left out more of its packs than before."""
    if problems > before:
        earlier = f", {before} before the deployment" if before else ""
        raise SmokeError(
            f"st2solo has not registered every file of its packs ({problems} problems{earlier}):"
            " its log tells them, and so does `st2solo doctor`"
        )


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


def newest(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The stages of its newest attempt."""
    return [stage for stage in run["stages"] if stage["attempt"] == run["attempt"]]


def stands(run: dict[str, Any]) -> bool:
    """It has failed, or waits for a person or for something from outside."""
    held = run["held"] or any(stage["state"] == "held" for stage in newest(run))
    return bool(held) or run["state"] in ("error", "cancelled")


def ended(run: dict[str, Any]) -> bool:
    """Every stage of the newest attempt has ended well."""
    stages = newest(run)
    return bool(stages) and all(stage["state"] in ENDED for stage in stages)


def require_unheld(service: Service) -> None:
    """SmokeError if a hold keeps every run, or those of the simulated instrument."""
    for hold in service.get("/api/1.0/holds")["holds"]:
        if hold["scope"] == "all" or (hold["scope"], hold["name"]) == ("instrument", INSTRUMENT):
            of = "--all" if hold["scope"] == "all" else f"--instrument {INSTRUMENT}"
            raise SmokeError(
                f"{hold['by']} holds all runs since {hold['since']}: {hold['reason']}\n"
                f"  what to do: arteriole release {of}; or {WITHOUT_A_RUN}"
            )


def until(look: Callable[[], str], deadline: float, pause: float, what: str) -> None:
    """Ask `look` until it finds nothing wrong; SmokeError with what it told last."""
    while trouble := look():
        if time.monotonic() + pause > deadline:
            raise SmokeError(f"{what}: {trouble}")
        time.sleep(pause)


def new_name() -> str:
    """A name that no instrument gives."""
    # NB: of a NovaSeq 6000, whose CopyComplete.txt spares the quiet period of minutes.
    day, number = time.strftime("%y%m%d"), random.randrange(1, 9999)
    return f"{day}_{INSTRUMENT}_{number:04}_ASMOKE{random.randrange(16**4):04X}"


class Chain:
    """A simulated run, from its first file to the end of its last stage."""

    def __init__(self, service: Service, landing: Path) -> None:
        self._service = service
        self.name = new_name()
        self.folder = landing / self.name
        self.run: dict[str, Any] | None = None

    def simulate(self, arteriole: str, truth: Path, samples: str) -> None:
        done = subprocess.run(
            [arteriole, "simulate", str(self.folder.parent), "--run", self.name, "--truth",
             str(truth), *TINY, "--samples", samples],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            said = done.stderr or done.stdout
            raise SmokeError(f"the run could not be written to {self.folder.parent}: {said}")

    def trouble(self) -> str:
        """Why its stages have not ended yet; SmokeError if they will not."""
        try:
            self.run = self._service.get(f"/api/1.0/runs/{self.name}")
        except NotUpError as err:
            return str(err)
        if self.run is not None and stands(self.run):
            raise SmokeError(f"{self.name}: {told(self.run)}")
        return "" if self.run is not None and ended(self.run) else told(self.run)

    def stop(self) -> str:
        """Keep the chain from going on with it, and say how: what is told of a run that failed."""
        path, reason = f"/api/1.0/runs/{self.name}/abort", "the smoke test has failed"
        try:
            aborted = self._service.post(path, {"reason": reason}) is not None
        except SmokeError:  # it is done, or nobody answers
            aborted = False
        if aborted:
            return f"the run is aborted; its folder stays for you to look at: {self.folder}"
        return self.remove() or "its run folder is removed again"

    def remove(self) -> str:
        """Remove its run folder; what is told if that cannot be done."""
        try:
            shutil.rmtree(self.folder)
        except FileNotFoundError:
            return ""
        except OSError as err:
            return f"its run folder {self.folder} could not be removed: {err}"
        return ""


def whole_chain(arguments: argparse.Namespace, deadline: float) -> str:
    """What was seen of a simulated run; SmokeError if it does not come through."""
    try:
        token = arguments.token_file.read_text(encoding="utf-8").strip()
    except OSError as err:
        raise SmokeError(f"the token cannot be read: {err}") from err
    service = Service(arguments.url, token)
    require_unheld(service)
    chain = Chain(service, arguments.landing)
    try:
        with tempfile.TemporaryDirectory(prefix="arteriole-smoke-", dir=arguments.truth) as truth:
            chain.simulate(arguments.arteriole, Path(truth) / "truth", arguments.samples)
        until(chain.trouble, deadline, arguments.pause, f"{chain.name} has not come to its end")
    except (SmokeError, KeyboardInterrupt) as err:
        why = str(err) or f"{chain.name}: interrupted"
        raise SmokeError(f"{why}\n  {chain.stop()}\n  or {WITHOUT_A_RUN}") from err
    stages = ", ".join(f"{s['stage']} {s['state']}" for s in (chain.run or {})["stages"])
    left = chain.remove()
    return f"{chain.name}: {stages}; " + (f"{left}; " if left else "")


def smoke(arguments: argparse.Namespace) -> str:
    """What was seen; SmokeError if the deployment does not work."""
    begun = time.monotonic()
    deadline = begun + arguments.seconds
    deployment = Deployment(
        arguments.url,
        arguments.token_file.with_name("ports.json"),
        arguments.st2solo_ports,
        arguments.problems_before,
    )
    until(deployment.trouble, deadline, arguments.pause, "not all is well")
    seen = whole_chain(arguments, deadline) if arguments.what == "chain" else ""
    unwell = [f"{name} is {how}" for name, how in deployment.standing.items() if how != "ok"]
    services = f"{len(deployment.standing)} services answer"
    services += f" ({', '.join(unwell)}: look at /health)" if unwell else ""
    if deployment.problems:
        services += (
            f", st2solo leaves out files of packs as before ({deployment.problems} problems)"
        )
    seconds = f"{time.monotonic() - begun:.0f} s"
    return f"{seen}{services}, the packs' sensor lives, their actions run; {seconds}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--what", choices=("services", "chain", "problems"), default="services")
    parser.add_argument("--url", default="http://127.0.0.1:8180", help="the runfolder service")
    parser.add_argument("--token-file", type=Path,
                        help="an administrator's; ports.json is beside it")  # fmt: skip
    parser.add_argument("--st2solo-ports", type=Path, help="ports.json of st2solo")
    parser.add_argument("--problems-before", type=int, default=0, help="what --what problems said")
    parser.add_argument("--landing", type=Path, help="folder for the run folder of the chain")
    parser.add_argument("--samples", default="2", help="as `arteriole simulate --samples`")
    parser.add_argument("--arteriole", help="the command; by default the one beside this Python")
    parser.add_argument("--truth", default="/tmp", help="folder for what is thrown away")
    parser.add_argument("--seconds", type=float, default=600.0, help="most seconds for it all")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two looks")
    arguments = parser.parse_args()
    if arguments.what == "chain" and arguments.landing is None:
        parser.error("--what chain needs --landing")
    needed = "st2solo_ports" if arguments.what == "problems" else "token_file"
    if getattr(arguments, needed) is None:
        parser.error(f"--what {arguments.what} needs --{needed.replace('_', '-')}")
    beside = Path(sys.executable).with_name("arteriole")
    arguments.arteriole = arguments.arteriole or str(beside if beside.exists() else "arteriole")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if arguments.what == "problems":
            print(registration_problems(arguments.st2solo_ports))
            return 0
        print(f"smoke test ({arguments.what}) passed: {smoke(arguments)}")
    except (SmokeError, KeyboardInterrupt) as err:
        print(f"smoke test ({arguments.what}) failed: {str(err) or 'interrupted'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
