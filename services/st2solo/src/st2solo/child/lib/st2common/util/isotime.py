"""Moments as ISO 8601 texts, for actions that use StackStorm's own functions.

Source: st2common/util/isotime.py and date.py of StackStorm 3.9.
"""

from __future__ import annotations

import datetime
import re

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any

_UTC_TEXT = re.compile(
    r"^(\d{4}-\d{2}-\d{2})[\sT](\d{2}:\d{2}:\d{2})(\.\d{3,6})?(?:Z|\+00(?::?00)?)$"
)


def format(moment: Any, usec: bool = True, offset: bool = True) -> str:
    """The text of a datetime, of another text, or of seconds since 1970.

    >>> format(0, usec=False), format(0, offset=False)
    ('1970-01-01T00:00:00+00:00', '1970-01-01T00:00:00.000000Z')
    """
    if isinstance(moment, str):
        moment = parse(moment)
    elif isinstance(moment, int):
        moment = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
    text: str = moment.strftime("%Y-%m-%dT%H:%M:%S.%f" if usec else "%Y-%m-%dT%H:%M:%S")
    if offset:
        zone = moment.strftime("%z")
        return text + (f"{zone[:3]}:{zone[3:]}" if zone else "+00:00")
    name = moment.tzinfo.tzname(moment) if moment.tzinfo else "UTC"
    return text + ("Z" if name == "UTC" else name)


def validate(value: Any, raise_exception: bool = True) -> bool:
    """Whether it is a datetime, or a text in UTC."""
    text = isinstance(value, str) and _UTC_TEXT.match(value)
    if isinstance(value, datetime.datetime) or text:
        return True
    if raise_exception:
        raise ValueError("Datetime value does not match expected format.")
    return False


def parse(
    value: str, preserve_original_tz: bool = False, validate_value: bool = True
) -> datetime.datetime:
    """The moment, in UTC; with `preserve_original_tz` in the zone that the text names.

    Raises:
        ValueError: it is no such text.
    """
    if validate_value:
        validate(value)
    found = _UTC_TEXT.match(value)
    if found:  # before Python 3.11 fromisoformat knows no Z, and fractions of 3 or 6 digits only
        day, time, fraction = found.groups()
        value = f"{day}T{time}.{(fraction or '.')[1:].ljust(6, '0')}+00:00"
    moment = datetime.datetime.fromisoformat(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment if preserve_original_tz else moment.astimezone(datetime.timezone.utc)
