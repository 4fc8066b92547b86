"""What is expected of a bcl2fastq, wherever it runs, and what is told when it fails."""

import re
from pathlib import Path
from typing import Protocol

from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.bcl2fastq.tool_settings import ToolSettings

NOT_INSTALLED = "not installed"
#: What bcl2fastq says, kept beside the FASTQs.
LOG = "bcl2fastq.log"
#: It must have told its version after so many seconds.
VERSION_SECONDS = 60.0
#: So many of its last lines are told, of so many bytes.
LAST_LINES = 5
_LOG_READ = 64 * 1024
_VERSION = re.compile(r"^bcl2fastq v(\d[0-9.]{0,40})\s*$", re.MULTILINE)
#: Killed with -9, and ended by a fault: by themselves, and as a shell or Docker tells it.
_KILLED, _CRASHED = (-9, 137), (-11, 139)


class Tool(Protocol):
    """A bcl2fastq that can be run."""

    def require(self) -> None:
        """Raises ConversionError or ExecutorError if it is not there; runs nothing for long."""
        ...

    def answer(self, key: str) -> str:
        """What it says to `--version`. Raises ConversionError or ExecutorError."""
        ...

    def run(self, arguments: list[str], request: ConversionRequest) -> None:
        """Run it to its end; what it says goes to LOG in the output folder.

        Raises:
            ConversionError: it failed, or took too long.
            ExecutorError: the Docker engine does not do as asked.
        """
        ...

    def end_earlier(self, key: str) -> None:
        """End what still runs with this key."""
        ...


def of(settings: ToolSettings) -> Tool:
    """The tool that the settings mean."""
    if settings.image is None:
        from arteriole.bcl2fastq.converters.bcl2fastq.program import Program

        return Program(settings)
    from arteriole.bcl2fastq.converters.bcl2fastq.container import Image  # its SDK takes time

    return Image(settings, settings.image)


def version_of(answer: str) -> str:
    """The version in an answer to `--version`; empty if there is none.

    >>> version_of("BCL to FASTQ file converter\\nbcl2fastq v2.20.0.422\\nCopyright (c) ...\\n")
    '2.20.0.422'
    """
    found = _VERSION.search(answer)
    return found[1] if found else ""


def require_version(answer: str, settings: ToolSettings) -> str:
    """The version answered, which is the one of the settings. Raises ConversionError."""
    found = version_of(answer)
    if found != settings.version:
        said = f"v{found}" if found else f"{_last(answer, 1)!r}"
        raise ConversionError(
            f"expected bcl2fastq v{settings.version}; {settings.program} says {said}",
            hint="install that version, or set bcl2fastq_tool.version if another one is meant",
            field="bcl2fastq_tool.version",
            code="convert.version",
        )
    return found


def require_success(exit_code: int, said: str) -> None:
    """Raises ConversionError, with its last lines, if it did not end well."""
    if exit_code == 0:
        return
    hint = "bcl2fastq's last lines say why; is the run complete, and the sheet right?"
    end = f"bcl2fastq ended with {exit_code}"
    if exit_code in _KILLED:
        end = f"bcl2fastq was killed ({exit_code}), as what is out of memory is"
        hint = "give it more memory (bcl2fastq_tool.memory_gb, the machine's), or fewer threads"
    elif exit_code in _CRASHED:
        end = f"bcl2fastq crashed ({exit_code}), as it does when it is out of memory"
        hint = "give it more memory, or fewer threads; else a file of the run may be damaged"
    raise ConversionError(f"{end}: {_last(said)}", hint=hint, code="convert.tool_failed")


def too_slow(seconds: float) -> ConversionError:
    """Of one that had not ended."""
    return ConversionError(
        f"bcl2fastq had not ended after {seconds:.0f} s and was stopped",
        hint="is the file system slow? else raise bcl2fastq_tool.timeout_hours",
        code="tool.timeout",
    )


def tail(log: Path) -> str:
    """The end of a log."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_READ))
        return file.read(_LOG_READ).decode("utf-8", "replace")


def _last(said: str, count: int = LAST_LINES) -> str:
    lines = [" ".join(line.split())[:200] for line in said.splitlines() if line.strip()]
    text = " | ".join(lines[-count:]) or "it said nothing"
    return "".join(c if c.isprintable() else "?" for c in text)
