"""Headers that claim more than there is, and sparse files that are as large as they claim."""

import os
import struct
from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import ConversionError
from arteriole.illumina import bcl, filters, locs
from arteriole.illumina.errors import RunDataError

SHEET = "[Data]\nSample_ID,index,index2\nA,AAA,CCC\n"
HUGE = 4_000_000_000
MANY = struct.pack("<I", HUGE)


def sparse(path: Path, head: bytes, size: int) -> Path:
    path.write_bytes(head)
    os.truncate(path, size)
    return path


@pytest.mark.parametrize(
    ("name", "head", "size", "read"),
    [
        ("a.filter", struct.pack("<II", 0, 3) + MANY, 12 + HUGE, filters.read),
        ("a.locs", struct.pack("<if", 1, 1.0) + MANY, 12 + 8 * HUGE, locs.read),
        ("a.clocs", b"\1" + MANY, 5 + HUGE, locs.read),
        ("a.bcl", MANY, 4 + HUGE, lambda path: bcl.read(path, 5)),
        ("a.bcl.gz", b"\x1f\x8b\x08", HUGE, lambda path: bcl.read(path, 5)),
    ],
)
def test_a_sparse_file_is_not_read(tmp_path, name, head, size, read):
    with pytest.raises(RunDataError, match=r"not possible|found more"):
        read(sparse(tmp_path / name, head, size))


@pytest.mark.parametrize(
    ("suffix", "name", "place", "count"),
    [
        (".bcl", "s_1_1101.bcl", 0, HUGE),
        (".bcl.bgzf", "s_1.bci", 4, HUGE),
        (".cbcl", "L001_1.cbcl", 52, HUGE),
    ],
)
def test_a_count_in_a_header_takes_no_memory(
    tiny_run, cluster_of, convert, suffix, name, place, count
):
    """Without a filter file the count comes from the base calls."""
    tiny_run.suffix = suffix
    tiny_run.clusters = {(1, 1101): [cluster_of("ACGTAAACCCGTTA")]}
    tiny_run.write(SHEET)
    for path in tiny_run.folder.rglob(name):
        data = bytearray(path.read_bytes())
        data[place : place + 4] = struct.pack("<I", count)
        if suffix == ".cbcl":
            data[place + 4 : place + 8] = struct.pack("<I", count // 2)
        path.write_bytes(data)
    for path in tiny_run.folder.rglob("*.filter"):
        path.unlink()
    for path in tiny_run.folder.rglob("*.locs"):
        path.unlink()
    ignore = frozenset({"missing-bcls", "missing-filter", "missing-positions"})
    try:
        result, _ = convert(tiny_run.folder, ignore=ignore)
    except ConversionError as err:
        assert err.code in {"convert.run_data", "convert.tile_index"}
    else:
        assert result.clusters == 0
