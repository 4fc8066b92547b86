"""`arteriole samplesheet check`, with no service anywhere."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from arteriole.cli import main
from arteriole.simulator.defaults import default_plan
from arteriole.simulator.sequencer import write_run

NEAR = b"[Data]\nSample_ID,Sample_Project,index\nA,P,ACGTACGT\nB,P,ACGTACTT\n"
FAR = NEAR.replace(b"ACGTACTT", b"TGCATGCA")


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    plan = default_plan(clusters=10, read_cycles=(4, 4), lanes=1, swaths=1)
    return write_run(plan, tmp_path_factory.mktemp("runs"))


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "next.csv"
    path.write_bytes(NEAR)
    return path


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "arteriole.yaml"
    path.write_text(
        f"state_dir: {tmp_path}/state\n"
        "bcl2fastq:\n"
        f"  run_roots: [{tmp_path}]\n"
        f"  fastq_root: {tmp_path}\n"
        "  converter: builtin\n"
        "  barcode_mismatches: [0, 0]\n"
    )
    return path


def check(*words, config=None):
    before = [] if config is None else ["--config", str(config)]
    return CliRunner().invoke(main, [*before, "samplesheet", "check", *map(str, words)])


def test_index_sets_of_the_site_are_known(sheet, config, tmp_path):
    """The set is made up; its form is 10x's."""
    sheet.write_text("[Data]\nSample_ID,Sample_Project,index\nA,P,SI-XX-A1\n")
    found = check(sheet, config=config)
    assert found.exit_code == 1 and "no file of such sets is configured" in found.output
    kit = tmp_path / "kit.csv"
    kit.write_text("SI-XX-A1,GGTTTACA,CTAAACGC,TCGGCGTG,AACCGTAT\n")
    config.write_text(config.read_text() + f"  index_sets: [{kit}]\n")
    assert check(sheet, config=config).exit_code == 0
    kit.write_text("SI-XX-A1,GGTTTACA\n")
    broken = check(sheet, config=config)
    assert broken.exit_code != 0 and "kit.csv, line 1: expected a name and 4 diff" in broken.output


def test_as_a_person_starts_it(sheet):
    argv = [sys.executable, "-m", "arteriole.cli", "samplesheet", "check", str(sheet)]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=100)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "error[sheet.index_collision]" in ended.stdout and "next.csv:4:3" in ended.stdout
    assert "\u001b" not in ended.stdout


def test_it_ends_with_what_was_found(sheet, run_dir):
    assert check(sheet).exit_code == 1
    assert check(sheet, "--mismatches", "0,0").exit_code == 0
    sheet.write_bytes(FAR)
    assert check(sheet).exit_code == 0
    told = check(run_dir / "SampleSheet.csv", "--run", run_dir)
    assert (told.exit_code, f"checked against {run_dir.name}" in told.output) == (0, True)
    sheet.write_bytes(FAR.replace(b"ACGTACGT", b"ACGTACGTACGTACGT").replace(b"TGCATGCA", b"T" * 16))
    assert check(sheet).exit_code == 0
    told = check(sheet, "--run", run_dir)
    assert (told.exit_code, "error[sheet.index_too_long]" in told.output) == (1, True)


def test_a_warning_is_no_error(sheet):
    sheet.write_bytes(b"[Odd]\n" + FAR)
    told = check(sheet)
    assert (told.exit_code, "warning[sheet.section_ignored]" in told.output) == (0, True)
    assert "next.csv: 1 warning;" in told.output


def test_the_configuration_tells_the_mismatches(sheet, config):
    assert check(sheet, config=config).exit_code == 0
    assert check(sheet, "--mismatches", "1,1", config=config).exit_code == 1


def test_one_document_for_machines(sheet):
    told = check(sheet, "--json")
    document = json.loads(told.output)
    assert told.exit_code == 1
    assert list(document) == [
        *("ok", "code", "message", "hint", "run", "findings", "finding_count"),
    ]
    assert (document["ok"], document["code"], document["run"]) == (
        *(False, "sheet.index_collision"),
        None,
    )
    (finding,) = document["findings"]
    assert (finding["line"], finding["column"], finding["severity"]) == (4, 3, "error")
    assert finding["hint"] == document["hint"] != ""


def test_wrong_use(sheet, tmp_path, config):
    (tmp_path / "pipe").mkdir()
    config.write_text(config.read_text() + "  sheet_rules: {sample_id_pattern: '(a+)+'}\n")
    for words in (
        [tmp_path / "none.csv"],
        [tmp_path],
        [sheet, "--run", tmp_path],
        [sheet, "--mismatches", "3,0"],
        [sheet, "--mismatches", "1"],
        [],
    ):
        told = check(*words)
        assert (told.exit_code, "Error: " in told.output) == (2, True), words
    told = check(sheet, config=config)
    assert told.exit_code == 1
    assert "arteriole.yaml:7: bcl2fastq.sheet_rules.sample_id_pattern" in told.output
    assert "its ways to match would multiply" in told.output
