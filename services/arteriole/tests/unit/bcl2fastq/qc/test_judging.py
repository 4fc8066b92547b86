"""Each threshold, on either side of its limit."""

from dataclasses import replace

import pytest

from arteriole.bcl2fastq.converters import ConversionError
from arteriole.bcl2fastq.qc.judging import judge, verdict
from arteriole.bcl2fastq.qc.measures import (
    Counted,
    Difference,
    LaneMeasures,
    Measures,
    SampleMeasures,
    measure,
    measure_run,
)
from arteriole.bcl2fastq.qc.settings import Consequence, QcSettings
from arteriole.illumina.demultiplexing_stats import DemultiplexingStats, LaneReads, SampleReads
from arteriole.illumina.interop_summary import InteropSummary, LaneMetrics

LANE = LaneMeasures(1, ("A",), 1000, 5.0, 80.0, 90.0, 900.0, 2.0, 0.5)
SAMPLE = SampleMeasures("S1", "A", {1: 600, 2: 400})
ALL = Measures((SAMPLE,), (LANE,))
HOLD = "hold"


def thresholds(**of):
    return {name: {**limits, "consequence": HOLD} for name, limits in of.items()}


def found(measures, **settings):
    findings = judge(measures, QcSettings.model_validate(settings))
    return [(one.code, one.consequence.value, one.lane, one.sample) for one in findings]


def test_nothing_is_found_in_a_good_run_by_the_defaults():
    assert judge(ALL, QcSettings()) == () and verdict(()) is None


@pytest.mark.parametrize(
    ("name", "limits", "good", "bad"),
    [
        ("undetermined", {"above": 10}, (10, 0), (10.01, 100)),
        ("pass_filter", {"below": 60}, (60, 100), (59.99, 0)),
        ("q30", {"below": 75.5}, (75.5,), (75.4,)),
        ("density", {"below": 400, "above": 1400}, (400, 1400), (399, 1401)),
        ("phix", {"below": 1}, (1,), (0.99, 0)),
        ("error_rate", {"above": 2}, (2,), (2.1,)),
    ],
)
def test_a_lane(name, limits, good, bad):
    for value in (*good, *bad):
        measures = replace(ALL, lanes=(replace(LANE, **{name: float(value)}),))
        expected = [(f"qc.{name}", HOLD, 1, "")] if value in bad else []
        assert found(measures, default=thresholds(**{name: limits})) == expected, value
        assert found(measures, default={name: None}) == []


@pytest.mark.parametrize(
    ("name", "sample", "limits", "good", "bad"),
    [
        ("few_reads", "S1", {"below": 1000}, 1000, 999),
        ("few_reads", "NTC1", {"below": 1000}, 1, None),
        ("control_reads", "PRJ-NTC_1", {"above": 1000}, 1000, 1001),
        ("control_reads", "S1", {"above": 1000}, 1_000_000, None),
    ],
)
def test_a_sample_over_its_lanes(name, sample, limits, good, bad):
    for reads in (good, bad):
        if reads is None:
            continue
        one = SampleMeasures(sample, "A", {1: reads - 1, 2: 1} if reads > 1 else {1: 1})
        expected = [(f"qc.{name}", HOLD, None, sample)] if reads == bad else []
        measures = replace(ALL, samples=(one,))
        assert found(measures, default=thresholds(**{name: limits})) == expected, reads


def test_an_empty_sample_a_lane_and_what_a_person_waived():
    empty = SampleMeasures("S1", "A", {1: 5, 2: 0, 3: 0})
    control = SampleMeasures("NTC", "A", {1: 0})
    measures = replace(ALL, samples=(empty, control))
    settings = {"default": {"empty_sample": "fail"}}
    assert found(measures, **settings) == [
        ("qc.empty_sample", "fail", 2, "S1"),
        ("qc.empty_sample", "fail", 3, "S1"),
    ]
    waived = replace(measures, empty_waived=True)
    assert {one[1] for one in found(waived, **settings)} == {"warn"}


def test_counts_that_differ_fail_by_default():
    measures = replace(ALL, differences=(Difference("S1", 1, "a"), Difference("S1", 1, "b")))
    assert found(measures) == 2 * [("qc.read_counts_differ", "fail", 1, "S1")]


def test_what_a_threshold_needs_and_is_not_known_is_told():
    measures = replace(ALL, lanes=(LaneMeasures(1, ("A",)),))
    assert found(measures) == 3 * [("qc.not_measured", "warn", 1, "")]
    strict = {"not_measured": HOLD, "undetermined": None, "pass_filter": None, "q30": None}
    assert found(measures, default=strict) == []
    assert found(measures, default={**strict, "phix": {"below": 1}}) == [
        ("qc.not_measured", HOLD, 1, "")
    ]
    # of a run that was not converted nobody asks for the share of undetermined reads
    assert found(replace(measures, converted=False, samples=())) == [
        ("qc.not_measured", "warn", 1, "")
    ]


