"""Real services, a real sshd, a real Slurm, and the folders of a small site."""

import getpass
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from blake3 import blake3

from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task

from .app.mounts import Mounts
from .ports import free_ports
from .slurm import Slurm, missing

HERE = Path(__file__).parent
RUN = "200624_A00834_0183_BHMTFYDRXX"


def wait_until(what: Callable[[], Any], seconds: float = 120.0) -> Any:
    """The first true value of `what`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := what():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    return wait_until


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, until: Callable[..., Any]) -> Iterator[Slurm]:
    if why := missing():
        pytest.skip(why)
    slurm = Slurm(tmp_path_factory.mktemp("slurm"), until)
    try:
        slurm.begin()
        yield slurm
    finally:
        slurm.end()


@pytest.fixture
def slurm(cluster: Slurm, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    """The cluster, as a site's machine knows it."""
    for name in ("SLURM_CONF", "PATH"):
        monkeypatch.setenv(name, cluster.environment[name])
    return cluster


def kill_process_of(folder: Path, module: str) -> None:
    """kill -9 of the supervisor or the worker of the job in `folder`."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if str(folder) in words and any(word.endswith(f".{module}") for word in words):
            with suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)


class ServiceProcess:
    """One service in a process of its own, that can be killed and started again."""

    def __init__(
        self,
        kind: str,
        settings: dict[str, Any],
        state_dir: Path,
        *,
        parallel: int = 1,
        tokens: Path | None = None,
        mode: str = "act",
        jobs: dict[str, Any] | None = None,
        policy: Path | None = None,
    ) -> None:
        self._wanted: dict[str, Any] = {
            "kind": kind,
            "settings": settings,
            "state_dir": str(state_dir),
            "parallel": parallel,
            "tokens": None if tokens is None else str(tokens),
            "mode": mode,
            "jobs": jobs,
            "policy": None if policy is None else str(policy),
        }
        self.jobs = state_dir / kind / "jobs"
        self.start()

    def start(self, mode: str | None = None) -> None:
        """Start it, once more perhaps, and in another mode if one is given."""
        self._wanted["mode"] = mode or self._wanted["mode"]
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "serve_one.py"), json.dumps(self._wanted)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": f"{HERE / 'jobs'}:{os.environ.get('PYTHONPATH', '')}"},
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/api/1.0"

    def kill(self) -> None:
        self._process.kill()
        self._end()

    def close(self) -> None:
        """End the jobs, then the service."""
        try:
            if self._process.poll() is None and self._wanted["tokens"] is None:
                self.call("POST", "stop/all")
                wait_until(lambda: not self._open_jobs())
        finally:
            self.kill()

    def _open_jobs(self) -> list[Any]:
        states = ("pending", "started")
        return [job for job in self.call("GET", "status").json()["jobs"] if job["state"] in states]

    def _end(self) -> None:
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return requests.request(method, f"{self.url}/{path}", timeout=120, **more)

    def submit(self, run: str = RUN, key: str | None = None, **body: Any) -> dict[str, Any]:
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = self.call("POST", f"start/{run}", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def status(self, job_id: int) -> dict[str, Any]:
        return dict(self.call("GET", f"status/{job_id}").json())

    def ended(self, job_id: int) -> dict[str, Any]:
        """The job's status once it has ended."""
        wait_until(lambda: self.status(job_id)["state"] not in ("pending", "started"))
        return self.status(job_id)

    def events(self, what: str | None = None) -> list[dict[str, Any]]:
        events = self.call("GET", "events").json()["events"]
        return [event for event in events if what in (None, event["what"])]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ServiceProcess]]:
    """Starts services; `serve(kind, settings, parallel=, tokens=, mode=, jobs=)`."""
    started: list[ServiceProcess] = []

    def start(kind: str, settings: dict[str, Any], **more: Any) -> ServiceProcess:
        started.append(ServiceProcess(kind, settings, tmp_path / "state", **more))
        return started[-1]

    yield start
    for service in started:
        service.close()


