"""Copies of a run that are under way, or were broken off: in which order its files come, and how.

A step puts one name into its next state; a file takes one to four of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from arteriole.illumina import run_status
from arteriole.illumina.run_folder import MARKERS
from tests.chaos.base_runs import BaseRun
from tests.chaos.run_on_disk import RunOnDisk

#: Of RunCompletionStatus.xml every word counts.
_BY_NAME = frozenset(MARKERS) - {run_status.FILE_NAME}


@dataclass(frozen=True)
class Step:
    """Put `content` at `path`, or rename what is at `path` to `to`."""

    path: str
    content: bytes = b""
    to: str = ""

    def take(self, disk: RunOnDisk) -> None:
        if self.to:
            disk.rename(self.path, self.to)
        else:
            disk.put(self.path, self.content)


def _alphabetical(_: Random, run: BaseRun) -> list[str]:
    """As `cp -r` of a listing, or robocopy."""
    return sorted(run.files)


def _as_rsync(_: Random, run: BaseRun) -> list[str]:
    """The files of a folder before the folders in it."""
    return sorted(run.files, key=_places)


def _places(path: str) -> list[str]:
    *folders, name = path.split("/")
    return [*(f"1{folder}" for folder in folders), f"0{name}"]


def _in_time(_: Random, run: BaseRun) -> list[str]:
    """As the instrument wrote them, which puts the marker last."""
    return list(run.files)


def _by_chance(chance: Random, run: BaseRun) -> list[str]:
    return chance.sample(list(run.files), len(run.files))


def _marker_first(chance: Random, run: BaseRun) -> list[str]:
    rest = chance.choice((_alphabetical, _in_time, _by_chance))(chance, run)
    return sorted(rest, key=lambda path: path != run.marker)


Order = Callable[[Random, BaseRun], list[str]]
ORDERS: dict[str, Order] = {
    "alphabetical": _alphabetical,
    "rsync's": _as_rsync,
    "in time": _in_time,
    "by chance": _by_chance,
    "marker first": _marker_first,
}


def _renamed(chance: Random, path: str, content: bytes) -> list[Step]:
    """As rsync does: under a hidden name until it is whole."""
    folder, slash, name = path.rpartition("/")
    hidden = f"{folder}{slash}.{name}.{''.join(chance.choices('ABCxyz012345', k=6))}"
    part = content[: chance.randrange(len(content) + 1)]
    return [Step(hidden, part), Step(hidden, content), Step(hidden, to=path)]


def _in_place(chance: Random, path: str, content: bytes) -> list[Step]:
    """As cp does; what is written by one call comes at once, and of a marker only its name counts.

    NB: of a sheet that ends with one of its lines nobody can know that it was to be longer.
    """
    if path in _BY_NAME or not content:
        return [Step(path, content)]
    steps = [Step(path, b"")] if chance.random() < 0.7 else []
    if path != "SampleSheet.csv" and len(content) > 1:
        steps.append(Step(path, content[: chance.randrange(1, len(content))]))
    return [*steps, Step(path, content)]


Way = Callable[[Random, str, bytes], list[Step]]
WAYS: dict[str, Way] = {"hidden": _renamed, "in place": _in_place}


@dataclass(frozen=True)
class Copy:
    """The steps of a copy, and in words which it is."""

    steps: list[Step]
    told: str


def copy_of(chance: Random, run: BaseRun, order: str, way: str) -> Copy:
    """A copy in this order, by one copier or several at once, each with a share of the files."""
    paths = ORDERS[order](chance, run)
    copiers = chance.choice((1, 1, 2, 4))
    share = -(-len(paths) // copiers)
    queues = [
        [
            step
            for path in paths[at : at + share]
            for step in WAYS[way](chance, path, run.files[path])
        ]
        for at in range(0, len(paths), share)
    ]
    return Copy(list(_together(chance, queues)), f"{order} order, {way}, {copiers} copiers")


def _together(chance: Random, queues: list[list[Step]]) -> Iterator[Step]:
    """Each copier goes on by a few steps in turn."""
    open_ = [iter(queue) for queue in queues]
    while open_:
        one = chance.choice(open_)
        for _ in range(chance.randint(1, 8)):
            step = next(one, None)
            if step is None:
                open_.remove(one)
                break
            yield step


def last_needed(run: BaseRun, steps: list[Step]) -> int:
    """The number of the step with which all that a complete run needs is there."""
    return max(n for n, step in enumerate(steps) if (step.to or step.path) in run.judged)
