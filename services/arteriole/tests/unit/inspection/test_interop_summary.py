import pytest

from arteriole.inspection import interop_summary
from arteriole.inspection.interop_summary import InteropError, summarise


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
