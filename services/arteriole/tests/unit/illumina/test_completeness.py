import gzip
import os
import shutil
import struct
import time
from dataclasses import replace
from pathlib import Path

import pytest

from arteriole.illumina import completeness
from arteriole.illumina.completeness import Sort
from arteriole.illumina.run_info import RunInfo

from .conftest import write_cbcls

CALLS = "Data/Intensities/BaseCalls/L001"
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def check(run_dir: Path) -> completeness.Completeness:
    return completeness.check(run_dir, RunInfo.read(run_dir))


@pytest.mark.parametrize("suffix", [".bcl", ".bcl.gz"])
def test_a_whole_run(tmp_path, run_writer, suffix):
    write_run_info, write_calls = run_writer
    write_run_info(tmp_path)
    write_calls(tmp_path, 4, 5, suffix)
    found = check(tmp_path)
    assert found.problems == ()
    assert (found.expected, found.found, found.is_complete) == (2 * 4 + 2 + 2, 12, True)


def gz(clusters: int, calls: int) -> bytes:
    return gzip.compress(struct.pack("<I", clusters) + bytes(calls), mtime=0)


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        (f"{CALLS}/C3.1/s_1_1102.bcl.gz", None, "missing"),
        (f"{CALLS}/C3.1/s_1_1102.bcl.gz", b"", "truncated: 0 bytes"),
        (f"{CALLS}/C3.1/s_1_1102.bcl.gz", gz(5, 5)[:-3], "truncated or damaged"),
        (f"{CALLS}/C3.1/s_1_1102.bcl.gz", gz(5, 4), "gzip end says 8 bytes"),
        (f"{CALLS}/C3.1/s_1_1102.bcl.gz", gz(6, 6), "6 clusters, its filter file has 5"),
        (f"{CALLS}/C3.1/s_1_1102.bcl.gz", b"something else", "not gzip"),
        (f"{CALLS}/s_1_1102.filter", None, "missing"),
        (f"{CALLS}/s_1_1102.filter", b"\0" * 8, "truncated"),
        (f"{CALLS}/s_1_1102.filter", struct.pack("<III", 0, 3, 5) + b"1", "expected 17 bytes"),
        ("Data/Intensities/L001/s_1_1102.locs", None, "missing"),
        ("Data/Intensities/L001/s_1_1102.locs", struct.pack("<ifI", 1, 1.0, 0), "0 clusters"),
    ],
)
def test_one_problem_is_named(run_dir, path, data, reason):
    if data is None:
        (run_dir / path).unlink()
    else:
        (run_dir / path).write_bytes(data)
    found = check(run_dir)
    assert (found.expected, found.found, found.problem_count) == (12, 11, 1)
    assert found.problems[0].startswith(path.removesuffix(".gz"))
    assert reason in found.problems[0]


def test_a_cycle_that_is_missing_is_one_problem_of_all_its_files(run_dir):
    for cycle in (3, 4):
        shutil.rmtree(run_dir / CALLS / f"C{cycle}.1")
    (run_dir / CALLS / "C4.1").mkdir()
    found = check(run_dir)
    assert (found.expected, found.found, found.problem_count) == (12, 8, 4)
    assert found.problems == tuple(
        f"{CALLS}/C{cycle}.1: missing, with all of its 2 files" for cycle in (3, 4)
    )
    assert found.counts == {Sort.CALLS: 4}


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"\5\0\0\0" + b"1234", "its header asks for 9"), (b"\5", "header is not complete")],
)
def test_plain_bcl(tmp_path, run_writer, data, reason):
    write_run_info, write_calls = run_writer
    write_run_info(tmp_path)
    write_calls(tmp_path, 4, 5, ".bcl")
    (tmp_path / CALLS / "C1.1" / "s_1_1101.bcl").write_bytes(data)
    assert reason in check(tmp_path).problems[0]


@pytest.mark.parametrize("name", ["s.locs", "s_1.locs"])
def test_one_file_of_positions_for_all_tiles(run_dir, name):
    intensities = run_dir / "Data" / "Intensities"
    for path in (intensities / "L001").iterdir():
        path.unlink()
    shared = intensities / name
    shared.write_bytes(struct.pack("<ifI", 1, 1.0, 5) + bytes(40))
    assert (check(run_dir).expected, check(run_dir).found) == (11, 11)
    shared.write_bytes(struct.pack("<ifI", 1, 1.0, 6) + bytes(48))
    found = check(run_dir)
    assert (found.found, found.problem_count) == (9, 2)
    assert f"5 clusters, {name} has 6" in found.problems[0]
    shared.rename(intensities / "s_2.locs")  # of another lane
    assert "L001/s_1_1101.locs: missing" in check(run_dir).problems[0]


