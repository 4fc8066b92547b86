"""A run folder, read whole: every cluster of a tile with its calls, flag and place.

Part of the reference that `builtin` is compared with, see reference_convert.py.
"""

import gzip
import re
import struct
import zlib
from dataclasses import dataclass
from math import floor
from pathlib import Path
from xml.etree import ElementTree

Call = tuple[str, int]
"""A letter and its quality."""


@dataclass
class Read:
    cycles: int
    is_index: bool
    turned: bool


@dataclass
class Cluster:
    x: int
    y: int
    passed: bool
    calls: list[Call | None]
    """Of each cycle; None where the file left the cluster out, as it did not pass."""


class Run:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.intensities = folder / "Data" / "Intensities"
        self.base_calls = self.intensities / "BaseCalls"
        root = ElementTree.parse(folder / "RunInfo.xml").getroot()
        self.instrument = root.findtext(".//Instrument")
        self.flowcell = root.findtext(".//Flowcell")
        self.number = root.find("Run").get("Number")
        self.reads = [
            Read(
                int(read.get("NumCycles")),
                read.get("IsIndexedRead") == "Y",
                read.get("IsReverseComplement") == "Y",
            )
            for read in root.iter("Read")
        ]
        self.cycles = sum(read.cycles for read in self.reads)
        self.tiles: dict[int, list[int]] = {}
        for tile in root.iter("Tile"):
            lane, number = tile.text.split("_")
            self.tiles.setdefault(int(lane), []).append(int(number))
        for path in [] if self.tiles else self.base_calls.glob("L*/s_*.filter"):
            _, lane, number = path.stem.split("_")
            self.tiles.setdefault(int(lane), []).append(int(number))
        self.known: dict[tuple[int, int], list[Cluster]] = {}

    def clusters(self, lane: int, tile: int) -> list[Cluster]:
        if (lane, tile) not in self.known:
            self.known[lane, tile] = self._read(lane, tile)
        return self.known[lane, tile]

    def _read(self, lane: int, tile: int) -> list[Cluster]:
        passed, places = self._flags(lane, tile), self._places(lane, tile)
        clusters = [Cluster(*place, flag, []) for place, flag in zip(places, passed, strict=False)]
        for cycle in range(1, self.cycles + 1):
            for cluster, call in zip(clusters, self._calls(lane, tile, cycle, passed), strict=True):
                cluster.calls.append(call)
        return clusters

    # --- calls -----------------------------------------------------------------------------

    def _calls(self, lane: int, tile: int, cycle: int, passed: list[bool]) -> list[Call | None]:
        folder = self.base_calls / f"L{lane:03d}"
        name = f"s_{lane}_{tile}.bcl"
        if (path := folder / f"C{cycle}.1" / f"{name}.gz").exists():
            return [_call(byte) for byte in gzip.decompress(path.read_bytes())[4:]]
        if (path := folder / f"C{cycle}.1" / name).exists():
            return [_call(byte) for byte in path.read_bytes()[4:]]
        if (path := folder / f"{cycle:04d}.bcl.bgzf").exists():
            first, count = self._part(lane, tile)
            return [_call(byte) for byte in gzip.decompress(path.read_bytes())[4:]][
                first : first + count
            ]
        for path in sorted((folder / f"C{cycle}.1").glob("*.cbcl")):
            found = _cbcl(path.read_bytes(), tile, passed)
            if found is not None:
                return found
        raise AssertionError(f"no calls of {lane} {tile} {cycle}")

    def _part(self, lane: int, tile: int) -> tuple[int, int]:
        """Where a tile begins in files of a lane, and how many clusters it has."""
        data = (self.base_calls / f"L{lane:03d}" / f"s_{lane}.bci").read_bytes()
        first = 0
        for number, count in struct.iter_unpack("<II", data):
            if number == tile:
                return first, count
            first += count
        raise AssertionError(f"no tile {tile}")

    # --- flags and places ------------------------------------------------------------------

    def _flags(self, lane: int, tile: int) -> list[bool]:
        folder = self.base_calls / f"L{lane:03d}"
        if (path := folder / f"s_{lane}_{tile}.filter").exists():
            return [byte & 1 == 1 for byte in path.read_bytes()[12:]]
        first, count = self._part(lane, tile)
        flags = (folder / f"s_{lane}.filter").read_bytes()[12:]
        return [byte & 1 == 1 for byte in flags[first : first + count]]

    def _places(self, lane: int, tile: int) -> list[tuple[int, int]]:
        if (path := self.intensities / "s.locs").exists():
            return _locs(path)
        folder = self.intensities / f"L{lane:03d}"
        if (path := folder / f"s_{lane}_{tile}.locs").exists():
            return _locs(path)
        if (path := folder / f"s_{lane}_{tile}.clocs").exists():
            return _clocs(path.read_bytes())
        first, count = self._part(lane, tile)
        return _locs(folder / f"s_{lane}.locs")[first : first + count]


def _call(byte: int) -> Call:
    return ("N", 2) if byte == 0 else ("ACGT"[byte % 4], byte // 4)


def _cbcl(data: bytes, tile: int, passed: list[bool]) -> list[Call | None] | None:
    _, size, _, _, bins = struct.unpack_from("<HIBBI", data)
    at = 12
    quality = {}
    for _ in range(bins):
        number, value = struct.unpack_from("<II", data, at)
        quality[number] = value
        at += 8
    (tiles,) = struct.unpack_from("<I", data, at)
    at += 4
    start = size
    left_out = data[size - 1] == 1
    for _ in range(tiles):
        number, clusters, _, packed = struct.unpack_from("<4I", data, at)
        at += 16
        if number == tile:
            block = zlib.decompress(data[start : start + packed], 31) if packed else b""
            halves = [half for byte in block for half in (byte % 16, byte // 16)][:clusters]
            calls = iter(
                ("N", 2) if half == 0 else ("ACGT"[half % 4], quality[half // 4]) for half in halves
            )
            return [None if left_out and not flag else next(calls) for flag in passed]
        start += packed
    return None


def _locs(path: Path) -> list[tuple[int, int]]:
    pairs = struct.iter_unpack("<ff", path.read_bytes()[12:])
    return [(floor(x * 10 + 1000.5), floor(y * 10 + 1000.5)) for x, y in pairs]


def _clocs(data: bytes) -> list[tuple[int, int]]:
    places = []
    at = 5
    for block in range(int.from_bytes(data[1:5], "little")):
        count = data[at]
        at += 1
        for _ in range(count):
            x, y = data[at], data[at + 1]
            at += 2
            places.append((1000 + block % 82 * 250 + x, 1000 + block // 82 * 250 + y))
    return places


def tile_chosen(expressions: list[str], lane: int, tile: int) -> bool:
    """As the guide has it: a regular expression that is found in the tile's name."""
    name = f"s_{lane}_{tile:04d}"
    words = [word for text in expressions for word in text.split(",")]
    return not words or any(re.search(word, name) for word in words)
