"""Real sshd on free ports of 127.0.0.1 and 127.0.0.2, and engines that know them."""

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest

from st2solo.settings import SshSettings

_CORE = Path(str(resources.files("st2solo"))) / "core_pack" / "actions"
ADDRESSES = ("127.0.0.1", "127.0.0.2")


def _missing() -> str | None:
    """What is not installed."""
    names = [name for name in ("ssh", "ssh-keygen", "tar") if shutil.which(name) is None]
    return ", ".join(names if _program() else [*names, "sshd"]) or None


def _program() -> str | None:
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _keygen(path: Path, passphrase: str = "") -> str:
    """A new key pair; the public key."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", str(path)]
    subprocess.run(command, check=True)
    return path.with_suffix(".pub").read_text()


@dataclass(frozen=True)
class Sshd:
    home: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def known(self) -> str:
        """Its lines for known_hosts."""
        public = (self.home / "host_key.pub").read_text()
        return "".join(f"[{address}]:{self.port} {public}" for address in ADDRESSES)


@dataclass(frozen=True)
class Servers:
    """Two servers that know `key`, and `locked`, which is `key` under the passphrase `open it`."""

    home: Path
    first: Sshd
    second: Sshd
    user: str = getpass.getuser()

    @property
    def key(self) -> Path:
        return self.home / "key"

    @property
    def locked(self) -> Path:
        return self.home / "locked"

    def settings(self, known_hosts: str | None = None) -> SshSettings:
        """Settings that know both servers, or what is given."""
        text = self.first.known + self.second.known if known_hosts is None else known_hosts
        path = self.home / "known hosts 100%"
        path.write_text(text)
        return SshSettings(user=self.user, key_file=self.key, known_hosts=path)


@contextmanager
def _running(home: Path, name: str, authorized: Path) -> Iterator[Sshd]:
    program = _program()
    assert program
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    folder = home / name
    folder.mkdir()
    _keygen(folder / "host_key")
    port = _free_port()
    listen = "".join(f"ListenAddress {address}\n" for address in ADDRESSES)
    (folder / "config").write_text(
        f"Port {port}\n{listen}HostKey {folder}/host_key\nPidFile none\n"
        f"AuthorizedKeysFile {authorized}\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\n"
        "PermitRootLogin prohibit-password\nMaxStartups 100\n"
        # what a server says before the login is no output of a command
        f"Banner {folder}/config\n"
    )
    process = subprocess.Popen(
        [program, "-D", "-f", str(folder / "config"), "-E", str(folder / "log")]
    )
    try:
        _until_it_answers(port)
        yield Sshd(folder, port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def _free_port() -> int:
    """One that the kernel gives to no outgoing connection, so that it stays free."""
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    quiet = max(range(10_000, first), range(last + 1, 65_000), key=len)
    while True:
        port = secrets.choice(quiet if len(quiet) >= 2000 else range(10_000, 32_000))
        with suppress(OSError), ExitStack() as bound:
            for address in ADDRESSES:
                bound.enter_context(socket.socket()).bind((address, port))
            return port


def _until_it_answers(port: int) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as sock:
            if sock.recv(4) == b"SSH-":
                return
        time.sleep(0.02)
    raise AssertionError(f"sshd does not answer on {port}")


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    if lacking := _missing():
        pytest.skip(f"not installed: {lacking}")
    home = tmp_path_factory.mktemp("ssh")
    authorized = home / "authorized"
    authorized.write_text(_keygen(home / "key") + _keygen(home / "locked", "open it"))
    with (
        _running(home, "first", authorized) as first,
        _running(home, "second", authorized) as second,
    ):
        yield Servers(home, first, second)


@pytest.fixture
def remote(engine_over, packs, servers):
    """Runs a coroutine with an engine whose settings know both servers, or what is given."""
    for name in ("remote.yaml", "remote_sudo.yaml"):
        shutil.copy(_CORE / name, packs.folder / "core" / "actions" / name)

    def run(body, known_hosts=None, **settings):
        engine_over(body, **{"ssh": servers.settings(known_hosts), **settings})

    return run
