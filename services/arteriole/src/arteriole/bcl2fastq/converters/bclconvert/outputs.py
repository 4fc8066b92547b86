"""BCL Convert's files, put where the plan has them.

It names a file by Sample_ID, and lists those of samples in Reports/fastq_list.csv with the paths
at which it wrote them; both are held against the plan, and the list is written anew, with paths
relative to the attempt.
"""

import csv
import gzip
import io
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath

from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, Plan, SamplePlan
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats
from arteriole.bcl2fastq.converters.conversion import UNDETERMINED, ConversionError
from arteriole.bcl2fastq.tools.outputs import CODE, fastqs, require_same
from arteriole.illumina import bclconvert_reports as reports
from arteriole.illumina.demultiplexing_stats import DemultiplexingStatsError

LIST = PurePosixPath("Reports", "fastq_list.csv")
_COLUMNS = ("Read1File", "Read2File")


def settle(folder: Path, out_dir: Path, plan: Plan, lanes: list[LaneStats], tool: str) -> Plan:
    """Move what lies in `folder` to `out_dir`, FASTQs under the plan's names; `folder` is gone.

    Returns:
        The plan without the files of samples that have no read and for which none was written.

    Raises:
        ConversionError: a file is missing or surplus, or the list names others.
    """
    found = fastqs(folder)
    plan = _without_empty(plan, lanes, found)
    paths = {
        written: planned
        for lane in plan.lanes
        for output in lane.outputs
        for written, planned in _paths(lane, output)
    }
    require_same(set(paths), found - _nothing_undetermined(folder, plan, found), tool)
    _require_listed(folder, plan, lanes)
    _rewrite_list(folder, paths)
    for written, planned in paths.items():
        target = out_dir / planned
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / written).rename(target)
    for entry in sorted(folder.iterdir()):
        if not (entry.is_dir() and not entry.is_symlink() and _is_empty(entry)):
            entry.rename(out_dir / entry.name)
    _remove(folder)
    return plan


def written_name(output: SamplePlan, lane: int, read: int) -> str:
    """Where BCL Convert puts a file; Undetermined lies beside the projects."""
    name = f"{output.sample_id}_S{output.number}_L{lane:03d}_R{read}_001.fastq.gz"
    return PurePosixPath(output.project, name).as_posix()


def _paths(lane: LanePlan, output: SamplePlan) -> list[tuple[str, str]]:
    return [
        (written_name(output, lane.lane, n), output.fastq(lane.lane, n).as_posix())
        for n in (read.number for read in lane.template_reads)
    ]


def _nothing_undetermined(folder: Path, plan: Plan, found: set[str]) -> set[str]:
    """Remove files Undetermined of lanes whose one sample takes every read; they hold nothing."""
    other = SamplePlan(UNDETERMINED, UNDETERMINED, 0, PurePosixPath())
    written = {name for lane in plan.lanes if lane.takes_all for name, _ in _paths(lane, other)}
    empty = {name for name in written & found if not _first_byte(folder / name)}
    for name in empty:
        (folder / name).unlink()
    return empty


def _first_byte(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as file:
            return file.read(1)
    except (OSError, EOFError, zlib.error) as err:
        raise _unlike(f"{path.name} is no gzip file: {err}") from err


def _without_empty(plan: Plan, lanes: list[LaneStats], found: set[str]) -> Plan:
    """A sample without a read may have no file, told in a warning."""
    reads = _reads(lanes)
    warnings = list(plan.warnings)
    kept = []
    for lane in plan.lanes:
        outputs = []
        for output in lane.outputs:
            written = {name for name, _ in _paths(lane, output)}
            if reads[lane.lane, output.sample_id] or written & found:
                outputs.append(output)
            else:
                warnings.append(
                    f"lane {lane.lane}: {output.sample_id} has no read, and BCL Convert wrote no"
                    " file of it"
                )
        kept.append(replace(lane, outputs=tuple(outputs)))
    return replace(plan, lanes=tuple(kept), warnings=tuple(warnings))


def _reads(lanes: list[LaneStats]) -> dict[tuple[int, str], int]:
    return {
        (lane.plan.lane, output.sample_id): int(count)
        for lane in lanes
        for output, count in zip(lane.plan.outputs, lane.reads, strict=True)
    }


def _require_listed(folder: Path, plan: Plan, lanes: list[LaneStats]) -> None:
    """Every sample that has reads is listed with its files; Undetermined may be."""
    try:
        listed = reports.fastq_list(folder / LIST)
    except DemultiplexingStatsError as err:
        raise _unlike(str(err)) from err
    reads = _reads(lanes)
    expected = {
        (lane.lane, output.sample_id): [name for name, _ in _paths(lane, output)]
        for lane in plan.lanes
        for output in lane.outputs
    }
    for row in listed:
        names = expected.pop((row.lane, row.sample_id), None)
        found = [_below(folder, path) for path in (row.read1, row.read2) if path]
        if names is None or names != found:
            raise _unlike(
                f"{LIST.name} lists {', '.join(found)[:200]} for {row.sample_id[:60]} of lane"
                f" {row.lane}; expected {', '.join(names or ['nothing'])}"
            )
    for (lane, sample_id), _ in expected.items():
        if reads[lane, sample_id] and sample_id != UNDETERMINED:
            raise _unlike(f"{LIST.name} does not list {sample_id} of lane {lane}")


def _below(folder: Path, path: str) -> str:
    """The path in the folder, by which a container has it as well; as it is where it is not."""
    one = PurePosixPath(path)
    return one.relative_to(folder).as_posix() if one.is_relative_to(folder) else path


def _rewrite_list(folder: Path, paths: dict[str, str]) -> None:
    with (folder / LIST).open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        names = list(rows.fieldnames or ())
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            told = {c: paths[_below(folder, row[c])] for c in _COLUMNS if row.get(c)}
            writer.writerow(row | told)
    (folder / LIST).write_text(text.getvalue(), encoding="utf-8")


def _is_empty(folder: Path) -> bool:
    return all(entry.is_dir() and _is_empty(entry) for entry in folder.iterdir())


def _remove(folder: Path) -> None:
    """Of folders alone."""
    for entry in folder.iterdir():
        _remove(entry)
    folder.rmdir()


def _unlike(message: str) -> ConversionError:
    return ConversionError(
        message, hint="look at the end of BCL Convert's log in that of the job", code=CODE
    )
