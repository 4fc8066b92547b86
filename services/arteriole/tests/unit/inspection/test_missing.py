import gzip

import pytest

from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.run_info import Layout, Read, RunInfo
from arteriole.inspection.missing import missing_files, named

INFO = RunInfo(
    "260101_M1_1_A",
    1,
    "A",
    "M1",
    "260101",
    (Read(1, 4, False),),
    Layout(2, 1, 1, 3),
    {1: (1101, 1102, 1103), 2: (1101, 1102, 1103)},
)


@pytest.mark.parametrize(
    ("numbers", "known", "text"),
    [
        ([4], range(1, 9), "lane 4"),
        ([3, 1, 2], range(1, 9), "lanes 1-3"),
        ([1101, 2101], [1101, 2101, 2102], "lanes 1101-2101"),
        ([1, 3, 5, 7, 9], range(1, 10), "lanes 1, 3, 5 and 2 more places"),
    ],
)
def test_numbers_are_told_as_ranges(numbers, known, text):
    assert named("lane", numbers, known) == text


@pytest.fixture
def folder(tmp_path):
    """A run of two lanes, three tiles and four cycles, all there."""
    folder = RunFolder(tmp_path)
    for lane, tiles in INFO.tiles.items():
        for tile in tiles:
            for cycle in range(1, 5):
                path = folder.cycle(lane, cycle) / f"s_{lane}_{tile}.bcl.gz"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(gzip.compress(b"\5\0\0\0" + b"\x91" * 5))
            folder.filter(lane, tile).touch()
            locs = folder.intensities / f"L{lane:03d}" / f"s_{lane}_{tile}.locs"
            locs.parent.mkdir(exist_ok=True)
            locs.touch()
    return folder


def lose(folder, *patterns):
    for pattern in patterns:
        found = list(folder.intensities.glob(pattern))
        assert found
        for path in found:
            path.unlink()


def test_nothing_is_missing(folder):
    assert missing_files(folder, INFO) == ()


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["BaseCalls/L001/C3.1/*"], "lane 1: no base calls of cycle 3"),
        (["BaseCalls/L00?/C[234].1/*"], "lanes 1-2: no base calls of cycles 2-4"),
        (["BaseCalls/L002/*/*_1102.*"], "lane 2: no base calls of tile 1102"),
        (
            ["BaseCalls/L002/C1.1/*", "BaseCalls/L002/*/*_1103.bcl.gz"],
            "lane 2: no base calls of cycle 1; no base calls of tile 1103 in the other cycles",
        ),
        (
            ["BaseCalls/L001/C2.1/*_1102.*", "BaseCalls/L001/C4.1/*_1101.*"],
            "lane 1: 2 files of base calls, the first of cycle 2 tile 1102",
        ),
        (["BaseCalls/L001/*_110[12].filter"], "lane 1: no .filter file of tiles 1101-1102"),
        (["L00?/*.locs"], "lanes 1-2: no positions (.locs, .clocs or s.locs)"),
        (["L001/*_1102.locs"], "lane 1: no positions of tile 1102"),
        (
            ["BaseCalls/L002/*.filter", "BaseCalls/L002/*/*.gz", "L002/*"],
            "lane 2: nothing at all of base calls, filters and positions",
        ),
    ],
)
def test_what_is_missing_is_told_in_one_line(folder, patterns, expected):
    lose(folder, *patterns)
    assert missing_files(folder, INFO) == (expected,)


@pytest.mark.parametrize(("name", "lanes"), [("s.locs", ""), ("s_1.locs", "lane 2: no positions")])
def test_positions_that_tiles_share(folder, name, lanes):
    lose(folder, "L00?/*.locs")
    (folder.intensities / name).touch()
    assert "".join(missing_files(folder, INFO)).startswith(lanes)
    assert bool(missing_files(folder, INFO)) is bool(lanes)


def test_files_that_hold_no_call(folder):
    for name in ("C2.1/s_1_1101.bcl.gz", "C3.1/s_1_1102.bcl.gz"):
        (folder.lane(1) / name).write_bytes(gzip.compress(b""))
    assert missing_files(folder, INFO) == (
        "lane 1: 2 files of base calls hold no call, such as C2.1/s_1_1101.bcl.gz",
    )
