"""Transfers with a real sshd and rsync."""

import os
import signal
import stat
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from arteriole.app.errors import ArterioleError

from .conftest import BIG, Place, cluster_of


def test_over_http(place: Place, serve: Callable[..., Any]) -> None:
    service = serve("transfer", place.settings())
    job = service.ended(service.submit(attempt=1, destination="hpc")["job_id"])
    assert job["state"] == "done", job
    size = sum(p.stat().st_size for p in place.site.fastq.rglob("*") if p.is_file())
    assert job["result"]["bytes"] == size
    assert (job["result"]["files"], job["result"]["already"], job["result"]["resent"]) == (
        5,
        False,
        [],
    )
    assert job["progress"] == {"done": size, "total": size, "unit": "bytes"}
    versions = service.call("GET", "versions").json()
    assert "rsync" in versions["rsync"] and "OpenSSH" in versions["ssh"]
    place.require_arrived()
    unknown = service.call(
        "POST", f"start/{place.run}", json={"attempt": 2, "destination": "<% x %>"}
    )
    assert unknown.json()["error"]["code"] == "destination.unknown"


def test_a_repeat_changes_nothing(place: Place) -> None:
    place.transfer()
    link = place.ready.lstat()
    assert place.transfer()["already"]
    assert place.ready.lstat().st_ino == link.st_ino
    place.require_arrived()


def test_a_mounted_directory(place: Place) -> None:
    assert not place.transfer({"path": str(place.far)})["already"]
    assert place.transfer({"path": str(place.far)})["already"]
    place.require_arrived()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"identity_file": "other_key"}, "transfer.key_refused"),
        ({"known_hosts": "other_hosts"}, "transfer.host_key"),
        ({"known_hosts": "host_key.pub"}, "transfer.host_key"),
        ({"port": 1}, "transfer.unreachable"),
        ({"host": "no-such-host.invalid"}, "transfer.unreachable"),
        ({"path": "/no/such/folder"}, "transfer.no_folder"),
        ({"rsync_path": "/no/such/rsync"}, "tool.missing"),
    ],
)
def test_what_is_said(place: Place, change: dict[str, Any], code: str) -> None:
    for name in ("identity_file", "known_hosts"):
        if name in change:
            change = {**change, name: str(place.sshd.home / change[name])}
    with pytest.raises(ArterioleError) as raised:
        place.transfer({**place.sshd.destination(place.far), **change})
    assert raised.value.code == code, raised.value
    assert raised.value.hint
    assert len(str(raised.value)) < 500
    assert not place.final.exists() and not place.ready.exists()


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"rsync": "/no/such/rsync"}, "tool.missing"), ({"ssh": "/no/such/ssh"}, "tool.missing")],
)
def test_a_missing_tool(place: Place, settings: dict[str, str], code: str) -> None:
    with pytest.raises(ArterioleError) as raised:
        place.transfer(**settings)
    assert raised.value.code == code


def _a_file(place: Place) -> None:
    place.final.write_text("left by hand")


def _a_link_to_nothing(place: Place) -> None:
    place.final.symlink_to("elsewhere")


@pytest.mark.parametrize("left", [_a_file, _a_link_to_nothing])
def test_what_has_the_final_name_and_is_no_folder(
    place: Place, left: Callable[[Place], None]
) -> None:
    """Neither at the beginning, nor if it came while the files were sent."""
    mounted = {"path": str(place.far)}
    place.final.parent.mkdir()
    left(place)
    with pytest.raises(ArterioleError, match="attempt-1 is there and is no folder") as raised:
        place.transfer(mounted)
    assert raised.value.code == "transfer.failed"
    place.final.unlink()
    place.transfer(mounted)
    unpublished = place.site.task(place.parameters(mounted))
    place.unpublish()
    left(place)
    with pytest.raises(ArterioleError, match="publishing at the destination") as raised:
        cluster_of(unpublished).publish()
    assert raised.value.code == "transfer.failed"
    assert (place.partial / BIG).is_file() and not place.ready.is_symlink()
    place.final.unlink()
    assert place.transfer(mounted)["resent"] == []
    place.require_arrived()


def _same_size_and_time(path: Path) -> None:
    status = path.stat()
    path.write_bytes(b"\0" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda final: _same_size_and_time(final / BIG), BIG),
        (lambda final: (final / BIG).unlink(), BIG),
        (lambda final: (final / "P1" / "surplus.fastq.gz").touch(), "P1/surplus.fastq.gz"),
        (lambda final: (final / "l").symlink_to("/etc/passwd"), "l"),
        (lambda final: (final / "fastq.md5").write_text(""), "fastq.md5"),
    ],
)
def test_a_changed_final_folder_is_told_and_left(
    place: Place, change: Callable[[Path], None], named: str
) -> None:
    mounted = {"path": str(place.far)}  # the scripts are the same, ssh is slow
    place.transfer(mounted)
    change(place.final)
    before = sorted(place.final.rglob("*"))
    with pytest.raises(ArterioleError, match=f"manifest has it: {named}$") as raised:
        place.transfer(mounted)
    assert raised.value.code == "transfer.verify"
    assert sorted(place.final.rglob("*")) == before