def test_each_lane_has_positions_of_its_own_where_there_is_no_s_locs(run_dir, run_writer):
    run_writer[0](run_dir, lanes=2)
    calls, intensities = run_dir / CALLS, run_dir / "Data" / "Intensities"
    shutil.copytree(calls, calls.with_name("L002"))
    for path in [*calls.with_name("L002").rglob("*"), *(intensities / "L001").iterdir()]:
        if path.is_file():
            path.rename(path.with_name(path.name.replace("s_1_", "s_2_")))
    for lane, wells in ((1, 5), (2, 6)):
        data = struct.pack("<ifI", 1, 1.0, wells) + bytes(8 * wells)
        (intensities / f"s_{lane}.locs").write_bytes(data)
    found = check(run_dir)
    assert (found.expected, found.found) == (22, 20)
    assert f"{CALLS[:-1]}2/s_2_1101.filter: 5 clusters, s_2.locs has 6" in found.problems
    (intensities / "s.locs").write_bytes(struct.pack("<ifI", 1, 1.0, 5) + bytes(40))
    assert (check(run_dir).expected, check(run_dir).found) == (21, 21)


def test_many_tiles_of_a_surface_are_one_file_to_look_for(tmp_path, run_writer):
    path = run_writer[0](tmp_path, reads=((100, "N"),))
    path.write_text(path.read_text().replace('TileCount="2"', 'TileCount="9999"'))
    for cycle in range(1, 101):
        (tmp_path / CALLS / f"C{cycle}.1").mkdir(parents=True)
        (tmp_path / CALLS / f"C{cycle}.1" / "L001_1.cbcl").touch()
    started = time.process_time()
    assert check(tmp_path).problem_count > 19_000
    assert time.process_time() - started < 2  # 0.3; 3.7 when each tile was asked for its file


def test_clocs(run_dir):
    folder = run_dir / "Data" / "Intensities" / "L001"
    (folder / "s_1_1101.locs").unlink()
    (folder / "s_1_1101.clocs").write_bytes(struct.pack("<BIB", 1, 1, 5) + bytes(10))
    assert check(run_dir).is_complete


def test_gzip_in_blocks_needs_its_end_marker(run_dir):
    path = run_dir / CALLS / "C1.1" / "s_1_1101.bcl.gz"
    whole = gz(5, 5)
    extra = whole[:3] + b"\4" + whole[4:10] + b"\6\0BC\2\0\0\0" + whole[10:]
    path.write_bytes(extra + BGZF_END)
    assert check(run_dir).is_complete
    path.write_bytes(extra)
    assert "end marker" in check(run_dir).problems[0]


def test_only_the_first_problems_are_kept(tmp_path, run_writer):
    write_run_info, _ = run_writer
    write_run_info(tmp_path, reads=((100, "N"),))
    found = check(tmp_path)
    assert (found.expected, found.found, found.problem_count) == (204, 0, 204)
    assert len(found.problems) == 20


def write_bgzfs(folder: Path, cycles: int, clusters: int) -> None:
    """Lane 1, tiles 1101 and 1102, a block for the header and one for each tile."""
    lane_dir = folder / CALLS
    for path in lane_dir.glob("*.filter"):
        path.unlink()
    lane_dir.joinpath("s_1.bci").write_bytes(struct.pack("<4I", 1101, clusters, 1102, clusters))
    flags = struct.pack("<III", 0, 3, 2 * clusters) + b"\1" * 2 * clusters
    lane_dir.joinpath("s_1.filter").write_bytes(flags)
    positions = struct.pack("<ifI", 1, 1.0, 2 * clusters) + bytes(16 * clusters)
    (folder / "Data/Intensities/L001/s_1.locs").write_bytes(positions)
    head, tile = block(struct.pack("<I", 2 * clusters)), block(b"\x95" * clusters)
    for cycle in range(1, cycles + 1):
        path = lane_dir / f"{cycle:04d}.bcl.bgzf"
        path.write_bytes(head + tile + tile + BGZF_END)
        offsets = len(head) << 16, len(head + tile) << 16
        path.with_suffix(".bgzf.bci").write_bytes(struct.pack("<2I2Q", 0, 2, *offsets))


