"""The analysis that is taken: the newest one that is complete, and that came over whole.

Known is the layout of a NovaSeq X with DRAGEN 4.1.7 to 4.3 (miso-lims/runscanner, appendix D of its
manual; gmc-norr/cleve; Clinical-Genomics/cg): Analysis/<n> with CopyComplete.txt, Manifest.tsv and
Data, and in Data the end marker, SampleSheet.csv, summary/<version>, Demux with the counts, and a
folder a workflow (BCLConvert, DragenGermline, ...) with fastq and fastq/Reports.
"""

import json
import os
import re
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arteriole.bcl2fastq.converters.conversion import ConversionError
from arteriole.illumina import leavings, run_file
from arteriole.illumina.analysis_manifest import NAME as MANIFEST
from arteriole.illumina.analysis_manifest import Manifest
from arteriole.illumina.run_folder import RunFolder

_SHEET = re.compile(r"Data/([A-Za-z0-9_-]+/)?SampleSheet\.csv")
_FASTQS = re.compile(r"Data/[A-Za-z0-9_-]+/fastq/(?:[^/]+/)?([^/]+)")
_QUALITIES = re.compile(r"Data/[A-Za-z0-9_-]+/fastq/Reports/Quality_Metrics\.csv")
_SUMMARY = re.compile(r"Data/summary/[A-Za-z0-9._-]+/(highlevel|detailed)_summary\.json")
#: Where the counts of all samples lie; the first that the manifest lists.
_COUNTS = ("Data/Demux", "Data/BCLConvert/fastq/Reports")
_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9A-Za-z]{1,12}){0,6}")
#: Of a table, a sheet or a summary.
_SIZE_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Analysis:
    """A complete analysis; all paths are relative to it, and its manifest lists them.

    Attributes:
        newer: the number of a newer one that is not complete; 0 if there is none.
        fastqs: path to file name.
    """

    path: Path
    number: int
    newer: int
    manifest: Manifest
    fastqs: dict[str, str]

    def listed(self, form: re.Pattern[str]) -> tuple[str, ...]:
        """The paths of this form, in order."""
        return tuple(sorted(filter(form.fullmatch, self.manifest.files)))

    @property
    def sheets(self) -> tuple[str, ...]:
        """The copies of the sheet that it kept."""
        return self.listed(_SHEET)

    @property
    def summaries(self) -> tuple[str, ...]:
        """What it says about its software and its success."""
        return self.listed(_SUMMARY)

    @property
    def qualities(self) -> tuple[str, ...]:
        """A table a workflow."""
        return self.listed(_QUALITIES)

    @property
    def counts(self) -> str:
        """The folder of Demultiplex_Stats.csv and Top_Unknown_Barcodes.csv."""
        for folder in _COUNTS:
            if f"{folder}/Demultiplex_Stats.csv" in self.manifest.files:
                return folder
        raise ConversionError(
            f"{MANIFEST} of {self.shown} lists no Demultiplex_Stats.csv in {' or '.join(_COUNTS)}",
            hint="without its counts the FASTQs are not taken; convert the base calls with"
            " another converter",
            code="ingest.manifest",
        )

    @property
    def shown(self) -> str:
        """For messages."""
        return f"Analysis/{self.number}"


def find(folder: RunFolder) -> Analysis:
    """The newest complete analysis; every file of its manifest is there, as a file.

    Raises:
        ConversionError: there is none, a file is missing or surplus, or it has FASTQs of ORA.
        RunDataError: its manifest is not as expected.
    """
    number, newer = _newest(folder)
    path = folder.path / "Analysis" / str(number)
    manifest = Manifest.read(path)
    _require_files(path, number, manifest)
    _refuse_ora(number, manifest)
    fastqs = {
        listed: name[1]
        for listed in manifest.files
        if (name := _FASTQS.fullmatch(listed)) and name[1].endswith(".fastq.gz")
    }
    _require_no_others(path, number, manifest, fastqs)
    return Analysis(path, number, newer, manifest, fastqs)


def _newest(folder: RunFolder) -> tuple[int, int]:
    """(number of the newest complete one, number of a newer incomplete one or 0)."""
    found = leavings.analyses(folder)
    complete = [
        one
        for one in found
        if one.ended
        and one.copied
        and one.manifest
        and _is_file(folder.path, f"Analysis/{one.number}/{MANIFEST}")
    ]
    if complete:
        number = complete[-1].number
        return number, found[-1].number if found[-1].number > number else 0
    if not found:
        raise _none(folder)
    last = found[-1]
    there = {
        "Data/Secondary_Analysis_Complete.txt": last.ended,
        MANIFEST: last.manifest,
        "CopyComplete.txt": last.copied,
    }
    missing = ", ".join(name for name, is_there in there.items() if not is_there)
    raise ConversionError(
        f"no analysis of the instrument is complete: Analysis/{last.number} has no {missing}",
        hint="wait until the instrument has analysed and copied the run, then retry; else convert"
        " with another converter",
        code="ingest.incomplete",
    )


