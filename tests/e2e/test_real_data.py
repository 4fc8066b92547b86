"""A real run, that of Picard's own tests, goes through the whole chain."""

import gzip
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import wait_for_state

RUN = "110101_machine1_0001_abcdeACXX"
RUN_INFO = f"""<?xml version="1.0"?>
<RunInfo Version="2">
  <Run Id="{RUN}" Number="1">
    <Flowcell>abcdeACXX</Flowcell>
    <Instrument>machine1</Instrument>
    <Date>110101</Date>
    <Reads>
      <Read Number="1" NumCycles="25" IsIndexedRead="N" />
      <Read Number="2" NumCycles="8" IsIndexedRead="Y" />
      <Read Number="3" NumCycles="25" IsIndexedRead="N" />
    </Reads>
    <FlowcellLayout LaneCount="1" SurfaceCount="2" SwathCount="2" TileCount="1">
      <TileSet TileNamingConvention="FourDigit">
        <Tiles><Tile>1_1101</Tile><Tile>1_1201</Tile><Tile>1_2101</Tile></Tiles>
      </TileSet>
    </FlowcellLayout>
  </Run>
</RunInfo>
"""


@pytest.fixture(scope="module")
def picard() -> Path:
    root = os.environ.get("ARTERIOLE_REAL_DATA")
    if not root:
        pytest.skip("ARTERIOLE_REAL_DATA is not set")
    return Path(root) / "picard-25T8B25T"


def test_the_chain_gives_exactly_the_expected_reads(raise_machine, picard, tmp_path):
    machine = raise_machine(
        # Picard's rule: reads that failed the filter too, at most one mismatch, the nearest wins.
        services={"bcl2fastq": {"include_non_pf": True, "allow_index_collisions": True}}
    )
    names = [line.split("\t")[0] for line in
             (picard / "fastq" / "barcode.params").read_text().splitlines()[1:]]  # fmt: skip
    samples = [name for name in names if name != "N"]
    made = tmp_path / RUN
    shutil.copytree(picard / "Data", made / "Data")
    (made / "RunInfo.xml").write_text(RUN_INFO)
    lines = [f"{name.replace('.', 'N')},{name.replace('.', 'N')}" for name in samples]
    (made / "SampleSheet.csv").write_text("\n".join(["[Data]", "Sample_ID,index", *lines, ""]))
    (made / "RTAComplete.txt").touch()
    shutil.copytree(made, machine.incoming / RUN)

    wait_for_state(machine, RUN, "done")

    delivered = machine.cluster / "ready" / f"{RUN}.attempt-1"
    total = 0
    for name in [*samples, "N"]:
        stem = "Undetermined" if name == "N" else name.replace(".", "N")
        for read in (1, 2):
            (path,) = delivered.glob(f"{stem}_S*_L001_R{read}_001.fastq.gz")
            found = _reads(gzip.decompress(path.read_bytes()).decode())
            expected = _reads((picard / "fastq" / f"{name}.{read}.fastq").read_text())
            assert found == expected, (name, read)
            total += sum(found.values())
    assert total == 360


def _reads(text: str) -> Counter[tuple[str, str, str]]:
    """Place on the flow cell, filter flag and bases of each read (lane:tile:x:y, Y/N, ACGT)."""
    lines = text.splitlines()
    return Counter(
        (header.split()[0].split(":", 3)[3], header.split()[1].split(":")[1], bases)
        for header, bases in zip(lines[0::4], lines[1::4], strict=True)
    )
