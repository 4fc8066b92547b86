"""The HiSeq X run of which one file of base calls is left, with everything waived, and without.

Its README asks for all of bcl2fastq's flags that ignore missing files. The sheet names indexes on
four lanes though the run has no index read; each sample is alone on its lane.
"""

import gzip
import json
import os
import struct
from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import IGNORABLE, ConversionError, ConversionRequest, find
from arteriole.bcl2fastq.converters.builtin import plan

NAME = "151005_ST-00295_0022_BHH5VTCCXX"
CALLS = "Data/Intensities/BaseCalls/L001"
KEPT = 20_000
FIRSTS = {
    "missing-bcls": f"{CALLS}/C1.1/s_1_1102.bcl.gz: missing",
    "missing-filter": f"{CALLS}/s_1_1101.filter: missing",
    "missing-positions": "Data/Intensities/L001/s_1_1101.locs: missing",
}


@pytest.fixture(scope="session")
def trimmed() -> Path:
    root = os.environ.get("ARTERIOLE_REAL_DATA")
    if not root:
        pytest.skip("ARTERIOLE_REAL_DATA is not set")
    return Path(root) / NAME


@pytest.fixture
def request_for(trimmed: Path, tmp_path: Path):
    sheet = trimmed / "SampleSheet.csv"

    def make(run_dir: Path, ignore: set[str]) -> ConversionRequest:
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        return ConversionRequest(
            run_dir, sheet, out, ignore_adapters=True, ignore=frozenset(ignore)
        )

    return make


@pytest.mark.parametrize("flag", FIRSTS)
def test_without_a_flag_the_first_missing_file_is_named(trimmed, request_for, flag):
    with pytest.raises(ConversionError) as caught:
        plan.make(request_for(trimmed, set(IGNORABLE) - {flag}))
    assert caught.value.code == "convert.run_data"
    assert str(caught.value).startswith(FIRSTS[flag])


def test_without_any_flag_the_first_of_all_is_named(trimmed, request_for):
    with pytest.raises(ConversionError) as caught:
        find("builtin").convert(request_for(trimmed, set()), lambda done, total: None)
    assert str(caught.value).startswith(FIRSTS["missing-filter"])


def test_with_every_flag_it_is_converted(trimmed, request_for, tmp_path):
    """The one file that is left is cut to 20 000 of its 6 470 949 clusters: the rest is more N."""
    run = tmp_path / NAME
    (run / CALLS).mkdir(parents=True)
    (run / "RunInfo.xml").symlink_to(trimmed / "RunInfo.xml")
    for cycle in sorted((trimmed / CALLS).iterdir()):
        if cycle.name != "C1.1":
            (run / CALLS / cycle.name).symlink_to(cycle)
    first = gzip.decompress((trimmed / CALLS / "C1.1" / "s_1_1101.bcl.gz").read_bytes())
    calls = first[4 : 4 + KEPT]
    (run / CALLS / "C1.1").mkdir()
    path = run / CALLS / "C1.1" / "s_1_1101.bcl.gz"
    path.write_bytes(gzip.compress(struct.pack("<I", KEPT) + calls))
    request = request_for(run, set(IGNORABLE))
    result = find("builtin").convert(request, lambda done, total: None)
    reads = {(s.sample_id, s.lane): s.reads for s in result.samples if s.reads}
    assert reads == {("PhiX", 1): KEPT}
    assert (result.clusters, result.clusters_pf) == (KEPT, KEPT)
    text = gzip.decompress((request.out_dir / "Test/PhiX_S1_L001_R1_001.fastq.gz").read_bytes())
    lines = text.decode().splitlines()
    assert [line[0] for line in lines[1::4]] == ["ACGT"[c & 3] if c else "N" for c in calls]
    assert {line[1:] for line in lines[1::4]} == {150 * "N"}
    assert len({line.split(" ")[0] for line in lines[::4]}) == KEPT
    stats = json.loads((request.out_dir / result.stats_path).read_text())
    every = 8 * 96
    assert stats["IgnoredFiles"] == {
        "missing-bcls": 302 * every - 1,
        "missing-filter": every,
        "missing-positions": every,
    }
    assert [w.split(":")[0] for w in result.warnings[-3:]] == sorted(FIRSTS)
