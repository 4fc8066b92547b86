from pathlib import Path

import pytest

from arteriole.illumina.run_folder import BclKind, RunFolder, expected_markers


@pytest.mark.parametrize(
    ("serial_number", "markers"),
    [
        ("M04034", ("RTAComplete.txt",)),
        ("MN00123", ("RTAComplete.txt",)),
        ("NB501234", ("RTAComplete.txt",)),
        ("VH00123", ("CopyComplete.txt",)),
        ("A00834", ("CopyComplete.txt",)),
        ("LH00100", ("CopyComplete.txt",)),
        ("FS10000123", ("CopyComplete.txt",)),
        ("ST-E00123", ("RTAComplete.txt",)),
        ("D00123", ("RTAComplete.txt",)),
        ("unknown", ("RTAComplete.txt", "CopyComplete.txt")),
    ],
)
def test_marker_by_instrument(serial_number, markers):
    assert expected_markers(serial_number) == markers


@pytest.mark.parametrize("present", [(), ("CopyComplete.txt",), ("RTAComplete.txt",)])
def test_markers_are_those_that_are_there(run_dir, present):
    for name in present:
        (run_dir / name).touch()
    assert RunFolder(run_dir).markers == present


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("C1.1/s_1_1101.bcl", BclKind.BCL),
        ("C1.1/s_1_1101.bcl.gz", BclKind.BCL_GZ),
        ("C1.1/L001_1.cbcl", BclKind.CBCL),
        ("0001.bcl.bgzf", BclKind.BCL_BGZF),
        ("s_1_1101.filter", None),
    ],
)
def test_kind_of_base_calls(tmp_path: Path, file, kind):
    path = tmp_path / "Data" / "Intensities" / "BaseCalls" / "L001" / file
    path.parent.mkdir(parents=True)
    path.touch()
    assert RunFolder(tmp_path).bcl_kind(1) is kind
    assert RunFolder(tmp_path).bcl_kind(2) is None


@pytest.mark.parametrize("name", ["L001/s_1_1101.locs", "L001/s_1_1101.clocs", "s.locs"])
def test_where_positions_lie(tmp_path: Path, name):
    path = tmp_path / "Data" / "Intensities" / name
    path.parent.mkdir(parents=True)
    path.touch()
    assert RunFolder(tmp_path).positions(1, 1101) == path
    assert (RunFolder(tmp_path).positions(1, 1102) == path) is (name == "s.locs")
