"""The same clusters, however the instrument stores them; and what is wrong with their files."""

import gzip
import shutil
import struct

import pytest

from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, find
from arteriole.bcl2fastq.converters.builtin.sources import surface_files
from arteriole.illumina import cbcl
from arteriole.illumina.errors import RunDataError

SUFFIXES = [".bcl", ".bcl.gz", ".bcl.bgzf", ".cbcl"]
SHEET = "[Data]\nSample_ID,index,index2\nA,AAA,CCC\nB,TTT,GGG\n"
TILES = (1101, 1102, 2101, 2102)


def fill(run, cluster_of, sizes=(5, 0, 4, 1)) -> None:
    """Clusters that all differ, of which every third did not pass; odd counts and an empty tile."""
    run.tiles = TILES
    serial = 0
    for tile, size in zip(TILES, sizes, strict=True):
        run.clusters[1, tile] = []
        for number in range(size):
            serial += 1
            letters = "".join("ACGT"[serial >> shift & 3] for shift in (4, 2, 0)) + "N"
            index = "AAACCC" if serial % 2 else "TTTGGG"
            quality = (12, 23, 37)[serial % 3]
            run.clusters[1, tile].append(
                cluster_of(
                    letters + index + letters[::-1],
                    quality,
                    passed=number % 3 != 1,
                    x=1000 + serial,
                    y=2000 + serial,
                )
            )


@pytest.fixture
def expected(tiny_run, cluster_of, convert, tmp_path):
    """The text of every file of the run, as .bcl, by options."""
    run = type(tiny_run)(tmp_path / "plain", suffix=".bcl")
    fill(run, cluster_of)
    run.write(SHEET)
    return lambda **options: convert(run.folder, **options)[1]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("options", [{}, {"include_non_pf": True}, {"threads": 3}])
def test_the_same_reads(tiny_run, cluster_of, convert, expected, suffix, options):
    tiny_run.suffix = suffix
    fill(tiny_run, cluster_of)
    tiny_run.write(SHEET)
    result, files = convert(tiny_run.folder, **options)
    assert files == expected(**options)
    assert (result.clusters, result.clusters_pf) == (10, 7)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["s.locs", "s_1.locs"])
def test_positions_that_the_tiles_share(tiny_run, cluster_of, convert, suffix, name):
    tiny_run.suffix = suffix
    fill(tiny_run, cluster_of, sizes=(3, 0, 3, 3))
    tiny_run.write(SHEET)
    intensities = tiny_run.folder / "Data" / "Intensities"
    shutil.rmtree(intensities / "L001")
    places = [struct.pack("<ff", place / 10, place / 5) for place in (10, 20, 30)]
    (intensities / name).write_bytes(struct.pack("<ifI", 1, 1.0, 3) + b"".join(places))
    _, files = convert(tiny_run.folder)
    lines = [line for name, lines in files.items() if "_R1_" in name for line in lines[::4]]
    found = {tuple(map(int, line.split(" ")[0].split(":")[-3:])) for line in lines}
    # the second cluster of each tile did not pass
    assert found == {
        (tile, *at) for tile in (1101, 2101, 2102) for at in [(1010, 1020), (1030, 1060)]
    }


@pytest.mark.parametrize("block", [1, 4, 5, 9, 64])
def test_tiles_that_begin_anywhere_in_a_block(tiny_run, cluster_of, convert, expected, block):
    tiny_run.suffix = ".bcl.bgzf"
    tiny_run.block = block
    fill(tiny_run, cluster_of)
    tiny_run.write(SHEET)
    assert convert(tiny_run.folder)[1] == expected()


@pytest.mark.parametrize("first", [1, 3, 8, 14])
def test_clusters_that_failed_are_left_out_from_some_cycle_on(
    tiny_run, cluster_of, convert, expected, first
):
    tiny_run.suffix = ".cbcl"
    tiny_run.passed_only_from = first
    fill(tiny_run, cluster_of)
    tiny_run.write(SHEET)
    assert convert(tiny_run.folder)[1] == expected()
    with pytest.raises(ConversionError, match=rf"C{first}\.1/L001_1\.cbcl holds only") as caught:
        convert(tiny_run.folder, include_non_pf=True)
    assert caught.value.code == "convert.non_pf"


