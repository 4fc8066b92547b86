"""Whether the data are safe: said as the runbook's page of what stopped the run says it."""

import re
from pathlib import Path

import pytest

from arteriole.runfolder.safety import data_safe

RUNBOOK = Path(__file__).parents[5] / "docs" / "runbook"
#: Codes that no stage of a run fails with.
OF_NO_STAGE = re.compile(
    r"archive\.not_archived|clean\..*|drill\..*|inspect\..*|others\..*|storage\.silent"
    r"|run\.(emptied|incomplete|stalled|stuck|superseded|unreachable)|README"
)
CODES = sorted(path.stem for path in RUNBOOK.glob("*.md") if not OF_NO_STAGE.fullmatch(path.stem))


def _first_word(text):
    return re.split(r"\W", text.lower(), maxsplit=1)[0]


def _on_the_page(code):
    text = (RUNBOOK / f"{code}.md").read_text(encoding="utf-8")
    return text.partition("## Is the data safe?\n")[2]


def test_a_stage_that_failed_tells_what_its_page_tells(claimed):
    claimed.begin("convert")
    claimed.end("convert", "failed", code="c", message="m")
    wrong = {}
    for code in CODES:
        claimed.store.execute("UPDATE stage SET code = ? WHERE stage = 'convert'", (code,))
        told = data_safe(claimed.run)
        if _first_word(told) != _first_word(_on_the_page(code)):
            wrong[code] = told
    assert len(CODES) > 250
    assert not wrong


@pytest.mark.parametrize(
    "code", ["run.data", "run.link", "run.run_info", "run.run_parameters", "run.run_status",
             "run.unreadable"],
)  # fmt: skip
def test_a_run_that_cannot_be_read_tells_what_the_page_tells(desk, code):
    desk.arrive()
    desk.judge("unreadable", code=code)
    assert _first_word(data_safe(desk.run)) == _first_word(_on_the_page(code))


def test_what_stopped_it_is_told_of_a_held_run_too(claimed):
    claimed.begin("convert")
    claimed.end("convert", "held", code="checksum.changed", message="m")
    claimed.hold()
    assert data_safe(claimed.run).startswith("no, ")


@pytest.mark.parametrize(
    ("verdict", "evidence", "what"),
    [
        ("unreachable", {"gone": True}, "no longer in its landing folder"),
        ("unreachable", {}, "the run folder cannot be reached"),
        ("emptied", {}, "its base calls are not in the run folder"),
    ],
)
def test_what_is_archived_is_safe_though_it_is_not_in_its_folder(claimed, verdict, evidence, what):
    claimed.do("convert", "checksum", "transfer")
    claimed.judge(verdict, evidence=evidence)
    assert data_safe(claimed.run) == f"unknown: {what}; keep any other copy of it"
    claimed.do("archive")
    assert data_safe(claimed.run) == f"yes: archived and verified; {what}"


def test_a_file_that_was_missed_when_the_folder_went_is_no_damage(claimed):
    claimed.begin("convert")
    claimed.end("convert", "failed", code="convert.run_data", message="m")
    claimed.judge("unreachable", evidence={"gone": True})
    assert data_safe(claimed.run).startswith("unknown: ")
