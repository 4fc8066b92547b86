"""Until it is published nobody else there can read what is sent, nor its names at any time."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from arteriole.checksum.listing import list_files
from arteriole.transfer.scripts import PARTIAL_DIR

from .conftest import BIG, Place, cluster_of, mounted, some_group


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask() -> Iterator[None]:
    """One that is open to the group, and to nobody else."""
    before = os.umask(0o027)
    yield
    os.umask(before)


@pytest.mark.parametrize("left", ["nothing", ".attempt-1.partial", ".attempt-1.next"])
def test_nobody_else_enters_the_partial_folder(place: Place, umask: None, left: str) -> None:
    """Whatever is left from before; what is published has the modes that its user gives."""
    if left != "nothing":
        folder = place.final.parent / left
        (folder / "attempt-1" / "P1").mkdir(parents=True)
        folder.chmod(0o755)
        (folder / "attempt-1" / BIG).write_bytes(b"half")
    cluster = cluster_of(place.site.task(place.parameters(mounted(place))))
    found = cluster.look()
    assert found.begun is (left != "nothing")
    assert mode(place.partial.parent) == 0o700
    cluster.send(place.site.fastq, list_files(place.site.fastq), found, lambda there: None)
    assert mode(place.partial.parent) == 0o700
    assert cluster.verify().names == []
    assert mode(place.partial.parent) == 0o700
    cluster.publish()
    assert (mode(place.final), mode(place.final / "P1")) == (0o750, 0o750)
    assert place.ready.resolve() == place.final
    assert [path.name for path in place.final.parent.iterdir()] == ["attempt-1"]


def test_what_an_earlier_version_left_open_is_given_up(place: Place) -> None:
    folder = place.partial.parent
    (folder / "P1").mkdir(parents=True)
    (folder / BIG).write_bytes(b"half")
    place.transfer(mounted(place))
    place.require_arrived()


def test_files_have_their_mode_when_they_come(place: Place) -> None:
    task = place.site.task(place.parameters(mounted(place, file_mode="0400")))
    cluster, files = cluster_of(task), list_files(place.site.fastq)
    cluster.send(place.site.fastq, files, cluster.look(), lambda there: None)
    assert {mode(place.partial / found.name) for found in files} == {0o400}


def test_half_a_file_can_be_gone_on_with_whatever_its_mode(place: Place) -> None:
    """rsync gives it the mode that it will have, and later opens it to write on."""
    half = place.partial / "P1" / PARTIAL_DIR / Path(BIG).name
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    half.chmod(0o440)
    cluster_of(place.site.task(place.parameters(mounted(place, file_mode="0440")))).look()
    assert (mode(half), half.read_bytes()) == (0o640, b"half")


@pytest.mark.parametrize(("wanted", "given"), [("0750", 0o750), ("2750", 0o2750)])
def test_a_folder_whose_group_is_inherited(place: Place, wanted: str, given: int) -> None:
    place.far.chmod(0o2755)
    place.transfer(mounted(place, directory_mode=wanted))
    folders = (place.final, place.final / "P1", place.final.parent, place.ready.parent)
    assert {mode(folder) for folder in folders} == {given}


TOOLS = [
    *("awk", "cat", "chgrp", "chmod", "comm", "find", "id", "ln", "md5sum", "mkdir", "mktemp"),
    *("mv", "nproc", "readlink", "rm", "rsync", "sh", "sort", "sync", "tar"),
]
#: Says how it was called, then does it.
WRAPPED = """#!/bin/sh
printf '%s\\n' "$0 $*" >> {said}
exec {tool} "$@"
"""


@pytest.fixture
def said(place: Place, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the arguments of every process: there are no tools but those that write it."""
    tools = place.site.home / "tools"
    tools.mkdir()
    told = place.site.home / "said"
    for tool in TOOLS:
        (tools / tool).write_text(WRAPPED.format(said=told, tool=shutil.which(tool)))
        (tools / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    return told


def test_no_name_is_an_argument(place: Place, said: Path) -> None:
    """Neither when it goes on with what was left, nor when it publishes, nor in a repeat."""
    left = ["S7_S7_L001_R1_001.fastq.gz", "P7/S8_S8_L001_R1_001.fastq.gz", "Stats/S9.txt", BIG]
    for name in (
        *left,
        f"P1/{PARTIAL_DIR}/{Path(BIG).name}",
        f"Stats/.rsync-partial/{Path(BIG).name}",
    ):
        (place.partial / name).parent.mkdir(parents=True, exist_ok=True)
        (place.partial / name).write_bytes(b"half")
    wanted = mounted(place, group=some_group(), file_mode="0440", directory_mode="2750")
    place.transfer(wanted)
    place.require_arrived()
    assert place.transfer(wanted)["already"]
    calls = said.read_text()
    for seen in ("tar --create", "chmod 02750 /dev/stdin", "chgrp -Rh", "rsync "):
        assert f"/{seen}" in calls
    names = ["P1", "P7", "S7", "S8", "S9", "S1_S1", "Undetermined", "Stats", "attempt.json"]
    assert not [name for name in names if name in calls]