def test_a_project_has_thresholds_of_its_own_and_the_others_of_all():
    default = {"few_reads": {"below": 10}, "q30": {"below": 50}}
    projects = {"B": {"few_reads": {"below": 2000, "consequence": "fail"}, "q30": None}}
    settings = {"default": default, "projects": projects}
    assert found(ALL, **settings) == []
    of_b = replace(
        ALL,
        samples=(replace(SAMPLE, project="B"),),
        lanes=(replace(LANE, projects=("B",), q30=1.0, undetermined=11.0),),
    )
    assert found(of_b, **settings) == [
        ("qc.few_reads", "fail", None, "S1"),
        ("qc.undetermined", "warn", 1, ""),
    ]


def test_of_a_shared_lane_the_gravest_is_told_once():
    shared = replace(ALL, lanes=(replace(LANE, projects=("A", "B"), q30=60.0),))
    projects = {"B": {"q30": {"below": 65, "consequence": HOLD}}}
    (finding,) = judge(shared, QcSettings.model_validate({"projects": projects}))
    assert (finding.consequence, finding.found, finding.limit) == (Consequence.HOLD, 60.0, 65.0)
    assert finding.message == ("lane 1: 60% of its bases have quality 30 or better, fewer than 65%")


RECORD = {
    "samples": [
        {"sample_id": "S1", "lane": 1, "reads": 90},
        {"sample_id": "Undetermined", "lane": 1, "reads": 10},
    ],
    "files": [
        {"path": "S1_R1", "sample_id": "S1", "lane": 1, "reads": 90},
        {"path": "S1_R2", "sample_id": "S1", "lane": 1, "reads": 90},
    ],
}
STATS = DemultiplexingStats(
    "bcl2fastq",
    "",
    "",
    (SampleReads(1, "S1", "", "A", 90, 180, 144),),
    {1: LaneReads(125, 100, 10)},
)
INTEROP = InteropSummary(1.0, 91.0, (LaneMetrics(1, 125, 100, 80.0, 91.0, 1.0, 850_000, 3.5, 0.4),))


def test_what_is_measured_of_an_attempt():
    found = measure(Counted.of(RECORD), STATS, INTEROP, {"S1": "A"})
    assert found.samples == (SampleMeasures("S1", "A", {1: 90}, 80.0),)
    assert found.lanes == (LaneMeasures(1, ("A",), 100, 10.0, 80.0, 91.0, 850.0, 3.5, 0.4),)
    assert found.differences == () and not found.empty_waived


def test_what_is_known_without_the_instruments_measures_or_any_statistics():
    (lane,) = measure(Counted.of(RECORD), STATS, None, {}).lanes
    assert lane == LaneMeasures(1, ("",), 100, 10.0, 80.0, 80.0)
    (lane,) = measure(Counted.of(RECORD), None, None, {}).lanes
    assert lane == LaneMeasures(1, ("",), undetermined=10.0)
    assert measure_run(INTEROP, {1: ("A",), 2: ("B",)}).lanes == (
        LaneMeasures(1, ("A",), 100, None, 80.0, 91.0, 850.0, 3.5, 0.4),
        LaneMeasures(2, ("B",)),
    )


def test_a_lane_with_one_sample_has_nothing_undetermined():
    record = {**RECORD, "samples": RECORD["samples"][:1]}
    (lane,) = measure(Counted.of(record), None, None, {}).lanes
    assert lane.undetermined == 0.0


def test_counts_that_differ():
    files = [RECORD["files"][0], {**RECORD["files"][1], "reads": 89}]
    stats = replace(STATS, lanes={1: LaneReads(125, 100, 11)})
    found = measure(Counted.of({**RECORD, "files": files}), stats, None, {}).differences
    assert [(one.sample_id, one.message) for one in found] == [
        ("S1", "S1_R2 has 89 reads, S1 on lane 1 has 90"),
        ("Undetermined", "Undetermined on lane 1 has 10 reads, the statistics say 11"),
    ]


def test_files_of_all_lanes_and_of_index_reads_are_compared_and_add_no_reads():
    samples = [*RECORD["samples"], {"sample_id": "S1", "lane": 2, "reads": 5}]
    names = {"S1_R1": False, "S1_I1": True}
    files = [
        {"path": path, "sample_id": "S1", "lane": 0, "reads": 95, "index": index}
        for path, index in names.items()
    ]
    found = measure(Counted.of({"samples": samples, "files": files}), None, None, {})
    assert (found.samples, found.differences) == ((SampleMeasures("S1", "", {1: 90, 2: 5}),), ())
    assert [lane.lane for lane in found.lanes] == [1, 2]
    files[1]["reads"] = 90
    (one,) = measure(Counted.of({"samples": samples, "files": files}), None, None, {}).differences
    assert one == Difference("S1", None, "S1_I1 has 90 reads, S1 on all lanes has 95")


@pytest.mark.parametrize("record", [{}, {"samples": 5, "files": []}, {**RECORD, "files": [{}]}])
def test_a_record_that_is_none_is_refused(record):
    with pytest.raises(ConversionError) as error:
        Counted.of(record)
    assert error.value.code == "attempt.record"
