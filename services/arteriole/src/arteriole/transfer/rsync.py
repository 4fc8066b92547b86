"""The command lines of rsync, and what rsync tells while it sends."""

import re
import shlex
from pathlib import Path

from arteriole.jobs.ssh import ssh_command
from arteriole.transfer.scripts import PARTIAL_DIR
from arteriole.transfer.settings import Destination

#: AES-GCM first, for which processors have instructions: it takes half the time of ssh's own first.
#: The rest is for a far side that has none of it.
CIPHERS = (
    "aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
    "chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr"
)

#: A line of `--info=progress2`: bytes so far, then percent.
_PROGRESS = re.compile(r"\s*([0-9][0-9.,]*)\s+[0-9]+%\s+\S+/s\s+[0-9:?]+(\s+\(xfr[^)]*\))?\s*")


def send_command(
    rsync: str,
    ssh: str,
    destination: Destination,
    source: Path,
    folder: str,
    names: Path,
    *,
    limit: int | None = None,
    compare: bool = False,
) -> list[str]:
    """Sends files of `source` to `folder` below the destination's path.

    Args:
        names: a file with their names (`names_text`), so that no list of processes has any.
        limit: in KiB/s.
        compare: read both sides in full instead of trusting sizes and times.
    """
    command = [
        rsync,
        "--times",
        "--copy-links",
        "--force",
        "--from0",
        f"--files-from={names}",
        "--no-inc-recursive",
        "--no-human-readable",
        "--info=progress2",
        "--outbuf=N",
        "--protect-args",
        f"--partial-dir={PARTIAL_DIR}",
        "--timeout=600",
    ]
    if destination.file_mode is not None:
        command.append(f"--chmod=F{destination.file_mode}")
    if compare:
        command.append("--checksum")
    if limit is not None:
        command.append(f"--bwlimit={limit}")
    if destination.rsync_path is not None:
        command.append(f"--rsync-path={destination.rsync_path}")
    target = f"{destination.path}/{folder}/"
    if destination.host is not None:
        shell = [*ssh_command(ssh, destination), "-o", f"Ciphers={CIPHERS}"]
        command.append(f"--rsh={shlex.join(shell)}")
        target = f"{destination.host}:{target}"
    return [*command, "--", f"{source}/", target]


def names_text(names: list[str]) -> bytes:
    """For `--files-from` with `--from0`; with ./ before it no name is taken for a comment."""
    return b"".join(b"./" + name.encode() + b"\0" for name in names)


def bytes_sent(line: str) -> int | None:
    """The bytes that a progress line tells of; None if it is another line.

    >>> bytes_sent("      1048576  50%   10.00MB/s    0:00:01 (xfr#1, to-chk=1/2)")
    1048576
    """
    match = _PROGRESS.fullmatch(line)  # an error may stand behind it, and must be seen
    return int(re.sub(r"[.,]", "", match[1])) if match else None
