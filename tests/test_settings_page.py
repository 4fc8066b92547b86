"""docs/settings.md is what the programs say of their settings."""

import re
import subprocess

import pytest

from arteriole.commands.settings_page import page
from demo.machine import ROOT

DOCUMENT = ROOT / "docs" / "settings.md"
ST2SOLO = ROOT / ".venv-st2solo" / "bin" / "st2solo"


@pytest.fixture(scope="module")
def told() -> str:
    """What `make settings` writes."""
    packs = sorted((ROOT / "packs").iterdir())
    done = subprocess.run(
        [ST2SOLO, "settings", *packs], check=True, capture_output=True, text=True, timeout=60
    )
    return "\n".join([*page(), done.stdout])


def test_the_document_is_up_to_date(told):
    same = DOCUMENT.read_text(encoding="utf-8") == told
    assert same, "docs/settings.md is out of date: `make settings` writes it anew"


def test_every_setting_says_what_it_does(told):
    rows = re.findall(r"^\| (`.+)$", told, re.MULTILINE)
    assert len(rows) > 300
    silent = [row for row in rows if row.endswith("|  |")]
    assert silent == [], "a setting has no comment `#:` above it (or no description in its schema)"


def test_the_documents_that_it_names_are_there(told):
    named = set(re.findall(r"\]\(([a-z-]+\.md)\)", told))
    assert named and all((ROOT / "docs" / name).is_file() for name in named)
