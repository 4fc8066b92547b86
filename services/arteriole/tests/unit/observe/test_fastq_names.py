"""bcl2fastq's names, and which file of others is which of ours."""

import pytest

from arteriole.observe.fastq_names import FastqName, match, parse, sample_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("P/a_b-c_S12_L003_R2_001.fastq.gz", FastqName("a_b-c", 12, 3, "R2")),
        ("x_S1_S2_L001_I1_001.fastq.gz", FastqName("x_S1", 2, 1, "I1")),
        ("x_S1_R1_001.fastq.gz", FastqName("x", 1, None, "R1")),
        ("x_S1_L001_R1_001.fastq", None),
        ("x_L001_R1_001.fastq.gz", None),
        ("x_S1_L1_R1_001.fastq.gz", FastqName("x_S1_L1", 0, None, "R1")),
        ("", None),
    ],
)
def test_the_parts_of_a_name(path: str, name: FastqName | None) -> None:
    if name is not None and name.number == 0:  # a lane has three digits
        name = None
    assert parse(path) == name


def test_the_sample_of_a_name_that_is_not_bcl2fastqs() -> None:
    assert sample_of("P/x_S1_L001_R1_001.fastq.gz") == "x"
    assert sample_of("P/other.fastq.gz") == "other.fastq.gz"


OURS = ["P/a_S1_L001_R1_001.fastq.gz", "P/a_S1_L002_R1_001.fastq.gz"]


@pytest.mark.parametrize(
    ("theirs", "rules", "missing", "surplus"),
    [
        (OURS, {"path": 2}, [], []),
        ([f"Q/x/{path[2:]}" for path in OURS], {"name": 2}, [], []),
        (OURS[:1], {"path": 1}, OURS[1:], []),
        ([*OURS, "P/b_S2_L001_R1_001.fastq.gz"], {"path": 2}, [], ["P/b_S2_L001_R1_001.fastq.gz"]),
        ([path.replace("_S1_", "_S7_") for path in OURS], {"another sample number": 2}, [], []),
        (["a_S1_R1_001.fastq.gz"], {"lanes merged": 2}, [], []),
        (["a_S9_R1_001.fastq.gz"], {"lanes merged": 2}, [], []),
        (["a_S1_R2_001.fastq.gz"], {}, OURS, ["a_S1_R2_001.fastq.gz"]),
        (["A_S1_R1_001.fastq.gz"], {}, OURS, ["A_S1_R1_001.fastq.gz"]),
        ([OURS[0], "a_S1_R1_001.fastq.gz"], {"path": 1, "lanes merged": 1}, [], []),
        ([], {}, OURS, []),
        (["odd.fastq.gz"], {}, OURS, ["odd.fastq.gz"]),
    ],
)
def test_matching(
    theirs: list[str], rules: dict[str, int], missing: list[str], surplus: list[str]
) -> None:
    found = match(OURS, theirs)
    assert (found.rules, list(found.missing), list(found.surplus)) == (rules, missing, surplus)


def test_one_of_theirs_is_one_of_ours() -> None:
    """Two projects may have a sample of one name."""
    ours = ["P/a_S1_L001_R1_001.fastq.gz", "Q/a_S1_L001_R1_001.fastq.gz"]
    found = match(ours, ["flat/a_S1_L001_R1_001.fastq.gz"])
    assert (found.pairs, found.missing) == (
        {ours[0]: "flat/a_S1_L001_R1_001.fastq.gz"},
        (ours[1],),
    )
    found = match(ours, [ours[1]])
    assert found.pairs == {ours[1]: ours[1]}
