"""A program of the site that prints the record of one sample."""

import asyncio
import contextlib
import os
import signal
from typing import Any

from arteriole.metadata.errors import SourceError
from arteriole.metadata.record import Entry
from arteriole.metadata.settings import PLACE, CommandSettings
from arteriole.metadata.sources.source import (
    ANSWER_LIMIT,
    AT_ONCE,
    Trouble,
    entry_of,
    read_answer,
)

#: Exit code of a program that does not know the sample; an empty object says the same.
UNKNOWN = 3
#: So much of what it writes to standard error is told, from its end.
LINES_TOLD = 5
ERRORS_KEPT = 4096
#: Seconds for which one that was killed is waited for; a disk that hangs may keep it.
KILLED_WITHIN = 5.0


class CommandSource:
    """Runs a list of arguments, one of them the sample's name, without a shell."""

    kind = "command"

    def __init__(self, name: str, settings: CommandSettings) -> None:
        self.name = name
        self._settings = settings
        self._trouble = Trouble()
        self._turn = asyncio.Semaphore(AT_ONCE)

    @property
    def is_failing(self) -> bool:
        return self._trouble.stands

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "argv": self._settings.argv,
            **self._trouble.document(),
        }

    async def find(self, sample: str) -> Entry | None:
        try:
            async with self._turn:
                found = await self._ask(sample)
        except SourceError as err:
            self._trouble.note(err)
            raise
        self._trouble.stands = False
        return found

    async def _ask(self, sample: str) -> Entry | None:
        code, output, errors = await self._run(sample)
        if code == UNKNOWN:
            return None
        if code != 0:
            told = f": {errors}" if errors else ", and nothing on standard error"
            raise self._error(f"expected exit code 0 or {UNKNOWN}, found {code}{told}")
        values = read_answer(output, self._program)
        return entry_of(values, sample, self._program) if values else None

    async def _run(self, sample: str) -> tuple[int, bytes, str]:
        """Exit code, standard output, and the last lines of standard error."""
        argv = [sample if part == PLACE else part for part in self._settings.argv]
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as err:
            raise self._error(f"it cannot be run: {err.strerror or err}", is_down=True) from err
        assert process.stdout is not None and process.stderr is not None
        try:
            async with asyncio.timeout(self._settings.timeout):
                output, errors, code = await asyncio.gather(
                    self._output(process.stdout), _last_lines(process.stderr), process.wait()
                )
        except TimeoutError as err:
            limit = self._settings.timeout
            text = f"expected an end within {limit:g} s, found none"
            raise self._error(text, is_down=True) from err
        finally:
            await _end(process)
        return code, output, errors

    async def _output(self, stream: asyncio.StreamReader) -> bytes:
        output = b""
        while piece := await stream.read(65536):
            output += piece
            if len(output) > ANSWER_LIMIT:
                raise self._error(f"expected at most {ANSWER_LIMIT} bytes, found more")
        return output

    @property
    def _program(self) -> str:
        return self._settings.argv[0]

    def _error(self, what: str, *, is_down: bool = False) -> SourceError:
        return SourceError(f"{self._program}: {what}", is_down=is_down)


def _environment() -> dict[str, str]:
    """Ours, without what may hold our own tokens and settings."""
    return {name: v for name, v in os.environ.items() if not name.startswith("ARTERIOLE_")}


async def _last_lines(stream: asyncio.StreamReader) -> str:
    kept = b""
    while piece := await stream.read(65536):
        kept = (kept + piece)[-ERRORS_KEPT:]
    lines = kept.decode("utf-8", "replace").strip().splitlines()
    return " / ".join(lines[-LINES_TOLD:])


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill it and all that it started, unless it has ended and its pipes with it."""
    streams = (process.stdout, process.stderr)
    at_end = all(stream is not None and stream.at_eof() for stream in streams)
    if process.returncode is None or not at_end:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    # NB: a process that left the group may hold the pipes; nothing else closes our ends of them
    process._transport.close()  # type: ignore[attr-defined]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILLED_WITHIN):
            await process.wait()
