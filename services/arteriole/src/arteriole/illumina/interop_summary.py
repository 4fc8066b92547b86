"""What the instrument measured, from InterOp, through Illumina's library.

The library is native code that reads what it is given, so it runs in a process of its own: a
damaged file ends that process, not the caller.
"""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SIZE_LIMIT = 4 * 1024**3
TIME_LIMIT = 30.0
_MODULE = "arteriole.illumina.interop_summary"


class InteropError(Exception):
    """InterOp is there and could not be summed up."""


@dataclass(frozen=True, slots=True)
class LaneMetrics:
    """One lane; clusters are those of all its tiles, density is clusters on a square millimetre.

    `percent_aligned` (to PhiX) is the lowest and `error_rate` (percent of the bases so aligned) the
    highest of the template reads; None where the instrument did not measure it.
    """

    lane: int
    clusters: int
    clusters_pf: int
    percent_pf: float
    percent_q30: float
    yield_gigabases: float
    density: int = 0
    percent_aligned: float | None = None
    error_rate: float | None = None


@dataclass(frozen=True, slots=True)
class InteropSummary:
    """The run; %Q30 and yield leave out index reads and the last cycle of each read.

    `cycle` is the last whose intensities were extracted; there are no `lanes` before the first
    clusters were counted.
    """

    yield_gigabases: float
    percent_q30: float
    lanes: tuple[LaneMetrics, ...]
    cycle: int = 0

    @property
    def clusters_pf(self) -> int:
        """Clusters that passed the filter, on all lanes."""
        return sum(lane.clusters_pf for lane in self.lanes)

    @property
    def clusters(self) -> int:
        """All clusters."""
        return sum(lane.clusters for lane in self.lanes)

    def document(self) -> dict[str, Any]:
        return {
            "cycle": self.cycle,
            "yield_gigabases": self.yield_gigabases,
            "percent_q30": self.percent_q30,
            "clusters": self.clusters,
            "clusters_pf": self.clusters_pf,
            "lanes": [asdict(lane) for lane in self.lanes],
        }


def summarise(run_dir: Path, time_limit: float = TIME_LIMIT) -> InteropSummary | None:
    """The summary of a run folder; None if it has no metrics.

    Raises:
        InteropError: the files are too large, damaged, or took more than `time_limit` seconds.
    """
    try:
        sizes = [entry.stat().st_size for entry in os.scandir(run_dir / "InterOp")]
    except OSError:
        return None
    if sum(sizes) > SIZE_LIMIT:
        raise InteropError(f"InterOp is larger than {SIZE_LIMIT // 1024**3} GiB")
    try:
        ended = subprocess.run(
            [sys.executable, "-B", "-m", _MODULE, str(run_dir.absolute())],
            capture_output=True,
            timeout=time_limit,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as err:
        raise InteropError(f"InterOp could not be read within {time_limit:g} s") from err
    if ended.returncode != 0:
        last = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise InteropError(f"InterOp could not be read ({(last or ['its reader died'])[0][:120]})")
    return _summary(json.loads(ended.stdout))


def _summary(document: dict[str, Any]) -> InteropSummary | None:
    if not document["lanes"] and not document["cycle"]:
        return None
    lanes = tuple(LaneMetrics(**lane) for lane in document["lanes"])
    return InteropSummary(
        document["yield_gigabases"], document["percent_q30"], lanes, document["cycle"]
    )


def _measure(run_dir: str) -> dict[str, Any]:
    from interop import py_interop_run, py_interop_run_metrics, py_interop_summary

    metrics = py_interop_run_metrics.run_metrics()
    wanted = py_interop_run.uchar_vector(py_interop_run.MetricCount, 0)
    py_interop_run_metrics.list_summary_metrics_to_load(wanted)
    metrics.read(run_dir, wanted)
    summary = py_interop_summary.run_summary()
    py_interop_summary.summarize_run_metrics(metrics, summary)
    total = summary.nonindex_summary()
    templates = [
        summary.at(read) for read in range(summary.size()) if not summary.at(read).read().is_index()
    ]
    lanes = []
    for place in range(summary.lane_count()) if templates else []:
        reads = [read.at(place) for read in templates]
        gigabases = sum(_finite(read.yield_g()) for read in reads)
        good = sum(_finite(read.yield_g()) * _finite(read.percent_gt_q30()) for read in reads)
        first = reads[0]
        if not _finite(first.reads()):
            continue
        lanes.append(
            {
                "lane": int(first.lane()),
                "clusters": int(_finite(first.reads())),
                "clusters_pf": int(_finite(first.reads_pf())),
                "percent_pf": round(100 * _finite(first.reads_pf()) / first.reads(), 2),
                "percent_q30": round(good / gigabases, 2) if gigabases else 0.0,
                "yield_gigabases": round(gigabases, 6),
                "density": int(_finite(first.density().mean())),
                "percent_aligned": _rounded(min, [r.percent_aligned().mean() for r in reads]),
                "error_rate": _rounded(max, [r.error_rate().mean() for r in reads]),
            }
        )
    return {
        "cycle": int(summary.cycle_state().extracted_cycle_range().last_cycle()),
        "yield_gigabases": round(_finite(total.yield_g()), 6),
        "percent_q30": round(_finite(total.percent_gt_q30()), 2),
        "lanes": lanes,
    }


def _rounded(worst: Callable[[list[float]], float], of_reads: list[float]) -> float | None:
    """The worst of the reads; None if one was not measured, which the library tells as NaN."""
    return round(worst(of_reads), 3) if all(map(math.isfinite, of_reads)) else None


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0


if __name__ == "__main__":
    try:
        print(json.dumps(_measure(sys.argv[1])))
    except Exception as err:  # the library's own errors have no base of theirs
        sys.exit(" ".join(str(err).split())[:200])
