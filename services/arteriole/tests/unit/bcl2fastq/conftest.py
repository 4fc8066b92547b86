"""A sequencer in miniature: it keeps what it wrote, so that tests know every read."""

import gzip
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import ConversionRequest, ConversionResult, find

TILES = (1101, 1102)


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
            for tile in TILES:
                self._write_tile(lane, tile, self.clusters.get((lane, tile), []))

    def _write_run_info(self) -> None:
        reads = "".join(
            f'<Read Number="{n}" NumCycles="{cycles}" IsIndexedRead="{index}"'
            f' IsReverseComplement="{"Y" if n in self.reverse_complement else "N"}"/>'
            for n, (cycles, index) in enumerate(self.reads, start=1)
        )
        (self.folder / "RunInfo.xml").write_text(
            '<RunInfo><Run Id="260101_M04034_0043_AAAAA" Number="43"><Flowcell>AAAAA</Flowcell>'
            f"<Instrument>M04034</Instrument><Reads>{reads}</Reads>"
            f'<FlowcellLayout LaneCount="{self.lanes}" SurfaceCount="1" SwathCount="1"'
            ' TileCount="2" /></Run></RunInfo>'
        )

    def _write_tile(self, lane: int, tile: int, clusters: list[Cluster]) -> None:
        n = len(clusters)
        lane_dir = self.calls / f"L{lane:03d}"
        positions = self.folder / "Data" / "Intensities" / f"L{lane:03d}"
        positions.mkdir(parents=True, exist_ok=True)
        for cycle in range(1, sum(cycles for cycles, _ in self.reads) + 1):
            path = lane_dir / f"C{cycle}.1" / f"s_{lane}_{tile}{self.suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            data = struct.pack("<I", n) + bytes(c.calls[cycle - 1] for c in clusters)
            path.write_bytes(gzip.compress(data) if self.suffix.endswith("gz") else data)
        flags = bytes(cluster.passed for cluster in clusters)
        (lane_dir / f"s_{lane}_{tile}.filter").write_bytes(struct.pack("<III", 0, 3, n) + flags)
        pairs = b"".join(struct.pack("<ff", (c.x - 1000) / 10, (c.y - 1000) / 10) for c in clusters)
        path = positions / f"s_{lane}_{tile}.locs"
        path.write_bytes(struct.pack("<ifI", 1, 1.0, n) + pairs)


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
