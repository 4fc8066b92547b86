"""Times are UTC everywhere, as ISO 8601 with milliseconds and `Z`, which sorts as text."""

from datetime import UTC, datetime, timedelta


def now(offset_seconds: float = 0.0) -> str:
    """The present time, moved by `offset_seconds`."""
    return text(datetime.now(UTC) + timedelta(seconds=offset_seconds))


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def seconds_since(moment: str) -> float:
    return (datetime.now(UTC) - parse(moment)).total_seconds()
