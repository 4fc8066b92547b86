"""Copies a state folder while it is in use: stores by SQLite's own backup, the rest file by file.

backup.py STATE TO      makes the folder TO, which is there only when it is whole
backup.py --schemas DIR prints `<store> <schema version>` for each store below DIR

To restore: stop what uses the state, move what is in it away, and copy what is in the backup there
(`cp -a`).
Nothing but Python's standard library is needed.
"""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

STORE = ".sqlite"
#: SQLite's own files beside a store, what says who uses the state, and what can be made again.
LEFT_OUT = ("-wal", "-shm", ".partial")
NAMES_LEFT_OUT = {"in-use", "ports.json", ".turn", "virtualenvs", "work"}
#: Below it are folders of packs, which may have any name but that of their environments.
INSTALLED, IN_PACKS_LEFT_OUT = "installed_packs", {"virtualenvs"}


class BackupError(Exception):
    """The backup was not made."""


def files(folder: Path) -> Iterator[Path]:
    """Every regular file to be kept, links not followed."""
    for place, folders, names in os.walk(folder):
        left_out = IN_PACKS_LEFT_OUT if INSTALLED in Path(place).parts else NAMES_LEFT_OUT
        folders[:] = sorted(name for name in folders if name not in left_out)
        for name in sorted(names):
            path = Path(place, name)
            if name in left_out or name.endswith(LEFT_OUT):
                continue
            if path.is_file() and not path.is_symlink():
                yield path


def copy_store(store: Path, to: Path) -> None:
    """The store as it is at one moment, checked."""
    os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with (
        closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(to)) as copied,
    ):
        source.backup(copied)
        found = copied.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise BackupError(f"the copy of {store} is not whole: {found}")


def copy_file(path: Path, to: Path) -> None:
    """A file that a job is writing may grow meanwhile, and one that it is done with may vanish."""
    try:
        shutil.copy2(path, to)
    except FileNotFoundError:
        to.unlink(missing_ok=True)


def backup(state: Path, to: Path) -> int:
    """The number of files copied.

    Raises:
        BackupError: there is no state, something stands at `to`, or a store could not be copied.
    """
    if not state.is_dir():
        raise BackupError(f"there is no state at {state}")
    if to.exists():
        raise BackupError(f"{to} is there already; name a folder that is not")
    draft = to.with_name(to.name + ".partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    count = 0
    try:
        for path in files(state):
            target = draft / path.relative_to(state)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.suffix == STORE:
                copy_store(path, target)
            else:
                copy_file(path, target)
            count += 1
        for path in (state, *state.rglob("*")):
            _own(path, draft / path.relative_to(state))
        os.sync()
        draft.rename(to)
    except (OSError, sqlite3.Error) as err:
        raise BackupError(f"the backup of {state} was not made: {err}") from err
    return count


def _own(original: Path, copied: Path) -> None:
    """As root the copy belongs to whom the original belongs: it can be put back as it is."""
    if os.getuid() == 0 and copied.exists() and original.exists():
        status = original.stat()
        os.chown(copied, status.st_uid, status.st_gid)


def schemas(folder: Path) -> dict[str, int]:
    """The schema version of each store, by its path below `folder`."""
    found = {}
    for store in sorted(folder.rglob(f"*{STORE}")):
        with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as one:
            version = one.execute("PRAGMA user_version").fetchone()[0]
        found[store.relative_to(folder).as_posix()] = version
    return found


def main(words: list[str]) -> int:
    try:
        match words:
            case ["--schemas", folder]:
                for name, version in schemas(Path(folder)).items():
                    print(name, version)
            case [state, to] if not state.startswith("-"):
                print(f"{backup(Path(state), Path(to))} files are in {to}")
            case _:
                print((__doc__ or "").strip(), file=sys.stderr)
                return 2
    except (BackupError, sqlite3.Error) as err:
        print(f"backup failed: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
