"""The builtin converter on runs of a few clusters, each of which the test knows."""

import csv
import hashlib
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arteriole.bcl2fastq.attempt import reconcile
from arteriole.bcl2fastq.converters import (
    MERGED,
    ConversionError,
    ConversionRequest,
    Options,
    find,
    names,
)
from arteriole.bcl2fastq.converters.builtin import plan

MIXED = "[Data]\nSample_ID,index,index2,OverrideCycles\nA,AAA,CCC,Y4;I3;I3;Y4\n"
R1 = "_S1_L001_R1_001.fastq.gz"
DUAL = "[Data]\nSample_ID,index,index2\nA,AAA,CCC\nB,TTT,GGG\n"


def headers(lines: list[str]) -> list[str]:
    return lines[::4]


def test_names_and_lookup():
    assert "builtin" in names()
    assert "conversion" not in names()
    assert find("builtin").name == "builtin"
    for name in ("other", "conversion", "../x", ""):
        with pytest.raises(ConversionError, match="no converter") as caught:
            find(name)
        assert caught.value.code == "convert.unknown_converter"


def test_a_record_as_bcl2fastq_writes_it(tiny_run, cluster_of, convert):
    cluster = cluster_of("ACGNAAACCCGTTA", x=9999, y=12345)
    tiny_run.clusters = {(1, 1102): [cluster]}
    tiny_run.write(DUAL)
    _, files = convert(tiny_run.folder)
    assert files["A_S1_L001_R1_001.fastq.gz"] == [
        "@M04034:43:AAAAA:1:1102:9999:12345 1:N:0:AAA+CCC",
        "ACGN",
        "+",
        "FFF#",
    ]
    assert files["A_S1_L001_R2_001.fastq.gz"] == [
        "@M04034:43:AAAAA:1:1102:9999:12345 2:N:0:AAA+CCC",
        "GTTA",
        "+",
        "FFFF",
    ]
    assert files["B_S2_L001_R1_001.fastq.gz"] == []
    assert files["Undetermined_S0_L001_R2_001.fastq.gz"] == []


@pytest.mark.parametrize(
    ("observed", "mismatches", "sample"),
    [
        ("AAACCC", (1, 1), "A"),
        ("AATCCC", (1, 1), "A"),
        ("AATCCG", (1, 1), "A"),
        ("AANCCN", (1, 1), "A"),
        ("ATTCCC", (1, 1), "Undetermined"),
        ("AAACGG", (1, 1), "Undetermined"),
        ("AATCCC", (0, 1), "Undetermined"),
        ("AAACCG", (0, 1), "A"),
        ("AAACCG", (1, 0), "Undetermined"),
        ("AAACCC", (0, 0), "A"),
        ("AAAGGG", (1, 1), "Undetermined"),
        ("NNNNNN", (1, 1), "Undetermined"),
    ],
)
def test_mismatches_are_allowed_per_index(
    tiny_run, cluster_of, convert, observed, mismatches, sample
):
    tiny_run.clusters = {(1, 1101): [cluster_of("ACGT" + observed + "ACGT")]}
    tiny_run.write(DUAL)
    result, files = convert(tiny_run.folder, barcode_mismatches=mismatches)
    assert [s.sample_id for s in result.samples if s.reads] == [sample]
    lines = next(lines for name, lines in files.items() if f"{sample}_S" in name and lines)
    assert lines[0].endswith(f" 1:N:0:{observed[:3]}+{observed[3:]}")


def test_clusters_keep_their_order_over_the_tiles(tiny_run, cluster_of, convert):
    indexes = ("AAACCC", "TTTGGG", "AAACCC", "TTTGGG", "AAACCC")
    tiny_run.clusters = {
        (1, tile): [
            cluster_of("ACGT" + index + "ACGT", x=5000 - 10 * place)
            for place, index in enumerate(indexes)
        ]
        for tile in (1101, 1102)
    }
    tiny_run.write(DUAL)
    _, files = convert(tiny_run.folder)
    lines = headers(files["A_S1_L001_R1_001.fastq.gz"])
    found = [header.split(" ")[0].split(":")[4:6] for header in lines]
    xs = ["5000", "4980", "4960"]
    assert found == [["1101", x] for x in xs] + [["1102", x] for x in xs]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ("A,,", "A_S1_L001_R1_001.fastq.gz"),
        ("A,A,", "A_S1_L001_R1_001.fastq.gz"),
        ("A,name,", "A/name_S1_L001_R1_001.fastq.gz"),
        ("A,,p", "p/A_S1_L001_R1_001.fastq.gz"),
        ("A,name,p", "p/A/name_S1_L001_R1_001.fastq.gz"),
        ("A_1,A_1,p-2", "p-2/A_1_S1_L001_R1_001.fastq.gz"),
    ],
)
def test_where_files_lie(tiny_run, convert, row, path):
    tiny_run.write(f"[Data]\nSample_ID,Sample_Name,Sample_Project\n{row}\n")
    result, files = convert(tiny_run.folder)
    assert path in files
    assert result.samples[0].sample_id == row.split(",")[0]


