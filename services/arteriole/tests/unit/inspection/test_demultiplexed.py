import json
from pathlib import Path

import pytest

from arteriole.illumina.interop_summary import InteropSummary, LaneMetrics
from arteriole.illumina.run_info import Layout, Read, RunInfo
from arteriole.illumina.sample_sheet import parse
from arteriole.inspection import demultiplexed

INFO = RunInfo(
    "260101_M1_1_AAA",
    1,
    "AAA",
    "M1",
    "260101",
    (Read(1, 50, False), Read(2, 8, True), Read(3, 50, False)),
    Layout(2, 1, 1, 1),
    {1: (1101,), 2: (1101,)},
)
SHEET = parse(
    b"[Data]\nLane,Sample_ID,Sample_Name,index\n"
    b"1,A,first,AAAAAAAA\n1,B,second,CCCCCCCC\n2,A,first,AAAAAAAA\n"
)


def lane(number: int, *samples: tuple[str, str, int], undetermined: int = 10, **others):
    reads = sum(count for _, _, count in samples) + undetermined
    results = [
        {
            "SampleId": name,
            "SampleName": {"A": "first", "B": "second"}.get(name, name),
            "IndexMetrics": [{"IndexSequence": index}],
            "NumberReads": count,
        }
        for name, index, count in samples
    ]
    return {
        "LaneNumber": number,
        "TotalClustersRaw": 2 * reads,
        "TotalClustersPF": reads,
        "DemuxResults": results,
        "Undetermined": {"NumberReads": undetermined},
        **others,
    }


A, B = ("A", "AAAAAAAA", 1000), ("B", "CCCCCCCC", 500)
INTEROP = InteropSummary(
    0.1,
    90.0,
    (LaneMetrics(1, 3020, 1510, 50.0, 90.0, 0.05), LaneMetrics(2, 2020, 1010, 50.0, 90.0, 0.05)),
)


def examined(folder: Path, lanes, sheet=SHEET, **others):
    path = folder / "Stats.json"
    stats = {"RunId": INFO.run_id, "Flowcell": "AAA", "ConversionResults": lanes} | others
    path.write_text(json.dumps(stats))
    return demultiplexed.examine(path, sheet, INFO, INTEROP)


def test_what_agrees(tmp_path):
    found = examined(tmp_path, [lane(1, A, B), lane(2, A)])
    assert (found.samples, found.reads, found.undetermined) == (2, 2500, 20)
    assert found.differences == ()


@pytest.mark.parametrize(
    ("index", "agrees"),
    [("TTTTTTTT", True), ("AAAAAAAA", True), ("AAAAAAAA;TTTTTTTT", True), ("GGGGGGGG", False)],
)
def test_a_sample_of_several_rows(tmp_path, index, agrees):
    sheet = parse(b"[Data]\nLane,Sample_ID,index\n1,A,TTTTTTTT\n1,A,AAAAAAAA\n2,A,AAAAAAAA\n")
    lanes = [lane(1, ("A", index, 1500)), lane(2, A)]
    found = examined(tmp_path, lanes, sheet).differences
    told = f"lane 1: sample A has index TTTTTTTT and AAAAAAAA in the sheet, {index} in it"
    assert found == (() if agrees else (told,))


@pytest.mark.parametrize(
    ("lanes", "others", "difference"),
    [
        ([lane(1, A, B), lane(2, A)], {"RunId": "other"}, "it is of run other"),
        ([lane(1, A, B), lane(2, A)], {"RunId": "", "Flowcell": "BBB"}, "it is of flow cell BBB"),
        (
            [lane(1, A, undetermined=510), lane(2, A)],
            {},
            "lane 1: sample B of the sheet is not in it",
        ),
        (
            [lane(1, A, B), lane(2, A, ("C", "GGGGGGGG", 5), undetermined=5)],
            {},
            "lane 2: sample C is not in the sheet",
        ),
        (
            [lane(1, ("A", *B[1:]), ("B", *A[1:])), lane(2, A)],
            {},
            "lane 1: sample A has index AAAAAAAA in the sheet, CCCCCCCC in it",
        ),
        (
            [lane(1, A, B, TotalClustersPF=1600), lane(2, A)],
            {},
            "lane 1: samples and undetermined sum to 1,510 reads",
        ),
        (
            [lane(1, A, B), lane(2, A, undetermined=11)],
            {},
            "lane 2: 1,011 clusters passed the filter in it, 1,010 in InterOp",
        ),
    ],
)
def test_each_difference(tmp_path, lanes, others, difference):
    differences = examined(tmp_path, lanes, **others).differences
    assert differences[0].startswith(difference)


def test_without_a_sheet_only_the_run_is_compared(tmp_path):
    assert examined(tmp_path, [lane(1, A, undetermined=510)], sheet=None).differences == ()


def test_a_damaged_file_is_a_difference(tmp_path):
    (tmp_path / "Stats.json").write_text("{")
    found = demultiplexed.examine(tmp_path / "Stats.json", SHEET, INFO, None)
    assert found.software == "" and found.differences[0].startswith("Stats.json: not JSON")


FILES = [
    f"{name}_S{n}_L00{lane_}_R{read}_001.fastq.gz"
    for name, n, lane_ in (("first", 1, 1), ("second", 2, 1), ("first", 1, 2))
    for read in (1, 2)
]


@pytest.mark.parametrize(
    ("files", "missing", "unexpected"),
    [
        (FILES, 0, 0),
        ([*FILES, "Undetermined_S0_L001_R1_001.fastq.gz", "first_S1_L001_I1_001.fastq.gz"], 0, 0),
        (FILES[1:], 1, 0),
        ([*FILES, "third_S3_L001_R1_001.fastq.gz"], 0, 1),
        ([f"{n}_S1_R{r}_001.fastq.gz" for n in ("first", "second") for r in (1, 2)], 0, 0),
        ([f"{n}_S1_R{r}_001.fastq.gz" for n in ("A", "B") for r in (1, 2)], 0, 0),
        ([f"{n}_S1_R{r}_001.fastq.gz" for n in ("A", "C") for r in (1, 2)], 2, 2),
    ],
)
def test_fastq_files_against_the_sheet(tmp_path, files, missing, unexpected):
    for file in files:
        (tmp_path / "project" / file).parent.mkdir(exist_ok=True)
        (tmp_path / "project" / file).touch()
    found = demultiplexed.fastq_files((tmp_path,), SHEET, INFO)
    assert (len(found.missing), len(found.unexpected)) == (missing, unexpected)
    assert (found.expected, found.present) == (6, sum("_R" in file for file in files))


def test_no_fastq_file_at_all(tmp_path):
    assert demultiplexed.fastq_files((tmp_path,), SHEET, INFO) is None
