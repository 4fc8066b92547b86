"""Whether the files of base calls are there, before any is read."""

from arteriole.bcl2fastq.converters.builtin.sources.surface_files import SurfaceFilesSource
from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.illumina import completeness
from arteriole.illumina.completeness import Sort
from arteriole.illumina.run_folder import BclKind, RunFolder
from arteriole.illumina.run_info import RunInfo

FLAGS = {
    Sort.CALLS: "missing-bcls",
    Sort.FILTER: "missing-filter",
    Sort.POSITIONS: "missing-positions",
}
"""By which flag of ConversionRequest.ignore a sort of file is ignored."""


def kinds(folder: RunFolder, run_info: RunInfo, ignore: frozenset[str]) -> dict[int, BclKind]:
    """How each lane's base calls are stored; a lane that has none is like the others.

    Raises:
        ConversionError: no lane has any, and that is not waived.
    """
    found = {lane: folder.bcl_kind(lane) for lane in run_info.lanes}
    usual = next((kind for kind in found.values() if kind is not None), None)
    if usual is None and "missing-bcls" not in ignore:
        where = folder.base_calls.relative_to(folder.path).as_posix()
        raise ConversionError(
            f"{where}: no base calls found",
            code="convert.no_base_calls",
            hint="is the run complete?",
        )
    usual = usual or BclKind.BCL_GZ
    return {lane: kind or usual for lane, kind in found.items()}


def require_files(folder: RunFolder, run_info: RunInfo, ignore: frozenset[str]) -> None:
    """See that no file is missing or empty but those that are ignored; reads no base call.

    Raises:
        ConversionError: names the first and counts them.
    """
    found = completeness.check(folder.path, run_info, ends=False)
    refused = [sort for sort in FLAGS if sort in found.counts and FLAGS[sort] not in ignore]
    if refused:
        first = next(p for p in (found.firsts[sort] for sort in found.firsts if sort in refused))
        count = sum(found.counts[sort] for sort in refused)
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise ConversionError(
            f"{first}{more}",
            code="convert.run_data",
            hint="is the run complete? copy the files from the instrument again",
        )


def require_all_clusters(folder: RunFolder, run_info: RunInfo, kinds: dict[int, BclKind]) -> None:
    """See that no .cbcl lacks the clusters that failed the filter. Raises ConversionError."""
    for lane, kind in kinds.items():
        if kind is BclKind.CBCL:
            SurfaceFilesSource(folder, run_info, lane).require_all_clusters()
