"""docs/instruments.md is the table that the services go by."""

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
