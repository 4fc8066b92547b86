"""What goes wrong between here and there is noticed, and nothing that arrived is sent again."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from arteriole.app.errors import ArterioleError

from .conftest import Place
from .line import Line, line


@pytest.fixture
def bad(sshd: Any) -> Iterator[Line]:
    with line(sshd.port) as made:
        yield made


def through(place: Place, bad: Line, **more: Any) -> dict[str, Any]:
    """The destination, behind the line."""
    host_key = (place.sshd.home / "host_key.pub").read_text()
    known = place.site.home / "known_hosts"
    known.write_text(f"[127.0.0.1]:{bad.port} {host_key}")
    settings: dict[str, Any] = place.sshd.destination(
        place.far, port=bad.port, known_hosts=str(known), **more
    )
    return settings


def failed(place: Place, destination: dict[str, Any]) -> ArterioleError:
    """The error of a transfer that publishes nothing."""
    with pytest.raises(ArterioleError) as raised:
        place.transfer(destination)
    assert not place.final.exists() and not place.ready.exists()
    return raised.value


@pytest.mark.parametrize("half", [False, True], ids=["both sides know", "the far side does not"])
def test_a_lost_line(large: Place, bad: Line, half: bool, until: Callable[..., Any]) -> None:
    """What is there is not sent again; an rsync that still waits there does no harm."""
    bad.cut_after, bad.half = 1_000_000, half
    error = failed(large, through(large, bad, bandwidth=2000))  # nothing waits in any buffer
    assert error.code == "transfer.unreachable", error
    bad.mend()
    assert large.transfer(through(large, bad))["resent"] == []
    assert bad.sent < 5_000_000, "of 6 MB: each of two streams had sent 1"
    assert bool(receivers(large.far)) is half
    bad.hang_up()
    until(lambda: not receivers(large.far))
    large.require_arrived()


def test_a_garbled_byte_is_seen_by_ssh(large: Place, bad: Line) -> None:
    bad.garble_at = 1_500_000
    error = failed(large, through(large, bad))
    assert error.code == "transfer.unreachable", error
    bad.mend()
    assert large.transfer(through(large, bad))["resent"] == []
    large.require_arrived()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small tmpfs")
def test_a_full_disk_there(large: Place) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(large.far)]
    subprocess.run(mount, check=True)
    try:
        assert failed(large, {"path": str(large.far)}).code == "transfer.disk_full"
        subprocess.run(["mount", "-o", "remount,size=20m", str(large.far)], check=True)
        large.transfer({"path": str(large.far)})
        large.require_arrived()
    finally:
        subprocess.run(["umount", str(large.far)], check=True)


def command_lines() -> dict[int, list[str]]:
    """Of every process, by its number."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            found[int(folder.name)] = words
    return found


def receivers(folder: Path) -> list[int]:
    """The rsyncs that work in `folder`, though it may be gone."""
    found = []
    for number, words in command_lines().items():
        with suppress(OSError):
            where = str(Path(f"/proc/{number}/cwd").readlink())
            if Path(words[0]).name == "rsync" and where.startswith(str(folder)):
                found.append(number)
    return found


def streams_of(place: Place) -> list[int]:
    """The rsyncs that send."""
    to = f"{place.partial.parent}/"
    return [
        number
        for number, words in command_lines().items()
        if Path(words[0]).name == "rsync" and any(word.endswith(to) for word in words)
    ]


@pytest.fixture
def sending(large: Place, serve: Callable[..., Any], until: Callable[..., Any]) -> Any:
    """A service with a job that has sent something, at 600 kB a second; and the job's id."""
    slow = large.sshd.destination(large.far, bandwidth=600)
    service = serve("transfer", large.settings(slow))
    job_id = service.submit(attempt=1, destination="hpc")["job_id"]
    until(lambda: ((service.status(job_id)["progress"] or {}).get("done") or 0) > 0)
    return service, job_id


def test_no_list_of_processes_tells_a_secret(large: Place, sending: Any) -> None:
    """Neither the key nor the name of a sample's file; and each ssh checks the host's key."""
    found = command_lines()
    secrets = [*large.site.fastq_files, (large.sshd.home / "user_key").read_text().split("\n")[1]]
    places = (str(large.far), str(large.sshd.home))
    mine = [w for w in found.values() if any(place in one for place in places for one in w)]
    programs = [Path(words[0]).name for words in mine]
    assert programs.count("rsync") >= 2 and programs.count("ssh") >= 2
    for words in mine:
        text = " ".join(words)
        assert not [secret for secret in secrets if secret in text]
        if re.search(r"(^|=)ssh ", text):
            assert "StrictHostKeyChecking=yes" in text and "UserKnownHostsFile=" in text
            assert "BatchMode=yes" in text


def test_a_stream_that_dies_ends_the_others(large: Place, sending: Any) -> None:
    service, job_id = sending
    streams = streams_of(large)
    assert len(streams) == 2
    os.kill(streams[0], signal.SIGKILL)
    job = service.ended(job_id)
    assert job["state"] == "error", job
    # the far side may have had the time to say that the connection was closed
    assert job["code"] in ("transfer.failed", "transfer.unreachable"), job
    assert streams_of(large) == []
    assert not large.final.exists()
    large.transfer()
    large.require_arrived()


def test_a_stop_ends_all_streams(large: Place, sending: Any) -> None:
    service, job_id = sending
    service.call("POST", f"stop/{job_id}")
    assert service.ended(job_id)["state"] == "cancelled"
    assert streams_of(large) == []
    assert not large.final.exists() and not large.ready.exists()
