"""The worker of the bcl2fastq service's jobs: a conversion, or with the part `qc` its QC."""

import base64
import contextlib
import hashlib
from pathlib import Path
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq import arguments, converters
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, Converter
from arteriole.bcl2fastq.empty_samples import refuse_empty_samples
from arteriole.bcl2fastq.parts import Part
from arteriole.bcl2fastq.sheets import SHEET
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import StoppedError, Task, main


def work(task: Task) -> dict[str, Any]:
    """Convert into the attempt's folder; one that is complete is left as it is."""
    part = task.parameters.get("part")
    if part == Part.INDEXES:  # what it needs takes time to import, here and below
        from arteriole.bcl2fastq.indexes import work as indexes

        return indexes.work(task)
    if part == Part.QC:
        from arteriole.bcl2fastq.qc import work as qc

        return qc.work(task)
    attempt = Attempt(Path(task.parameters["fastq_root"]), task.run, task.attempt)
    with exclusive(task, f"{task.run}.{task.attempt}"):
        if task.stopping:
            _converter(task).end_earlier(_key(attempt))
            raise StoppedError("it was stopped")
        record = attempt.record() or _convert(task, attempt)
        attempt.make_current()
    return {
        "files": len(record["files"]),
        "bytes": sum(file["size"] for file in record["files"]),
        "clusters": record["clusters"],
        "clusters_pf": record["clusters_pf"],
        "converter": record["converter"],
        "converter_version": record["converter_version"],
    }


def observe(task: Task) -> dict[str, Any]:
    """What `work` would convert; fails as it would before the first base is read."""
    part = task.parameters.get("part")
    if part == Part.INDEXES:
        from arteriole.bcl2fastq.indexes import work as indexes

        return indexes.work(task)
    if part == Part.QC:
        from arteriole.bcl2fastq.qc import work as qc

        return qc.observe(task)
    wanted = task.parameters
    attempt = Attempt(Path(wanted["fastq_root"]), task.run, task.attempt)
    attempt.require_root()
    request = _request(task, attempt.path, _sheet(task, task.folder.path), _key(attempt))
    converter = _converter(task)
    announced = converter.announce(request)
    return {
        "converter": converter.name,
        "converter_version": converter.version,
        "ignore": sorted(request.ignore),
        "waived_rules": list(_waived(task)),
        "sheet_sha256": sha256(request.sheet),
        "samples": [{"sample_id": sample, "lane": lane} for sample, lane in announced.samples],
        "files": list(announced.files),
        "to": str(attempt.path),
        "warnings": list(announced.warnings),
    }


def _converter(task: Task) -> Converter:
    name = task.parameters["converter"]
    tool = task.parameters.get(f"{name}_tool")
    return converters.find(name, None if tool is None else ToolSettings.model_validate(tool))


def _key(attempt: Attempt) -> str:
    """The same for every job of the attempt; a digest, since paths hold names."""
    return f"arteriole-convert-{hashlib.sha256(str(attempt.path).encode()).hexdigest()[:32]}"


def _sheet(task: Task, folder: Path) -> Path:
    """The run folder's sheet, or the one that came with the request, kept in `folder`."""
    given = task.parameters.get("sheet")
    if given is None:
        return Path(task.parameters["run_dir"]) / SHEET
    path = folder / SHEET
    path.write_bytes(base64.b64decode(given))
    return path


def _waived(task: Task) -> tuple[str, ...]:
    """The rules that were waived; a job of an older version knows of none."""
    return tuple(task.parameters.get("waived_rules", ()))


def _request(task: Task, out_dir: Path, sheet: Path, key: str) -> ConversionRequest:
    wanted = task.parameters
    request = ConversionRequest(
        run_dir=Path(wanted["run_dir"]),
        sheet=sheet,
        out_dir=out_dir,
        barcode_mismatches=(wanted["barcode_mismatches"][0], wanted["barcode_mismatches"][1]),
        include_non_pf=wanted["include_non_pf"],
        ignore_adapters=wanted["ignore_adapters"],
        allow_index_collisions=wanted["allow_index_collisions"],
        ignore=frozenset(wanted.get("ignore", ())),
        waived_rules=converters.waived_for(wanted["converter"], _waived(task)),
        threads=wanted["threads"],
        key=key,
        index2=wanted.get("index2"),
    )
    return arguments.applied(request, wanted.get("additional_args", ()), wanted["converter"])


def _convert(task: Task, attempt: Attempt) -> dict[str, Any]:
    """Convert, judge and publish; a conversion that failed leaves nothing behind."""
    wanted = task.parameters
    converter = _converter(task)
    converter.end_earlier(_key(attempt))  # NB: first, as it would write where `begin` clears
    partial = attempt.begin(task.job_id)
    request = _request(task, partial, _sheet(task, partial), _key(attempt))
    try:
        digest = sha256(request.sheet)
        result = converter.convert(
            request, lambda done, total: task.progress(done, total, converter.unit)
        )
        if not wanted["allow_empty_samples"] and "empty-samples" not in request.ignore:
            refuse_empty_samples(partial, result, request.sheet)
        if sha256(request.sheet) != digest:
            raise ConversionError(
                f"{SHEET} was changed while the run was converted",
                code="convert.sheet_changed",
                hint="look at the sheet that is there now",
            )
        return attempt.complete(
            partial, result, digest, tuple(sorted(request.ignore)), _waived(task)
        )
    except (ArterioleError, OSError):
        with contextlib.suppress(OSError):
            attempt.clear()
        raise


def sha256(path: Path) -> str:
    """The digest of a sheet; of nothing where there is none, which the converter tells."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


if __name__ == "__main__":
    main(work, observe)