def test_bin_0_of_a_cbcl_is_a_no_call_only_with_base_0(tiny_run, cluster_of, convert):
    tiny_run.suffix = ".cbcl"
    tiny_run.clusters[1, 1101] = [cluster_of("ACGTAAACCCACGT", quality=0)]
    tiny_run.write("[Data]\nSample_ID\nA\n")
    _, files = convert(tiny_run.folder)
    lines = files["A_S1_L001_R1_001.fastq.gz"]
    assert lines[1:] == ["NCGT", "+", "#!!!"]


def test_a_tile_is_looked_for_in_every_file_of_its_cycle(tiny_run, cluster_of, convert, expected):
    tiny_run.suffix = ".cbcl"
    fill(tiny_run, cluster_of)
    tiny_run.write(SHEET)
    for path in tiny_run.folder.rglob("L001_1.cbcl"):
        other = path.with_name("L001_2.cbcl")
        tiles, more = parts(path), parts(other)
        join(other, more | {1102: tiles.pop(1102)})
        join(path, tiles)
    assert convert(tiny_run.folder)[1] == expected()


def parts(path) -> dict[int, tuple[tuple[int, ...], bytes]]:
    """The row of each tile in the header of a .cbcl, and its data."""
    header, data = cbcl.read_header(path), path.read_bytes()
    rows = zip(header.numbers.tolist(), header.sizes.tolist(), header.starts.tolist(), strict=True)
    return {tile: ((tile, *sizes), data[at : at + sizes[2]]) for tile, sizes, at in rows}


def join(path, tiles) -> None:
    """Write a .cbcl of these tiles, its bins as they were."""
    before = bytearray(path.read_bytes()[: 12 + 8 * 4])
    table = b"".join(struct.pack("<4I", *row) for row, _ in tiles.values())
    struct.pack_into("<I", before, 2, len(before) + 4 + len(table) + 1)
    data = b"".join(data for _, data in tiles.values())
    path.write_bytes(before + struct.pack("<I", len(tiles)) + table + b"\0" + data)


def test_the_last_tile_ends_with_the_file(tiny_run, cluster_of, convert, expected):
    """Whatever its header says to a few bytes: Picard's test run has such files."""
    tiny_run.suffix = ".cbcl"
    fill(tiny_run, cluster_of)
    tiny_run.write(SHEET)
    for path in tiny_run.folder.rglob("L001_2.cbcl"):
        data = bytearray(path.read_bytes())
        place = data.index(b"\x1f\x8b\x08") - 5
        data[place : place + 4] = struct.pack("<I", struct.unpack_from("<I", data, place)[0] - 1)
        path.write_bytes(data)
    assert convert(tiny_run.folder)[1] == expected()


def test_each_header_is_read_once_and_few_are_kept(
    tiny_run, cluster_of, convert, expected, monkeypatch
):
    tiny_run.suffix = ".cbcl"
    fill(tiny_run, cluster_of)
    tiny_run.write(SHEET)
    read: list[str] = []
    parse = cbcl.parse
    monkeypatch.setattr(cbcl, "parse", lambda *a: read.append(a[2]) or parse(*a))
    assert convert(tiny_run.folder)[1] == expected()
    assert len(read) == 14 * 2 + 2  # those of the first cycle once more, for their tiles
    monkeypatch.setattr(surface_files, "_TILES_KEPT", 3)
    assert convert(tiny_run.folder)[1] == expected()
    assert len(read) == 14 * 2 + 2 + 14 * 4 + 2


