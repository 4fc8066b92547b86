"""docs/instruments.md and docs/index-orientation.md have the tables that the services go by."""

from pathlib import Path

from arteriole.bcl2fastq.converters import ConversionRequest
from arteriole.bcl2fastq.converters.bclconvert import command
from arteriole.illumina.i5_readings import READINGS
from arteriole.illumina.index_orientation import TAKINGS
from arteriole.illumina.instruments import INSTRUMENTS
from demo.machine import ROOT


def test_the_page_has_each_row_of_the_table():
    lines = (ROOT / "docs" / "instruments.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ") and "`" in line][1:]
    assert rows == [
        f"| {known.name} | `{known.pattern.replace('|', chr(92) + '|')}` |"
        f" {known.marker or 'either'} | {known.source or '*unverified*'} |"
        for known in INSTRUMENTS
    ]


def test_the_page_of_index2_has_each_row_of_its_tables():
    lines = (ROOT / "docs" / "index-orientation.md").read_text().splitlines()
    request = ConversionRequest(Path("RUN"), Path("S"), Path("OUT"), threads=8)
    rows = [line for line in lines if line.startswith("| ")]
    heads = ("| converter |", "| instrument |", "| option |")
    assert [row for row in rows if not row.startswith(heads)] == [
        *(
            f"| `{row.converter}` | {' and '.join(map(str, row.versions))} |"
            f" {'yes' if row.marked else 'no'} | {row.convention.value} | {row.source} |"
            for row in TAKINGS
        ),
        *(
            f"| {row.family} | {row.chemistry} | {row.direction.value} |"
            f" {row.source or '*unverified*'} |"
            for row in READINGS
        ),
        *(
            f"| `{one.name}` | `{one.value}` | {one.reason} |"
            for one in command.options(request, True, cpus=8)
        ),
    ]
