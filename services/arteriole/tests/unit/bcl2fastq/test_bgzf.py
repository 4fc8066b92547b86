import gzip
import os
import random
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.bcl2fastq.converters.builtin import bgzf
from arteriole.bcl2fastq.converters.builtin.bgzf import BLOCK_SIZE, END, BgzfWriter, block


def blocks(data: bytes) -> list[bytes]:
    """The blocks of a BGZF file, by the sizes in their headers."""
    found = []
    while data:
        assert data[:4] == b"\x1f\x8b\x08\x04"
        assert data[4:8] == bytes(4), "no time in the header"
        assert data[12:16] == b"BC\2\0"
        (size,) = struct.unpack_from("<H", data, 16)
        found.append(data[: size + 1])
        data = data[size + 1 :]
    return found


@given(st.lists(st.integers(0, 3 * BLOCK_SIZE), max_size=5))
def test_text_comes_back_and_stands_in_whole_blocks(tmp_path_factory, sizes):
    path = tmp_path_factory.mktemp("bgzf") / "a.gz"
    writer = BgzfWriter(path)
    text = b""
    for size in sizes:
        piece = (b"ACGT" * (size // 4 + 1))[:size]
        writer.write(piece)
        text += piece
    writer.close()
    data = path.read_bytes()
    assert gzip.decompress(data) == text
    found = blocks(data)
    assert found[-1] == END
    lengths = [len(gzip.decompress(one)) for one in found[:-1]]
    assert all(length == BLOCK_SIZE for length in lengths[:-1])
    assert writer.size == len(data)


def test_text_that_cannot_be_compressed_still_fits_a_block():
    noise = os.urandom(BLOCK_SIZE)
    data = block(noise)
    assert gzip.decompress(data) == noise
    assert len(blocks(data)) == 1


def test_a_compressed_block_that_would_be_too_large_is_stored(monkeypatch):
    text = b"ACGT" * 5000
    assert len(block(text)) < len(text)
    monkeypatch.setattr(bgzf, "_LARGEST", 10)
    assert len(block(text)) > len(text)
    assert gzip.decompress(block(text)) == text


def test_a_file_that_exists_is_not_written_over(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(b"earlier")
    with pytest.raises(FileExistsError):
        BgzfWriter(path)
    assert path.read_bytes() == b"earlier"


def test_the_same_text_gives_the_same_bytes_whatever_was_compressed_before():
    rng = random.Random(7)
    texts = ["".join(rng.choices("ACGT", k=BLOCK_SIZE)).encode() for _ in range(8)]
    first = [block(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(25):
            order = rng.sample(range(8), 8)
            # Other places in memory, other neighbours, other blocks before them.
            held = [memoryview(bytearray(os.urandom(64 + n) + texts[n]))[64 + n :] for n in order]
            assert list(pool.map(block, held)) == [first[n] for n in order]
