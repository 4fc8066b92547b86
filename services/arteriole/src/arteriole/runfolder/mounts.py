"""On what kind of file system a directory lies: some send no notifications."""

import re
from pathlib import Path

MOUNTS = Path("/proc/thread-self/mountinfo")
#: What others write there the kernel of this machine does not see.
SILENT = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|lustre|gpfs|beegfs|virtiofs|pvfs2|ocfs2|gfs2?|fuse(\..+)?"
)


def file_system(directory: Path, mounts: Path = MOUNTS) -> str:
    """Such as `nfs4`, of the mount that `directory` lies in; empty if it cannot be known.

    NB: a link in its path is not followed, since that may hang.
    """
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return ""
    found, length = "", -1
    for line in lines:  # 36 35 98:0 /root /mount/point options [fields...] - type source options
        before, _, after = line.partition(b" - ")
        fields, kinds = before.split(b" "), after.split(b" ")
        if len(fields) < 5:
            continue
        point = Path(_plain(fields[4]))
        if directory.is_relative_to(point) and len(point.parts) >= length:  # the last one counts
            found, length = kinds[0].decode("ascii", "replace"), len(point.parts)
    return found


def is_silent(kind: str) -> bool:
    """No notifications come from there of what others write.

    >>> [is_silent(kind) for kind in ("nfs4", "fuse.sshfs", "ext4", "")]
    [True, True, False, False]
    """
    return SILENT.fullmatch(kind) is not None


def _plain(text: bytes) -> str:
    """Spaces and the like are written as `\\040`."""
    plain = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), text)
    return plain.decode("utf-8", "surrogateescape")
