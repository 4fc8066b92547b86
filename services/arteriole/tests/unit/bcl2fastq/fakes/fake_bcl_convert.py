"""Stands in for Illumina's BCL Convert 4.2, which may not be passed on.

It takes the options of the real one, and no others, in the ways in which Arteriole is to give them;
sheets of version 2 alone, in which an unknown setting ends it, as its guide says. It reads base
calls (.bcl.gz), compares indexes and writes FASTQs and reports by itself: no code of ours is used.
FAKE_BCL_CONVERT is a JSON object of what it is to do wrong. Its version is answered by the script
that starts it.
"""

import csv
import gzip
import itertools
import json
import os
import re
import shutil
import signal
import struct
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

NUMBERS = {
    *("--bcl-num-parallel-tiles", "--bcl-num-conversion-threads"),
    *("--bcl-num-compression-threads", "--bcl-num-decompression-threads"),
}
FLAGS = {
    *("--strict-mode", "--bcl-sampleproject-subdirectories", "--no-lane-splitting"),
    *("--sample-name-column-enabled", "--first-tile-only", "--bcl-only-matched-reads"),
    "--output-legacy-stats",
}
OTHERS = {
    *("--bcl-input-directory", "--output-directory", "--sample-sheet", "--run-info", "--tiles"),
    *("--exclude-tiles", "--bcl-only-lane", "--fastq-gzip-compression-level"),
}
SETTINGS = {
    *("AdapterRead1", "AdapterRead2", "AdapterBehavior", "AdapterStringency", "TrimUMI"),
    *("MinimumAdapterOverlap", "MinimumTrimmedReadLength", "MaskShortReads", "OverrideCycles"),
    *("BarcodeMismatchesIndex1", "BarcodeMismatchesIndex2", "CreateFastqForIndexReads"),
    *("NoLaneSplitting", "FastqCompressionFormat", "SoftwareVersion", "FindAdaptersWithIndels"),
    *("IndependentIndexCollisionCheck", "Index2ColumnReverseComplement", "LibraryInputVolume"),
}
OF_SAMPLES = {
    *("AdapterRead1", "AdapterRead2", "AdapterBehavior", "AdapterStringency", "OverrideCycles"),
    *("MinimumAdapterOverlap", "BarcodeMismatchesIndex1", "BarcodeMismatchesIndex2"),
}
COLUMNS = {"Lane", "Sample_ID", "Index", "Index2", "Sample_Project", "Sample_Name"} | OF_SAMPLES
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def say(text):
    print(text, file=sys.stderr, flush=True)


def refuse(text):
    say(f"ERROR: {text}")
    sys.exit(1)


def turned(text):
    return text.translate(COMPLEMENT)[::-1]


def parse(words):
    values = {}
    rest = iter(words)
    for word in rest:
        if word in ("-f", "--force"):
            refuse("this stand-in is never to be forced")
        if word not in NUMBERS | FLAGS | OTHERS:
            refuse(f"unrecognised option '{word}'")
        if word in values:
            refuse(f"option '{word}' cannot be specified more than once")
        value = next(rest, None)
        if value is None or value.startswith("--"):
            refuse(f"the required argument for option '{word}' is missing")
        if word in FLAGS and value not in ("true", "false"):
            refuse(f"{word} must be true or false, not '{value}'")
        if word in NUMBERS and not (value.isdecimal() and 1 <= int(value) <= os.cpu_count()):
            refuse(f"{word} must be between 1 and {os.cpu_count()}, not '{value}'")
        values[word] = value
    for word in ("--bcl-input-directory", "--output-directory"):
        if word not in values:
            refuse(f"{word} must be specified")
    return values


