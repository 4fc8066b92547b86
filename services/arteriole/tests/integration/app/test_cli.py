"""The command `arteriole` as a process: serve, stop, die, start again, and an operator's day."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys

import pytest
import requests
from click.testing import CliRunner

from arteriole.cli import main
from arteriole.client import Client

from .serving import eventually

COMMAND = [sys.executable, "-m", "arteriole.cli"]
RUN = "200624_M00834_0183_000000000-XXXXX"


class Home:
    """A configuration, its monitored directory, and the service as a process."""

    def __init__(self, folder):
        self.state, self.monitored = folder / "state", folder / "runs"
        self.monitored.mkdir()
        self.config = folder / "arteriole.yaml"
        self.processes = []
        self.write(
            f"state_dir: {self.state}\n"
            "runfolder:\n"
            "  port: 0\n"
            "  readiness: marker\n"
            "  scan_interval: 0.1\n"
            f"  monitored_directories: [{self.monitored}]\n"
        )

    def write(self, text):
        self.config.write_text(text)

    def start(self, *prefix):
        (self.state / "ports.json").unlink(missing_ok=True)
        process = subprocess.Popen(
            [*prefix, *COMMAND, "--config", str(self.config), "serve"],
            env=environment(),
            stderr=subprocess.PIPE,
        )
        self.processes.append(process)
        eventually(lambda: (self.state / "ports.json").exists() or process.poll() is not None)
        assert process.poll() is None, process.stderr.read()
        return process

    def end(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
        return process.returncode, errors.decode()

    def arteriole(self, *arguments, status=0):
        runner = CliRunner(env={**environment(), "COLUMNS": "300"})
        result = runner.invoke(main, ["--config", str(self.config), *arguments])
        assert result.exit_code == status, (result.output, result.exception)
        assert "Traceback" not in result.output
        return result.output

    def bring(self, name=RUN):
        (self.monitored / name).mkdir()
        (self.monitored / name / "RTAComplete.txt").touch()

    def run(self, name=RUN):
        found = {run["name"]: run for run in json.loads(self.arteriole("runs", "--json"))}
        return found.get(name)

    def becomes(self, state, name=RUN):
        eventually(lambda: self.run(name), lambda run: run is not None and run["state"] == state)


def environment():
    return {key: value for key, value in os.environ.items() if not key.startswith("ARTERIOLE_")}


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    home = Home(tmp_path)
    yield home
    for process in home.processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_an_operators_day(home):
    home.bring()
    home.start()
    home.becomes("pending")
    home.bring("later")
    home.becomes("ready", "later")
    assert home.arteriole("adopt", "--all") == f"adopted {RUN}\n"
    home.becomes("ready")
    why = home.arteriole("why", RUN)
    assert f"{RUN} is ready: RTAComplete.txt is there" in why
    assert "is the data safe?  yes, in the run folder only" in why
    assert home.arteriole("hold", RUN, "--reason", "in doubt") == f"{RUN} is held\n"
    assert "it is held: in doubt" in home.arteriole("why", RUN)
    assert home.arteriole("unhold", RUN) == f"{RUN} goes on\n"
    client = Client.find(home.state)
    stages = {"receive": {}, "convert": {"after": ["receive"], "makes_attempt": True}}
    client.post(f"runs/{RUN}/claim", {"by": "ex1", "plan": {"stages": stages}})
    client.post(f"runs/{RUN}/stages/convert/1/begin", {"by": "ex2"})
    body = {"by": "ex2", "state": "failed", "code": "x.y", "message": "[bold]line 7[/bold]"}
    client.post(f"runs/{RUN}/stages/convert/1/end", body)
    assert "convert failed: [bold]line 7[/bold]" in home.arteriole("run", RUN)
    assert f"arteriole retry {RUN}" in home.arteriole("why", RUN)
    assert home.arteriole("retry", RUN) == "tried again: convert\n"
    assert home.arteriole("retry", RUN) == "nothing had failed\n"
    redo = home.arteriole("redo", RUN, "--from", "convert", "--reason", "new sheet")
    assert redo == f"{RUN} goes on from convert as attempt 2\n"
    assert RUN in home.arteriole("runs") and "error" not in home.arteriole("runs")
    assert [s["attempt"] for s in json.loads(home.arteriole("run", RUN, "--json"))["stages"]] == [
        1, 1, 2, 2,
    ]  # fmt: skip


def test_what_is_refused_is_told_in_a_sentence(home):
    home.start()
    for command in (["why", "nope"], ["run", ".."], ["adopt", "a/b"], ["retry", "nope"]):
        output = home.arteriole(*command, status=1)
        assert output.startswith("arteriole: ")


def test_a_hostile_name_is_shown_as_plain_text_and_left_out_of_adopt_all(home):
    names = ["<% st2kv('system.x') %>", "{{ x }}", "; touch x", "[red]x", "a\x1b[31mb"]
    for name in names:
        home.bring(name)
    home.bring()
    home.start()
    home.becomes("pending")
    listing = home.arteriole("runs")
    for name in names[:4]:
        assert name in listing
    assert "\x1b" not in listing and r"a\x1b[31mb" in listing
    assert home.arteriole("adopt", "--all") == f"adopted {RUN}\n"
    assert "rename the folder" in home.arteriole("why", names[0])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_service_that_ends_in_any_way_goes_on_where_it_was(home, number):
    home.bring()
    process = home.start()
    home.becomes("pending")
    home.arteriole("adopt", RUN)
    home.arteriole("hold", RUN, "--reason", "in doubt")
    before = home.run()
    stream = requests.get(
        Client.find(home.state)._url + "/api/1.0/events/stream",
        headers=Client.find(home.state)._headers,
        stream=True,
        timeout=10,
    )
    assert stream.ok
    status, errors = home.end(process, number)
    stream.close()
    assert status == (-9 if number is signal.SIGKILL else 0)
    assert "Traceback" not in errors and "exception" not in errors
    home.start()
    assert home.run() == before


def test_a_port_in_use_is_told_with_the_setting(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        home.write(home.config.read_text().replace("port: 0", f"port: {port}"))
        done = subprocess.run(
            [*COMMAND, "--config", str(home.config), "serve"],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert done.returncode == 1
    assert f"runfolder cannot listen on 127.0.0.1:{port}: the port is in use" in done.stderr
    assert "runfolder.port (ARTERIOLE_RUNFOLDER__PORT)" in done.stderr
    assert "Traceback" not in done.stderr


def test_config_check(home):
    assert home.arteriole("config", "check") == f"{home.config}: good; services: runfolder\n"
    home.write(home.config.read_text() + "  prot: 1\n")
    output = home.arteriole("config", "check", status=1)
    assert output.startswith(f"arteriole: {home.config}:7: runfolder.prot: Extra inputs")


def test_a_service_that_is_not_configured_is_named(home):
    output = home.arteriole("serve", "transfer", status=1)
    assert "'transfer' has no section in the configuration; configured are runfolder" in output


def test_without_a_service_the_commands_say_so(home):
    assert "no running service is known" in home.arteriole("runs", status=1)
    process = home.start()
    home.end(process)
    assert "does not answer" in home.arteriole("runs", status=1)


def test_tokens_are_made_listed_used_and_revoked(home):
    home.start()
    url = json.loads((home.state / "ports.json").read_text())["runfolder"]
    for name in ("admin", "packs"):
        assert (home.state / f"{name}.token").stat().st_mode & 0o777 == 0o600
    token = home.arteriole("token", "create", "ada", "--role", "reader").strip()
    assert home.arteriole("token", "list") == "ada\treader\nadmin\tadmin\npacks\toperator\n"

    def status(method):
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(
            method, f"{url}/api/1.0/runs{'/x/retry' * (method == 'POST')}", headers=headers,
            timeout=10,
        )  # fmt: skip
        return answer.status_code

    assert (status("GET"), status("POST")) == (200, 403)
    assert "has a token already" in home.arteriole("token", "create", "ada", status=1)
    home.arteriole("token", "revoke", "ada")
    assert status("GET") == 401
    assert "ada has no token" in home.arteriole("token", "revoke", "ada", status=1)
    assert "role" in home.arteriole("token", "create", "bob", "--role", "king", status=2)


def test_an_unreadable_folder_disturbs_no_other(home):
    prefix = []
    if os.geteuid() == 0:  # root reads everything unless it gives that up
        if shutil.which("setpriv") is None:
            pytest.skip("root without setpriv cannot make a folder that it may not read")
        prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    home.bring("a_closed")
    (home.monitored / "a_closed").chmod(0)
    home.write(home.config.read_text().replace("readiness: marker", "readiness: evidence"))
    home.start(*prefix)
    home.bring()
    try:
        eventually(
            lambda: home.run("a_closed"),
            lambda run: run is not None and run["verdict"] == "unreachable",
        )
        assert "cannot read" in home.run("a_closed")["why"]["message"]
        eventually(home.run, lambda run: run is not None and "RunInfo.xml" in str(run["why"]))
    finally:
        (home.monitored / "a_closed").chmod(0o700)
    eventually(lambda: home.run("a_closed")["verdict"], lambda verdict: verdict == "incomplete")


def serve_again(home, *names):
    done = subprocess.run(
        [*COMMAND, "--config", str(home.config), "serve", *names],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_second_start_on_the_same_state_is_refused_and_disturbs_nothing(home):
    process = home.start()
    home.bring()
    home.becomes("ready")
    known = (home.state / "ports.json").read_bytes()
    status, said = serve_again(home)  # port 0: the port does not stop it
    assert status == 1
    assert f"{home.state}/runfolder is in use by another arteriole, process {process.pid}" in said
    assert (home.state / "ports.json").read_bytes() == known
    assert home.run()["state"] == "ready"
    home.end(process, signal.SIGKILL)
    home.start()


def test_services_in_processes_of_their_own_know_of_each_other(home):
    roots = f"{{port: 0, run_roots: [{home.monitored}], fastq_root: /f, manifest_root: /m}}"
    home.write(home.config.read_text() + f"checksum: {roots}\n")
    process = subprocess.Popen(
        [*COMMAND, "--config", str(home.config), "serve", "runfolder"],
        env=environment(),
        stderr=subprocess.PIPE,
    )
    home.processes.append(process)
    eventually((home.state / "ports.json").exists)
    other = subprocess.Popen(
        [*COMMAND, "--config", str(home.config), "serve", "checksum"],
        env=environment(),
        stderr=subprocess.PIPE,
    )
    home.processes.append(other)

    def known():
        return sorted(json.loads((home.state / "ports.json").read_text()))

    eventually(known, lambda names: names == ["checksum", "runfolder"])
    home.bring()
    home.becomes("ready")


def test_nothing_to_serve_and_a_state_that_cannot_be_written_are_told(home):
    text = home.config.read_text()
    home.write(f"state_dir: {home.state}\n")
    status, said = serve_again(home)
    assert (status, "no service is configured" in said) == (1, True)
    (home.config.parent / "file").touch()
    home.write(text.replace(str(home.state), str(home.config.parent / "file" / "state")))
    status, said = serve_again(home)
    assert (status, "cannot be written" in said) == (1, True)
