"""What a converter left about its demultiplexing, read from any of its three files.

Stats.json and DemultiplexingStats.xml of bcl2fastq 2 (bcl2fastq2 software guide, "Output files"),
Demultiplex_Stats.csv of BCL Convert (BCL Convert software guide, "Output files"). Nothing in them
is trusted: sizes are bounded, and what is not as expected is refused.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from arteriole.illumina import run_file, xml_file
from arteriole.illumina.errors import RunDataError

SIZE_LIMIT = 64 * 1024 * 1024
#: Of XML, which takes more memory.
_XML_LIMIT = 16 * 1024 * 1024
_UNDETERMINED = "undetermined"


class DemultiplexingStatsError(RunDataError):
    """A file of statistics is not as expected."""

    code = "stats.invalid"


@dataclass(frozen=True, slots=True)
class SampleReads:
    """One sample on one lane; `index` joins i7 and i5 with `+`; a name is empty if not said.

    `bases` and those of them of quality 30 or better are of all its reads; 0 if not said.
    """

    lane: int
    sample_id: str
    sample_name: str
    index: str
    reads: int
    bases: int = 0
    bases_q30: int = 0


@dataclass(frozen=True, slots=True)
class LaneReads:
    """Clusters before and after the filter, None if not said, and reads that no sample got."""

    clusters: int | None = None
    clusters_pf: int | None = None
    undetermined: int = 0


@dataclass(frozen=True, slots=True)
class DemultiplexingStats:
    """What one conversion gave; `run_id` and `flowcell` are empty if not said."""

    software: str
    run_id: str
    flowcell: str
    samples: tuple[SampleReads, ...]
    lanes: Mapping[int, LaneReads] = field(default_factory=dict)

    @property
    def reads(self) -> int:
        """Reads of all samples."""
        return sum(sample.reads for sample in self.samples)


def read(path: Path) -> DemultiplexingStats:
    """Read a file by its name, which is one of FILE_NAMES.

    Raises:
        DemultiplexingStatsError: naming the file and what is wrong with it.
    """
    return FILE_NAMES[path.name](path)


def read_json(path: Path) -> DemultiplexingStats:
    """Stats.json of bcl2fastq. Raises DemultiplexingStatsError."""
    try:
        document = json.loads(_bytes(path))
    except (ValueError, RecursionError) as err:
        raise DemultiplexingStatsError(f"{path.name}: not JSON ({str(err)[:80]})") from err
    top = _object(document, path, "the file")
    samples: list[SampleReads] = []
    lanes: dict[int, LaneReads] = {}
    for entry in _list(top, "ConversionResults", path):
        number = _number(entry, "LaneNumber", path)
        unknown = entry.get("Undetermined")
        lanes[number] = LaneReads(
            clusters=_number(entry, "TotalClustersRaw", path),
            clusters_pf=_number(entry, "TotalClustersPF", path),
            undetermined=_number(unknown, "NumberReads", path) if isinstance(unknown, dict) else 0,
        )
        for result in _list(entry, "DemuxResults", path):
            metrics = result.get("IndexMetrics")
            first = metrics[0] if isinstance(metrics, list) and metrics else {}
            reads = _list(result, "ReadMetrics", path)
            samples.append(
                SampleReads(
                    lane=number,
                    sample_id=_text(result, "SampleId", path),
                    sample_name=_text(result, "SampleName", path, default=""),
                    index=_text(_object(first, path, "IndexMetrics"), "IndexSequence", path, ""),
                    reads=_number(result, "NumberReads", path),
                    bases=_sum(reads, "Yield", path),
                    bases_q30=_sum(reads, "YieldQ30", path),
                )
            )
    return DemultiplexingStats(
        software="bcl2fastq",
        run_id=_text(top, "RunId", path, default=""),
        flowcell=_text(top, "Flowcell", path, default=""),
        samples=tuple(samples),
        lanes=lanes,
    )


def read_xml(path: Path) -> DemultiplexingStats:
    """DemultiplexingStats.xml of bcl2fastq, which knows samples by name alone.

    Raises:
        DemultiplexingStatsError: the file is not as expected.
    """
    root = xml_file.read(path, "Stats", DemultiplexingStatsError, _XML_LIMIT)
    samples: list[SampleReads] = []
    undetermined: dict[int, int] = {}
    flowcell = ""
    for cell in root:
        flowcell = cell.get("flowcell-id", "")
        for name, index, lane, reads in _barcodes(cell, path):
            if name.lower() == _UNDETERMINED:
                undetermined[lane] = undetermined.get(lane, 0) + reads
            else:
                samples.append(SampleReads(lane, "", name, "" if index == "all" else index, reads))
    lanes = {lane: LaneReads(undetermined=reads) for lane, reads in undetermined.items()}
    return DemultiplexingStats("bcl2fastq", "", flowcell, tuple(samples), lanes)


def _barcodes(cell: Element, path: Path) -> Iterator[tuple[str, str, int, int]]:
    """(sample name, index, lane, reads) without the sums that the file holds too."""
    for project in cell:
        if project.get("name") == "all":
            continue
        for sample in project:
            name = sample.get("name", "")
            barcodes = [b for b in sample if b.get("name") != "all"] or list(sample)
            for barcode in barcodes if name != "all" else []:
                for lane in barcode:
                    count = lane.findtext("BarcodeCount") or "0"
                    yield (
                        name,
                        barcode.get("name", ""),
                        _decimal(lane.get("number", ""), "Lane/@number", path),
                        _decimal(count.strip(), "BarcodeCount", path),
                    )


def read_csv(path: Path) -> DemultiplexingStats:
    """Demultiplex_Stats.csv of BCL Convert. Raises DemultiplexingStatsError."""
    try:
        text = _bytes(path).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as err:
        raise DemultiplexingStatsError(f"{path.name}: not CSV ({str(err)[:80]})") from err
    samples: list[SampleReads] = []
    lanes: dict[int, LaneReads] = {}
    for row in rows:
        lane = _decimal(row.get("Lane") or "", "Lane", path)
        name = row.get("SampleID") or row.get("Sample_ID") or ""
        reads = _decimal(row.get("# Reads") or "", "# Reads", path)
        if name.lower() == _UNDETERMINED:
            lanes[lane] = LaneReads(undetermined=reads)
        else:
            index = (row.get("Index") or "").replace("-", "+")
            samples.append(SampleReads(lane, name, "", index, reads))
    return DemultiplexingStats("BCL Convert", "", "", tuple(samples), lanes)


FILE_NAMES: Mapping[str, Callable[[Path], DemultiplexingStats]] = {
    "Stats.json": read_json,
    "DemultiplexingStats.xml": read_xml,
    "Demultiplex_Stats.csv": read_csv,
}
"""How each file is read; the first of a conversion tells the most."""


def _bytes(path: Path) -> bytes:
    try:
        with run_file.open_file(path) as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as err:
        raise DemultiplexingStatsError(f"{path.name} cannot be read: {err.strerror}") from err
    if len(data) > SIZE_LIMIT:
        raise DemultiplexingStatsError(f"{path.name}: larger than {SIZE_LIMIT // 1024**2} MiB")
    return data


def _object(value: Any, path: Path, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DemultiplexingStatsError(f"{path.name}: expected an object in {where}")
    return value


def _list(parent: dict[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    value = parent.get(name, [])
    if not isinstance(value, list):
        raise DemultiplexingStatsError(f"{path.name}: expected a list {name}")
    return [_object(entry, path, name) for entry in value]


def _number(parent: dict[str, Any], name: str, path: Path) -> int:
    value = parent.get(name)
    if type(value) is not int or not 0 <= value < 2**63:
        raise DemultiplexingStatsError(
            f"{path.name}: expected a whole number {name}, found {str(value)[:40]!r}"
        )
    return value


def _sum(entries: list[dict[str, Any]], name: str, path: Path) -> int:
    """The sum over those that say it."""
    return sum(_number(entry, name, path) for entry in entries if name in entry)


def _decimal(text: str, name: str, path: Path) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise DemultiplexingStatsError(
            f"{path.name}: expected a whole number {name}, found {text[:40]!r}"
        )
    return int(text)


def _text(parent: dict[str, Any], name: str, path: Path, default: str | None = None) -> str:
    value = parent.get(name, default)
    if not isinstance(value, str):
        raise DemultiplexingStatsError(f"{path.name}: expected a text {name}")
    return value
