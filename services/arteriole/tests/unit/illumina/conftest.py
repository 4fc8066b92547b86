"""Writers of the formats, for tests alone: they share no code with the readers."""

import gzip
import struct
from pathlib import Path

import pytest

RUN_INFO = """<?xml version="1.0"?>
<RunInfo Version="2">
  <Run Id="{run_id}" Number="43">
    <Flowcell>000000000-AAAAA</Flowcell>
    <Instrument>{instrument}</Instrument>
    <Date>260101</Date>
    <Reads>{reads}</Reads>
    <FlowcellLayout LaneCount="{lanes}" SurfaceCount="1" SwathCount="1" TileCount="2" />
  </Run>
</RunInfo>
"""


def write_run_info(
    folder: Path,
    reads: tuple[tuple[int, str], ...] = ((2, "N"), (2, "Y")),
    lanes: int = 1,
    instrument: str = "M04034",
    run_id: str = "260101_M04034_0043_000000000-AAAAA",
) -> Path:
    """`reads`: (cycles, Y or N) each."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(
        f'<Read Number="{number}" NumCycles="{cycles}" IsIndexedRead="{index}" />'
        for number, (cycles, index) in enumerate(reads, start=1)
    )
    path = folder / "RunInfo.xml"
    path.write_text(RUN_INFO.format(run_id=run_id, instrument=instrument, reads=lines, lanes=lanes))
    return path


def write_calls(folder: Path, cycles: int, clusters: int, suffix: str = ".bcl.gz") -> None:
    """A whole lane 1 of tiles 1101 and 1102, with filters and .locs."""
    base_calls = folder / "Data" / "Intensities" / "BaseCalls" / "L001"
    positions = folder / "Data" / "Intensities" / "L001"
    positions.mkdir(parents=True)
    for tile in (1101, 1102):
        for cycle in range(1, cycles + 1):
            path = base_calls / f"C{cycle}.1" / f"s_1_{tile}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            data = struct.pack("<I", clusters) + bytes([37 << 2 | 1]) * clusters
            path.write_bytes(gzip.compress(data, mtime=0) if suffix.endswith(".gz") else data)
        header = struct.pack("<III", 0, 3, clusters)
        (base_calls / f"s_1_{tile}.filter").write_bytes(header + b"\1" * clusters)
        locs = struct.pack("<ifI", 1, 1.0, clusters) + struct.pack("<ff", 1.5, 2.5) * clusters
        (positions / f"s_1_{tile}.locs").write_bytes(locs)


def write_cbcls(folder: Path, cycles: int, clusters: int, passed_only_from: int = 99) -> None:
    """Lane 1, tiles 1101 and 1102; one cluster of each fails the filter."""
    base_calls = folder / "Data" / "Intensities" / "BaseCalls" / "L001"
    for cycle in range(1, cycles + 1):
        kept = clusters - (cycle >= passed_only_from)
        block = gzip.compress(bytes((kept + 1) // 2), mtime=0)
        table = b"".join(
            struct.pack("<4I", tile, kept, (kept + 1) // 2, len(block)) for tile in (1102, 1101)
        )
        head = struct.pack("<HIBBIII", 1, 12 + 4 + len(table) + 1, 2, 2, 0, 2, 0)[:16]
        path = base_calls / f"C{cycle}.1" / "L001_1.cbcl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(head + table + bytes([kept < clusters]) + block + block)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A complete small run: 4 cycles, one lane, two tiles of 5 clusters."""
    folder = tmp_path / "run"
    write_run_info(folder)
    write_calls(folder, cycles=4, clusters=5)
    return folder


@pytest.fixture
def run_writer():
    """(write_run_info, write_calls), for runs of another shape."""
    return write_run_info, write_calls
