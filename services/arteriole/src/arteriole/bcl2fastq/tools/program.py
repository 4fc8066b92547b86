"""A tool as a process of this machine."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import IO

from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.tools import tool
from arteriole.bcl2fastq.tools.tool import About


def run(
    command: list[str], seconds: float, output: int | IO[bytes], environment: dict[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """NB: whatever ends this call ends the command too, as does the job's end.

    Raises:
        OSError: it cannot be run.
        subprocess.TimeoutExpired: it had not ended after so many seconds.
    """
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=False,
        close_fds=False,  # what is inheritable is the job's lock, and nothing else
        env=environment,
    )


@dataclass(frozen=True, slots=True)
class Program:
    """Runs in the job's process group, and ends with it."""

    settings: ToolSettings
    about: About
    image = ""

    def require(self) -> None:
        if shutil.which(self.settings.program) is None:
            raise self._missing("there is no such program")
        tool.require_version(self.answer(""), self.settings, self.about)

    def answer(self, key: str) -> str:
        seconds = tool.VERSION_SECONDS
        done = self._call([*self.about.ask], seconds, subprocess.PIPE)
        return done.stdout.decode("utf-8", "replace")

    def run(self, arguments: list[str], request: ConversionRequest) -> None:
        log = request.out_dir / self.about.log
        with log.open("wb") as output:
            done = self._call(arguments, self.settings.timeout_hours * 3600, output)
        tool.require_success(done.returncode, tool.tail(log), self.about)

    def end_earlier(self, key: str) -> None:
        """Nothing: it holds the lock of its job, which has not ended while it runs."""

    def _call(
        self, arguments: list[str], seconds: float, output: int | IO[bytes]
    ) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "LC_ALL": "C"}
        try:
            return run([self.settings.program, *arguments], seconds, output, environment)
        except subprocess.TimeoutExpired as err:
            raise tool.too_slow(seconds, self.about) from err
        except OSError as err:
            raise self._missing(str(err.strerror)) from err

    def _missing(self, reason: str) -> ConversionError:
        return ConversionError(
            f"cannot run {self.settings.program}: {reason}",
            hint=self.about.install,
            field=f"{self.about.settings}.program",
            code="tool.missing",
        )
