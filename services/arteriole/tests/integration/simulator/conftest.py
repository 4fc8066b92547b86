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
    return gzip.decompress(content) if path.suffix == ".gz" else content


def read_bcl(path):
    content = unpacked(path)
    (count,) = struct.unpack_from("<I", content)
    assert len(content) == 4 + count
    return [("N", "#") if b == 0 else ("ACGT"[b & 3], chr(33 + (b >> 2))) for b in content[4:]]


def read_filter(path):
    content = path.read_bytes()
    zero, version, count = struct.unpack_from("<III", content)
    assert (zero, version, len(content)) == (0, 3, 12 + count)
    return [bool(byte & 1) for byte in content[12:]]


def read_locations(path):
    content = path.read_bytes()
    one, version, count = struct.unpack_from("<ifI", content)
    assert (one, version, len(content)) == (1, 1.0, 12 + 8 * count)
    pairs = struct.iter_unpack("<ff", content[12:])
    return [tuple(math.floor(10 * value + 1000.5) for value in pair) for pair in pairs]


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


def convert(run, output):
    """Write the FASTQ files of `run` into `output`, by matching every index with every sample."""
    info = ElementTree.parse(run / "RunInfo.xml").find("Run")
    reads = [(int(r.get("NumCycles")), r.get("IsIndexedRead") == "Y") for r in info.find("Reads")]
    head = f"@{info.findtext('Instrument')}:{info.get('Number')}:{info.findtext('Flowcell')}"
    intensities, samples = run / "Data" / "Intensities", sheet_samples(run)
    files = defaultdict(list)
    for flags in sorted((intensities / "BaseCalls").glob("L*/*.filter")):
        lane, tile = map(int, flags.stem.split("_")[1:])
        places = intensities / "s.locs"
        if not places.exists():
            places = intensities / f"L{lane:03d}" / f"{flags.stem}.locs"
        cycles = range(1, 1 + sum(count for count, _ in reads))
        calls = [
            read_bcl(next((flags.parent / f"C{cycle}.1").glob(f"{flags.stem}.bcl*")))
            for cycle in cycles
        ]
        rows = zip(
            read_filter(flags), read_locations(places), zip(*calls, strict=True), strict=True
        )
        for passed, (x, y), row in rows:
            if not passed:
                continue
            at, templates, observed = 0, [], []
            for count, is_index in reads:
                bases, qualities = map("".join, zip(*row[at : at + count], strict=True))
                at += count
                if is_index:
                    observed.append(bases)
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
