"""Runs a program of the site's, without a shell, and reads what it prints."""

import asyncio
import contextlib
import os
import signal

#: So many lines of what it writes to standard error are told, from its end.
LINES_TOLD = 5
ERRORS_KEPT = 4096
#: Seconds for which one that was killed is waited for; a disk that hangs may keep it.
KILLED_WITHIN = 5.0


class ProgramError(Exception):
    """It gave no usable answer; `is_down` says that it could not be run, or did not end."""

    def __init__(self, message: str, *, is_down: bool = False) -> None:
        super().__init__(message)
        self.is_down = is_down


async def answer(argv: list[str], timeout: float, limit: int) -> tuple[int, bytes, str]:
    """Exit code, standard output, and the last lines of standard error.

    It has no standard input, and of our environment nothing that may hold our tokens. When the
    time is over it is killed with all that it started.

    Args:
        timeout: in seconds.
        limit: bytes that it may print.

    Raises:
        ProgramError: it cannot be run, does not end in time, or prints more.
    """
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
        raise ProgramError(f"it cannot be run: {err.strerror or err}", is_down=True) from err
    assert process.stdout is not None and process.stderr is not None
    try:
        async with asyncio.timeout(timeout):
            output, errors, code = await asyncio.gather(
                _output(process.stdout, limit), _last_lines(process.stderr), process.wait()
            )
    except TimeoutError as err:
        text = f"expected an end within {timeout:g} s, found none"
        raise ProgramError(text, is_down=True) from err
    finally:
        await _end(process)
    return code, output, errors


def _environment() -> dict[str, str]:
    return {name: v for name, v in os.environ.items() if not name.startswith("ARTERIOLE_")}


async def _output(stream: asyncio.StreamReader, limit: int) -> bytes:
    output = b""
    while piece := await stream.read(65536):
        output += piece
        if len(output) > limit:
            raise ProgramError(f"expected at most {limit} bytes, found more")
    return output


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
