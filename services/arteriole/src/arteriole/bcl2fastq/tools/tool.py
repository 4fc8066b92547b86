"""What is expected of a tool, wherever it runs, and what is told when it fails."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.jobs.worker import note

NOT_INSTALLED = "not installed"
#: It must have told its version after so many seconds.
VERSION_SECONDS = 60.0
#: So many of its last lines are told, of so many bytes.
LAST_LINES = 5
_LOG_READ = 64 * 1024
#: Killed with -9, and ended by a fault: by themselves, and as a shell or Docker tells it.
_KILLED, _CRASHED = (-9, 137), (-11, 139)


@dataclass(frozen=True, slots=True)
class About:
    """One of Illumina's programs.

    Attributes:
        name: of it and of its converter; its settings are `<converter>_tool`.
        ask: the words to which it answers its version.
        answer: matches the line of that answer, with the version as its only group.
        shown: a version as the answer has it.
        install: what a person is to install, or an image to make, if it is not there.
        writable: folders of a container that it writes to beside /tmp.
    """

    name: str
    converter: str
    ask: tuple[str, ...]
    answer: re.Pattern[str]
    shown: str
    install: str
    writable: tuple[str, ...] = ()

    @property
    def log(self) -> str:
        """The file, beside the FASTQs, with what it says."""
        return f"{self.name}.log"

    @property
    def settings(self) -> str:
        """The key of its settings in the section bcl2fastq."""
        return f"{self.converter}_tool"


class Tool(Protocol):
    """A program that can be run."""

    @property
    def image(self) -> str:
        """That of its container, as an attempt records it; empty without one."""
        ...

    def require(self) -> None:
        """Raises ConversionError or ExecutorError if it is not there; runs nothing for long."""
        ...

    def answer(self, key: str) -> str:
        """What it says when asked its version. Raises ConversionError or ExecutorError."""
        ...

    def run(self, arguments: list[str], request: ConversionRequest) -> None:
        """Run it to its end; what it says goes to its log in the output folder.

        Raises:
            ConversionError: it failed, or took too long.
            ExecutorError: the Docker engine does not do as asked.
        """
        ...

    def end_earlier(self, key: str) -> None:
        """End what still runs with this key."""
        ...


def require_settings(settings: ToolSettings | None, about: About) -> ToolSettings:
    """Raises ConversionError if there are none."""
    if settings is None:
        raise ConversionError(
            f"the converter {about.converter} needs to know which {about.name} it is to run",
            hint=f"name it and its version in bcl2fastq.{about.settings} of arteriole.yaml",
            field=about.settings,
            code="convert.option",
        )
    return settings


def installed(tool: Tool, settings: ToolSettings) -> str:
    """The version that is required, or that it is not installed; nothing else converts."""
    try:
        tool.require()
    except ArterioleError:
        return NOT_INSTALLED
    return settings.version


def of(settings: ToolSettings, about: About) -> Tool:
    """The tool that the settings mean."""
    if settings.sif is not None:
        from arteriole.bcl2fastq.tools.sif import Sif

        return Sif(settings, about, settings.sif)
    if settings.image is None:
        from arteriole.bcl2fastq.tools.program import Program

        return Program(settings, about)
    from arteriole.bcl2fastq.tools.container import Image  # its SDK takes time

    return Image(settings, about, settings.image)


def version_of(answer: str, about: About) -> str:
    """The version in an answer; empty if there is none."""
    found = about.answer.search(answer)
    return found[1] if found else ""


def require_version(answer: str, settings: ToolSettings, about: About) -> str:
    """The version answered, which is the one of the settings. Raises ConversionError."""
    found = version_of(answer, about)
    if found != settings.version:
        said = about.shown.format(found) if found else f"{last(answer, 1)!r}"
        raise ConversionError(
            f"expected {about.name} {about.shown.format(settings.version)};"
            f" {settings.program} says {said}",
            hint=f"install that version, or set {about.settings}.version if another one is meant",
            field=f"{about.settings}.version",
            code="convert.version",
        )
    return found


def require_success(exit_code: int, said: str, about: About) -> None:
    """Raises ConversionError, with its last lines, if it did not end well."""
    if exit_code == 0:
        return
    name = about.name
    hint = f"{name}'s last lines say why; is the run complete, and the sheet right?"
    end = f"{name} ended with {exit_code}"
    if exit_code in _KILLED:
        end = f"{name} was killed ({exit_code}), as what is out of memory is"
        hint = f"give it more memory ({about.settings}.memory_gb, the machine's), or fewer threads"
    elif exit_code in _CRASHED:
        end = f"{name} crashed ({exit_code}), as it does when it is out of memory"
        hint = "give it more memory, or fewer threads; else a file of the run may be damaged"
    raise ConversionError(f"{end}: {last(said)}", hint=hint, code="convert.tool_failed")


def too_slow(seconds: float, about: About) -> ConversionError:
    """Of one that had not ended."""
    return ConversionError(
        f"{about.name} had not ended after {seconds:.0f} s and was stopped",
        hint=f"is the file system slow? else raise {about.settings}.timeout_hours",
        code="tool.timeout",
    )


def show(request: ConversionRequest, about: About) -> None:
    """The end of what it said goes to the job's log, as nothing else stays of what failed."""
    log = request.out_dir / about.log
    if log.is_file():
        note(tail(log))


def tail(log: Path) -> str:
    """The end of a log."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_READ))
        return file.read(_LOG_READ).decode("utf-8", "replace")


def last(said: str, count: int = LAST_LINES) -> str:
    """The last lines of what was said, in one."""
    lines = [" ".join(line.split())[:200] for line in said.splitlines() if line.strip()]
    text = " | ".join(lines[-count:]) or "it said nothing"
    return "".join(c if c.isprintable() else "?" for c in text)
