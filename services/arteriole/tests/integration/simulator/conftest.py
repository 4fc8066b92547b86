"""A run of each shape, and FASTQ files made of it by a slow converter of these tests' own."""

import csv
import gzip
import math
import struct
from collections import defaultdict

import pytest
from defusedxml import ElementTree

from arteriole.simulator.defaults import default_plan
from arteriole.simulator.sequencer import write_run


def unpacked(path):
    content = path.read_bytes()
    return gzip.decompress(content) if path.suffix in (".gz", ".bgzf") else content


def called(byte):
    return ("N", "#") if byte == 0 else ("ACGT"[byte & 3], chr(33 + (byte >> 2)))


def read_bcl(path):
    content = unpacked(path)
    (count,) = struct.unpack_from("<I", content)
    assert len(content) == 4 + count
    return [called(byte) for byte in content[4:]]


def read_filter(path):
    content = path.read_bytes()
    zero, version, count = struct.unpack_from("<III", content)
    assert (zero, version, len(content)) == (0, 3, 12 + count)
    return [bool(byte & 1) for byte in content[12:]]


def header_place(x, y):
    return math.floor(10 * x + 1000.5), math.floor(10 * y + 1000.5)


def read_locations(path):
    content = path.read_bytes()
    if path.suffix == ".clocs":
        return read_binned_locations(content)
    one, version, count = struct.unpack_from("<ifI", content)
    assert (one, version, len(content)) == (1, 1.0, 12 + 8 * count)
    return [header_place(*pair) for pair in struct.iter_unpack("<ff", content[12:])]


def read_binned_locations(content):
    places, at = [], 5
    (bins,) = struct.unpack_from("<I", content, 1)
    for number in range(bins):
        row, column = divmod(number, 82)
        count, at = content[at], at + 1
        for _ in range(count):
            x, y = content[at] / 10 + 25 * column, content[at + 1] / 10 + 25 * row
            places.append(header_place(x, y))
            at += 2
    assert at == len(content)
    return places


def read_cbcl(path):
    """The calls of each tile, and whether clusters that fail are left out."""
    content = path.read_bytes()
    version, size, bits, quality_bits, bins = struct.unpack_from("<HIBBI", content)
    assert (version, bits, quality_bits) == (1, 2, 2)
    qualities = [quality for _, quality in struct.iter_unpack("<II", content[12 : 12 + 8 * bins])]
    at = 12 + 8 * bins
    (count,) = struct.unpack_from("<I", content, at)
    table = list(struct.iter_unpack("<IIII", content[at + 4 : at + 4 + 16 * count]))
    assert size == at + 4 + 16 * count + 1
    at, found = size, {}
    for number, clusters, raw, packed in table:
        block = gzip.decompress(content[at : at + packed])
        assert len(block) == raw == (clusters + 1) // 2
        nibbles = [half for byte in block for half in (byte & 15, byte >> 4)][:clusters]
        found[number] = [
            ("N", "#") if nibble == 0 else ("ACGT"[nibble & 3], chr(33 + qualities[nibble >> 2]))
            for nibble in nibbles
        ]
        at += packed
    assert at == len(content)
    return found, bool(content[size - 1])


def tiles_of(run, cycles):
    """Lane, tile, filter, places and calls of each cycle, tile after tile."""
    intensities = run / "Data" / "Intensities"
    for folder in sorted((intensities / "BaseCalls").glob("L*")):
        lane = int(folder.name[1:])
        for index in folder.glob("s_*.bci"):
            yield from lane_tiles(intensities, folder, lane, index.read_bytes(), cycles)
        for flags in sorted(folder.glob("s_*_*.filter")):
            number, passed = int(flags.stem.split("_")[2]), read_filter(flags)
            shared = intensities / "s.locs"
            own = intensities / folder.name / f"{flags.stem}.locs"
            path = next(path for path in (shared, own, own.with_suffix(".clocs")) if path.exists())
            calls = [tile_calls(folder / f"C{n}.1", lane, number, passed) for n in cycles]
            yield lane, number, passed, read_locations(path)[: len(passed)], calls


def tile_calls(folder, lane, number, passed):
    for path in folder.glob(f"s_{lane}_{number}.bcl*"):
        return read_bcl(path)
    found, left_out = read_cbcl(folder / f"L{lane:03d}_{str(number)[0]}.cbcl")
    if not left_out:
        return found[number]
    present = iter(found[number])
    calls = [next(present) if flag else None for flag in passed]
    assert next(present, None) is None
    return calls


