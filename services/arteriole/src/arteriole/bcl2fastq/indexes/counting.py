"""Counts the index pairs of a sample of each lane's clusters.

Looked at are a few tiles a lane, spread over its surfaces and swaths, and of each at most
CLUSTERS clusters, drawn with a fixed seed: the same files give the same counts. A tile is read
whole in its index cycles, since its file is compressed as one; so the bytes that are read are
counted, and no further tile of a lane is begun once its share of BYTES might be passed.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arteriole.bcl2fastq.converters.builtin.demultiplex import LETTERS, Barcodes, index_codes
from arteriole.bcl2fastq.converters.builtin.sources import Chosen, Source, of_lane
from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.illumina import reading
from arteriole.illumina.observed_indexes import ObservedLane, Pair
from arteriole.illumina.run_folder import RunFolder, surface
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.used_reads import UsedRead

#: At most so many tiles of a lane.
TILES = 8
#: Tiles of a lane that are tried, since some may be missing or damaged.
TRIED = 24
#: At most so many clusters of a tile.
CLUSTERS = 40_000
#: About so many bytes of all lanes together; one tile of a lane is read in any case.
BYTES = 400 * 1024 * 1024
#: So many different pairs of a lane are kept, the commonest ones: the others are reading errors.
PAIRS = 10_000
_SEED = 20_240


class NotReadError(ConversionError):
    """The index reads of a lane cannot be read."""

    code = "indexes.not_read"


@dataclass
class Bytes:
    """Counts what is read."""

    in_bulk: bool = False
    size: int = 0

    def take(self, files: int, size: int) -> None:
        self.size += size


def count(
    folder: RunFolder, reads: dict[int, tuple[UsedRead, ...]]
) -> Iterator[tuple[ObservedLane, int]]:
    """Each lane of `reads` as it was read, and the bytes that were read for it.

    Args:
        reads: of each lane, the cycles of i7, or of i7 and i5, that its samples' indexes have.

    Raises:
        NotReadError: of a lane no tile can be read.
        RunInfoError: the run's RunInfo.xml cannot be used.
    """
    run_info = folder.run_info
    share = BYTES // max(1, len(reads))
    for lane, of_lane_ in reads.items():
        meter = Bytes()
        with reading.metered(meter):
            found = _lane(folder, run_info, lane, of_lane_, share, meter)
        yield found, meter.size


def _lane(
    folder: RunFolder,
    run_info: RunInfo,
    lane: int,
    reads: tuple[UsedRead, ...],
    share: int,
    meter: Bytes,
) -> ObservedLane:
    kind = folder.bcl_kind(lane)
    if kind is None:
        raise NotReadError(f"lane {lane} has no base calls", hint="is the run being copied?")
    source = of_lane(folder, run_info, lane, kind)
    pairs: Counter[Pair] = Counter()
    read: list[int] = []
    clusters = largest = 0
    passed_only = True
    trouble: ConversionError | None = None
    for tile in spread(run_info.tiles[lane])[:TRIED]:
        before = meter.size
        if len(read) == TILES or (read and before + largest > share):
            break
        try:
            found, filtered = _tile(source, reads, lane, tile)
        except ConversionError as err:
            trouble = trouble or err
            continue
        finally:
            largest = max(largest, meter.size - before)
        read.append(tile)
        passed_only &= filtered
        clusters += found.total()
        pairs.update(found)
    if not read and trouble is not None:
        raise NotReadError(
            f"the index reads of lane {lane} cannot be read: {trouble}",
            hint="they are complete once later cycles are there; then ask again",
        ) from trouble
    return ObservedLane(lane, clusters, dict(pairs.most_common(PAIRS)), passed_only, tuple(read))


def _tile(
    source: Source, reads: tuple[UsedRead, ...], lane: int, tile: int
) -> tuple[Counter[Pair], bool]:
    """The pairs of a tile, and whether they are of clusters that passed the filter."""
    try:
        passed, known = source.passed(tile), True
    except ConversionError:
        passed, known = np.ones(source.clusters(tile), np.bool_), False
    chosen = Chosen(passed, _drawn(passed, lane, tile), known)
    if not len(chosen.kept):
        return Counter(), known
    parts = []
    for read in reads:
        calls = np.stack([source.calls(tile, cycle, chosen) for cycle in read.cycles])
        parts.append(index_codes(calls, read.is_reverse_complement))
    barcodes = Barcodes.of_codes(np.concatenate(parts))
    counts = np.bincount(barcodes.of, minlength=len(barcodes.codes))
    texts = LETTERS[barcodes.codes].tobytes().decode("ascii")
    width, first = barcodes.codes.shape[1], len(reads[0].cycles)
    found: Counter[Pair] = Counter()
    for place, number in enumerate(counts.tolist()):
        text = texts[place * width : (place + 1) * width]
        found[text[:first], text[first:]] += number
    return found, known


def _drawn(passed: NDArray[np.bool_], lane: int, tile: int) -> NDArray[np.intp]:
    """At most CLUSTERS of those that passed, in order."""
    kept = np.flatnonzero(passed)
    if len(kept) > CLUSTERS:
        rng = np.random.default_rng((_SEED, lane, tile))
        kept = np.sort(rng.choice(kept, CLUSTERS, replace=False))
    return kept


def spread(tiles: tuple[int, ...]) -> list[int]:
    """All tiles, so ordered that the first few lie far apart on the lane.

    Surfaces, swaths and cameras (the digits before the last two) take turns, and within each its
    middle tile comes first, since the edges of a flow cell are worst.

    >>> spread((1101, 1102, 1103, 2101, 2102, 2103))
    [1102, 2102, 1101, 2101, 1103, 2103]
    """
    groups: dict[tuple[int, str], list[int]] = {}
    for tile in tiles:
        groups.setdefault((surface(tile), str(tile)[1:-2]), []).append(tile)
    ordered = [_from_the_middle(group) for _, group in sorted(groups.items(), key=_swath_first)]
    deepest = max(map(len, ordered), default=0)
    return [group[turn] for turn in range(deepest) for group in ordered if turn < len(group)]


def _swath_first(group: tuple[tuple[int, str], list[int]]) -> tuple[str, int]:
    (face, swath), _ = group
    return swath, face


def _from_the_middle(tiles: list[int]) -> list[int]:
    middle = len(tiles) // 2
    return [tiles[n] for n in sorted(range(len(tiles)), key=lambda n: (abs(n - middle), n))]
