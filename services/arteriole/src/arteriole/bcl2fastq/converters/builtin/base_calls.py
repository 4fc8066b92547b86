"""Whether the files of base calls are there, before any is read."""

from pathlib import Path

from arteriole.bcl2fastq.converters.builtin.sources.surface_files import SurfaceFilesSource
from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.illumina import bci, cbcl, completeness
from arteriole.illumina.completeness import Sort
from arteriole.illumina.errors import RunDataError
from arteriole.illumina.run_folder import BclKind, RunFolder
from arteriole.illumina.run_info import FILE_NAME, RunInfo

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


def require_listed(folder: RunFolder, run_info: RunInfo, kinds: dict[int, BclKind]) -> None:
    """See that RunInfo.xml lists every tile that has clusters, so that no read is left out.

    bcl2fastq takes the tiles of .bcl.bgzf from s_<lane>.bci, and those of .cbcl from the headers
    of the first cycle.

    Raises:
        ConversionError: names the first tile, or lane, and counts the tiles.
    """
    hint = f"list every lane and tile in the TileSet of {FILE_NAME}, or take its Tiles out"
    for lane, kind in kinds.items():
        unlisted = sorted(_unlisted(folder, lane, kind, set(run_info.tiles[lane])))
        if unlisted:
            raise ConversionError(
                f"lane {lane}: {len(unlisted)} tiles have files but are not in {FILE_NAME}, "
                f"the first is {unlisted[0]}",
                code="convert.tiles_unlisted",
                hint=hint,
            )
    for lane in range(1, run_info.layout.lanes + 1):
        if lane not in run_info.tiles and folder.bcl_kind(lane) is not None:
            raise ConversionError(
                f"lane {lane} has base calls, but no tile of it is in {FILE_NAME}",
                code="convert.tiles_unlisted",
                hint=hint,
            )


def _unlisted(folder: RunFolder, lane: int, kind: BclKind, listed: set[int]) -> set[int]:
    """Tiles with clusters beside those listed; none where one of these is not found.

    What is missing or damaged is told when it is read, and may have another tile's number.
    """
    if kind is BclKind.BCL_BGZF:
        clusters = _tiles_of_index(folder.tile_index(lane))
    elif kind is BclKind.CBCL:
        clusters = _tiles_of_headers(folder.cbcls(lane, 1))
    else:
        return folder.tiles_with_filter(lane) - listed
    if not listed <= set(clusters):
        return set()
    return {tile for tile, count in clusters.items() if count} - listed


def _tiles_of_index(path: Path) -> dict[int, int]:
    """The clusters of each tile."""
    try:
        return {number: tile.clusters for number, tile in bci.read_tiles(path).tiles.items()}
    except RunDataError:
        return {}


def _tiles_of_headers(paths: list[Path]) -> dict[int, int]:
    """The clusters of each tile."""
    clusters: dict[int, int] = {}
    try:
        for path in paths:
            header = cbcl.read_header(path)
            counts = header.sizes[:, 0].tolist()
            clusters.update(zip(header.numbers.tolist(), counts, strict=True))
    except RunDataError:
        return {}
    return clusters


def require_filters(folder: RunFolder, run_info: RunInfo, kinds: dict[int, BclKind]) -> None:
    """See that no .cbcl needs a filter file that is not there. Raises ConversionError."""
    for lane, kind in kinds.items():
        if kind is BclKind.CBCL:
            tiles = set(run_info.tiles[lane]) - folder.tiles_with_filter(lane)
            SurfaceFilesSource(folder, run_info, lane).require_filters(tiles)


def require_all_clusters(folder: RunFolder, run_info: RunInfo, kinds: dict[int, BclKind]) -> None:
    """See that no .cbcl lacks the clusters that failed the filter. Raises ConversionError."""
    for lane, kind in kinds.items():
        if kind is BclKind.CBCL:
            SurfaceFilesSource(folder, run_info, lane).require_all_clusters()
