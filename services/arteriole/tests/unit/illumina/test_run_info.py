import os
from pathlib import Path

import pytest

from arteriole.illumina import xml_file
from arteriole.illumina.errors import RunInfoError
from arteriole.illumina.run_info import Read, RunInfo

NEXTSEQ_LAYOUT = (
    '<FlowcellLayout LaneCount="4" SurfaceCount="2" SwathCount="3" TileCount="12" '
    'SectionPerLane="3" LanePerSection="2"><TileSet TileNamingConvention="FiveDigit" />'
    "</FlowcellLayout>"
)


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_reads_what_the_file_says(run_dir):
    info = RunInfo.read(run_dir)
    assert info.run_id == "260101_M04034_0043_000000000-AAAAA"
    assert (info.run_number, info.flowcell, info.instrument, info.date) == (
        43,
        "000000000-AAAAA",
        "M04034",
        "260101",
    )
    assert info.reads == (Read(1, 2, is_index=False), Read(2, 2, is_index=True))
    assert info.cycles == 4
    assert [info.cycles_of(read) for read in info.reads] == [range(1, 3), range(3, 5)]
    assert info.template_reads + info.index_reads == info.reads
    assert info.tiles == {1: (1101, 1102)}


def test_the_run_id_may_hold_the_name_of_the_experiment(run_dir):
    path = changed(run_dir / "RunInfo.xml", '-AAAAA"', '-AAAAA_Exomes, 12 rep (2)"')
    assert RunInfo.read(path).run_id == "260101_M04034_0043_000000000-AAAAA_Exomes, 12 rep (2)"


def test_five_digit_names_count_the_cameras_of_each_lane(run_dir):
    path = run_dir / "RunInfo.xml"
    old = path.read_text()
    start, end = old.index("<FlowcellLayout"), old.index("  </Run>")
    path.write_text(old[:start] + NEXTSEQ_LAYOUT + old[end:])
    tiles = RunInfo.read(path).tiles
    assert list(tiles) == [1, 2, 3, 4]
    assert len(tiles[1]) == 2 * 3 * 3 * 12
    assert (tiles[1][0], tiles[1][-1], tiles[2]) == (11101, 23312, tiles[1])
    assert (tiles[3][0], tiles[4][-1]) == (11401, 23612)


def with_reads(run_dir: Path, reads: str) -> Path:
    path = run_dir / "RunInfo.xml"
    text = path.read_text()
    start, end = text.index("<Reads>") + 7, text.index("</Reads>")
    path.write_text(text[:start] + reads + text[end:])
    return path


def test_reads_of_older_control_software(run_dir):
    """The forms that bcl2fastq 2.20 takes (testRunInfoXml.cpp), all in one file."""
    info = RunInfo.read(
        with_reads(
            run_dir,
            '<Read FirstCycle="1" LastCycle="91" /><Read NumCycles="8" IsIndexedRead="Y" />'
            '<Read FirstCycle="100" LastCycle="107"><Index /></Read>'
            '<Read FirstCycle="108" LastCycle="200" IsIndexedRead="N" />',
        )
    )
    assert [(read.number, read.cycles, read.is_index) for read in info.reads] == [
        (1, 91, False),
        (2, 8, True),
        (3, 8, True),
        (4, 93, False),
    ]
    assert info.cycles_of(info.reads[3]) == range(108, 201)


@pytest.mark.parametrize(
    ("reads", "message"),
    [
        ('<Read FirstCycle="1" LastCycle="9"/><Read FirstCycle="11" LastCycle="12"/>', "found 11"),
        ('<Read FirstCycle="2" LastCycle="9"/>', "expected 1"),
        ('<Read FirstCycle="5" LastCycle="3"/>', "cycles 5 to 3"),
        ('<Read FirstCycle="1" LastCycle="9" NumCycles="8"/>', "a read of 8 cycles"),
        ('<Read FirstCycle="1" LastCycle="x"/>', "@LastCycle"),
        ('<Read FirstCycle="1"/>', "@NumCycles"),
        ('<Read NumCycles="1"/>' * 5001, "5001 reads"),
    ],
)
def test_cycles_that_do_not_follow_each_other(run_dir, reads, message):
    with pytest.raises(RunInfoError, match=message):
        RunInfo.read(with_reads(run_dir, reads))


