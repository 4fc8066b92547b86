"""deploy/smoke.py where all is well and where it is not, on real services.

What the packs do is done here, by their token; tests/e2e/test_smoke.py has it with the packs.
"""

import http.server
import json
import shutil
import signal
import subprocess
import sys
import threading

import pytest
import requests

from demo.machine import ROOT, Machine, Ports
from tests.conftest import wait_until


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """A machine whose services run, and whose orchestrator does not."""
    machine = Machine(tmp_path_factory.mktemp("a machine"), Ports.free())
    machine.lay_out()
    machine.start_services()
    yield machine
    machine.stop()


class Packs(threading.Thread):
    """Calls the runfolder service as sensor and actions do, and gives a ready run its `plan`."""

    def __init__(self, machine, *, reconciles=True, plan=None, holds=False):
        super().__init__(daemon=True)
        token = (machine.state / "arteriole" / "packs.token").read_text().strip()
        self.url = machine.url("runfolder") + "/api/1.0/"
        self.headers = {"Authorization": f"Bearer {token}"}
        self.reconciles, self.plan, self.holds = reconciles, plan, holds
        self.end = threading.Event()
        self.claimed = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.join()

    def call(self, method, path, body=None):
        return requests.request(
            method, self.url + path, json=body, headers=self.headers, timeout=10
        ).json()

    def run(self):
        while not self.end.wait(0.05):
            self.call("POST", "heartbeat", {"sensor": "arteria"})
            if self.reconciles:
                for item in self.call("GET", "overdue?grace=0")["overdue"]:
                    if item["what"] == "run_ready" and self.plan is not None:
                        self.claim(item["run"])

    def claim(self, run):
        self.call("POST", f"runs/{run}/claim", {"by": "e1", "plan": {"stages": self.plan}})
        self.claimed.append(run)
        if self.holds:
            stage = f"runs/{run}/stages/account/1/"
            self.call("POST", stage + "begin", {"by": "e2"})
            held = {"by": "e2", "state": "held", "code": "metadata.missing", "message": "of 2"}
            self.call("POST", stage + "end", held)


#: `receive` is done by the claim itself.
RECEIVE = {"receive": {"after": [], "time_limit": 60}}
ACCOUNT = {**RECEIVE, "account": {"after": ["receive"], "time_limit": 60}}


def command(machine, **given):
    words = {
        "what": "services",
        "landing": machine.incoming,
        "url": machine.url("runfolder"),
        "token-file": machine.state / "arteriole" / "admin.token",
        "truth": machine.home,
        "seconds": 30,
        "pause": 0.1,
        **given,
    }
    script = str(ROOT / "deploy" / "smoke.py")
    return [sys.executable, script, *(f"--{name}={value}" for name, value in words.items())]


def smoke(machine, **given):
    return subprocess.run(command(machine, **given), capture_output=True, text=True, check=False)


def simulated(machine):
    return list(machine.incoming.glob("*_A09999_*"))


@pytest.mark.parametrize("what", ["services", "chain"])
def test_without_an_orchestrator_it_fails_and_makes_no_run(services, what):
    done = smoke(services, what=what, seconds=1)
    assert done.returncode == 1
    assert f"smoke test ({what}) failed" in done.stderr
    assert "the packs' sensor was never heard" in done.stderr
    assert not simulated(services)


def test_where_all_is_well_nothing_is_written(services):
    with Packs(services):
        done = smoke(services)
    assert done.returncode == 0, done.stderr
    assert "smoke test (services) passed: 7 services answer, the packs' sensor lives" in done.stdout
    assert not simulated(services)


def test_a_sensor_that_lives_is_not_enough(services):
    with Packs(services):
        smoke(services)
    with Packs(services, reconciles=False):
        done = smoke(services, seconds=1)
    assert done.returncode == 1 and "arteria.reconcile was last heard at 20" in done.stderr
    done = smoke(services, seconds=1)
    assert done.returncode == 1 and "the packs' sensor is silent since 20" in done.stderr


@pytest.mark.parametrize(
    ("archive", "told"),
    [
        ("http://127.0.0.1:9", "127.0.0.1:9/health does not answer"),
        ("http://[::1]:many", "many/health does not answer"),
        (None, "is no archive service"),
    ],
    ids=["down", "no address", "another one"],
)
def test_every_service_has_to_answer(services, tmp_path, archive, told):
    urls = json.loads((services.state / "arteriole" / "ports.json").read_text())
    # one that listens everywhere is asked where the runfolder service is
    everywhere = f"http://0.0.0.0:{services.ports.services['checksum']}"
    six = f"http://[::]:{services.ports.services['transfer']}"
    urls |= {"archive": archive or urls["checksum"], "checksum": everywhere, "transfer": six}
    (tmp_path / "ports.json").write_text(json.dumps(urls))
    with Packs(services):
        done = smoke(services, seconds=1, **{"token-file": tmp_path / "admin.token"})
    assert done.returncode == 1 and told in done.stderr, done.stderr


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"archive": "http://[::"}', '{"archive": 8184}']
)
def test_it_has_to_be_known_where_the_services_are(services, tmp_path, content):
    ports = tmp_path / "ports.json"
    if content is not None:
        ports.write_text(content)
    with Packs(services):
        done = smoke(services, seconds=1, **{"token-file": tmp_path / "admin.token"})
    assert done.returncode == 1 and f"{ports} cannot be read" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


