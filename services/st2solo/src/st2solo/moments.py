"""Moments as `datetime`, and as the texts that StackStorm's API prints (UTC, microseconds, Z)."""

from datetime import UTC, datetime, timedelta, tzinfo

from st2solo.errors import InvalidError


def now() -> datetime:
    return datetime.now(UTC)


def text(moment: datetime) -> str:
    """`2026-07-01T12:00:00.000000Z`; such texts sort as the moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def normal(value: str) -> str:
    """A time that somebody wrote as such a text, so that it compares with those in the store.

    Raises:
        InvalidError: the text is no ISO 8601 time.
    """
    return text(parse(value))


def now_text() -> str:
    return text(now())


def after(moment: datetime, unit: str, amount: int) -> datetime:
    """The moment that many weeks, days, hours, minutes or seconds later.

    Raises:
        InvalidError: that is beyond the year 9999.
    """
    try:
        return moment + timedelta(**{unit: amount})
    except OverflowError as err:
        raise InvalidError(f"expected fewer {unit}, found {amount}") from err


def parse(value: str, zone: tzinfo = UTC) -> datetime:
    """Any ISO 8601 date and time; one that names no zone is in the given one.

    Raises:
        InvalidError: the text is no ISO 8601 time.
    """
    try:
        moment = datetime.fromisoformat(value.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moment.astimezone(UTC)
    except (ValueError, AttributeError) as err:
        raise InvalidError(f"expected an ISO 8601 date and time, found {value!r}") from err
    except OverflowError as err:  # in UTC it is before the year 1, or after 9999
        raise InvalidError(f"expected another time, found {value}") from err
    return moment
