"""A Slurm of its own: munged, slurmctld and slurmd on free ports of 127.0.0.1, as root."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .ports import free_ports

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"

_CONFIG = """\
ClusterName=trial
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={home}/munge.sock
CryptoType=crypto/munge
SlurmctldPort={control}
SlurmdPort={daemon}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={home}/jobcomp.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
SwitchType=switch/none
MpiDefault=none
MessageTimeout=5
KillWait=2
MinJobAge=60
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
PartitionName=genomics Nodes={host} MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
"""


def missing() -> str:
    """Why there can be none here; empty if there can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if os.geteuid() != 0:
        return "Slurm's daemons run as root"
    return f"not installed: {', '.join(absent)}" if absent else ""


class Slurm:
    """`start` and `stop` are of the controller; the node stays."""

    def __init__(self, home: Path, until: Callable[..., object]) -> None:
        self.home = home
        self._until = until
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        for name in ("state", "spool"):
            (home / name).mkdir()
        home.chmod(0o755)
        self.config = home / "slurm.conf"
        control, daemon = free_ports(2)
        self.config.write_text(
            _CONFIG.format(
                host=socket.gethostname().split(".")[0], home=home, control=control, daemon=daemon
            )
        )
        self.environment = {**os.environ, "PATH": PATH, "SLURM_CONF": str(self.config)}

    def begin(self) -> None:
        key = self.home / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        options = {
            "key-file": key,
            "socket": self.home / "munge.sock",
            "pid-file": self.home / "munge.pid",
            "log-file": self.home / "munge.log",
            "seed-file": self.home / "munge.seed",
        }
        words = [f"--{name}={value}" for name, value in options.items()]
        self._spawn("munged", "--foreground", "--force", *words)
        self._until(lambda: (self.home / "munge.sock").exists())
        self.start("-c")
        self._spawn("slurmd", "-D", "-N", socket.gethostname().split(".")[0])
        self._until(lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"))

    def start(self, *options: str) -> None:
        self._spawn("slurmctld", "-D", *options)
        self._until(lambda: self.run("scontrol", "ping").returncode == 0)

    def stop(self) -> None:
        """End the controller; the jobs on the node go on."""
        self._end("slurmctld")

    def end(self) -> None:
        self.run("scancel", "--user=root")
        for name in ("slurmd", "slurmctld", "munged"):
            if name in self._processes:
                self._end(name)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def ask(self, *words: str) -> str:
        return self.run(*words).stdout

    def queue(self, *states: str) -> list[tuple[str, str]]:
        """(name, state) of the jobs in one of these states; of all that have not ended if none."""
        chosen = [f"--states={','.join(states)}"] if states else []
        lines = self.ask("squeue", "--noheader", "--format=%j %T", *chosen).splitlines()
        return [(line.split()[0], line.split()[1]) for line in lines]

    def submitted(self) -> list[str]:
        """The names of all jobs that ever ended, once each time."""
        try:
            lines = (self.home / "jobcomp.txt").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line.partition(" Name=")[2].split()[0] for line in lines]

    def lose_node(self) -> None:
        """The node goes down with what runs on it, and comes back."""
        node = self.ask("sinfo", "--noheader", "--format=%n").strip()
        self.run("scontrol", "update", f"nodename={node}", "state=down", "reason=trial")
        self._until(lambda: "PENDING" in dict(self.queue()).values())
        self.run("scontrol", "update", f"nodename={node}", "state=resume")

    def hurry(self) -> None:
        """Let what waits start now; after the death of a node Slurm would wait for two minutes."""
        time.sleep(1.1)  # its node starts nothing in the second in which it ended the same job
        waiting = self.ask("squeue", "--noheader", "--states=PENDING", "--format=%A").split()
        for job in waiting:
            self.run("scontrol", "update", f"jobid={job}", "starttime=now")

    def _spawn(self, name: str, *words: str) -> None:
        program = shutil.which(name, path=PATH)
        assert program is not None
        with open(self.home / f"{name}.out", "ab") as log:
            self._processes[name] = subprocess.Popen(
                [program, *words], env=self.environment, stdout=log, stderr=log
            )

    def _end(self, name: str) -> None:
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
