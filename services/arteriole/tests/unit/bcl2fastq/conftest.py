"""A sequencer in miniature: it keeps what it wrote, so that tests know every read."""

import gzip
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import ConversionRequest, ConversionResult, find

TILES = (1101, 1102)
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@dataclass
class Cluster:
    """One cluster: a byte a cycle as in .bcl files, over all reads of the run."""

    calls: bytes
    passed: bool = True
    x: int = 1000
    y: int = 1000


def calls(bases: str, quality: int = 37) -> bytes:
    """The bytes of some bases; N is a no-call."""
    return bytes(0 if base == "N" else quality << 2 | "ACGT".index(base) for base in bases)


@dataclass
class TinyRun:
    """A run of one lane or more, with the clusters of (lane, tile)."""

    folder: Path
    reads: tuple[tuple[int, str], ...] = ((4, "N"), (3, "Y"), (3, "Y"), (4, "N"))
    lanes: int = 1
    suffix: str = ".bcl.gz"
    tiles: tuple[int, ...] = TILES
    #: From this cycle on a .cbcl has only the clusters that passed the filter.
    passed_only_from: int = 1_000_000
    #: .bcl.bgzf: how many calls a block holds.
    block: int = 7
    reverse_complement: tuple[int, ...] = ()
    clusters: dict[tuple[int, int], list[Cluster]] = field(default_factory=dict)

    @property
    def calls(self) -> Path:
        return self.folder / "Data" / "Intensities" / "BaseCalls"

    def write(self, sheet: str) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "SampleSheet.csv").write_text(sheet)
        self._write_run_info()
        for lane in range(1, self.lanes + 1):
            if self.suffix == ".bcl.bgzf":
                self._write_lane(lane)
                continue
            for tile in self.tiles:
                self._write_tile(lane, tile, self.clusters.get((lane, tile), []))
            if self.suffix == ".cbcl":
                for cycle in self._cycles:
                    for number in sorted({tile // 1000 for tile in self.tiles}):
                        self._write_cbcl(lane, cycle, number)

    def _write_run_info(self) -> None:
        reads = "".join(
            f'<Read Number="{n}" NumCycles="{cycles}" IsIndexedRead="{index}"'
            f' IsReverseComplement="{"Y" if n in self.reverse_complement else "N"}"/>'
            for n, (cycles, index) in enumerate(self.reads, start=1)
        )
        (self.folder / "RunInfo.xml").write_text(
            '<RunInfo><Run Id="260101_M04034_0043_AAAAA" Number="43"><Flowcell>AAAAA</Flowcell>'
            f"<Instrument>M04034</Instrument><Reads>{reads}</Reads>"
            f'<FlowcellLayout LaneCount="{self.lanes}" SurfaceCount="2" SwathCount="1"'
            f' TileCount="2"><TileSet><Tiles>{self._tile_names}</Tiles></TileSet>'
            "</FlowcellLayout></Run></RunInfo>"
        )

    @property
    def _tile_names(self) -> str:
        lanes = range(1, self.lanes + 1)
        return "".join(f"<Tile>{lane}_{tile}</Tile>" for lane in lanes for tile in self.tiles)

    @property
    def _cycles(self) -> range:
        return range(1, sum(cycles for cycles, _ in self.reads) + 1)

    def _write_tile(self, lane: int, tile: int, clusters: list[Cluster]) -> None:
        n = len(clusters)
        lane_dir = self.calls / f"L{lane:03d}"
        positions = self.folder / "Data" / "Intensities" / f"L{lane:03d}"
        positions.mkdir(parents=True, exist_ok=True)
        for cycle in self._cycles if self.suffix != ".cbcl" else ():
            path = lane_dir / f"C{cycle}.1" / f"s_{lane}_{tile}{self.suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            data = struct.pack("<I", n) + bytes(c.calls[cycle - 1] for c in clusters)
            path.write_bytes(gzip.compress(data) if self.suffix.endswith("gz") else data)
        lane_dir.mkdir(parents=True, exist_ok=True)
        self._write_about(lane_dir / f"s_{lane}_{tile}.filter", positions, clusters)

    def _write_about(self, path: Path, positions: Path, clusters: list[Cluster]) -> None:
        """The filter at `path`, and a .locs of the same name in `positions`."""
        n = len(clusters)
        flags = bytes(cluster.passed for cluster in clusters)
        path.write_bytes(struct.pack("<III", 0, 3, n) + flags)
        pairs = b"".join(struct.pack("<ff", (c.x - 1000) / 10, (c.y - 1000) / 10) for c in clusters)
        locs = positions / path.with_suffix(".locs").name
        locs.write_bytes(struct.pack("<ifI", 1, 1.0, n) + pairs)

    def _write_cbcl(self, lane: int, cycle: int, number: int) -> None:
        """Quality bins 0, 12, 23 and 37; the tiles of the surface in falling order."""
        bins = (0, 12, 23, 37)
        only_passed = cycle >= self.passed_only_from
        table, blocks = b"", b""
        tiles = sorted((t for t in self.tiles if t // 1000 == number), reverse=True)
        for tile in tiles:
            found = self.clusters.get((lane, tile), [])
            kept = [c.calls[cycle - 1] for c in found if c.passed or not only_passed]
            nibbles = [bins.index(call >> 2) << 2 | call & 3 for call in kept] + [0]
            size = (len(kept) + 1) // 2
            data = bytes(nibbles[2 * k] | nibbles[2 * k + 1] << 4 for k in range(size))
            packed = gzip.compress(data, mtime=0) if kept else b""
            table += struct.pack("<4I", tile, len(kept), size, len(packed))
            blocks += packed
        pairs = b"".join(struct.pack("<2I", *pair) for pair in enumerate(bins))
        start = struct.pack("<HIBBI", 1, 49 + len(table), 2, 2, 4)
        count = struct.pack("<I", len(tiles))
        path = self.calls / f"L{lane:03d}" / f"C{cycle}.1" / f"L{lane:03d}_{number}.cbcl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(start + pairs + count + table + bytes([only_passed]) + blocks)

    def _write_lane(self, lane: int) -> None:
        lane_dir = self.calls / f"L{lane:03d}"
        positions = self.folder / "Data" / "Intensities" / f"L{lane:03d}"
        for folder in (lane_dir, positions):
            folder.mkdir(parents=True, exist_ok=True)
        tiles = [self.clusters.get((lane, tile), []) for tile in self.tiles]
        index = b"".join(
            struct.pack("<2I", tile, len(found))
            for tile, found in zip(self.tiles, tiles, strict=True)
        )
        (lane_dir / f"s_{lane}.bci").write_bytes(index)
        every = [cluster for found in tiles for cluster in found]
        self._write_about(lane_dir / f"s_{lane}.filter", positions, every)
        for cycle in self._cycles:
            data = struct.pack("<I", len(every)) + bytes(c.calls[cycle - 1] for c in every)
            blocks, starts = b"", []
            for start in range(0, len(data), self.block):
                starts.append(len(blocks))
                blocks += bgzf_block(data[start : start + self.block])
            first = [4 + sum(map(len, tiles[:place])) for place in range(len(tiles))]
            starts.append(len(blocks))
            offsets = [starts[at // self.block] << 16 | at % self.block for at in first]
            path = lane_dir / f"{cycle:04d}.bcl.bgzf"
            path.write_bytes(blocks + BGZF_END)
            header = struct.pack("<2I", 0, len(tiles))
            packed = struct.pack(f"<{len(tiles)}Q", *offsets)
            path.with_name(path.name + ".bci").write_bytes(header + packed)


def bgzf_block(data: bytes) -> bytes:
    """One block, with Python's own zlib."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\6\0BC\2\0" + struct.pack("<H", len(body) + 25)
    return head + body + struct.pack("<2I", zlib.crc32(data), len(data))


Convert = Callable[..., tuple[ConversionResult, dict[str, list[str]]]]


@pytest.fixture
def tiny_run(tmp_path: Path) -> TinyRun:
    return TinyRun(tmp_path / "run")


@pytest.fixture
def cluster_of():
    """Makes a cluster of bases; keywords as Cluster's."""

    def make(bases: str, quality: int = 37, **rest) -> Cluster:
        return Cluster(calls(bases, quality), **rest)

    return make


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    """Converts a run; gives the result and the lines of every FASTQ file."""
    count = 0

    def run(folder: Path, **options) -> tuple[ConversionResult, dict[str, list[str]]]:
        nonlocal count
        count += 1
        out = tmp_path / f"out-{count}"
        out.mkdir()
        request = ConversionRequest(folder, folder / "SampleSheet.csv", out, **options)
        result = find("builtin").convert(request, lambda done, total: None)
        files = {
            path.relative_to(out).as_posix(): gzip.decompress(path.read_bytes()).decode()
            for path in sorted(out.rglob("*.fastq.gz"))
        }
        assert [file.path for file in sorted(result.files, key=lambda file: file.path)] == [*files]
        return result, {name: text.splitlines() for name, text in files.items()}

    return run
