"""Damaged run folders, copies and good runs: what is said of each.

A case is decided by the seed and its number alone, so that it can be made again without others:
`make storm SEED=7 STORM="folder_storm --case 4711"` (of the good runs: `good-12`).
"""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from arteriole.runfolder.verdict import VerdictKind, examine
from tests.chaos import copies
from tests.chaos.base_runs import BaseRun, base_runs
from tests.chaos.check import Check, CheckError
from tests.chaos.damage import DAMAGES, Damage
from tests.chaos.good_runs import grown
from tests.chaos.run_on_disk import RECHECK, SETTLE, RunOnDisk, Watched

COMPLETE = VerdictKind.COMPLETE
GOOD = "a good run"
_CORRUPTION, _GOOD = "corruption", "good"
#: In memory, where there is such a place.
_MEMORY = Path("/dev/shm")  # a folder of its own is made there
_WORKERS = 2
_PIECE = 100


@dataclass(frozen=True)
class Case:
    """What was made of which run, and what is wrong with what was said of it; "" if nothing."""

    number: str
    kind: str
    run: str
    told: str
    wrong: str = ""

    def __str__(self) -> str:
        return f"case {self.number}: {self.kind}; {self.run}: {self.told}: {self.wrong}"


Make = Callable[[Random, BaseRun, RunOnDisk], tuple[str, str] | None]
"""(what was done, what is wrong); None if the run does not allow it."""


def _damaged(
    damage: Damage, chance: Random, run: BaseRun, disk: RunOnDisk
) -> tuple[str, str] | None:
    found = damage(chance, run)
    if found is None:
        return None
    disk.become(found.files)
    if chance.random() < 0.3:
        disk.prune()
    verdict = examine(disk.path)
    wrong = f"complete: {verdict.message}" if verdict.kind is COMPLETE else ""
    return found.told, wrong


def _broken_off(
    order: str, way: str, chance: Random, run: BaseRun, disk: RunOnDisk
) -> tuple[str, str]:
    """A copy that is stopped for good before all that is needed is there."""
    copy = copies.copy_of(chance, run, order, way)
    steps = copies.last_needed(run, copy.steps)
    # Most of what could be taken for a whole run lacks little.
    taken = steps - 1 - int(chance.expovariate(1 / 12)) if chance.random() < 0.7 else 0
    taken = taken if taken > 0 else chance.randrange(steps)
    disk.clear()
    for step in copy.steps[: taken + 1]:
        step.take(disk)
    watched = Watched(disk.path)
    kinds = [watched.after(0).kind, *watched.in_the_end()]
    if chance.random() < 0.3:
        watched.restart()
        kinds += [watched.after(1).kind, *watched.in_the_end()]
    told = f"{copy.told}, broken off after step {taken + 1} of {len(copy.steps)}"
    return told, "complete" if COMPLETE in kinds else ""


def _under_way(
    order: str, way: str, chance: Random, run: BaseRun, disk: RunOnDisk
) -> tuple[str, str]:
    """A copy that is looked at while it goes on, and now and then stands still; to its end."""
    copy = copies.copy_of(chance, run, order, way)
    needed = copies.last_needed(run, copy.steps)
    count = len(copy.steps)
    late = range(max(1, needed - 10), min(count, needed + 3))
    looks = {*chance.sample(range(1, count), 3), *chance.sample(late, min(3, len(late)))}
    disk.clear()
    watched = Watched(disk.path)
    watched.after(0)
    for number, step in enumerate(copy.steps):
        step.take(disk)
        if number not in looks:
            continue
        for pause in (
            chance.uniform(0, SETTLE - 1),
            chance.choice((0.1, 0.1, SETTLE * 2, RECHECK * 9)),
        ):
            if watched.after(pause).kind is COMPLETE:
                told = f"{copy.told}, after step {number + 1} of {count}"
                return (
                    told,
                    "" if number >= needed else f"complete, step {needed + 1} is still to come",
                )
        if chance.random() < 0.2:
            watched.restart()
    told = f"{copy.told}, {count} steps to its end"
    kinds = watched.in_the_end()
    return told, "" if kinds[2] is COMPLETE else f"not complete in the end: {[*kinds]}"


def _good(chance: Random, run: BaseRun, disk: RunOnDisk) -> tuple[str, str]:
    """A whole run, with what comes before and after its end."""
    sheet_late = chance.random() < 0.25
    files = grown(chance, run, run.files) if chance.random() < 0.5 else dict(run.files)
    last = [run.marker, "SampleSheet.csv"] if sheet_late else [run.marker]
    disk.clear()
    disk.become({path: content for path, content in files.items() if path not in last})
    watched = Watched(disk.path)
    early = watched.after(0).kind
    disk.put(run.marker, files[run.marker])
    if sheet_late:
        pause = chance.choice((1.0, SETTLE * 3, 5000.0))
        early_too = [watched.after(pause).kind, watched.after(SETTLE * 3).kind]
        if early_too[-1] is not VerdictKind.NO_SHEET or COMPLETE in early_too:
            return "sheet late", f"without a sheet: {early_too}"
        disk.put("SampleSheet.csv", files["SampleSheet.csv"])
    told = f"{len(files)} files{', the sheet late' if sheet_late else ''}"
    if early not in (VerdictKind.SEQUENCING, VerdictKind.COPYING):
        return told, f"{early} without its marker"
    first = watched.after(1)
    if first.kind is not COMPLETE and watched.after(SETTLE + 1).kind is not COMPLETE:
        return told, f"not complete: {first.message}"
    return told, _stays(chance, run, disk)


