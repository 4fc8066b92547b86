"""Index sequences: how far apart they stand, and how to draw some that stand far enough."""

import numpy as np

BASES = "ACGT"
MOST_ERRORS = 3
"""The most errors that the simulator puts into one index."""

FAR = MOST_ERRORS + 2
"""Distance at which no index with MOST_ERRORS errors comes within one mismatch of another."""

_ATTEMPTS = 4000

Pair = tuple[str, str]
"""i7 and i5 as the instrument reads them; i5 is empty where there is one index."""


def distance(one: str, other: str) -> int:
    """Number of positions at which two sequences of one length differ."""
    return sum(a != b for a, b in zip(one, other, strict=True))


def pair_distance(one: Pair, other: Pair) -> int:
    """The larger of the distances of the i7 and of the i5: one that is far keeps a pair apart."""
    return max(distance(a, b) for a, b in zip(one, other, strict=True))


def distinct(count: int, length: int, rng: np.random.Generator) -> list[str]:
    """Up to `count` sequences, each at least FAR from every other; fewer when the draws run out."""
    found: list[str] = []
    for _ in range(_ATTEMPTS):
        if len(found) == count:
            break
        candidate = "".join(BASES[code] for code in rng.integers(0, 4, length))
        if all(distance(candidate, other) >= FAR for other in found):
            found.append(candidate)
    return found


def distinct_pairs(count: int, lengths: tuple[int, ...], rng: np.random.Generator) -> list[Pair]:
    """Up to `count` pairs, each FAR from every other in at least one index.

    The first ones are far in both; only when these run out does an index come twice.
    """
    first = distinct(count, lengths[0], rng)
    if len(lengths) == 1:
        return [(i7, "") for i7 in first]
    second = distinct(count, lengths[1], rng)
    turns = [(turn, place) for turn in range(len(second)) for place in range(len(first))]
    return [(first[place], second[(place + turn) % len(second)]) for turn, place in turns][:count]


def strangers(
    count: int, known: list[Pair], lengths: tuple[int, ...], rng: np.random.Generator
) -> list[Pair]:
    """Up to `count` pairs, each at least three mismatches from all `known` in some index."""
    found: list[Pair] = []
    for _ in range(_ATTEMPTS):
        if len(found) == count:
            break
        drawn = ["".join(BASES[code] for code in rng.integers(0, 4, size)) for size in lengths]
        candidate = (drawn[0], drawn[1] if len(drawn) == 2 else "")
        if all(pair_distance(candidate, other) >= 3 for other in known):
            found.append(candidate)
    return found
