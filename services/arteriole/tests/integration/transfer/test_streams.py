"""Several streams, limits that change, and who may read what arrived."""

import grp
import os
import shutil
import stat
import subprocess
from typing import Any

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.checksum.listing import list_files
from arteriole.transfer.cluster import Found
from arteriole.transfer.scripts import PARTIAL_DIR

from .conftest import BIG, Place, cluster_of, mounted, some_group


@pytest.mark.parametrize("streams", [1, 3, 16])
def test_streams_bring_every_file(place: Place, streams: int) -> None:
    for name in ("#x.fastq.gz", ";y.fastq.gz", "-z.fastq.gz", "a b.fastq.gz", "C/ü.fastq.gz"):
        place.site.fastq_files[name] = name.encode() * 1000
    place.write()
    assert place.transfer(mounted(place, streams=streams))["resent"] == []
    lists = sorted(place.site.home.glob("jobs/*/stream-*"))
    names = [name for one in lists for name in one.read_bytes().split(b"\0") if name]
    assert (len(lists), len(names), len(set(names))) == (min(streams, 10), 10, 10)
    place.require_arrived()


def found_tool(place: Place, tool: str) -> str:
    """Its path; without manifests of BLAKE3 the far side takes md5sum."""
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"not installed: {tool}")
    if tool == "md5sum":
        (place.site.manifests / "fastq.blake3").unlink()
    return path


@pytest.mark.parametrize("tool", ["md5sum", "b3sum"])
def test_either_tool_finds_each_harm(place: Place, tool: str) -> None:
    """And only what has it is sent again."""
    found_tool(place, tool)
    place.transfer(mounted(place))
    harmed = ["P1/S1_S1_L001_R1_001.fastq.gz", "P1/S1_S1_L001_R2_001.fastq.gz", "Stats/Stats.json"]
    changed, gone, linked = (place.final / name for name in harmed)
    status = changed.stat()
    changed.write_bytes(bytes(status.st_size))
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    gone.unlink()
    linked.unlink()
    linked.symlink_to("/etc/passwd")
    (place.final / "more").touch()
    with pytest.raises(ArterioleError) as raised:
        place.transfer(mounted(place))
    assert raised.value.code == "transfer.verify"
    assert str(raised.value).endswith(f"has it: {', '.join([*harmed, 'more'])}")
    place.unpublish()
    assert place.transfer(mounted(place))["resent"] == [harmed[0]]
    assert changed.read_bytes() == place.site.fastq_files[harmed[0]]


def test_a_manifest_there_that_is_another_one_is_told(place: Place) -> None:
    """Also one of BLAKE3 that this side does not have."""
    place.transfer(mounted(place))
    (place.site.manifests / "fastq.blake3").unlink()
    with pytest.raises(ArterioleError, match=r"has it: fastq\.blake3$"):
        place.transfer(mounted(place))
    (place.final / "fastq.blake3").unlink()
    assert place.transfer(mounted(place))["already"]


def test_manifests_of_different_files_are_refused(place: Place) -> None:
    path = place.site.manifests / "fastq.blake3"
    path.write_text(path.read_text().split("\n", 1)[1])
    with pytest.raises(ArterioleError, match="list different files: P1/S1_S1_L001_R1") as raised:
        place.transfer(mounted(place))
    assert raised.value.code == "manifest.invalid"
    assert list(place.far.iterdir()) == []


RECORDED = """#!/bin/sh
if [ "$1" = --check ]; then wc -l < "$4" >> {home}/said; fi
exec {tool} "$@"
"""


