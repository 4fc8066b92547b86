"""What a seed decides: the workflows, and when which kill strikes; and how large a soak is."""

import random
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.pack import SHAPES

#: Kills strike within this part of all lines: those of workflows that a kill fails do not come.
_PART = 0.6
_STEPS = 30
_FEWEST_KINDS = 2


class Kind(StrEnum):
    """What kill -9 hits."""

    #: st2solo; what it started goes on.
    ALONE = "st2solo alone"
    #: st2solo, every supervisor and every action.
    ALL = "st2solo with all that it started"
    #: st2solo, and the next one while it picks up what was left.
    TWICE = "st2solo, and again during its recovery"


@dataclass(frozen=True)
class Kill:
    """Strikes when so many `lines` are there; the second of TWICE after so many `steps`."""

    lines: int
    kind: Kind
    steps: int


@dataclass(frozen=True)
class Plan:
    """The workflows as (name, shape), in the order in which they are asked for, and the kills."""

    seed: int
    workflows: list[tuple[str, str]]
    kills: list[Kill]

    @property
    def lines(self) -> int:
        """How many there will be if nothing is killed."""
        return sum(SHAPES[shape].lines.total() for _, shape in self.workflows)


def make(seed: int, workflows: int, kills: int) -> Plan:
    """The same for the same arguments.

    Args:
        kills: a third of each kind.

    Raises:
        ValueError: there are too few workflows for so many kills.
    """
    chance = random.Random(seed)
    weights = [shape.weight for shape in SHAPES.values()]
    shapes = chance.choices(list(SHAPES), weights, k=workflows)
    plan = Plan(seed, [(f"w{number}", shape) for number, shape in enumerate(shapes)], [])
    moments = range(1, int(plan.lines * _PART))
    if len(moments) < kills:
        raise ValueError(f"{workflows} workflows leave {plan.lines} lines: too few, {kills} kills")
    kinds = [list(Kind)[number % len(Kind)] for number in range(kills)]
    chance.shuffle(kinds)
    for lines, kind in zip(sorted(chance.sample(moments, kills)), kinds, strict=True):
        plan.kills.append(Kill(lines, kind, chance.randint(1, _STEPS)))
    return plan


@dataclass(frozen=True)
class Soak:
    """A steady load for so many `minutes`: `rules` shared out among `sensors`.

    Attributes:
        rate: events a second, of all sensors together.
    """

    minutes: float
    sensors: int
    rules: int
    rate: float

    def __post_init__(self) -> None:
        if self.rules % self.sensors or self.kinds < _FEWEST_KINDS:
            raise ValueError(
                f"expected {_FEWEST_KINDS} rules or more for each of {self.sensors} sensors,"
                f" equally many, found {self.rules} in all"
            )

    @property
    def kinds(self) -> int:
        """The rules of a sensor."""
        return self.rules // self.sensors
