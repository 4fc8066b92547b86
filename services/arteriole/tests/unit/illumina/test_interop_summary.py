import os
import shutil
from pathlib import Path

import pytest

from arteriole.illumina import interop_summary
from arteriole.illumina.interop_summary import InteropError, summarise


def test_a_run_without_metrics(tmp_path):
    assert summarise(tmp_path) is None


@pytest.fixture
def run_dir(tmp_path):
    """A run whose metrics are no metrics."""
    (tmp_path / "InterOp").mkdir()
    (tmp_path / "InterOp" / "TileMetricsOut.bin").write_bytes(b"\xff" * 40)
    return tmp_path


def test_metrics_that_the_library_refuses(run_dir):
    with pytest.raises(InteropError, match="could not be read"):
        summarise(run_dir)


def test_metrics_that_are_too_large(run_dir, monkeypatch):
    monkeypatch.setattr(interop_summary, "SIZE_LIMIT", 39)
    with pytest.raises(InteropError, match="larger"):
        summarise(run_dir)


def test_metrics_that_take_too_long(run_dir):
    with pytest.raises(InteropError, match=r"within 0\.001 s"):
        summarise(run_dir, time_limit=0.001)


def test_a_library_that_crashes_hurts_nobody(run_dir, tmp_path, monkeypatch):
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    (tmp_path / "crashes.py").write_text(crash)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(interop_summary, "_MODULE", "crashes")
    with pytest.raises(InteropError, match="its reader died"):
        summarise(run_dir)


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs ARTERIOLE_REAL_DATA")
class TestARealRun:
    @pytest.fixture
    def real(self, tmp_path):
        folder = Path(os.environ["ARTERIOLE_REAL_DATA"]) / "230825_M04034_0043_000000000-L6NVV"
        for name in ("InterOp", "RunInfo.xml", "RunParameters.xml", "runParameters.xml"):
            if (folder / name).is_dir():
                shutil.copytree(folder / name, tmp_path / name)
            elif (folder / name).is_file():
                shutil.copy(folder / name, tmp_path / name)
        for path in tmp_path.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return tmp_path

    def test_it_is_summed_up(self, real):
        found = summarise(real)
        (lane,) = found.lanes
        assert (found.cycle, lane.clusters, lane.clusters_pf) == (318, 23469886, 20970625)
        assert (lane.density, lane.percent_pf, lane.percent_q30) == (1244292, 89.35, 92.93)

    @pytest.mark.parametrize("kept", [0, 1, 1000, 100_001])
    def test_half_written_metrics_are_read_or_refused(self, real, kept):
        path = real / "InterOp" / "ExtractionMetricsOut.bin"
        path.write_bytes(path.read_bytes()[:kept])
        try:
            found = summarise(real)
        except InteropError:
            return
        assert found.cycle < 318

    def test_before_clusters_are_counted_the_cycle_alone_is_known(self, real):
        for path in (real / "InterOp").iterdir():
            if path.name != "ExtractionMetricsOut.bin":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        found = summarise(real)
        assert (found.cycle, found.lanes) == (318, ())
