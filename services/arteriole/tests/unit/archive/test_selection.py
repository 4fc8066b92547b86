"""Which files a selection takes."""

import pytest

from arteriole.archive.selection import Selection

NAMES = (
    "runfolder/RunInfo.xml",
    "fastq/P/S1_S1_L001_R1_001.fastq.gz",
    "fastq/P/S1-b_S2_L001_R1_001.fastq.gz",
    "fastq/P/S1/Other_S3_R2_001.fastq.gz",
    "fastq/S1/S9_S4_L001_I1_001.fastq.gz",
    "fastq/P/S1_S1_L001_R1_001.fastq.gz.txt",
    "fastq/P/S1/notes.txt",
)


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), range(7)),
        (Selection(part="runfolder"), [0]),
        (Selection(sample="S1"), [1, 3]),  # a project may be called S1
        (Selection(sample="S1-b"), [2]),
        (Selection(sample=".*"), []),
        (Selection(part="runfolder", sample="S1"), []),
        (Selection(file=NAMES[6]), [6]),
    ],
)
def test_what_it_takes(selection: Selection, taken: list[int]) -> None:
    assert [n for n, name in enumerate(NAMES) if selection.has(name)] == list(taken)


def test_its_folder_names_no_sample() -> None:
    assert Selection().folder == "" and Selection(part="fastq").folder == ".fastq"
    folders = {Selection(sample="S1").folder, Selection(file="S1").folder}
    assert len(folders) == 2 and not any("S1" in folder for folder in folders)
