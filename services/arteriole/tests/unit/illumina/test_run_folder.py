from pathlib import Path

import pytest

from arteriole.illumina.instruments import INSTRUMENTS, expected_markers, instrument_type
from arteriole.illumina.run_folder import BclKind, RunFolder

RTA, COPY = ("RTAComplete.txt", "RTAComplete.xml"), ("CopyComplete.txt",)


@pytest.mark.parametrize(
    ("serial_number", "markers"),
    [
        ("M04034", RTA),
        ("MN00123", RTA),
        ("NB501234", RTA),
        ("VH00123", COPY),
        ("A00834", COPY),
        ("LH00100", COPY),
        ("FS10000123", COPY),
        ("ST-E00123", RTA),
        ("D00123", RTA),
        ("SN7001234", RTA),
        ("7001234F", RTA),
        ("C00123", RTA),
        ("HWI-ST123", RTA),
        ("HWI-D00123", RTA),
        ("HWI-M00123", RTA),
        ("SH00123", RTA + COPY),
        ("unknown", RTA + COPY),
    ],
)
def test_marker_by_instrument(serial_number, markers):
    assert expected_markers(serial_number) == markers


@pytest.mark.parametrize(
    ("serial_number", "name"),
    [
        ("MN00123", "MiniSeq"),
        ("M04034", "MiSeq"),
        ("SH00123", "MiSeq i100"),
        ("FS10000123", "iSeq"),
        ("NS500123", "NextSeq 500/550"),
        ("NB552123", "NextSeq 500/550"),
        ("TPNB500123AR", "NextSeq 500/550"),
        ("NDX550123", "NextSeq 550Dx"),
        ("VH00123", "NextSeq 1000/2000"),
        ("VL00123", "NextSeq 1000/2000"),
        ("K00123", "HiSeq 3000/4000"),
        ("HWI-ST123", "HiSeq"),
        ("SNL123", "HiSeq"),
        ("ST-E00123", "HiSeq X"),
        ("E00123", "HiSeq X"),
        ("A00123", "NovaSeq 6000"),
        ("LH00123", "NovaSeq X"),
    ],
)
def test_the_family_of_an_instrument(serial_number, name):
    known = instrument_type(serial_number)
    assert known is not None
    assert known.name == name


def test_what_is_known_of_each_family_rests_on_something():
    assert {known.name for known in INSTRUMENTS if not known.is_verified} == {
        "MiSeq i100",
        "NextSeq 550Dx",
    }
    assert all(bool(known.marker) is known.is_verified for known in INSTRUMENTS)


@pytest.mark.parametrize("present", [(), COPY, ("RTAComplete.txt",), RTA])
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


@pytest.mark.parametrize(
    "name", ["L001/s_1_1101.locs", "L001/s_1_1101.clocs", "s.locs", "s_1.locs"]
)
def test_where_positions_lie(tmp_path: Path, name):
    path = tmp_path / "Data" / "Intensities" / name
    path.parent.mkdir(parents=True)
    path.touch()
    assert RunFolder(tmp_path).positions(1, 1101) == path
    assert (RunFolder(tmp_path).positions(1, 1102) == path) is ("L001" not in name)
    assert (RunFolder(tmp_path).positions(2, 1101) == path) is (name == "s.locs")
