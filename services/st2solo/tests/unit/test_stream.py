"""Who listens is told what is wanted, in order, and given up once too much waits."""

import asyncio
import json

import pytest

from st2solo.runners.protocol import Announcement
from st2solo.stream import OUTPUT, UPDATE, Stream, Wanted

_MIB = 2**20


def _document(number, **more):
    return {"id": str(number), "status": "running", "log": [{}, {}], **more}


def _told(data):
    """The name and the payload of an event as it is sent."""
    name, payload = data.decode().removesuffix("\n\n").split("\n")
    return name.removeprefix("event: "), json.loads(payload.removeprefix("data: "))


def test_each_listener_is_told_in_order_until_the_end():
    async def body():
        stream = Stream()
        with stream.listening(Wanted()) as one, stream.listening(Wanted()) as other:
            stream.execution_changed(_document(1))
            stream.announce(Announcement("lab", {"message": "m"}))
            closing = asyncio.create_task(stream.close())
            await asyncio.sleep(0)
            told = [[await listener.next() for _ in range(3)] for listener in (one, other)]
            assert [_told(data) for data in told[0][:2]] == [
                (UPDATE, _document(1)),
                ("st2.announcement__lab", {"payload": {"message": "m"}}),
            ]
            assert told[0][2] is None and not one.ended
            assert all(mine is theirs for mine, theirs in zip(*told, strict=True))
        await closing

    asyncio.run(body())


@pytest.mark.parametrize("part", ["result", "parameters", "context", "trigger_instance", "data"])
@pytest.mark.parametrize(("size", "most"), [(_MIB, 63), (16 * _MIB, 3)])
def test_one_who_does_not_listen_is_given_up_before_it_fills_the_memory(part, size, most):
    wanted = Wanted(events=("*",))

    async def body():
        stream = Stream()
        tell = stream.printed if part == "data" else stream.execution_changed
        with stream.listening(wanted) as slow, stream.listening(wanted) as other:
            for number in range(most):
                tell(_document(number, **{part: "x" * size}))
                assert len(await other.next()) > size
            assert stream.is_listening(slow)
            tell(_document(most, **{part: "x" * size}))
            assert not stream.is_listening(slow) and stream.is_listening(other)
            waiting = [_told(await slow.next())[1]["id"] for _ in range(most)]
            assert waiting == [str(number) for number in range(most)] and slow.is_empty

    asyncio.run(body())


def test_an_announcement_counts_with_what_it_carries():
    async def body():
        stream = Stream()
        with stream.listening(Wanted()) as slow:
            for _ in range(4):
                assert stream.is_listening(slow)
                stream.announce(Announcement("lab", {"message": "x" * 16 * _MIB}))
            assert not stream.is_listening(slow)

    asyncio.run(body())


_PRINTED = {"execution_id": "1", "action_ref": "a.b", "output_type": "stdout", "data": "x"}
_CHANGED = {"action": {"ref": "a.b"}}


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted(), [UPDATE]),
        (Wanted(events=("*",)), [UPDATE, OUTPUT]),
        (Wanted(events=(OUTPUT,)), [OUTPUT]),
        (Wanted(events=("*",), execution_ids=frozenset("1")), [UPDATE, OUTPUT]),
        (Wanted(events=("*",), execution_ids=frozenset("2")), []),
        (Wanted(events=("*",), action_refs=frozenset({"a.b"})), [UPDATE, OUTPUT]),
        (Wanted(events=("*",), action_refs=frozenset({"a.c"})), []),
        (Wanted(events=(OUTPUT,), output_types=frozenset({"stderr"})), []),
    ],
)
def test_what_is_not_wanted_does_not_wait(wanted, told):
    async def body():
        stream = Stream()
        with stream.listening(wanted) as listener:
            stream.execution_changed(_document(1, **_CHANGED))
            stream.printed(_PRINTED)
            assert [_told(await listener.next())[0] for _ in told] == told and listener.is_empty

    asyncio.run(body())


def test_it_ends_with_the_event_that_was_asked_for():
    wanted = Wanted(events=(OUTPUT,), end_event=UPDATE, end_execution_id="1")

    async def body():
        stream = Stream()
        with stream.listening(wanted) as listener:
            stream.execution_changed(_document(1))
            stream.execution_changed({**_document(2), "status": "succeeded"})
            assert not listener.ended
            stream.execution_changed({**_document(1), "status": "succeeded"})
            stream.printed(_PRINTED)
            assert listener.ended and await listener.next() is None and listener.is_empty

    asyncio.run(body())
