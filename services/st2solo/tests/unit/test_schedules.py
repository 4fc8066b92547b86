"""When timers are due, row by row, each with where its expectation comes from.

Sources: the tests and the documentation of APScheduler 3.11, with which StackStorm reckons; the
tests, fixtures and documentation of StackStorm; st2reactor/timer/base.py.
"""

from datetime import UTC, datetime, timedelta

import pytest
import tzlocal

from st2solo.errors import InvalidError
from st2solo.schedules import CRON_TIMER, DATE_TIMER, INTERVAL_TIMER, schedule

_BERLIN, _EASTERN, _HELSINKI = "Europe/Berlin", "US/Eastern", "Europe/Helsinki"

#: Source, zone, fields, the moment from which to look, the first time or None (in that zone).
_CRON = [
    (
        "APScheduler test_cron.py: test_cron_trigger_1",
        _BERLIN,
        {"year": "2009/2", "month": "1/3", "day": "5-13"},
        "2008-12-01T00:00:00+01:00",
        "2009-01-05T00:00:00+01:00",
    ),
    (
        "APScheduler test_cron.py: test_cron_trigger_2",
        _BERLIN,
        {"year": "2009/2", "month": "1/3", "day": "5-13"},
        "2009-10-14T00:00:00+02:00",
        "2011-01-05T00:00:00+01:00",
    ),
    (
        "APScheduler test_cron.py: test_cron_trigger_3",
        _BERLIN,
        {"year": "2009", "month": "feb-dec", "hour": "8-10"},
        "2009-01-01T00:00:00+01:00",
        "2009-02-01T08:00:00+01:00",
    ),
    (
        "APScheduler test_cron.py: test_cron_trigger_4",
        _BERLIN,
        {"year": "2012", "month": "2", "day": "last"},
        "2012-02-01T00:00:00+01:00",
        "2012-02-29T00:00:00+01:00",
    ),
    (
        "APScheduler test_cron.py: test_cron_year_list",
        _BERLIN,
        {"year": "2009,2008"},
        "2009-01-01T00:00:00+01:00",
        "2009-01-01T00:00:00+01:00",
    ),
    (
        "APScheduler test_cron.py: test_cron_weekday_overlap",
        _BERLIN,
        {"year": 2009, "month": 1, "day": "6-10", "day_of_week": "2-4"},
        "2009-01-01T00:00:00+01:00",
        "2009-01-07T00:00:00+01:00",
    ),
    (
        "APScheduler test_cron.py: test_cron_weekday_nomatch",
        _BERLIN,
        {"year": 2009, "month": 1, "day": "6-10", "day_of_week": "0,6"},
        "2009-01-01T00:00:00+01:00",
        None,
    ),
    (
        "APScheduler test_cron.py: test_cron_weekday_positional",
        _BERLIN,
        {"year": 2009, "month": 1, "day": "4th wed"},
        "2009-01-01T00:00:00+01:00",
        "2009-01-28T00:00:00+01:00",
    ),
    (
        "APScheduler test_cron.py: test_week_1",
        _BERLIN,
        {"year": 2009, "month": 2, "week": 8},
        "2009-01-01T00:00:00+01:00",
        "2009-02-16T00:00:00+01:00",
    ),
    (
        "APScheduler test_cron.py: test_week_2",
        _BERLIN,
        {"year": 2009, "week": 15, "day_of_week": 2},
        "2009-01-01T00:00:00+01:00",
        "2009-04-08T00:00:00+02:00",
    ),
    (
        "APScheduler test_cron.py: test_cron_extra_coverage",
        _BERLIN,
        {"day": "6,8"},
        "2009-12-31T00:00:00+01:00",
        "2010-01-06T00:00:00+01:00",
    ),
    (
        "APScheduler test_cron.py: test_cron_increment_weekday",
        _BERLIN,
        {"hour": "5-6"},
        "2009-09-25T07:00:00+02:00",
        "2009-09-26T05:00:00+02:00",
    ),
    (
        "APScheduler test_cron.py: test_month_rollover",
        _BERLIN,
        {"day": 30},
        "2016-02-01T00:00:00+01:00",
        "2016-03-30T00:00:00+02:00",
    ),
    (
        "APScheduler test_cron.py: test_different_tz",
        _BERLIN,
        {"year": 2009, "week": 15, "day_of_week": 2},
        "2008-12-31T22:00:00-10:00",
        "2009-04-08T00:00:00+02:00",
    ),
    (
        "APScheduler test_cron.py: test_dst_change, absolute_spring",
        _EASTERN,
        {"hour": 8},
        "2013-03-09T12:00:00-05:00",
        "2013-03-10T08:00:00-04:00",
    ),
    (
        "APScheduler test_cron.py: test_dst_change, absolute_autumn",
        _EASTERN,
        {"hour": 8},
        "2013-11-02T12:00:00-04:00",
        "2013-11-03T08:00:00-05:00",
    ),
    (
        "APScheduler test_cron.py: test_dst_change, from before into the repeated hour",
        _EASTERN,
        {"hour": 1, "minute": 30},
        "2013-11-03T00:30:00-04:00",
        "2013-11-03T01:30:00-04:00",
    ),
    (
        "APScheduler test_cron.py: test_dst_change, from the repeated hour into its repetition",
        _EASTERN,
        {"hour": 1, "minute": 30},
        "2013-11-03T01:30:05-04:00",
        "2013-11-03T01:30:00-05:00",
    ),
    (
        "APScheduler test_cron.py: test_dst_change, from the repetition to after it",
        _EASTERN,
        {"hour": 1, "minute": 30},
        "2013-11-03T01:30:05-05:00",
        "2013-11-04T01:30:00-05:00",
    ),
    (
        "APScheduler test_cron.py: test_dst_change, interval_spring",
        _EASTERN,
        {"minute": "*/30"},
        "2013-03-10T01:35:00-05:00",
        "2013-03-10T03:00:00-04:00",
    ),
    (
        "APScheduler test_cron.py: test_dst_change, interval_autumn",
        _EASTERN,
        {"minute": "*/30"},
        "2013-11-03T01:35:00-04:00",
        "2013-11-03T01:00:00-05:00",
    ),
    (
        "APScheduler test_cron.py: test_dst_change_2",
        _HELSINKI,
        {"minute": 30},
        "2017-10-29T03:30:00.000005+02:00",
        "2017-10-29T04:30:00+02:00",
    ),
    (
        "APScheduler 3.11 itself: a time that summer time leaves out is read as winter time",
        _HELSINKI,
        {"hour": 3, "minute": 30},
        "2017-03-26T00:00:00+02:00",
        "2017-03-26T03:30:00+02:00",
    ),
    (
        "APScheduler cron.rst, Daylight saving time behavior: twice in October",
        _HELSINKI,
        {"hour": 3, "minute": 30},
        "2017-10-29T03:30:01+03:00",
        "2017-10-29T03:30:00+02:00",
    ),
    (
        "APScheduler cron.rst, Examples: the third Friday",
        "UTC",
        {"month": "6-8,11-12", "day": "3rd fri", "hour": "0-3"},
        "2026-07-17T03:00:01+00:00",
        "2026-08-21T00:00:00+00:00",
    ),
    (
        "APScheduler cron.rst, Examples: from Monday to Friday at 5:30",
        "UTC",
        {"day_of_week": "mon-fri", "hour": 5, "minute": 30},
        "2026-07-03T05:30:00.000001+00:00",
        "2026-07-06T05:30:00+00:00",
    ),
    (
        "APScheduler cron.rst, Examples: the last Sunday",
        "UTC",
        {"day": "last sun"},
        "2026-07-01T00:00:00+00:00",
        "2026-07-26T00:00:00+00:00",
    ),
    (
        "APScheduler cron.rst, Introduction: fields below the least one given are at their lowest",
        "UTC",
        {"day": 1, "minute": 20},
        "2026-07-01T00:20:01+00:00",
        "2026-07-01T01:20:00+00:00",
    ),
    (
        "StackStorm fixtures/generic/rules/cron_timer_rule_1.yaml and triggers/cron1.yaml",
        "UTC",
        {"minute": 0, "second": 0},
        "2026-07-01T12:00:00.500000+00:00",
        "2026-07-01T13:00:00+00:00",
    ),
    (
        "StackStorm documentation, Rules, core.st2.CronTimer: weekday 0 is Monday",
        "UTC",
        {"day_of_week": 0, "hour": 7},
        "2026-07-01T00:00:00+00:00",
        "2026-07-06T07:00:00+00:00",
    ),
    (
        "StackStorm documentation, Rules, core.st2.CronTimer: `*`, every value",
        "UTC",
        {"second": "*"},
        "2026-07-01T12:00:00.500000+00:00",
        "2026-07-01T12:00:01+00:00",
    ),
    (
        "StackStorm documentation, Rules, core.st2.CronTimer: `*/a`, every a-th value",
        "UTC",
        {"second": "*/20"},
        "2026-07-01T12:00:21+00:00",
        "2026-07-01T12:00:40+00:00",
    ),
    (
        "StackStorm documentation, Rules, core.st2.CronTimer: `a-b/c`, every c-th of a range",
        "UTC",
        {"hour": "8-17/3"},
        "2026-07-01T12:00:00+00:00",
        "2026-07-01T14:00:00+00:00",
    ),
    (
        "StackStorm documentation, Rules, core.st2.CronTimer: `x,y,z`",
        "UTC",
        {"minute": "5,35"},
        "2026-07-01T12:06:00+00:00",
        "2026-07-01T12:35:00+00:00",
    ),
    (
        "st2reactor/timer/base.py: fields that are None do not count",
        "UTC",
        {"minute": 15, "hour": None},
        "2026-07-01T12:16:00+00:00",
        "2026-07-01T13:15:00+00:00",
    ),
    (
        "the calendar: there is no 30 February before the year 10000",
        "UTC",
        {"month": 2, "day": 30},
        "2026-07-01T00:00:00+00:00",
        None,
    ),
    ("the calendar: it is over", "UTC", {"year": 2020}, "2026-07-01T00:00:00+00:00", None),
]


