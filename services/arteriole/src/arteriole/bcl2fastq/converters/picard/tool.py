"""Where Java and Picard's jars are, which version they are, and one run of them."""

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from arteriole.bcl2fastq.converters.conversion import ConversionError

NOT_INSTALLED = "not installed"
HEAP = "2g"
#: A lane that takes longer than a day, in seconds, is stuck.
TIMEOUT = 24 * 60 * 60
MAIN_CLASS = "picard.cmdline.PicardCommandLine"
#: Debian's package, the official image, and a jar put there by hand.
JARS = tuple(
    map(Path, ("/usr/share/java/picard.jar", "/usr/picard/picard.jar", "/opt/picard/picard.jar"))
)
_HINT = (
    "install Debian's default-jre-headless, picard-tools and libcommons-lang-java, or set"
    " JAVA_HOME and PICARD_JAR"
)
_LARGEST_MANIFEST = 64 * 1024
_LOG_READ = 64 * 1024
_SENTENCE = re.compile(
    r"^(?:Exception in thread \"[^\"]*\" |Caused by: |ERROR: |Error: )(.+)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Picard:
    """An installed Picard."""

    java: Path
    jar: Path

    @staticmethod
    def find(environment: Mapping[str, str] = os.environ) -> "Picard":
        """Java of JAVA_HOME or PATH; the jar of PICARD_JAR or a place where packages put it.

        Raises:
            ConversionError: one of them is not there; says what to install.
        """
        return Picard(_java(environment), _jar(environment))

    @property
    def version(self) -> str:
        """Implementation-Version of the jar's manifest. Raises ConversionError."""
        try:
            with zipfile.ZipFile(self.jar) as jar, jar.open("META-INF/MANIFEST.MF") as manifest:
                text = manifest.read(_LARGEST_MANIFEST).decode("utf-8", "replace")
        except (OSError, KeyError, zipfile.BadZipFile) as err:
            raise ConversionError(
                f"{self.jar} is no Picard jar: {err}", hint=_HINT, code="tool.missing"
            ) from err
        found = re.search(r"^Implementation-Version: *(\S+)", text, re.MULTILINE)
        return found[1] if found else "unknown"

    def command(self, arguments: list[str], scratch: Path) -> list[str]:
        """The command; Java and Picard put temporary files below `scratch`."""
        # Debian's jar names commons-lang in its manifest only since 2.27; CBCL needs it.
        jars = (self.jar, self.jar.with_name("commons-lang.jar"))
        return [
            str(self.java),
            f"-Xmx{HEAP}",
            "-XX:-UsePerfData",
            f"-Djava.io.tmpdir={scratch}",
            "-cp",
            ":".join(str(jar) for jar in jars if jar.is_file()),
            MAIN_CLASS,
            *arguments,
            "--TMP_DIR",
            str(scratch),
        ]


def _java(environment: Mapping[str, str]) -> Path:
    home = environment.get("JAVA_HOME", "")
    if home and (java := Path(home, "bin", "java")).is_file():
        return java
    found = shutil.which("java", path=environment.get("PATH", os.defpath))
    if found is None:
        raise ConversionError(
            "Picard needs Java, and there is no `java`", hint=_HINT, code="tool.missing"
        )
    return Path(found)


def _jar(environment: Mapping[str, str]) -> Path:
    named = environment.get("PICARD_JAR", "")
    for jar in (Path(named),) if named else JARS:
        if jar.is_file():
            return jar
    looked = named or ", ".join(map(str, JARS))
    raise ConversionError(
        f"Picard is not installed: there is no {looked}", hint=_HINT, code="tool.missing"
    )


def run(command: list[str], log: Path, timeout: float = TIMEOUT) -> None:
    """Run Picard in this process group; what it says goes to the file `log`.

    NB: whatever ends this call ends Picard too: a timeout, an exception, or the job's end, which
    kills the process group. Picard inherits the job's lock as other tools do, so that the job
    counts as alive while it runs.

    Raises:
        ConversionError: it cannot be started, failed, or had not ended after `timeout` seconds.
    """
    try:
        with log.open("wb") as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
                close_fds=False,  # what is inheritable is the lock, and nothing else
            )
    except subprocess.TimeoutExpired as err:
        raise ConversionError(
            f"Picard had not ended after {timeout:.0f} s and was stopped", code="tool.timeout"
        ) from err
    except OSError as err:
        raise ConversionError(
            f"cannot run {command[0]}: {err.strerror}", hint=_HINT, code="tool.missing"
        ) from err
    if done.returncode:
        raise ConversionError(
            f"Picard ended with {done.returncode}: {_reason(log)}",
            hint="is the run complete and undamaged? when memory ran out, set"
            " _JAVA_OPTIONS=-Xmx8g and convert again",
            code="convert.picard_failed",
        )


def _reason(log: Path) -> str:
    """The last cause that Java names, else the last line."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_READ))
        text = file.read().decode("utf-8", "replace")
    lines = _SENTENCE.findall(text) or [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it said nothing"