@pytest.mark.parametrize(
    ("bins", "fault"),
    [
        (b"", "ACGT: 0 to 3 are qualities themselves"),
        (struct.pack("<6I", 0, 0, 1, 12, 3, 37), "ok"),
        (struct.pack("<6I", 0, 0, 1, 12, 2, 23), "a quality bin that its header lacks"),
    ],
)
def test_quality_bins_of_a_cbcl(tmp_path, bins, fault):
    packed = gzip.compress(b"\x1f\x5d", mtime=0)  # nibbles 15, 1, 13, 5: bins 3, 0, 3, 1
    count = len(bins) // 8
    head = struct.pack("<HIBBI", 1, 33 + len(bins), 2, 2, count) + bins
    table = struct.pack("<I4IB", 1, 1101, 4, 2, len(packed), 0)
    path = tmp_path / "L001_1.cbcl"
    path.write_bytes(head + table + packed)
    header = cbcl.read_header(path)
    if "lacks" in fault:
        with pytest.raises(RunDataError, match=fault):
            cbcl.read(path, header, 1101, 4)
        return
    calls = cbcl.read(path, header, 1101, 4)
    qualities = [37, 0, 37, 12] if bins else [3, 0, 3, 1]
    assert [(call >> 2, call & 3) for call in calls] == [
        (quality, base) for quality, base in zip(qualities, (3, 1, 1, 1), strict=True)
    ]


CBCL = "BaseCalls/L001/C3.1/L001_2.cbcl"
BGZF = "BaseCalls/L001/0003.bcl.bgzf"


@pytest.mark.parametrize(
    ("suffix", "path", "damage", "message"),
    [
        (".cbcl", CBCL, lambda d: d[:-1], "its header, found"),
        (".cbcl", CBCL, lambda d: d + b"x", "1 bytes follow its gzip data"),
        (".cbcl", CBCL, lambda d: d + b"x" * 9, "by its header, found"),
        (".cbcl", CBCL, lambda d: b"\2" + d[1:], "cbcl version 1, found 2"),
        (".cbcl", CBCL, lambda d: d[:6] + b"\1" + d[7:], "found 1 and 2"),
        (".cbcl", CBCL, lambda d: d[:7] + b"\3" + d[8:], "found 2 and 3"),
        (".cbcl", CBCL, lambda d: d[:8] + b"\5" + d[9:], "at most 4 quality bins, found 5"),
        (".cbcl", CBCL, lambda d: d[:12] + b"\1" + d[13:], "quality bins from 0 to 3"),
        (".cbcl", CBCL, lambda d: d[:40] + b"\x40" + d[41:], "quality 64 is not possible"),
        (".cbcl", CBCL, lambda d: d[:2] + b"\xff" * 4 + d[6:], "4294967295 bytes is not possible"),
        (".cbcl", CBCL, lambda d: d[:44] + b"\xff" * 4 + d[48:], "header of 4294967295 tiles"),
        (".cbcl", CBCL, lambda d: d[:48] + b"\x99" + d[49:], "tile 2102 is not in this file"),
        (".cbcl", CBCL, lambda d: d[:48] + d[64:68] + d[52:], "stands twice"),
        (
            ".cbcl",
            CBCL,
            lambda d: d[:52] + b"\2" + d[53:],
            "expected 1 clusters of tile 2102, its header says 2",
        ),
        (".cbcl", CBCL, lambda d: d[:52] + b"\xff" + d[53:], "clusters of tile 2102 take"),
        (".cbcl", CBCL, lambda d: d[:56] + b"\xff\xff\xff" + d[59:], "take"),
        (".cbcl", CBCL, lambda d: b"\1", "truncated: 1 bytes"),
        (
            ".cbcl",
            CBCL,
            lambda d: d[:76] + bytes([d[76] + 1]) + d[77:] + b"x",
            "tile 2101: 1 bytes follow",
        ),
        (".cbcl", "BaseCalls/L001/s_1_2101.filter", lambda d: d[:-1], "expected 16 bytes"),
        (".bcl.bgzf", BGZF, lambda d: d[:-29], "truncated|no whole"),
        (".bcl.bgzf", BGZF, lambda d: d + b"x", "follow its last tile|BGZF block"),
        (".bcl.bgzf", BGZF, lambda d: b"no blocks at all", "expected a BGZF block"),
        (".bcl.bgzf", BGZF + ".bci", lambda d: d[:-1], "expected 4 tiles"),
        (".bcl.bgzf", BGZF + ".bci", lambda d: b"\1" + d[1:], "bci version 0, found 1"),
        (".bcl.bgzf", BGZF + ".bci", lambda d: d[:8] + d[16:24] + d[16:], "behind the header"),
        (".bcl.bgzf", BGZF + ".bci", lambda d: d[:24] + d[32:40] + d[32:], "do not reach"),
        (".bcl.bgzf", BGZF + ".bci", lambda d: d[:16] + b"\xff" * 8 + d[24:], "do not rise"),
        (".bcl.bgzf", "BaseCalls/L001/s_1.bci", lambda d: d[:-3], "expected 8 bytes a tile"),
        (".bcl.bgzf", "BaseCalls/L001/s_1.bci", lambda d: d[:-8], "tile 2102 is not in it"),
        (".bcl.bgzf", "BaseCalls/L001/s_1.filter", lambda d: d[:-1], "expected 22 bytes"),
        (
            ".bcl.bgzf",
            "L001/s_1.locs",
            lambda d: struct.pack("<ifI", 1, 1, 0),
            "0 clusters, s_1.bci has 10",
        ),
    ],
)
def test_damage_is_named(tiny_run, cluster_of, convert, suffix, path, damage, message):
    tiny_run.suffix = suffix
    fill(tiny_run, cluster_of)
    tiny_run.write(SHEET)
    file = tiny_run.folder / "Data" / "Intensities" / path
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ConversionError, match=message) as caught:
        convert(tiny_run.folder)
    assert path.removesuffix(".bci").rsplit("/", 1)[1].split(".")[0] in str(caught.value)
    assert "Data/Intensities" in str(caught.value)
    assert str(tiny_run.folder) not in str(caught.value)


