"""How much a transfer may take of the line, by the hour."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from arteriole.app.config import Section

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


def _clock(value: object) -> str:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError(f'expected a time of day in quotes, as "08:00", found {value!r}')
    return value


Clock = Annotated[str, BeforeValidator(_clock)]
Rate = Annotated[int, Field(ge=1)]


class Window(Section):
    """From one time of day until another, over midnight perhaps: `{from, to, kib_per_second}`."""

    model_config = ConfigDict(serialize_by_alias=True)

    #: When the window begins.
    begin: Clock = Field(alias="from")
    #: When it ends, perhaps on the next day.
    end: Clock = Field(alias="to")
    #: The limit in it, in KiB/s.
    kib_per_second: Rate

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.begin == self.end:
            raise ValueError(f"expected two times of day, found {self.begin} twice")
        return self

    def has(self, minute: int) -> bool:
        """True if this minute of a day is in it; the one at which it ends is not."""
        begin, end = _minute(self.begin), _minute(self.end)
        if begin < end:
            return begin <= minute < end
        return minute >= begin or minute < end


def limit_at(bandwidth: int | Sequence[Window] | None, moment: datetime) -> int | None:
    """The limit in KiB/s at the time of day of `moment`; None if there is none."""
    if bandwidth is None or isinstance(bandwidth, int):
        return bandwidth
    minute = moment.hour * 60 + moment.minute
    return next((window.kib_per_second for window in bandwidth if window.has(minute)), None)


def require_apart(windows: Sequence[Window]) -> None:
    """ValueError if two windows have a minute in common."""
    for number, window in enumerate(windows):
        for other in windows[:number]:
            if window.has(_minute(other.begin)) or other.has(_minute(window.begin)):
                raise ValueError(
                    f"expected windows that do not overlap, found {other.begin}-{other.end} and"
                    f" {window.begin}-{window.end}"
                )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
