"""The rule of bcl2fastq 2.20 once more, slow and plain: what `builtin` is compared with.

It shares no code with the services: files are read by readers of its own (reference_run.py), a
cluster and a letter at a time. It trusts its input and knows no error.
"""

import csv
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from reference_run import Call, Cluster, Read, Run, tile_chosen

PAIR = {"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}


@dataclass
class Asked:
    mismatches: tuple[int, int] = (1, 1)
    no_lane_splitting: bool = False
    index_reads: bool = False
    tiles: list[str] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)
    mask_short: int = 0
    failed_too: bool = False


@dataclass
class Used:
    name: str
    cycles: list[int]
    is_index: bool
    turned: bool


@dataclass
class Sample:
    lane: int | None
    id: str
    name: str
    project: str
    indexes: list[str]
    number: int


@dataclass
class Converted:
    files: dict[str, str]
    reads: Counter
    clusters: int = 0
    passed: int = 0
    unknown: dict[int, Counter] = field(default_factory=dict)
    by_tile: Counter = field(default_factory=Counter)


def convert(run: Run, sheet: Path, asked: Asked) -> Converted:
    """Files by their path, each the text of all of its records, and what Stats.json counts."""
    samples = read_samples(sheet)
    texts: dict[str, list[str]] = {}
    done = Converted({}, Counter())
    for lane in sorted(run.tiles):
        on_lane = [replace(sample) for sample in samples if sample.lane in (None, lane)]
        tiles = [t for t in sorted(run.tiles[lane]) if tile_chosen(asked.tiles, lane, t)]
        if not on_lane or not tiles:
            continue
        done.unknown[lane] = Counter()
        used = reads_of_lane(run.reads, mask_of(asked.masks, lane), on_lane)
        takes_all = len(on_lane) == 1 and not any(on_lane[0].indexes)
        nobody = None if takes_all else Sample(lane, "Undetermined", "Undetermined", "", [], 0)
        for sample in [*on_lane, *([nobody] if nobody else [])]:
            for read in used:
                if not read.is_index or asked.index_reads:
                    texts.setdefault(file_name(sample, lane, read, asked), [])
        for tile in tiles:
            for cluster in run.clusters(lane, tile):
                done.clusters += 1
                done.passed += cluster.passed
                if not cluster.passed and not asked.failed_too:
                    continue
                observed = [called(cluster, read) for read in used if read.is_index]
                letters = ["".join(letter for letter, _ in calls) for calls in observed]
                row = None if takes_all else owner(on_lane, cluster, used, asked)
                sample = on_lane[0] if takes_all else row or nobody
                done.reads[sample.id, lane] += 1
                done.by_tile[lane, tile, sample.id] += cluster.passed
                if sample is nobody and letters:
                    done.unknown[lane]["+".join(letters)] += 1
                head = (
                    f"@{run.instrument}:{run.number}:{run.flowcell}:{lane}:{tile}"
                    f":{cluster.x}:{cluster.y}"
                )
                flag = "N" if cluster.passed else "Y"
                shown = read_for(row, cluster, used) if row else letters
                index = "+".join(filter(None, shown)) or str(sample.number)
                for read in used:
                    if read.is_index and not asked.index_reads:
                        continue
                    calls = called(cluster, read)
                    if not read.is_index and len(calls) < asked.mask_short:
                        calls = [("N", 2)] * len(calls)
                    bases = "".join(letter for letter, _ in calls)
                    qualities = "".join(chr(33 + quality) for _, quality in calls)
                    texts[file_name(sample, lane, read, asked)].append(
                        f"{head} {read.name[1]}:{flag}:0:{index}\n{bases}\n+\n{qualities}\n"
                    )
    done.files = {name: "".join(records) for name, records in texts.items()}
    return done


def read_samples(path: Path) -> list[Sample]:
    lines = path.read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(("Lane,", "Sample_ID,")))
    samples: list[Sample] = []
    numbers: dict[str, int] = {}
    ends = [n for n, line in enumerate(lines) if n > start and not line.strip(",")]
    for row in csv.DictReader(lines[start : (*ends, len(lines))[0]]):
        name = row["Sample_ID"]
        number = numbers.setdefault(name, len(numbers) + 1)
        lane = int(row["Lane"]) if row.get("Lane") else None
        indexes = [row.get("index") or "", row.get("index2") or ""]
        samples.append(
            Sample(
                lane, name, row.get("Sample_Name") or name, row.get("Sample_Project") or "",
                indexes, number,
            )
        )  # fmt: skip
    return samples


