"""Harm to one file of base calls, filters or positions, by its format.

What leaves a file as valid as it was is not made, since nobody can know it: another base, quality,
flag or coordinate; a file put in the place of one of the same shape.
"""

import struct
import zlib
from collections.abc import Callable
from random import Random

from arteriole.simulator import formats
from tests.chaos.base_runs import BaseRun, Files

_BGZF_END = 28
_CBCL_BINS = 12  # where the table of bins starts
_CBCL_SLACK = 8
_PREALLOCATED = (".gz", ".cbcl", ".bgzf", ".clocs")

Harm = Callable[[Random, BaseRun, str], bytes | None]
"""Another content of the file at a path of a run; None if this harm does not fit it."""


def sort(path: str) -> str:
    """The format of a file of a run, by its name: `bcl.gz`, `bgzf.bci` (of a cycle), `bci`..."""
    name = path.rpartition("/")[2]
    two = ".".join(name.split(".")[-2:])
    return two if two in ("bcl.gz", "bgzf.bci") else name.rpartition(".")[2]


def shape(path: str, content: bytes) -> object:
    """What can be known of a sound file: two of one shape may be taken for each other."""
    match sort(path):
        case "bcl":
            return content[:4]
        case "bcl.gz":
            return zlib.decompressobj(31).decompress(content, 4)
        case "bgzf":
            return zlib.decompressobj(31).decompress(content, 4), _blocks(content)
        case "filter":
            return content[8:12]
        case "locs":
            return len(content)
        case "clocs":
            return _clocs_clusters(content)
        case "cbcl":
            return _cbcl_shape(content)
    return content


def _blocks(content: bytes) -> tuple[int, ...]:
    """Where the blocks of a BGZF file begin, but for the one that marks its end."""
    begins, place = [], 0
    while place < len(content) - _BGZF_END:
        begins.append(place)
        place += struct.unpack_from("<H", content, place + 16)[0] + 1
    return tuple(begins)


def _clocs_clusters(content: bytes) -> int:
    (bins,) = struct.unpack_from("<I", content, 1)
    return (len(content) - 5 - int(bins)) // 2


def _cbcl_table(content: bytes) -> tuple[int, int]:
    """Where the rows of the tiles start, and how many there are."""
    (bins,) = struct.unpack_from("<I", content, 8)
    place = _CBCL_BINS + 8 * bins
    return place + 4, struct.unpack_from("<I", content, place)[0]


def _cbcl_shape(content: bytes) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Tiles, their clusters, and whether those that failed are left out."""
    start, tiles = _cbcl_table(content)
    rows = [struct.unpack_from("<4I", content, start + 16 * row) for row in range(tiles)]
    flag = content[start + 16 * tiles]
    return tuple(row[0] for row in rows), tuple(row[1] for row in rows), flag


def cut(chance: Random, run: BaseRun, path: str) -> bytes | None:
    content = run.files[path]
    kept = chance.randrange(1, len(content))
    # NB: the block that marks the end of a .bcl.bgzf holds no calls; without it they are all there.
    whole = sort(path) == "bgzf" and kept == len(content) - _BGZF_END
    return None if whole else content[:kept]


def emptied(_: Random, __: BaseRun, ___: str) -> bytes:
    return b""


def appended(chance: Random, run: BaseRun, path: str) -> bytes:
    more = chance.randint(1, 40)
    return run.files[path] + chance.choice((chance.randbytes(more), bytes(more)))


def preallocated(chance: Random, run: BaseRun, path: str) -> bytes | None:
    """As long as it will be, and the rest not written yet; in plain calls that is no-calls."""
    if not path.endswith(_PREALLOCATED):
        return None
    content = run.files[path]
    kept = chance.randrange(_calls_end(content) if sort(path) == "cbcl" else len(content))
    return content[:kept] + bytes(len(content) - kept)


def _calls_end(content: bytes) -> int:
    """Where a CBCL's last tile with clusters ends, whose last bytes are not zero."""
    start, tiles = _cbcl_table(content)
    rows = [struct.unpack_from("<4I", content, start + 16 * row) for row in range(tiles)]
    empty = 0
    while rows and not rows[-1][1]:
        empty += rows.pop()[3]
    return len(content) - empty - 4


def header(chance: Random, run: BaseRun, path: str) -> bytes | None:
    """One field of its header says something else."""
    content = run.files[path]
    match sort(path):
        case "bcl":
            return _other_number(chance, content, 0)
        case "bcl.gz":
            return _gz(chance, content)
        case "filter" | "locs":
            return _other_number(chance, content, chance.choice((0, 4, 8)))
        case "clocs":
            return _other_byte(chance, content, 0) if chance.random() < 0.5 else _bins(content)
        case "cbcl":
            return _cbcl(chance, run, path)
        case "bgzf":
            return _other_byte(chance, content, chance.choice((0, 1, 2, 10, 11, 12, 13, 14, 15)))
        case "bgzf.bci":
            return _offsets(chance, run, path)
        case "bci":
            return _tile_index(chance, content)
    return None


def _other_number(chance: Random, content: bytes, at: int) -> bytes:
    (old,) = struct.unpack_from("<I", content, at)
    new = chance.choice((old + chance.randint(1, 300), chance.randrange(2**32), old ^ 1))
    new = new if new != old else old + 1
    return content[:at] + struct.pack("<I", new & 0xFFFFFFFF) + content[at + 4 :]


