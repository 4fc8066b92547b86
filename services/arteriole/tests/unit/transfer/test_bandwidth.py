"""Which limit holds at which time of day."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from arteriole.transfer.bandwidth import limit_at
from arteriole.transfer.settings import Destination

DAY = {"from": "08:00", "to": "18:00", "kib_per_second": 100}
NIGHT = {"from": "22:30", "to": "06:00", "kib_per_second": 900}


def destination(**settings: Any) -> Destination:
    return Destination.model_validate({"path": "/mnt/in", **settings})


@pytest.mark.parametrize(
    ("clock", "limit"),
    [
        ("07:59", None),
        ("08:00", 100),
        ("17:59", 100),
        ("18:00", None),
        ("22:29", None),
        ("22:30", 900),
        ("00:00", 900),
        ("05:59", 900),
        ("06:00", None),
    ],
)
def test_the_limit_of_a_window_holds_from_its_first_minute_to_its_last(
    clock: str, limit: int | None
) -> None:
    windows = destination(bandwidth=[DAY, NIGHT]).bandwidth
    assert limit_at(windows, datetime.fromisoformat(f"2026-03-01T{clock}:59")) == limit


@pytest.mark.parametrize("limit", [None, 7])
def test_a_number_holds_always(limit: int | None) -> None:
    assert limit_at(destination(bandwidth=limit).bandwidth, datetime(2026, 3, 1)) == limit
    assert destination(bandwidth=limit).limit_now() == limit


def test_hours_are_those_of_the_zone() -> None:
    """Of two places that are twelve hours apart one is in the window."""
    window = {"from": "06:00", "to": "18:00", "kib_per_second": 5}
    here, there = (
        destination(bandwidth=[window], time_zone=zone) for zone in ("Etc/GMT-6", "Etc/GMT+6")
    )
    assert {here.limit_now(), there.limit_now()} == {5, None}


def test_a_job_is_given_the_same_settings() -> None:
    kept = destination(bandwidth=[DAY, NIGHT], time_zone="Europe/Stockholm")
    assert Destination.model_validate(kept.model_dump(mode="json")) == kept


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bandwidth": [DAY | {"to": 1080}]}, "in quotes"),
        ({"bandwidth": [DAY | {"to": "24:00"}]}, "in quotes"),
        ({"bandwidth": [DAY | {"to": "8:00"}]}, "in quotes"),
        ({"bandwidth": [DAY | {"to": "08:00"}]}, "08:00 twice"),
        ({"bandwidth": [DAY | {"kib_per_second": 0}]}, "greater"),
        ({"bandwidth": [DAY | {"until": "x"}]}, "not permitted"),
        ({"bandwidth": [DAY, DAY | {"from": "17:59", "to": "19:00"}]}, "do not overlap"),
        ({"bandwidth": [NIGHT, DAY | {"from": "05:00"}]}, "do not overlap"),
        ({"bandwidth": [DAY], "time_zone": "Mars/Olympus"}, "time zone"),
        ({"bandwidth": [DAY], "time_zone": "../../etc/passwd"}, "time zone"),
        ({"bandwidth": 5, "time_zone": "Europe/Stockholm"}, "windows in bandwidth"),
    ],
)
def test_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        destination(**settings)