def test_reverse_complement_marks_are_read(run_dir):
    path = changed(
        run_dir / "RunInfo.xml",
        'IsIndexedRead="Y"',
        'IsIndexedRead="Y" IsReverseComplement="Y"',
    )
    assert [read.is_reverse_complement for read in RunInfo.read(path).reads] == [False, True]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        *(("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-8", "utf-16")),
        ("utf-8-sig", "utf-16"),
    ],
)
def test_encodings(run_dir, encoding, declared):
    path = run_dir / "RunInfo.xml"
    text = path.read_text().replace('version="1.0"', f'version="1.0" encoding="{declared}"')
    path.write_bytes(text.encode(encoding))
    assert RunInfo.read(path).run_number == 43


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("RunInfo Version", "RunParameters Version", "not well-formed"),
        ("</RunInfo>", "", "line 1"),
        ("<Flowcell>000000000-AAAAA<", "<Flowcell>{{ 1 }}<", "Run/Flowcell"),
        ("<Instrument>M04034<", "<Instrument><", "Run/Instrument"),
        ('Id="260101_M04034_0043_000000000-AAAAA"', 'Id=" "', "Run/@Id"),
        ('Id="260101_M04034_0043_000000000-AAAAA"', f'Id="{"A" * 256}"', "Run/@Id"),
        ('Id="260101_M04034_0043_000000000-AAAAA"', 'Id="A&#x9b;1m"', "Run/@Id"),
        ('NumCycles="2" IsIndexedRead="N"', 'NumCycles="two" IsIndexedRead="N"', "@NumCycles"),
        ('NumCycles="2" IsIndexedRead="N"', 'IsIndexedRead="N"', "found 'nothing'"),
        ('IsIndexedRead="N"', 'IsIndexedRead="maybe"', "expected Y or N"),
        ('IsIndexedRead="N"', 'IsIndexedRead="Y"', "not an index read"),
        ('Read Number="2"', 'Read Number="1"', "same Number"),
        ('NumCycles="2"', 'NumCycles="9999"', "cycles"),
        ('LaneCount="1"', 'LaneCount="400"', "LaneCount"),
        ('TileCount="2"', 'TileCount="999999999"', "tiles a lane"),
        ('TileCount="2"', 'TileCount="10001"', "10001 tiles a lane are not possible"),
        (
            'TileCount="2" />',
            'TileCount="2">'
            + "".join(f"<Tile>1_{tile}</Tile>" for tile in range(1000, 11_001))
            + "</FlowcellLayout>",
            "10001 tiles a lane are not possible",
        ),
        (
            'NumCycles="2" IsIndexedRead="N" />',
            'NumCycles="4999" IsIndexedRead="N" /></Reads>'
            '<FlowcellLayout LaneCount="16" SurfaceCount="1" SwathCount="1" TileCount="9999" />'
            "</Run><Run><Reads>",
            "159,984 tiles in 4,999 cycles are not possible",
        ),
        ("FlowcellLayout", "Layout", "expected <FlowcellLayout>"),
        ('TileCount="2" />', 'TileCount="2"><Tile>9_1101</Tile></FlowcellLayout>', "lane_tile"),
        ('TileCount="2" />', 'TileCount="2"><Tile>x</Tile></FlowcellLayout>', "lane_tile"),
        (
            'TileCount="2" />',
            'TileCount="2"><Tile>1_1101</Tile><Tile>1_1101</Tile></FlowcellLayout>',
            "twice",
        ),
        (
            '<?xml version="1.0"?>',
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
            "document types",
        ),
    ],
)
def test_errors_name_the_file_and_the_place(run_dir, old, new, message):
    path = changed(run_dir / "RunInfo.xml", old, new)
    with pytest.raises(RunInfoError, match=message) as caught:
        RunInfo.read(path)
    assert "RunInfo.xml" in str(caught.value)


@pytest.mark.parametrize(
    ("lanes", "surfaces", "swaths", "tiles", "cycles"),
    [(4, 2, 6, 78, 518), (8, 2, 4, 98, 620), (8, 2, 3, 16, 300), (1, 1, 1, 1, 5000)],
)
def test_the_largest_flow_cells(run_dir, lanes, surfaces, swaths, tiles, cycles):
    path = with_reads(run_dir, f'<Read Number="1" NumCycles="{cycles}" IsIndexedRead="N" />')
    layout = f'SurfaceCount="{surfaces}" SwathCount="{swaths}" TileCount="{tiles}"'
    changed(path, 'LaneCount="1" SurfaceCount="1" SwathCount="1" TileCount="2"',
            f'LaneCount="{lanes}" {layout}')  # fmt: skip
    found = RunInfo.read(path)
    assert {len(numbers) for numbers in found.tiles.values()} == {surfaces * swaths * tiles}


def test_another_root_is_refused(tmp_path):
    path = tmp_path / "RunInfo.xml"
    path.write_text("<Other />")
    with pytest.raises(RunInfoError, match=r"expected <RunInfo> as root, found <Other>"):
        RunInfo.read(path)


@pytest.mark.parametrize(("data", "message"), [(b"", "empty"), (None, "cannot be read")])
def test_empty_and_missing_files(tmp_path, data, message):
    if data is not None:
        (tmp_path / "RunInfo.xml").write_bytes(data)
    with pytest.raises(RunInfoError, match=message):
        RunInfo.read(tmp_path)


def test_size_is_limited(run_dir):
    os.truncate(run_dir / "RunInfo.xml", xml_file.SIZE_LIMIT + 1)
    with pytest.raises(RunInfoError, match="larger than"):
        RunInfo.read(run_dir)


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs ARTERIOLE_REAL_DATA")
def test_real_runs():
    root = Path(os.environ["ARTERIOLE_REAL_DATA"])
    hiseq = RunInfo.read(root / "151005_ST-00295_0022_BHH5VTCCXX")
    assert [read.cycles for read in hiseq.reads] == [151, 151]
    assert {lane: len(tiles) for lane, tiles in hiseq.tiles.items()} == dict.fromkeys(
        range(1, 9), 96
    )
    miseq = RunInfo.read(root / "230825_M04034_0043_000000000-L6NVV")
    assert [read.cycles for read in miseq.reads] == [151, 8, 8, 151]
    assert miseq.tiles[1][0] == 1101
    assert miseq.tiles[1][-1] == 2114
    assert len(miseq.tiles[1]) == 28
