"""Moments as `datetime`, and as the texts that StackStorm's API prints (UTC, microseconds, Z)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from st2solo.errors import InvalidError


def now() -> datetime:
    return datetime.now(UTC)


def text(moment: datetime) -> str:
    """`2026-07-01T12:00:00.000000Z`; such texts sort as the moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


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


def parse(value: str) -> datetime:
    """Any ISO 8601 date and time; without a zone it is UTC.

    Raises:
        InvalidError: the text is no ISO 8601 time.
    """
    return parse_in(value, None)


def parse_in(value: str, zone: str | None) -> datetime:
    """As `parse`, but a time without a zone is in the named one, such as `Australia/Sydney`.

    Raises:
        InvalidError: the text is no ISO 8601 time, or there is no such zone.
    """
    try:
        moment = datetime.fromisoformat(value.strip())
        default = ZoneInfo(zone) if zone else UTC
    except (ValueError, AttributeError) as err:
        raise InvalidError(f"expected an ISO 8601 date and time, found {value!r}") from err
    except ZoneInfoNotFoundError as err:
        raise InvalidError(f"there is no time zone {zone!r}") from err
    return moment if moment.tzinfo else moment.replace(tzinfo=default)
