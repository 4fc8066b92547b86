"""Commands that code of packs runs by StackStorm's own functions.

Source: st2common/util/shell.py of StackStorm 3.9.
"""

from __future__ import annotations

import shlex
import subprocess

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any


def quote_unix(value: str) -> str:
    """The value as one word of a shell's line."""
    return shlex.quote(value)


def run_command(
    cmd: str | list[str] | tuple[str, ...],
    stdin: Any = None,
    stdout: Any = subprocess.PIPE,
    stderr: Any = subprocess.PIPE,
    shell: bool = False,
    cwd: str | None = None,
    env: dict[str, str] | None = None,
    close_fds: bool | None = None,
) -> tuple[int, str, str]:
    """The exit code of a command, and what it printed."""
    done = subprocess.run(
        cmd,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        shell=shell,
        cwd=cwd,
        env=env or None,
        close_fds=close_fds is not False,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()
