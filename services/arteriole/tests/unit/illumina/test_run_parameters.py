import os
from pathlib import Path

import pytest

from arteriole.illumina.errors import RunParametersError
from arteriole.illumina.run_parameters import RunParameters


def written(folder: Path, body: str, name: str = "RunParameters.xml") -> Path:
    path = folder / name
    path.write_text(f"<?xml version='1.0'?><RunParameters>{body}</RunParameters>")
    return path


def test_the_chemistry_and_the_version_of_the_reagents(tmp_path):
    body = "<RfidsInfo><SbsConsumableVersion>3</SbsConsumableVersion></RfidsInfo>"
    found = RunParameters.read(written(tmp_path, body))
    assert found is not None and (found.sbs_version, found.chemistry) == ("3", "")
    found = RunParameters.read(written(tmp_path, "<Chemistry>MiniSeq Rapid High</Chemistry>"))
    assert found is not None and found.chemistry == "MiniSeq Rapid High"


@pytest.mark.parametrize(
    ("body", "metadata"),
    [
        (
            "<ReagentKitBarcode>MS1-300V2</ReagentKitBarcode>",
            {"reagent_kit_barcode": "MS1-300V2"},
        ),
        (
            "<RfidsInfo><LibraryTubeSerialBarcode>NV1-LIB</LibraryTubeSerialBarcode></RfidsInfo>",
            {"library_tube_barcode": "NV1-LIB"},
        ),
        (
            "<RFIDsInfo><LibraryTubeSerialBarcode>NV1-LIB</LibraryTubeSerialBarcode></RFIDsInfo>",
            {"library_tube_barcode": "NV1-LIB"},
        ),
        (
            "<ConsumableInfo><ConsumableInfo><SerialNumber>LC1</SerialNumber><Type>SampleTube</Type>"
            "</ConsumableInfo><ConsumableInfo><SerialNumber>X</SerialNumber><Type>Buffer</Type>"
            "</ConsumableInfo></ConsumableInfo>",
            {"library_tube_barcode": "LC1"},
        ),
        (
            "<ReagentKitRfidTag><SerialNumber>NS1-REAGT</SerialNumber></ReagentKitRfidTag>",
            {"reagent_kit_barcode": "NS1-REAGT"},
        ),
        ("<ReagentKitBarcode />", {}),
        ("", {}),
    ],
)
def test_arterias_metadata(tmp_path, body, metadata):
    assert RunParameters.read(written(tmp_path, body)).metadata() == metadata


@pytest.mark.parametrize("name", ["RunParameters.xml", "runParameters.xml"])
def test_found_in_the_run_folder_under_both_names(tmp_path, name):
    body = "<Setup><ScannerID>ST-1</ScannerID><ApplicationName>HCS</ApplicationName></Setup>"
    written(tmp_path, body, name)
    found = RunParameters.read(tmp_path)
    assert (found.instrument, found.application) == ("ST-1", "HCS")


@pytest.mark.parametrize(
    ("body", "side"),
    [
        ("<Side>B</Side>", "B"),
        ("<Setup><FCPosition>A</FCPosition></Setup>", "A"),
        ("<Setup><ScanID>1</ScanID></Setup>", ""),
    ],
)
def test_where_the_flow_cell_lies(tmp_path, body, side):
    assert RunParameters.read(written(tmp_path, body)).side == side


def test_a_run_folder_without_one(tmp_path):
    assert RunParameters.read(tmp_path) is None


def test_another_root_is_refused(tmp_path):
    path = tmp_path / "RunParameters.xml"
    path.write_text("<RunInfo />")
    with pytest.raises(RunParametersError, match="expected <RunParameters> as root"):
        RunParameters.read(path)


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs ARTERIOLE_REAL_DATA")
def test_real_runs():
    root = Path(os.environ["ARTERIOLE_REAL_DATA"])
    miseq = RunParameters.read(root / "230825_M04034_0043_000000000-L6NVV")
    assert miseq.metadata() == {"reagent_kit_barcode": "MS3500199-300V2"}
    assert miseq.application == "MiSeq Control Software"
    hiseq = RunParameters.read(root / "151005_ST-00295_0022_BHH5VTCCXX")
    assert (hiseq.instrument, hiseq.run_id) == ("ST-00295", "151005_ST-00295_0022_BHH5VTCCXX")
    assert (miseq.side, hiseq.side) == ("", "B")
