"""Python actions that are forked: as if they had been started, whatever dies meanwhile."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from st2solo import fork_server
from st2solo.fork_server import ForkServer
from st2solo.processes import Processes
from st2solo.runners.protocol import Command
from st2solo.runners.python_script import CHILD

#: A variable that makes an action start an interpreter of its own.
_STARTED = {"LC_MEASUREMENT": "C"}

_FACTS = """
def run(self, started=False):
    import __main__, gc, inspect, locale, logging, platform, signal, subprocess, threading
    import warnings
    import beside, shared
    streams = [sys.stdin, sys.stdout, sys.stderr]
    umask = os.umask(0)
    os.umask(umask)
    ids = [os.getpid(), os.getpgrp(), os.getsid(0)]
    return {
        'words': [shared.WORD, beside.WORD],
        'env': {k: v for k, v in os.environ.items()
                if k not in ('LC_MEASUREMENT', 'ST2_ACTION_EXECUTION_ID')},
        'of programs it starts': subprocess.run(
            'env | grep -v EXECUTION_ID | grep -c ^ST2', shell=True, capture_output=True, text=True
        ).stdout,
        'sys': [sys.path, sys.argv, sys.orig_argv, list(sys.flags), sys.executable, sys.prefix],
        'command line': open('/proc/self/cmdline').read().rstrip(chr(0)),
        'folder': os.getcwd(),
        'umask': umask,
        'signals': {str(int(n)): str(signal.getsignal(n)) for n in signal.valid_signals()},
        'mask': [int(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        'wakeup': signal.set_wakeup_fd(-1),
        'leads its session': ids == [os.getpid()] * 3,
        'descriptors': sorted(os.readlink('/proc/self/fd/' + n).split(' ')[0].split('/')[-1]
                              for n in os.listdir('/proc/self/fd') if n in '012')
                       + [n for n in os.listdir('/proc/self/fd')[:-1] if n not in '012'],
        'streams': [[s.encoding, s.errors, s.line_buffering, s.write_through, s.mode, s.fileno(),
                     s.seekable(), s.name, s.newlines] for s in streams],
        'input': sys.stdin.read(),
        'main': {k: str(v) for k, v in vars(__main__).items()
                 if k.startswith('__') and k != '__loader__'},
        'loader': str(type(__main__.__loader__)),
        'locale': [locale.setlocale(locale.LC_CTYPE), locale.getpreferredencoding()],
        'rest': [gc.isenabled(), threading.active_count(), len(logging.root.handlers),
                 sys.gettrace(), platform.python_version(), sys.getrecursionlimit(),
                 'supervisor' in sys.modules, 'fork_server' in sys.modules,
                 [str(f) for f in warnings.filters
                  if 'urllib3' not in str(f) and 'requests' not in str(f)],
                 [frame.filename.split('/')[-1] for frame in inspect.stack()][:3]],
    }
"""

_ENDS = {
    "a text": "sys.exit('gone')",
    "at once": "print('a', end=''); os._exit(3)",
    "a signal": "os.kill(os.getpid(), 15)",
    "killed": "os.kill(os.getpid(), 9)",
    "interrupted": "raise KeyboardInterrupt",
    "an exception": "1 / 0",
    "no Exception": "class Odd(BaseException): pass\n    raise Odd('x')",
    "a broken hook": "sys.excepthook = lambda *_: print('hooked')\n    raise BaseException",
    "at exit": "import atexit; atexit.register(print, 'bye'); return 1",
    "a thread": ("import threading; threading.Timer(0.1, lambda: print('late')).start(); return 1"),
    "open files": "global f; f = open('/dev/stderr', 'w'); f.write('kept'); return 1",
    "a broken pipe": "os.close(1); print('x')",
    "another status": "return 3, 'x'",
}


def _fork_servers() -> list[int]:
    """Those of this very process."""
    own = os.getpid()
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    return [int(pid) for pid in children if "fork_server.py" in _command_line(pid)]


def _command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_text()


def _stopped(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_a_forked_action_is_as_one_that_was_started(engine_over, packs):
    packs.file("demo", "lib/shared.py", "WORD = 'from lib'\n")
    packs.file("demo", "beside.py", "WORD = 'from beside'\n")
    packs.python("demo.act", _FACTS)

    async def body(engine):
        forked = await engine.run("demo.act", env={"A": "b"})
        assert len(_fork_servers()) == 1
        started = await engine.run("demo.act", env={"A": "b", **_STARTED})
        assert forked["result"]["exit_code"] == 0, forked["result"]["stderr"]
        ours, theirs = forked["result"]["result"], started["result"]["result"]
        assert ours["env"]["A"] == "b"
        for name, fact in theirs.items():
            assert ours[name] == fact, name

    engine_over(body)


def test_a_forked_action_ends_as_one_that_was_started(engine_over, packs):
    for number, code in enumerate(_ENDS.values()):
        packs.python(f"demo.act{number}", f"def run(self):\n    print('hello')\n    {code}\n")

    async def body(engine):
        for number, name in enumerate(_ENDS):
            forked, started = await asyncio.gather(
                engine.run(f"demo.act{number}"), engine.run(f"demo.act{number}", env=_STARTED)
            )
            assert (forked["status"], forked["result"]) == (
                started["status"],
                started["result"],
            ), name
        assert len(_fork_servers()) == 1

    engine_over(body)


def test_forked_actions_are_strangers(engine_over, packs):
    """Of one there is nothing in another, nor in the process that both come from."""
    packs.python(
        "demo.act",
        """
        def run(self, word):
            import random, uuid
            os.environ['LEFT'] = word
            json = __import__('json')
            left, json.left = getattr(json, 'left', None), word
            return [left, random.random(), uuid.uuid4().hex, open('/proc/self/environ').read()]
        """,
        {"word": {"type": "string", "secret": True}},
    )

    async def body(engine):
        first = (await engine.run("demo.act", word="s3cret" * 3))["result"]["result"]
        second = (await engine.run("demo.act", word="another"))["result"]["result"]
        assert first[0] is second[0] is None
        assert not set(first[1:3]) & set(second[1:3])
        assert "token-of-ann" not in first[3]
        [server] = _fork_servers()
        memory = _memory(server)
        assert b"python_action" in memory
        assert b"s3cret" * 3 not in memory and b"token-of-ann" not in memory

    engine_over(body)


def _memory(pid):
    found = b""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            words = line.split()
            start, end = (int(part, 16) for part in words[0].split("-"))
            if words[1].startswith("rw"):
                memory.seek(start)
                found += memory.read(end - start)
    return found


OTHERS = {
    "a module of the pack": "lib/uuid.py",
    "a module beside the action": "netrc.py",
    "a package of the pack": "lib/requests/__init__.py",
    "what an interpreter runs first": "lib/sitecustomize.py",
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_pack_has_its_own_module_of_that_name(name, engine_over, packs):
    file = OTHERS[name]
    module = Path(file.removesuffix("/__init__.py")).stem
    packs.file("demo", file, "WORD = 'its own'\n")
    # what an interpreter runs first is there already
    load = "" if module == "sitecustomize" else f"import {module}; "
    packs.python("demo.act", f"def run(self):\n    {load}return sys.modules['{module}'].WORD\n")

    async def body(engine):
        assert (await engine.run("demo.act"))["result"]["result"] == "its own"
        assert len(_fork_servers()) == 1

    engine_over(body)


@pytest.fixture
def counted(packs, tmp_path):
    """An action that writes a line, and waits for a file if it is told to."""
    effects, go = tmp_path / "effects", tmp_path / "go"
    effects.touch()
    packs.python(
        "demo.act",
        f"""
        def run(self, wait=False):
            with open({str(effects)!r}, 'a') as file:
                file.write('begun' + chr(10))
            while wait and not os.path.exists({str(go)!r}):
                time.sleep(0.01)
            return os.getppid()
        """,
        {"wait": {"type": "boolean"}},
    )
    return effects, go


def test_a_fork_server_that_is_killed(engine_over, counted, monkeypatch):
    """What it has forked goes on; actions are started without it, then with another one."""
    effects, go = counted
    monkeypatch.setattr(fork_server, "_REST_SECONDS", 3600.0)

    async def body(engine):
        execution = engine.executions.request("demo.act", {"wait": True}, user="ann")
        await engine.until(effects.read_text)
        [first] = _fork_servers()
        os.kill(first, signal.SIGKILL)
        await engine.until(lambda: not _fork_servers())
        assert (await engine.run("demo.act"))["status"] == "succeeded"
        assert _fork_servers() == []
        go.touch()
        assert (await engine.over(execution["id"]))["status"] == "succeeded"
        later = SimpleNamespace(monotonic=lambda: time.monotonic() + 3600)
        monkeypatch.setattr(fork_server, "time", later)
        assert (await engine.run("demo.act"))["status"] == "succeeded"
        [second] = _fork_servers()
        assert second != first
        assert effects.read_text().split() == ["begun"] * 3

    engine_over(body)


@pytest.mark.parametrize("killed", [False, True])
def test_a_request_that_is_not_answered(killed, engine_over, counted, monkeypatch):
    effects, _ = counted

    async def body(engine):
        await engine.run("demo.act")
        [server] = _fork_servers()
        os.kill(server, signal.SIGSTOP)
        await engine.until(lambda: _stopped(server))
        if not killed:
            monkeypatch.setattr(fork_server, "_PATIENCE_SECONDS", 0.2)
        execution = engine.executions.request("demo.act", {}, user="ann")
        await engine.until(lambda: _status(engine, execution) == "running")
        if killed:
            os.kill(server, signal.SIGKILL)
        assert (await engine.over(execution["id"]))["status"] == "succeeded"
        assert effects.read_text().split() == ["begun"] * 2
        assert _fork_servers() == []

    engine_over(body)


def _status(engine, execution):
    return engine.executions.get(execution["id"])["status"]


def test_canceled_before_its_supervisor_is_there(engine_over, counted):
    async def body(engine):
        await engine.run("demo.act")
        [server] = _fork_servers()
        os.kill(server, signal.SIGSTOP)
        await engine.until(lambda: _stopped(server))
        execution = engine.executions.request("demo.act", {"wait": True}, user="ann")
        await engine.until(lambda: _status(engine, execution) == "running")
        engine.executions.cancel(execution["id"], "ann")
        await engine.until(lambda: _status(engine, execution) == "canceling")
        os.kill(server, signal.SIGCONT)
        assert (await engine.over(execution["id"]))["status"] == "canceled"

    engine_over(body)


def test_out_of_time_with_all_that_it_started(engine_over, packs, tmp_path):
    packs.python(
        "demo.act",
        f"""
        def run(self):
            import subprocess
            process = subprocess.Popen(['sleep', '60'])
            open({str(tmp_path / "pid")!r}, 'w').write(str(process.pid))
            process.wait()
        """,
    )

    packs.python("demo.first", "def run(self):\n    pass\n")

    async def body(engine):
        await engine.run("demo.first")  # then there is a fork server
        done = await engine.run("demo.act", timeout=3)
        assert (done["status"], done["result"]["exit_code"]) == ("timeout", -15)
        assert done["result"]["error"] == "Action failed to complete in 3 seconds"
        started = Path("/proc", (tmp_path / "pid").read_text(), "cmdline")
        await engine.until(lambda: not started.exists() or not started.read_bytes())

    engine_over(body)


def test_a_command_is_supervised_by_a_fork_if_there_is_a_fork_server(engine_over, counted):
    async def body(engine):
        shown = "tr '\\0' ' ' < /proc/$PPID/cmdline; cut -d' ' -f4 /proc/$PPID/stat"
        before = await engine.run("core.local", cmd=shown)
        await engine.run("demo.act")
        [server] = _fork_servers()
        after = await engine.run("core.local", cmd=shown)
        lines = []
        for done in (before, after):
            line, _, parent = done["result"]["stdout"].rpartition(done["id"])
            assert line.startswith("/") and "-I -S /" in line and "supervisor.py /" in line
            lines.append((line, int(parent.strip(" \0"))))
        assert lines[0][0] == lines[1][0]
        assert [parent for _, parent in lines] == [os.getpid(), server]
        assert _command_line(server).rstrip("\0").endswith("fork_server.py")

    engine_over(body)


@pytest.mark.parametrize("wrong", [None, "start", "boot"])
def test_an_orphan_is_killed_only_if_it_is_certainly_that_process(wrong, tmp_path):
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        processes = Processes(tmp_path, 1.0, 2**20)
        started = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        if wrong == "start":
            started = str(int(started) - 1)
        if wrong == "boot":
            boot = "0" + boot[1:] if boot[0] != "0" else "1" + boot[1:]
        processes.make_folder("one")
        (tmp_path / "one" / "action.pid").write_text(f"{process.pid} {started} {boot}")
        processes.kill_orphan("one")
        if wrong is None:
            assert process.wait(120) == -signal.SIGKILL
        else:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.3)
    finally:
        process.kill()
        process.wait()


_OWN = [sys.executable, "-u", str(CHILD / "python_action.py")]
#: A command, and whether it is forked.
COMMANDS = {
    "an action": (Command(_OWN, {}), True),
    "an HTTP request": (Command([*_OWN[:2], str(CHILD / "http_request.py")], {}), True),
    "its own variables": (Command(_OWN, {"PYTHONPATH": "/x", "PATH": "/y", "A": "b"}), True),
    "a pack's own environment": (Command(["/venv/bin/python", *_OWN[1:]], {}), False),
    "another script": (Command([*_OWN[:2], "/pack/x.py"], {}), False),
    "more arguments": (Command([*_OWN, "x"], {}), False),
    "a folder": (Command(_OWN, {}, cwd="/"), False),
    "hashes": (Command(_OWN, {"PYTHONHASHSEED": "0"}), False),
    "a library": (Command(_OWN, {"LD_PRELOAD": "x.so"}), False),
    "a locale": (Command(_OWN, {"LC_ALL": "C"}), False),
    "a language": (Command(_OWN, {"LANG": "sv_SE.UTF-8"}), False),
    "a time zone": (Command(_OWN, {"TZ": "Asia/Tokyo"}), False),
    "another home": (Command(_OWN, {"HOME": "/elsewhere"}), False),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_forked(name):
    command, forked = COMMANDS[name]
    given = {**os.environ, "PYTHONIOENCODING": "utf-8", **command.env}
    assert ForkServer(lambda *_: None).can_fork(replace(command, env=given)) is forked