def test_a_sample_keeps_its_number_on_every_lane(tiny_run, convert):
    tiny_run.lanes = 2
    tiny_run.write("[Data]\nLane,Sample_ID,index\n1,A,AAA\n1,B,TTT\n2,C,AAA\n2,A,TTT\n")
    _, files = convert(tiny_run.folder)
    assert [name for name in files if "R1" in name] == [
        "A_S1_L001_R1_001.fastq.gz",
        "A_S1_L002_R1_001.fastq.gz",
        "B_S2_L001_R1_001.fastq.gz",
        "C_S3_L002_R1_001.fastq.gz",
        "Undetermined_S0_L001_R1_001.fastq.gz",
        "Undetermined_S0_L002_R1_001.fastq.gz",
    ]


@pytest.mark.parametrize(
    ("reads", "sheet", "bases", "sample", "index"),
    [
        # The sheet's index is shorter than the index read: its cycles alone count.
        ((4, 3, 3), "Sample_ID,index,index2\nA,AA,CC", "ACGTAATCCT", "A", "AA+CC"),
        ((4, 3, 3), "Sample_ID,index\nA,AAA", "ACGTAAAGGG", "A", "AAA"),
        ((4, 3), "Sample_ID,index\nA,AAA", "ACGTAAC", "A", "AAC"),
        # No index in the sheet: the one sample takes all, the whole index is shown.
        ((4, 3, 3), "Sample_ID\nA", "ACGTTTTGGG", "A", "TTT+GGG"),
        # No index read: the sample's number is shown.
        ((4,), "Sample_ID\nA", "ACGT", "A", "1"),
        # N in a sheet is a letter.
        ((4, 3), "Sample_ID,index\nA,AAN\nB,CCN", "ACGTAAN", "A", "AAN"),
        ((4, 3), "Sample_ID,index\nA,ANN\nB,CCC", "ACGTAAA", "Undetermined", "AAA"),
    ],
)
def test_index_reads(tiny_run, cluster_of, convert, reads, sheet, bases, sample, index):
    mismatches = (0, 0) if "ANN" in sheet else (1, 1)
    tiny_run.reads = tuple((cycles, "Y" if place else "N") for place, cycles in enumerate(reads))
    tiny_run.clusters = {(1, 1101): [cluster_of(bases)]}
    tiny_run.write(f"[Data]\n{sheet}\n")
    result, files = convert(
        tiny_run.folder, barcode_mismatches=mismatches, allow_index_collisions=True
    )
    assert [s.sample_id for s in result.samples if s.reads] == [sample]
    lines = next(lines for lines in files.values() if lines)
    assert lines[0].endswith(f" 1:N:0:{index}")


def test_i5_marked_reverse_complement_is_turned_to_the_sheets_orientation(
    tiny_run, cluster_of, convert
):
    tiny_run.reverse_complement = (3,)
    tiny_run.clusters = {(1, 1101): [cluster_of("ACGT" + "AAA" + "CTG" + "ACGT")]}
    tiny_run.write("[Data]\nSample_ID,index,index2\nA,AAA,CAG\nB,TTT,CTG\n")
    result, files = convert(tiny_run.folder, barcode_mismatches=(0, 0))
    assert [s.sample_id for s in result.samples if s.reads] == ["A"]
    assert files["A_S1_L001_R1_001.fastq.gz"][0].endswith("AAA+CAG")


def test_the_filter(tiny_run, cluster_of, convert):
    tiny_run.clusters = {
        (1, 1101): [cluster_of("ACGTAAACCCACGT", passed=passed) for passed in (True, False)]
    }
    tiny_run.write(DUAL)
    result, files = convert(tiny_run.folder)
    assert (result.clusters, result.clusters_pf, result.samples[0].reads) == (2, 1, 1)
    result, files = convert(tiny_run.folder, include_non_pf=True)
    assert (result.clusters, result.clusters_pf, result.samples[0].reads) == (2, 1, 2)
    flags = [h.split(" ")[1] for h in headers(files["A_S1_L001_R1_001.fastq.gz"])]
    assert flags == ["1:N:0:AAA+CCC", "1:Y:0:AAA+CCC"]


def test_digests_sizes_and_counts_are_those_of_the_files(tiny_run, cluster_of, tmp_path):
    tiny_run.clusters = {(1, 1101): [cluster_of("ACGTAAACCCACGT")] * 3}
    tiny_run.write(DUAL)
    out = tmp_path / "out"
    out.mkdir()
    ticks: list[tuple[int, int]] = []
    request = ConversionRequest(tiny_run.folder, tiny_run.folder / "SampleSheet.csv", out)
    result = find("builtin").convert(request, lambda *tick: ticks.append(tick))
    for file in result.files:
        data = (out / file.path).read_bytes()
        assert (file.size, file.md5) == (len(data), hashlib.md5(data).hexdigest())
        assert file.blake3 == blake3(data).hexdigest()
        assert file.reads == (3 if file.sample_id == "A" else 0)
    assert ticks == [(0, 2), (1, 2), (2, 2)]
    written = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert written == {file.path for file in result.files} | {
        *("Stats/Stats.json", "Stats/DemuxSummaryF1L1.txt", "Reports/Demultiplex_Stats.csv")
    }


