"""The converter `picard` without Picard: what it asks of it, and what it makes of its files."""

import dataclasses
import gzip
import json
import re
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, find
from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, SamplePlan
from arteriole.bcl2fastq.converters.builtin.stats import LaneStats
from arteriole.bcl2fastq.converters.picard.inputs import LaneInputs
from arteriole.bcl2fastq.converters.picard.outputs import move
from arteriole.bcl2fastq.converters.picard.rule import Rule, rule_of
from arteriole.illumina.run_folder import BclKind, RunFolder
from arteriole.illumina.used_reads import UsedRead

DUAL = "[Data]\nSample_ID,index,index2\nA,AAA,CCC\nB,TTT,GGG\n"
SINGLE = "[Data]\nSample_ID,index\nA,AAA\nB,TTT\n"
NO_INDEX = "[Data]\nSample_ID\nA\n"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs a jar, and a Java that runs `script` in its stead."""

    def install(script: str) -> None:
        java = tmp_path / "jdk" / "bin" / "java"
        java.parent.mkdir(parents=True)
        java.write_text(f"#!/bin/sh\n{script}\n")
        java.chmod(0o755)
        with zipfile.ZipFile(tmp_path / "picard.jar", "w") as jar:
            jar.writestr("META-INF/MANIFEST.MF", "Implementation-Version: 2.27.5\r\n")
        monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
        monkeypatch.setenv("PICARD_JAR", str(tmp_path / "picard.jar"))

    return install


def request(run: Path, out: Path, **options) -> ConversionRequest:
    out.mkdir()
    return ConversionRequest(run, run / "SampleSheet.csv", out, **options)


def inputs_of(tiny_run, tmp_path: Path, sheet: str, lane: int = 0) -> LaneInputs:
    tiny_run.write(sheet)
    plan = plans.make(request(tiny_run.folder, tmp_path / "out"))
    folder = tmp_path / "out" / "work"
    folder.mkdir()
    return LaneInputs(folder, plan.run_info, plan.lanes[lane], Rule(0, 0))


# --- what it is asked ------------------------------------------------------------------------


def lane_of(*indexes: tuple[str, str], takes_all: bool = False) -> LanePlan:
    samples = tuple(
        SamplePlan(f"S{n}", f"S{n}", n, PurePosixPath(), *pair) for n, pair in enumerate(indexes)
    )
    nobody = SamplePlan("Undetermined", "Undetermined", 0, PurePosixPath())
    lengths = tuple(len(index) for index in (indexes or [("", "")])[0] if index)
    outputs = samples if takes_all else (*samples, nobody)
    reads = tuple(UsedRead(n + 1, True, range(1, length + 1)) for n, length in enumerate(lengths))
    reads += (UsedRead(1, False, range(1, 5)),)
    return LanePlan(1, BclKind.BCL, samples, outputs, reads, reads)


@pytest.mark.parametrize(
    ("lane", "mismatches", "rule"),
    [
        (lane_of(("ACG", "TTT")), (0, 0), Rule(0, 0)),
        (lane_of(("ACG", "")), (0, 2), Rule(0, 0)),
        (lane_of(("ACG", "")), (1, 1), Rule(1, 1)),
        (lane_of(("ACG", "")), (2, 0), Rule(2, 2)),
        (lane_of(("", ""), takes_all=True), (1, 1), Rule(0, 0)),
        (lane_of(), (1, 1), Rule(0, 0)),
        (lane_of(("ACG", "TTT")), (1, 1), "two indexes, and 1 and 1 mismatches are asked for"),
        (lane_of(("ACG", "TTT")), (1, 0), "two indexes, and 1 and 0 mismatches are asked for"),
        (lane_of(("ACG", "TTT")), (0, 2), "two indexes, and 0 and 2 mismatches are asked for"),
        (lane_of(("ACN", "")), (0, 0), "the index of sample S0 has an N"),
        (lane_of(("ACG", "TTT"), ("AAA", "CCN")), (0, 0), "the index of sample S1 has an N"),
    ],
)
def test_the_rule_is_that_of_bcl2fastq_or_is_refused(lane, mismatches, rule):
    if isinstance(rule, Rule):
        assert rule_of(lane, mismatches) == rule
        return
    with pytest.raises(ConversionError, match=f"^lane 1.*{rule}") as refused:
        rule_of(lane, mismatches)
    assert refused.value.code == "convert.picard_rule"
    assert "builtin" in refused.value.hint


def table(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()]


def arguments(inputs: LaneInputs, **options) -> dict[str, str]:
    run = RunFolder(Path("/runs/a b"))
    words = inputs.arguments(run, ConversionRequest(run.path, Path("s"), Path("o"), **options))
    assert words[0] == "IlluminaBasecallsToFastq"
    assert all(word.startswith("--") for word in words[1::2])
    return dict(zip((word[2:] for word in words[1::2]), words[2::2], strict=True))


def test_a_lane_with_two_indexes(tiny_run, tmp_path):
    inputs = inputs_of(tiny_run, tmp_path, DUAL)
    inputs.write()
    asked = arguments(dataclasses.replace(inputs, rule=Rule(1, 2)), include_non_pf=True, threads=3)
    expected = {
        "BASECALLS_DIR": "/runs/a b/Data/Intensities/BaseCalls",
        "LANE": "1",
        "READ_STRUCTURE": "4T3B3B4T",
        "RUN_BARCODE": "43",
        "MACHINE_NAME": "M04034",
        "FLOWCELL_BARCODE": "AAAAA",
        "INCLUDE_NON_PF_READS": "true",
        "APPLY_EAMSS_FILTER": "false",
        "SORT": "false",
        "NUM_PROCESSORS": "3",
        "MAX_MISMATCHES": "1",
        "MAX_NO_CALLS": "2",
        "MATCH_BARCODES_INLINE": "true",
    }
    assert expected.items() <= asked.items()
    work = str(inputs.folder)
    assert table(Path(asked["MULTIPLEX_PARAMS"])) == [
        ["OUTPUT_PREFIX", "BARCODE_1", "BARCODE_2"],
        [f"{work}/output-0", "AAA", "CCC"],
        [f"{work}/output-1", "TTT", "GGG"],
        [f"{work}/output-2", "N", "N"],
    ]
    assert table(Path(asked["INPUT_PARAMS_FILE"])) == [
        ["barcode_sequence_1", "barcode_sequence_2", "barcode_name", "library_name"],
        ["AAA", "CCC", "sample-0", "sample-0"],
        ["TTT", "GGG", "sample-1", "sample-1"],
    ]


@pytest.mark.parametrize(
    ("sheet", "structure", "rows"),
    [
        (SINGLE, "4T3B3S4T", [["AAA"], ["TTT"], ["N"]]),
        ("[Data]\nSample_ID,index,index2\nA,AAA,C\nB,TTT,G\n", "4T3B1B2S4T", None),
        (NO_INDEX, "4T3B3B4T", []),
    ],
)
def test_indexes_that_are_short_or_absent(tiny_run, tmp_path, sheet, structure, rows):
    inputs = inputs_of(tiny_run, tmp_path, sheet)
    inputs.write()
    asked = arguments(inputs)
    assert asked["READ_STRUCTURE"] == structure
    assert ("OUTPUT_PREFIX" in asked) == (rows == [])
    assert ("MATCH_BARCODES_INLINE" in asked) == (rows != [])
    if rows:
        assert [row[1:] for row in table(Path(asked["MULTIPLEX_PARAMS"]))[1:]] == rows


def test_an_i5_that_is_read_backwards_is_turned(tiny_run, tmp_path):
    tiny_run.reverse_complement = (3,)
    inputs = inputs_of(tiny_run, tmp_path, "[Data]\nSample_ID,index,index2\nA,AAC,CCG\n")
    assert inputs.barcodes(inputs.lane.samples[0]) == ["AAC", "CGG"]


# --- what is made of its files ---------------------------------------------------------------


def picard_writes(inputs: LaneInputs, place: int, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = inputs.folder / f"output-{place}.{name}.fastq.gz"
        path.write_bytes(gzip.compress(text.encode()))


HEAD = "@M04034:43:AAAAA:1:1101:5:6"
A_READ = {
    "1": f"{HEAD} 1:N:0:AAACCC\nACGN\n+\nFF?#\n",
    "2": f"{HEAD} 2:N:0:AAACCC\nTTTT\n+\nFFFF\n",
    "barcode_1": f"{HEAD} :N:0:AAACCC\nAAA\n+\nFFF\n",
    "barcode_2": f"{HEAD} :N:0:AAACCC\nCCG\n+\nFFF\n",
}


def moved(tiny_run, tmp_path, files, sheet: str = DUAL, place: int = 0):
    inputs = inputs_of(tiny_run, tmp_path, sheet)
    picard_writes(inputs, place, files)
    stats = LaneStats(inputs.lane)
    return move(inputs, place, tmp_path / "out", stats), stats, inputs


def test_a_read_gets_the_header_of_bcl2fastq(tiny_run, tmp_path):
    result, stats, inputs = moved(tiny_run, tmp_path, A_READ)
    texts = [
        gzip.decompress((tmp_path / "out" / file.path).read_bytes()).decode()
        for file in result.files
    ]
    assert texts == [
        f"{HEAD} 1:N:0:AAA+CCG\nACGN\n+\nFF?#\n",
        f"{HEAD} 2:N:0:AAA+CCG\nTTTT\n+\nFFFF\n",
    ]
    assert [(f.path, f.sample_id, f.lane, f.read, f.reads) for f in result.files] == [
        ("A_S1_L001_R1_001.fastq.gz", "A", 1, 1, 1),
        ("A_S1_L001_R2_001.fastq.gz", "A", 1, 2, 1),
    ]
    assert result.observed == {("AAA", "CCG"): 1}
    assert stats.reads.tolist() == [1, 0, 0]
    assert stats.mismatches[0].tolist() == [0, 1, 0]
    assert stats.quality_sum[0].tolist() == [37 + 37 + 30 + 2, 4 * 37]
    assert stats.q30[0].tolist() == [3, 4]
    assert list(inputs.folder.iterdir()) == []


def test_unknown_indexes_are_counted(tiny_run, tmp_path):
    _, stats, _ = moved(tiny_run, tmp_path, A_READ, place=2)
    assert stats.unknown == {"AAA+CCG": 1}


def test_an_output_that_picard_did_not_write_is_empty(tiny_run, tmp_path):
    result, stats, _ = moved(tiny_run, tmp_path, {})
    assert [file.reads for file in result.files] == [0, 0]
    contents = [(tmp_path / "out" / file.path).read_bytes() for file in result.files]
    assert [gzip.decompress(content) for content in contents] == [b"", b""]
    assert not stats.reads.any()


SECOND = A_READ["2"].replace(":5:6 ", ":7:8 ")


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({**A_READ, "2": SECOND}, "at the same place"),
        ({**A_READ, "2": A_READ["2"] + SECOND}, "longer"),
        ({**A_READ, "2": A_READ["2"] + "@cut\n"}, "shorter"),
        ({"1": A_READ["1"]}, "No such file"),
        ({**A_READ, "1": A_READ["1"].replace(" 1:N:0:", " ")}, "not enough values"),
        ({**A_READ, "barcode_1": A_READ["barcode_1"].replace("\nAAA", "\nAÄA")}, "ascii"),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(tiny_run, tmp_path, files, found):
    with pytest.raises(ConversionError, match=found) as refused:
        moved(tiny_run, tmp_path, files)
    assert refused.value.code == "convert.picard_output"
    assert str(refused.value).startswith("lane 1: the files that Picard wrote for A are damaged")


def test_a_file_that_is_cut_off_is_refused(tiny_run, tmp_path):
    inputs = inputs_of(tiny_run, tmp_path, DUAL)
    picard_writes(inputs, 0, A_READ)
    path = inputs.folder / "output-0.2.fastq.gz"
    path.write_bytes(path.read_bytes()[:-6])
    with pytest.raises(ConversionError, match="damaged or do not fit"):
        move(inputs, 0, tmp_path / "out", LaneStats(inputs.lane))


# --- the whole -------------------------------------------------------------------------------


def refusal(run: Path, out: Path, **options) -> ConversionError:
    with pytest.raises(ConversionError) as refused:
        find("picard").convert(request(run, out, **options), lambda done, total: None)
    return refused.value


def test_reads_that_picard_left_out_are_missed(tiny_run, cluster_of, tmp_path, installed):
    installed("exit 0")
    tiny_run.clusters = {(1, 1101): [cluster_of("ACGTAAACCCACGT")]}
    tiny_run.write(DUAL)
    err = refusal(tiny_run.folder, tmp_path / "out", barcode_mismatches=(0, 0))
    assert re.match("lane 1: expected 1 reads, .* found 0 in what Picard wrote", str(err))
    assert err.code == "convert.picard_output"


def test_a_run_without_clusters(tiny_run, tmp_path, installed):
    installed("exit 0")
    tiny_run.write(DUAL)
    told = []
    result = find("picard").convert(
        request(tiny_run.folder, tmp_path / "out", barcode_mismatches=(0, 0)),
        lambda done, total: told.append((done, total)),
    )
    assert (result.converter, result.version) == ("picard", "2.27.5")
    assert [(s.sample_id, s.reads) for s in result.samples] == [
        ("A", 0),
        ("B", 0),
        ("Undetermined", 0),
    ]
    assert told == [(0, 2), (2, 2)]
    assert sorted(p.name for p in (tmp_path / "out").iterdir() if p.is_dir()) == ["Stats"]
    stats = json.loads((tmp_path / "out" / result.stats_path).read_text())
    assert stats["ConversionResults"][0]["TotalClustersRaw"] == 0


def test_a_damaged_filter_file_is_named_before_picard_runs(tiny_run, tmp_path, installed):
    installed("exit 9")
    tiny_run.write(DUAL)
    (tiny_run.calls / "L001" / "s_1_1102.filter").unlink()
    err = refusal(tiny_run.folder, tmp_path / "out", barcode_mismatches=(0, 0))
    assert "BaseCalls/L001/s_1_1102.filter" in str(err)


def test_what_was_asked_is_judged_before_picard_runs(tiny_run, tmp_path, installed):
    installed("exit 9")
    tiny_run.write(DUAL)
    assert refusal(tiny_run.folder, tmp_path / "out").code == "convert.picard_rule"
    assert refusal(tiny_run.folder, tmp_path / "2", barcode_mismatches=(3, 0)).code == (
        "convert.mismatches"
    )


def test_what_picard_cannot_ignore_is_refused(tiny_run, tmp_path, installed):
    installed("exit 9")
    tiny_run.write(DUAL)
    for number, sort in enumerate(("missing-bcls", "missing-filter", "missing-positions", "x")):
        err = refusal(tiny_run.folder, tmp_path / f"{number}", ignore=frozenset({sort}))
        assert (str(err), err.code) == (f"Picard cannot ignore {sort}", "convert.ignore")
    allowed = refusal(tiny_run.folder, tmp_path / "out", ignore=frozenset({"empty-samples"}))
    assert allowed.code == "convert.picard_rule"
