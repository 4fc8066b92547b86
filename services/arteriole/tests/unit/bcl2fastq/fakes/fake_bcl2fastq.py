"""Stands in for Illumina's bcl2fastq 2.20, which may not be passed on.

It takes the options that the real one's parser takes, and no others, in the ways in which
Arteriole is to give them; it writes nothing into the run folder. What it makes is genuine: the
`builtin` converter's, or what that had made before (`prepared`). FAKE_BCL2FASTQ is a JSON object of
what it is to do wrong.
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

VERSION = "2.20.0.422"
VALUED = {
    *("--min-log-level", "--input-dir", "--runfolder-dir", "--intensities-dir", "--output-dir"),
    *("--interop-dir", "--stats-dir", "--reports-dir", "--sample-sheet", "--loading-threads"),
    *("--processing-threads", "--writing-threads", "--tiles", "--minimum-trimmed-read-length"),
    *("--use-bases-mask", "--mask-short-adapter-reads", "--adapter-stringency"),
    *("--fastq-compression-level", "--barcode-mismatches"),
}
SWITCHES = {
    *("--ignore-missing-bcls", "--ignore-missing-filter", "--ignore-missing-positions"),
    *("--ignore-missing-controls", "--write-fastq-reverse-complement", "--with-failed-reads"),
    *("--create-fastq-for-index-reads", "--find-adapters-with-sliding-window"),
    *("--no-bgzf-compression", "--no-lane-splitting"),
}
LEVELS = ("NONE", "FATAL", "ERROR", "WARNING", "INFO", "DEBUG", "TRACE")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def refuse(text: str) -> None:
    say(f"ERROR: bcl2fastq::common::Exception: {text}")
    sys.exit(1)


def parse(words: list[str], masks: list[str]) -> tuple[dict[str, str], set[str]]:
    values: dict[str, str] = {}
    switches: set[str] = set()
    rest = iter(words)
    for word in rest:
        if word in values or word in switches:
            refuse(f"option '{word}' cannot be specified more than once")
        if word in SWITCHES:
            switches.add(word)
        elif word in VALUED:
            value = next(rest, None)
            if value is None or value.startswith("--"):
                refuse(f"the required argument for option '{word}' is missing")
            if word == "--use-bases-mask":
                masks.append(str(value))
            else:
                values[word] = str(value)
        else:
            refuse(f"unrecognised option '{word}'")
    return values, switches


def folder(values: dict[str, str], option: str) -> Path:
    path = Path(values.get(option, ""))
    if not path.is_absolute() or not path.is_dir():
        refuse(f"the folder of {option} is not there: '{path}'")
    return path


def mismatches(text: str, index_reads: int) -> tuple[int, int]:
    entries = text.split(",")
    if not all(entry in ("0", "1", "2") for entry in entries):
        refuse(f"the argument ('{text}') for option '--barcode-mismatches' is invalid")
    if len(entries) > max(1, index_reads):
        refuse(f"{len(entries)} values of --barcode-mismatches for {index_reads} indexes")
    return int(entries[0]), int(entries[-1])


def threads(values: dict[str, str]) -> int:
    for option in ("--loading-threads", "--processing-threads", "--writing-threads"):
        text = values.get(option, "4")
        if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 256):
            refuse(f"the argument ('{text}') for option '{option}' is invalid")
    return int(values.get("--processing-threads", "1"))


def make(words: list[str], knobs: dict) -> None:
    masks: list[str] = []
    values, switches = parse(words, masks)
    run, out = folder(values, "--runfolder-dir"), folder(values, "--output-dir")
    interop = Path(values.get("--interop-dir", run / "InterOp"))
    if run in (out, *out.parents, *interop.parents):
        refuse("it would write into the run folder")
    if values.get("--min-log-level", "INFO") not in LEVELS:
        refuse("Invalid log level")
    sheet = Path(values.get("--sample-sheet", run / "SampleSheet.csv"))
    if not sheet.is_file():
        refuse(f"the sample sheet is not there: '{sheet}'")
    reads = ElementTree.parse(run / "RunInfo.xml").iter("Read")
    index_reads = sum(read.get("IsIndexedRead") == "Y" for read in reads)
    allowed = mismatches(values.get("--barcode-mismatches", "1"), index_reads)
    count = threads(values)
    say("INFO: Create FASTQ files")
    if "prepared" in knobs:
        shutil.copytree(knobs["prepared"], out, dirs_exist_ok=True)
    else:
        convert(run, sheet, out, allowed, count, switches, values.get("--tiles", ""), masks)
    (out / "Reports" / "html").mkdir(parents=True)
    (out / "Reports" / "html" / "index.html").write_text("<html></html>")
    interop.mkdir()
    (interop / "IndexMetricsOut.bin").write_bytes(b"\x01")


def convert(
    run: Path,
    sheet: Path,
    out: Path,
    allowed: tuple[int, int],
    count: int,
    switches: set[str],
    tiles: str,
    masks: list[str],
) -> None:
    from arteriole.bcl2fastq.converters import ConversionRequest, Options, find

    require_one_mask_a_lane(sheet)
    scratch = out / ".scratch"
    scratch.mkdir()
    ignore = {word.removeprefix("--ignore-") for word in switches if word.startswith("--ignore-")}
    request = ConversionRequest(
        *(run, sheet, scratch, allowed),
        ignore_adapters=True,
        ignore=frozenset(ignore),
        threads=count,
        options=Options(
            no_lane_splitting="--no-lane-splitting" in switches,
            create_fastq_for_index_reads="--create-fastq-for-index-reads" in switches,
            tiles=tuple(filter(None, tiles.split(","))),
            use_bases_mask=tuple(masks),
        ),
    )
    find("builtin").convert(request, lambda done, total: None)
    for path in scratch.iterdir():
        path.rename(out / path.name)
    scratch.rmdir()


def require_one_mask_a_lane(path: Path) -> None:
    """What the real one makes of such a sheet is not known, so it is never to be given one."""
    from arteriole.illumina.sample_sheet import SampleSheet

    sheet = SampleSheet.read(path)
    if "OverrideCycles" in sheet.settings:
        refuse("OverrideCycles is not for bcl2fastq")
    lengths: dict[int | None, tuple[int, int]] = {}
    for row in sheet.samples:
        found = len(row.index), len(row.index2)
        if lengths.setdefault(row.lane, found) != found:
            refuse(f"Barcodes of lane {row.lane} have different lengths")
    rows = [(row.sample_id, row.lane) for row in sheet.samples]
    if len(set(rows)) < len(rows):
        refuse("a sample stands twice on a lane")


def spoil(out: Path, knobs: dict) -> None:
    if "remove" in knobs:
        (out / knobs["remove"]).unlink()
    if "add" in knobs:
        (out / knobs["add"]).parent.mkdir(parents=True, exist_ok=True)
        (out / knobs["add"]).write_bytes(b"")
    if "link" in knobs:
        path = out / knobs["link"]
        path.rename(path.with_suffix(".there"))
        path.symlink_to(path.with_suffix(".there"))
    stats = out / "Stats" / "Stats.json"
    if "stats" in knobs:
        stats.write_text(knobs["stats"])
    if "counts" in knobs:
        document = json.loads(stats.read_text())
        at = document
        *way, last = knobs["counts"][0]
        for step in way:
            at = at[step]
        at[last] = knobs["counts"][1]
        stats.write_text(json.dumps(document))


def main(words: list[str]) -> None:
    knobs = json.loads(os.environ.get("FAKE_BCL2FASTQ", "{}"))
    if "only" in knobs and knobs["only"] not in words:
        knobs = {}
    if words in (["--version"], ["-v"]):
        say("BCL to FASTQ file converter")
        say(f"bcl2fastq v{knobs.get('version', VERSION)}")
        say("Copyright (c) 2007-2017 Illumina, Inc.")
        return
    if "begun" in knobs:
        Path(words[words.index("--output-dir") + 1], knobs["begun"]).touch()
    if "sleep" in knobs:
        time.sleep(knobs["sleep"])
    if "eat" in knobs:
        say(str(len(b"x" * knobs["eat"])))
    if "signal" in knobs:
        os.kill(os.getpid(), getattr(signal, knobs["signal"]))
    if "exit" in knobs:
        say("ERROR: barcode collision\n\n  in lane 1")
        sys.exit(knobs["exit"])
    make(words, knobs)
    spoil(Path(words[words.index("--output-dir") + 1]), knobs)
    say("INFO: Processing completed with 0 errors and 0 warnings.")


if __name__ == "__main__":
    main(sys.argv[1:])
