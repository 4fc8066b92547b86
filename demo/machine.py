"""A whole centre below one folder: services, st2solo with the packs, and a cluster behind sshd.

incoming/   where instruments write       fastq/      attempts
sheets/     where people put sheets
manifests/  digests                       cluster/    the far side of rsync
vault/      the archive                   metadata/   tables of samples
work/       analyses at work              results/    and what they found
restored/   brought back from the archive
state/      stores, tokens, logs, keys
"""

import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

ROOT = Path(__file__).resolve().parent.parent
#: The services, and how far each one's port is from the runfolder service's.
PORTS = {
    "runfolder": 0,
    "bcl2fastq": 1,
    "checksum": 2,
    "transfer": 3,
    "archive": 4,
    "wes": 5,
    "metadata": 7,
}
SERVICES = tuple(PORTS)
#: Those whose work is jobs.
JOB_SERVICES = ("bcl2fastq", "checksum", "transfer", "archive", "wes")
USER = "operator"


#: What a machine runs beside Python, and the package of Debian that has it.
TOOLS = {
    "rsync": "rsync",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
#: Where distributions put sshd, which is seldom on a person's PATH.
SBIN = "/usr/sbin:/sbin:/usr/local/sbin"


class MachineError(Exception):
    """The machine could not be set up; the message says what to do."""


def find_tool(name: str) -> str | None:
    """The absolute path (sshd asks for one) of a tool on PATH or in SBIN."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{SBIN}")
    return None if found is None else str(Path(found).absolute())


def missing_tools() -> str:
    """What is not there and what to do about it; empty if a machine has all that it runs."""
    missing = [name for name in TOOLS if find_tool(name) is None]
    if not missing:
        return ""
    packages = " ".join(dict.fromkeys(TOOLS[name] for name in missing))
    return (
        f"not found on PATH, nor in {SBIN}: {', '.join(missing)}. Install them (on Debian:"
        f" sudo apt-get install {packages}), or put their folder on PATH"
    )


@dataclass(frozen=True)
class Ports:
    """One port a server; 0 is not allowed, since a restart must find them again."""

    services: dict[str, int] = field(
        default_factory=lambda: {name: 8180 + n for name, n in PORTS.items()}
    )
    auth: int = 9100
    api: int = 9101
    stream: int = 9102
    ssh: int = 8122

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nobody uses just now, for tests."""
        numbers = iter(free_ports(len(SERVICES) + 4))
        return cls(
            {name: next(numbers) for name in SERVICES},
            next(numbers),
            next(numbers),
            next(numbers),
            next(numbers),
        )


def free_ports(count: int) -> list[int]:
    """Ports that the kernel gives to no outgoing connection, so that they stay free."""
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(_quiet_ports())
        if port not in found and _can_bind(port):
            found.append(port)
    return found


def _quiet_ports() -> range:
    """Where the kernel takes none from for outgoing connections; any if that is nearly nowhere."""
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    found = max(range(10_000, first), range(last + 1, 65_000), key=len)
    return found if len(found) >= 2000 else range(10_000, 32_000)


def _can_bind(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Machine:
    """The centre in `home`; `start()` brings it up, again and again with what is there."""

    def __init__(self, home: Path, ports: Ports) -> None:
        self.home = home
        self.ports = ports
        self.incoming, self.fastq = home / "incoming", home / "fastq"
        self.manifests, self.cluster = home / "manifests", home / "cluster"
        self.vault, self.state = home / "vault", home / "state"
        self.metadata, self.sheets = home / "metadata", home / "sheets"
        self.restored = home / "restored"
        self.work, self.results = home / "work", home / "results"
        self.truth = home / "truth"
        self.ssh = self.state / "ssh"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    # set-up: files only

    def lay_out(
        self,
        *,
        mode: str = "act",
        services: dict[str, dict[str, Any]] | None = None,
        packs: list[Path] | None = None,
        plan: dict[str, Any] | None = None,
    ) -> None:
        """Write keys and configurations that are not there yet.

        `services` overrides settings a section; `packs` adds folders of packs; `plan` is of the
        runs instead of the usual one.
        """
        if missing := missing_tools():
            raise MachineError(missing)
        for folder in (
            self.incoming,
            self.fastq,
            self.manifests,
            self.cluster,
            self.vault,
            self.metadata,
            self.sheets,
            self.work,
            self.results,
            self.restored,
        ):
            folder.mkdir(parents=True, exist_ok=True)
        self.state.mkdir(mode=0o700, exist_ok=True)
        self._make_ssh()
        self._write_yaml("arteriole.yaml", {"mode": mode, **self._services_config(services or {})})
        self._write_yaml("st2solo.yaml", self._st2solo_config(packs or []))
        self._write_yaml("configs/arteria.yaml", self._arteria_config())
        self._write_yaml("configs/umccr.yaml", self._umccr_config(plan))
        password = self.state / "operator.password"
        if not password.exists():
            password.write_text(secrets.token_hex(12) + "\n")  # NB: no dash begins it
            password.chmod(0o600)

    def _write_yaml(self, name: str, content: dict[str, Any]) -> None:
        path = self.state / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False))

    def _services_config(self, overrides: dict[str, dict[str, Any]]) -> dict[str, Any]:
        runs, fastq, manifests = str(self.incoming), str(self.fastq), str(self.manifests)
        port = self.ports.services
        rsync = find_tool("rsync") or "rsync"
        # Over ssh PATH is another one; a path with a space cannot be handed on.
        far = {} if " " in rsync else {"rsync_path": rsync}
        content: dict[str, Any] = {
            "state_dir": str(self.state / "arteriole"),
            # a demo is small, and disks of laptops are full
            "disk": {"interval": 1.0, "critical_percent": 0.1},
            "runfolder": {
                "port": port["runfolder"],
                "monitored_directories": [runs],
                "sheets": [{"folder": str(self.sheets)}, "run_folder"],
                "scan_interval": 2.0,
                "settle_seconds": 1.0,
                "recheck_seconds": 1.0,
            },
            "bcl2fastq": {
                "port": port["bcl2fastq"],
                "run_roots": [runs],
                "fastq_root": fastq,
                "converter": "builtin",
                "sheet_folder": str(self.sheets),
            },
            "checksum": {
                "port": port["checksum"],
                "run_roots": [runs],
                "fastq_root": fastq,
                "manifest_root": manifests,
                "results_root": str(self.results),
            },
            "transfer": {
                "port": port["transfer"],
                "run_roots": [runs],
                "fastq_root": fastq,
                "manifest_root": manifests,
                "rsync": rsync,
                "destinations": {
                    "cluster": {
                        **far,
                        "host": "127.0.0.1",
                        "port": self.ports.ssh,
                        "user": pwd.getpwuid(os.getuid()).pw_name,
                        "path": str(self.cluster),
                        "identity_file": str(self.ssh / "client_key"),
                        "known_hosts": str(self.ssh / "known_hosts"),
                    }
                },
            },
            "archive": {
                "port": port["archive"],
                "run_roots": [runs],
                "fastq_root": fastq,
                "manifest_root": manifests,
                "results_root": str(self.results),
                "restore_root": str(self.restored),
                "destinations": {"vault": {"directory": str(self.vault)}},
            },
            "wes": {
                "port": port["wes"],
                "fastq_root": fastq,
                "data_root": str(self.cluster),
                "work_root": str(self.work),
                "results_root": str(self.results),
                "executors": {"here": {"type": "process"}},
            },
            "metadata": {
                "port": port["metadata"],
                "sources": [{"csv": {"folder": str(self.metadata), "scan_interval": 2.0}}],
            },
        }
        for section, values in overrides.items():
            content[section].update(values)
        return content

    def _st2solo_config(self, packs: list[Path]) -> dict[str, Any]:
        return {
            "packs": [str(folder) for folder in (ROOT / "packs", *packs)],
            "configs": str(self.state / "configs"),
            "state": str(self.state / "st2solo"),
            "ports": {
                "auth": self.ports.auth,
                "api": self.ports.api,
                "stream": self.ports.stream,
            },
        }

    def _arteria_config(self) -> dict[str, Any]:
        urls = {f"{name}_url": self.url(name) for name in SERVICES}
        return {"token": "{{st2kv.system.arteria_token}}", **urls}

    def _umccr_config(self, plan: dict[str, Any] | None) -> dict[str, Any]:
        places = {"transfer_destination": "cluster", "archive_destination": "vault"}
        return places if plan is None else {**places, "plan": plan}

    def _make_ssh(self) -> None:
        """Keys of our own for an sshd of our own: nothing of the user's is read or changed."""
        self.ssh.mkdir(mode=0o700, exist_ok=True)
        for name in ("host_key", "client_key"):
            if not (self.ssh / name).exists():
                subprocess.run(
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f",
                     str(self.ssh / name)],
                    check=True,
                )  # fmt: skip
        shutil.copy(self.ssh / "client_key.pub", self.ssh / "authorized_keys")
        (self.ssh / "authorized_keys").chmod(0o600)
        host_key = (self.ssh / "host_key.pub").read_text()
        (self.ssh / "known_hosts").write_text(f"[127.0.0.1]:{self.ports.ssh} {host_key}")
        lines = {
            "Port": self.ports.ssh,
            "ListenAddress": "127.0.0.1",
            "HostKey": f'"{self.ssh / "host_key"}"',
            "PidFile": "none",
            "AuthorizedKeysFile": f'"{self.ssh / "authorized_keys"}"',
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
            "StrictModes": "no",
            "UsePAM": "no",
            "MaxStartups": "100",
        }
        text = "".join(f"{key} {value}\n" for key, value in lines.items())
        (self.ssh / "sshd_config").write_text(text)

    # running

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports.services[service]}"

    @property
    def st2_environment(self) -> dict[str, str]:
        """What makes the unmodified `st2` command speak to this st2solo."""
        return {
            "ST2_AUTH_URL": f"http://127.0.0.1:{self.ports.auth}",
            "ST2_API_URL": f"http://127.0.0.1:{self.ports.api}/v1",
            "ST2_STREAM_URL": f"http://127.0.0.1:{self.ports.stream}/v1",
        }

    @property
    def password(self) -> str:
        return (self.state / "operator.password").read_text().strip()

    def require_free_ports(self) -> None:
        """MachineError if anything, another demo say, listens on one of the ports."""
        ports = self.ports
        self._check_port("ssh", ports.ssh)
        for name, port in ports.services.items():
            self._check_port(name, port)
        for name in ("auth", "api", "stream"):
            self._check_port(f"st2solo {name}", getattr(ports, name))

    def start(self) -> None:
        """Start everything; returns when all of it answers."""
        self.require_free_ports()
        self.start_sshd()
        self.start_services()
        self.start_st2solo()

    def start_sshd(self) -> None:
        sshd = find_tool("sshd")
        if sshd is None:
            raise MachineError(missing_tools())
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        arguments = [sshd, "-D", "-e", "-f", str(self.ssh / "sshd_config")]
        self._spawn("sshd", arguments)
        self._wait("sshd", lambda: _listens(self.ports.ssh))

    def start_services(self) -> None:
        config = str(self.state / "arteriole.yaml")
        arteriole = Path(sys.executable).with_name("arteriole")
        self._spawn("services", [str(arteriole), "--config", config, "serve"])
        self._wait("services", lambda: all(self._healthy(name) for name in SERVICES))

    def start_st2solo(self) -> None:
        self.st2solo("user", "add", USER, "--password-file",
                     str(self.state / "operator.password"))  # fmt: skip
        self.st2solo("key", "set", "arteria_token", "--encrypt", "--value-file",
                     str(self.state / "arteriole" / "packs.token"))  # fmt: skip
        solo = ROOT / ".venv-st2solo" / "bin" / "st2solo"
        config = str(self.state / "st2solo.yaml")
        self._spawn("st2solo", [str(solo), "serve", "--config", config])
        self._wait("st2solo", lambda: _listens(self.ports.api) and _listens(self.ports.auth))

    def st2solo(self, *arguments: str) -> str:
        """Run the command `st2solo` on this machine's configuration."""
        solo = ROOT / ".venv-st2solo" / "bin" / "st2solo"
        done = subprocess.run(
            [str(solo), *arguments, "--config", str(self.state / "st2solo.yaml")],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise MachineError(f"st2solo {arguments[0]} failed: {done.stderr or done.stdout}")
        return done.stdout

    def _spawn(self, name: str, arguments: list[str]) -> None:
        with open(self.state / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.home,
                start_new_session=True,
            )

    def _wait(self, name: str, ready: Callable[[], bool], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if self.processes[name].poll() is not None or time.monotonic() > deadline:
                log = (self.state / f"{name}.log").read_text(errors="replace")[-2000:]
                raise MachineError(f"{name} did not start; its log ends:\n{log}")
            time.sleep(0.05)

    def _check_port(self, name: str, port: int) -> None:
        if _listens(port):
            raise MachineError(
                f"port {port} ({name}) is in use. Stop what uses it, or choose another block of"
                f" ports: DEMO_PORTS=20000 make demo"
            )

    def _healthy(self, service: str) -> bool:
        try:
            return requests.get(f"{self.url(service)}/health", timeout=5).ok
        except requests.RequestException:
            return False

    def kill(self, name: str) -> None:
        """kill -9, of that one process."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End everything in an orderly way; what does not end is killed."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    # asking

    def api(self, service: str, path: str, method: str = "GET", **more: Any) -> Any:
        """Call a service as its administrator and return the JSON."""
        token = (self.state / "arteriole" / "admin.token").read_text().strip()
        answer = requests.request(
            method,
            f"{self.url(service)}/api/1.0/{path}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            **more,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def run(self, name: str) -> dict[str, Any] | None:
        """The run as the runfolder service shows it; None while it is not known or asleep."""
        try:
            found: dict[str, Any] = self.api("runfolder", f"runs/{name}")
        except requests.RequestException:
            return None
        return found


def _listens(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def chosen_ports() -> Ports:
    """The usual ports, or a block of eleven from DEMO_PORTS on."""
    first = os.environ.get("DEMO_PORTS", "")
    if not first:
        return Ports()
    if not first.isdigit() or not 1024 <= int(first) <= 65000:
        raise MachineError(f"DEMO_PORTS must be a port from 1024 to 65000, found {first!r}")
    start = int(first)
    services = {name: start + n for name, n in PORTS.items()}
    services |= {"metadata": start + 9, "wes": start + 10}
    return Ports(services, start + 5, start + 6, start + 7, start + 8)


@contextmanager
def alone_in(home: Path) -> Iterator[None]:
    """Hold the folder `home` for this process; MachineError if another one has it."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with open(home.with_name(f"{home.name}.lock"), "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise MachineError(f"another one is running in {home}; stop it first (Ctrl-C)") from err
        yield


def end_on_signals() -> None:
    """Let a closed terminal (SIGHUP) and SIGTERM end the program as Ctrl-C does, in good order."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
