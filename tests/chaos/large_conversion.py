"""A run of 25 million clusters is converted by `builtin`, measured, and held against its truth."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.convert import THREADS
from tests.bench.measure import MeasureError
from tests.bench.measure import run as measure
from tests.chaos.check import Check, CheckError

_TILES, _CLUSTERS = 40, 625_000
_READ, _INDEX = 151, 10
_LAYOUT = ("--lanes", "2", "--surfaces", "2", "--swaths", "2", "--tiles", str(_TILES // 8))
_CYCLES = ("--read-cycles", str(_READ), "--index-cycles", str(_INDEX), "--samples", "24")
_ARTERIOLE = [sys.executable, "-c", "from arteriole.cli import main; main()"]


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The name of the check, and its figures: one conversion, by two threads.

    Raises:
        CheckError: it fails, or a record differs from the truth.
    """
    folder = check.folder / "large_conversion"
    out = folder / "fastq"
    out.mkdir(parents=True)
    try:
        figures = _figures(folder, out, check.seed)
    except MeasureError as err:
        raise CheckError([str(err)], str(folder)) from err
    shutil.rmtree(folder)
    size = f"{_TILES * _CLUSTERS:,} clusters, 2x{_READ}+{_INDEX}+{_INDEX}"
    return f"conversion of .cbcl, {size}, by builtin", figures


def _figures(folder: Path, out: Path, seed: int) -> dict[str, Any]:
    simulated, truth = _simulate(folder, seed)
    begun = time.perf_counter()
    command = [sys.executable, "-m", "tests.bench.convert", str(simulated), str(out)]
    used = measure(command, folder / "convert.log")
    seconds = time.perf_counter() - begun
    return {
        "threads": THREADS,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.cpu, 1),
        "peak_memory_mib": round(used.memory),
        "run_folder_gb": _gigabytes(simulated),
        "fastq_gb": _gigabytes(out),
        "records_as_in_the_truth": _judge(truth, out, folder),
    }


def _simulate(folder: Path, seed: int) -> tuple[Path, Path]:
    """The run folder and its truth."""
    print(f"simulating {_TILES * _CLUSTERS:,} clusters", file=sys.stderr)
    landing = folder / "simulated"
    size = ("--kind", "novaseq6000", *_LAYOUT, "--clusters", str(_CLUSTERS), *_CYCLES)
    command = [*_ARTERIOLE, "simulate", str(landing), *size, "--seed", str(seed), "--quiet"]
    measure(command, folder / "simulate.log")
    (truth,) = landing.glob("*.truth")
    return truth.with_suffix(""), truth


def _gigabytes(folder: Path) -> float:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return round(size / 1e9, 2)


def _judge(truth: Path, out: Path, folder: Path) -> int:
    """How many records were compared. Raises CheckError if one differs."""
    command = [*_ARTERIOLE, "judge", str(truth), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = re.match(r"(\d+) records .*: no differences", done.stdout)
    if done.returncode or told is None:
        raise CheckError([done.stdout[-2000:] + done.stderr[-2000:]], str(folder))
    return int(told[1])
