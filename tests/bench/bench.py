"""One run of the bench: its scratch folder, its simulated runs, and which rows are wanted."""

import importlib
import pkgutil
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import groups
from tests.bench.measure import Contender, Usage, alternate, run
from tests.bench.row import Goal, Row

#: `arteriole simulate`, in a process of its own: see measure.run.
_SIMULATE = "from arteriole.simulator.command import simulate; simulate()"

Rows = Callable[["Bench"], Iterator[Row]]


@dataclass
class Bench:
    """What a group of rows is given.

    Attributes:
        scratch: a folder of its own, which is removed at the end.
        runs: how often each contender is run.
        small: take sizes of seconds; nothing is judged then.
    """

    scratch: Path
    runs: int
    small: bool = False
    _simulated: dict[tuple[str, ...], Path] = field(default_factory=dict)

    def measure(self, *contenders: Contender) -> list[list[Usage]]:
        """The usages of each, in turn; ours is the first. See measure.alternate."""
        names = " and ".join(contender.name for contender in contenders)
        print(f"{self.runs} x {names}", file=sys.stderr)
        return alternate(contenders, self.runs, self.scratch)

    def goal(self, of: str, most: float) -> Goal | None:
        """The goal, where the size is that of which it speaks."""
        return None if self.small else Goal(of, most)

    def simulated(self, *options: str) -> Path:
        """The run that `arteriole simulate` writes with these options, made once.

        Raises:
            MeasureError: the simulator refuses.
        """
        if options not in self._simulated:
            print(f"simulating {' '.join(options)}", file=sys.stderr)
            folder = self.scratch / f"simulated-{len(self._simulated)}"
            command = [sys.executable, "-c", _SIMULATE, str(folder), *options, "--quiet"]
            run(command, self.scratch / "simulated.log")
            (truth,) = folder.glob("*.truth")
            shutil.rmtree(truth)
            (self._simulated[options],) = folder.iterdir()
        return self._simulated[options]


def group_names() -> tuple[str, ...]:
    """A module each in `groups`."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(groups.__path__)))


def chosen(wanted: Sequence[str]) -> tuple[str, ...]:
    """The groups whose names begin with one of `wanted`; all if nothing is.

    Raises:
        ValueError: a word fits none.
    """
    names = group_names()
    for word in wanted:
        if not any(name.startswith(word) for name in names):
            raise ValueError(f"no rows are called {word!r}; known are: {', '.join(names)}")
    return tuple(n for n in names if not wanted or any(n.startswith(word) for word in wanted))


def rows_of(name: str) -> Rows:
    """The function of the group."""
    rows: Rows = importlib.import_module(f"{groups.__name__}.{name}").rows
    return rows