def test_stats_json(tiny_run, cluster_of, tmp_path):
    good, one_off, unknown = "ACGTAAACCCACGT", "ACGTAATCCGNCGT", "ACGTGGGTTTACGT"
    tiny_run.clusters = {
        (1, 1101): [cluster_of(good), cluster_of(one_off), cluster_of(good, quality=20)],
        (1, 1102): [cluster_of(unknown), cluster_of(unknown, passed=False)],
    }
    tiny_run.write(DUAL)
    out = tmp_path / "out"
    out.mkdir()
    request = ConversionRequest(tiny_run.folder, tiny_run.folder / "SampleSheet.csv", out)
    find("builtin").convert(request, lambda done, total: None)
    stats = json.loads((out / "Stats" / "Stats.json").read_text())
    assert (stats["Flowcell"], stats["RunNumber"]) == ("AAAAA", 43)
    infos = stats["ReadInfosForLanes"][0]["ReadInfos"]
    assert [(i["Number"], i["NumCycles"], i["IsIndexedRead"]) for i in infos] == [
        (1, 4, False),
        (1, 3, True),
        (2, 3, True),
        (2, 4, False),
    ]
    lane = stats["ConversionResults"][0]
    assert (lane["TotalClustersRaw"], lane["TotalClustersPF"], lane["Yield"]) == (5, 4, 32)
    sample = lane["DemuxResults"][0]
    assert sample["IndexMetrics"] == [
        {"IndexSequence": "AAA+CCC", "MismatchCounts": {"0": 2, "1": 1}}
    ]
    assert (sample["NumberReads"], sample["Yield"]) == (3, 24)
    assert sample["ReadMetrics"] == [
        {
            "ReadNumber": 1,
            "Yield": 12,
            "YieldQ30": 8,
            "QualityScoreSum": 8 * 37 + 4 * 20,
            "TrimmedBases": 0,
        },
        {
            "ReadNumber": 2,
            "Yield": 12,
            "YieldQ30": 7,
            "QualityScoreSum": 7 * 37 + 2 + 4 * 20,
            "TrimmedBases": 0,
        },
    ]
    assert lane["Undetermined"]["NumberReads"] == 1
    assert stats["UnknownBarcodes"] == [{"Lane": 1, "Barcodes": {"GGG+TTT": 1}}]
    summary = (out / "Stats" / "DemuxSummaryF1L1.txt").read_text()
    assert summary.splitlines()[:2] == ["SampleNumber\t0\t1\t2", "SampleName\tNone\tA\tB"]
    assert summary.splitlines()[2:6] == [
        *("L1T1101\t0\t100\t0", "L1T1102\t100\t0\t0", ""),
        "### Most Popular Unknown Index Sequences",
    ]
    assert summary.splitlines()[6:] == ["### Columns: Index_Sequence Hit_Count", "GGG+TTT\t1"]


def test_waived_collisions_give_a_read_to_the_nearest_sample_or_to_none(
    tiny_run, cluster_of, convert
):
    bases = ["AAA", "AAT", "AAC", "CAA"]
    tiny_run.reads = ((2, "N"), (3, "Y"))
    tiny_run.clusters = {(1, 1101): [cluster_of("AC" + index) for index in bases]}
    tiny_run.write("[Data]\nSample_ID,index\nA,AAA\nB,AAT\n")
    with pytest.raises(ConversionError) as caught:
        convert(tiny_run.folder)
    assert caught.value.code == "sheet.index_collision"
    result, _ = convert(tiny_run.folder, allow_index_collisions=True)
    assert [s.reads for s in result.samples] == [2, 1, 1]
    assert any("too near" in warning for warning in result.warnings)


run_shapes = st.fixed_dictionaries(
    {
        "suffix": st.sampled_from([".bcl", ".bcl.gz"]),
        "template": st.lists(st.integers(1, 6), min_size=1, max_size=2),
        "threads": st.integers(1, 3),
        "seed": st.integers(0, 2**32),
        "size": st.integers(0, 40),
    }
)


