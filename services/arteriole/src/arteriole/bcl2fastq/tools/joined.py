"""FASTQs and counts of one sample that a tool wrote under several names, put together."""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from arteriole.bcl2fastq.converters.builtin.plan import Plan, PlannedFile, SamplePlan
from arteriole.bcl2fastq.converters.conversion import UNDETERMINED, ConversionError
from arteriole.bcl2fastq.tools.outputs import require_regular

COUNTED = ("NumberReads", "Yield")
Key = tuple[str, int, int, bool]
"""Of a file: the sample, its lane, the read, and whether that is an index read."""


class Written:
    """The files that were written, by the sample that they are of."""

    def __init__(self) -> None:
        self._paths: dict[Key, list[Path]] = {}

    def add(self, folder: Path, plan: Plan, owners: Mapping[str, str]) -> None:
        """Those of one plan. Raises ConversionError if one is no regular file."""
        for file in plan.planned():
            require_regular(folder, file.path)
            owner = owners.get(file.output.sample_id, UNDETERMINED)
            self._paths.setdefault(_key(owner, file), []).append(folder / file.path)

    def has(self, sample_id: str, lane: int) -> bool:
        """Whether some file is of this sample on this lane."""
        return any(key[:2] == (sample_id, lane) for key in self._paths)

    def join(self, out_dir: Path, plan: Plan) -> None:
        """Put them where the plan has them.

        The gzip members of several files follow one another, in one order for each read.
        """
        for file in plan.planned():
            target = out_dir / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            _join(self._paths[_key(file.output.sample_id, file)], target)


def _key(sample_id: str, file: PlannedFile) -> Key:
    return sample_id, file.lane, file.read, file.is_index


def _join(sources: list[Path], target: Path) -> None:
    first, *more = sources
    first.rename(target)
    for source in more:
        with source.open("rb") as read, target.open("ab") as written:
            shutil.copyfileobj(read, written, 1024 * 1024)
        source.unlink()


def result(sample: SamplePlan, found: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry of a sample in Stats.json, of those of its names. Raises ConversionError."""
    metrics = [one for entry in found for one in _list(entry.get("IndexMetrics"))]
    named = {"SampleId": sample.sample_id, "SampleName": sample.name}
    return named | ({"IndexMetrics": metrics} if metrics else {}) | summed(found)


def summed(results: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Reads, yields and the metrics of each read over some entries. Raises ConversionError."""
    sums: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
    reads: dict[int, Counter[str]] = {}
    for entry in results:
        sums.update({name: number(entry, name) for name in COUNTED})
        for metrics in _list(entry.get("ReadMetrics")):
            of_read = reads.setdefault(number(metrics, "ReadNumber"), Counter())
            of_read.update({n: number(metrics, n) for n in metrics if n != "ReadNumber"})
    return {
        **sums,
        "ReadMetrics": [{"ReadNumber": read, **reads[read]} for read in sorted(reads)],
    }


def number(entry: dict[str, Any], name: str) -> int:
    """Raises ConversionError if it is none."""
    value = entry.get(name)
    if type(value) is not int:
        raise wrong(f"Stats.json: expected a whole number {name}, found {str(value)[:40]!r}")
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def wrong(message: str) -> ConversionError:
    """Counts that nothing can be published with."""
    return ConversionError(
        message,
        hint="look at the tool's log in that of the job; FASTQs are not published without counts",
        code="convert.stats",
    )
