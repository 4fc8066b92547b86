"""Reads here and there."""

import json
from pathlib import Path
from typing import Any

import pytest

from arteriole.illumina.demultiplexing_stats import DemultiplexingStats, SampleReads
from arteriole.observe.counts import differing, read_stats

RECORD = {
    "samples": [
        {"sample_id": "a", "lane": 1, "reads": 5},
        {"sample_id": "a", "lane": 2, "reads": 6},
        {"sample_id": "Undetermined", "lane": 1, "reads": 1},
    ]
}


@pytest.mark.parametrize(
    ("theirs", "lines"),
    [
        ([(1, "a", "", 5), (2, "a", "", 6)], []),
        ([(1, "a", "", 4)], ["a, lane 1: 5 reads here, 4 there"]),
        ([(1, "", "a", 4)], ["a, lane 1: 5 reads here, 4 there"]),
        ([(3, "a", "", 4), (1, "b", "", 4)], []),
        ([], []),
    ],
)
def test_counts_that_both_have(theirs: list[Any], lines: list[str]) -> None:
    samples = tuple(SampleReads(lane, id_, name, "", reads) for lane, id_, name, reads in theirs)
    assert differing(RECORD, DemultiplexingStats("x", "", "", samples)) == lines


def test_the_statistics_that_can_be_read(tmp_path: Path) -> None:
    bad = tmp_path / "Stats.json"
    bad.write_text("{")
    found, why = read_stats((bad,))
    assert found is None and "not JSON" in why
    good = tmp_path / "more" / "Stats.json"
    good.parent.mkdir()
    good.write_text(json.dumps({"ConversionResults": []}))
    found, where = read_stats((good, bad))
    assert found is not None and where == str(good)
    assert read_stats(()) == (None, "")
