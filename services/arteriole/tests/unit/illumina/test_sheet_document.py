"""docs/samplesheets.md lists the rules as the table has them."""

from pathlib import Path

from arteriole.illumina.sheet_check import RULES

DOCUMENT = Path(__file__).parents[5] / "docs" / "samplesheets.md"
HEAD = "| Code | Severity | Needs | What is wrong | A real failure, or who asks for it |"


def test_the_document_has_each_rule_in_its_order():
    expected = [
        f"| [`{rule.code}`](runbook/{rule.code}.md) | {rule.severity.value} | "
        f"{rule.needs.value if rule.find else 'reader'} | {rule.what} | {rule.failure} |"
        for rule in RULES
    ]
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = lines.index(HEAD)
    assert lines[start + 2 : start + 2 + len(expected)] == expected
    assert not any(line.startswith("|") for line in lines[start + 2 + len(expected) :])
