"""How a volume stands: by what is free, by what is to come, and by how fast it fills up."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from arteriole.disk import disk as disks
from arteriole.disk.disk import RATE_AFTER, RATE_OF, Disk, Level, Volume, level_of
from arteriole.disk.settings import DiskSettings
from arteriole.disk.space import HUNG, Root, Space, space_of

A, B, C = Path("/a"), Path("/b"), Path("/c")
DAY = 86400.0


class Machine:
    """Volumes by root, which a test fills, and a clock that it sets."""

    def __init__(self, spaces: dict[Path, Space | OSError], **limits: Any) -> None:
        self.spaces, self.now = dict(spaces), 1000.0
        settings = DiskSettings.model_validate({"interval": 10, **limits})
        roots = {f"service.{path.name}_root": path for path in spaces}
        named = Disk.of(settings, roots)
        self.disk = Disk(
            [one.root for one in named._watched], settings.interval, self.look, lambda: self.now
        )

    def look(self, path: Path) -> Space:
        found = self.spaces[path]
        if isinstance(found, OSError):
            raise found
        return found

    def free(self, path: Path, free: int) -> None:
        before = self.spaces[path]
        assert isinstance(before, Space)
        self.spaces[path] = Space(before.device, before.size, free)

    def see(self, seconds: float = 10.0) -> dict[str, Volume]:
        """The volumes after another look at each."""

        self.now += seconds
        return {one.name: one for one in asyncio.run(self.disk.looked())}


def volume(
    free: int, to_come: int = 0, *, early: float = 15, critical: float = 5, **more: Any
) -> Volume:
    root = Root("service.a_root", A, early, critical)
    return Volume(root.name, (root,), Space(1, 1000, free, **more), Level.ENOUGH, to_come, None)


@pytest.mark.parametrize(
    ("found", "left", "before", "level"),
    [
        (volume(500), None, Level.ENOUGH, Level.ENOUGH),
        (volume(51), None, Level.ENOUGH, Level.ENOUGH),  # nothing is known to come
        (volume(50), None, Level.ENOUGH, Level.CRITICAL),
        (volume(0, critical=0), None, Level.ENOUGH, Level.CRITICAL),
        (volume(1, critical=0), None, Level.ENOUGH, Level.ENOUGH),
        (volume(60), None, Level.CRITICAL, Level.CRITICAL),  # it ends with a hundredth more
        (volume(61), None, Level.CRITICAL, Level.ENOUGH),
        (volume(59), None, Level.EARLY, Level.EARLY),
        (volume(300, 250), None, Level.ENOUGH, Level.ENOUGH),
        (volume(300, 251), None, Level.ENOUGH, Level.EARLY),
        (volume(300, 241), None, Level.EARLY, Level.EARLY),
        (volume(300, 240), None, Level.EARLY, Level.ENOUGH),
        (volume(149), DAY - 1, Level.ENOUGH, Level.EARLY),
        (volume(149), DAY + 1, Level.ENOUGH, Level.ENOUGH),
        (volume(149), 2 * DAY - 1, Level.EARLY, Level.EARLY),
        (volume(150), 60, Level.ENOUGH, Level.ENOUGH),  # one copy is no end of the disk
        (volume(500, inodes=1000, free_inodes=500), None, Level.ENOUGH, Level.ENOUGH),
        (volume(500, inodes=1000, free_inodes=149), None, Level.ENOUGH, Level.EARLY),
        (volume(500, inodes=1000, free_inodes=50), None, Level.ENOUGH, Level.CRITICAL),
        (volume(500, inodes=0, free_inodes=0), None, Level.ENOUGH, Level.ENOUGH),
    ],
)
def test_how_a_volume_stands(
    found: Volume, left: float | None, before: Level, level: Level
) -> None:
    assert level_of(found, left, before) is level


def test_roots_on_one_device_are_one_volume_with_the_strictest_limits() -> None:
    spaces = {A: Space(1, 1000, 90), B: Space(2, 1000, 90), C: Space(1, 1000, 90)}
    machine = Machine(spaces, roots={str(C): {"critical_percent": 10}})
    found = machine.see()
    assert set(found) == {"service.a_root", "service.b_root"}
    first = found["service.a_root"]
    assert [root.path for root in first.roots] == [A, C]
    assert (first.reserve, first.level) == (100, Level.CRITICAL)
    assert found["service.b_root"].level is Level.ENOUGH
    assert first.document()["roots"] == {"service.a_root": "/a", "service.c_root": "/c"}


def test_what_is_to_come_is_summed_over_roots_and_over_those_who_know() -> None:
    machine = Machine({A: Space(1, 1000, 400), B: Space(1, 1000, 400)})
    machine.disk.expect("runfolder", {A: 200})
    machine.disk.expect("bcl2fastq", {B: 151, C: 5000})
    (found,) = machine.see().values()
    assert (found.to_come, found.level) == (351, Level.EARLY)
    machine.disk.expect("bcl2fastq", {})
    (found,) = machine.see().values()
    assert (found.to_come, found.level) == (200, Level.ENOUGH)


def test_when_the_reserve_is_reached_follows_from_the_rate_of_the_last_hour() -> None:
    machine = Machine({A: Space(1, 100_000, 14_000)})
    (found,) = machine.see().values()
    assert found.seconds_left is None
    for _ in range(20):
        machine.free(A, machine.spaces[A].free - 60)  # type: ignore[union-attr]
        (found,) = machine.see(60.0).values()
    # 12,800 are free and 60 go in a minute: 7,800 to the reserve
    assert found.seconds_left == pytest.approx(7800 * 60 / 60)
    assert found.level is Level.EARLY and "its reserve is reached 20" in found.words
    machine.free(A, 20_000)
    (found,) = machine.see(60.0).values()
    assert found.seconds_left is None and found.level is Level.ENOUGH
    assert RATE_AFTER < 20 * 60 < RATE_OF


def test_what_was_long_ago_is_no_rate() -> None:
    machine = Machine({A: Space(1, 100_000, 90_000)})
    machine.see()
    machine.free(A, 10_000)
    (found,) = machine.see(RATE_OF + 1).values()
    assert found.seconds_left is None


def test_what_was_told_before_a_restart_ends_by_the_same_rule() -> None:
    machine = Machine({A: Space(1, 1000, 55)})
    machine.disk.remember("service.a_root", Level.CRITICAL)
    assert machine.see()["service.a_root"].level is Level.CRITICAL
    assert Machine({A: Space(1, 1000, 55)}).see()["service.a_root"].level is Level.ENOUGH


def test_inodes_are_told_where_they_are_few() -> None:
    few = volume(500, inodes=1000, free_inodes=149)
    assert few.words == "500 B of 1.0 kB are free (50 %), 149 of 1,000 inodes"
    assert volume(500, inodes=1000, free_inodes=150).words == "500 B of 1.0 kB are free (50 %)"


def test_a_conversion_waits_with_the_figures() -> None:
    machine = Machine({A: Space(1, 10**12, 10**11)})
    machine.see()

    async def waits(needed: int, promised: int, path: Path = A) -> str:
        return machine.disk.waits_for(path, needed, promised)

    assert asyncio.run(waits(50 * 10**9, 0)) == ""
    assert asyncio.run(waits(50 * 10**9 + 1, 0)) == (
        "50.0 GB on /a: 100.0 GB of 1.0 TB are free (10 %); 50.0 GB are kept free"
    )
    assert asyncio.run(waits(30 * 10**9, 30 * 10**9)) == (
        "30.0 GB on /a: 100.0 GB of 1.0 TB are free (10 %); 50.0 GB are kept free and 30.0 GB"
        " still come from conversions that run"
    )
    assert asyncio.run(waits(10**15, 0, Path("/unknown"))) == ""
    never = asyncio.run(waits(951 * 10**9, 0))
    assert never.startswith("951.0 GB on /a, more than the volume ever has: 100.0 GB of 1.0 TB")
    assert "ever has" not in asyncio.run(waits(950 * 10**9, 0))
    machine.free(A, 50 * 10**9)
    machine.see()
    assert "50.0 GB of 1.0 TB" in asyncio.run(waits(0, 0))  # critical: whatever it needs


@pytest.mark.parametrize(
    ("found", "trouble", "waits"),
    [
        (
            OSError(5, "Input/output error"),
            "Input/output error",
            "what is free on /a: Input/output",
        ),
        (FileNotFoundError(2, "No such file or directory"), "", ""),  # the job tells it
    ],
)
def test_a_root_that_cannot_be_looked_at(found: OSError, trouble: str, waits: str) -> None:
    machine = Machine({A: found, B: Space(2, 1000, 500)})
    assert machine.disk.is_new
    assert set(machine.see()) == {"service.b_root"}
    assert machine.disk.troubles() == ({"service.a_root": trouble} if trouble else {})
    assert not machine.disk.is_new

    async def ask() -> str:
        return machine.disk.waits_for(A, 10, 0)

    assert asyncio.run(ask()).startswith(waits)
    machine.spaces[A] = Space(1, 1000, 500)
    assert set(machine.see()) == {"service.a_root", "service.b_root"}
    assert asyncio.run(ask()) == ""


def test_a_file_system_that_tells_no_size_is_none_that_is_full() -> None:
    machine = Machine({A: Space(1, 0, 0)})
    assert machine.see() == {} and machine.disk.troubles() == {} and not machine.disk.is_new

    async def ask() -> str:
        return machine.disk.waits_for(A, 10, 0)

    assert asyncio.run(ask()) == ""


def test_one_that_hangs_is_told_and_asked_no_second_time() -> None:
    asked = []

    async def hang() -> None:
        loop, gate = asyncio.get_running_loop(), asyncio.Event()
        released = asyncio.run_coroutine_threadsafe

        def look(path: Path) -> Space:
            asked.append(path)
            released(gate.wait(), loop).result()
            return Space(1, 1000, 500)

        now = [0.0]
        root = Root("service.a_root", A, 15, 5)
        disk = Disk([root], 1.0, look, lambda: now[0])
        for now[0] in (0.0, 10.0, HUNG, HUNG + 1):
            disk.look()
            await asyncio.sleep(0)
        assert disk.volumes() == [] and not disk.is_new
        assert disk.troubles() == {"service.a_root": "it has not answered for 31 s"}
        assert "has not answered" in disk.waits_for(A, 1, 0)
        assert asked == [A]
        gate.set()
        assert [one.name for one in await disk.looked()] == ["service.a_root"]
        assert disk.troubles() == {} and disk.waits_for(A, 1, 0) == ""

    asyncio.run(hang())


def test_the_space_of_a_real_volume(tmp_path: Path) -> None:
    found = space_of(tmp_path)
    assert 0 < found.free < found.size and found.device == tmp_path.stat().st_dev
    with pytest.raises(FileNotFoundError):
        space_of(tmp_path / "nothing")


def test_sizes_are_told_in_a_persons_unit() -> None:
    assert [disks.size(count) for count in (0, 999, 3_200_000, 5_200_000_000_000)] == [
        "0 B", "999 B", "3.2 MB", "5.2 TB",
    ]  # fmt: skip