def block(data: bytes) -> bytes:
    packed = gzip.compress(data, mtime=0)[10:]
    return bytes.fromhex("1f8b08040000000000ff060042430200") + (
        struct.pack("<H", len(packed) + 17) + packed
    )


@pytest.fixture
def other_run(run_dir):
    """Gives the run in another way of storing base calls."""

    def make(suffix: str) -> Path:
        for path in (run_dir / CALLS).glob("C*.1/*"):
            path.unlink()
        (write_cbcls if suffix == ".cbcl" else write_bgzfs)(run_dir, 4, 5)
        return run_dir

    return make


@pytest.mark.parametrize(
    ("suffix", "expected"), [(".cbcl", 4 + 2 + 2), (".bcl.bgzf", 1 + 8 + 1 + 1)]
)
@pytest.mark.parametrize("ends", [True, False])
def test_a_whole_run_of_another_kind(other_run, suffix, expected, ends):
    run_dir = other_run(suffix)
    found = completeness.check(run_dir, RunInfo.read(run_dir), ends)
    assert found.problems == ()
    assert (found.expected, found.found) == (expected, expected)


CBCL = f"{CALLS}/C3.1/L001_1.cbcl"
BGZF = f"{CALLS}/0003.bcl.bgzf"


@pytest.mark.parametrize(
    ("suffix", "path", "damage", "reason"),
    [
        (".cbcl", CBCL, None, "missing"),
        (".cbcl", CBCL, lambda d: b"", "truncated: 0 bytes"),
        (".cbcl", CBCL, lambda d: d[:-1], "by its header, found"),
        (".cbcl", CBCL, lambda d: d[:-4] + b"\4" + d[-3:], "the gzip end of tile 1101"),
        (".cbcl", CBCL, lambda d: d[:49] + b"x" + d[50:], "tile 1102 is not gzip"),
        (".cbcl", CBCL, lambda d: d[:16] + b"\1" + d[17:], "tile 1102 is not in this file"),
        (".cbcl", f"{CALLS}/s_1_1102.filter", None, "missing"),
        (".bcl.bgzf", BGZF, None, "missing"),
        (".bcl.bgzf", BGZF, lambda d: b"", "truncated: 0 bytes"),
        (".bcl.bgzf", BGZF, lambda d: d[:-29], "no whole gzip block"),
        (".bcl.bgzf", BGZF, lambda d: d[:30], "a tile begins at byte"),
        (".bcl.bgzf", BGZF, lambda d: d[:32] + b"x" + d[33:], "no gzip block at byte 32"),
        (".bcl.bgzf", BGZF, lambda d: b"x" + d, "not gzip"),
        (
            ".bcl.bgzf",
            BGZF,
            lambda d: d[: 32 + (len(d) - 60) // 2] + block(b"\x95" * 4) + BGZF_END,
            "4 calls of the last tile, which has 5 clusters",
        ),
        (".bcl.bgzf", BGZF + ".bci", None, "missing"),
        (".bcl.bgzf", BGZF + ".bci", lambda d: d[:-1], "expected 2 tiles in 24 bytes"),
        (".bcl.bgzf", f"{CALLS}/s_1.filter", None, "missing"),
        (".bcl.bgzf", f"{CALLS}/s_1.filter", lambda d: d[:-1], "expected 22 bytes"),
        (".bcl.bgzf", "Data/Intensities/L001/s_1.locs", None, "missing"),
        (".bcl.bgzf", f"{CALLS}/s_1.filter", lambda d: d[:8] + b"\1\0\0\0a", "s_1.bci has 10"),
    ],
)
def test_one_problem_of_another_kind_is_named(other_run, suffix, path, damage, reason):
    run_dir = other_run(suffix)
    file = run_dir / path
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage(file.read_bytes()))
    found = check(run_dir)
    assert (found.problem_count, found.expected - found.found) == (1, 1), found.problems
    assert found.problems[0].startswith(path)
    assert reason in found.problems[0]


