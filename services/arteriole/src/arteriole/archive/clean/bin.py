"""The bins: a move within a file system, which the next command may undo, and their emptying.

An entry is `<bin>/<run>.attempt-<n>.<kind>/`, with `clean.json` (the proof) and `data/`.
"""

import contextlib
import itertools
import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from arteriole.app import times
from arteriole.archive.clean.case import RECORD, Case
from arteriole.checksum.manifest import sync_folder
from arteriole.checksum.units import RESULTS
from arteriole.policy.settings import DataKind

PROOF, DATA = "clean.json", "data"


@dataclass(frozen=True)
class Entry:
    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / DATA

    @property
    def going(self) -> Path:
        """What it is called while it is emptied."""
        return self.folder.with_name(f".{self.folder.name}.going")

    def emptied(self) -> Path:
        """What will be left of it; that of an earlier time stays as it is."""
        again = (f"{self.folder.name}.emptied-{number}.json" for number in itertools.count(2))
        names = itertools.chain([f"{self.folder.name}.emptied.json"], again)
        paths = map(self.folder.with_name, names)
        return next(path for path in paths if not os.path.lexists(path))

    def proofs(self) -> dict[Path, dict[str, Any]]:
        """What is left of it, of each time that it was emptied."""
        paths = self.folder.parent.glob(f"{self.folder.name}.emptied*.json")
        return {path: _document(path) for path in paths}

    def emptied_by(self, job_id: int) -> dict[str, Any]:
        """Its proof, if this very job has emptied it; else empty."""
        proofs = self.proofs().values()
        return next((found for found in proofs if found.get("emptied_by") == job_id), {})

    def last_emptied(self) -> tuple[str, Path] | None:
        """When it was, and the proof; None if it was not, or that cannot be known."""
        times_of = ((str(found.get("emptied", "")), path) for path, found in self.proofs().items())
        return max((one for one in times_of if one[0]), default=None)

    def is_full(self) -> bool:
        return self.data.is_dir()

    def is_half_empty(self) -> bool:
        """NB: where neither is left it is empty, and that was told: a kill left the folder."""
        return any((self.going / name).exists() for name in (DATA, PROOF))

    def foreign(self) -> list[str]:
        """What lies beside the data and the proof, as we leave nothing."""
        ours = {DATA, PROOF, _partial(self.folder / PROOF).name}
        return sorted({path.name for path in self.folder.iterdir()} - ours)

    def proof(self) -> dict[str, Any]:
        """clean.json; empty if there is none, or none of use."""
        return _document((self.folder if self.is_full() else self.going) / PROOF)

    def moved(self) -> datetime | None:
        """Since when it is here; None if that cannot be known."""
        try:
            found = times.parse(self.proof()["moved"])
        except (KeyError, TypeError, ValueError):
            return None
        return found if found.tzinfo is not None else None

    def units(self) -> list[str]:
        """Those of results that were moved here, as clean.json lists them."""
        names = self.proof().get("manifests", {})
        stems = (name.removesuffix(".md5") for name in names if name.endswith(".md5"))
        return sorted(stem.removeprefix(f"{RESULTS}/") for stem in stems)

    def is_of(self, job_id: int) -> bool:
        """Whether this very job has filled it."""
        return self.is_full() and self.proof().get("job_id") == job_id


def entry_in(folder: Path, case: Case, kind: DataKind) -> Entry:
    return Entry(folder / f"{case.run}.attempt-{case.attempt}.{kind}")


def entry_for(case: Case, kind: DataKind) -> Entry | None:
    """Where the data is to go: in the bin of its file system; None if it has none.

    OSError if the data, or a bin, is not there.
    """
    device = case.source(kind).stat().st_dev
    bins = [folder for folder in case.bins if folder.stat().st_dev == device]
    return entry_in(bins[0], case, kind) if bins else None


def entries(case: Case, kind: DataKind) -> list[Entry]:
    """Those that are there, full or half emptied."""
    found = [entry_in(folder, case, kind) for folder in case.bins]
    return [entry for entry in found if entry.is_full() or entry.is_half_empty()]


def move(case: Case, kind: DataKind, entry: Entry, proof: dict[str, Any]) -> None:
    """Out of its place; OSError if that does not succeed, and then it is where it was."""
    if kind is DataKind.FASTQ:
        _keep_record(case)
    entry.folder.mkdir(exist_ok=True)
    _write(entry.folder / PROOF, json.dumps({**proof, "moved": times.now()}, indent=1).encode())
    source = case.source(kind)
    source.rename(entry.data)
    sync_folder(entry.folder)
    sync_folder(source.parent)


def forget_current(case: Case) -> None:
    """Take away the link to the newest attempt, if that has gone: nobody is to follow it."""
    link = case.fastq.parent / "current"
    with contextlib.suppress(OSError):  # there is none
        if not case.fastq.exists() and link.readlink().name == case.fastq.name:
            link.unlink()
            sync_folder(link.parent)


def empty(entry: Entry, job_id: int) -> None:
    """Remove it and leave its proof at `Entry.emptied`; OSError if that does not succeed.

    NB: renamed first, so that half of it is never taken for the whole; told when the data is gone.
    """
    if entry.is_full():
        entry.folder.rename(entry.going)
    path = entry.going / PROOF
    proof = json.loads(path.read_bytes())
    if (entry.going / DATA).exists():
        shutil.rmtree(entry.going / DATA)
    emptied = {**proof, "emptied": times.now(), "emptied_by": job_id}
    _write(path, json.dumps(emptied, indent=1).encode())
    path.rename(entry.emptied())
    sync_folder(entry.folder.parent)
    with contextlib.suppress(OSError):  # it is empty, and does no harm
        entry.going.rmdir()


def _document(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep_record(case: Case) -> None:
    """attempt.json stays with us: it says of which projects the attempt was, and how old it is."""
    kept = case.manifests / RECORD
    if not kept.exists():
        _write(kept, (case.fastq / RECORD).read_bytes())


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _write(path: Path, data: bytes) -> None:
    partial = _partial(path)
    with open(partial, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    sync_folder(path.parent)
