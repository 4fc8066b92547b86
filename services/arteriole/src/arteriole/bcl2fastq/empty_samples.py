"""A sample without a read is a wrong index, a swap or a loss: never a success that nobody sees."""

import json
from pathlib import Path

from arteriole.bcl2fastq.converters import UNDETERMINED, ConversionError, ConversionResult
from arteriole.illumina.sample_sheet import SampleSheet

#: So many of the most frequent unknown indexes are named.
UNKNOWN = 3


def refuse_empty_samples(folder: Path, result: ConversionResult, sheet: Path) -> None:
    """Refuse a conversion in which a sample of the sheet has no read on a lane.

    Raises:
        ConversionError: names the sheet's line, the sample, its index, and the most frequent
            indexes of the lane that belong to no sample.
    """
    empty = [s for s in result.samples if s.reads == 0 and s.sample_id != UNDETERMINED]
    if not empty:
        return
    first = empty[0]
    rows = [s for s in SampleSheet.read(sheet).samples if s.sample_id == first.sample_id]
    row = next((s for s in rows if s.lane in (None, first.lane)), rows[0])
    index = "+".join(part for part in (row.index, row.index2) if part)
    unknown = _unknown(folder / result.stats_path, first.lane)
    more = f" (and {len(empty) - 1} more)" if len(empty) > 1 else ""
    raise ConversionError(
        f"{sheet.name}, line {row.line}: sample {first.sample_id} with the index"
        f" {index or 'none'} has no read on lane {first.lane}{more}; {unknown}",
        code="convert.empty_sample",
        hint=f"correct the index in {sheet.name}; if the sample is meant to be empty, set"
        " bcl2fastq.allow_empty_samples",
        field="index",
    )


def _unknown(stats: Path, lane: int) -> str:
    document = json.loads(stats.read_text(encoding="utf-8"))
    entries = [entry for entry in document.get("UnknownBarcodes", []) if entry["Lane"] == lane]
    for entry in entries:
        if entry["Barcodes"]:
            ranked = sorted(entry["Barcodes"].items(), key=lambda item: (-item[1], item[0]))
            names = ", ".join(f"{name} ({count} reads)" for name, count in ranked[:UNKNOWN])
            return f"most frequent there and in no sample: {names}"
    if not entries:
        return "which indexes of no sample were seen there is not known"
    return "every index seen there belongs to a sample"