def test_a_corrupted_file_of_an_earlier_start_is_sent_again(place: Place) -> None:
    """Size and time are right, so that only the verification can see it."""
    subprocess.run(["cp", "-a", str(place.site.fastq), str(place.far / "copy")], check=True)
    place.partial.parent.mkdir(parents=True)
    (place.far / "copy").rename(place.partial)
    _same_size_and_time(place.partial / BIG)
    (place.partial / "P1" / ".rsync-partial").mkdir()
    (place.partial / "P1" / ".rsync-partial" / "half").touch()
    (place.partial / "left.over").touch()
    assert place.transfer()["resent"] == [BIG]
    place.require_arrived()


@pytest.mark.parametrize("name", ["P1/x\u0085y", "P1/x\u2028y", "P1/: FAILED", "- x"])
def test_a_corrupted_file_of_an_odd_name_is_sent_again(place: Place, name: str) -> None:
    place.site.fastq_files[name] = b"right"
    place.write()
    place.transfer({"path": str(place.far)})
    place.unpublish()
    _same_size_and_time(place.partial / name)
    assert place.transfer({"path": str(place.far)})["resent"] == [name]
    place.require_arrived()


def test_a_file_that_is_wrong_here_is_never_published(place: Place) -> None:
    _same_size_and_time(place.site.fastq / BIG)
    with pytest.raises(ArterioleError, match=f"manifest has it: {BIG}$") as raised:
        place.transfer()
    assert raised.value.code == "transfer.verify"
    assert not place.final.exists() and not place.ready.exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda site: (site.manifests / "fastq.md5").unlink(), "manifest.missing"),
        (lambda site: (site.fastq / BIG).unlink(), "transfer.source_changed"),
        (lambda site: (site.fastq / "new.fastq.gz").touch(), "transfer.source_changed"),
    ],
)
def test_what_is_not_as_the_manifest_has_it(
    place: Place, change: Callable[[Any], None], code: str
) -> None:
    change(place.site)
    with pytest.raises(ArterioleError) as raised:
        place.transfer()
    assert raised.value.code == code


GATED = """#!/bin/sh
# Runs the real ssh; the {number}th call says so in `reached` and waits for ever, {when} it.
count=$(($(cat {home}/count 2>/dev/null || echo 0) + 1))
echo $count > {home}/count
if [ $count = {number} ] && [ {when} = before ]; then touch {home}/reached; exec sleep 1000; fi
ssh "$@"; code=$?
if [ $count = {number} ] && [ {when} = after ]; then touch {home}/reached; exec sleep 1000; fi
exit $code
"""


@pytest.mark.parametrize(
    ("number", "when"),
    [(1, "after"), (2, "after"), (3, "after"), (4, "before"), (4, "after")],
    ids=["looked", "sent", "verified", "not published", "published"],
)
def test_killed_at_each_step(
    place: Place, until: Callable[..., Any], number: int, when: str
) -> None:
    gate = place.site.home / "gate"
    gate.mkdir()
    ssh = gate / "ssh"
    ssh.write_text(GATED.format(number=number, when=when, home=gate))
    ssh.chmod(ssh.stat().st_mode | stat.S_IXUSR)
    one = place.sshd.destination(place.far, streams=1)  # else two calls are one step
    process = place.site.worker(place.parameters(one, ssh=str(ssh)), "arteriole.transfer.work")
    until((gate / "reached").exists)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    published = (number, when) == (4, "after")
    assert place.ready.exists() is published
    assert place.transfer({"path": str(place.far)})["already"] is published
    place.require_arrived()


def test_killed_service_and_worker_while_sending(
    place: Place, serve: Callable[..., Any], until: Callable[..., Any]
) -> None:
    """100 kB a second at most: the service, the supervisor, the worker and rsync die half-way."""
    slow = place.sshd.destination(place.far, bandwidth=100)
    service = serve("transfer", place.settings(slow))
    job_id = service.submit(attempt=1, destination="hpc")["job_id"]
    until(lambda: ((service.status(job_id)["progress"] or {}).get("done") or 0) > 0)
    service.kill()
    for process in _holders(service.jobs / str(job_id) / "lock"):
        with suppress(ProcessLookupError):  # it ended with another one
            os.kill(process, signal.SIGKILL)
    assert not place.final.exists()
    service.start()
    job = service.ended(job_id)
    assert job["state"] == "done", job
    assert [e["what"] for e in service.events()].count("job_finished") == 1
    assert [e["what"] for e in service.events()].count("job_died") == 1
    place.require_arrived()


def _holders(path: Path) -> list[int]:
    """The processes that have `path` open."""
    found = []
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(link.readlink() == path for link in folder.iterdir()):
                found.append(int(folder.parent.name))
        except OSError:  # it ended meanwhile
            continue
    assert len(found) >= 3, "supervisor, worker and rsync hold the lock"
    return found
