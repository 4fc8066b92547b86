"""Bringing back what was archived: `<restore_root>/<run>/attempt-<n>/`, verified or absent.

What an earlier start left is verified and kept; what was brought back is never written to.
"""

import errno
import os
import shutil
from collections.abc import Iterator, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arteriole.app.names import is_identifier
from arteriole.archive.addenda import gap_of, manifests_of
from arteriole.archive.archive import Archive, Destination, StoredFile
from arteriole.archive.destinations import open_destination
from arteriole.archive.directory import MARGIN, NO_SPACE, keep_time
from arteriole.archive.errors import ArchiveError, RestoreError, not_as_its_manifest
from arteriole.archive.holding import PARTS, merged, require_same_files
from arteriole.archive.selection import Selection
from arteriole.checksum import volumes
from arteriole.checksum.digests import (
    Digester,
    FileDigest,
    Meter,
    digest_file,
    digest_text,
    each,
)
from arteriole.checksum.errors import ChecksumError, listed
from arteriole.checksum.listing import FoundFile, folder_links, list_files
from arteriole.checksum.manifest import Manifest, parse_manifest, sync_folder
from arteriole.checksum.parts import Part
from arteriole.checksum.places import RUNFOLDER
from arteriole.checksum.units import RESULTS
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task


@dataclass(frozen=True)
class Stored:
    """An archived holding, and the folder that it is brought back to."""

    archive: Archive
    final: Path
    manifests: dict[str, Manifest]
    files: list[StoredFile]

    @property
    def size(self) -> int:
        return sum(file.digest.size for file in self.files)

    @property
    def partial(self) -> Path:
        return self.final.with_name(f".{self.final.name}.partial")

    def narrowed(self, names: Set[str]) -> "Stored":
        """These files alone, and the lines of the manifests that are about them."""
        manifests = {}
        for key, manifest in self.manifests.items():
            part = key.partition(".")[0]
            digests = {n: d for n, d in manifest.digests.items() if f"{part}/{n}" in names}
            if digests:
                manifests[key] = Manifest(manifest.path, digests)
        files = [file for file in self.files if file.name in names]
        return replace(self, manifests=manifests, files=files)


def work(task: Task) -> dict[str, Any]:
    """`{from, to, units, already, files, bytes}`; `already` were there, and were verified.

    Raises:
        RestoreError: there is no room, or other content lies at its place.
        ArchiveError: it is not archived there, or not as it should be.
    """
    with exclusive(task, f"restore/{task.run}.{Path(task.parameters['restore']).name}"):
        found = find(task)
        require_room(task, found)
        meter = Meter(task.progress, sum(_to_read(one) for one in found))
        already = 0
        for one in found:
            if one.final.exists():
                _verify(one, one.final, meter, task.parameters["threads"])
                already += 1
            else:
                bring_back(task, one, meter)
        return {**_told(task, found), "already": already}


def observe(task: Task) -> dict[str, Any]:
    """`{from, to, units, files, bytes}`; errors as of `work` but for what reading would show."""
    found = find(task)
    require_room(task, found)
    return _told(task, found)


def _told(task: Task, found: list[Stored]) -> dict[str, Any]:
    return {
        "from": task.parameters["name"],
        "to": task.parameters["restore"],
        "units": len(found),
        "files": sum(len(one.files) for one in found),
        "bytes": sum(one.size for one in found),
    }


def find(task: Task) -> list[Stored]:
    parameters = task.parameters
    destination = open_destination(parameters)
    to, known = Path(parameters["restore"]), Path(parameters["manifests"])
    if parameters["part"] == Part.RESULTS:
        return _find_units(task, destination, to, known)
    archive = destination.data(task.run, task.attempt)
    if not archive.is_complete():
        raise _not_archived(task, archive.where)
    stored = _read(archive, to, PARTS, {part: known / part for part in PARTS})
    selection = Selection(**parameters.get("selection", {}))
    if selection.is_whole(RUNFOLDER):
        _require_addenda(task, archive, known)
    return [_selected(stored, selection)]


def _require_addenda(task: Task, archive: Archive, known: Path) -> None:
    """ArchiveError if addenda are gone from the archive; those that never came there are told."""
    record = archive.record()
    if gap := gap_of(record):
        raise ArchiveError(
            f"{archive.where} lacks addendum {gap}, and has a later one",
            code="archive.verify",
            hint="put it back, or archive the attempt again: arteriole redo RUN --from archive",
        )
    late = [s for s in volumes.stems(known, RUNFOLDER) if f"{s}.md5" not in manifests_of(record)]
    if late:
        task.remark(
            "restore.late_files",
            f"{archive.where} lacks what came into the run folder later: {listed(late)}",
            "archive the attempt again (arteriole redo RUN --from archive), then restore it anew",
        )


