"""The converter `bcl2fastq` on sheets that it needs several conversions for."""

import gzip
import json
import shlex
import sys
from pathlib import Path

import pytest

from arteriole.bcl2fastq.converters import (
    ConversionError,
    ConversionRequest,
    ConversionResult,
    Options,
    find,
)
from arteriole.bcl2fastq.converters.bcl2fastq.convert import Bcl2fastqConverter
from arteriole.bcl2fastq.converters.bcl2fastq.parts import FOLDER
from arteriole.bcl2fastq.empty_samples import refuse_empty_samples
from arteriole.bcl2fastq.tool_settings import ToolSettings

FAKE = Path(__file__).parent / "fakes" / "fake_bcl2fastq.py"
READS = ((5, "N"), (6, "Y"), (6, "Y"), (5, "N"))
NO_I5 = "Y5;I4N2;N6;Y5"
#: Lane 1: 6+6, a sample of two single indexes, and 4+4; lane 2: that sample alone with another one.
SHEET = (
    "[Settings]\n[Data]\nLane,Sample_ID,Sample_Name,Sample_Project,index,index2,OverrideCycles\n"
    "1,dual,,P1,ACGTAC,GGGGGG,\n"
    f"1,set,other,P2,TTAA,,{NO_I5}\n"
    "1,short,,,CCCC,AACC,\n"
    f"1,set,other,P2,GGTT,,{NO_I5}\n"
    "2,set,other,P2,TTAA,,\n"
    "2,more,,,GGCC,,\n"
)
INDEXES = {
    1: ["ACGTACGGGGGG", "ACGTACGGGGGT", "TTAACCACACAC", "GGTTGGTGTGTG", "CCCCTTAACCTT",
        "TTAAGGGGGGGG", "CTCTCTCTCTCT", "CTCTCTCTCTCT", "CCCCTTGGGGGG"],
    2: ["TTAAAACCCCCC", "GGCCAACCCCCC", "AGAGAGAGAGAG"],
}  # fmt: skip


@pytest.fixture
def run(tiny_run, cluster_of):
    tiny_run.reads, tiny_run.lanes = READS, 2
    for lane, indexes in INDEXES.items():
        for place, index in enumerate(indexes):
            bases = ["A" * 5, "C" * 5, "G" * 5, "T" * 5][place % 4]
            tile = tiny_run.tiles[place % 2]
            found = tiny_run.clusters.setdefault((lane, tile), [])
            found.append(cluster_of(f"{bases}{index}{bases[::-1]}", x=1000 + 10 * place))
    tiny_run.clusters[1, 1101].append(cluster_of("AAAAAACGTACGGGGGGAAAAA", passed=False))
    tiny_run.write(SHEET)
    return tiny_run.folder


@pytest.fixture
def bcl2fastq(tmp_path):
    def make(**knobs) -> Bcl2fastqConverter:
        path = tmp_path / "bcl2fastq"
        words = shlex.join([sys.executable, str(FAKE)])
        path.write_text(
            f"#!/bin/sh\nexport FAKE_BCL2FASTQ={shlex.quote(json.dumps(knobs))}\n"
            f'exec {words} "$@"\n'
        )
        path.chmod(0o755)
        found = find("bcl2fastq", ToolSettings(version="2.20.0.422", program=str(path)))
        assert isinstance(found, Bcl2fastqConverter)
        return found

    return make


@pytest.fixture
def request_of(tmp_path, run):
    count = 0

    def make(sheet: str = "", **given) -> ConversionRequest:
        nonlocal count
        count += 1
        (tmp_path / f"out-{count}").mkdir()
        path = run / "SampleSheet.csv"
        path.write_text(sheet or path.read_text())
        return ConversionRequest(run, path, tmp_path / f"out-{count}", **given)

    return make


def silent(done: int, total: int) -> None:
    pass


def records(out: Path) -> dict[str, list[str]]:
    """Of each FASTQ, its records in an order that does not depend on how it was made."""
    found = {}
    for path in sorted(out.rglob("*.fastq.gz")):
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        rows = ["\n".join(lines[n : n + 4]) for n in range(0, len(lines), 4)]
        found[path.relative_to(out).as_posix()] = sorted(rows)
    return found


def counted(result: ConversionResult) -> dict[tuple[int, str], int]:
    return {(one.lane, one.sample_id): one.reads for one in result.samples}


