import pytest

from arteriole.illumina.run_info import Layout, Read, RunInfo
from arteriole.inspection.rendering import printable, reads


@pytest.mark.parametrize(
    ("cycles", "text"),
    [
        ((151, -8, -8, 151), "2 x 151 + 8 + 8"),
        ((151, 151), "2 x 151"),
        ((36, -10, -10), "36 + 10 + 10"),
        ((28, -10, -10, 90), "28 + 90 + 10 + 10"),
    ],
)
def test_reads_are_told_as_people_say_them(cycles, text):
    """Index reads are negative here."""
    each = tuple(Read(n, abs(count), count < 0) for n, count in enumerate(cycles, start=1))
    info = RunInfo("r", 1, "A", "M1", "260101", each, Layout(1, 1, 1, 1), {1: (1101,)})
    assert reads(info) == text


@pytest.mark.parametrize(
    "bad", ["\x1b[2J", "\x07", "\N{RIGHT-TO-LEFT OVERRIDE}", "\x9b31m", "a\nb"]
)
def test_a_terminal_obeys_nothing(bad):
    assert printable(bad).isprintable()


def test_letters_of_any_language_stay():
    assert printable("J\N{LATIN SMALL LETTER O WITH DIAERESIS}rg {x}") == "J\xf6rg {x}"