def _selected(stored: Stored, selection: Selection) -> Stored:
    if selection == Selection():
        return stored
    chosen = {file.name for file in stored.files if selection.has(file.name)}
    if not chosen:
        raise RestoreError(
            "the archive of this attempt has no such file, or no FASTQ of such a sample",
            code="restore.not_found",
            hint="a file is named as PART/PATH, as its manifests have it; a sample by the name"
            " that its FASTQs begin with, or the Sample_ID of their folder",
        )
    return stored.narrowed(chosen)


def _find_units(task: Task, destination: Destination, to: Path, known: Path) -> list[Stored]:
    units = destination.units(task.run, task.attempt)
    if not units:
        raise _not_archived(task, f"{task.parameters['name']}, results")
    foreign = [name for name in units if not is_identifier(name)]
    if foreign:
        raise ArchiveError(
            f"expected names of A-Z a-z 0-9 . _ - for units of results, found {foreign[0][:80]!r}",
            code="archive.verify",
            hint="find out who changed the archive",
        )
    return [
        _read(archive, to / name, (RESULTS,), {RESULTS: known / RESULTS / name})
        for name, archive in units.items()
    ]


def _not_archived(task: Task, where: str) -> ArchiveError:
    return ArchiveError(
        f"{task.run}, attempt {task.attempt}, is not archived in {where}",
        code="archive.not_archived",
        hint="name another destination or attempt; half of an archive is not brought back",
    )


def _read(archive: Archive, final: Path, parts: tuple[str, ...], known: dict[str, Path]) -> Stored:
    """What is archived, as its own manifests and record, and ours if they are here, have it."""
    manifests: dict[str, Manifest] = {}
    files: list[StoredFile] = []
    for part in parts:
        pairs = []
        for stem in _stems(archive, part):
            ours = known[part].with_name(known[part].name + stem.removeprefix(part))
            md5, blake3 = (
                _manifest(archive, f"{stem}.{kind}", ours.with_name(f"{ours.name}.{kind}"))
                for kind in volumes.KINDS
            )
            manifests |= {f"{stem}.md5": md5, f"{stem}.blake3": blake3}
            pairs.append((md5, blake3))
        files += _files(archive, part, *merged(pairs))
    return Stored(archive, final, manifests, files)


def _stems(archive: Archive, part: str) -> Iterator[str]:
    """The pair of the part, and those of its addenda that were archived."""
    recorded = manifests_of(archive.record())
    for volume in sorted({0, *map(volumes.volume_of, recorded)}):
        name = volumes.stem(part, volume)
        if not volume or f"{name}.md5" in recorded:
            yield name


def _manifest(archive: Archive, name: str, ours: Path) -> Manifest:
    """The one of this name, which is as it was archived, and as `ours` if that is there."""
    data = archive.manifest(name)
    of_record = manifests_of(archive.record()).get(name)
    if digest_text(data) != of_record or (ours.is_file() and ours.read_bytes() != data):
        raise ArchiveError(
            f"the manifest {name} in {archive.where} is not the one that was archived",
            code="archive.verify",
            hint="find out who changed it; another archive may be whole",
        )
    return parse_manifest(Path(archive.where) / "manifest" / name, data)


def _files(archive: Archive, part: str, md5: Manifest, blake3: Manifest) -> list[StoredFile]:
    require_same_files(md5, blake3)
    found = {file.name: file for file in archive.found(part)}
    differing = sorted(found.keys() ^ md5.digests.keys())
    if differing:
        raise ArchiveError(
            f"{archive.where} has not the files that its manifests list: {listed(differing)}",
            code="archive.verify",
            hint="find out who changed it; another archive may be whole",
        )
    return [
        StoredFile(part, file, FileDigest(name, file.size, md5.digests[name], blake3.digests[name]))
        for name, file in sorted(found.items())
    ]


def require_room(task: Task, found: list[Stored]) -> None:
    root = Path(task.parameters["restore_root"])
    if not root.is_dir():
        raise RestoreError(
            f"restore_root {root} is not there",
            code="restore.no_folder",
            hint="make the folder, or mount the file system; it is not made by itself",
        )
    needed = sum(
        file.digest.size
        for one in found
        if not one.final.exists()
        for file in one.files
        if not _is_there(one.partial / file.name, file.digest.size)
    )
    free = shutil.disk_usage(root).free
    if needed * (1 + MARGIN) > free:
        raise RestoreError(
            f"{needed} bytes are to be brought back to {root}, {free} are free",
            code="restore.disk_full",
            hint="make room there, then ask for it again: what was brought back is kept",
        )


