"""Times as StackStorm's API prints them: UTC, microseconds, `Z`."""

from datetime import UTC, datetime


def now() -> str:
    """The present, such as `2026-07-01T12:00:00.000000Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """The moment that a time of the API stands for."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds_between(start: str, end: str) -> float:
    """How long it took from one time of the API to another."""
    return (parse(end) - parse(start)).total_seconds()