LINKED = [
    (".bcl.gz", f"{CALLS}/C3.1", 2),
    (".bcl.gz", f"{CALLS}/C3.1/s_1_1102.bcl.gz", 1),
    (".bcl.gz", f"{CALLS}/s_1_1101.filter", 1),
    (".bcl.gz", "Data/Intensities/L001/s_1_1101.locs", 1),
    (".cbcl", f"{CALLS}/C3.1", 1),
    (".cbcl", CBCL, 1),
    (".cbcl", f"{CALLS}/s_1_1101.filter", 1),
    (".cbcl", "Data/Intensities/s.locs", 1),
    (".bcl.bgzf", BGZF, 1),
    (".bcl.bgzf", f"{BGZF}.bci", 1),
    (".bcl.bgzf", f"{CALLS}/s_1.filter", 1),
    (".bcl.bgzf", f"{CALLS}/s_1.bci", 1),
    (".bcl.bgzf", "Data/Intensities/L001/s_1.locs", 1),
]


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize(("suffix", "path", "files"), LINKED)
def test_what_a_link_leads_to_outside_is_not_the_runs(
    other_run, run_dir, tmp_path, suffix, path, files, ends
):
    if suffix != ".bcl.gz":
        other_run(suffix)
    if path.endswith("s.locs"):
        (run_dir / path).write_bytes(struct.pack("<ifI", 1, 1.0, 5) + bytes(40))
    place = run_dir / path
    inside, outside = run_dir / "kept", tmp_path / "outside"
    place.rename(inside)
    place.symlink_to(inside)
    assert completeness.check(run_dir, RunInfo.read(run_dir), ends).is_complete
    inside.rename(outside)
    place.unlink()
    place.symlink_to(outside)
    found = completeness.check(run_dir, RunInfo.read(run_dir), ends)
    told = f"{path}: a link that leads out of the run folder"
    assert (found.problems, found.problem_count) == ((told,), files)


def test_a_cbcl_may_lack_clusters_that_failed_but_as_many_in_every_cycle(other_run):
    run_dir = other_run(".cbcl")
    write_cbcls(run_dir, 4, 5, passed_only_from=2)
    assert check(run_dir).is_complete
    write_cbcls(run_dir, 3, 4, passed_only_from=3)
    problems = "".join(check(run_dir).problems)
    assert "C1.1/L001_1.cbcl: tile 1101: 4 clusters, its filter file has 5" in problems
    assert "C4.1/L001_1.cbcl: tile 1101: 4 clusters passed the filter, in an earlier" in problems


@pytest.mark.parametrize(
    ("passed_only_from", "lost", "passed_only", "needed"),
    [
        (99, (1101, 1102), "", False),
        (3, (), f"{CALLS}/C3.1/L001_1.cbcl", False),
        (3, (1102,), f"{CALLS}/C3.1/L001_1.cbcl", True),
    ],
)
def test_a_cbcl_that_lacks_clusters_needs_its_filters(
    other_run, passed_only_from, lost, passed_only, needed
):
    run_dir = other_run(".cbcl")
    write_cbcls(run_dir, 4, 5, passed_only_from=passed_only_from)
    for tile in lost:
        (run_dir / CALLS / f"s_1_{tile}.filter").unlink()
    found = check(run_dir)
    assert (found.passed_only, found.filter_needed) == (passed_only, needed)


def test_a_tile_of_a_cbcl_may_stand_in_another_file_but_not_in_two(other_run):
    run_dir = other_run(".cbcl")
    first = run_dir / CALLS / "C2.1" / "L001_1.cbcl"
    data = first.read_bytes()
    first.with_name("L001_2.cbcl").write_bytes(data)
    assert "C2.1/L001_1.cbcl: tile 1102 is in another file" in check(run_dir).problems[0]
    first.unlink()
    assert check(run_dir).problems == (f"{CALLS}/C2.1/L001_1.cbcl: missing",)


def test_a_lane_whose_tile_index_is_missing_names_it(other_run):
    run_dir = other_run(".bcl.bgzf")
    (run_dir / CALLS / "s_1.bci").unlink()
    assert check(run_dir).problems == (f"{CALLS}/s_1.bci: missing",)


@pytest.mark.parametrize(
    ("offsets", "reason"),
    [
        ((4, 9), ""),
        ((5, 10), "its index has the first tile at byte 5"),
        ((4, 8), "a tile of 5 clusters takes 4 bytes by its index"),
    ],
)
def test_tiles_that_begin_in_one_block(other_run, offsets, reason):
    run_dir = other_run(".bcl.bgzf")
    calls = struct.pack("<I", 10) + b"\x95" * 10
    (run_dir / BGZF).write_bytes(block(calls) + BGZF_END)
    (run_dir / f"{BGZF}.bci").write_bytes(struct.pack("<2I2Q", 0, 2, *offsets))
    found = check(run_dir)
    assert [reason in problem for problem in found.problems] == [True] * bool(reason)


