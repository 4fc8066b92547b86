"""A tool as a container of the Docker engine on this machine.

The run folder is mounted where it is, only to read; so is the output folder, to be written to.
There is nothing else, and no network; nothing is pulled.
"""

import contextlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.types import LogConfig, Mount

from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.tools import tool
from arteriole.bcl2fastq.tools.tool import About
from arteriole.jobs.executors.engine import LIVE, UnreachableError, confined, engine, find, remove
from arteriole.jobs.executors.step import ExecutorError
from arteriole.jobs.worker import note

LABEL = "org.arteriole.convert"
POLL_SECONDS = 0.5
#: An engine that is restarted is waited for so long.
PATIENCE = 600.0
#: Of what it says, the engine keeps so much, and we the last lines of it.
_LOG = LogConfig(type="json-file", config={"max-size": "10m", "max-file": "1"})
_LINES = 20_000
#: What docker-init, which starts the program, ends with if it is not there or cannot be run.
_NO_PROGRAM = (126, 127)


@dataclass(frozen=True, slots=True)
class _End:
    exit_code: int
    said: str


@dataclass(slots=True)
class Image:
    """An image with the tool in it.

    NB: a container has the key of its attempt as its name, so the engine never has two of them.
    """

    settings: ToolSettings
    about: About
    image: str  # its name
    _silent_since: float | None = field(default=None, init=False)

    def require(self) -> None:
        with engine(self.settings.engine) as containers:
            containers.client.images.get(self.image)

    def answer(self, key: str) -> str:
        return self._run([*self.about.ask], key, [], tool.VERSION_SECONDS).said

    def run(self, arguments: list[str], request: ConversionRequest) -> None:
        mounts = [_mount(request.run_dir, True), _mount(request.out_dir, False)]
        end = self._run(arguments, request.key, mounts, self.settings.timeout_hours * 3600)
        (request.out_dir / self.about.log).write_text(end.said, encoding="utf-8")
        tool.require_success(end.exit_code, end.said, self.about)

    def end_earlier(self, key: str) -> None:
        with engine(self.settings.engine) as containers:
            if (container := find(containers, key)) is not None:
                note(f"a container of an earlier start is ended: {key}")
                remove(container, grace=0)  # what it has written is thrown away

    def _run(self, arguments: list[str], key: str, mounts: list[Mount], seconds: float) -> _End:
        try:
            self._start(arguments, key, mounts)
            end = self._wait(key, time.monotonic() + seconds, seconds)
        finally:  # NB: a stop (SystemExit) too
            with contextlib.suppress(ExecutorError):
                self._take_away(key)
        if end.exit_code in _NO_PROGRAM:
            raise ConversionError(
                f"the image {self.image} has no {self.settings.program} that can be run",
                hint=f"name its path in the image ({self.about.settings}.program), or make an"
                " image that has it",
                field=f"{self.about.settings}.program",
                code="tool.missing",
            )
        return end

    def _start(self, arguments: list[str], key: str, mounts: list[Mount]) -> None:
        settings = self.settings
        limits = confined(settings.cpus, settings.memory_gb)
        # NB: mode 1777, as the container's user is none that the image knows
        limits["tmpfs"] |= dict.fromkeys(self.about.writable, "mode=1777")
        with engine(settings.engine) as containers:
            containers.create(
                self.image,
                arguments,
                name=key,
                labels={LABEL: key},
                entrypoint=[settings.program],
                environment={"HOME": "/tmp", "LC_ALL": "C"},
                mounts=mounts,
                log_config=_LOG,
                **limits,
            ).start()

    def _wait(self, key: str, deadline: float, seconds: float) -> _End:
        while time.monotonic() < deadline:
            if (end := self._look(key)) is not None:
                return end
            time.sleep(POLL_SECONDS)
        raise tool.too_slow(seconds, self.about)

    def _look(self, key: str) -> _End | None:
        """Its end, or None while there is none; an engine that is silent is waited for."""
        try:
            with engine(self.settings.engine) as containers:
                container = find(containers, key)
                if container is None:
                    raise ConversionError(
                        f"the container of {self.about.name} is gone, and did not end by itself",
                        hint="find out who removes containers on this machine, then retry",
                        code="convert.tool_failed",
                    )
                self._silent_since = None
                state: dict[str, Any] = container.attrs["State"]
                if state["Status"] in LIVE:
                    return None
                said = container.logs(tail=_LINES).decode("utf-8", "replace")
                return _End(_exit_code(state), said)
        except UnreachableError:
            now = time.monotonic()
            if self._silent_since is None:
                self._silent_since = now
            if now - self._silent_since > PATIENCE:
                raise
            return None

    def _take_away(self, key: str) -> None:
        with engine(self.settings.engine) as containers:
            if (container := find(containers, key)) is not None:
                remove(container, grace=0)


def _mount(folder: Path, read_only: bool) -> Mount:
    """NB: a Mount, other than a bind, is refused if there is no such folder, and not made."""
    path = os.fspath(folder)
    return Mount(target=path, source=path, type="bind", read_only=read_only)


def _exit_code(state: dict[str, Any]) -> int:
    """137 too where only a child of it was killed for want of memory."""
    code = int(state["ExitCode"])
    return 137 if state.get("OOMKilled") and code else code