def _other_byte(chance: Random, content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ chance.randint(1, 255)]) + content[at + 1 :]


def _bins(content: bytes) -> bytes:
    (bins,) = struct.unpack_from("<I", content, 1)
    return content[:1] + struct.pack("<I", bins + 1) + content[5:]


def _gz(chance: Random, content: bytes) -> bytes:
    if chance.random() < 0.5:
        return _other_byte(chance, content, chance.randrange(3))
    return formats.compressed(_other_number(chance, zlib.decompress(content, 31), 0))


def _cbcl(chance: Random, run: BaseRun, path: str) -> bytes | None:
    content = run.files[path]
    start, tiles = _cbcl_table(content)
    row = start + 16 * chance.randrange(tiles)
    fields = (
        "version",
        "size",
        "bits",
        "tiles",
        "number",
        "clusters",
        "packed",
        "unpacked",
        "flag",
    )
    match chance.choice(fields):
        case "version":
            return _other_byte(chance, content, chance.randrange(2))
        case "size":
            return _other_number(chance, content, 2)
        case "bits":
            return _other_byte(chance, content, chance.choice((6, 7)))
        case "tiles":
            return _other_number(chance, content, start - 4)
        case "number":
            return _other_number(chance, content, row)
        case "clusters":
            return _other_number(chance, content, row + 4)
        case "unpacked":
            return _other_number(chance, content, row + 8)
        case "packed":
            harmed = _other_number(chance, content, row + 12)
            old, new = (struct.unpack_from("<I", data, row + 12)[0] for data in (content, harmed))
            # NB: so many bytes less are allowed, since there are such files; all calls are there.
            return None if 0 < old - new <= _CBCL_SLACK else harmed
        case _:
            at = start + 16 * tiles
            harmed = content[:at] + bytes([1 - content[at]]) + content[at + 1 :]
            return harmed if _some_failed(run, path) else None


def _some_failed(run: BaseRun, path: str) -> bool:
    """Whether it makes a difference that clusters which failed the filter are left out."""
    lane = path.split("/")[-3]
    filters = (f"s_{int(lane[1:])}_{tile}.filter" for tile in _cbcl_shape(run.files[path])[0])
    base = path.rpartition("/")[0].rpartition("/")[0]
    return any(0 in run.files[f"{base}/{name}"][12:] for name in filters)


def _offsets(chance: Random, run: BaseRun, path: str) -> bytes:
    """Of `<cycle>.bcl.bgzf.bci`: a tile that has clusters begins elsewhere.

    NB: in a block in which no other tile begins, only who unpacks it sees a wrong place.
    """
    content = run.files[path]
    if chance.random() < 0.3:
        return _other_number(chance, content, chance.choice((0, 4)))
    offsets = list(struct.unpack_from(f"<{(len(content) - 8) // 8}Q", content, 8))
    folder = path.rpartition("/")[0]
    index = run.files[f"{folder}/s_{int(folder[-3:])}.bci"]
    filled = [row for row, (_, count) in enumerate(struct.iter_unpack("<II", index)) if count]
    place = chance.randrange(len(filled))
    row, following = filled[place], filled[min(place + 1, len(filled) - 1)]
    if chance.random() < 0.5 and offsets[row] >> 16 == offsets[following] >> 16:
        offsets[row] += chance.choice((-1, 1))
    else:
        offsets[row] += chance.randint(1, 2000) << 16
    return content[:8] + struct.pack(f"<{len(offsets)}Q", *offsets)


def _tile_index(chance: Random, content: bytes) -> bytes:
    """Of `s_<lane>.bci`: the number of a tile, or its clusters."""
    row = 8 * chance.randrange(len(content) // 8)
    return _other_number(chance, content, row + chance.choice((0, 4)))


def of_elsewhere(chance: Random, run: BaseRun, path: str) -> bytes | None:
    """The content of another tile, lane or cycle that can be told from its own."""
    own = shape(path, run.files[path])
    others = [other for other in run.files if sort(other) == sort(path) and other != path]
    for other in chance.sample(others, min(12, len(others))):
        found = shape(other, run.files[other])
        if found != own and not _may_be_right(path, own, found):
            return run.files[other]
    return None


def _may_be_right(path: str, own: object, found: object) -> bool:
    """A CBCL of another cycle may leave out what failed, or not."""
    if sort(path) != "cbcl":
        return False
    assert isinstance(own, tuple)
    assert isinstance(found, tuple)
    return bool(own[0] == found[0] and own[2] != found[2])


def of_other_length(_: Random, run: BaseRun, path: str) -> bytes | None:
    """The same file of a run with other numbers of clusters."""
    other = run.longer[path]
    own, found = shape(path, run.files[path]), shape(path, other)
    return other if own != found and not _may_be_right(path, own, found) else None


def apply(chance: Random, run: BaseRun, among: list[str], harm: Harm) -> tuple[str, Files] | None:
    """Which of the files was harmed, and what there is then; None if the harm fits none."""
    for path in chance.sample(among, min(12, len(among))):
        found = harm(chance, run, path)
        if found is not None and found != run.files[path]:
            return path, {**run.files, path: found}
    return None