def test_a_cbcl_that_should_lack_clusters_that_failed(other_run):
    """Said of one that has them all it is true only if all passed."""
    run_dir = other_run(".cbcl")
    path = run_dir / CBCL
    data = bytearray(path.read_bytes())
    assert data[48] == 0
    data[48] = 1
    path.write_bytes(data)
    passed = run_dir / CALLS / "s_1_1102.filter"
    header = passed.read_bytes()[:12]
    passed.write_bytes(header + b"\1\1\1\1\1")
    assert check(run_dir).is_complete
    passed.write_bytes(header + b"\1\1\1\1\0")
    reason = "tile 1102: none is left out of those that failed the filter"
    assert check(run_dir).problems == (f"{CBCL}: {reason}",)


@pytest.mark.parametrize(
    ("suffix", "path", "reason"),
    [
        (".bcl.gz", "", "RunInfo.xml does not list tile 1102 of lane 1"),
        (".cbcl", "/C1.1/L001_1.cbcl", "RunInfo.xml does not list tile 1102 of lane 1"),
        (".bcl.bgzf", "/s_1.bci", "RunInfo.xml does not list tile 1102 of lane 1"),
    ],
)
def test_a_tile_that_run_info_does_not_list(run_dir, other_run, suffix, path, reason):
    run_dir = run_dir if suffix == ".bcl.gz" else other_run(suffix)
    info = RunInfo.read(run_dir)
    fewer = replace(info, tiles={1: (1101,)})
    found = completeness.check(run_dir, fewer)
    assert found.problems == (f"{CALLS}{path}: {reason}",)
    assert completeness.check(run_dir, fewer, ends=False).is_complete


@pytest.mark.parametrize(
    ("suffix", "later"),
    [(".bcl.gz", "C3.1 C4.1"), (".bcl.bgzf", "0003.bcl.bgzf 0004.bcl.bgzf")],
)
def test_cycles_that_run_info_does_not_have(run_dir, other_run, suffix, later):
    run_dir = run_dir if suffix == ".bcl.gz" else other_run(suffix)
    (run_dir / CALLS / "C9.1").mkdir()  # empty, as some are made before the first cycle
    info = RunInfo.read(run_dir)
    found = completeness.check(run_dir, replace(info, reads=info.reads[:1]))
    reason = "RunInfo.xml has only 2 cycles"
    assert found.problems == tuple(f"{CALLS}/{name}: {reason}" for name in later.split())


def test_a_lane_that_run_info_does_not_have(run_dir):
    (run_dir / CALLS.replace("1", "2")).mkdir()
    assert check(run_dir).is_complete
    shutil.copytree(run_dir / CALLS, run_dir / CALLS.replace("1", "2"), dirs_exist_ok=True)
    reason = "it has base calls, and no tile of it is in RunInfo.xml"
    assert check(run_dir).problems == (f"{CALLS[:-1]}2: {reason}",)


def test_hidden_names_do_not_tell_how_base_calls_are_stored(run_dir):
    (run_dir / CALLS / "C1.1" / "._L001_1.cbcl").touch()
    assert check(run_dir).is_complete


def test_problems_are_counted_by_sort(run_dir):
    (run_dir / CALLS / "C1.1" / "s_1_1101.bcl.gz").unlink()
    (run_dir / CALLS / "s_1_1101.filter").unlink()
    (run_dir / CALLS / "s_1_1102.filter").unlink()
    found = check(run_dir)
    assert found.counts == {Sort.CALLS: 1, Sort.FILTER: 2}
    assert found.firsts[Sort.FILTER] == f"{CALLS}/s_1_1101.filter: missing"


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs ARTERIOLE_REAL_DATA")
def test_a_trimmed_hiseq_x_run_is_not_complete():
    folder = Path(os.environ["ARTERIOLE_REAL_DATA"]) / "151005_ST-00295_0022_BHH5VTCCXX"
    found = check(folder)
    # Of 302 files 301 hold the path of the first: links, checked out as text.
    assert (found.expected, found.found) == (8 * 96 * (302 + 2), 1)
    assert found.problem_count == found.expected - 1