@settings(
    max_examples=25,
    deadline=None,  # a busy machine is no fault
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(shape=run_shapes)
def test_every_read_of_any_run_comes_out_once(tiny_run, cluster_of, convert, shape):
    rng = random.Random(shape["seed"])
    shutil.rmtree(tiny_run.folder, ignore_errors=True)
    tiny_run.suffix = shape["suffix"]
    first, *rest = shape["template"]
    tiny_run.reads = ((first, "N"), (3, "Y"), (3, "Y"), *((length, "N") for length in rest))
    samples = {"A": ("AAA", "CCC"), "B": ("TTT", "CCC"), "C": ("AAA", "GGG")}
    expected: dict[str, list[str]] = {name: [] for name in (*samples, "Undetermined")}
    tiny_run.clusters = {}
    for tile in (1101, 1102):
        tiny_run.clusters[1, tile] = []
        for _ in range(shape["size"]):
            i7, i5 = ("".join(rng.choices("ACGTN", [9, 3, 3, 9, 1], k=3)) for _ in range(2))
            r1, *r2 = ("".join(rng.choices("ACGTN", k=length)) for length in (first, *rest))
            quality, passed = rng.randrange(2, 42), rng.random() < 0.8
            x, y = rng.randrange(1000, 30000), rng.randrange(1000, 30000)
            cluster = cluster_of(r1 + i7 + i5 + "".join(r2), quality, passed=passed, x=x, y=y)
            tiny_run.clusters[1, tile].append(cluster)
            if passed:
                owner = [
                    name
                    for name, (s7, s5) in samples.items()
                    if sum(map(str.__ne__, i7, s7)) <= 1 and sum(map(str.__ne__, i5, s5)) <= 1
                ]
                letters = "".join("#" if base == "N" else chr(quality + 33) for base in r1)
                expected[owner[0] if owner else "Undetermined"] += [
                    f"@M04034:43:AAAAA:1:{tile}:{x}:{y} 1:N:0:{i7}+{i5}",
                    r1,
                    "+",
                    letters,
                ]
    rows = "".join(f"{name},{i7},{i5}\n" for name, (i7, i5) in samples.items())
    tiny_run.write(f"[Data]\nSample_ID,index,index2\n{rows}")
    _, files = convert(tiny_run.folder, threads=shape["threads"])
    for number, name in enumerate((*samples, "Undetermined"), start=1):
        number = 0 if name == "Undetermined" else number
        assert files[f"{name}_S{number}_L001_R1_001.fastq.gz"] == expected[name]
        if rest:
            second = files[f"{name}_S{number}_L001_R2_001.fastq.gz"]
            assert [h.split(" ")[0] for h in headers(second)] == [
                h.split(" ")[0] for h in headers(expected[name])
            ]
            assert all(len(line) == rest[0] for line in second[1::4])


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_text_with_any_number_of_threads(tiny_run, cluster_of, convert, threads):
    tiny_run.clusters = {(1, 1101): [cluster_of("ACGTAAACCCACGT")] * 3000}
    tiny_run.write(DUAL)
    first, lines = convert(tiny_run.folder)
    again, lines_again = convert(tiny_run.folder, threads=threads)
    assert lines_again == lines
    assert again.samples == first.samples


def test_samples_of_a_lane_with_different_masks_are_refused_by_name(tiny_run, cluster_of, convert):
    """Those of different lanes may differ; a lane without samples is told."""
    tiny_run.lanes = 3
    tiny_run.clusters = {(lane, 1101): [cluster_of("ACGTAAACCCACGT")] for lane in (1, 2, 3)}
    data = "[Data]\nLane,Sample_ID,index,index2,OverrideCycles\n1,A,AAA,CCC,Y4;I3;I3;Y4\n"
    tiny_run.write(data + "2,A,AAA,CCC,Y4;I3;I3;N1Y3\n")
    result, files = convert(tiny_run.folder)
    bases = {lane: files[f"A_S1_L00{lane}_R2_001.fastq.gz"][1] for lane in (1, 2)}
    assert bases == {1: "ACGT", 2: "CGT"}
    assert result.warnings == ("no sample on lane 3: it is not converted",)
    tiny_run.write(data + "1,B,TTT,GGG,Y4;I3;I3;N1Y3\n")
    with pytest.raises(ConversionError, match="lane 1: lines 3 and 4 have different Over") as found:
        convert(tiny_run.folder)
    assert found.value.code == "convert.bases_mask" and found.value.hint
    tiny_run.write("[Data]\nLane,Sample_ID,index,index2\n2,A,AAA,CCC\n")
    result, files = convert(tiny_run.folder, options=Options(use_bases_mask=("2:y*,i*,i*,n1y*",)))
    assert files["A_S1_L002_R2_001.fastq.gz"][1] == "CGT"
    assert [warning for warning in result.warnings if "no sample on lane" in warning] == [
        f"no sample on lane {lane}: it is not converted" for lane in (1, 3)
    ]


def test_masks_that_name_their_reads_are_the_same_masks(tiny_run, cluster_of, convert):
    tiny_run.clusters = {(1, 1101): [cluster_of("ACGTAAACCCACGT")]}
    data = "[Data]\nSample_ID,index,index2,OverrideCycles\nA,AAA,CCC,Y4;I3;I3;Y2N2\n"
    tiny_run.write(data + "B,TTT,GGG,R1:Y4;R2:Y2N2;I2:I3;I1:I3\n")
    _, files = convert(tiny_run.folder)
    assert files["A_S1_L001_R2_001.fastq.gz"][1] == "AC"


def stats_of(run, out: Path, **options) -> dict:
    """Convert, and what Stats.json and Demultiplex_Stats.csv say of lane 1."""
    out.mkdir()
    request = ConversionRequest(run.folder, run.folder / "SampleSheet.csv", out, **options)
    result = find("builtin").convert(request, lambda done, total: None)
    reconcile(out, result)
    with open(out / "Reports" / "Demultiplex_Stats.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        "stats": json.loads((out / result.stats_path).read_text())["ConversionResults"][0],
        "rows": [[row["SampleID"], row["Index"], row["# Reads"]] for row in rows],
        "one": [row["# One Mismatch Index Reads"] for row in rows],
        "files": [(f.sample_id, f.read, f.reads) for f in result.files],
        "samples": [(s.sample_id, s.reads) for s in result.samples],
    }


def test_several_rows_of_a_sample_are_one_sample(tiny_run, cluster_of, convert, tmp_path):
    """As the four indexes of a 10x set; the rows need not stand together."""
    observed = ("TTTGGG", "AAACCC", "CCCAAA", "GGGTTT", "AATCCC", "GTGTGT")
    tiny_run.clusters = {
        (1, 1101): [cluster_of(f"ACGT{index}ACGT", x=1000 + n) for n, index in enumerate(observed)]
    }
    tiny_run.write("[Data]\nSample_ID,index,index2\nA,AAA,CCC\nB,CCC,AAA\nA,TTT,GGG\n")
    _, files = convert(tiny_run.folder)
    found = [(header.split(":")[5], header[-7:]) for header in headers(files[f"A{R1}"])]
    assert found == [("1000", "TTT+GGG"), ("1001", "AAA+CCC"), ("1004", "AAT+CCC")]
    assert [name for name in files if "R1" in name] == [
        f"A{R1}", "B_S2_L001_R1_001.fastq.gz", "Undetermined_S0_L001_R1_001.fastq.gz"
    ]  # fmt: skip
    told = stats_of(tiny_run, tmp_path / "told")
    assert told["samples"] == [("A", 3), ("B", 1), ("Undetermined", 2)]
    assert told["files"] == [(name, n, reads) for name, reads in told["samples"] for n in (1, 2)]
    assert told["rows"] == [
        ["A", "AAA-CCC;TTT-GGG", "3"], ["B", "CCC-AAA", "1"], ["Undetermined", "", "2"]
    ]  # fmt: skip
    assert told["one"] == ["1", "0", "0"]
    assert [result["SampleId"] for result in told["stats"]["DemuxResults"]] == ["A", "B"]
    assert told["stats"]["DemuxResults"][0]["IndexMetrics"] == [
        {"IndexSequence": "AAA+CCC", "MismatchCounts": {"0": 1, "1": 1}},
        {"IndexSequence": "TTT+GGG", "MismatchCounts": {"0": 1, "1": 0}},
    ]


def test_a_read_between_two_rows_of_one_sample_is_its_own(tiny_run, cluster_of, convert):
    tiny_run.reads = ((2, "N"), (3, "Y"))
    tiny_run.clusters = {(1, 1101): [cluster_of("AC" + index) for index in ("AAC", "AAG", "TAA")]}
    tiny_run.write("[Data]\nSample_ID,index\nA,AAA\nA,AAT\nB,TAT\n")
    result, _ = convert(tiny_run.folder, allow_index_collisions=True)
    assert [s.reads for s in result.samples] == [2, 0, 1]


@pytest.mark.parametrize("mask", ["Y4;I2N1;I2N1;Y4", ""])
def test_indexes_of_several_lengths_on_a_lane(tiny_run, cluster_of, convert, tmp_path, mask):
    """Each sample shows its own bases, with a mask or without; what is nobody's shows all."""
    observed = ("AAACCC", "TTGGGA", "TTCGGT", "GGGAAA", "GGGNNN", "AACCCC", "TTGGCC", "GGTAAA")
    tiny_run.clusters = {(1, 1101): [cluster_of(f"ACGT{index}ACGT") for index in observed]}
    tiny_run.write(MIXED + f"B,TT,GG,{mask}\nC,GGG,,Y4;I3;N3;Y4\n")
    _, files = convert(tiny_run.folder, barcode_mismatches=(0, 0))
    shown = {
        name: [header.rpartition(":")[2] for header in headers(lines)]
        for name, lines in files.items()
        if "R2" in name
    }
    assert shown == {
        "A_S1_L001_R2_001.fastq.gz": ["AAA+CCC"],
        "B_S2_L001_R2_001.fastq.gz": ["TT+GG", "TT+GG"],
        "C_S3_L001_R2_001.fastq.gz": ["GGG", "GGG"],
        "Undetermined_S0_L001_R2_001.fastq.gz": ["AAC+CCC", "TTG+GCC", "GGT+AAA"],
    }
    told = stats_of(tiny_run, tmp_path / "told", barcode_mismatches=(0, 0))
    assert told["rows"][1:3] == [["B", "TT-GG", "2"], ["C", "GGG", "2"]]


def test_lengths_are_those_of_the_indexes_where_no_mask_says_any(tiny_run, cluster_of, convert):
    tiny_run.clusters = {(1, 1101): [cluster_of("ACGTAAACCCACGT"), cluster_of("ACGTTTCGGCACGT")]}
    tiny_run.write("[Data]\nSample_ID,index,index2\nA,AAA,CCC\nB,TT,GG\n")
    result, files = convert(tiny_run.folder, barcode_mismatches=(0, 0))
    assert [s.reads for s in result.samples] == [1, 1, 0]
    assert files["B_S2_L001_R1_001.fastq.gz"][0].endswith(":TT+GG")
    assert "line 4, column 2: index has 2 bases, another sample of every lane has 3" in (
        result.warnings
    )
    with pytest.raises(ConversionError, match="line 4: the mask uses 3 cycles of I1") as caught:
        convert(
            tiny_run.folder,
            barcode_mismatches=(0, 0),
            options=Options(use_bases_mask=("y*,i*,i*,y*",)),
        )
    assert caught.value.code == "convert.bases_mask"


@pytest.mark.parametrize(
    ("sheet", "taken", "code"),
    [
        ("[Data]\nSample_ID,index\nA,AAA\nA,TTT\n", "lengths", "convert.several_indexes"),
        (MIXED + "B,TT,GG,Y4;I2N1;I2N1;Y4\n", "several", "convert.index_lengths"),
        (MIXED + "B,TTT,,Y4;I3;N3;Y4\n", "several", "convert.index_lengths"),
    ],
)
def test_other_converters_name_the_one_that_takes_it(tiny_run, tmp_path, sheet, taken, code):
    tiny_run.write(sheet)
    request = ConversionRequest(
        tiny_run.folder, tiny_run.folder / "SampleSheet.csv", tmp_path, barcode_mismatches=(0, 0)
    )
    for takes in ({}, {taken: True}):
        with pytest.raises(ConversionError) as caught:
            plan.make(request, **takes)
        assert caught.value.code == code and "convert with builtin" in caught.value.hint
    assert plan.make(request, several=True, lengths=True).files


class TestRefused:
    """What this converter does not do, or what is broken, is named."""

    @pytest.mark.parametrize(
        ("sheet", "code"),
        [
            ("[Settings]\nAdapter,AGATCGG\n" + DUAL, "convert.adapters"),
            ("[Settings]\nAdapterRead2,AGATCGG\n" + DUAL, "convert.adapters"),
            ("[Settings]\nRead1UMILength,6\n" + DUAL, "convert.setting"),
            ("[Settings]\nOverrideCycles,Y3U1;I3;I3;Y4\n" + DUAL, "convert.bases_mask"),
            ("[Settings]\nOverrideCycles,Y2N1Y1;I3;I3;Y4\n" + DUAL, "convert.bases_mask"),
            ("[Settings]\nOverrideCycles,Y4;I3;Y3;Y4\n" + DUAL, "sheet.override_index"),
            ("[Settings]\nOverrideCycles,Y4;I2N1;I3;Y4\n" + DUAL, "sheet.override_index"),
            (
                "[Settings]\nOverrideCycles,Y4;I3;I3;Y4\n"
                + DUAL.replace("AAA", "AA").replace("TTT", "TT"),
                "sheet.override_index",
            ),
            ("[Settings]\nOverrideCycles,N4;I3;I3;N4\n" + DUAL, "convert.bases_mask"),
            ("[Settings]\nReverseComplement,1\n" + DUAL, "convert.setting"),
            ("[Settings]\nOverrideReads,Y4;I3;I3;Y4\n" + DUAL, "convert.setting"),
            ("[Settings]\nCreateFastqForIndexReads,perhaps\n" + DUAL, "convert.setting"),
            ("[Settings]\nBarcodeMismatchesIndex1,0\n" + DUAL, "convert.setting"),
            ("[BCLConvert_Settings]\nSoftwareVersion,4\n", "sheet.data_missing"),
            ("[Data]\nSample_ID,index\nA,AAA\nB,AAA\n", "sheet.index_duplicate"),
            ("[Data]\nSample_ID,index\nA,AAA\nB,AAT\n", "sheet.index_collision"),
            ("[Data]\nSample_ID\n../A\n", "sheet.name_characters"),
            ("[Data]\nSample_ID,Sample_Project\nA,<% 7 %>\n", "sheet.name_characters"),
            ("", "sheet.empty"),
        ],
    )
    def test_sheets(self, tiny_run, convert, sheet, code):
        tiny_run.write(sheet)
        with pytest.raises(ConversionError) as caught:
            convert(tiny_run.folder)
        assert caught.value.code == code
        assert caught.value.hint or code == "sheet.empty"

    @pytest.mark.parametrize(
        ("row", "code", "message"),
        [
            ("TT,GG,Y4;I2N1;N1I2;Y4", "convert.bases_mask", "line 4: .* begins I2 at another"),
            ("TT,GG,Y4;I2N1;I2N1;Y3N1", "convert.bases_mask", "lines 3 and 4 have different"),
            ("TTT,,Y4;I3;I2N1;Y4", "convert.bases_mask", "uses 2 cycles for index2, .* 0 bases"),
            ("TTT,,Y4;I3;I3;Y4", "sheet.index_missing", "line 4"),
            ("TT,GG,Y3N1;I2N1;I2N1;Y4\nC,GTG,TGT,", "convert.bases_mask", "lines 3 and 4 have"),
            ("TTTT,GG,", "sheet.index_too_long", "line 4"),
            ("TTT,,", "sheet.index_missing", "line 4"),
            ("AAA,,Y4;I3;N3;Y4", "sheet.index_collision", "line 4"),
            ("AA,CC,Y4;I2N1;I2N1;Y4", "sheet.index_collision", "line 4"),
        ],
    )
    def test_indexes_of_several_lengths(self, tiny_run, convert, row, code, message):
        tiny_run.write(f"{MIXED}B,{row}\n")
        with pytest.raises(ConversionError, match=message) as caught:
            convert(tiny_run.folder, barcode_mismatches=(0, 0))
        assert caught.value.code == code and caught.value.hint

    def test_files_of_index_reads_of_several_lengths(self, tiny_run, convert):
        tiny_run.write(MIXED + "B,TTT,,Y4;I3;N3;Y4\n")
        with pytest.raises(ConversionError, match="lane 1 has indexes of several") as caught:
            convert(
                tiny_run.folder,
                barcode_mismatches=(0, 0),
                options=Options(create_fastq_for_index_reads=True),
            )
        assert caught.value.code == "convert.index_lengths"

    @pytest.mark.parametrize(
        "settings_",
        [
            *("Adapter,AGATCGG", "Adapter,", "ReverseComplement,0", "VariantCaller,GATK"),
            *("OverrideCycles,Y4;I3;I3;Y4", "BarcodeMismatchesIndex1,1"),
        ],
    )
    def test_settings_that_change_nothing_are_accepted(self, tiny_run, convert, settings_):
        tiny_run.write(f"[Settings]\n{settings_}\n{DUAL}")
        result, _ = convert(tiny_run.folder, ignore_adapters=True)
        ignored = [warning for warning in result.warnings if "line 2: setting Adapter" in warning]
        assert bool(ignored) is settings_.startswith("Adapter")

    @pytest.mark.parametrize(
        "path",
        [
            "BaseCalls/L001/C3.1/s_1_1102.bcl.gz",
            "BaseCalls/L001/C12.1/s_1_1102.bcl.gz",
            "BaseCalls/L001/s_1_1102.filter",
            "L001/s_1_1102.locs",
        ],
    )
    @pytest.mark.parametrize("damage", ["missing", "empty", "cut", "other count"])
    def test_damaged_files_are_named(self, tiny_run, cluster_of, convert, path, damage):
        tiny_run.clusters = {
            (1, tile): [cluster_of("ACGTAAACCCACGT")] * 20 for tile in (1101, 1102)
        }
        tiny_run.write(DUAL)
        file = tiny_run.folder / "Data" / "Intensities" / path
        if damage == "missing":
            file.unlink()
        elif damage == "empty":
            file.write_bytes(b"")
        elif damage == "cut":
            file.write_bytes(file.read_bytes()[:-2])
        else:
            other = larger_run(tiny_run, cluster_of)
            file.write_bytes((other / "Data" / "Intensities" / path).read_bytes())
        with pytest.raises(ConversionError) as caught:
            convert(tiny_run.folder)
        assert caught.value.code == "convert.run_data"
        assert str(tiny_run.folder) not in str(caught.value)
        if damage != "other count" and not (damage == "missing" and "locs" in path):
            assert f"Data/Intensities/{path}" in str(caught.value)

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            ({"barcode_mismatches": (3, 1)}, "convert.mismatches"),
            ({"barcode_mismatches": (-1, 1)}, "convert.mismatches"),
            ({"threads": 0}, "convert.threads"),
        ],
    )
    def test_requests(self, tiny_run, convert, options, code):
        tiny_run.write(DUAL)
        with pytest.raises(ConversionError) as caught:
            convert(tiny_run.folder, **options)
        assert caught.value.code == code

    @pytest.mark.parametrize("exists", [False, True])
    def test_output_folders(self, tiny_run, tmp_path, exists):
        tiny_run.write(DUAL)
        out = tmp_path / "out"
        if exists:
            out.mkdir()
            (out / "earlier").touch()
        request = ConversionRequest(tiny_run.folder, tiny_run.folder / "SampleSheet.csv", out)
        with pytest.raises(ConversionError) as caught:
            find("builtin").convert(request, lambda done, total: None)
        assert caught.value.code == "convert.output"

    def test_a_run_without_base_calls(self, tiny_run, convert):
        tiny_run.write(DUAL)
        shutil.rmtree(tiny_run.calls)
        with pytest.raises(ConversionError) as caught:
            convert(tiny_run.folder)
        assert caught.value.code == "convert.no_base_calls"

    def test_template_reads_in_another_orientation(self, tiny_run, convert):
        tiny_run.reverse_complement = (1,)
        tiny_run.write(DUAL)
        with pytest.raises(ConversionError) as caught:
            convert(tiny_run.folder)
        assert caught.value.code == "convert.read_orientation"


