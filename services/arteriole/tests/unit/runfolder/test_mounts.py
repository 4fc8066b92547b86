"""Which file system a directory lies on, from the kernel's own table."""

from pathlib import Path

import pytest

from arteriole.runfolder.mounts import file_system, is_silent

TABLE = rb"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
36 22 0:30 / /data rw shared:7 master:1 - nfs4 filer:/export rw,vers=4.2
37 36 0:31 / /data/my\040runs rw - cifs //box/runs rw
38 22 0:32 / /fuse rw - fuse.sshfs me@there: rw
39 22 0:33 / /twice rw - ext4 /dev/sdb rw
40 39 0:34 / /twice rw - nfs other:/x rw
a line that is none
"""


@pytest.fixture
def mounts(tmp_path):
    path = tmp_path / "mountinfo"
    path.write_bytes(TABLE)
    return path


@pytest.mark.parametrize(
    ("directory", "kind", "silent"),
    [
        ("/var/runs", "ext4", False),
        ("/data", "nfs4", True),
        ("/data/incoming", "nfs4", True),
        ("/database", "ext4", False),
        ("/data/my runs/x", "cifs", True),
        ("/fuse/a", "fuse.sshfs", True),
        ("/twice/a", "nfs", True),  # mounted over another
    ],
)
def test_the_mount_that_holds_it(mounts, directory, kind, silent):
    found = file_system(Path(directory), mounts)
    assert (found, is_silent(found)) == (kind, silent)


def test_without_a_table_it_is_not_known(tmp_path):
    assert file_system(tmp_path, tmp_path / "absent") == ""


def test_this_machine_has_one(tmp_path):
    assert file_system(tmp_path)