def read_sheet(path):
    sections, rows = {}, None
    for cells in csv.reader(path.read_text().splitlines()):
        if cells and cells[0].startswith("["):
            rows = sections.setdefault(cells[0], [])
        elif any(cells):
            rows.append(cells)
    header = dict(row[:2] for row in sections.get("[Header]", []))
    if header.get("FileFormatVersion") != "2":
        refuse("this stand-in is to get sheets of version 2 only")
    if "[BCLConvert_Settings]" not in sections or "[BCLConvert_Data]" not in sections:
        refuse("Sample Sheet Error: [BCLConvert_Settings] and [BCLConvert_Data] are required")
    settings = dict(row[:2] for row in sections["[BCLConvert_Settings]"])
    if set(settings) - SETTINGS:
        refuse(f"Sample Sheet Error: Unrecognized setting {min(set(settings) - SETTINGS)}")
    names, *table = sections["[BCLConvert_Data]"]
    if set(names) - COLUMNS or len(set(names)) < len(names):
        refuse(f"Sample Sheet Error: columns {names}")
    samples = [dict(zip(names, row, strict=True)) for row in table]
    if not all(re.fullmatch("[A-Za-z0-9_-]+", sample["Sample_ID"]) for sample in samples):
        refuse("Sample Sheet Error: a Sample_ID with other characters")
    rows = [(sample["Sample_ID"], sample.get("Lane", "")) for sample in samples]
    if len(set(rows)) < len(rows):
        refuse("what is made of one Sample_ID with several indexes on a lane is not known")
    for name in set(settings) & set(names):
        refuse(f"Sample Sheet Error: {name} in both sections")
    if "AdapterBehavior" in settings and not {"AdapterRead1", "AdapterRead2"} & set(settings):
        refuse("Sample Sheet Error: AdapterBehavior without an adapter")
    for number, column in ((1, "Index"), (2, "Index2")):
        if f"BarcodeMismatchesIndex{number}" in settings and column not in names:
            refuse(f"Sample Sheet Error: BarcodeMismatchesIndex{number} without {column}")
    if settings.get("Index2ColumnReverseComplement") == "Y":
        samples = [sample | {"Index2": turned(sample["Index2"])} for sample in samples]
    return settings, samples


def read_run(folder):
    run = ElementTree.parse(folder / "RunInfo.xml").find("Run")
    reads, first = [], 0
    for read in run.find("Reads"):
        count = int(read.get("NumCycles"))
        index, mark = (read.get(f"Is{k}") == "Y" for k in ("IndexedRead", "ReverseComplement"))
        reads.append({"cycles": range(first, first + count), "index": index, "mark": mark})
        first += count
    tiles = [tile.text.split("_") for tile in run.iter("Tile")]
    return run, reads, [(int(lane), int(tile)) for lane, tile in tiles]


def mask(text, reads):
    """A letter a cycle for each read, in the order of the cycles."""
    if not text:
        return ["I" * len(r["cycles"]) if r["index"] else "Y" * len(r["cycles"]) for r in reads]
    letters = []
    for read, part in zip(reads, text.split(";"), strict=True):
        found = "".join(c * int(n) for c, n in re.findall(r"([YINU])(\d+)", part))
        if len(found) != len(read["cycles"]):
            refuse(f"Sample Sheet Error: OverrideCycles {text}")
        letters.append(found[::-1] if read["index"] and read["mark"] else found)
    return letters


def pick(bases, read, letters, kind):
    found = "".join(bases[c] for c, x in zip(read["cycles"], letters, strict=True) if x == kind)
    return turned(found) if read["index"] and read["mark"] else found


class Sample:
    def __init__(self, row, number, settings, reads):
        said = {**settings, **{k: v for k, v in row.items() if v}}
        self.id, self.project = row["Sample_ID"], row.get("Sample_Project", "")
        self.lane, self.number = row.get("Lane", ""), number
        self.indexes = [i for i in (row.get("Index", ""), row.get("Index2", "")) if i]
        self.letters = mask(said.get("OverrideCycles", ""), reads)
        self.reads = [r for r in zip(reads, self.letters, strict=True) if r[0]["index"]]
        lengths = [letters.count("I") for _, letters in self.reads]
        if [length for length in lengths if length] != [len(i) for i in self.indexes]:
            refuse(f"Sample Sheet Error: {self.id} has an index of another length than {lengths}")
        allowed = [said.get(f"BarcodeMismatchesIndex{n}", "1") for n in (1, 2)]
        if not {a for a in allowed if a != "na"} <= {"0", "1", "2"}:
            refuse(f"Sample Sheet Error: BarcodeMismatches {allowed}")
        self.allowed = [int(a) for a, _ in zip(allowed, self.indexes, strict=False)]

    def distance(self, bases):
        """Mismatches an index; None beyond those that are allowed."""
        found = [pick(bases, read, letters, "I") for read, letters in self.reads]
        pairs = zip([f for f in found if f], self.indexes, self.allowed, strict=True)
        counts = [(sum(map(str.__ne__, one, two)), most) for one, two, most in pairs]
        return [n for n, _ in counts] if all(n <= most for n, most in counts) else None


