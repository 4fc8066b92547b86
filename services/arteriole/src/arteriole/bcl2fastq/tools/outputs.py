"""The FASTQ files that a tool left: each that was planned and no other, digested."""

import os
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from arteriole.bcl2fastq.converters.builtin.plan import Plan
from arteriole.bcl2fastq.converters.conversion import (
    MERGED,
    ConversionError,
    FastqFile,
    SampleReads,
)
from arteriole.checksum.digests import Meter, digest_all
from arteriole.checksum.listing import FoundFile

CODE = "convert.reconcile"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a tool counted in a whole conversion; `samples` are in the plan's order."""

    clusters: int
    clusters_pf: int
    samples: tuple[SampleReads, ...]


def files(
    out_dir: Path, plan: Plan, counts: Counts, threads: int, tool: str
) -> tuple[FastqFile, ...]:
    """Every file in the plan's order; the reads are those that `tool` counts.

    Raises:
        ConversionError: a file is missing, surplus, or no regular file.
        ChecksumError: one cannot be read, or changes meanwhile.
    """
    planned = {file.path: file for file in plan.planned()}
    require_same(set(planned), fastqs(out_dir), tool)
    found = [_found(out_dir, path) for path in planned]
    meter = Meter(lambda done, total, unit: None, sum(file.size for file in found))
    digests = {digest.name: digest for digest in digest_all(out_dir, found, meter, threads)}
    reads: Counter[tuple[str, int]] = Counter()
    for sample in counts.samples:
        reads[sample.sample_id, MERGED if plan.merged else sample.lane] += sample.reads
    return tuple(
        FastqFile(
            path=path,
            sample_id=file.output.sample_id,
            lane=file.lane,
            read=file.read,
            reads=reads[file.output.sample_id, file.lane],
            size=digests[path].size,
            md5=digests[path].md5,
            blake3=digests[path].blake3,
            is_index=file.is_index,
        )
        for path, file in planned.items()
    )


def fastqs(out_dir: Path) -> set[str]:
    """Every FASTQ, compressed or not; links to folders are not followed."""
    return {
        Path(folder, name).relative_to(out_dir).as_posix()
        for folder, folders, names in os.walk(out_dir)
        for name in [*folders, *names]
        if name.endswith((".fastq.gz", ".fastq"))
    }


def require_same(planned: set[str], found: set[str], tool: str) -> None:
    """Raises ConversionError, naming the first file that is missing or surplus."""
    missing, surplus = sorted(planned - found), sorted(found - planned)
    for paths, what in ((missing, "did not write"), (surplus, "wrote, and was not to,")):
        if paths:
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            raise ConversionError(
                f"{tool} {what} {paths[0]}{more}",
                hint=f"look at the end of {tool}'s log in that of the job",
                code=CODE,
            )


def require_regular(out_dir: Path, path: str) -> os.stat_result:
    """What the file is. Raises ConversionError where a link or a folder stands in its place."""
    status = (out_dir / path).lstat()
    if not stat.S_ISREG(status.st_mode):
        raise ConversionError(f"{path} is no regular file", code=CODE)
    return status


def _found(out_dir: Path, path: str) -> FoundFile:
    status = require_regular(out_dir, path)
    return FoundFile(path, status.st_size, status.st_mtime_ns)
