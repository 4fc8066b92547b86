"""Forks supervisors, and from those Python actions, so that no interpreter starts for each.

    python -u fork_server.py PADDING        (requests come on descriptor 3, a socket)

What Python actions import is imported once, here; nothing of a pack ever is. A request is the
folder of an execution with two descriptors: its lock, and what to run as `supervisor.py` takes it.
It is answered, by the supervisor itself, with the folder and a pidfd of the supervisor; by this
process with the folder alone, when it cannot fork. This process reads no order: what an action is
given is known to its supervisor and to itself only. It ends when st2solo closes the socket; the
supervisors go on. Linux only, standard library only.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import importlib.machinery
import os
import signal
import socket
import sys
import traceback
import types

import supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

_CHANNEL = 3
_LONGEST_PATH = 4096
#: Scripts that run in a forked process; all others are started as programs.
_SCRIPTS = ("python_action.py", "http_request.py")
#: What the scripts and the packs' actions import, and what a request by HTTP imports late.
_MODULES = (
    "ast",
    "encodings.idna",
    "encodings.latin_1",
    "json",
    "netrc",
    "requests",
    "st2actions.runners.pythonrunner",
    "st2common.runners.base_action",
    "st2common.runners.loading",
    "st2common.runners.service",
    "st2common.runners.utils",
    "st2common.services.datastore",
    "stringprep",
    "traceback",
    "typing",
    "uuid",
)
#: An interpreter looks for them when it starts.
_CUSTOMIZE = frozenset(["sitecustomize", "usercustomize"])
#: What a module's name ends in; a package's is a folder and ends in nothing.
_SUFFIXES = frozenset(["", *importlib.machinery.all_suffixes()])
#: The exit code of an action whose process could not be made ready.
_NOT_BEGUN = 70

_HERE = sys.path.pop(0)
_LIBRARY = _HERE + "/lib"
_PATH = list(sys.path)


class _Begin(BaseException):
    """Unwinds the stack of a supervisor in the process that it has forked for its action."""

    def __init__(self, job: dict[str, Any]) -> None:
        super().__init__()
        self.job = job


class _Forked:
    """An action that was forked, to its supervisor."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _preloaded() -> frozenset[str]:
    """Import what there is of the modules; the names under which no folder is searched any more."""
    sys.path.insert(0, _LIBRARY)
    for name in _MODULES:
        with contextlib.suppress(ImportError):  # an action that needs it says so
            importlib.import_module(name)
    del sys.path[0]
    del sys.modules["supervisor"]
    return _CUSTOMIZE.union(name.partition(".")[0] for name in sys.modules)


def _compiled(name: str) -> types.CodeType:
    path = f"{_HERE}/{name}"
    with open(path, "rb") as file:
        return compile(file.read(), path, "exec")


_PRELOADED = _preloaded()
_CODE = {f"{_HERE}/{name}": _compiled(name) for name in _SCRIPTS}


def _entitle(words: list[str]) -> None:
    """Let ps and /proc show these arguments; it is the memory that the kernel reads them from."""
    with open("/proc/self/stat", "rb") as file:
        start, end = map(int, file.read().rpartition(b")")[2].split()[45:47])
    shown = b"\0".join(os.fsencode(word) for word in words)[: end - start - 1]
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(start)
        memory.write(shown.ljust(end - start, b"\0"))


def _offers_other(folder: str) -> bool:
    """Whether modules in the folder have names of some that are imported here already."""
    try:
        with os.scandir(folder) as entries:
            found = [entry.name.partition(".") for entry in entries]
    except OSError:
        return False
    names = {name for name, dot, suffix in found if dot + suffix in _SUFFIXES}
    return not names.isdisjoint(_PRELOADED)


def _python_path(job: dict[str, Any]) -> list[str]:
    return [part for part in job["env"].get("PYTHONPATH", "").split(os.pathsep) if part]


