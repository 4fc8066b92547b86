"""Who listens is told everything in order, and given up once too much waits."""

import asyncio

import pytest

from st2solo.runners.protocol import Announcement
from st2solo.stream import Stream

_MIB = 2**20


def _document(number, result_size=0):
    return {"id": number, "status": "running", "log": [{}, {}], "result_size": result_size}


def test_each_listener_is_told_in_order_until_the_end():
    async def body():
        stream = Stream()
        with stream.listening() as one, stream.listening() as other:
            stream.execution_changed(_document(1))
            stream.announce(Announcement("lab", {"message": "m"}))
            closing = asyncio.create_task(stream.close())
            await asyncio.sleep(0)
            for listener in (one, other):
                told = [await listener.next() for _ in range(3)]
                names = [event and event.name for event in told]
                assert names == ["st2.execution__update", "st2.announcement__lab", None]
        await closing

    asyncio.run(body())


@pytest.mark.parametrize(("result_size", "most"), [(0, 8192), (16 * _MIB, 3)])
def test_one_who_does_not_listen_is_given_up_before_it_fills_the_memory(result_size, most):
    async def body():
        stream = Stream()
        with stream.listening() as slow, stream.listening() as other:
            for number in range(most):
                stream.execution_changed(_document(number, result_size))
                assert (await other.next()).payload["id"] == number
            assert stream.is_listening(slow)
            stream.execution_changed(_document(most, result_size))
            assert not stream.is_listening(slow) and stream.is_listening(other)
            waiting = [(await slow.next()).payload["id"] for _ in range(most)]
            assert waiting == list(range(most)) and slow.is_empty

    asyncio.run(body())
