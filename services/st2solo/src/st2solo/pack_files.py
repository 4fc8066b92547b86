"""The tasks of packs.install that take long, each in a process of its own.

    python -m st2solo.pack_files

What to do comes as JSON on the standard input: {step, packs, ..., result_path}; what was done goes,
by rename, to the file `result_path`. A task may be done again: it begins anew.
"""

import asyncio
import json
import os
import resource
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semver import Version

from st2solo import packs
from st2solo.environments import Environments
from st2solo.errors import InvalidError, St2SoloError
from st2solo.inert import holds_template
from st2solo.installed_packs import InstalledPack
from st2solo.metadata_file import MetadataError, Problem
from st2solo.pack_repository import RepositoryError, Source, fetch
from st2solo.packs import Pack
from st2solo.runner_types import RUNNER_TYPES

#: The StackStorm whose packs st2solo runs.
STACKSTORM = Version(3, 9, 0)
#: No file that git writes is larger, its own of a repository's history included.
_LARGEST_FILE = 512 * 2**20
_RUNNERS = {name: runner.parameters for name, runner in RUNNER_TYPES.items()}
_COMPARISONS = {"=": "==", "<<": "<", ">>": ">"}


def download(order: dict[str, Any]) -> dict[str, Any]:
    """Clone repositories and check the packs in them; leaves nothing if one is wrong.

    Raises:
        St2SoloError: one cannot be cloned, or holds no pack that can be installed.
    """
    folder, execution = Path(order["folder"]), order["execution"]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove(folder, execution)
    found: dict[str, Pack] = {}
    documents, warnings = [], []
    try:
        for number, text in enumerate(order["packs"]):
            source, name = Source.of(text), f"{execution}.{number}"
            (folder / name).mkdir(mode=0o700)
            fetched = fetch(source, folder / name / "clone")
            pack = _checked(folder / name / "clone", source, order)
            if pack.ref in found:
                raise InvalidError(f'the pack "{pack.ref}" is in {source} and in another')
            installed = InstalledPack.named(pack.ref, name, str(source), fetched.commit)
            (folder / name / "clone").rename(folder / name / pack.ref)
            found[pack.ref] = pack
            documents.append(installed.document())
            warnings += fetched.warnings
        if not order["skip_dependencies"]:
            _require_dependencies(found, order["registered"])
        _flush(folder)
    except BaseException:
        _remove(folder, execution)
        raise
    return {"packs": documents, "warnings": warnings}


def _remove(folder: Path, execution: str) -> None:
    for path in folder.glob(f"{execution}.*"):
        shutil.rmtree(path)


def _flush(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _checked(folder: Path, source: Source, order: dict[str, Any]) -> Pack:
    """The pack, read as registration reads it.

    Raises:
        RepositoryError: it is no pack, or a file of it is wrong.
        InvalidError: it is one that must not be installed here.
    """
    if not (folder / "pack.yaml").is_file():
        raise RepositoryError(f"expected pack.yaml at the root of {source}, found none")
    try:
        pack = packs.read(folder, _RUNNERS)
    except MetadataError as error:
        raise RepositoryError(_told(error.problems, folder, source)) from error
    if pack.problems:
        raise RepositoryError(_told(pack.problems, folder, source))
    place = order["fixed"].get(pack.ref)
    if place is not None:
        raise InvalidError(
            f'the pack "{pack.ref}" of {source} is not installed: {place} is that pack, which'
            " st2solo.yaml names or st2solo brings along"
        )
    wanted = pack.document.get("stackstorm_version")
    if wanted and not order["force"] and not fits(wanted):
        raise InvalidError(
            f'the pack "{pack.ref}" of {source} asks for StackStorm {wanted}; st2solo runs packs'
            f" of {STACKSTORM} (--force installs it nevertheless)"
        )
    return pack


def _told(problems: Iterable[Problem], folder: Path, source: Source) -> str:
    lines = [str(problem).replace(f"{folder}{os.sep}", "") for problem in problems]
    return "\n".join([f"the pack of {source} is not installed:", *lines])


def fits(wanted: str) -> bool:
    """Whether a pack's `stackstorm_version`, such as ">=3.0.0, <4.0.0", takes `STACKSTORM`."""
    for part in filter(None, (part.strip() for part in wanted.split(","))):
        comparison = part[: len(part) - len(part.lstrip("<>="))]
        version = part.removeprefix(comparison).strip()
        try:
            if not STACKSTORM.match(f"{_COMPARISONS.get(comparison, comparison)}{version}"):
                return False
        except ValueError as error:
            raise InvalidError(f"stackstorm_version: {part!r} is none: {error}") from error
    return True


def _require_dependencies(found: dict[str, Pack], registered: list[str]) -> None:
    for pack in found.values():
        for named in pack.document.get("dependencies") or []:
            ref = _ref_in(named)
            if ref not in found and ref not in registered:
                told = "" if holds_template(named) else f", {named}"
                raise InvalidError(
                    f'the pack "{pack.ref}" depends on another that is not here{told}; install'
                    " that first or in the same command (--skip-dependencies installs without it)"
                )


def _ref_in(dependency: str) -> str:
    """The name of a pack in what names one: demo, demo=1.0, https://host/stackstorm-demo.git."""
    name = dependency.partition("=")[0].rstrip("/").rpartition("/")[2]
    return name.removesuffix(".git").removeprefix("stackstorm-").replace("-", "_").lower()


def environments(order: dict[str, Any]) -> dict[str, Any]:
    """Make the Python environments that the packs need.

    Raises:
        PackEnvironmentError: one cannot be made.
    """
    folder = Path(order["folder"])
    own, site = (order[name] and Path(order[name]) for name in ("own", "site"))
    all_of_them = Environments(own, site, installed=folder)
    found = lacking(all_of_them, folder, order)
    for ref, path in found:
        asyncio.run(all_of_them.make(ref, path))
    return {"made": [ref for ref, _ in found]}


def lacking(
    environments: Environments, folder: Path, order: dict[str, Any]
) -> list[tuple[str, Path]]:
    """The packs that need an environment, and where they are."""
    packs = [InstalledPack.of(document) for document in order["packs"]]
    places = [(pack.ref, folder / pack.folder / pack.ref) for pack in packs]
    return [(ref, path) for ref, path in places if environments.lacks(ref, path)]


_STEPS = {"download": download, "environments": environments}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    order = json.loads(sys.stdin.read())
    try:
        done = _STEPS[order["step"]](order)
    except (St2SoloError, OSError) as error:
        sys.exit(str(error))
    result = Path(order["result_path"])
    draft = result.with_name("result.new")
    draft.write_text(json.dumps(done))
    draft.replace(result)


if __name__ == "__main__":
    main()
