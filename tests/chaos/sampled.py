"""What an st2solo takes of the machine at a moment, read from outside."""

from dataclasses import dataclass
from pathlib import Path

_SENSOR, _FORK_SERVER = b"sensor_wrapper.py", b"fork_server.py"
_KIB = 1024


@dataclass(frozen=True)
class Sample:
    """Memory is resident and in bytes; what actions take while they run is not in it.

    Attributes:
        seconds: since the beginning.
        store: bytes of the store's files.
        rows: executions and trigger instances in the store.
    """

    seconds: float
    memory: int
    fork_server_memory: int
    sensors_memory: int
    descriptors: int
    threads: int
    store: int
    rows: int


def take(seconds: float, pid: int, store: Path, rows: int) -> Sample:
    """A sample of this st2solo.

    Raises:
        FileNotFoundError: there is no such process any more.
    """
    status, below = _status(pid), _below(pid)
    return Sample(
        seconds=seconds,
        memory=_memory(status),
        fork_server_memory=sum(memory for line, memory in below if _FORK_SERVER in line),
        sensors_memory=sum(memory for line, memory in below if _SENSOR in line),
        descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=int(status["Threads"]),
        store=sum(path.stat().st_size for path in store.parent.glob(f"{store.name}*")),
        rows=rows,
    )


def _below(pid: int) -> list[tuple[bytes, int]]:
    """The command line and the memory of each direct child that lives."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            line = Path(f"/proc/{child}/cmdline").read_bytes()
            found.append((line, _memory(_status(int(child)))))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _status(pid: int) -> dict[str, str]:
    """`/proc/<pid>/status` (proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _memory(status: dict[str, str]) -> int:
    """0 of a process that has ended and was not waited for."""
    return int(status.get("VmRSS", "0 kB").split()[0]) * _KIB