def tile_clusters(run_dir, lane, tile, cycles):
    base = run_dir / "Data" / "Intensities"
    name = f"s_{lane}_{tile}"
    flags = (base / "BaseCalls" / f"L{lane:03d}" / f"{name}.filter").read_bytes()[12:]
    locs = (base / f"L{lane:03d}" / f"{name}.locs").read_bytes()[12:]
    calls = []
    for cycle in range(1, cycles + 1):
        path = base / "BaseCalls" / f"L{lane:03d}" / f"C{cycle}.1" / f"{name}.bcl.gz"
        calls.append(gzip.decompress(path.read_bytes())[4:])
    for n, flag in enumerate(flags):
        x, y = struct.unpack_from("<ff", locs, 8 * n)
        bytes_ = [cycle[n] for cycle in calls]
        bases = "".join("ACGT"[b & 3] if b else "N" for b in bytes_)
        quality = "".join(chr(33 + (b >> 2 if b else 2)) for b in bytes_)
        if flag & 1:
            yield bases, quality, (round(10 * x + 1000), round(10 * y + 1000))


def make(words, knobs):
    values = parse(words)
    run_dir, out = Path(values["--bcl-input-directory"]), Path(values["--output-directory"])
    if out.exists() or run_dir in out.parents:
        refuse(f"Output directory '{out}' exists or lies in the run; use --force")
    if not (run_dir / "RunInfo.xml").is_file():
        refuse("no RunInfo.xml")
    settings, rows = read_sheet(Path(values.get("--sample-sheet", run_dir / "SampleSheet.csv")))
    run, reads, tiles = read_run(run_dir)
    numbers = {}
    samples = [
        Sample(row, numbers.setdefault(row["Sample_ID"], len(numbers) + 1), settings, reads)
        for row in rows
    ]
    projects = values.get("--bcl-sampleproject-subdirectories") == "true"
    said = {int(sample.lane) for sample in samples if sample.lane}
    files, counts, quality, unknown = {}, {}, Counter(), Counter()
    for lane in sorted({lane for lane, _ in tiles} & (said or {lane for lane, _ in tiles})):
        here = [s for s in samples if s.lane in ("", str(lane))]
        if len(here) > 1 and not all(s.indexes for s in here):
            refuse("Sample Sheet Error: missing barcode")
        for sample in [*here, None]:
            counts[lane, sample] = [0, 0, 0, 0]
        for tile in (tile for at, tile in tiles if at == lane):
            cycles = sum(len(read["cycles"]) for read in reads)
            for bases, qualities, place in tile_clusters(run_dir, lane, tile, cycles):
                near = [(s, d) for s in here if (d := s.distance(bases)) is not None]
                best = min((sum(d) for _, d in near), default=0)
                near = [(s, d) for s, d in near if sum(d) == best]
                sample, found = near[0] if len(near) == 1 else (None, [0])
                counts[lane, sample][0] += 1
                counts[lane, sample][1 + min(2, max(found, default=0))] += 1
                letters = sample.letters if sample else here[0].letters
                pairs = list(zip(reads, letters, strict=True))
                index = [pick(bases, r, x, "I") for r, x in pairs if r["index"]]
                if not any(index):
                    index = [str(sample.number if sample else 0)]
                index = "+".join(i for i in index if i)
                if sample is None:
                    as_read = [
                        turned(pick(bases, r, x, "I")) if r["mark"] else pick(bases, r, x, "I")
                        for r, x in pairs if r["index"]
                    ]  # fmt: skip
                    unknown[lane, tuple(as_read)] += 1
                name = f"{run.find('Instrument').text}:{run.get('Number')}"
                name += f":{run.find('Flowcell').text}:{lane}:{tile}:{place[0]}:{place[1]}"
                templates = [(r, x) for r, x in pairs if not r["index"]]
                for n, (read, x) in enumerate(templates, start=1):
                    chosen = pick(bases, read, x, "Y"), pick(qualities, read, x, "Y")
                    text = f"@{name} {n}:N:0:{index}\n{chosen[0]}\n+\n{chosen[1]}\n"
                    files.setdefault((lane, sample, n), []).append(text)
                    key = lane, sample, n
                    quality[key, "n"] += len(chosen[1])
                    quality[key, "30"] += sum(ord(c) >= 63 for c in chosen[1])
                    quality[key, "sum"] += sum(ord(c) - 33 for c in chosen[1])
    out.mkdir()
    templates = sum(not read["index"] for read in reads)
    write(out, counts, files, quality, unknown, templates, projects, knobs)
    shutil.copy(run_dir / "RunInfo.xml", out / "Reports")
    shutil.copy(values["--sample-sheet"], out / "Reports" / "SampleSheet.csv")
    (out / "Logs").mkdir()
    for log in ("Info.log", "Warnings.log", "Errors.log", "FastqComplete.txt"):
        (out / "Logs" / log).write_text("")


