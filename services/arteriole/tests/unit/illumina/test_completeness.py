import gzip
import os
import struct
from pathlib import Path

import pytest

from arteriole.illumina import completeness
from arteriole.illumina.run_info import RunInfo

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


def test_one_s_locs_for_all_tiles(run_dir):
    intensities = run_dir / "Data" / "Intensities"
    for path in (intensities / "L001").iterdir():
        path.unlink()
    shared = intensities / "s.locs"
    shared.write_bytes(struct.pack("<ifI", 1, 1.0, 5) + bytes(40))
    assert (check(run_dir).expected, check(run_dir).found) == (11, 11)
    shared.write_bytes(struct.pack("<ifI", 1, 1.0, 6) + bytes(48))
    found = check(run_dir)
    assert (found.found, found.problem_count) == (9, 2)
    assert "5 clusters, s.locs has 6" in found.problems[0]


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


@pytest.mark.parametrize("file", ["C1.1/L001_1.cbcl", "0001.bcl.bgzf"])
def test_other_base_calls_are_named(run_dir, file):
    path = run_dir / CALLS / file
    path.parent.mkdir(exist_ok=True)
    path.touch()
    problems = check(run_dir).problems
    assert file.split(".")[-1] in problems[0]


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs ARTERIOLE_REAL_DATA")
def test_a_trimmed_hiseq_x_run_is_not_complete():
    folder = Path(os.environ["ARTERIOLE_REAL_DATA"]) / "151005_ST-00295_0022_BHH5VTCCXX"
    found = check(folder)
    # Of 302 files 301 hold the path of the first: links, checked out as text.
    assert (found.expected, found.found) == (8 * 96 * (302 + 2), 1)
    assert found.problem_count == found.expected - 1
