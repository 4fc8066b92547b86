"""The base masks of bcl2fastq: how each cycle of a run is used.

`y*,i8n*,n*,y*`, one mask a read in the order of the run; `2:y*,n*,n*,y*` holds for lane 2, the one
without a lane for the others (bcl2fastq2 software guide v2.20, "--use-bases-mask"). y is template,
i index, n is left out; a number repeats the letter before it, `*` repeats it to the end of the
read, perhaps not once. Unlike there, each mask must cover its read as RunInfo.xml has it.
"""

import re
from collections.abc import Sequence

from arteriole.illumina.override_cycles import Mask, MaskError, names
from arteriole.illumina.run_info import Read, RunInfo

_LANE = re.compile(r"(?:(\d{1,2}):)?(.*)", re.ASCII | re.DOTALL)
_MASK = re.compile(r"(?:[YIN](?:[1-9]\d{0,3}|\*)?)+", re.ASCII)
_PART = re.compile(r"([YIN])(\d+|\*)?", re.ASCII)
_LIMIT = 400


def of_lanes(texts: Sequence[str], run_info: RunInfo) -> dict[int, tuple[Mask, ...]]:
    """The masks of each lane for which something is said.

    Raises:
        MaskError: a mask is not written as it should, does not fit the run, or is said twice.
    """
    said: dict[int | None, tuple[Mask, ...]] = {}
    for text in texts:
        match = _LANE.fullmatch(text.replace(" ", ""))
        lane = int(match[1]) if match and match[1] else None
        if lane is not None and lane not in run_info.lanes:
            raise MaskError(f"lane {lane} of the mask {text[:40]!r} is not on this flow cell")
        if lane in said:
            where = "every lane" if lane is None else f"lane {lane}"
            raise MaskError(f"two masks for {where}, the second is {text[:40]!r}")
        said[lane] = parse(match[2] if match else text, run_info)
    masks = {lane: said.get(lane, said.get(None)) for lane in run_info.lanes}
    return {lane: mask for lane, mask in masks.items() if mask is not None}


def parse(text: str, run_info: RunInfo) -> tuple[Mask, ...]:
    """The mask of each read of the run, without a lane before it. Raises MaskError."""
    if len(text) > _LIMIT:
        raise MaskError(f"a mask of {len(text)} characters; at most {_LIMIT} are read")
    texts = text.upper().split(",")
    reads = run_info.reads
    if len(texts) != len(reads):
        raise MaskError(f"expected {len(reads)} masks, one a read, found {len(texts)}")
    triples = zip(texts, reads, names(reads), strict=True)
    return tuple(_mask(one, read, name) for one, read, name in triples)


def _mask(text: str, read: Read, name: str) -> Mask:
    if not _MASK.fullmatch(text) or text.count("*") > 1:
        raise MaskError(f"{name}: expected a mask such as y* or i8n*, found {text[:40].lower()!r}")
    found = _PART.findall(text)
    fixed = sum(int(count or 1) for _, count in found if count != "*")
    rest = read.cycles - fixed
    if rest < 0 or (rest > 0 and "*" not in text):
        raise MaskError(
            f"{name} has {read.cycles} cycles, its mask {text[:40].lower()} is of {fixed}"
        )
    counts = ((kind, rest if count == "*" else int(count or 1)) for kind, count in found)
    return Mask(tuple((kind, count) for kind, count in counts if count))
