"""A simulated run made larger: each of its tiles stands in it several times."""

import re
import shutil
from pathlib import Path

from defusedxml import ElementTree

_TILE = re.compile(r"(s_1_)(\d)(\d)(\d\d)(\..+)")


def with_more_tiles(run: Path, directory: Path, times: int) -> Path:
    """A copy of a one-lane run of .bcl.gz and one s.locs, with `times` as many tiles.

    The files are hard links, so that it takes no room. Tile 1101 comes again as 1102 and so on.

    Args:
        directory: made; on the file system of the run.
    """
    copy = directory / run.name
    shutil.copytree(run, copy, copy_function=lambda one, other: Path(other).hardlink_to(one))
    tree = ElementTree.parse(run / "RunInfo.xml")
    (layout,) = tree.iter("FlowcellLayout")
    tiles = int(layout.get("TileCount"))
    for path in (*copy.rglob("s_1_*.bcl.gz"), *copy.rglob("s_1_*.filter")):
        start, surface, swath, tile, end = _TILE.fullmatch(path.name).groups()
        for again in range(1, times):
            name = f"{start}{surface}{swath}{int(tile) + again * tiles:02d}{end}"
            path.with_name(name).hardlink_to(path)
    layout.set("TileCount", str(tiles * times))
    for listed in tree.iter("Tiles"):
        for tile in list(listed):
            lane, number = tile.text.split("_")
            for again in range(1, times):
                more = listed.makeelement("Tile", {})
                more.text = f"{lane}_{int(number) + again * tiles}"
                listed.append(more)
    (copy / "RunInfo.xml").unlink()
    tree.write(copy / "RunInfo.xml")
    return copy
