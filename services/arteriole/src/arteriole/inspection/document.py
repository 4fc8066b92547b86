"""An inspection as JSON: what `arteriole inspect --json` prints.

    {"folder", "ok", "complete", "problems": [text],
     "run": null | {"id", "number", "flowcell", "instrument", "instrument_type", "date",
         "control_software", "control_software_version", "rta_version", "experiment",
         "reads": [{"number", "cycles", "is_index"}], "cycles", "lanes": [int],
         "tiles": int of all lanes, "base_calls": {lane: "bcl" | "bcl.gz" | ... | null}},
     "verdict": {"kind", "code", "message", "hint", "evidence"},
     "missing": [text, one for lanes that lack the same],
     "sheet": null | {"path", "ok", "version", "samples": distinct Sample_IDs, "lanes": [int],
         "finding_count", "findings": [{"code", "severity", "line", "column", "message", "hint"}]},
     "demultiplexed": [{"path", "software", "samples", "reads", "undetermined", "agrees",
         "difference_count", "differences": [text]}],
     "fastq": null | {"present", "expected", "missing_count", "missing": [name],
         "unexpected_count", "unexpected": [name]},
     "interop": null | {"yield_gigabases", "percent_q30", "clusters", "clusters_pf",
         "lanes": [{"lane", "clusters", "clusters_pf", "percent_pf", "percent_q30",
             "yield_gigabases"}]},
     "outlook": {"would": "convert" | "wait" | "refuse", "message", "reasons": [text], "command"}}

Lists of findings, differences and names hold the first 50; the counts beside them are whole. What
is no run folder is `{"error": {"code", "message", "hint"}}`.
"""

from dataclasses import asdict
from typing import Any

from arteriole.illumina.instruments import instrument_type
from arteriole.illumina.interop_summary import InteropSummary
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.run_parameters import RunParameters
from arteriole.illumina.sheet_check import Finding
from arteriole.inspection.demultiplexed import Demultiplexing, FastqFiles
from arteriole.inspection.inspection import Inspection

LISTED = 50


def document(found: Inspection) -> dict[str, Any]:
    """The document; its shape is that of this module's description."""
    return {
        "folder": str(found.path),
        "ok": found.is_well,
        "complete": found.is_complete,
        "problems": list(found.problems),
        "run": _run(found, found.run_info) if found.run_info else None,
        "verdict": {
            "kind": found.verdict.kind.value,
            "code": found.verdict.code,
            "message": found.verdict.message,
            "hint": found.verdict.hint,
            "evidence": found.verdict.evidence,
        },
        "missing": list(found.missing),
        "sheet": _sheet(found),
        "demultiplexed": [_demultiplexing(one) for one in found.demultiplexings],
        "fastq": _fastq(found.fastq),
        "interop": _interop(found.interop),
        "outlook": asdict(found.outlook) | {"reasons": list(found.outlook.reasons)},
    }


def _run(found: Inspection, info: RunInfo) -> dict[str, Any]:
    parameters = found.parameters or RunParameters()
    known = instrument_type(info.instrument)
    return {
        "id": info.run_id,
        "number": info.run_number,
        "flowcell": info.flowcell,
        "instrument": info.instrument,
        "instrument_type": known.name if known else "",
        "date": info.date,
        "control_software": parameters.application,
        "control_software_version": parameters.application_version,
        "rta_version": parameters.rta_version,
        "experiment": parameters.experiment_name,
        "reads": [
            {"number": read.number, "cycles": read.cycles, "is_index": read.is_index}
            for read in info.reads
        ],
        "cycles": info.cycles,
        "lanes": list(info.lanes),
        "tiles": sum(len(tiles) for tiles in info.tiles.values()),
        "base_calls": {
            str(lane): kind.value if kind else None for lane, kind in found.base_calls.items()
        },
    }


def _sheet(found: Inspection) -> dict[str, Any] | None:
    if found.sheet_path is None:
        return None
    sheet = found.sheet
    return {
        "path": str(found.sheet_path),
        "ok": sheet is not None and not found.sheet_errors,
        "version": sheet.version if sheet else None,
        "samples": len({sample.sample_id for sample in sheet.samples}) if sheet else None,
        "lanes": list(found.sheet_lanes),
        "finding_count": len(found.findings),
        "findings": [_finding(finding) for finding in found.findings[:LISTED]],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return asdict(finding) | {"severity": finding.severity.value}


def _demultiplexing(one: Demultiplexing) -> dict[str, Any]:
    return {
        "path": str(one.path),
        "software": one.software,
        "samples": one.samples,
        "reads": one.reads,
        "undetermined": one.undetermined,
        "agrees": not one.differences,
        "difference_count": len(one.differences),
        "differences": list(one.differences[:LISTED]),
    }


def _fastq(files: FastqFiles | None) -> dict[str, Any] | None:
    if files is None:
        return None
    return {
        "present": files.present,
        "expected": files.expected,
        "missing_count": len(files.missing),
        "missing": list(files.missing[:LISTED]),
        "unexpected_count": len(files.unexpected),
        "unexpected": list(files.unexpected[:LISTED]),
    }


def _interop(summary: InteropSummary | None) -> dict[str, Any] | None:
    return None if summary is None else summary.document()
