"""The text files of each kind of instrument."""

import csv
import os
from pathlib import Path

import pytest
from defusedxml import ElementTree

from arteriole.simulator import documents, parameters
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.instruments import Kind
from arteriole.simulator.plan import Sample

TURNED = (Kind.NEXTSEQ2000, Kind.NOVASEQX)
DATES = {
    Kind.NOVASEQ6000: "1/14/2026 10:00:00 AM",
    Kind.NEXTSEQ2000: "2026-01-14T10:00:00Z",
    Kind.NOVASEQX: "2026-01-14T10:00:00Z",
}
LISTED = {Kind.MISEQ: (), Kind.HISEQ2500: (), Kind.NOVASEQ6000: (2101, 2201, 1101, 1201)}


@pytest.mark.parametrize("kind", list(Kind))
def test_run_info(kind):
    plan = default_plan(kind=kind)
    run = ElementTree.fromstring(documents.run_info(plan)).find("Run")
    assert run.attrib == {"Id": plan.run, "Number": str(plan.number)}
    assert run.findtext("Flowcell") == plan.flowcell
    assert run.findtext("Date") == DATES.get(kind, "260114")
    turned = [read.get("IsReverseComplement") for read in run[3]]
    assert turned == (["N", "N", "Y", "N"] if kind in TURNED else [None] * 4)
    reads = [(r.get("Number"), r.get("NumCycles"), r.get("IsIndexedRead")) for r in run[3]]
    assert reads == [("1", "36", "N"), ("2", "8", "Y"), ("3", "8", "Y"), ("4", "36", "N")]
    layout = run.find("FlowcellLayout")
    counts = [int(layout.get(f"{name}Count")) for name in ("Lane", "Surface", "Swath", "Tile")]
    assert counts == [plan.lanes, plan.surfaces, plan.swaths, plan.tiles]
    tiles = [tile.text for tile in layout.iter("Tile")]
    listed = LISTED.get(kind)
    named = [
        f"{lane}_{number}"
        for lane in (1, 2)
        for number in (plan.tile_numbers(lane) if listed is None else listed)
    ]
    assert tiles == named


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        (Kind.HISEQ4000, "Setup/ApplicationName", "HiSeq Control Software"),
        (Kind.HISEQ4000, "Setup/Flowcell", "HiSeq 3000/4000 PE"),
        (Kind.HISEQ4000, "Setup/RTAVersion", "2.7.7"),
        (Kind.HISEQ4000, "Setup/FCPosition", "A"),
        (Kind.HISEQ2500, "Setup/Flowcell", "HiSeq Rapid Flow Cell v2"),
        (Kind.HISEQ2500, "Setup/RunMode", "RapidRun"),
        (Kind.HISEQ2500, "Setup/WorkFlowType", "DUALINDEX"),
        (Kind.MISEQ, "Setup/ApplicationName", "MiSeq Control Software"),
        (Kind.MISEQ, "RTAVersion", "1.18.54"),
        (Kind.MISEQ, "FlowcellRFIDTag/SerialNumber", "000000000-L6NVV"),
        (Kind.NEXTSEQ500, "Setup/ApplicationName", "NextSeq Control Software"),
        (Kind.NEXTSEQ500, "InstrumentID", "NB551452"),
        (Kind.NEXTSEQ500, "RTAVersion", "2.4.11"),
        (Kind.NOVASEQ6000, "RtaVersion", "v3.4.4"),
        (Kind.NOVASEQ6000, "Side", "B"),
        (Kind.NOVASEQ6000, "RfidsInfo/FlowCellSerialBarcode", "HMTFYDRXX"),
        (Kind.NEXTSEQ2000, "InstrumentSerialNumber", "VH00103"),
        (Kind.NEXTSEQ2000, "PlannedCycles/Index2", "8"),
        (Kind.NOVASEQX, "InstrumentType", "NovaSeqXPlus"),
        (Kind.NOVASEQX, "RunId", "20260114_LH00217_0044_A2255J2LT3"),
    ],
)
def test_run_parameters(kind, path, expected):
    root = ElementTree.fromstring(parameters.run_parameters(default_plan(kind=kind)))
    assert root.findtext(path) == expected


def sheet_rows(plan):
    lines = documents.sample_sheet(plan).splitlines()
    assert not any(line.startswith("Adapter") for line in lines)
    data = next(n for n, line in enumerate(lines) if line.startswith("[Data]"))
    return list(csv.DictReader(lines[data + 1 :]))


def test_sheet_without_lanes():
    plan = default_plan()
    rows = sheet_rows(plan)
    assert "Lane" not in rows[0]
    found = [(r["Sample_ID"], r["Sample_Name"], r["index"], r["index2"]) for r in rows]
    assert found == [(s.id, s.name, s.i7, s.i5) for s in plan.samples]


def test_sheet_with_lanes_names_every_lane():
    samples = (
        Sample("a", "x", "p", "ACGTACGT", "", (2,)),
        Sample("b", "y", "q", "TGCATGCA"),
    )
    rows = sheet_rows(default_plan(samples=samples, index_cycles=(8,)))
    found = [(r["Lane"], r["Sample_ID"], r["Sample_Project"], r["index"]) for r in rows]
    assert found == [
        ("2", "a", "p", "ACGTACGT"), ("1", "b", "q", "TGCATGCA"), ("2", "b", "q", "TGCATGCA"),
    ]  # fmt: skip
    assert "index2" not in rows[0]


def paths_of(element, above=""):
    path = f"{above}/{element.tag}"
    yield path
    yield from (f"{path}@{name}" for name in element.attrib)
    for child in element:
        yield from paths_of(child, path)


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs real runs")
@pytest.mark.parametrize(
    ("kind", "real"),
    [
        (Kind.HISEQ4000, "151005_ST-00295_0022_BHH5VTCCXX"),
        (Kind.MISEQ, "230825_M04034_0043_000000000-L6NVV"),
    ],
)
def test_every_element_stands_in_a_real_run_too(kind, real):
    folder = Path(os.environ["ARTERIOLE_REAL_DATA"]) / real
    plan = default_plan(kind=kind)
    parameters_file = plan.instrument.parameters_file
    for name, text in (
        ("RunInfo.xml", documents.run_info(plan)),
        (parameters_file, parameters.run_parameters(plan)),
    ):
        genuine = set(paths_of(ElementTree.parse(folder / name).getroot()))
        assert set(paths_of(ElementTree.fromstring(text))) <= genuine