def _none(folder: RunFolder) -> ConversionError:
    hint = (
        "wait for the instrument, if it is to demultiplex this run, then retry; else convert with"
        " another converter"
    )
    local = next(folder.path.glob("Alignment_[0-9]*"), None)
    if local is not None:
        hint = (
            f"{local.name} is of local software, which leaves neither a list of its files nor"
            " counts; convert with another converter"
        )
    return ConversionError(
        "the instrument has made no analysis in this run folder: there is no Analysis/1",
        hint=hint,
        code="ingest.no_analysis",
    )


def _require_files(path: Path, number: int, manifest: Manifest) -> None:
    folders: set[Path] = set()
    missing = [listed for listed in manifest.files if not _is_file(path, listed, folders)]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ConversionError(
            f"Analysis/{number} lacks {missing[0][:200]}{more}, listed in its {MANIFEST}",
            hint="copy the folder of the analysis from the instrument again",
            code="ingest.incomplete",
        )


def _is_file(path: Path, listed: str, folders: set[Path] | None = None) -> bool:
    """NB: neither the file nor a folder on its way may be a link, which may lead anywhere.

    Args:
        folders: those below `path` that were looked at before, and are folders.
    """
    known = set() if folders is None else folders
    file = path / listed
    above = [file.parents[n] for n in range(listed.count("/"))]
    try:
        new = [folder for folder in above if folder not in known]
        if not all(stat.S_ISDIR(os.lstat(folder).st_mode) for folder in new):
            return False
        known.update(new)
        return stat.S_ISREG(os.lstat(file).st_mode)
    except OSError:
        return False


def _refuse_ora(number: int, manifest: Manifest) -> None:
    for listed in manifest.files:
        if listed.endswith(".ora"):
            raise ConversionError(
                f"Analysis/{number} has FASTQs of the ORA format: {listed[:200]}",
                hint="say FastqCompressionFormat,gzip in the sheet and queue the analysis again on"
                " the instrument, or convert with another converter",
                code="ingest.ora",
            )


def _require_no_others(path: Path, number: int, manifest: Manifest, fastqs: dict[str, str]) -> None:
    """No FASTQ lies beside the listed ones, and none is listed where none is known to lie."""
    found = {
        Path(folder, name).relative_to(path).as_posix()
        for place in sorted(path.glob("Data/*/fastq"))
        for folder, _, names in os.walk(place)
        for name in names
    }
    odd = [
        name
        for name in sorted(found.union(manifest.files) - set(fastqs))
        if name.endswith((".fastq.gz", ".fastq"))
    ]
    if odd:
        what = "at a place that is not known" if odd[0] in manifest.files else "that is not listed"
        raise ConversionError(
            f"Analysis/{number} has a FASTQ {what}: {odd[0][:200]}",
            hint="find out where it comes from; it cannot be told whose reads it has",
            code="ingest.files",
        )


def software(texts: dict[str, str], said: str) -> str:
    """The software and its version, as `dragen-4.3.16`.

    Args:
        texts: the summaries, by path.
        said: SoftwareVersion of the sheet, where no summary says it; may be empty.

    Raises:
        ConversionError: the analysis has failed, or says no version.
    """
    documents = {path: _document(path, text) for path, text in texts.items()}
    for path, document in documents.items():
        if document.get("result", "success") != "success":
            raise ConversionError(
                f"{path} says that the analysis did not succeed: {str(document['result'])[:40]!r}",
                hint="look at the analysis on the instrument and queue it again, or convert with"
                " another converter",
                code="ingest.failed",
            )
    versions = [str(d["software_version"]) for d in documents.values() if "software_version" in d]
    version = (*versions, said)[0]
    if not _VERSION.fullmatch(version):
        raise ConversionError(
            f"the analysis does not say which software made it: {version[:40]!r}",
            hint="expected software_version in Data/summary, or SoftwareVersion in its sheet",
            code="ingest.summary",
        )
    return f"dragen-{version}"


def _document(path: str, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise ConversionError(
            f"{path} is no JSON: {str(err)[:80]}",
            hint="copy the folder of the analysis from the instrument again",
            code="ingest.summary",
        ) from err
    return document if isinstance(document, dict) else {}


def read(analysis: Analysis, listed: str) -> bytes:
    """A table, sheet or summary of the analysis, whose bytes are those of the manifest.

    Raises:
        ConversionError: they are not.
        RunDataError: it cannot be read.
    """
    data = run_file.read(analysis.path / listed, _SIZE_LIMIT)
    if zlib.crc32(data) != analysis.manifest.files[listed]:
        raise ConversionError(
            f"{listed[:200]} of {analysis.shown} is not what its {MANIFEST} has the digest of",
            hint="copy the folder of the analysis from the instrument again",
            code="ingest.damaged",
        )
    return data
