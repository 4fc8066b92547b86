"""Times as texts."""

from zoneinfo import ZoneInfo

import pytest

from st2solo import moments
from st2solo.errors import InvalidError


@pytest.mark.parametrize(
    ("value", "zone", "shown"),
    [
        ("2026-07-01T12:00:00Z", "UTC", "2026-07-01T12:00:00.000000Z"),
        ("2026-07-01 12:00:00.5", "UTC", "2026-07-01T12:00:00.500000Z"),
        ("2026-07-01T12:00:00+02:00", "UTC", "2026-07-01T10:00:00.000000Z"),
        ("2026-07-01T12:00:00", "Australia/Melbourne", "2026-07-01T02:00:00.000000Z"),
        ("2026-07-01T12:00:00Z", "Australia/Melbourne", "2026-07-01T12:00:00.000000Z"),
    ],
)
def test_parse(value, zone, shown):
    assert moments.text(moments.parse(value, ZoneInfo(zone))) == shown


def test_without_a_zone_it_is_utc():
    assert moments.text(moments.parse("2026-07-01T12:00:00")) == "2026-07-01T12:00:00.000000Z"


@pytest.mark.parametrize("value", ["soon", 5, "", "9999-12-31T23:59:59-12:00"])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(InvalidError):
        moments.parse(value)


def test_a_time_that_compares_with_those_of_the_store():
    assert moments.normal("2026-07-01T12:00:00+02:00") == "2026-07-01T10:00:00.000000Z"


@pytest.mark.parametrize("value", ["soon", "", "0001-01-01T00:00:00+02:00"])
def test_what_compares_with_no_time_is_refused(value):
    with pytest.raises(InvalidError):
        moments.normal(value)
