"""What does not fit into memory lies in a file meanwhile, and no FASTQ is other for it."""

import random

import numpy as np
import pytest

from arteriole.bcl2fastq.converters import ConversionError
from arteriole.bcl2fastq.converters.builtin import call_table as tables
from arteriole.bcl2fastq.converters.builtin import tiles
from arteriole.bcl2fastq.converters.builtin.call_table import call_table

SHEET = "[Data]\nSample_ID,index,index2\nA,AAA,CCC\nB,TTT,GGG\n"


@pytest.mark.parametrize("limit", [0, 11, 12])
def test_what_is_put_is_what_is_read(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(tables, "IN_MEMORY", limit)
    calls = np.arange(12, dtype=np.uint8).reshape(3, 4)
    with call_table(3, 4, tmp_path) as table:
        for cycle in (2, 0, 1):
            table.put(cycle, calls[cycle])
        assert table.part(0, 4).tolist() == calls.tolist()
        assert table.part(1, 3).tolist() == calls[:, 1:3].tolist()
        assert table.part(4, 4).shape == (3, 0)
        assert not any(tmp_path.iterdir())
    assert not any(tmp_path.iterdir())


def test_a_file_that_lost_its_end_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "IN_MEMORY", 0)
    with call_table(2, 4, tmp_path) as table, pytest.raises(OSError, match="shorter than what"):
        table.put(0, np.zeros(4, np.uint8))
        table.part(0, 4)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("suffix", [".bcl", ".bcl.bgzf", ".cbcl"])
def test_a_large_tile_gives_the_same_files(
    tiny_run, cluster_of, convert, monkeypatch, suffix, threads
):
    rng = random.Random(5)
    tiny_run.suffix = suffix
    tiny_run.clusters = {
        (1, tile): [
            cluster_of(
                "".join(rng.choices("ACGTN", k=4))
                + rng.choice(["AAACCC", "TTTGGG", "CCCCCC"])
                + "".join(rng.choices("ACGTN", k=4)),
                passed=rng.random() < 0.8,
                x=1000 + place,
            )
            for place in range(50)
        ]
        for tile in tiny_run.tiles
    }
    tiny_run.write(SHEET)
    expected = convert(tiny_run.folder)
    monkeypatch.setattr(tables, "IN_MEMORY", 0)
    monkeypatch.setattr(tiles, "CHUNK", 7)
    monkeypatch.setattr(tiles, "_AT_ONCE", 3)
    assert convert(tiny_run.folder, threads=threads) == expected


def test_a_disk_without_room_is_told(tiny_run, cluster_of, convert, monkeypatch):
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    tiny_run.clusters = {(1, 1101): [cluster_of("ACGTAAACCCGTTA")]}
    tiny_run.write(SHEET)
    monkeypatch.setattr(tables, "IN_MEMORY", 0)
    monkeypatch.setattr(tables.tempfile, "TemporaryFile", full)
    with pytest.raises(ConversionError) as caught:
        convert(tiny_run.folder)
    assert caught.value.code == "convert.disk_full"
