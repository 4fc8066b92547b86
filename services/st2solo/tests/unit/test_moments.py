"""Times of rules and timers."""

import pytest

from st2solo import moments
from st2solo.errors import InvalidError


@pytest.mark.parametrize(
    ("value", "zone", "shown"),
    [
        ("2026-07-01T12:00:00Z", None, "2026-07-01T12:00:00.000000Z"),
        ("2026-07-01 12:00:00.5", None, "2026-07-01T12:00:00.500000Z"),
        ("2026-07-01T12:00:00+02:00", None, "2026-07-01T10:00:00.000000Z"),
        ("2026-07-01T12:00:00", "Australia/Melbourne", "2026-07-01T02:00:00.000000Z"),
        ("2026-07-01T12:00:00Z", "Australia/Melbourne", "2026-07-01T12:00:00.000000Z"),
    ],
)
def test_parse(value, zone, shown):
    assert moments.text(moments.parse_in(value, zone)) == shown


@pytest.mark.parametrize(("value", "zone"), [("soon", None), (5, None), ("2026-07-01", "No/Zone")])
def test_what_is_no_time_is_refused(value, zone):
    with pytest.raises(InvalidError):
        moments.parse_in(value, zone)
