"""XML that would take more than it weighs, and files that are none."""

import os

import pytest

from arteriole.illumina import xml_file
from arteriole.illumina.errors import RunInfoError

FEW = 1600  # bytes, for a hundred elements and attributes


def deep(depth):
    return b"<RunInfo>" + b"<a>" * (depth - 1) + b"</a>" * (depth - 1) + b"</RunInfo>"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<RunInfo>" + b"<a/>" * 100 + b"</RunInfo>", "more than 100 elements and attributes"),
        (b"<RunInfo>" + b"<a b='' c=''/>" * 33 + b"<a/></RunInfo>", "more than 100 elements"),
        (b"<" + b"r" * 1000 + b"/>", f"expected <RunInfo> as root, found <{'r' * 60}>"),
        (b"<RunInfo>" + b" " * FEW, "larger than"),
    ],
)
def test_what_takes_too_much_memory_is_refused(tmp_path, data, message):
    (tmp_path / "x.xml").write_bytes(data)
    with pytest.raises(RunInfoError, match=message):
        xml_file.read(tmp_path / "x.xml", "RunInfo", RunInfoError, FEW)


@pytest.mark.parametrize("data", [b"<RunInfo>" + b"<a/>" * 99 + b"</RunInfo>", deep(100)])
def test_what_takes_as_much_as_it_may_is_read(tmp_path, data):
    (tmp_path / "x.xml").write_bytes(data)
    root = xml_file.read(tmp_path / "x.xml", "RunInfo", RunInfoError, FEW)
    assert len(list(root.iter())) == 100


def test_what_is_too_deep_is_refused(tmp_path):
    (tmp_path / "x.xml").write_bytes(deep(101))
    with pytest.raises(RunInfoError, match="elements stand in each other more than 100 deep"):
        xml_file.read(tmp_path / "x.xml", "RunInfo", RunInfoError)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_neither_waited_for_nor_read(tmp_path, make):
    make(tmp_path / "x.xml")
    with pytest.raises(RunInfoError, match=r"x.xml cannot be read: (it is not a file|Is a dir)"):
        xml_file.read(tmp_path / "x.xml", "RunInfo", RunInfoError)
