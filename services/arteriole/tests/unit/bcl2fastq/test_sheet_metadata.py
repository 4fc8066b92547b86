"""The tables with which sheets are compared."""

import os

import pytest
from click.testing import CliRunner

from arteriole.bcl2fastq.sheet_metadata import read
from arteriole.cli import main
from arteriole.illumina.site_metadata import Expected
from arteriole.metadata.sources import csv_table

TABLE = "sample;project;use;pipeline;Flow Cell;Lane;i7;index2\nA;P1;research;x;ABCDE;2;AC;GT\n"
SHEET = "[Data]\nSample_ID,Sample_Project,index\nA,P1,ACGTACGT\nB,P2,TGCATGCA\n"


def test_a_table_of_the_metadata_service_says_what_a_sheet_should_be(tmp_path):
    (tmp_path / "x.csv").write_text(TABLE)
    found = read(tmp_path)
    assert (found.trouble, found.samples) == (
        "", {"A": (Expected("A", "P1", "ABCDE", 2, "AC", "GT", "x.csv line 2"),)}
    )  # fmt: skip
    assert list(csv_table.read(TABLE.encode(), "x.csv").entries) == ["A"]


def test_of_a_sample_the_newest_table_counts(tmp_path):
    for age, name in ((20, "new"), (30, "old")):
        (tmp_path / f"{name}.csv").write_text(f"sample,project\nA,{name}\n\n")
        os.utime(tmp_path / f"{name}.csv", (1e9 - age, 1e9 - age))
    (tmp_path / ".hidden.csv").write_text("x")
    assert [row.project for row in read(tmp_path).samples["A"]] == ["new"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"name,project\nA,P\n", "x.csv: expected one column sample"),
        (b"sample,sample_id\nA,A\n", "no other column twice"),
        (b"sample,lane\nA,1\nB,one\n", "x.csv line 3: expected the number of a lane"),
        (b"sample,lane\n,1\n", "x.csv line 2: expected the name of a sample"),
        (b'sample\n"A\n', "expected CSV in UTF-8"),
        (b"sample\n\xff\n", "expected CSV in UTF-8"),
    ],
)
def test_what_is_no_table_is_trouble(tmp_path, data, told):
    (tmp_path / "x.csv").write_bytes(data)
    assert told in read(tmp_path).trouble
    assert read(tmp_path).samples == {}


def test_a_folder_or_file_that_is_not_there_is_trouble(tmp_path):
    assert "No such file" in read(tmp_path / "none").trouble
    (tmp_path / "x.csv").symlink_to("/etc/hostname")
    assert "found a link" in read(tmp_path).trouble


def test_the_command_compares_with_the_tables_of_the_site(tmp_path):
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "x.csv").write_text("sample,project\nA,P1\nB,P1\n")
    (tmp_path / "next.csv").write_text(SHEET)
    config = tmp_path / "arteriole.yaml"
    config.write_text(
        f"state_dir: {tmp_path}/state\nbcl2fastq:\n  run_roots: [{tmp_path}]\n"
        f"  fastq_root: {tmp_path}\n  converter: builtin\n"
        f"  sheet_rules: {{metadata_folder: {tmp_path}/known}}\n"
    )
    words = ["--config", str(config), "samplesheet", "check", str(tmp_path / "next.csv")]
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 1 and "next.csv:4:2" in told.output, told.output
    assert "B has Sample_Project P2, the site's metadata P1 (x.csv line 3)" in told.output
    (tmp_path / "known" / "x.csv").write_text("sample,project\nA,P1\nB,P2\n")
    assert CliRunner().invoke(main, words).exit_code == 0