def test_a_gzip_bomb_in_a_cbcl_is_not_unfolded(tiny_run, cluster_of, convert):
    tiny_run.suffix = ".cbcl"
    tiny_run.tiles = (1101,)
    tiny_run.clusters[1, 1101] = [cluster_of("ACGTAAACCCACGT")]
    tiny_run.write(SHEET)
    path = tiny_run.calls / "L001" / "C1.1" / "L001_1.cbcl"
    bomb = gzip.compress(bytes(20_000_000), mtime=0)
    data = path.read_bytes()
    path.write_bytes(data[:60] + struct.pack("<I", len(bomb)) + data[64:65] + bomb)
    with pytest.raises(ConversionError, match="more than 1"):
        convert(tiny_run.folder)


class TestWaived:
    """Files that a person said may be missing."""

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_one_cycle_is_missing(self, tiny_run, cluster_of, convert, expected, suffix):
        tiny_run.suffix = suffix
        fill(tiny_run, cluster_of)
        tiny_run.write(SHEET)
        gone = tiny_run.calls / "L001" / ("0002.bcl.bgzf" if "bgzf" in suffix else "C2.1")
        if gone.is_dir():
            shutil.rmtree(gone)
        else:
            gone.unlink()
        with pytest.raises(ConversionError, match=rf"{gone.name}.*: missing") as caught:
            convert(tiny_run.folder)
        assert caught.value.code == "convert.run_data"
        result, files = convert(tiny_run.folder, ignore=frozenset({"missing-bcls"}))
        whole = expected()
        for name, lines in whole.items():
            if "_R1_" in name:
                lines[1::4] = [line[0] + "N" + line[2:] for line in lines[1::4]]
                lines[3::4] = [line[0] + "#" + line[2:] for line in lines[3::4]]
        assert files == whole
        count = {".bcl.bgzf": 1, ".cbcl": 2}.get(suffix, 4)
        assert [w for w in result.warnings if f"missing-bcls: {count} files missing" in w]

    @pytest.mark.parametrize("suffix", [".bcl.gz", ".bcl.bgzf", ".cbcl"])
    def test_a_damaged_file_is_as_good_as_missing(self, tiny_run, cluster_of, convert, suffix):
        tiny_run.suffix = suffix
        fill(tiny_run, cluster_of)
        tiny_run.write(SHEET)
        name = {".bcl.bgzf": "0002.bcl.bgzf", ".cbcl": "C2.1/L001_1.cbcl"}
        path = tiny_run.calls / "L001" / name.get(suffix, "C2.1/s_1_1101.bcl.gz")
        data = bytearray(path.read_bytes())
        data[-9 if suffix != ".bcl.bgzf" else -35] ^= 1
        path.write_bytes(data)
        with pytest.raises(ConversionError, match=path.name):
            convert(tiny_run.folder)
        _, files = convert(tiny_run.folder, ignore=frozenset({"missing-bcls"}))
        assert "#" in "".join(line[1] for name in files for line in files[name][3::4])

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_the_filter_is_missing(self, tiny_run, cluster_of, convert, expected, suffix):
        tiny_run.suffix = suffix
        fill(tiny_run, cluster_of)
        tiny_run.write(SHEET)
        for path in (tiny_run.calls / "L001").glob("*.filter"):
            path.unlink()
        with pytest.raises(ConversionError, match=r"s_1.*\.filter: missing"):
            convert(tiny_run.folder, ignore=frozenset({"missing-bcls"}))
        result, files = convert(tiny_run.folder, ignore=frozenset({"missing-filter"}))
        assert (result.clusters, result.clusters_pf) == (10, 10)
        everything = expected(include_non_pf=True)
        lines = {name: [x.replace(":Y:0:", ":N:0:") for x in everything[name]] for name in files}
        assert files == lines

    def test_a_cbcl_without_the_failed_clusters_needs_its_filter(
        self, tiny_run, cluster_of, convert
    ):
        tiny_run.suffix = ".cbcl"
        tiny_run.passed_only_from = 1
        fill(tiny_run, cluster_of)
        tiny_run.write(SHEET)
        (tiny_run.calls / "L001" / "s_1_1102.filter").unlink()
        with pytest.raises(ConversionError) as caught:
            convert(tiny_run.folder, ignore=frozenset({"missing-filter", "missing-bcls"}))
        assert caught.value.code == "convert.filter_needed"
        assert "C1.1/L001_1.cbcl holds only" in str(caught.value)

    def test_a_filter_that_is_needed_is_missed_before_anything_is_written(
        self, tiny_run, cluster_of, tmp_path
    ):
        tiny_run.suffix = ".cbcl"
        tiny_run.passed_only_from = 3
        fill(tiny_run, cluster_of)
        tiny_run.write(SHEET)
        (tiny_run.calls / "L001" / "s_1_1102.filter").unlink()
        request = ConversionRequest(
            tiny_run.folder,
            tiny_run.folder / "SampleSheet.csv",
            tmp_path / "out",
            ignore=frozenset({"missing-filter"}),
        )
        with pytest.raises(ConversionError, match=r"C3\.1/L001_1\.cbcl holds only") as caught:
            find("builtin").announce(request)
        assert caught.value.code == "convert.filter_needed"

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_positions_are_made_up_and_differ(self, tiny_run, cluster_of, convert, suffix):
        tiny_run.suffix = suffix
        fill(tiny_run, cluster_of)
        tiny_run.write(SHEET)
        shutil.rmtree(tiny_run.folder / "Data" / "Intensities" / "L001")
        with pytest.raises(ConversionError, match=r"s_1.*\.locs: missing"):
            convert(tiny_run.folder)
        _, files = convert(tiny_run.folder, ignore=frozenset({"missing-positions"}))
        heads = [line for name in files if "_R1_" in name for line in files[name][::4]]
        assert len({head.split(" ")[0] for head in heads}) == len(heads) == 7

    def test_what_the_file_system_does_not_give_is_not_waived(self, tiny_run, cluster_of, convert):
        fill(tiny_run, cluster_of)
        tiny_run.write(SHEET)
        path = tiny_run.calls / "L001" / "C2.1" / "s_1_1101.bcl.gz"
        path.unlink()
        path.mkdir()  # an error that is not that of a missing file
        with pytest.raises(ConversionError, match="cannot be read: it is not a file") as caught:
            convert(tiny_run.folder, ignore=frozenset({"missing-bcls"}))
        assert caught.value.code == "convert.io"

    def test_what_cannot_be_ignored_is_named(self, tiny_run, convert):
        tiny_run.write(SHEET)
        with pytest.raises(ConversionError, match="'missing-sense' cannot be ignored") as caught:
            convert(tiny_run.folder, ignore=frozenset({"missing-sense"}))
        assert caught.value.code == "convert.ignore"
