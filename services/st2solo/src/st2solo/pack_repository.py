"""A pack in a git repository of this machine.

Nothing that stands in the repository is run: no hook, filter or submodule, and no protocol but
git's own between two folders.

Source: st2common/util/pack_management.py of StackStorm 3.9, for how a pack and its revision are
named.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from st2solo.errors import InvalidError
from st2solo.inert import holds_template

_SCHEME = "file://"
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")
_MOST_FILES = 5_000
_MOST_BYTES = 100 * 2**20
_SUBMODULE, _SYMLINK = "160000", "120000"
_GIT = (
    "git",
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.autocrlf=false"),
    *("-c", "protocol.allow=never"),
    *("-c", "protocol.file.allow=always"),
)
_WORDS = 1000


class RepositoryError(InvalidError):
    """The repository holds no pack that can be installed."""


@dataclass(frozen=True)
class Source:
    """A repository, and the branch, tag or commit of it; without one, what its HEAD names."""

    repository: Path
    revision: str | None = None

    def __str__(self) -> str:
        named = f"={self.revision}" if self.revision else ""
        return f"{_SCHEME}{self.repository}{named}"

    @classmethod
    def of(cls, text: str) -> "Source":
        """
        Raises:
            InvalidError: it does not name a repository of this machine.
        """
        address, named, revision = text.partition("=")
        path = address.removeprefix(_SCHEME)
        if not address.startswith(_SCHEME) or not path.startswith("/"):
            raise InvalidError(
                f'"{text}" is not a git repository of this machine, such as'
                " file:///srv/packs/demo or file:///srv/packs/demo=v1.2.0; st2solo fetches nothing"
                " from StackStorm Exchange or another host: clone it, and name the clone"
            )
        if not path.isprintable() or holds_template(path):
            raise InvalidError(f"{text!r} is no path that may be passed on")
        if named and (not _REVISION.fullmatch(revision) or ".." in revision):
            raise InvalidError(f'expected a branch, tag or commit after "=", found "{revision}"')
        return cls(Path(path), revision or None)


@dataclass(frozen=True)
class Fetched:
    """What was fetched: the commit, and what a person should know of it."""

    commit: str
    warnings: list[str]


def fetch(source: Source, to: Path) -> Fetched:
    """Put the files of a commit into the new folder `to`, and let them reach the disk.

    Raises:
        RepositoryError: there is no such repository or revision, it is too large, or has links
            that lead out of it.
    """
    if not source.repository.is_dir():
        raise RepositoryError(f"expected a folder at {source.repository}, found none")
    clone = ("clone", "--quiet", "--no-local", "--no-checkout", "--no-recurse-submodules")
    _git(None, *clone, "--template=", "--", str(source.repository), str(to))
    commit = _commit(to, source)
    warnings = _looked_over(to, commit, source)
    _git(to, "checkout", "--quiet", "--detach", commit)
    shutil.rmtree(to / ".git")
    for path in _files(to):
        if path.is_symlink() and not path.resolve().is_relative_to(to.resolve()):
            raise RepositoryError(f"{path.relative_to(to)} is a link out of the pack")
    _flush(to)
    return Fetched(commit, warnings)


def _git(folder: Path | None, *arguments: str) -> str:
    """What git prints.

    Raises:
        RepositoryError: it fails; with its last words.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    place = () if folder is None else ("-C", str(folder))
    settings = {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            [*_GIT, *place, *arguments],
            env=kept | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except FileNotFoundError as error:
        raise RepositoryError("packs are fetched by git, which is not on this machine") from error
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip()[-_WORDS:]
        raise RepositoryError(f"git {arguments[0]}: {words or f'exit code {done.returncode}'}")
    return done.stdout.decode(errors="surrogateescape")


def _commit(repository: Path, source: Source) -> str:
    for name in _names(source.revision):
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        try:
            return _git(repository, *asked).strip()
        except RepositoryError:
            continue
    if source.revision is None:
        raise RepositoryError(f"{source.repository} has no commit")
    tags = _git(repository, "tag", "--list").split()[:20]
    known = f" Its tags are: {', '.join(tags)}." if tags else ""
    raise RepositoryError(
        f'"{source.revision}" is no branch, tag or commit of {source.repository}.{known}'
    )


def _names(revision: str | None) -> Iterator[str]:
    if revision is None:
        yield "HEAD"
        return
    yield f"refs/remotes/origin/{revision}"
    yield revision
    yield f"refs/tags/v{revision}"


def _looked_over(repository: Path, commit: str, source: Source) -> list[str]:
    """Refuse what is too much before it is written; what is left out is told."""
    listed = _git(repository, "ls-tree", "-r", "-l", "-z", commit)
    entries = [line.split("\t", 1) for line in listed.split("\0") if line]
    if len(entries) > _MOST_FILES:
        raise RepositoryError(f"{source} has {len(entries)} files; at most {_MOST_FILES} are taken")
    size, warnings = 0, []
    for about, name in entries:
        mode, _, _, bytes_ = about.split()
        if mode == _SUBMODULE:
            warnings.append(f"{source}: the submodule {name} is left out")
        elif mode != _SYMLINK:
            size += int(bytes_)
    if size > _MOST_BYTES:
        raise RepositoryError(f"{source} has {size} bytes; at most {_MOST_BYTES} are taken")
    return [text for text in warnings if text.isprintable() and not holds_template(text)]


def _files(folder: Path) -> Iterator[Path]:
    """Everything below a folder; links are not followed."""
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            yield Path(place, name)


def _flush(folder: Path) -> None:
    for path in (folder, *_files(folder)):
        if not path.is_symlink():
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
