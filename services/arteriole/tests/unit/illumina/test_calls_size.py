"""How large base calls are, and what FASTQs they give, by one cycle of them."""

import pytest

from arteriole.illumina.calls_size import FASTQ_BY_CALLS, cycle_size, fastq_size
from arteriole.illumina.run_folder import RunFolder
from arteriole.simulator.kinds import Kind
from arteriole.simulator.sequencer import default_plan, write_run

from .conftest import write_run_info


@pytest.mark.parametrize("kind", [Kind.HISEQ4000, Kind.MISEQ, Kind.NEXTSEQ500, Kind.NOVASEQ6000])
def test_a_cycle_is_as_large_as_its_files(tmp_path, kind):
    plan = default_plan(kind=kind, clusters=40, read_cycles=(8, 8), lanes=1)
    folder = RunFolder(write_run(plan, tmp_path / "runs", truth=tmp_path / "truth"))
    calls = [path for path in folder.base_calls.rglob("*") if path.is_file()]
    of_cycle = [
        path for path in calls if path.parent.name == "C5.1" or path.name == "0005.bcl.bgzf"
    ]
    assert of_cycle
    assert cycle_size(folder, folder.run_info, 5) == sum(path.stat().st_size for path in of_cycle)
    assert fastq_size(folder.path) == int(
        FASTQ_BY_CALLS * 16 * cycle_size(folder, folder.run_info, 5)
    )


def test_of_what_is_not_there_nothing_is_said(tmp_path):
    assert fastq_size(tmp_path / "nothing") == 0
    write_run_info(tmp_path / "run")
    assert fastq_size(tmp_path / "run") == 0
    (tmp_path / "run" / "RunInfo.xml").write_text("<RunInfo")
    assert fastq_size(tmp_path / "run") == 0
