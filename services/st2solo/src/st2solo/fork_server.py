"""The process from which supervisors and Python actions are forked; see child/fork_server.py.

It is started when it is first asked. One that has died, or does not answer, is given up with all
that it was asked for and has not answered: what became of each, its folder tells.
"""

import asyncio
import logging
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from st2solo.runners.protocol import Command, base_environment
from st2solo.runners.python_script import CHILD

_LOG = logging.getLogger(__name__)

_PATIENCE_SECONDS = 20.0
#: After one has died, so long none is started.
_REST_SECONDS = 10.0
_CHANNEL = 3
_LONGEST_PATH = 4096
#: The memory in which its arguments stand, for those of the supervisors and actions.
_PADDING = " " * 2048
_WORDS = 2000
_SCRIPTS = ("python_action.py", "http_request.py")
#: Variables that only the start of an interpreter, or of a program, heeds.
_START_ONLY = re.compile(
    r"(?!PYTHONPATH\Z)(PYTHON|LD_|LC_|MALLOC_|OPENSSL_)|(LANG|LANGUAGE|TZ|HOME|GLIBC_TUNABLES)\Z"
)


class ForkServer:
    """All methods run in the event loop.

    `answered` is called for each request that was sent: with the folder's name and a pidfd of its
    supervisor, or with None where it is not known whether there is one.
    """

    def __init__(self, answered: Callable[[str, int | None], None]) -> None:
        self._answered = answered
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._environment = {**base_environment(), "PYTHONIOENCODING": "utf-8"}
        self._environment.pop("PYTHONPATH", None)
        self._start_only = _start_only(self._environment)
        self._channel: socket.socket | None = None
        self._pid = 0
        self._log = -1
        self._rests_until = 0.0

    def can_fork(self, command: Command) -> bool:
        """Whether a fork is the same as starting the program, as far as its command tells."""
        return (
            command.argv[:2] == [sys.executable, "-u"]
            and command.argv[2:] in ([str(CHILD / script)] for script in _SCRIPTS)
            and command.cwd is None
            and _start_only(command.env) == self._start_only
        )

    @property
    def pid(self) -> int | None:
        """Its process identifier while it runs."""
        return self._pid if self._channel is not None else None

    def ask(self, folder: Path, lock: int, order: int) -> bool:
        """Ask for a supervisor that holds the lock and reads the order.

        Returns:
            Whether the request was sent; what was not sent is not done.
        """
        try:
            if self._channel is None:
                self._start()
            if self._channel is None:
                return False
            socket.send_fds(self._channel, [os.fsencode(folder)], [lock, order])
        except OSError as error:
            _LOG.warning("the fork server cannot be asked: %s", error)
            return False
        self._waiting[folder.name] = asyncio.get_running_loop().call_later(
            _PATIENCE_SECONDS, self._give_up, f"has not answered for {_PATIENCE_SECONDS:.0f} s"
        )
        return True

    def close(self) -> None:
        """End it; supervisors go on, and a request that was not answered is as after a kill."""
        for timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
        self._end()

    def _start(self) -> None:
        if time.monotonic() < self._rests_until:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = os.memfd_create("fork_server.log")
        try:
            self._pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-u", str(CHILD / "fork_server.py"), _PADDING],
                self._environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), _CHANNEL),
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, self._log, 1),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
            )
        except OSError:
            ours.close()
            os.close(self._log)
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        self._channel = ours
        asyncio.get_running_loop().add_reader(ours, self._hear)

    def _hear(self) -> None:
        assert self._channel is not None
        try:
            message, descriptors, _, _ = socket.recv_fds(
                self._channel, _LONGEST_PATH, 1, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if not message:
            self._give_up("has ended")
            return
        name = Path(os.fsdecode(message)).name
        self._waiting.pop(name).cancel()
        self._answered(name, descriptors[0] if descriptors else None)

    def _give_up(self, why: str) -> None:
        words = os.pread(self._log, _WORDS, 0).decode(errors="replace")
        _LOG.warning("the fork server %s; actions are started without it: %s", why, words)
        self._rests_until = time.monotonic() + _REST_SECONDS
        self._end()
        waiting, self._waiting = self._waiting, {}
        for name, timer in waiting.items():
            timer.cancel()
            self._answered(name, None)

    def _end(self) -> None:
        if self._channel is None:
            return
        asyncio.get_running_loop().remove_reader(self._channel)
        self._channel.close()
        self._channel = None
        os.close(self._log)
        os.kill(self._pid, signal.SIGKILL)  # our own child, not waited for: it can be no other
        os.waitpid(self._pid, 0)


def _start_only(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if _START_ONLY.match(name)}