def test_it_gives_what_builtin_gives_of_each_sample(bcl2fastq, request_of):
    asked, same = request_of(), request_of()
    progress: list[tuple[int, int]] = []
    result = bcl2fastq().convert(asked, lambda *told: progress.append(told))
    expected = find("builtin").convert(same, silent)
    found, wanted = records(asked.out_dir), records(same.out_dir)
    missing = {f"Undetermined_S0_L001_R{read}_001.fastq.gz" for read in (1, 2)}
    assert wanted.keys() - found.keys() == missing
    assert found == {path: rows for path, rows in wanted.items() if path not in missing}
    assert found["P2/set/other_S2_L001_R1_001.fastq.gz"] != []
    assert counted(result) == counted(expected)
    assert counted(result)[1, "set"] == 3 and counted(result)[1, "Undetermined"] == 3
    assert (result.clusters, result.clusters_pf) == (13, 12)
    files = {file.path: file for file in result.files}
    assert {path: file.reads for path, file in files.items()} == {
        path: len(rows) for path, rows in found.items()
    }
    assert progress == [(0, 8), (2, 8), (6, 8), (8, 8), (8, 8)]
    statistics, theirs = (
        json.loads((one.out_dir / "Stats" / "Stats.json").read_text()) for one in (asked, same)
    )
    assert statistics == theirs
    assert statistics["UnknownBarcodes"][0] == {
        "Lane": 1,
        "Barcodes": {"CTCTCT+CTCTCT": 2, "CCCCTT+GGGGGG": 1},
    }
    announced = bcl2fastq().announce(same)
    assert set(files) == set(announced.files) and announced.warnings == result.warnings
    assert ("Undetermined", 1) in announced.samples
    assert "part 1 of 3 (lanes 1; mask y5,i6,i6,y5) is a conversion of its own" in result.warnings
    assert result.warnings[-1].startswith("lanes 1: converted in several parts; reads of no sample")
    kept = {path.relative_to(asked.out_dir).as_posix() for path in asked.out_dir.rglob("*")}
    assert {path for path in kept if path.startswith(f"{FOLDER}/2/")} == {
        *(f"{FOLDER}/2/SampleSheet.csv", f"{FOLDER}/2/bcl2fastq.log"),
    }
    assert {"Stats", "Stats/Stats.json"} == {path for path in kept if path.startswith("Stats")}


def test_each_part_reads_its_lanes_by_its_mask(bcl2fastq, request_of):
    parts = bcl2fastq().prepare(request_of()).parts
    asked = [(part.request.options.use_bases_mask, part.request.options.tiles) for part in parts]
    assert asked == [
        (("y5,i6,i6,y5",), ("s_1",)),
        (("y5,i4n2,n6,y5",), ("s_1", "s_2")),
        (("y5,i4n2,i4n2,y5",), ("s_1",)),
    ]
    assert parts[1].owners == {"set": "set", "set_2": "set", "more": "more"}
    assert "2,set,TTAA,P2\n" in parts[1].sheet and "1,set_2,GGTT,P2\n" in parts[1].sheet


def test_one_length_is_one_conversion(bcl2fastq, request_of):
    sheet = "[Data]\nLane,Sample_ID,index,index2\n1,a,ACGTA,GGGGG\n2,b,TTAAA,CCCCC\n"
    assert bcl2fastq().prepare(request_of(sheet)).parts == ()


def test_lanes_that_differ_keep_what_is_undetermined(bcl2fastq, request_of):
    sheet = "[Data]\nLane,Sample_ID,index,index2\n1,a,ACGTAC,GGGGGG\n2,b,TTAA,\n"
    asked, same = request_of(sheet), request_of()
    result = bcl2fastq().convert(asked, silent)
    find("builtin").convert(same, silent)
    assert set(records(asked.out_dir)) == set(records(same.out_dir))
    assert counted(result)[1, "Undetermined"] == 7 and counted(result)[2, "Undetermined"] == 2
    assert not any("are not kept" in warning for warning in result.warnings)


def test_lanes_in_one_file_and_chosen_tiles(bcl2fastq, request_of):
    options = Options(no_lane_splitting=True, tiles=("s_1_1101", "s_2"))
    asked = request_of(options=options)
    same = request_of(options=options)
    first = bcl2fastq().prepare(asked).parts[0]
    assert first.request.options.tiles == ("s_1_1101",)
    result = bcl2fastq().convert(asked, silent)
    expected = find("builtin").convert(same, silent)
    found, wanted = records(asked.out_dir), records(same.out_dir)
    assert found == {path: rows for path, rows in wanted.items() if "Undetermined" not in path}
    assert counted(result) == counted(expected)


def test_indexes_that_collide_across_parts_are_refused_beforehand(bcl2fastq, request_of):
    sheet = SHEET.replace("CCCC,AACC", "ACGA,GGGC")  # as near to ACGTAC+GGGGGG as two mismatches
    for do in (bcl2fastq().announce, bcl2fastq(exit=1).prepare):
        with pytest.raises(ConversionError, match="too near to the index of line 4") as refused:
            do(request_of(sheet))
        assert refused.value.code == "sheet.index_collision"


