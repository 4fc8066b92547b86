"""bcl2fastq's names of FASTQs, and which file of others is which of ours.

`<sample>_S<number>_L<lane>_<read>_001.fastq.gz`; with --no-lane-splitting there is no lane
(bcl2fastq2 software guide, "FASTQ files").
"""

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

SUFFIX = ".fastq.gz"
UNDETERMINED = "Undetermined"
_NAME = re.compile(r"(.+)_S(\d{1,9})(?:_L(\d{3}))?_([RI]\d)_001\.fastq\.gz", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class FastqName:
    """`lane` is None where lanes were merged."""

    sample: str
    number: int
    lane: int | None
    read: str


def parse(path: str) -> FastqName | None:
    """The parts of a file's name; None if bcl2fastq would not have named it so.

    >>> parse("P1/Ada_S2_L001_R1_001.fastq.gz")
    FastqName(sample='Ada', number=2, lane=1, read='R1')
    """
    found = _NAME.fullmatch(PurePosixPath(path).name)
    if found is None:
        return None
    lane = None if found[3] is None else int(found[3])
    return FastqName(found[1], int(found[2]), lane, found[4])


def sample_of(path: str) -> str:
    """The sample in a file's name; the name itself if it is not bcl2fastq's."""
    name = parse(path)
    return PurePosixPath(path).name if name is None else name.sample


@dataclass(frozen=True)
class Matching:
    """`pairs`: our file -> theirs; `rules`: how many of ours by each rule; both sorted."""

    pairs: dict[str, str]
    rules: dict[str, int]
    missing: tuple[str, ...]
    surplus: tuple[str, ...]


Key = Callable[[str], Hashable | None]


def _base_name(path: str) -> Hashable | None:
    return PurePosixPath(path).name


def _without_number(path: str) -> Hashable | None:
    name = parse(path)
    return None if name is None else (name.sample, name.lane, name.read)


def _without_lane(path: str) -> Hashable | None:
    name = parse(path)
    return None if name is None else (name.sample, name.read)


def _merged_only(path: str) -> Hashable | None:
    name = parse(path)
    return None if name is None or name.lane is not None else (name.sample, name.read)


#: The rules, the strictest first: what two files must have in common, ours and theirs.
RULES: tuple[tuple[str, Key, Key], ...] = (
    ("path", str, str),
    ("name", _base_name, _base_name),
    ("another sample number", _without_number, _without_number),
    ("lanes merged", _without_lane, _merged_only),
)


def match(ours: Iterable[str], theirs: Iterable[str]) -> Matching:
    """Pair our files with theirs, each by the strictest rule that fits.

    One of theirs is the pair of one of ours; merged lanes are the pair of several.
    """
    left, right = sorted(ours), sorted(theirs)
    pairs: dict[str, str] = {}
    rules: dict[str, int] = {}
    for rule, our_key, their_key in RULES:
        merged = rule == "lanes merged"
        by_key: dict[Hashable, list[str]] = {}
        for path in right:
            if (key := their_key(path)) is not None:
                by_key.setdefault(key, []).append(path)
        for path in left:
            key = our_key(path)
            if key is None or not (fitting := by_key.get(key)):
                continue
            pairs[path] = fitting[0] if merged else fitting.pop(0)
            rules[rule] = rules.get(rule, 0) + 1
        left = [path for path in left if path not in pairs]
        right = sorted(set(right) - set(pairs.values()))
    return Matching(pairs, rules, tuple(left), tuple(right))
