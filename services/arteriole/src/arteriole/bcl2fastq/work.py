"""The worker of the bcl2fastq service's jobs: a conversion, or with the part `qc` its QC."""

import base64
import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq import arguments, converters, pins
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import (
    ConversionError,
    ConversionRequest,
    ConversionResult,
    Converter,
)
from arteriole.bcl2fastq.empty_samples import refuse_empty_samples
from arteriole.bcl2fastq.parts import Part
from arteriole.bcl2fastq.pin_settings import ProjectPin
from arteriole.bcl2fastq.sheets import SHEET, sheet_bytes
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.illumina import index_sets
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import StoppedError, Task, main

if TYPE_CHECKING:
    from arteriole.bcl2fastq.cluster import OnCluster


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
            _place(task, attempt).end_earlier()
            raise StoppedError("it was stopped")
        record = attempt.record() or _convert(task, attempt)
        attempt.make_current()
        with contextlib.suppress(OSError):
            attempt.clear()
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
    _require_pinned(task)
    request = request_of(task, attempt.path, sheet_of(task, task.folder.path), _key(attempt))
    converter = converter_of(task)
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


def converter_of(task: Task) -> Converter:
    name = task.parameters["converter"]
    tool = task.parameters.get(f"{name}_tool")
    return converters.find(name, None if tool is None else ToolSettings.model_validate(tool))


def _key(attempt: Attempt) -> str:
    """The same for every job of the attempt; a digest, since paths hold names."""
    return f"arteriole-convert-{hashlib.sha256(str(attempt.path).encode()).hexdigest()[:32]}"


def sheet_of(task: Task, folder: Path) -> Path:
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


def request_of(task: Task, out_dir: Path, sheet: Path, key: str) -> ConversionRequest:
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
        index_sets=tuple(map(Path, wanted.get("index_sets", ()))),
    )
    return arguments.applied(request, wanted.get("additional_args", ()), wanted["converter"])


@dataclass(frozen=True)
class _Here:
    """The conversion in this process, as cluster.OnCluster is that of a job of Slurm."""

    task: Task
    attempt: Attempt

    def end_earlier(self) -> None:
        converter_of(self.task).end_earlier(_key(self.attempt))

    def begin(self) -> None:
        self.end_earlier()  # NB: first, as it would write where `begin` clears
        self.attempt.begin(self.task.job_id)

    def convert(self) -> tuple[Path, ConversionResult]:
        task, partial = self.task, self.attempt.partial(self.task.job_id)
        request = request_of(task, partial, sheet_of(task, partial), _key(self.attempt))
        converter = converter_of(task)
        return partial, converter.convert(
            request, lambda done, total: task.progress(done, total, converter.unit)
        )


def _place(task: Task, attempt: Attempt) -> "_Here | OnCluster":
    if task.parameters.get("executor") is None:
        return _Here(task, attempt)
    from arteriole.bcl2fastq.cluster import OnCluster  # it takes time to import

    return OnCluster(task, attempt, _key(attempt), _sheet_digest(task))


def _convert(task: Task, attempt: Attempt) -> dict[str, Any]:
    """Convert, judge and publish; a conversion that failed leaves nothing behind."""
    wanted = task.parameters
    ignored = tuple(sorted(wanted.get("ignore", ())))
    digest = _sheet_digest(task)
    _require_pinned(task)
    place = _place(task, attempt)
    place.begin()
    try:
        folder, result = place.convert()
        given = wanted.get("sheet") is not None
        sheet = folder / SHEET if given else Path(wanted["run_dir"]) / SHEET
        if not wanted["allow_empty_samples"] and "empty-samples" not in ignored:
            refuse_empty_samples(folder, result, sheet)
        require_unchanged(sheet, digest)
        pins.require(_pins(task), sheet.read_bytes(), result.converter, result.version)
        read = SampleSheet.read(sheet)
        named = index_sets.names(read)
        return attempt.complete(
            folder, result, digest, ignored, _waived(task), named, read.projects()
        )
    except (ArterioleError, OSError):
        with contextlib.suppress(OSError):
            attempt.clear()
        raise


def _pins(task: Task) -> list[ProjectPin]:
    """What projects ask for; a job of an older version knows of nothing."""
    return [ProjectPin.model_validate(row) for row in task.parameters.get("projects", ())]


def _require_pinned(task: Task) -> None:
    """Raises ConversionError if a project of the sheet asks for another converter or version."""
    wanted = task.parameters
    data = sheet_bytes(Path(wanted["run_dir"]), wanted.get("sheet"))
    if data is not None:  # else the conversion tells it
        tool = wanted.get(f"{wanted['converter']}_tool")
        version = None if tool is None else tool["version"]
        pins.require(_pins(task), data, wanted["converter"], version)


def require_unchanged(sheet: Path, digest: str) -> None:
    """Raises ConversionError if the sheet is not the one that is to be converted with."""
    if sha256(sheet) != digest:
        raise ConversionError(
            f"{SHEET} was changed while the run was converted",
            code="convert.sheet_changed",
            hint="look at the sheet that is there now",
        )


def _sheet_digest(task: Task) -> str:
    given = task.parameters.get("sheet")
    if given is None:
        return sha256(Path(task.parameters["run_dir"]) / SHEET)
    return hashlib.sha256(base64.b64decode(given)).hexdigest()


def sha256(path: Path) -> str:
    """The digest of a sheet; of nothing where there is none, which the converter tells."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


if __name__ == "__main__":
    main(work, observe)
