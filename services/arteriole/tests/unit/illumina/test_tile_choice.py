"""Tiles as --tiles chooses them; whatever is understood means what Python's `re` makes of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arteriole.illumina import tile_choice
from arteriole.illumina.tile_choice import TileChoiceError

TILES = {1: (1101, 1102, 2215), 2: (1101, 21103), 11: (2,)}


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (["s_1_1101"], {1: (1101,)}),
        (["s_2"], {2: (1101, 21103)}),
        (["s_1_"], {1: (1101, 1102, 2215)}),
        (["s_[2-4]"], {2: (1101, 21103)}),
        (["[0-9][0-9][0-9]5"], {1: (2215,)}),
        (["s_1_1102,s_[2-8]"], {1: (1102,), 2: (1101, 21103)}),
        (["s_1_1102", " s_2_1101 "], {1: (1102,), 2: (1101,)}),
        (["0002"], {11: (2,)}),
        (["^s_.._"], {11: (2,)}),
        (["[13]$"], {1: (1101,), 2: (1101, 21103)}),
    ],
)
def test_chosen_tiles(texts: list[str], chosen: dict[int, tuple[int, ...]]) -> None:
    assert tile_choice.choose(texts, TILES) == chosen


@pytest.mark.parametrize(
    "text", ["", "s_3", "s_1_1101,", "s_(1|2)", "s_1*", "s_[1", "s_[]", "[^1]", "[9-1]", "[2-]",
             "s_1]", "^$", r"s_\d", "s_1" * 100, "s_¹"]
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(TileChoiceError):
        tile_choice.choose([text], TILES)


@given(
    st.lists(st.sampled_from(["s", "_", "1", "0", "[0-2]", "[13]", "."]), min_size=1, max_size=8),
    st.booleans(),
    st.booleans(),
    st.integers(1, 12),
    st.integers(1, 23000),
)
def test_it_means_what_a_regular_expression_means(
    parts: list[str], at_start: bool, at_end: bool, lane: int, tile: int
) -> None:
    text = "^" * at_start + "".join(parts) + "$" * at_end
    expected = re.search(text, f"s_{lane}_{tile:04d}") is not None
    assert tile_choice.parse(text).fits(lane, tile) == expected