@pytest.mark.parametrize(
    ("knobs", "code", "message"),
    [
        ({"exit": 1}, "convert.tool_failed", "bcl2fastq ended with 1: ERROR: barcode collision"),
        ({"remove": "P2/set_2_S2_L001_R2_001.fastq.gz"}, "convert.reconcile", "did not write P2/"),
    ],
)
def test_a_part_that_fails_is_named(bcl2fastq, request_of, knobs, code, message):
    converter = bcl2fastq(only="y5,i4n2,n6,y5", **knobs)
    with pytest.raises(ConversionError) as failed:
        converter.convert(request_of(), silent)
    assert failed.value.code == code and message in str(failed.value)
    assert str(failed.value).startswith("part 2 of 3 (lanes 1, 2; mask y5,i4n2,n6,y5): ")


COUNT = ["ConversionResults", 0]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([[*COUNT, "TotalClustersRaw"], 11], "TotalClustersRaw is 10 in part 1 and 11 in part 2"),
        ([[*COUNT, "DemuxResults", 0, "ReadMetrics", 0, "YieldQ30"], 500], "more than one part"),
    ],
)
def test_parts_that_contradict_each_other_are_not_joined(bcl2fastq, request_of, counts, message):
    converter = bcl2fastq(only="y5,i4n2,n6,y5", counts=counts)
    with pytest.raises(ConversionError, match=message) as failed:
        converter.convert(request_of(), silent)
    assert failed.value.code == "convert.stats"


def test_masks_with_names_are_given_in_the_order_of_the_run(bcl2fastq, request_of):
    named = SHEET.replace(NO_I5, "R1:Y5;R2:Y5;I2:N6;I1:I4N2")
    masks = [
        [part.request.options.use_bases_mask for part in bcl2fastq().prepare(request_of(one)).parts]
        for one in (SHEET, named)
    ]
    assert masks[0] == masks[1] and ("y5,i4n2,n6,y5",) in masks[0]


def test_a_link_is_not_joined(bcl2fastq, request_of):
    converter = bcl2fastq(only="y5,i4n2,n6,y5", link="P2/set_2_S2_L001_R1_001.fastq.gz")
    with pytest.raises(ConversionError, match="is no regular file"):
        converter.convert(request_of(), silent)


def test_where_no_part_sees_all_indexes_the_unknown_ones_are_not_told(bcl2fastq, request_of):
    sheet = (
        "[Data]\nLane,Sample_ID,index,index2,OverrideCycles\n"
        "1,a,ACGTAC,,Y5;I6;N6;Y5\n1,b,CCCC,AACC,\n1,c,GTGG,TTTT,\n"
    )
    asked = request_of(sheet)
    result = bcl2fastq().convert(asked, silent)
    document = json.loads((asked.out_dir / result.stats_path).read_text())
    assert document["UnknownBarcodes"] == []
    assert counted(result)[1, "c"] == 0
    with pytest.raises(ConversionError, match="indexes of no sample were seen there is not known"):
        refuse_empty_samples(asked.out_dir, result, asked.sheet)


def test_a_marked_i5_of_several_lengths_is_refused(bcl2fastq, tiny_run, request_of):
    asked = request_of("[Data]\nSample_ID,index,index2\na,ACGTAC,GGGGGG\nb,TTAACC,TTTT\n")
    assert len(bcl2fastq().prepare(asked).parts) == 2
    tiny_run.reverse_complement = (3,)
    tiny_run.write(asked.sheet.read_text())
    with pytest.raises(ConversionError, match="which bcl2fastq does not know") as refused:
        bcl2fastq().prepare(asked)
    assert refused.value.code == "convert.index_lengths"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("[Data]", "AdapterStringency,0.5\n[Data]"), "convert.setting"),
        (("[Data]", "Index2ColumnReverseComplement,Y\n[Data]"), "convert.setting"),
        (("[Data]", "OverrideReads,Y5;I6;I6;Y5\n[Data]"), "convert.setting"),
        (("[Data]", "CreateFastqForIndexReads,1\n[Data]"), "convert.index_lengths"),
        ((NO_I5, "U2Y3;I4N2;N6;Y5"), "convert.bases_mask"),
    ],
)
def test_what_parts_cannot_say_is_refused(bcl2fastq, request_of, change, code):
    with pytest.raises(ConversionError) as refused:
        bcl2fastq().prepare(request_of(SHEET.replace(*change)))
    assert refused.value.code == code


def test_a_mask_that_is_asked_is_the_only_one(bcl2fastq, request_of):
    sheet = "[Data]\nSample_ID,index,index2\na,ACGTAC,GGGGGG\nb,TTAA,TTTT\n"
    options = Options(use_bases_mask=("y*,i*,i*,y*",))
    with pytest.raises(ConversionError) as refused:
        bcl2fastq().prepare(request_of(sheet, options=options))
    assert refused.value.code == "convert.index_lengths"
