"""What a laboratory is told."""

import pytest

from arteriole.observe.fastq_names import match
from arteriole.observe.others import Content, OtherFile, Others
from arteriole.observe.remarks import on_files, on_times, span

OURS = [
    "a_S1_L001_R1_001.fastq.gz",
    "b_S2_L001_R1_001.fastq.gz",
    "Undetermined_S0_L001_R1_001.fastq.gz",
]
TEN = "2026-01-01T10:00:00.000Z"


def others(*files: tuple[str, Content], written: str = TEN, cut_short: bool = False) -> Others:
    found = tuple(OtherFile(name, written, content) for name, content in files)
    return Others(("/data/r1",), found, (), cut_short)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3605, "1 h"), (7384, "2 h 3 min"),
     (90_000, "1 d 1 h"), (86_460, "1 d")],
)  # fmt: skip
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("complete", "made", "codes", "words"),
    [
        ("2026-01-01T10:30:00.000Z", "2026-01-01T11:00:00.000Z", ["others.early"], "30 min before"),
        ("2026-01-01T09:00:00.000Z", "2026-01-01T09:10:00.000Z", ["others.late"], "50 min after"),
        ("2026-01-01T09:00:00.000Z", "2026-01-01T12:00:00.000Z", [], ""),
        (None, "2026-01-01T12:00:00.000Z", [], ""),
    ],
)
def test_too_early_and_later(complete: str | None, made: str, codes: list[str], words: str) -> None:
    marker = None if complete is None else {"marker": "RTAComplete.txt", "written": complete}
    found = on_times(others((OURS[0], Content.RECORDS)), marker, made)
    assert [remark.code for remark in found] == codes
    assert all(words in remark.text for remark in found)


@pytest.mark.parametrize(
    ("files", "codes"),
    [
        ([(name, Content.RECORDS) for name in OURS], []),
        ([(OURS[0], Content.RECORDS)], ["others.sample_missing"]),
        (
            [(name, Content.RECORDS) for name in (*OURS, "c_S3_L001_R1_001.fastq.gz")],
            ["others.sample_unknown"],
        ),
        ([(name, Content.RECORDS) for name in (*OURS, "a_S1_L001_I1_001.fastq.gz")], []),
        ([(OURS[0], Content.EMPTY), (OURS[1], Content.UNREADABLE)],
         ["others.empty", "others.unreadable"]),
    ],
)  # fmt: skip
def test_samples_and_files(files: list[tuple[str, Content]], codes: list[str]) -> None:
    theirs = others(*files)
    found = on_files(theirs, match(OURS, [name for name, _ in files]), OURS)
    assert [remark.code for remark in found] == codes


def test_a_look_that_was_cut_short_is_told() -> None:
    theirs = others(*((name, Content.RECORDS) for name in OURS), cut_short=True)
    found = on_files(theirs, match(OURS, OURS), OURS)
    assert [remark.code for remark in found] == ["others.cut_short"]
