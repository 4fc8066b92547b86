"""A conversion writes no more than is expected of it."""

from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import ConversionRequest, find
from arteriole.bcl2fastq.kind import Bcl2fastqKind, ConvertRequest
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.illumina.calls_size import fastq_size
from arteriole.jobs.needs import DiskNeed
from arteriole.simulator.instruments import Kind
from arteriole.simulator.sequencer import default_plan, write_run


@pytest.mark.parametrize("kind", [Kind.NOVASEQ6000, Kind.HISEQ4000])
def test_what_builtin_writes_is_expected(tmp_path: Path, kind: Kind) -> None:
    plan = default_plan(kind=kind, clusters=2000, read_cycles=(60, 60), lanes=1, swaths=1)
    run = write_run(plan, tmp_path / "runs", truth=tmp_path / "truth")
    settings = Bcl2fastqSettings.model_validate(
        {"run_roots": [tmp_path / "runs"], "fastq_root": tmp_path / "fastq", "converter": "builtin"}
    )
    given = Bcl2fastqKind(settings).parameters(run.name, ConvertRequest())
    need = DiskNeed.of(given, False)
    assert need == DiskNeed(tmp_path / "fastq", fastq_size(run))
    out = tmp_path / "out"
    out.mkdir()
    request = ConversionRequest(run, run / "SampleSheet.csv", out)
    find("builtin", None).convert(request, lambda *_: None)
    written = sum(path.stat().st_size for path in out.rglob("*.fastq.gz"))
    assert written <= need.bytes <= 2.5 * written
