"""The builtin converter on the real run of Picard's own tests, against what Picard expects of it.

Picard's files hold reads that failed the filter too, are sorted by name, and count at most one
mismatch with a lead of one over the next sample: `allow_index_collisions` is the same rule, since
many of the 61 indexes lie one or two bases apart and are refused without it. One index ends in a
no-call, which Picard writes `.` and a sample sheet `N`.
"""

import gzip
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, find

PICARD_JAR = Path("/usr/share/java/picard.jar")
RUN_INFO = """<?xml version="1.0"?>
<RunInfo Version="2">
  <Run Id="110101_machine1_0001_abcdeACXX" Number="1">
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

Record = tuple[str, str, str]


@pytest.fixture(scope="session")
def picard_data() -> Path:
    root = os.environ.get("ARTERIOLE_REAL_DATA")
    if not root:
        pytest.skip("ARTERIOLE_REAL_DATA is not set")
    return Path(root) / "picard-25T8B25T"


@pytest.fixture
def run(picard_data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "RunInfo.xml").write_text(RUN_INFO)
    (folder / "Data").symlink_to(picard_data / "Data")
    lines = [f"{b.replace('.', 'N')},{b.replace('.', 'N')}" for b in barcodes(picard_data)]
    sheet = "\r\n".join(["[Header]", "IEMFileVersion,4", "[Data]", "Sample_ID,index", *lines, ""])
    (folder / "SampleSheet.csv").write_text(sheet, newline="")
    return folder


def barcodes(picard_data: Path) -> list[str]:
    lines = (picard_data / "fastq" / "barcode.params").read_text().splitlines()[1:]
    return [line.split("\t")[0] for line in lines if not line.startswith("N\t")]


def records(path: Path) -> Iterator[Record]:
    data = path.read_bytes()
    lines = iter((gzip.decompress(data) if path.suffix == ".gz" else data).decode().splitlines())
    for header, bases, _, qualities in zip(lines, lines, lines, lines, strict=True):
        yield header, bases, qualities


def convert(run: Path, out: Path, **options) -> None:
    out.mkdir()
    request = ConversionRequest(run, run / "SampleSheet.csv", out, **options)
    find("builtin").convert(request, lambda done, total: None)


def position(header: str) -> str:
    """lane:tile:x:y, all that both have in common."""
    return header.split(" ")[0].split(":", 3)[3]


def named(out: Path, read: int) -> dict[str, list[Record]]:
    return {
        path.name.split("_")[0]: list(records(path)) for path in out.glob(f"*_R{read}_001.fastq.gz")
    }


def test_indexes_that_lie_too_near_are_refused(run, tmp_path):
    with pytest.raises(ConversionError, match=r"line \d+, column 2") as refused:
        convert(run, tmp_path / "out", include_non_pf=True)
    assert refused.value.code == "sheet.index_collision"


@pytest.mark.parametrize("read", [1, 2])
def test_every_file_holds_the_reads_that_picard_expects(picard_data, run, tmp_path, read):
    convert(run, tmp_path / "out", include_non_pf=True, allow_index_collisions=True)
    ours = named(tmp_path / "out", read)
    names = [*barcodes(picard_data), "N"]
    assert len(ours) == len(names) == 62
    total = 0
    for name in names:
        expected = sorted(
            (position(header), header.split(" ")[1][:4], bases)
            for header, bases, _ in records(picard_data / "fastq" / f"{name}.{read}.fastq")
        )
        key = "Undetermined" if name == "N" else name.replace(".", "N")
        found = sorted((position(h), h.split(" ")[1][:4], bases) for h, bases, _ in ours[key])
        assert found == expected, name
        total += len(found)
    assert total == 180


def test_without_mismatches_each_sample_has_its_exact_index_only(picard_data, run, tmp_path):
    convert(run, tmp_path / "out", include_non_pf=True, barcode_mismatches=(0, 0))
    ours = named(tmp_path / "out", 1)
    undetermined = ours.pop("Undetermined")
    assert {h.rsplit(":", 1)[1] for rows in ours.values() for h, _, _ in rows} <= set(ours)
    assert not {h.rsplit(":", 1)[1] for h, _, _ in undetermined} & set(ours)
    assert len(undetermined) + sum(map(len, ours.values())) == 180


def test_reads_that_failed_the_filter_are_left_out(run, tmp_path):
    convert(run, tmp_path / "all", include_non_pf=True, allow_index_collisions=True)
    convert(run, tmp_path / "passed", allow_index_collisions=True)
    for name, rows in named(tmp_path / "all", 1).items():
        kept = [row for row in rows if row[0].split(" ")[1].startswith("1:N:")]
        assert kept == named(tmp_path / "passed", 1)[name]


@pytest.mark.skipif(
    not (PICARD_JAR.is_file() and shutil.which("java")), reason=f"needs java and {PICARD_JAR}"
)
def test_qualities_are_those_of_picard(picard_data, run, tmp_path):
    convert(run, tmp_path / "out", allow_index_collisions=True)
    theirs = tmp_path / "picard"
    theirs.mkdir()
    calls = picard_data / "Data" / "Intensities" / "BaseCalls"
    command = [
        *("java", "-Xmx1g", "-cp", f"{PICARD_JAR}:/usr/share/java/commons-lang.jar"),
        *("picard.cmdline.PicardCommandLine", "IlluminaBasecallsToFastq"),
        *(f"BASECALLS_DIR={calls}", "LANE=1", "READ_STRUCTURE=25T8S25T"),
        *(f"OUTPUT_PREFIX={theirs}/all", "RUN_BARCODE=1", "MACHINE_NAME=machine1"),
        *("FLOWCELL_BARCODE=abcdeACXX", "INCLUDE_NON_PF_READS=false"),
        *("APPLY_EAMSS_FILTER=false", "READ_NAME_FORMAT=CASAVA_1_8", f"TMP_DIR={tmp_path}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for read in (1, 2):
        expected = sorted((position(h), b, q) for h, b, q in records(theirs / f"all.{read}.fastq"))
        rows = [row for rows in named(tmp_path / "out", read).values() for row in rows]
        assert sorted((position(h), b, q) for h, b, q in rows) == expected
        assert len(expected) > 100
