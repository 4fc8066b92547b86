import pytest

from arteriole.runfolder.succession import next_after, place

RUN = "260114_A00130_0106_AHXXXXDSX2"


@pytest.mark.parametrize(
    ("other", "is_later"),
    [
        ("260115_A00130_0108_AHYYYYDSX2", True),
        ("20260115_A00130_0108_AHYYYYDSX2", True),
        ("260114_A00130_0107_AHYYYYDSX2", True),
        ("260115_A00130_0002_AHYYYYDSX2", True),  # a number that began again
        ("260115_A00130_0107_BHYYYYDSX2", False),  # the other side goes on meanwhile
        ("260113_A00130_0105_AHYYYYDSX2", False),
        ("260113_A00130_0900_AHYYYYDSX2", False),
        ("260115_A00131_0108_AHYYYYDSX2", False),
        ("lost+found", False),
        (RUN, False),
    ],
)
def test_by_name(other, is_later):
    run, next_ = place(RUN, {}), place(other, {})
    assert next_after(run, [run, next_]) == (other if is_later else "")


@pytest.mark.parametrize(
    ("evidence", "is_later"),
    [
        ({"instrument": "A00130", "run_number": 107}, True),
        ({"instrument": "A00130", "run_number": 107, "side": "A"}, True),
        ({"instrument": "A00130", "run_number": 107, "side": "B"}, False),
        ({"instrument": "A00130", "run_number": 106}, False),
        ({"instrument": "A00130", "run_number": 0}, False),
        ({"instrument": "A00131", "run_number": 107}, False),
        ({}, False),
    ],
)
def test_by_what_run_info_said(evidence, is_later):
    run = place(RUN, {"instrument": "A00130", "run_number": 106, "side": "A"})
    assert next_after(run, [place("renamed", evidence)]) == ("renamed" if is_later else "")


def test_the_first_of_several():
    names = [f"2601{day}_A00130_0{day}9_AHYYYYDSX2" for day in (18, 16, 17, 13)]
    found = next_after(place(RUN, {}), [place(name, {}) for name in names])
    assert found.startswith("260116")


def test_what_is_no_run_has_no_place():
    assert next_after(place("x", {}), [place("y", {}), place(RUN, {})]) == ""
