"""The command line of rsync, and what rsync tells while it sends."""

import re
import shlex
from pathlib import Path

from arteriole.jobs.ssh import ssh_command
from arteriole.transfer.scripts import PARTIAL_DIR
from arteriole.transfer.settings import Destination

#: A line of `--info=progress2`: bytes so far, then percent.
_PROGRESS = re.compile(r"\s*([0-9][0-9.,]*)\s+[0-9]+%\s+\S+/s\s+[0-9:?]+(\s+\(xfr[^)]*\))?\s*")


def send_command(
    rsync: str, ssh: str, destination: Destination, source: Path, folder: str, *, compare: bool
) -> list[str]:
    """Sends the content of `source` to `folder` below the destination's path.

    Args:
        compare: read both sides in full instead of trusting sizes and times.
    """
    command = [
        rsync,
        "--recursive",
        "--times",
        "--copy-links",
        "--delete",
        "--protect-args",
        f"--partial-dir={PARTIAL_DIR}",
        "--no-inc-recursive",
        "--no-human-readable",
        "--info=progress2",
        "--outbuf=N",
        "--timeout=600",
    ]
    if compare:
        command.append("--checksum")
    if destination.bandwidth is not None:
        command.append(f"--bwlimit={destination.bandwidth}")
    if destination.rsync_path is not None:
        command.append(f"--rsync-path={destination.rsync_path}")
    target = f"{destination.path}/{folder}/"
    if destination.host is not None:
        command.append(f"--rsh={shlex.join(ssh_command(ssh, destination))}")
        target = f"{destination.host}:{target}"
    return [*command, "--", f"{source}/", target]


def bytes_sent(line: str) -> int | None:
    """The bytes that a progress line tells of; None if it is another line.

    >>> bytes_sent("      1048576  50%   10.00MB/s    0:00:01 (xfr#1, to-chk=1/2)")
    1048576
    """
    match = _PROGRESS.fullmatch(line)  # an error may stand behind it, and must be seen
    return int(re.sub(r"[.,]", "", match[1])) if match else None
