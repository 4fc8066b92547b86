"""A landing volume that fills up while a run is sequenced, and a volume that hangs."""

import os
import shutil

from arteriole.disk import space
from arteriole.disk.disk import Disk
from arteriole.disk.space import Root
from arteriole.illumina.run_folder import RunFolder

from ..app.serving import eventually

NAME = "runfolder.monitored_directories.0"


def volumes(site):
    return site.serving.get("/health").json()["volumes"]


def alerts(site):
    found = site.serving.get("/api/1.0/alerts").json()["alerts"]
    return [(one["volume"], one["code"]) for one in found if one["what"] == "disk_pressure"]


def events(site):
    known = ("disk_pressure", "disk_eased")
    return [(one["what"], one["payload"]) for one in site.events() if one["what"] in known]


def test_it_is_told_early_by_the_cycles_that_a_run_will_still_write(make_site, mounts, sequenced):
    """The volume has half of the space that the run will need."""
    last, size = 5, 20_000
    site = make_site()
    landing = site.directories[0]
    site.disk = Disk([Root(NAME, landing, 15, 0)], 0.05)
    mounts.memory(landing, "size=64m")
    mounts.do(site.start)

    def halfway():
        """Up to the fifth cycle, with files of one size; what is to come, by our own count."""
        folder = RunFolder(shutil.copytree(sequenced, landing / ".partial"))
        for marker in folder.markers:
            (folder.path / marker).unlink()
        for path in folder.base_calls.glob("L*/C*.1"):
            if int(path.name[1:-2]) > last:
                shutil.rmtree(path)
        files = [*folder.base_calls.glob("L*/C*.1/*")]
        for path in files:
            os.truncate(path, size)
        to_come = size * len(files) // last * (folder.run_info.cycles - last)
        folder.path.rename(landing / sequenced.name)
        return to_come

    left = mounts.do(halfway)
    found = eventually(lambda: volumes(site).get(NAME), lambda one: one and one["to_come"])
    assert (found["to_come"], found["level"]) == (left, "enough") and left > size
    assert alerts(site) == []

    free = mounts.do(os.statvfs, landing)
    filler = bytes(free.f_bavail * free.f_frsize - left // 2)
    mounts.do((landing / ".filler").write_bytes, filler)
    eventually(lambda: alerts(site), lambda found: found == [(NAME, "disk.early")])
    why = site.run()["why"]
    assert (why["code"], why["urgency"]) == ("disk.early", "instrument at risk")
    assert "fills up" in why["message"] and "are known to come" in why["message"]
    mounts.do((landing / ".filler").unlink)
    eventually(lambda: alerts(site) == [])
    assert events(site) == [
        ("disk_pressure", {"code": "disk.early", "volume": NAME}),
        ("disk_eased", {"volume": NAME}),
    ]


def test_a_volume_that_hangs_is_told_and_keeps_nothing_waiting(
    make_site, mounts, monkeypatch, tmp_path
):
    monkeypatch.setattr(space, "HUNG", 0.3)
    far = tmp_path / "far"
    far.mkdir()
    site = make_site()
    near = Root(NAME, site.directories[0], 0, 0)
    site.disk = Disk([near, Root("wes.work_root", far, 15, 5)], 0.05)
    device = mounts.hang(far)
    mounts.do(site.start)
    try:
        health = eventually(
            lambda: site.serving.get("/health").json(), lambda found: found["volumes_unknown"]
        )
        assert "has not answered for" in health["volumes_unknown"]["wes.work_root"]
        assert set(health["volumes"]) == {NAME} and health["status"] == "ok"
        site.bring()
        site.becomes(state="ready")
        site.stop()
    finally:
        os.close(device)
        mounts.unmount(far)
