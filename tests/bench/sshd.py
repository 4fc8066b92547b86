"""An sshd on a free port of 127.0.0.1 for this user, with keys of its own."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.machine import free_ports
from tests.bench.measure import MeasureError

_START_SECONDS = 30.0


@dataclass(frozen=True)
class Sshd:
    home: Path
    port: int

    @property
    def settings(self) -> dict[str, object]:
        """Of a transfer's destination, but for the path."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "identity_file": str(self.home / "user_key"),
            "known_hosts": str(self.home / "known_hosts"),
        }

    @property
    def shell(self) -> str:
        """For `rsync --rsh`: what a person has in his configuration of ssh."""
        options = f"-i {self.home}/user_key -o UserKnownHostsFile={self.home}/known_hosts"
        return f"ssh -F /dev/null -p {self.port} {options} -o StrictHostKeyChecking=yes"


def missing() -> str:
    """What is not installed of sshd, ssh and rsync; "" if nothing."""
    wanted = ("sshd", "ssh", "ssh-keygen", "rsync")
    return ", ".join(name for name in wanted if _program(name) is None)


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def sshd(home: Path) -> Iterator[Sshd]:
    """It ends with the block.

    Raises:
        MeasureError: it does not start.
    """
    home.mkdir()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    made = Sshd(home, *free_ports(1))
    host_key = _keygen(home / "host_key")
    (home / "known_hosts").write_text(f"[127.0.0.1]:{made.port} {host_key}")
    (home / "authorized_keys").write_text(_keygen(home / "user_key"))
    (home / "config").write_text(
        f"Port {made.port}\nListenAddress 127.0.0.1\nHostKey {home}/host_key\nPidFile none\n"
        f"AuthorizedKeysFile {home}/authorized_keys\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\n"
        "PermitRootLogin prohibit-password\n"
    )
    program = str(_program("sshd"))
    command = [program, "-D", "-f", str(home / "config"), "-E", str(home / "log")]
    process = subprocess.Popen(command)
    try:
        _await(made.port, process)
        yield made
    finally:
        process.terminate()
        process.wait()


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as sock:
                if sock.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.02)
    raise MeasureError(f"sshd does not answer on port {port}")


def _keygen(path: Path) -> str:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", str(path)]
    subprocess.run(command, check=True)
    return path.with_name(f"{path.name}.pub").read_text()
