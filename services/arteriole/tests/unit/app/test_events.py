"""Cursors: nothing is read twice or lost, and a strange cursor starts again early enough."""

import asyncio

import pytest

from arteriole.app.errors import InvalidError
from arteriole.app.events import PAYLOAD_LIMIT, EventLog
from arteriole.app.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "x.sqlite", "arteriole.runfolder.sql")
    yield store
    store.close()


@pytest.fixture
def events(store):
    return EventLog(store, lambda: 2)


def append(store, events, *names, **more):
    with store.transaction():
        for name in names:
            events.append(name, who="test", **more)


def names(page):
    return [event.what for event in page.events]


def test_pages_follow_each_other(store, events):
    append(store, events, *"abcde")
    first = events.read(None, limit=2)
    second = events.read(first.next, limit=2)
    third = events.read(second.next, limit=2)
    last = events.read(third.next, limit=2)
    assert [names(page) for page in (first, second, third, last)] == [
        ["a", "b"],
        ["c", "d"],
        ["e"],
        [],
    ]
    assert last.next == third.next == events.read(None).events[-1].cursor
    assert not any(page.reset for page in (first, second, third, last))


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "3",
        "other-3",
        "{epoch}-",
        "{epoch}-6",
        "{epoch}-x",
        "{epoch}-٣",
        "{epoch}--1",
        "{epoch}-" + "9" * 5000,
        "-3",
    ],
)
def test_an_unknown_cursor_starts_again_where_open_work_began(store, events, cursor):
    append(store, events, *"abcde")
    page = events.read(cursor.format(epoch=store.epoch))
    assert page.reset
    assert names(page) == ["c", "d", "e"]
    assert not events.read(page.next).reset


def test_events_of_one_run(store, events):
    append(store, events, "a", run="r1")
    append(store, events, "b", run="r2")
    append(store, events, "c", run="r1")
    page = events.read(None, run="r1")
    assert names(page) == ["a", "c"]
    assert names(events.read(page.next, run="r1")) == []


def test_an_event_tells_all(store, events):
    append(store, events, "a", run="r1", stage="s", attempt=2, code="x.y")
    (event,) = events.read(None).events
    document = event.document()
    assert document.pop("time").endswith("Z")
    assert document == {
        "id": f"{store.epoch}-1",
        "who": "test",
        "what": "a",
        "run": "r1",
        "stage": "s",
        "attempt": 2,
        "payload": {"code": "x.y"},
    }


@pytest.mark.parametrize(("size", "kept"), [(PAYLOAD_LIMIT - 8, True), (PAYLOAD_LIMIT, False)])
def test_a_payload_that_is_too_large_is_left_out(store, events, size, kept):
    append(store, events, "a", x="y" * size)
    (event,) = events.read(None).events
    assert event.payload == ({"x": "y" * size} if kept else {"truncated": True})


@pytest.mark.parametrize("field", ["run", "stage"])
@pytest.mark.parametrize("name", ["<% x %>", "{{ x }}", "; touch x", ""])
def test_no_event_has_a_name_that_is_no_identifier(store, events, field, name):
    with pytest.raises(InvalidError):
        append(store, events, "a", **{field: name})
    assert events.read(None).events == []


def test_an_event_needs_a_transaction(events):
    with pytest.raises(AssertionError):
        events.append("a", who="test")


def test_an_event_of_a_change_that_failed_is_not_there(store, events):
    with pytest.raises(ZeroDivisionError), store.transaction():
        events.append("a", who="test")
        raise ZeroDivisionError
    assert events.read(None).events == []


def test_who_waits_is_woken_by_an_event_and_not_without(store, events):
    async def scenario():
        watch = asyncio.create_task(events.watch())
        assert await asyncio.wait_for(events.wait(0.12), 60) is None
        waiting = asyncio.create_task(events.wait(600))
        await asyncio.sleep(0)
        append(store, events, "a")
        await asyncio.wait_for(waiting, 60)
        watch.cancel()

    asyncio.run(scenario())