@pytest.mark.parametrize(
    ("zone", "fields", "moment", "expected"), [r[1:] for r in _CRON], ids=[r[0] for r in _CRON]
)
def test_cron(zone, fields, moment, expected):
    cron = schedule(CRON_TIMER, {**fields, "timezone": zone})
    found = cron.first(datetime.fromisoformat(moment).astimezone(UTC))
    assert (found and found.isoformat()) == expected


def test_a_cron_that_is_due_is_next_due_after_the_moment_of_its_firing():
    cron = schedule(CRON_TIMER, {"second": "*/10", "timezone": "UTC"})
    due = datetime(2026, 7, 1, 12, 0, 0, tzinfo=UTC)
    assert cron.following(due, due) == due + timedelta(seconds=10)
    assert cron.following(due, due + timedelta(days=7, seconds=3)) == due + timedelta(
        days=7, seconds=10
    )


@pytest.mark.parametrize(
    ("unit", "delta", "late", "expected"),
    [
        # APScheduler test_interval.py: the next time is the last and the interval
        ("seconds", 2, 0, 2),
        ("seconds", 2, 0.5, 2),
        ("minutes", 3, 1, 180),
        ("hours", 1, 0, 3600),
        ("days", 1, 0, 86400),
        ("weeks", 2, 0, 14 * 86400),
        # st2reactor/timer/base.py: `coalesce` of APScheduler; what was missed comes as one
        ("seconds", 2, 7, 8),
    ],
)
def test_an_interval_does_not_drift(unit, delta, late, expected):
    interval = schedule(INTERVAL_TIMER, {"unit": unit, "delta": delta})
    due = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert interval.first(due) == due + timedelta(**{unit: delta})
    found = interval.following(due, due + timedelta(seconds=late))
    assert found == due + timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        # StackStorm constants/triggers.py, the description of st2.DateTimer
        ({"date": "2099-12-31 23:59:59", "timezone": "UTC"}, "2099-12-31T23:59:59+00:00"),
        # APScheduler test_date.py: a date with an offset keeps it, others take the zone
        ({"date": "2099-07-01T12:00:00+02:00", "timezone": "UTC"}, "2099-07-01T12:00:00+02:00"),
        ({"date": "2099-07-01T12:00:00", "timezone": _BERLIN}, "2099-07-01T12:00:00+02:00"),
        # st2reactor/timer/base.py: an expired date is not scheduled
        ({"date": "2014-12-31T23:59:59Z"}, None),
    ],
)
def test_a_date_fires_once(parameters, expected):
    date = schedule(DATE_TIMER, parameters)
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
    found = date.first(moment)
    assert (found and found.isoformat()) == expected
    assert date.following(moment, moment) is None


