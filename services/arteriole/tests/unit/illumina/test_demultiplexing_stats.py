import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.illumina import demultiplexing_stats
from arteriole.illumina.demultiplexing_stats import (
    DemultiplexingStatsError,
    LaneReads,
    SampleReads,
)

STATS = {
    "Flowcell": "AAA",
    "RunId": "260101_M1_1_AAA",
    "ConversionResults": [
        {
            "LaneNumber": 1,
            "TotalClustersRaw": 120,
            "TotalClustersPF": 100,
            "DemuxResults": [
                {
                    "SampleId": "A",
                    "SampleName": "first",
                    "IndexMetrics": [{"IndexSequence": "ACGT+TTTT"}],
                    "NumberReads": 90,
                },
                {"SampleId": "B", "NumberReads": 3},
            ],
            "Undetermined": {"NumberReads": 7},
        }
    ],
}

XML = """<Stats><Flowcell flowcell-id="AAA">
<Project name="default"><Sample name="Undetermined">
 <Barcode name="unknown"><Lane number="1"><BarcodeCount>7</BarcodeCount></Lane></Barcode>
 <Barcode name="all"><Lane number="1"><BarcodeCount>7</BarcodeCount></Lane></Barcode>
</Sample></Project>
<Project name="P"><Sample name="first">
 <Barcode name="ACGT+TTTT"><Lane number="1"><BarcodeCount>90</BarcodeCount></Lane></Barcode>
 <Barcode name="all"><Lane number="1"><BarcodeCount>90</BarcodeCount></Lane></Barcode>
</Sample><Sample name="whole lane">
 <Barcode name="all"><Lane number="2"><BarcodeCount>5</BarcodeCount></Lane></Barcode>
</Sample><Sample name="all">
 <Barcode name="all"><Lane number="1"><BarcodeCount>90</BarcodeCount></Lane></Barcode>
</Sample></Project>
<Project name="all"><Sample name="all"/></Project>
</Flowcell></Stats>"""

CSV = """Lane,SampleID,Index,# Reads,# Perfect Index Reads
1,A,ACGT-TTTT,90,80
1,Undetermined,,7,7
"""


def read(folder: Path, name: str, content: str):
    (folder / name).write_text(content)
    return demultiplexing_stats.read(folder / name)


def test_stats_json(tmp_path):
    stats = read(tmp_path, "Stats.json", json.dumps(STATS))
    assert (stats.run_id, stats.flowcell, stats.reads) == ("260101_M1_1_AAA", "AAA", 93)
    assert stats.samples == (
        SampleReads(1, "A", "first", "ACGT+TTTT", 90),
        SampleReads(1, "B", "", "", 3),
    )
    assert stats.lanes == {1: LaneReads(120, 100, 7)}


def test_demultiplexing_stats_xml(tmp_path):
    stats = read(tmp_path, "DemultiplexingStats.xml", XML)
    assert stats.samples == (
        SampleReads(1, "", "first", "ACGT+TTTT", 90),
        SampleReads(2, "", "whole lane", "", 5),
    )
    assert stats.lanes == {1: LaneReads(undetermined=7)}


def test_demultiplex_stats_csv(tmp_path):
    stats = read(tmp_path, "Demultiplex_Stats.csv", CSV)
    assert stats.samples == (SampleReads(1, "A", "", "ACGT+TTTT", 90),)
    assert stats.lanes == {1: LaneReads(undetermined=7)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Stats.json", ""),
        ("Stats.json", "[]"),
        ("Stats.json", "[" * 100_000),
        ("Stats.json", '{"ConversionResults": {}}'),
        ("Stats.json", '{"ConversionResults": [{"LaneNumber": "1"}]}'),
        ("Stats.json", json.dumps(STATS).replace("90", "-90")),
        ("Stats.json", json.dumps(STATS).replace("90", "9e999")),
        ("Stats.json", json.dumps(STATS).replace('"A"', "7")),
        ("DemultiplexingStats.xml", "<Stats"),
        ("DemultiplexingStats.xml", "<Other/>"),
        ("DemultiplexingStats.xml", XML.replace(">90<", ">many<")),
        ("Demultiplex_Stats.csv", CSV.replace(",90,", ",,")),
        ("Demultiplex_Stats.csv", CSV.replace("Lane", "Other")),
        ("Demultiplex_Stats.csv", '1,"\n'),
    ],
)
def test_what_is_not_as_expected_is_refused(tmp_path, name, content):
    with pytest.raises(DemultiplexingStatsError, match=name.replace(".", r"\.")):
        assert read(tmp_path, name, content).samples


@pytest.mark.parametrize("name", ["Stats.json", "Demultiplex_Stats.csv"])
def test_too_large_or_missing(tmp_path, name, monkeypatch):
    with pytest.raises(DemultiplexingStatsError, match="cannot be read"):
        demultiplexing_stats.read(tmp_path / name)
    monkeypatch.setattr(demultiplexing_stats, "SIZE_LIMIT", 10)
    with pytest.raises(DemultiplexingStatsError, match="larger"):
        read(tmp_path, name, " " * 11)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3) | st.floats(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["ConversionResults", "LaneNumber", "DemuxResults", "Flowcell"]),
                inner,
            )
        ),
    )
)
def test_any_json_is_read_or_refused(tmp_path_factory, document):
    path = tmp_path_factory.getbasetemp() / "Stats.json"
    path.write_text(json.dumps(document))
    try:
        demultiplexing_stats.read(path)
    except DemultiplexingStatsError as err:
        assert "Stats.json" in str(err)


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs ARTERIOLE_REAL_DATA")
def test_both_files_of_a_real_run_say_the_same():
    run = Path(os.environ["ARTERIOLE_REAL_DATA"]) / "230825_M04034_0043_000000000-L6NVV"
    folder = run / "Data" / "Intensities" / "BaseCalls" / "Stats"
    one = demultiplexing_stats.read(folder / "Stats.json")
    other = demultiplexing_stats.read(folder / "DemultiplexingStats.xml")
    assert (one.reads, one.lanes[1]) == (17247194, LaneReads(23469886, 20970625, 3723431))
    assert [(s.sample_name, s.index, s.reads) for s in one.samples] == [
        (s.sample_name, s.index, s.reads) for s in other.samples
    ]
    assert other.lanes[1].undetermined == 3723431