def mask_of(masks: list[str], lane: int) -> str | None:
    general = None
    for mask in masks:
        where, colon, rest = mask.partition(":")
        if colon and int(where) == lane:
            return rest
        if not colon:
            general = mask
    return general


def reads_of_lane(reads: list[Read], mask: str | None, samples: list[Sample]) -> list[Used]:
    """Cycle by cycle: what each is used for, then neighbours of one use together."""
    numbers = {"R": 0, "I": 0}
    used: list[Used] = []
    cycle = 0
    masks = mask.lower().split(",") if mask else [None] * len(reads)
    for read, text in zip(reads, masks, strict=True):
        letters = (
            spelt(text, read.cycles) if text else ("i" if read.is_index else "y") * read.cycles
        )
        if set(letters) == {"n"}:
            numbers["I" if read.is_index else "R"] += 1
        last = "n"
        for letter in letters:
            if letter != "n":
                if letter != last:
                    sort = "I" if letter == "i" else "R"
                    numbers[sort] += 1
                    name = f"{sort}{numbers[sort]}"
                    used.append(Used(name, [], sort == "I", sort == "I" and read.turned))
                used[-1].cycles.append(cycle)
            last = letter
            cycle += 1
    for read in used:
        if read.is_index and any(any(sample.indexes) for sample in samples):
            length = max(len(sample.indexes[int(read.name[1]) - 1]) for sample in samples)
            read.cycles = read.cycles[:length]
    for sample in samples:
        wanted = [read.name for read in used if read.is_index]
        sample.indexes = [i for n, i in enumerate(sample.indexes, 1) if f"I{n}" in wanted]
    return [read for read in used if read.cycles]


def spelt(mask: str, cycles: int) -> str:
    """`i8n*` as iiiiiiiinn."""
    parts = re.findall(r"([yin])(\d+|\*)?", mask)
    rest = cycles - sum(int(count or 1) for _, count in parts if count != "*")
    return "".join(letter * (rest if count == "*" else int(count or 1)) for letter, count in parts)


def called(cluster: Cluster, read: Used) -> list[Call]:
    calls = [cluster.calls[cycle] for cycle in read.cycles]
    return (
        [(PAIR[letter], quality) for letter, quality in reversed(calls)] if read.turned else calls
    )


def read_for(row: Sample, cluster: Cluster, used: list[Used]) -> list[str]:
    """What the cluster shows in so many cycles of each index read as a row's index has letters."""
    reads = [read for read in used if read.is_index]
    return [
        "".join(letter for letter, _ in called(cluster, replace(read, cycles=read.cycles[:length])))
        for read, length in zip(reads, map(len, row.indexes), strict=False)
    ]


def owner(rows: list[Sample], cluster: Cluster, used: list[Used], asked: Asked) -> Sample | None:
    """The row within the mismatches of each index; the nearest, if no other sample's is as near.

    Of a sample's own rows that are as near the first.
    """
    near = []
    for place, row in enumerate(rows):
        apart = [
            sum(one != other for one, other in zip(index, letters, strict=True))
            for index, letters in zip(row.indexes, read_for(row, cluster, used), strict=False)
        ]
        if all(count <= most for count, most in zip(apart, asked.mismatches, strict=False)):
            near.append((sum(apart), place))
    near.sort()
    nearest = [rows[place] for count, place in near if count == near[0][0]]
    return nearest[0] if len({row.id for row in nearest}) == 1 else None


def file_name(sample: Sample, lane: int, read: Used, asked: Asked) -> str:
    place = "" if asked.no_lane_splitting else f"_L{lane:03d}"
    folder = [sample.project] if sample.project else []
    if sample.name != sample.id:
        folder.append(sample.id)
    return "/".join([*folder, f"{sample.name}_S{sample.number}{place}_{read.name}_001.fastq.gz"])
