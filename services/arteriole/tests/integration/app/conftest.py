"""A configuration, its monitored directory, and the command `arteriole` over them."""

import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from arteriole.cli import main

from .serving import DEADLINE, eventually

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
            "mode: act\n"
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
        _, errors = process.communicate(timeout=DEADLINE)
        return process.returncode, errors.decode()

    def arteriole(self, *arguments, status=0, columns=300):
        runner = CliRunner(env={**environment(), "COLUMNS": str(columns)})
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