def larger_run(run, cluster_of) -> Path:
    """The same run with more clusters."""
    other = type(run)(run.folder.with_name("other"), reads=run.reads)
    other.clusters = {(1, tile): [cluster_of("ACGTAAACCCACGT")] * 30 for tile in (1101, 1102)}
    other.write(DUAL)
    return other.folder


def test_reports_that_others_read(tiny_run, cluster_of, tmp_path):
    good, one_off, unknown = "ACGTAAACCCACGT", "ACGTAATCCGNCGT", "ACGTGGGTTTACGT"
    tiny_run.clusters = {
        (1, 1101): [cluster_of(good), cluster_of(one_off), cluster_of(good, quality=20)],
        (1, 1102): [cluster_of(unknown), cluster_of(good), cluster_of(unknown, passed=False)],
    }
    tiny_run.write(DUAL)
    out = tmp_path / "out"
    out.mkdir()
    request = ConversionRequest(tiny_run.folder, tiny_run.folder / "SampleSheet.csv", out)
    find("builtin").convert(request, lambda done, total: None)
    assert (out / "Stats" / "DemuxSummaryF1L1.txt").read_text().splitlines() == [
        "SampleNumber\t0\t1\t2",
        "SampleName\tNone\tA\tB",
        "L1T1101\t0\t100\t0",
        "L1T1102\t50\t50\t0",
        "",
        "### Most Popular Unknown Index Sequences",
        "### Columns: Index_Sequence Hit_Count",
        "GGG+TTT\t1",
    ]
    with open(out / "Reports" / "Demultiplex_Stats.csv", newline="") as file:
        rows = {row["SampleID"]: row for row in csv.DictReader(file)}
    assert rows["A"] == {
        "Lane": "1",
        "SampleID": "A",
        "Index": "AAA-CCC",
        "# Reads": "4",
        "# Perfect Index Reads": "3",
        "# One Mismatch Index Reads": "1",
        "# Two Mismatch Index Reads": "0",
        "% Reads": "0.8000",
        "% Perfect Index Reads": "0.7500",
        "% One Mismatch Index Reads": "0.2500",
        "% Two Mismatch Index Reads": "0.0000",
        "# of >= Q30 Bases (PF)": "23",
        "Mean Quality Score (PF)": f"{(23 * 37 + 8 * 20 + 2) / 32:.2f}",
    }
    assert (rows["B"]["# Reads"], rows["B"]["% Perfect Index Reads"]) == ("0", "0.0000")
    assert (rows["Undetermined"]["# Reads"], rows["Undetermined"]["Index"]) == ("1", "")


