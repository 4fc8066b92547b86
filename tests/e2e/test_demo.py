"""The demo as a person runs it: live on a terminal, and safe to start at the wrong moment."""

import os
import pty
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from demo.machine import ROOT, alone_in, free_ports, missing_tools


def _command(home: Path) -> list[str]:
    return [sys.executable, "-m", "demo.watch", "--once", "--home", str(home)]


def _environment(first_port: int) -> dict[str, str]:
    return {**os.environ, "DEMO_PORTS": str(first_port), "TERM": "xterm", "COLUMNS": "100"}


def _refused(home: Path, first_port: int) -> str:
    (home / "kept").mkdir(parents=True)
    done = subprocess.run(
        _command(home),
        cwd=ROOT,
        env=_environment(first_port),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
    assert (home / "kept").is_dir(), "nothing is removed before it is sure that it can start"
    return done.stdout


def _block() -> int:
    """The first of eleven ports in a row, as the demo takes them, that nobody uses."""
    while True:
        first = free_ports(1)[0]
        with suppress(OSError), ExitStack() as bound:
            for port in range(first, first + 11):
                bound.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


@pytest.mark.parametrize("place", [0, 4, 6, 8])
def test_a_port_in_use_is_named_with_the_setting_to_change(tmp_path, place):
    port = _block() + place
    with socket.create_server(("127.0.0.1", port)):
        told = _refused(tmp_path / "home", port - place)
    assert f"port {port} " in told and "DEMO_PORTS=" in told


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path):
    with alone_in(tmp_path / "home"):
        assert "another one is running" in _refused(tmp_path / "home", _block())


def test_where_a_tool_is_missing_the_demo_fails_and_is_not_skipped():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "demo", "-p", "no:cacheprovider", __file__],
        cwd=ROOT,
        env={**os.environ, "PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "not found on PATH" in done.stdout, done.stdout


@pytest.mark.demo
def test_on_a_terminal_it_shows_a_table_and_ends_with_the_proof():
    if missing := missing_tools():
        pytest.fail(missing)  # who asks for the demo gets no quiet skip
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["make", "demo", "ONCE=1"],
        cwd=ROOT,
        env=_environment(_block()),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
    os.close(ours)
    text = shown.decode("utf-8", "replace")
    print(text[-3000:])
    assert process.wait(60) == 0
    assert all(word in text for word in ("sequencer", "cycle", "HiSeq 4000", "NovaSeq 6000"))
    assert "does not answer" in text and "kill -9" in text
    assert "run.incomplete" in text and "copied again: rsync -a" in text
    assert "truth of the simulated sequencers" in text
    assert text.count("records in") == 3
