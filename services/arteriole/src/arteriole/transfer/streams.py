"""Several rsyncs at once: they begin together, and the first that fails ends the others."""

import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from arteriole.jobs.worker import OUTPUT_LIMIT, Finished, Task, WorkError, note, require_tool
from arteriole.transfer.rsync import bytes_sent

#: Seconds between two looks at the clock.
TICK = 1.0
#: Seconds that an rsync has for keeping what it was sending.
GRACE = 10.0


def run_streams(
    task: Task,
    commands: Sequence[list[str]],
    *,
    deadline: float,
    tell: Callable[[int], None],
    over: Callable[[], bool],
) -> Finished | None:
    """Run the commands to their end.

    Args:
        deadline: as time.monotonic() has it.
        tell: is given the bytes that all have sent so far.
        over: asked every second; True ends them.

    Returns:
        The first that failed, else the last that ended; None if they were ended by `over`.

    Raises:
        WorkError: rsync is missing, or had not ended at the deadline.
    """
    streams: list[_Stream] = []
    with selectors.DefaultSelector() as selector:
        try:
            for command in commands:
                stream = _Stream(task, command)
                streams.append(stream)
                selector.register(stream.output, selectors.EVENT_READ, stream)
            return _follow(selector, streams, deadline, tell, over)
        finally:
            _end(streams)


def _follow(
    selector: selectors.BaseSelector,
    streams: "Sequence[_Stream]",
    deadline: float,
    tell: Callable[[int], None],
    over: Callable[[], bool],
) -> Finished | None:
    looked = time.monotonic()
    finished: Finished | None = None
    while selector.get_map():
        for key, _ in selector.select(TICK):
            stream: _Stream = key.data
            if not stream.read():
                selector.unregister(stream.output)
                finished = stream.finished()
                if finished.exit_code != 0:
                    return finished
        tell(sum(stream.sent for stream in streams))
        now = time.monotonic()
        if now >= deadline:
            raise WorkError(
                f"{streams[0].program} had not ended in time and was stopped", code="tool.timeout"
            )
        if now - looked >= TICK:
            looked = now
            if over():
                return None
    return finished


class _Stream:
    """A running rsync, what it said, and the bytes that it has sent."""

    def __init__(self, task: Task, command: list[str]) -> None:
        self.program = command[0]
        self.sent = 0
        self._kept = self._rest = b""
        require_tool(self.program)
        note(f"+ {json.dumps(command)}")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            pass_fds=task.lock_fds,
        )

    @property
    def output(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def read(self) -> bool:
        """Take what it has said since; False at the end."""
        piece = os.read(self.output, 65536)
        *lines, self._rest = (self._rest + piece).replace(b"\r", b"\n").split(b"\n")
        for line in lines if piece else [*lines, self._rest]:
            self._take(line)
        return bool(piece)

    def _take(self, line: bytes) -> None:
        count = bytes_sent(line.decode("utf-8", "replace"))
        if count is not None:
            self.sent = count
        elif line:
            self._kept = (self._kept + line + b"\n")[-OUTPUT_LIMIT:]

    def finished(self) -> Finished:
        """Its end; it has closed its output."""
        exit_code = self._process.wait()
        text = self._kept.decode("utf-8", "replace")
        note(text.removesuffix("\n"))
        return Finished(exit_code, text)

    def ask_to_end(self) -> None:
        self._process.terminate()

    def end(self, grace: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _end(streams: Sequence[_Stream]) -> None:
    """The other side keeps what it has of each file."""
    for stream in streams:
        stream.ask_to_end()
    deadline = time.monotonic() + GRACE
    for stream in streams:
        stream.end(max(0.0, deadline - time.monotonic()))
