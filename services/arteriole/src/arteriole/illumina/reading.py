"""Tells whoever reads a run folder how much is looked at, so that it can be slowed down.

Nothing is told unless `metered` says to whom; a converter reads as quickly as it can.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Meter(Protocol):
    """May wait before it returns, or raise to end the reading. One thread uses it at a time."""

    #: What is read is all of the base calls, which can wait.
    in_bulk: bool

    def take(self, files: int, size: int) -> None:
        """So many files were opened or asked for their size, and `size` bytes were read."""
        ...


_METER: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    token = _METER.set(meter)
    try:
        yield
    finally:
        _METER.reset(token)


@contextmanager
def in_bulk() -> Iterator[None]:
    """All of the base calls are read now."""
    meter = _METER.get()
    if meter is None:
        yield
        return
    meter.in_bulk = True
    try:
        yield
    finally:
        meter.in_bulk = False


def looked(files: int, size: int = 0) -> None:
    """See Meter.take."""
    meter = _METER.get()
    if meter is not None:
        meter.take(files, size)


def opened(number: int) -> BinaryIO:
    """The file of this descriptor, whose bytes are counted where somebody wants to know."""
    meter = _METER.get()
    if meter is None:
        return os.fdopen(number, "rb")
    return io.BufferedReader(_Counted(number, meter))


class _Counted(io.FileIO):
    def __init__(self, number: int, meter: Meter) -> None:
        super().__init__(number)
        self._meter = meter

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        count = super().readinto(buffer)
        self._meter.take(0, count or 0)
        return count

    def readall(self) -> bytes:
        data = super().readall()
        self._meter.take(0, len(data))
        return data
