"""Tiles without a cluster, on every kind of instrument: whole, and converted to the truth."""

import pytest

from arteriole.bcl2fastq.converters import ConversionRequest, find
from arteriole.illumina import completeness
from arteriole.illumina.run_info import RunInfo
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import Kind
from arteriole.simulator.judge import judge
from arteriole.simulator.sequencer import write_run


@pytest.mark.parametrize("kind", Kind)
def test_a_run_with_empty_tiles(kind, tmp_path):
    plan = default_plan(kind=kind, clusters=101, empty_tiles=1, samples=2, read_cycles=(12, 9))
    truth, out = tmp_path / "truth", tmp_path / "out"
    run = write_run(plan, tmp_path, truth=truth)
    assert completeness.check(run, RunInfo.read(run)).problems == ()
    out.mkdir()
    request = ConversionRequest(run, run / "SampleSheet.csv", out)
    find("builtin").convert(request, lambda done, total: None)
    verdict = judge(truth, out)
    assert verdict.differences == () and verdict.records > 100