def _is_there(path: Path, size: int) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size == size


def _to_read(one: Stored) -> int:
    """Each byte is fetched and read back; what is there already is read once."""
    return one.size if one.final.exists() else 2 * one.size


def bring_back(task: Task, one: Stored, meter: Meter) -> None:
    if links := folder_links(one.partial):
        raise _other(one.partial, [f"the link {name}" for name in links])
    needed = [f for f in one.files if not _is_there(one.partial / f.name, f.digest.size)]
    one.archive.thaw(needed, task.progress)

    def look(file: StoredFile) -> bool:
        return _has(one.partial, file, meter)

    def fetch(batch: list[StoredFile]) -> None:
        with closing(one.archive.read(batch)) as contents:
            for file, pieces in contents:
                _write(one, file, pieces, meter)

    threads = task.parameters["threads"]
    there = each(one.files, look, meter, threads)
    missing = [file for file, whole in zip(one.files, there, strict=True) if not whole]
    each(one.archive.batches(missing), fetch, meter, threads)
    for name, manifest in one.manifests.items():
        path = one.partial / "manifest" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(manifest.text)
    _require_nothing_else(one, one.partial)
    for folder, _, _ in os.walk(one.partial, topdown=False):
        sync_folder(Path(folder))
    one.partial.rename(one.final)
    sync_folder(one.final.parent)


def _has(folder: Path, file: StoredFile, meter: Meter) -> bool:
    if not _is_there(folder / file.name, file.digest.size):
        return False
    whole = _digest(folder, file, meter) == file.digest
    meter.add(file.digest.size if whole else -file.digest.size)
    if whole:
        with _writing(folder / file.name):
            keep_time(folder / file.name, file.found.mtime_ns)
    return whole


def _write(one: Stored, file: StoredFile, pieces: Iterator[bytes], meter: Meter) -> None:
    digester = Digester()
    path = one.partial / file.name
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with open(path, "xb") as copy:
            for piece in pieces:
                meter.add(len(piece))
                digester.update(piece)
                copy.write(piece)
            copy.flush()
            os.utime(copy.fileno(), ns=(file.found.mtime_ns, file.found.mtime_ns))
            os.fsync(copy.fileno())
            os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if digester.digest(file.digest.name) != file.digest:
        raise not_as_its_manifest(
            file.name, one.archive.where, "it is left as it is: another archive may be whole"
        )
    if _digest(one.partial, file, meter) != file.digest:
        raise RestoreError(
            f"{file.name} in {one.partial} is not as it was written when read back",
            code="restore.write",
            hint="check the disk; then ask for it again",
        )


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        raise RestoreError(
            f"cannot write {path}: {err.strerror or errno.errorcode.get(err.errno or 0, '')}",
            code="restore.disk_full" if err.errno in NO_SPACE else "restore.write",
            hint="check the disk, quota and permissions; then ask for it again",
        ) from err


def _digest(folder: Path, file: StoredFile, meter: Meter) -> FileDigest:
    status = (folder / file.name).stat()
    found = FoundFile(file.digest.name, status.st_size, status.st_mtime_ns)
    return digest_file(folder / file.part, found, meter)


def _verify(one: Stored, folder: Path, meter: Meter, threads: int) -> None:
    _require_nothing_else(one, folder)

    def verify(file: StoredFile) -> None:
        if _digest(folder, file, meter) != file.digest:
            raise _other(folder, [file.name])

    each(one.files, verify, meter, threads)


def _require_nothing_else(one: Stored, folder: Path) -> None:
    expected = {file.name: file.digest.size for file in one.files}
    expected |= {f"manifest/{name}": len(m.text) for name, m in one.manifests.items()}
    try:
        found = {file.name: file.size for file in list_files(folder)}
    except ChecksumError as err:
        raise _other(folder, [str(err)]) from err
    differing = {name for name, _ in expected.items() ^ found.items()}
    differing |= {
        f"manifest/{name}"
        for name, manifest in one.manifests.items()
        if f"manifest/{name}" in found
        and (folder / "manifest" / name).read_bytes() != manifest.text
    }
    if differing:
        raise _other(folder, sorted(differing))


def _other(folder: Path, names: list[str]) -> RestoreError:
    return RestoreError(
        f"{folder} is there with other content than the archive has: {listed(names)}",
        code="restore.exists",
        hint="it is left as it is: move the folder away, then ask for it again",
    )
