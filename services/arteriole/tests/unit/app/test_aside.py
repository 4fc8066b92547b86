"""Work that hangs is left behind; what it was for is told so."""

import asyncio
import threading
import time
from contextvars import ContextVar

import pytest

from arteriole.app import aside as module
from arteriole.app.aside import SilentError, answered, aside


@pytest.fixture
def hanging():
    """A function that hangs until the test is over."""
    ended = threading.Event()
    yield ended.wait
    ended.set()


def test_what_it_returns_and_raises():
    async def both():
        with pytest.raises(ZeroDivisionError):
            await answered(divmod, 1, 0)
        return await aside(divmod, 7, 3), await answered(divmod, 9, 4)

    assert asyncio.run(both()) == ((2, 1), (2, 1))


def test_it_sees_the_context_of_its_caller():
    variable = ContextVar("variable", default=0)

    async def look():
        variable.set(5)
        return await aside(variable.get)

    assert asyncio.run(look()) == 5


def test_what_hangs_is_left_behind(hanging):
    """Neither other work nor the end of the loop waits for it, however much of it there is."""

    async def look():
        for _ in range(20):
            with pytest.raises(SilentError, match="does not answer"):
                await answered(hanging, limit=0.01)
        return await answered(sum, [1, 2])

    begun = time.monotonic()
    assert asyncio.run(look()) == 3
    assert time.monotonic() - begun < 30


def test_a_time_out_of_the_work_itself_is_its_own():
    def times_out():
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        asyncio.run(answered(times_out))


def test_so_many_are_left_behind_at_most(hanging, monkeypatch):
    monkeypatch.setattr(module, "_left", set())  # without those of other tests, which end
    monkeypatch.setattr(module, "LEFT_AT_MOST", 2)

    async def look():
        for _ in range(2):
            with pytest.raises(SilentError):
                await answered(hanging, limit=0.01)
        with pytest.raises(SilentError):
            await answered(sum, [1])

    asyncio.run(look())
