"""The command `arteriole` as a process: serve, stop, die, start again."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import click
import pytest
import requests

from arteriole.cli import COMMANDS, main
from arteriole.client import Client

from .conftest import COMMAND, RUN, environment
from .serving import DEADLINE, eventually


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
        timeout=DEADLINE,
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
            timeout=DEADLINE,
            check=False,
        )
    assert done.returncode == 1
    assert f"runfolder cannot listen on 127.0.0.1:{port}: the port is in use" in done.stderr
    assert "runfolder.port (ARTERIOLE_RUNFOLDER__PORT)" in done.stderr
    assert "Traceback" not in done.stderr


def test_config_check(home):
    assert (
        home.arteriole("config", "check")
        == f"{home.config}: good; mode: act; services: runfolder\n"
    )
    home.write(home.config.read_text() + "  prot: 1\n")
    output = home.arteriole("config", "check", status=1)
    assert output.startswith(
        f"arteriole: {home.config}:8: runfolder.prot: there is no such key; is port meant?"
    )
    home.write(f"state_dir: {home.state}\n")
    assert home.arteriole("config", "check").endswith("services: none (none has a section)\n")
    roots = f"run_roots: [{home.monitored}], fastq_root: /f, manifest_root: /m"
    home.write(
        f"state_dir: {home.state}\nchecksum: {{port: 8184, {roots}}}\narchive: {{{roots}}}\n"
    )
    told = (
        f"arteriole: {home.config}:3: archive.port: expected a port of its own, found 8184,"
        f" which checksum has too (checksum.port: {home.config}:2)"
    )
    assert home.arteriole("config", "check", status=1).startswith(told)


def test_config_check_notes_folders_that_nobody_makes(home):
    absent = home.monitored / "absent"
    more = f"run_roots: [{absent}], fastq_root: /f, manifest_root: /m"
    more += f", destinations: {{vault: {{directory: {home.monitored}/vault}}}}"
    home.write(
        f"{home.config.read_text()}  - {absent}\narchive: {{{more}}}\n".replace(
            f"monitored_directories: [{home.monitored}]\n",
            f"monitored_directories:\n  - {home.monitored}\n",
        )
    )
    assert home.arteriole("config", "check").splitlines()[1:] == [
        f"  note: {absent} is no folder here, or not yet: runfolder.monitored_directories,"
        " archive.run_roots",
        "  note: /f is no folder here, or not yet: archive.fastq_root",
        f"  note: {home.monitored}/vault is no folder here, or not yet:"
        " archive.destinations.vault.directory",
        f"  note: {home.monitored} of runfolder.monitored_directories is none of archive.run_roots,"
        " so its runs are not found there",
    ]


def test_a_service_that_is_not_configured_is_named(home):
    output = home.arteriole("serve", "transfer", status=1)
    assert "'transfer' has no section in the configuration; configured are runfolder" in output


GROUPS = [name for name in COMMANDS if isinstance(main.get_command(None, name), click.Group)]


@pytest.mark.parametrize("words", [[], *([name] for name in GROUPS)], ids=" ".join)
def test_what_each_command_is_for_is_told_to_its_end(home, words):
    _, _, listed = home.arteriole(*words, "--help", columns=80).partition("\nCommands:\n")
    assert listed and "...\n" not in listed


def test_a_run_is_called_so_where_one_is_missing(home):
    for name in ("run", "why", "retry", "redo", "waive", "restore", "clean", "log", "steps"):
        assert "Missing argument 'RUN'" in home.arteriole(name, status=2)


def test_without_a_service_the_commands_say_so(home):
    ports = home.state / "ports.json"
    told = f"no running service runfolder is known: {ports}: No such file or directory"
    assert told in home.arteriole("runs", status=1)
    ports.parent.mkdir(parents=True, exist_ok=True)
    ports.write_text("{}")
    told = f"no running service runfolder is known: {ports}: it names no such service"
    assert told in home.arteriole("runs", status=1)
    process = home.start()
    home.end(process)
    assert "does not answer" in home.arteriole("runs", status=1)


class _Another(BaseHTTPRequestHandler):
    """A program whose refusals are JSON of its own."""

    def do_GET(self):
        self.send_response(404)
        self.end_headers()
        self.wfile.write(b'{"error": "no such page"}')

    def log_message(self, *_):
        pass


def test_what_is_no_service_is_told_by_its_address(home, monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), _Another) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("ARTERIOLE_URL", url)
        told = home.arteriole("runs", status=1)
        server.shutdown()
    assert f"{url} answers HTTP 404, not as an Arteriole service does" in told


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
            timeout=DEADLINE,
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
    settled = "readiness: evidence\n  settle_seconds: 0.2"
    home.write(home.config.read_text().replace("readiness: marker", settled))
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
        timeout=DEADLINE,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_second_start_on_the_same_state_is_refused_and_disturbs_nothing(home):
    home.bring()
    process = home.start()
    home.becomes("pending")
    known = (home.state / "ports.json").read_bytes()
    status, said = serve_again(home)  # port 0: the port does not stop it
    assert status == 1
    assert f"{home.state}/runfolder is in use by another arteriole, process {process.pid}" in said
    assert (home.state / "ports.json").read_bytes() == known
    assert home.run()["state"] == "pending"
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
    eventually(home.run)
    home.end(other)
    home.end(process)
    home.write(home.config.read_text().partition("checksum:")[0])
    again = subprocess.Popen([*COMMAND, "--config", str(home.config), "serve"], env=environment())
    home.processes.append(again)
    eventually(known, lambda names: names == ["runfolder"])  # one without a section is forgotten


def test_nothing_to_serve_and_a_state_that_cannot_be_written_are_told(home):
    text = home.config.read_text()
    home.write(f"state_dir: {home.state}\n")
    status, said = serve_again(home)
    assert (status, "no service is configured" in said) == (1, True)
    (home.config.parent / "file").touch()
    home.write(text.replace(str(home.state), str(home.config.parent / "file" / "state")))
    status, said = serve_again(home)
    assert (status, "cannot be written" in said) == (1, True)
