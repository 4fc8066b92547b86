"""The Python environments of packs, each made once from the pack's requirements.

A pack whose requirements st2solo's own environment meets needs none. The others are made below
`<state>/virtualenvs`; that of an installed pack is beside the pack, so that one version of it does
not disturb the other. A site that has some already, such as StackStorm's, names their folder as
`virtualenvs` in st2solo.yaml; nothing is ever written there.
"""

import asyncio
import hashlib
import logging
import os
import shutil
import signal
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from st2solo.errors import St2SoloError
from st2solo.installed_packs import VIRTUALENVS, root_of

_LOG = logging.getLogger(__name__)

#: Written into an environment at its end: the digest of the requirements that it was made from.
_MADE_FROM = ".requirements.sha256"
#: What names the folder of environments for packs' tests.
FOR_TESTS_VARIABLE = "ST2SOLO_TEST_ENVIRONMENTS"
_PATIENCE_SECONDS = 900.0
_WORDS = 1000


class PackEnvironmentError(St2SoloError):
    """The environment of a pack could not be made."""


class Environments:
    """Which Python runs the code of a pack; without folders it is st2solo's own for all.

    `files` are those of a pack that say what it requires; `installed` is the folder of
    `InstalledPacks`.
    """

    def __init__(
        self,
        own: Path | None = None,
        site: Path | None = None,
        files: tuple[str, ...] = ("requirements.txt",),
        installed: Path | None = None,
    ) -> None:
        self.own = own
        self.site = site
        self._files = files
        self._installed = installed

    def python_of(self, pack: str, pack_path: Path) -> Path:
        """The interpreter for that pack's actions and sensors."""
        if self.site is not None:
            found = self.site / pack / "bin" / "python"
            if found.exists():
                return found
        made = self._folder(pack, pack_path)
        if made is None or not (made / _MADE_FROM).exists():
            return Path(sys.executable)
        return made / "bin" / "python"

    def _folder(self, pack: str, pack_path: Path) -> Path | None:
        root = root_of(self._installed, pack_path)
        if root is not None:
            return root / VIRTUALENVS / pack
        return None if self.own is None else self.own / pack

    def lacks(self, pack: str, pack_path: Path) -> bool:
        """Whether an environment is to be made (again) before code of the pack can run."""
        if self.site is not None and (self.site / pack / "bin" / "python").exists():
            return False
        files, folder = self._requirements(pack_path), self._folder(pack, pack_path)
        if folder is None or all(_met(file.read_text()) for file in files):
            return False
        marker = folder / _MADE_FROM
        return not marker.is_file() or marker.read_text() != _digest(files)

    async def make(self, pack: str, pack_path: Path) -> None:
        """Make the environment of a pack.

        Raises:
            PackEnvironmentError: with the last words of pip.
        """
        folder, files = self._folder(pack, pack_path), self._requirements(pack_path)
        assert folder is not None, "a pack lacks an environment only where there is a folder"
        _LOG.info("making the Python environment of the pack %s", pack)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        for argv in (
            [sys.executable, "-m", "venv", str(folder)],
            [*pip, "--disable-pip-version-check", "--no-input", *(f"-r{file}" for file in files)],
        ):
            code, words = await _run(argv)
            if code != 0:
                shutil.rmtree(folder, ignore_errors=True)
                raise PackEnvironmentError(
                    f"the Python environment of the pack {pack} could not be made from"
                    f" {' and '.join(map(str, files))}: {words}"
                )
        _let_see_ours(folder)
        (folder / _MADE_FROM).write_text(_digest(files))

    def _requirements(self, pack_path: Path) -> list[Path]:
        return [pack_path / name for name in self._files if (pack_path / name).is_file()]


def folder_for_tests() -> Path:
    """Where environments for packs' tests are kept from one run to the next."""
    if named := os.environ.get(FOR_TESTS_VARIABLE):
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "st2solo" / "test-environments"


def _let_see_ours(folder: Path) -> None:
    """Behind its own packages it finds st2solo's, as a pack finds StackStorm's there."""
    (packages,) = (folder / "lib").glob("python*/site-packages")
    ours = (sysconfig.get_path("purelib"), str(Path(__file__).parents[1]))
    (packages / "st2solo.pth").write_text("".join(f"{path}\n" for path in ours))


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _met(text: str) -> bool:
    """Whether st2solo's own environment meets every line; what is no plain requirement is unmet."""
    lines = (line.partition(" #")[0].strip() for line in text.splitlines())
    return all(_line_is_met(line) for line in lines if line and not line.startswith("#"))


def _line_is_met(line: str) -> bool:
    try:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate():
            return True
        found = metadata.version(wanted.name)
    except (InvalidRequirement, metadata.PackageNotFoundError):
        return False
    plain = wanted.url is None and not wanted.extras
    return plain and wanted.specifier.contains(found, prereleases=True)


async def _run(argv: list[str]) -> tuple[int, str]:
    """The exit code and the last words of a command that may take long."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _PATIENCE_SECONDS)
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if isinstance(error, TimeoutError):
            return 1, f"not done within {_PATIENCE_SECONDS:.0f} s"
        raise
    return process.returncode or 0, output.decode(errors="replace").strip()[-_WORDS:]