@pytest.mark.parametrize("tool", ["md5sum", "b3sum"])
@pytest.mark.parametrize(("cores", "wanted", "count"), [(3, 9, 3), (9, 2, 2), (1, 4, 1), (9, 9, 6)])
def test_the_far_side_is_read_by_as_many_as_it_has_cores(
    place: Place, monkeypatch: pytest.MonkeyPatch, tool: str, cores: int, wanted: int, count: int
) -> None:
    """At most as many as the settings say; each has some of the files, and each file one."""
    for number in range(2):
        place.site.fastq_files[f"{number}.fastq.gz"] = b"reads" * 100_000
    place.site.fastq_files.pop("Stats/Stats.json")
    shutil.rmtree(place.site.fastq / "Stats")
    place.write()
    tools = place.site.home / "tools"
    tools.mkdir()
    recorded = RECORDED.format(home=place.site.home, tool=found_tool(place, tool))
    for name, text in (("nproc", f"#!/bin/sh\necho {cores}\n"), (tool, recorded)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    place.transfer(mounted(place, digesters=wanted))
    said = place.site.home / "said"
    lines = [int(line) for line in said.read_text().split()]
    assert (len(lines), sum(lines)) == (count, 6) and all(lines)
    said.unlink()
    assert place.transfer(mounted(place, digesters=wanted))["already"]
    assert sorted(map(int, said.read_text().split())) == sorted(lines)


def test_what_an_earlier_start_left_is_used_or_removed(place: Place) -> None:
    """A file that was being received when all died there, and things that were never here."""
    half = place.site.fastq_files[BIG][:300_000]
    (place.partial / "P1").mkdir(parents=True)
    (place.partial / "P1" / ".S1_S1_L001_R1_001.fastq.gz.aB3dE6").write_bytes(half)
    (place.partial / "old\nname").touch()
    (place.partial / "Stats" / "Stats.json" / "folder").mkdir(parents=True)
    (place.partial / "away").symlink_to("/etc")
    assert place.transfer(mounted(place))["resent"] == []
    place.require_arrived()


@pytest.mark.parametrize(("earlier", "kept"), [(None, 500), (400, 500), (600, 600)])
def test_what_was_being_received_is_kept_as_rsync_keeps_it(
    place: Place, earlier: int | None, kept: int
) -> None:
    """The longer one, if rsync had kept something before."""
    folder = place.partial / "P1"
    (folder / PARTIAL_DIR).mkdir(parents=True)
    name = BIG.split("/")[1]
    if earlier is not None:
        (folder / PARTIAL_DIR / name).write_bytes(b"k" * earlier)
    (folder / f".{name}.aB3dE6").write_bytes(b"t" * 500)
    (folder / "whole.fastq.gz").write_bytes(b"w" * 70)
    task = place.site.task(place.parameters(mounted(place)))
    found = cluster_of(task).look()
    assert found == Found(begun=True, size=70)
    assert (folder / PARTIAL_DIR / name).stat().st_size == kept
    assert sorted(path.name for path in folder.iterdir()) == [PARTIAL_DIR, "whole.fastq.gz"]


def test_who_waits_in_the_partial_folder_can_write_no_more(place: Place) -> None:
    """As an rsync of an earlier start does, whose line is lost and which has not noticed."""
    place.partial.mkdir(parents=True)
    late = (
        "read word; echo late > attempt-1/late.fastq.gz;"
        " mkdir -p attempt-1/P1 && echo late > attempt-1/P1/late.fastq.gz"
    )
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(["sh", "-c", late], cwd=place.partial.parent, **pipes) as process:
        place.transfer(mounted(place))
        process.communicate(b"now\n", 60)
    assert process.returncode != 0
    place.require_arrived()


def test_a_limit_that_changes_begins_the_streams_anew(large: Place) -> None:
    """At 100 kB a second it would take a minute."""
    limits: list[int | None] = [100]
    told: list[int] = []

    def tell(there: int) -> None:
        told.append(there)
        if there > 0:
            limits[:] = [None]

    task = large.site.task(large.parameters(mounted(large)))
    cluster = cluster_of(task, lambda: limits[0])
    files = list_files(large.site.fastq)
    cluster.send(large.site.fastq, files, cluster.look(), tell)
    assert told[-1] == sum(found.size for found in files)
    first = next(there for there in told if there > 0)
    assert first < 2_000_000, "it began slowly"
    assert large.transfer(mounted(large))["resent"] == []
    large.require_arrived()


def test_windows_of_the_settings_are_obeyed(place: Place, capfd: Any) -> None:
    """Of two that share a day one holds now, whatever it is."""
    day = {"from": "06:00", "to": "18:00", "kib_per_second": 40_000}
    night = {"from": "18:00", "to": "06:00", "kib_per_second": 40_000}
    place.transfer(mounted(place, bandwidth=[day, night], time_zone="Asia/Tokyo"))
    assert capfd.readouterr().out.count("--bwlimit=20000") == 2
    place.require_arrived()


def test_group_and_modes_are_given_before_it_is_published(place: Place) -> None:
    wanted = mounted(place, group=some_group(), file_mode="0440", directory_mode="2750")
    place.transfer(wanted)
    for path in (place.final, *place.final.rglob("*"), place.final.parent, place.ready.parent):
        status = path.lstat()
        assert grp.getgrgid(status.st_gid).gr_name == some_group(), path
        mode = 0o2750 if path.is_dir() else 0o440
        assert stat.S_IMODE(status.st_mode) == mode, path
    place.require_arrived()
    assert place.transfer(wanted)["already"]


def test_a_group_that_is_not_there_is_told_and_nothing_is_published(place: Place) -> None:
    with pytest.raises(ArterioleError, match=r"invalid group: .no-such-group") as raised:
        place.transfer(mounted(place, group="no-such-group", file_mode="0440"))
    assert raised.value.code == "transfer.access"
    assert not place.final.exists() and not place.ready.exists()
    place.transfer(mounted(place, group=some_group(), file_mode="0440"))
    place.require_arrived()


def test_modes_that_are_not_kept_are_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system of a server that has modes of its own."""
    tools = place.site.home / "tools"
    tools.mkdir()
    (tools / "chmod").write_text("#!/bin/sh\n")
    (tools / "chmod").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    with pytest.raises(ArterioleError, match="is not kept there") as raised:
        place.transfer(mounted(place, file_mode="0600", directory_mode="2770"))
    assert raised.value.code == "transfer.access"
    assert not place.final.exists() and not place.ready.exists()


def test_many_files_that_differ_are_all_sent_again(place: Place) -> None:
    """More than the message of a tool is kept of."""
    for number in range(400):
        place.site.fastq_files[f"{'name' * 50}-{number:04}.fastq.gz"] = b"right"
    place.write()
    place.transfer(mounted(place))
    place.unpublish()
    for path in place.partial.glob("name*"):
        status = path.stat()
        path.write_bytes(b"wrong")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert 200 < len(place.transfer(mounted(place))["resent"]) < 400, "not all are named"
    place.require_arrived()