def _start(job: dict[str, Any], out: IO[bytes], err: IO[bytes]) -> supervisor.Process:
    """Fork the action where that is the same as starting its program."""
    folders = [part for part in _python_path(job) if part != _LIBRARY] + job["imports_from"]
    if not job["forks"] or any(map(_offers_other, folders)):
        return supervisor.execute(job, out, err)
    streams = (supervisor.input_file(job["stdin"]), out.fileno(), err.fileno())
    ready, begun = os.pipe()
    pid = os.fork()
    if pid == 0:
        _leave_supervisor(streams)
        raise _Begin(job)
    os.close(begun)
    os.read(ready, 1)  # until its session is its own, and signals end it
    os.close(ready)
    return _Forked(pid)


def _leave_supervisor(streams: tuple[int, ...]) -> None:
    """What is between a fork and the start of a program: session, signals, streams."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        for target, descriptor in enumerate(streams):
            os.dup2(descriptor, target)
    except BaseException:
        os._exit(_NOT_BEGUN)


def _supervise(channel: socket.socket, folder: str, order: int) -> None:
    os.setsid()
    pidfd = os.pidfd_open(os.getpid())
    _answer(channel, folder, [pidfd])
    os.close(pidfd)
    channel.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(folder + "/supervisor.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    _entitle([sys.orig_argv[0], "-I", "-S", _HERE + "/supervisor.py", folder])
    with os.fdopen(order, encoding="utf-8") as file:
        text = file.read()
    supervisor.supervise(folder, text, _start)


def _answer(channel: socket.socket, folder: str, descriptors: list[int]) -> None:
    """An answer that is lost does no harm: st2solo finds out from the folder."""
    with contextlib.suppress(OSError):
        socket.send_fds(channel, [os.fsencode(folder)], descriptors, socket.MSG_DONTWAIT)


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _serve() -> dict[str, Any]:
    """Serve until st2solo is gone; returns only in the process of an action, with its order."""
    channel = socket.socket(fileno=_CHANNEL)
    signal.signal(signal.SIGCHLD, _reap)
    while True:
        message, descriptors, _, _ = socket.recv_fds(
            channel, _LONGEST_PATH, 2, socket.MSG_CMSG_CLOEXEC
        )
        if not message:
            os._exit(0)
        folder = os.fsdecode(message)
        pid = None
        with contextlib.suppress(OSError):  # too many processes, say
            pid = os.fork() if len(descriptors) == 2 else None
        if pid == 0:
            try:
                _supervise(channel, folder, descriptors[1])
                os._exit(0)
            except _Begin as begin:
                return begin.job
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        for descriptor in descriptors:
            os.close(descriptor)
        if pid is None:
            _answer(channel, folder, [])


def _become(job: dict[str, Any]) -> types.ModuleType:
    """Make this the process that `python -u SCRIPT` would be; the module that the script fills."""
    _, _, script = job["argv"]
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(job["env"])
    sys.path[:] = dict.fromkeys([_HERE, *_python_path(job), *_PATH])
    sys.argv[:] = [script]
    sys.orig_argv[:] = job["argv"]
    _entitle(job["argv"])
    main = types.ModuleType("__main__")
    loader = importlib.machinery.SourceFileLoader("__main__", script)
    main.__dict__.update(
        __file__=script,
        __loader__=loader,
        __builtins__=builtins,
        __cached__=None,
        __annotations__={},
    )
    sys.modules["__main__"] = main
    return main


def _without_this_file(hook: Any) -> Any:
    """An excepthook that tells of an exception as if the script had been started as a program."""

    def told(kind: Any, error: BaseException, trace: types.TracebackType) -> None:
        hook(kind, error.with_traceback(trace.tb_next), trace.tb_next)

    return told


# What is below is at the level of the module, so that an action has nothing of this on its stack.
_SERVER = sys.modules["__main__"]  # else its names were gone with it
_entitle([sys.orig_argv[0], "-u", _HERE + "/fork_server.py"])
gc.collect()
gc.freeze()  # pages that no collection touches stay shared
_MAIN = _become(_serve())
try:
    exec(_CODE[_MAIN.__dict__["__file__"]], _MAIN.__dict__)
except BaseException:
    sys.excepthook = _without_this_file(sys.excepthook)
    raise