def _stays(chance: Random, run: BaseRun, disk: RunOnDisk) -> str:
    """Whatever comes later, whoever looks anew."""
    for _ in range(2):
        files = grown(chance, run, disk.files)
        added = [path for path in files if path not in disk.files]
        disk.become(files)
        verdict = examine(disk.path)
        if verdict.kind is not COMPLETE:
            return f"{verdict.kind} after {added}: {verdict.message}"
        watched = Watched(disk.path)
        kinds = [watched.after(0).kind, watched.after(SETTLE + 1).kind]
        if kinds[0] not in (COMPLETE, VerdictKind.COPYING) or kinds[1] is not COMPLETE:
            return f"{kinds} of another process after {added}"
    return ""


CORRUPTIONS: dict[str, Make] = {
    name: partial(_damaged, damage) for name, damage in DAMAGES.items()
} | {
    f"a copy {name} ({order}, {way})": partial(make, order, way)
    for name, make in (("broken off", _broken_off), ("under way", _under_way))
    for order in copies.ORDERS
    for way in copies.WAYS
}


class Maker:
    """Makes cases in a folder of its own."""

    def __init__(self, runs: list[BaseRun], seed: int, folder: Path) -> None:
        self.runs = runs
        self.seed = seed
        self.disks = [RunOnDisk(folder / run.plan.run) for run in runs]

    def corruption(self, number: int) -> Case:
        """The kinds take turns; the run is one by chance of those that allow it."""
        kind = list(CORRUPTIONS)[number % len(CORRUPTIONS)]
        places = list(range(len(self.runs)))
        Random(f"{self.seed} {number} runs").shuffle(places)
        for place in places:
            run, chance = self.runs[place], Random(f"{self.seed} {number} {place}")
            if found := CORRUPTIONS[kind](chance, run, self.disks[place]):
                return Case(str(number), kind, run.name, *found)
        raise AssertionError(f"case {number}: no run allows: {kind}")

    def good(self, number: int) -> Case:
        run = self.runs[number % len(self.runs)]
        disk = self.disks[number % len(self.runs)]
        chance = Random(f"{self.seed} good {number}")
        return Case(f"{_GOOD}-{number}", GOOD, run.name, *_good(chance, run, disk))


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The title of the check, and its figures.

    Raises:
        CheckError: a damaged folder or half a copy was called complete, or a good run was not.
    """
    began = time.monotonic()
    runs = base_runs(every=True)
    pieces = _pieces(check)
    if len(pieces) == 1:
        cases = _piece(runs, check.seed, pieces[0])
    else:
        cases = _at_once(runs, check.seed, pieces)
    if check.case:
        print(*cases, sep="\n", file=sys.stderr)
    if wrong := [str(case) for case in cases if case.wrong]:
        look = f"make storm SEED={check.seed} STORM='folder_storm --case N' makes one again"
        raise CheckError(wrong, look)
    title = f"run folders: {check.corruptions:,} corruptions and {check.good_runs:,} good runs"
    return title, figures(cases) | {"seconds": round(time.monotonic() - began, 1)}


Piece = tuple[str, int, int]
"""`corruption` or `good`, and the numbers of the cases: from, up to."""


def _pieces(check: Check) -> list[Piece]:
    if check.case:
        what, _, number = check.case.rpartition("-")
        return [(what or _CORRUPTION, int(number), int(number) + 1)]
    sizes = ((_CORRUPTION, check.corruptions), (_GOOD, check.good_runs))
    return [
        (what, first, min(first + _PIECE, size))
        for what, size in sizes
        for first in range(0, size, _PIECE)
    ]


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder for a while; on disk where there is no other place."""
    above = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=above, prefix="folder_storm.") as folder:
        yield Path(folder)


def _at_once(runs: list[BaseRun], seed: int, pieces: list[Piece]) -> list[Case]:
    """NB: the processes are forked, so that what is made of the runs before is made once."""
    for run in runs:
        _ = run.longer
    cases: list[Case] = []
    with ProcessPoolExecutor(_WORKERS, get_context("fork")) as pool:
        for made in pool.map(partial(_piece, runs, seed), pieces):
            cases += made
            wrong = [str(case) for case in made if case.wrong]
            print(f"{len(cases)} cases", *wrong, sep="\n", file=sys.stderr)
    return cases


def _piece(runs: list[BaseRun], seed: int, piece: Piece) -> list[Case]:
    what, first, end = piece
    with in_memory() as folder:
        maker = Maker(runs, seed, folder)
        make = maker.good if what == _GOOD else maker.corruption
        return [make(number) for number in range(first, end)]


def figures(cases: Iterable[Case]) -> dict[str, Any]:
    """How many of each kind there were, and how many of each run, and were judged wrong."""
    corruptions = [case for case in cases if case.kind != GOOD]
    good = [case for case in cases if case.kind == GOOD]
    return {
        "corruptions": len(corruptions),
        "false_completes": sum(1 for case in corruptions if case.wrong),
        "good_runs": len(good),
        "false_refusals": sum(1 for case in good if case.wrong),
        "corruptions_by_kind": dict(Counter(case.kind for case in corruptions)),
        "corruptions_by_run": dict(sorted(Counter(case.run for case in corruptions).items())),
    }