def test_files_of_all_lanes_and_of_index_reads(tiny_run, cluster_of, tmp_path):
    tiny_run.lanes = 2
    tiny_run.clusters = {
        (1, 1102): [cluster_of("ACGTAAACCCACGT")],
        (2, 1101): [cluster_of("TTTTAAACCCACGT"), cluster_of("TTTTTTTGGGACGT")],
    }
    tiny_run.write(DUAL)
    out = tmp_path / "out"
    out.mkdir()
    options = Options(no_lane_splitting=True, create_fastq_for_index_reads=True)
    request = ConversionRequest(
        tiny_run.folder, tiny_run.folder / "SampleSheet.csv", out, options=options
    )
    result = find("builtin").convert(request, lambda done, total: None)
    of_a = [f for f in result.files if f.sample_id == "A"]
    assert [(f.path, f.lane, f.read, f.is_index, f.reads) for f in of_a] == [
        ("A_S1_R1_001.fastq.gz", MERGED, 1, False, 2),
        ("A_S1_I1_001.fastq.gz", MERGED, 1, True, 2),
        ("A_S1_I2_001.fastq.gz", MERGED, 2, True, 2),
        ("A_S1_R2_001.fastq.gz", MERGED, 2, False, 2),
    ]
    reconcile(out, result)
    less = tuple(replace(s, reads=0) if s.lane == 2 else s for s in result.samples)
    with pytest.raises(ConversionError, match="has 2 reads, its sample 1"):
        reconcile(out, replace(result, samples=less))
