"""The command lines of ssh and rsync, and what rsync tells while it sends."""

import re
import shlex
from pathlib import Path

from arteriole.transfer.scripts import PARTIAL_DIR
from arteriole.transfer.settings import Destination

#: A line of `--info=progress2`: bytes so far, then percent.
_PROGRESS = re.compile(r"\s*([0-9][0-9.,]*)\s+[0-9]+%\s+\S+/s\s+[0-9:?]+(\s+\(xfr[^)]*\))?\s*")


def ssh_command(ssh: str, destination: Destination) -> list[str]:
    """ssh with one key and one list of known hosts, that never asks; without host and command."""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": f'"{destination.known_hosts}"',
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "IdentityFile": f'"{destination.identity_file}"',
        "PreferredAuthentications": "publickey",
        "ControlPath": "none",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "ConnectTimeout": "15",
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "4",
        "LogLevel": "ERROR",
    }
    command = [ssh, "-F", "/dev/null", "-T", "-p", str(destination.port)]
    command += ["-l", str(destination.user)]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    return command


def script_command(ssh: str, destination: Destination, script: str, *words: str) -> list[str]:
    """Runs `script` with `words` as `$1` and on, at `destination`.

    ssh hands one string to the login shell of the far side, so each word is quoted for it.
    """
    there = ["sh", "-c", script, "arteriole", *words]
    if destination.host is None:
        return there
    return [*ssh_command(ssh, destination), destination.host, shlex.join(there)]


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
