"""Misdeeds are found by name; what does not fit is refused."""

import pytest

from arteriole.simulator.defaults import default_plan
from arteriole.simulator.misdeeds import MISDEEDS, misdeed_of
from arteriole.simulator.plan import PlanError

PLAN = default_plan(read_cycles=(10, 10), index_cycles=(8,))


@pytest.mark.parametrize("name", MISDEEDS)
def test_each_is_found_by_its_name(name):
    assert type(misdeed_of(f"{name}:5" if name == "clock-skew" else name)).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a misdeed of clock-skew, .*; found ''"),
        ("full-disk", "found 'full-disk'"),
        ("copy-stalls:x", "expected a whole number after the colon; found 'x'"),
        ("copy-stalls:-1", "found '-1'"),
        ("copy-stalls:0", "expected a cycle of 1 to 27; found 0"),
        ("failed-run:28", "expected a cycle of 1 to 27; found 28"),
        ("truncated-file:99999999999", "expected a whole number"),
        ("instrument-restart:28", "1 to 27"),
        ("marker-early:28", "1 to 27"),
        ("missing-tile:x", "expected a tile as 1_1101; found 'x'"),
        ("missing-tile:1_1103", r"one of several tiles of the run; found \(1, 1103\)"),
        ("clock-skew", "expected seconds"),
        ("clock-skew:nan", "expected seconds"),
        ("clock-skew:1e99", "expected seconds"),
        ("sheet-late:soon", "whole number"),
        ("sheet-never:5", "takes no argument"),
        ("i5-reversed:5", "takes no argument"),
        ("i5-reversed", "the run has no i5"),
        ("lanes-exchanged:5", "takes no argument"),
        ("lanes-exchanged", "on one of the first two lanes alone"),
        ("wells-shifted:x", "whole number"),
        ("wells-shifted:0", "1 to 96 wells; found 0"),
        ("wells-shifted:96", "further indexes of this length"),
    ],
)
def test_refused(text, message):
    with pytest.raises(PlanError, match=message):
        misdeed_of(text).plans(PLAN)


def test_a_run_of_one_tile_has_none_to_miss():
    plan = default_plan(lanes=1, surfaces=1, swaths=1)
    with pytest.raises(PlanError, match="one of several tiles"):
        misdeed_of("missing-tile").plans(plan)