@dataclass
class Site:
    """A finished run and its converted first attempt, with few and small files."""

    home: Path
    attempt: int = 1
    runfolder_files: dict[str, bytes] = field(
        default_factory=lambda: {
            "RunInfo.xml": b"<RunInfo/>\n",
            "Config/hh5 2015-10-05 Effective.cfg": b"a name with spaces\n",
            "Data/Intensities/BaseCalls/L001/C1.1/s_1_1101.bcl.gz": bytes(range(256)) * 400,
            "RTAComplete.txt": b"",
        }
    )
    fastq_files: dict[str, bytes] = field(
        default_factory=lambda: {
            "P1/S1_S1_L001_R1_001.fastq.gz": b"reads" * 90_000,
            "P1/S1_S1_L001_R2_001.fastq.gz": b"daers" * 90_000,
            "Undetermined_S0_L001_R1_001.fastq.gz": b"?" * 1000,
            "Stats/Stats.json": b"{}",
        }
    )

    def __post_init__(self) -> None:
        self.runfolder = self.home / "runs" / RUN
        self.fastq = self.home / "fastq" / RUN / f"attempt-{self.attempt}"
        self.manifests = self.home / "manifests" / RUN / f"attempt-{self.attempt}"
        for folder, files in (
            (self.runfolder, self.runfolder_files),
            (self.fastq, self.fastq_files),
        ):
            for name, data in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(data)
        (self.runfolder / ".arteria").mkdir()
        (self.runfolder / ".arteria" / "state").write_text("ready")
        self.write_record()

    def write_record(self) -> None:
        """attempt.json as the converter leaves it."""
        files = [
            {
                "path": name,
                "size": len(data),
                "md5": hashlib.md5(data).hexdigest(),
                "blake3": blake3(data).hexdigest(),
            }
            for name, data in self.fastq_files.items()
        ]
        (self.fastq / "attempt.json").write_text(json.dumps({"files": files}))

    @property
    def roots(self) -> dict[str, Any]:
        return {
            "run_roots": [str(self.home / "runs")],
            "fastq_root": str(self.home / "fastq"),
            "manifest_root": str(self.home / "manifests"),
        }

    def task(self, parameters: dict[str, Any], *, observe: bool = False) -> Task:
        """The task of one more job, as its worker gets it."""
        name = str(len(list((self.home / "jobs").glob("[0-9]*"))) + 1)
        folder = self.job_folder(parameters, "unused", name, observe=observe)
        lock = folder.lock()
        assert lock is not None
        return Task(folder, lock)

    def job_folder(
        self, parameters: dict[str, Any], worker: str, name: str, *, observe: bool = False
    ) -> JobFolder:
        folder = JobFolder(self.home / "jobs" / name)
        folder.prepare(
            {
                "job_id": 1,
                "run": RUN,
                "stage": "x",
                "attempt": self.attempt,
                "observe": observe,
                "parameters": parameters,
                "worker": worker,
            }
        )
        return folder

    def worker(self, parameters: dict[str, Any], module: str) -> subprocess.Popen[bytes]:
        """A worker as its supervisor starts it: leader of a group of its own."""
        folder = self.job_folder(parameters, module, "process")
        lock = folder.lock()
        assert lock is not None
        with open(folder.log, "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, str(folder.path), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                process_group=0,
                cwd=folder.path,
            )
        os.close(lock)
        return process


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@dataclass(frozen=True)
class Sshd:
    """sshd on a free port of 127.0.0.1, for this user, with keys of its own."""

    home: Path
    port: int

    def destination(self, path: Path, **other: Any) -> dict[str, Any]:
        """Settings of a transfer destination."""
        return {
            "path": str(path),
            "host": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "identity_file": str(self.home / "user_key"),
            "known_hosts": str(self.home / "known_hosts"),
            **other,
        }


def _keygen(path: Path) -> str:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True
    )
    return path.with_name(f"{path.name}.pub").read_text()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as sock:
            return sock.recv(4) == b"SSH-"
    except OSError:
        return False


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    missing = [name for name in ("rsync", "ssh", "ssh-keygen") if shutil.which(name) is None]
    if program is None or missing:
        pytest.skip(f"not installed: {', '.join(missing) or 'sshd'}")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    home = tmp_path_factory.mktemp("sshd")
    (port,) = free_ports(1)
    host_key = _keygen(home / "host_key")
    (home / "authorized_keys").write_text(_keygen(home / "user_key"))
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
    _keygen(home / "other_key")
    other_host = (home / "other_key.pub").read_text()
    (home / "other_hosts").write_text(f"[127.0.0.1]:{port} {other_host}")
    (home / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host_key\n"
        f"PidFile {home}/pid\nAuthorizedKeysFile {home}/authorized_keys\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\n"
        "PermitRootLogin prohibit-password\nMaxStartups 100\n"
    )
    process = subprocess.Popen([program, "-D", "-f", str(home / "config"), "-E", str(home / "log")])
    try:
        wait_until(lambda: _answers(port))
        yield Sshd(home, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture
def mounts() -> Iterator[Mounts]:
    """See Mounts; where nothing may be mounted, the test is skipped."""
    try:
        found = Mounts()
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as err:
        pytest.skip(f"nothing can be mounted here: {err}")
    yield found
    found.close()


@pytest.fixture
def login_node(
    slurm: Slurm, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Settings of a host that has sbatch, to which nothing but ssh leads; here there is none."""
    key = tmp_path / "key"
    public = _keygen(key)
    there = f'env SLURM_CONF={slurm.config} sh -c \\"$SSH_ORIGINAL_COMMAND\\"'
    with open(sshd.home / "authorized_keys", "a") as file:
        file.write(f'command="{there}" {public}')
    monkeypatch.delenv("SLURM_CONF")
    host = sshd.destination(tmp_path, identity_file=str(key))
    host.pop("path")
    return host