def lane_tiles(intensities, folder, lane, index, cycles):
    """The tiles of a lane whose cycles are one BGZF each; their beginnings are checked too."""
    passed = read_filter(folder / f"s_{lane}.filter")
    places = read_locations(intensities / folder.name / f"s_{lane}.locs")
    tiles = list(struct.iter_unpack("<II", index))
    calls = []
    for cycle in cycles:
        path = folder / f"{cycle:04d}.bcl.bgzf"
        calls.append(read_bcl(path))
        assert tile_starts(path, path.with_suffix(".bgzf.bci"), tiles) == [
            4 + sum(count for _, count in tiles[:n]) for n in range(len(tiles))
        ]
    at = 0
    for number, count in tiles:
        part = slice(at, at + count)
        yield lane, number, passed[part], places[part], [cycle[part] for cycle in calls]
        at += count
    assert at == len(passed) == len(places)


def tile_starts(path, bci, tiles):
    content, blocks, at, raw = path.read_bytes(), {}, 0, 0
    while at < len(content):
        size = struct.unpack_from("<H", content, at + 16)[0] + 1
        blocks[at] = raw
        raw += struct.unpack_from("<I", content, at + size - 4)[0]
        at += size
    pointers = struct.unpack(f"<II{len(tiles)}Q", bci.read_bytes())
    assert pointers[:2] == (0, len(tiles))
    return [blocks[pointer >> 16] + (pointer & 0xFFFF) for pointer in pointers[2:]]


def sheet_samples(run):
    """Lane ("" for all) and sample of each row; the number counts ids as they first appear."""
    lines = (run / "SampleSheet.csv").read_text().splitlines()
    rows = list(csv.DictReader(lines[lines.index(next(x for x in lines if "[Data]" in x)) + 1 :]))
    ids = list(dict.fromkeys(row["Sample_ID"] for row in rows))
    return [(row | {"S": ids.index(row["Sample_ID"]) + 1}) for row in rows]


def differing(one, other):
    return sum(a != b for a, b in zip(one, other, strict=True))


def stem_of(samples, lane, observed):
    for row in samples:
        wanted = [row["index"], *filter(None, [row.get("index2")])]
        near = all(differing(a, b) <= 1 for a, b in zip(observed, wanted, strict=True))
        if row.get("Lane", str(lane)) == str(lane) and near:
            sample_id, project = row["Sample_ID"], row["Sample_Project"]
            name = row["Sample_Name"] or sample_id
            folder = f"{project}/" * bool(project) + f"{sample_id}/" * (name != sample_id)
            return f"{folder}{name}_S{row['S']}"
    return "Undetermined_S0"


def turned(bases):
    return bases.translate(str.maketrans("ACGT", "TGCA"))[::-1]


def convert(run, output):
    """Write the FASTQ files of `run` into `output`, by matching every index with every sample."""
    info = ElementTree.parse(run / "RunInfo.xml").find("Run")
    reads = [
        (
            int(r.get("NumCycles")),
            r.get("IsIndexedRead") == "Y",
            r.get("IsReverseComplement") == "Y",
        )
        for r in info.find("Reads")
    ]
    head = f"@{info.findtext('Instrument')}:{info.get('Number')}:{info.findtext('Flowcell')}"
    samples, files = sheet_samples(run), defaultdict(list)
    cycles = range(1, 1 + sum(count for count, _, _ in reads))
    for lane, tile, flags, places, calls in tiles_of(run, cycles):
        for passed, (x, y), row in zip(flags, places, zip(*calls, strict=True), strict=True):
            if not passed:
                continue
            at, templates, observed = 0, [], []
            for count, is_index, is_turned in reads:
                bases, qualities = map("".join, zip(*row[at : at + count], strict=True))
                at += count
                if is_index:
                    observed.append(turned(bases) if is_turned else bases)
                else:
                    templates.append((bases, qualities))
            stem = stem_of(samples, lane, observed)
            for number, (bases, qualities) in enumerate(templates, start=1):
                name = f"{head}:{lane}:{tile}:{x}:{y} {number}:N:0:{'+'.join(observed)}"
                path = f"{stem}_L{lane:03d}_R{number}_001.fastq.gz"
                files[path].append(f"{name}\n{bases}\n+\n{qualities}\n")
    output.mkdir(exist_ok=True)
    for path, records in files.items():
        (output / path).parent.mkdir(parents=True, exist_ok=True)
        (output / path).write_bytes(gzip.compress("".join(records).encode(), 1))


@pytest.fixture(scope="session")
def converted(tmp_path_factory):
    """Truth and FASTQ folder of a small HiSeq 4000 run; not to be changed."""
    folder = tmp_path_factory.mktemp("converted")
    plan = default_plan(clusters=60, read_cycles=(12, 10), index_ruin=0.1, seed=5)
    run = write_run(plan, folder)
    convert(run, folder / "fastq")
    return folder / f"{plan.run}.truth", folder / "fastq"
