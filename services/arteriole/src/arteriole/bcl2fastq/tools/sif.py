"""A tool in a SIF image, run by Apptainer as a process of this machine, or of a cluster's node.

It sees the run folder, only to read, and the output folder, each where it is; nothing else of the
machine, and no network but its own loopback. Options are those of `apptainer exec --help` of 1.1
and later; no Apptainer ran here.
"""

import csv
import functools
import hashlib
import io
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from arteriole.bcl2fastq.converters.conversion import ConversionError, ConversionRequest
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.tools import program, tool
from arteriole.bcl2fastq.tools.tool import About

#: What Apptainer itself ends with.
_REFUSED = 255
#: Seconds between asking it to end, and killing it.
GRACE = 10
_PIECE = 1024 * 1024
#: Variables that would give it options, or the container variables, beside the command line.
_OPTIONS = ("APPTAINER", "SINGULARITY")
_KEPT = ("_CACHEDIR", "_TMPDIR")


@dataclass(frozen=True, slots=True)
class Sif:
    """Runs in the job's process group, and ends with it.

    NB: timeout(1) is its parent, which keeps the job's lock for as long as it runs, whatever
    Apptainer does with descriptors that it inherits.
    """

    settings: ToolSettings
    about: About
    path: Path

    @property
    def image(self) -> str:
        return f"sha256:{self.settings.sif_sha256}"

    def require(self) -> None:
        if shutil.which(self.settings.apptainer) is None:
            raise self._missing("there is no such program")
        if not self.path.is_file():
            raise self._other("there is no such file", "put the image there")

    def answer(self, key: str) -> str:
        self._require_pinned()
        done = self._call([*self.about.ask], [], tool.VERSION_SECONDS, subprocess.PIPE)
        said = done.stdout.decode("utf-8", "replace")
        self._require_begun(done.returncode, said)
        return said

    def run(self, arguments: list[str], request: ConversionRequest) -> None:
        self._require_pinned()
        log = request.out_dir / self.about.log
        mounts = [_mount(request.run_dir, "ro"), _mount(request.out_dir, "rw")]
        with log.open("wb") as output:
            done = self._call(arguments, mounts, self.settings.timeout_hours * 3600, output)
        said = tool.tail(log)
        self._require_begun(done.returncode, said)
        tool.require_success(done.returncode, said, self.about)
        self._require_pinned()  # NB: nobody has put another one there meanwhile

    def end_earlier(self, key: str) -> None:
        """Nothing: it holds the lock of its job, which has not ended while it runs."""

    def command(self, arguments: list[str], mounts: list[str]) -> list[str]:
        """What is run; `none` is the only network that Apptainer gives to whoever is not root."""
        settings = self.settings
        limits = [] if settings.cpus is None else ["--cpus", str(settings.cpus)]
        if settings.memory_gb is not None:
            memory = f"{settings.memory_gb}G"
            limits += ["--memory", memory, "--memory-swap", memory]
        return [
            *(settings.apptainer, "exec", "--containall", "--cleanenv", "--no-home", "--no-privs"),
            *("--net", "--network", "none", "--pwd", "/", "--env", "LC_ALL=C"),
            *limits,
            *(word for folder in self.about.writable for word in ("--scratch", folder)),
            *(word for mount in mounts for word in ("--mount", mount)),
            *(str(self.path), settings.program, *arguments),
        ]

    def _call(
        self, arguments: list[str], mounts: list[str], seconds: float, output: int | IO[bytes]
    ) -> subprocess.CompletedProcess[bytes]:
        limit = ["timeout", "--foreground", f"--kill-after={GRACE}", f"{seconds:.3f}"]
        begun = time.monotonic()
        try:
            command = [*limit, *self.command(arguments, mounts)]
            done = program.run(command, seconds + 2 * GRACE, output, _environment())
        except subprocess.TimeoutExpired as err:
            raise tool.too_slow(seconds, self.about) from err
        except OSError as err:
            raise self._missing(str(err.strerror)) from err
        if done.returncode and time.monotonic() - begun >= seconds:
            raise tool.too_slow(seconds, self.about)
        return done

    def _require_pinned(self) -> None:
        """Raises ConversionError unless the image is the one of the settings."""
        try:
            found = _sha256(self.path, *_identity(self.path))
        except OSError as err:
            raise self._other(f"it cannot be read: {err.strerror}", "look at it") from err
        if found != self.settings.sif_sha256:
            raise self._other(
                f"expected the SHA-256 {self.settings.sif_sha256}, found {found}",
                "put the image there that is meant, or name this one's SHA-256 in"
                f" {self.about.settings}.sif_sha256 once its results were accepted",
            )

    def _require_begun(self, exit_code: int, said: str) -> None:
        if exit_code == _REFUSED:
            raise ConversionError(
                f"Apptainer has not run {self.settings.program}: {tool.last(said)}",
                hint="its last lines say why; does the image have the program"
                f" ({self.about.settings}.program), may this user have namespaces, and limits"
                " (cgroups v2), here or on the node?",
                code="apptainer.refused",
            )

    def _missing(self, reason: str) -> ConversionError:
        return ConversionError(
            f"cannot run {self.settings.apptainer}: {reason}",
            hint=f"install Apptainer, or name its path ({self.about.settings}.apptainer)",
            field=f"{self.about.settings}.apptainer",
            code="tool.missing",
        )

    def _other(self, found: str, hint: str) -> ConversionError:
        return ConversionError(
            f"the image {self.path}: {found}",
            hint=hint,
            field=f"{self.about.settings}.sif",
            code="apptainer.image",
        )


def _mount(folder: Path, mode: str) -> str:
    """NB: fields as of CSV, so that a path may have any character."""
    text = io.StringIO()
    fields = ["type=bind", f"source={folder}", f"destination={folder}", mode]
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def _environment() -> dict[str, str]:
    given = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OPTIONS) or name.endswith(_KEPT)
    }
    return {**given, "LC_ALL": "C"}


def _identity(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


@functools.cache
def _sha256(path: Path, *identity: int) -> str:
    """Read once a job, unless the file is another one by then: hence its `identity`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
