"""Nothing is converted: what the instrument wrote is proven, and copied under the plan's names."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path

from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.builtin.plan import Plan
from arteriole.bcl2fastq.converters.builtin.stats import sample_reads
from arteriole.bcl2fastq.converters.conversion import (
    Announcement,
    ConversionError,
    ConversionRequest,
    ConversionResult,
    FastqFile,
    Options,
    Progress,
    conversion_errors,
)
from arteriole.bcl2fastq.converters.ingest import agreement, analysis, fastq, files
from arteriole.bcl2fastq.converters.ingest.analysis import Analysis
from arteriole.bcl2fastq.converters.ingest.fastq import Origin
from arteriole.bcl2fastq.converters.ingest.files import Taking
from arteriole.bcl2fastq.tools import bclconvert_stats as stats
from arteriole.bcl2fastq.tools.bclconvert_sheet import check_settings
from arteriole.bcl2fastq.tools.bclconvert_stats import Reports
from arteriole.bcl2fastq.tools.refusals import refuse_ignored
from arteriole.checksum.digests import Meter, each
from arteriole.illumina import index_orientation, index_sets, sample_sheet
from arteriole.illumina.analysis_manifest import NAME as MANIFEST
from arteriole.illumina.errors import SampleSheetError
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.sample_sheet import SampleSheet
from arteriole.illumina.sheet_text import plain


@dataclass(frozen=True, slots=True)
class Prepared:
    """What will be taken; `version` is that of the software on the instrument."""

    analysis: Analysis
    plan: Plan
    version: str


class IngestConverter:
    """Takes an analysis of the instrument, if all that it says of itself and the run agree."""

    name = "ingest"
    unit = "files"
    #: Each attempt says the version of the instrument's software that made its files.
    version = "on-instrument"

    def announce(self, request: ConversionRequest) -> Announcement:
        """What would be written, as the protocol says; no FASTQ is read."""
        return prepare(request).plan.announcement()

    def end_earlier(self, key: str) -> None:
        """Nothing: it ends with its job."""

    def convert(self, request: ConversionRequest, progress: Progress) -> ConversionResult:
        """Take over a run, as the protocol says. Raises ConversionError."""
        with conversion_errors():
            plans.require_empty(request)
            return _take(request, prepare(request), progress)


def prepare(request: ConversionRequest) -> Prepared:
    """Everything that can be said before the first FASTQ is read; out_dir is not touched.

    Raises:
        ConversionError: something is refused, missing, or differs.
        SampleSheetError, RunDataError: a file cannot be read.
    """
    _refuse_options(request)
    found = analysis.find(RunFolder(request.run_dir))
    used = _used_sheet(found)
    source = index_sets.read(
        request.sheet, request.index_sets, request.run_dir, "ingest", request.index2
    )
    given = index_orientation.for_converter("ingest", source, request.run_dir, request.index2)
    plan = plans.make(request, check_settings, given, masked=False)
    if index_orientation.stated(used):
        used = index_orientation.for_converter("ingest", used, request.run_dir)
    warnings = agreement.require_same(used, given, plan.run_info, request.barcode_mismatches)
    if found.newer:
        warnings += (
            f"{found.shown} is taken; Analysis/{found.newer} is newer, and is not complete",
        )
    said = next((s.value for n, s in used.settings.items() if plain(n) == "softwareversion"), "")
    texts = {
        path: analysis.read(found, path).decode("utf-8", "replace") for path in found.summaries
    }
    version = analysis.software(texts, said)
    return Prepared(found, replace(plan, warnings=(*plan.warnings, *warnings)), version)


def _used_sheet(found: Analysis) -> SampleSheet:
    """The sheet that the instrument used, of which it keeps several copies."""
    copies = {found.manifest.files[path] for path in found.sheets}
    if len(copies) != 1:
        raise ConversionError(
            f"{MANIFEST} of {found.shown} lists {len(copies) or 'no'} different SampleSheet.csv;"
            " expected one, in any number of copies",
            hint="it is not known which sheet the instrument used; convert with another converter",
            code="ingest.sheet",
        )
    try:
        return sample_sheet.parse(analysis.read(found, found.sheets[0]))
    except SampleSheetError as err:
        raise ConversionError(
            f"{found.sheets[0]} of {found.shown}, the sheet that the instrument used: {err}",
            hint=err.hint or "convert with another converter",
            code="ingest.sheet",
        ) from err


def _refuse_options(request: ConversionRequest) -> None:
    """What the instrument has decided already."""
    for name in ("include_non_pf", "allow_index_collisions", "ignore_adapters"):
        if getattr(request, name):
            raise ConversionError(
                f"{name} is not for the converter ingest: the instrument has converted already",
                hint=f"leave out bcl2fastq.{name}, or convert with builtin",
                field=name,
                code="convert.option",
            )
    if request.options != Options():
        raise ConversionError(
            "options of bcl2fastq are not for the converter ingest: the instrument has converted"
            " already",
            hint="leave out bcl2fastq.additional_args, or convert with builtin or bcl2fastq",
            field="additional_args",
            code="convert.option",
        )
    why = ": the instrument has converted already"
    refuse_ignored(request, IngestConverter.name, "builtin or bcl2fastq", why)


def _take(request: ConversionRequest, prepared: Prepared, progress: Progress) -> ConversionResult:
    found = prepared.analysis
    kept = request.out_dir / "Analysis" / str(found.number)
    _keep(found, kept)
    tables = Reports(
        counts=kept / found.counts / "Demultiplex_Stats.csv",
        unknown=kept / found.counts / "Top_Unknown_Barcodes.csv",
        qualities=tuple(kept / path for path in found.qualities),
    )
    lanes = stats.read(tables, prepared.plan)
    plan, takings = files.match(found, prepared.plan, lanes)
    taken = _copy(request, found, plan, takings, progress)
    stats.write(request.out_dir, tables, prepared.plan, lanes)
    return ConversionResult(
        converter=IngestConverter.name,
        version=prepared.version,
        clusters=sum(lane.clusters for lane in lanes),
        clusters_pf=sum(lane.clusters_pf for lane in lanes),
        samples=sample_reads(lanes),
        files=taken,
        stats_path=stats.PATH,
        warnings=plan.warnings,
    )


def _keep(found: Analysis, folder: Path) -> None:
    """What the analysis says about itself stays with the attempt, under the paths it had."""
    tables = [
        f"{found.counts}/{name}" for name in ("Demultiplex_Stats.csv", "Top_Unknown_Barcodes.csv")
    ]
    for listed in (*tables, *found.qualities, *found.sheets[:1], *found.summaries):
        if listed not in found.manifest.files:
            raise ConversionError(
                f"{MANIFEST} of {found.shown} does not list {listed}",
                hint="without its counts the FASTQs are not taken; convert with another converter",
                code="ingest.manifest",
            )
        target = folder / listed
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(analysis.read(found, listed))
    (folder / MANIFEST).write_bytes(found.manifest.data)


def _copy(
    request: ConversionRequest,
    found: Analysis,
    plan: Plan,
    takings: list[Taking],
    progress: Progress,
) -> tuple[FastqFile, ...]:
    meter = Meter(lambda done, total, unit: None, len(takings))
    done, lock = 0, threading.Lock()
    progress(0, len(takings))

    def one(taking: Taking) -> FastqFile:
        nonlocal done
        target = request.out_dir / taking.planned if taking.planned else None
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
        digest = fastq.take(
            found.path / taking.listed,
            target,
            crc=found.manifest.files[taking.listed],
            reads=taking.reads,
            origin=Origin(plan.run_info.flowcell, taking.lane, taking.read),
            beat=lambda: meter.add(0),
        )
        with lock:
            done += 1
            progress(done, len(takings))
        return FastqFile(
            path=taking.planned,
            sample_id=taking.sample_id,
            lane=taking.lane,
            read=taking.read,
            reads=taking.reads,
            size=digest.size,
            md5=digest.md5,
            blake3=digest.blake3,
        )

    made = each(takings, one, meter, request.threads)
    return tuple(file for file in made if file.path)
