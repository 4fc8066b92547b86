"""Which files stay here."""

from typing import Any

import pytest
from pydantic import ValidationError

from arteriole.checksum.listing import FoundFile
from arteriole.transfer.excludes import choose
from arteriole.transfer.parts import SentPart
from arteriole.transfer.settings import Destination

NAMES = (
    "RunInfo.xml",
    "Thumbnail_Images/L001/C1.1/s_1_1101_a.jpg",
    "Data/Intensities/L001/s_1_1101.locs",
    "Data/Intensities/BaseCalls/L001/C1.1/s_1_1101.bcl.gz",
    "Config/hh5 2015-10-05 Effective.cfg",
    "Logs/a*b.log",
)


def destination(**settings: Any) -> Destination:
    return Destination.model_validate({"path": "/mnt/in", **settings})


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("Thumbnail_Images/*", [1]),
        ("Thumbnail_Images/L001", []),
        ("Thumbnail_Images", []),
        ("thumbnail_images/*", []),
        ("*.locs", [2]),
        ("Data/*.locs", [2]),
        ("Data/*/L001/*", [2, 3]),
        ("s_1_1101.locs", []),
        ("*/s_1_1101.????", [2]),
        ("RunInfo?xml", [0]),
        ("Logs/a*b.log", [5]),
        ("Config/hh5 *", [4]),
        ("Config/$(id)", []),
        ("*", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_a_pattern_is_of_the_whole_path(pattern: str, fits: list[int]) -> None:
    choice = choose([FoundFile(name, 1, 0) for name in NAMES], [pattern])
    left_out = [NAMES[number] for number in fits]
    assert [found.name for found in choice.left_out] == left_out
    assert [found.name for found in choice.sent] == [n for n in NAMES if n not in left_out]
    assert choice.unused == ([] if fits else [pattern])


def test_a_pattern_is_used_though_another_one_fits_too() -> None:
    files = [FoundFile(name, 1, 0) for name in NAMES]
    choice = choose(files, ["*.jpg", "no", "Thumbnail_Images/*"])
    assert (len(choice.left_out), choice.unused) == (1, ["no"])


def test_each_part_has_its_own() -> None:
    found = destination(excludes={"runfolder": ["Thumbnail_Images/*"]}).excludes
    assert found.of(SentPart.RUNFOLDER) == ["Thumbnail_Images/*"]
    assert found.of(SentPart.FASTQ) == []


def test_a_job_is_given_the_same_settings() -> None:
    kept = destination(excludes={"fastq": ["Undetermined_*"], "runfolder": ["*.jpg"]})
    assert Destination.model_validate(kept.model_dump(mode="json")) == kept


@pytest.mark.parametrize(
    "pattern",
    ["", "/Thumbnail_Images/*", "a/../b", "./a", "a/", "a//b", "[ab]*", "a\\*", "a\nb", "x" * 201],
)
def test_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="of a relative path, such as Thumbnail_Images"):
        destination(excludes={"runfolder": [pattern]})


@pytest.mark.parametrize("excludes", [["*.jpg"], {"data": ["*.jpg"]}, {"fastq": ["a"] * 101}])
def test_what_is_no_list_of_a_part_is_refused(excludes: Any) -> None:
    with pytest.raises(ValidationError):
        destination(excludes=excludes)