class Figures(http.server.BaseHTTPRequestHandler):
    """Stands for st2solo's /v1/metrics; S/integration/serve/test_operation.py has the real one."""

    problems = 0.0

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"st2solo_registration_problems {self.problems}\n".encode())

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("problems", "before", "told"),
    [
        (0.0, 0, ""),
        (2.0, 0, "(2 problems)"),
        (2.0, 2, ""),
        (3.0, 2, "(3 problems, 2 before the deployment)"),
    ],
)
def test_st2solo_has_to_know_every_file_of_its_packs(services, tmp_path, problems, before, told):
    server = http.server.HTTPServer(("127.0.0.1", 0), type("_", (Figures,), {"problems": problems}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ports = tmp_path / "ports.json"
    ports.write_text(json.dumps({"host": "127.0.0.1", "api": server.server_address[1]}))
    with Packs(services):
        done = smoke(services, **{"st2solo-ports": ports, "problems-before": before})
    noted = smoke(services, what="problems", **{"st2solo-ports": ports})
    server.shutdown()
    server.server_close()
    assert done.returncode == bool(told) and told in done.stderr, done.stderr
    assert ("leaves out files of packs as before" in done.stdout) is bool(problems and not told)
    assert noted.stdout == f"{problems:.0f}\n"


def test_an_st2solo_that_is_not_there_is_told(services, tmp_path):
    with Packs(services):
        done = smoke(services, seconds=1, **{"st2solo-ports": tmp_path / "none.json"})
    assert done.returncode == 1 and "st2solo does not answer" in done.stderr


def test_a_run_goes_through_and_its_folder_is_removed(services, tmp_path):
    samples = tmp_path / "samples.csv"
    samples.write_text("id,name,project,lane,i7,i5\nS9,S9,TEST,,AACCGGTT,ACGTACGT\n")
    with Packs(services, plan=RECEIVE) as packs:
        done = smoke(services, what="chain", samples=samples)
    (name,) = packs.claimed
    assert done.returncode == 0, done.stderr
    assert f"smoke test (chain) passed: {name}: receive done; 7 services" in done.stdout
    assert not simulated(services) and not list(services.home.glob("arteriole-smoke-*"))
    wait_until("it is missed", lambda: services.run(name)["verdict"] == "unreachable")
    assert services.run(name)["state"] == "done"
    alerts = services.api("runfolder", "alerts")["alerts"]
    assert not [alert for alert in alerts if alert["run"] is not None]


def test_a_hold_is_named_before_a_run_is_made(services):
    services.api("runfolder", "holds", "POST", json={"scope": "all", "reason": "new shelves"})
    with Packs(services, plan=RECEIVE):
        done = smoke(services, what="chain")
        services.api("runfolder", "holds/release", "POST", json={"scope": "all"})
    assert done.returncode == 1
    assert "admin holds all runs since 20" in done.stderr and "new shelves" in done.stderr
    assert "arteriole release --all" in done.stderr and "SMOKE=services" in done.stderr
    assert not simulated(services)


def test_a_run_that_waits_for_people_ends_the_test_at_once_and_is_aborted(services):
    with Packs(services, plan=ACCOUNT, holds=True) as packs:
        done = smoke(services, what="chain")
    (name,) = packs.claimed
    assert done.returncode == 1
    assert "account: held metadata.missing of 2" in done.stderr
    assert f"the run is aborted; its folder stays for you to look at: {services.incoming}" in (
        done.stderr
    )
    assert services.run(name)["state"] == "cancelled"
    (folder,) = simulated(services)
    assert folder.name == name


def test_one_that_is_broken_off_leaves_no_run_that_goes_on(services):
    before = set(simulated(services))
    with Packs(services):
        process = subprocess.Popen(command(services, what="chain"), stderr=subprocess.PIPE)
        (folder,) = wait_until("a run", lambda: set(simulated(services)) - before)
        wait_until("it is seen", lambda: services.run(folder.name))
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1 and f"{folder.name}: interrupted" in said.decode()
    assert services.run(folder.name)["state"] == "cancelled"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"url": "http://127.0.0.1:9", "seconds": 1}, "does not answer"),
        ({"token-file": "lost.token"}, "the token cannot be read"),
        ({"landing": "/proc/nowhere"}, "could not be written"),
    ],
    ids=["no service", "no token", "no landing folder"],
)
def test_what_is_missing_is_told(services, given, told):
    if "token-file" in given:
        given = {"token-file": services.state / "arteriole" / given["token-file"]}
    with Packs(services):
        done = smoke(services, what="chain", **given)
    assert done.returncode == 1 and told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_token_is_told_without_it(services, tmp_path):
    (tmp_path / "token").write_text("not-this-one\n")
    shutil.copy(services.state / "arteriole" / "ports.json", tmp_path)
    with Packs(services):
        done = smoke(services, what="chain", **{"token-file": tmp_path / "token"})
    assert done.returncode == 1 and "401" in done.stderr and "not-this-one" not in done.stderr