@pytest.fixture
def tokyo(monkeypatch):
    """The machine is in Tokyo."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        tzlocal.reload_localzone()
        yield
    tzlocal.reload_localzone()


@pytest.mark.parametrize(
    ("timer", "parameters"),
    [(CRON_TIMER, {"hour": 12}), (DATE_TIMER, {"date": "2026-07-01T12:00:00"})],
)
def test_without_a_zone_the_machine_s_counts(timer, parameters, tokyo):
    # APScheduler's triggers, which get no zone from st2reactor/timer/base.py, take the local one
    found = schedule(timer, parameters).first(datetime(2026, 7, 1, tzinfo=UTC))
    assert found.isoformat() == "2026-07-01T12:00:00+09:00"


@pytest.mark.parametrize(
    ("timer", "parameters", "told"),
    [
        # StackStorm test_rules.py: test_post_invalid_crontimer_trigger_parameters
        (CRON_TIMER, {"day_of_week": "abcdef"}, 'Invalid weekday name "abcdef"'),
        (CRON_TIMER, {"day_of_week": "a-1"}, 'Invalid weekday name "a"'),
        # APScheduler test_cron.py: test_cron_faulty_expr, test_invalid_ranges
        (CRON_TIMER, {"year": "2009-fault"}, 'Unrecognized expression "2009-fault"'),
        (CRON_TIMER, {"hour": "*/24"}, "higher than the total range"),
        (CRON_TIMER, {"hour": "25"}, r"higher than the maximum value \(23\)"),
        (CRON_TIMER, {"month": "0"}, r"lower than the minimum value \(1\)"),
        (CRON_TIMER, {"second": "*/0"}, "Increment must be higher than 0"),
        (CRON_TIMER, {"minute": "5-2"}, "must not be higher"),
        (CRON_TIMER, {"hour": 1, "timezone": "No/Zone"}, "no time zone 'No/Zone'"),
        (CRON_TIMER, {"hour": 1, "timezone": "../etc"}, "no time zone"),
        (CRON_TIMER, {"hour": 1, "timezone": "Europe"}, "no time zone"),
        (CRON_TIMER, {"hour": 1, "timezone": ""}, "no time zone"),
        (DATE_TIMER, {"date": "soon"}, "ISO 8601"),
        (DATE_TIMER, {"date": "2099-07-01", "timezone": "No/Zone"}, "no time zone"),
        (INTERVAL_TIMER, {"unit": "hours", "delta": 1, "timezone": "No/Zone"}, "no time zone"),
        (INTERVAL_TIMER, {"unit": "weeks", "delta": 10**12}, "expected fewer weeks"),
    ],
)
def test_what_is_no_time_is_refused(timer, parameters, told):
    with pytest.raises(InvalidError, match=told):
        schedule(timer, parameters)
