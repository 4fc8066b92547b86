"""One changed byte, in every place of every sort of file: refused, or without any effect.

What is not noticed is what nobody can know without a digest of the file: a call of a .bcl, a flag
of a .filter, a coordinate that is another valid one. They are counted here, so that none is added.
"""

from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, find

SHEET = "[Data]\nSample_ID,index\nA,AAA\n"
BASES = ("ACAAA", "CCAAA", "GTAAA", "TTAAA", "ACAAA")
ROOT = Path("Data/Intensities")
#: Bytes of a gzip header that say nothing of the data: a bit of FLG, time (4), XFL and OS.
IDLE = (3, 4, 5, 6, 7, 8, 9)


def says_nothing(data: bytes, magic: bytes, count: int) -> set[int]:
    """IDLE of each gzip member, and the byte in which its data end on a bit: 8 before its end."""
    starts = [place for place in range(len(data)) if data.startswith(magic, place)]
    assert len(starts) == count
    ends = [*starts[1:], len(data)]
    return {start + place for start in starts for place in IDLE} | {end - 9 for end in ends}


@pytest.fixture
def texts(tiny_run, tmp_path):
    """Converts the run; gives its files, or None where it is refused."""
    tries = 0

    def convert() -> dict[str, bytes] | None:
        nonlocal tries
        tries += 1
        out = tmp_path / f"try-{tries}"
        out.mkdir()
        request = ConversionRequest(tiny_run.folder, tiny_run.folder / "SampleSheet.csv", out)
        try:
            result = find("builtin").convert(request, lambda done, total: None)
        except ConversionError as err:
            assert err.code == "convert.run_data", err
            return None
        return {file.path: (out / file.path).read_bytes() for file in result.files}

    return convert


def make(run, cluster_of, suffix: str) -> None:
    run.suffix = suffix
    run.reads = ((2, "N"), (3, "Y"))
    run.tiles = (1101, 1102)
    for tile in run.tiles:
        run.clusters[1, tile] = [
            cluster_of(bases, 23, passed=place != 1, x=1000 + place, y=1200)
            for place, bases in enumerate(BASES)
        ]
    run.write(SHEET)


def flipped(path: Path, texts, masks=(0x01, 0x80)) -> tuple[list[int], list[int]]:
    """The places where a flip had no effect, and where it changed the reads without a word."""
    whole = path.read_bytes()
    before = texts()
    assert before is not None
    idle, changed = [], []
    for place in range(len(whole)):
        for mask in masks:
            damaged = bytearray(whole)
            damaged[place] ^= mask
            path.write_bytes(damaged)
            after = texts()
            if after is not None:
                (idle if after == before else changed).append(place)
    path.write_bytes(whole)
    return sorted(set(idle)), sorted(set(changed))


def test_bcl_gz(tiny_run, cluster_of, texts):
    make(tiny_run, cluster_of, ".bcl.gz")
    path = tiny_run.folder / ROOT / "BaseCalls/L001/C1.1/s_1_1102.bcl.gz"
    idle, changed = flipped(path, texts)
    assert changed == []
    assert set(idle) <= says_nothing(path.read_bytes(), b"\x1f\x8b\x08", 1)


def test_bcl_bgzf(tiny_run, cluster_of, texts):
    make(tiny_run, cluster_of, ".bcl.bgzf")
    path = tiny_run.folder / ROOT / "BaseCalls/L001/0001.bcl.bgzf"
    idle, changed = flipped(path, texts)
    assert changed == []
    assert set(idle) <= says_nothing(path.read_bytes(), b"\x1f\x8b\x08\4", 3)


def test_cbcl(tiny_run, cluster_of, texts):
    make(tiny_run, cluster_of, ".cbcl")
    path = tiny_run.folder / ROOT / "BaseCalls/L001/C1.1/L001_1.cbcl"
    idle, changed = flipped(path, texts)
    # The qualities that the bins stand for are in the header, which has no checksum.
    qualities = {place for bin_ in range(4) for place in range(16 + 8 * bin_, 20 + 8 * bin_)}
    assert set(changed) <= qualities
    data = path.read_bytes()
    # Nor does the gzip size of the last tile matter, up to a few bytes: it ends with the file.
    last_size = data.index(b"\x1f\x8b\x08") - 5
    assert set(idle) <= says_nothing(data, b"\x1f\x8b\x08", 2) | qualities | {last_size}


def test_indexes_of_bgzf(tiny_run, cluster_of, texts):
    make(tiny_run, cluster_of, ".bcl.bgzf")
    lane = tiny_run.folder / ROOT / "BaseCalls/L001"
    for path in (lane / "s_1.bci", lane / "0001.bcl.bgzf.bci"):
        assert flipped(path, texts) == ([], [])


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("BaseCalls/L001/C1.1/s_1_1102.bcl", 4),
        ("BaseCalls/L001/s_1_1102.filter", 12),
        ("L001/s_1_1102.locs", 12),
    ],
)
def test_files_without_checksums(tiny_run, cluster_of, texts, path, header):
    make(tiny_run, cluster_of, ".bcl")
    file = tiny_run.folder / ROOT / path
    idle, changed = flipped(file, texts)
    assert min([*idle, *changed]) >= header
    for length in range(file.stat().st_size):
        whole = file.read_bytes()
        file.write_bytes(whole[:length])
        assert texts() is None
        file.write_bytes(whole)


def test_clocs(tiny_run, cluster_of, texts):
    make(tiny_run, cluster_of, ".bcl")
    file = tiny_run.folder / ROOT / "L001" / "s_1_1102.clocs"
    file.with_suffix(".locs").unlink()
    points = bytes(value for place in range(5) for value in (place, 200))
    file.write_bytes(b"\1\1\0\0\0\5" + points)
    idle, changed = flipped(file, texts)
    assert min([*idle, *changed]) >= 6
