"""When a job may end, of what was told of it."""

import pytest

from arteriole.app.pace import Pace


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        ([(0, 0, 100, "x"), (20, 10, 100, "x")], 0.5),
        ([(0, 50, 100, "x"), (20, 60, 100, "x")], 0.5),  # what was there at first took no time
        ([(0, 0, 100, "x"), (9, 10, 100, "x")], None),  # too little time
        ([(0, 5, 100, "x"), (20, 5, 100, "x")], None),  # nothing was done
        ([(0, 0, 100, "x"), (20, 100, 100, "x")], None),  # it is over
        ([(0, 0, 100, "x"), (20, 10, 200, "x")], None),  # other work, each of the next
        ([(0, 0, 100, "x"), (20, 10, 100, "y")], None),
        ([(0, 10, 100, "x"), (20, 9, 100, "x")], None),
        ([(50, 0, 100, "x"), (20, 10, 100, "x")], None),  # the clock was set
        ([(0, 0, 10**15, "x"), (1e6, 1, 10**15, "x")], None),  # beyond all calendars
    ],
)
def test_rates(words, rate):
    first, *others = words
    pace = Pace.begin(*first)
    for word in others:
        pace = pace.told(*word)
    assert pace.document().get("per_second") == rate
    assert ("ends" in pace.document()) == (rate is not None)