def write(out, counts, files, quality, unknown, templates, projects, knobs):
    reports = out / "Reports"
    reports.mkdir()
    demux = ["Lane,SampleID,Sample_Project,Index,# Reads,# Perfect Index Reads,"
             "# One Mismatch Index Reads,# Two Mismatch Index Reads,% Reads,"
             "% Perfect Index Reads,% One Mismatch Index Reads,"
             "% Two Mismatch Index Reads"]  # fmt: skip
    metrics = ["Lane,SampleID,index,index2,ReadNumber,Yield,YieldQ30,QualityScoreSum,"
               "Mean Quality Score (PF),% Q30"]  # fmt: skip
    adapters = ["Lane,Sample_ID,index,index2,ReadNumber,AdapterBases,SampleBases,% Adapter Bases"]
    listed = ["RGID,RGSM,RGLB,Lane,Read1File,Read2File"]
    for (lane, sample), found in counts.items():
        alone = sample is None and any(
            s is not None and at == lane and not s.indexes for at, s in counts
        )
        if alone and "undetermined" not in knobs:
            continue
        name, project = (sample.id, sample.project) if sample else ("Undetermined", "")
        index = "-".join(sample.indexes) if sample else ""
        total = sum(counts[at, s][0] for at, s in counts if at == lane) or 1
        shares = [found[0] / total, *(count / (found[0] or 1) for count in found[1:])]
        numbers = [*map(str, found), *(f"{share:.4f}" for share in shares)]
        demux.append(f"{lane},{name},{project},{index},{','.join(numbers)}")
        folder = out / project if projects and project else out
        paths = []
        if found[0] or "leave_empty" not in knobs:
            folder.mkdir(exist_ok=True)
            for n in range(1, templates + 1):
                number = sample.number if sample else 0
                paths.append(folder / f"{name}_S{number}_L{lane:03d}_R{n}_001.fastq.gz")
                text = "".join(files.get((lane, sample, n), []))
                paths[-1].write_bytes(gzip.compress(text.encode(), mtime=0))
        for n in range(1, templates + 1):
            key = lane, sample, n
            bases, good, score = (quality[key, what] for what in ("n", "30", "sum"))
            mean, share = score / (bases or 1), good / (bases or 1)
            both = ",".join([*(sample.indexes if sample else ()), "", ""][:2])
            place = f"{lane},{name},{both},{n}"
            metrics.append(f"{place},{bases},{good},{score},{mean:.2f},{share:.2f}")
            adapters.append(f"{place},0,{bases},0.000000")
        if paths and sample:
            pair = (*map(str, paths), "")[:2]
            listed.append(f"{index.replace('-', '.')}.{lane},{name},Lib,{lane},{','.join(pair)}")
    top = ["Lane,index,index2,# Reads,% of Unknown Barcodes,% of All Reads"]
    for (lane, index), count in unknown.most_common():
        one, two = (*index, "", "")[:2]
        top.append(f"{lane},{one},{two},{count},0.5,0.1")
    for file, rows in (
        ("Demultiplex_Stats.csv", demux), ("Quality_Metrics.csv", metrics),
        ("Top_Unknown_Barcodes.csv", top), ("fastq_list.csv", listed),
        ("Adapter_Metrics.csv", adapters),
    ):  # fmt: skip
        (reports / file).write_text("\n".join(rows) + "\n")


def spoil(out, knobs):
    for path in itertools.chain(*(knobs.get("remove", []),)):
        (out / path).unlink()
    for path in knobs.get("add", []):
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(gzip.compress(b"@x\n"))
    for path, one, other in knobs.get("replace", []):
        text = (out / path).read_text()
        if one not in text:
            refuse(f"{one} is not in {path}: {text}")
        (out / path).write_text(text.replace(one, other))


def main(words):
    knobs = json.loads(os.environ.get("FAKE_BCL_CONVERT", "{}"))
    if "signal" in knobs:
        os.kill(os.getpid(), getattr(signal, knobs["signal"]))
    if "exit" in knobs:
        refuse("Sample Sheet Error: barcode collision")
    make(words, knobs)
    spoil(Path(words[words.index("--output-directory") + 1]), knobs)


if __name__ == "__main__":
    main(sys.argv[1:])
