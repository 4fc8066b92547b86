"""What the jobs of all services of a process share of this machine: cores, memory and volumes."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import Field

from arteriole.app.config import Section
from arteriole.app.errors import ArterioleError
from arteriole.disk.disk import Disk
from arteriole.jobs.jobs import Job
from arteriole.jobs.needs import NOTHING, DiskNeed, Needs

#: So many jobs that came later may start before one that does not fit yet; then they wait for it.
OVERTAKEN = 8
_GB = 1024**3
_CGROUPS = Path("/sys/fs/cgroup")


class JobsSettings(Section):
    """The section `jobs`: what the jobs of this process may have together; else the machine's."""

    #: Cores; those that the process may use if left out.
    cores: int | None = Field(default=None, ge=1, le=65536)
    #: GB of memory; the machine's, or its control group's, if left out.
    memory_gb: float | None = Field(default=None, ge=1, le=1024**2)


class TooLargeError(ArterioleError):
    """A job needs more memory than there is."""

    code = "job.too_large"
    status = 422


#: When a job was made, of which service it is, and its id: in this order jobs wait.
_Place = tuple[str, str, int]


class Machine:
    """What is held by running jobs, and the line of those that do not fit beside them.

    A job starts if it fits beside what runs. One that came later may start before one that does
    not fit, but only OVERTAKEN of them; from then on whatever came later waits for it. So it is
    started once enough of what runs has ended, and none waits for ever.

    One that needs more cores than there are is slower and does no harm: it gets them all.

    One that waits for space on its volume is in no line: what frees space must not wait for it.
    """

    def __init__(self, cores: int, memory_gb: float, disk: Disk | None = None) -> None:
        self._all = Needs(cores, memory_gb)
        self._held: dict[str, dict[int, Needs]] = {}
        self._line: dict[_Place, int] = {}  # how many have overtaken it
        self.disk = disk or Disk([])
        self._promised: dict[str, dict[int, DiskNeed]] = {}

    @classmethod
    def here(cls, settings: JobsSettings, disk: Disk | None = None) -> "Machine":
        return cls(settings.cores or _cores(), settings.memory_gb or _memory_gb(), disk)

    @classmethod
    def boundless(cls) -> "Machine":
        """One on which jobs wait for no other."""
        return cls(10**9, 10**9)

    def require(self, needs: Needs) -> None:
        """Raises TooLargeError if it could never start."""
        if needs.memory_gb > self._all.memory_gb:
            raise TooLargeError(
                f"the job needs {needs.memory_gb:g} GB of memory, and all jobs together may have"
                f" {self._all.memory_gb:g} GB",
                hint="give it less (memory_gb of the service, the tool or the step), or more to"
                " all (jobs.memory_gb, the machine's); then start the service again",
            )

    def hold(self, service: str, running: Iterable[Job]) -> None:
        """These jobs of the service run, and no other."""
        self._held[service] = {
            job.job_id: Needs.of(job.parameters, job.observed) for job in running
        }

    def line_up(self, service: str, pending: Iterable[Job]) -> None:
        """These jobs of the service wait, and no other."""
        there = {job.job_id for job in pending}
        self._line = {
            place: count
            for place, count in self._line.items()
            if place[1] != service or place[2] in there
        }

    def promise(
        self, service: str, written: Mapping[int, DiskNeed], waiting: Iterable[Job]
    ) -> None:
        """What is still to be written by the service's jobs that run, and by those that wait."""
        self._promised[service] = dict(written)
        to_come: dict[Path, int] = {}
        needs = [DiskNeed.of(job.parameters, job.observed) for job in waiting]
        for need in (*written.values(), *filter(None, needs)):
            to_come[need.root] = to_come.get(need.root, 0) + need.bytes
        self.disk.expect(service, to_come)

    def lacks_space(self, service: str, job: Job) -> str:
        """What the job waits for on its volume; empty if it may begin there, or has begun."""
        need = DiskNeed.of(job.parameters, job.observed)
        if need is None or need.passed or job.starts:
            return ""
        roots = set(self.disk.on_one_volume(need.root))
        promised = sum(
            other.bytes
            for jobs in self._promised.values()
            for other in jobs.values()
            if other.root in roots
        )
        if waits := self.disk.waits_for(need.root, need.bytes, promised):
            self._line.pop((job.created, service, job.job_id), None)
        return waits

    def admit(self, service: str, job: Job) -> str:
        """Empty if the job may start, and then it holds what it needs; else what it waits for.

        NB: what an earlier start of it has begun may go on, so one that was started before waits
        for nothing.
        """
        needs = Needs.of(job.parameters, job.observed)
        place = (job.created, service, job.job_id)
        if needs != NOTHING and not job.starts:
            if waits := self._waits(place, needs):
                self._line.setdefault(place, 0)
                return waits
            for other in self._line:
                self._line[other] += other < place
        self._line.pop(place, None)
        self._held.setdefault(service, {})[job.job_id] = needs
        if (need := DiskNeed.of(job.parameters, job.observed)) is not None:
            self._promised.setdefault(service, {})[job.job_id] = need
        return ""

    def _waits(self, place: _Place, needs: Needs) -> str:
        for (created, service, job_id), count in self._line.items():
            if (created, service, job_id) < place and count >= OVERTAKEN:
                return (
                    f"job {job_id} of {service}, which came earlier and was overtaken {count} times"
                )
        held = [one for jobs in self._held.values() for one in jobs.values()]
        free_cores = self._all.cores - sum(min(one.cores, self._all.cores) for one in held)
        free_gb = self._all.memory_gb - sum(one.memory_gb for one in held)
        if min(needs.cores, self._all.cores) <= free_cores and needs.memory_gb <= free_gb:
            return ""
        free = Needs(max(0, free_cores), max(0.0, round(free_gb, 1)))
        return f"{needs}; free are {free} of {self._all}"


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))


def _memory_gb() -> float:
    """The machine's, or what the control group of this process may have; 1 at least."""
    with open("/proc/meminfo", encoding="ascii") as file:
        total = next(int(line.split()[1]) for line in file if line.startswith("MemTotal:"))
    least = min([total * 1024, *_limits(Path("/proc/self/cgroup"), _CGROUPS)])
    return max(1.0, round(least / _GB, 1))


def _limits(own: Path, root: Path) -> Iterable[int]:
    """Limits of memory of the groups that a process is in, of either version of control groups."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(base):
                try:
                    text = (folder / name).read_text(encoding="ascii").strip()
                except OSError:
                    continue
                if text.isdecimal():  # else it is `max`
                    yield int(text)
