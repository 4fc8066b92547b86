"""An attempt's folder: immutable once it has its name, made under another until it is complete."""

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from arteriole.app import times
from arteriole.bcl2fastq.converters import MERGED, ConversionError, ConversionResult

RECORD = "attempt.json"


class Attempt:
    """Attempt `number` of `run` below `fastq_root`."""

    def __init__(self, fastq_root: Path, run: str, number: int) -> None:
        self.home = fastq_root / run
        self.run = run
        self.number = number
        self.path = self.home / f"attempt-{number}"

    def record(self) -> dict[str, Any] | None:
        """attempt.json of the complete attempt, or None while it is not complete.

        Raises:
            ConversionError: it cannot be read, or is no JSON object.
        """
        try:
            found = json.loads((self.path / RECORD).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as err:
            raise self._unreadable(str(err)) from err
        if not isinstance(found, dict):
            raise self._unreadable(f"expected a JSON object, found {type(found).__name__}")
        return found

    def _unreadable(self, found: str) -> ConversionError:
        return ConversionError(
            f"{self.path / RECORD} cannot be read: {found}",
            code="attempt.record",
            hint=f"arteriole redo {self.run} --from convert",
        )

    def begin(self, job_id: int) -> Path:
        """An empty folder for this job's output, on the file system of the attempt.

        Raises:
            ConversionError: the root is not there; an unmounted file system is not filled.
        """
        self.require_root()
        self.clear()
        partial = self.partial(job_id)
        partial.mkdir(parents=True)
        return partial

    def partial(self, job_id: int) -> Path:
        """The folder that `begin` makes."""
        return self.home / f".attempt-{self.number}.partial-{job_id}"

    def require_root(self) -> None:
        """Raises ConversionError if there is no folder for FASTQs."""
        if not self.home.parent.is_dir():
            raise ConversionError(
                f"the folder for FASTQs {self.home.parent} is not there",
                code="convert.no_folder",
                hint="make the folder, or mount the file system; it is not made by itself",
            )

    def clear(self) -> None:
        """Give back the space of conversions of this attempt that came to nothing."""
        for partial in self.home.glob(f".attempt-{self.number}.partial-*"):
            shutil.rmtree(partial)

    def complete(
        self,
        partial: Path,
        result: ConversionResult,
        sheet_sha256: str,
        ignored: tuple[str, ...] = (),
        waived_rules: tuple[str, ...] = (),
        index_sets: Mapping[tuple[str, int | None], str] = MappingProxyType({}),
        projects: Mapping[str, list[str]] = MappingProxyType({}),
    ) -> dict[str, Any]:
        """Reconcile, write attempt.json, make it durable and give the folder its name.

        An attempt for which something was `ignored`, or a rule of the sheet waived, is degraded,
        whether or not it was met with.

        Args:
            index_sets: the name that stands in the sheet in the place of indexes, of samples by
                Sample_ID and lane, which is None for every lane.
            projects: those of each sample, by Sample_ID.

        Raises:
            ConversionError: a file is missing, surplus or of another size than was written.
        """
        reconcile(partial, result)
        record = {
            "run": self.run,
            "attempt": self.number,
            "finished": times.now(),
            "converter": result.converter,
            "converter_version": result.version,
            "converter_image": result.image,
            "sheet_sha256": sheet_sha256,
            "clusters": result.clusters,
            "clusters_pf": result.clusters_pf,
            "samples": [
                {"sample_id": s.sample_id, "lane": s.lane, "reads": s.reads}
                | _named(index_sets, s.sample_id, s.lane)
                for s in result.samples
            ],
            "projects": dict(projects),
            "files": [
                {"path": f.path, "sample_id": f.sample_id, "lane": f.lane, "read": f.read,
                 "index": f.is_index, "size": f.size, "reads": f.reads, "md5": f.md5,
                 "blake3": f.blake3}
                for f in result.files
            ],
            "warnings": list(result.warnings),
            "degraded": bool(ignored or waived_rules),
            "ignored": list(ignored),
            "waived_rules": list(waived_rules),
        }  # fmt: skip
        (partial / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
        sync(partial)
        partial.rename(self.path)
        _sync_folder(self.home)
        return record

    def make_current(self) -> None:
        """Let `current` lead to this attempt, unless it leads to a newer one."""
        current = self.home / "current"
        if current.is_symlink() and _number(str(current.readlink())) >= self.number:
            return
        link = self.home / f".current.{self.number}"
        link.unlink(missing_ok=True)
        link.symlink_to(self.path.name)
        link.rename(current)
        _sync_folder(self.home)


def _named(
    index_sets: Mapping[tuple[str, int | None], str], sample_id: str, lane: int
) -> dict[str, str]:
    name = index_sets.get((sample_id, lane)) or index_sets.get((sample_id, None))
    return {"index_set": name} if name else {}


def _number(name: str) -> int:
    found = re.fullmatch(r"attempt-([0-9]+)", name)
    return int(found[1]) if found else 0


def reconcile(folder: Path, result: ConversionResult) -> None:
    """Expected sample x lane x read equals the files there; read counts agree between reads.

    A file of all lanes (MERGED) has what the sample has on each of them.
    """
    found = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*.fastq.gz")
    }
    written = {file.path: file.size for file in result.files}
    if found != written:
        wrong = sorted(set(found.items()) ^ set(written.items()))
        raise ConversionError(
            f"what lies in the output is not what was written: {wrong[0][0]}"
            f" and {len(wrong) - 1} more",
            code="convert.reconcile",
            hint="is the disk full, or does something else write there?",
        )
    reads: Counter[tuple[str, int]] = Counter()
    for sample in result.samples:
        for lane in (sample.lane, MERGED):
            reads[sample.sample_id, lane] += sample.reads
    for file in result.files:
        if file.reads != reads[file.sample_id, file.lane]:
            where = "sample" if file.lane == MERGED else "sample and lane"
            raise ConversionError(
                f"{file.path} has {file.reads} reads, its {where}"
                f" {reads[file.sample_id, file.lane]}",
                code="convert.reconcile",
            )


def sync(folder: Path) -> None:
    """Make all that lies in `folder` durable."""
    for path, _, names in os.walk(folder):
        for name in names:
            _sync_folder(Path(path, name))
        _sync_folder(Path(path))


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
