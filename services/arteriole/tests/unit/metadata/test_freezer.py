"""One freeze of an attempt at a time."""

import asyncio

import pytest

from arteriole.app.store import Store
from arteriole.metadata.errors import SourceError
from arteriole.metadata.freezer import Freezer
from arteriole.metadata.freezes import Freezes
from arteriole.metadata.lookup import Lookup
from arteriole.metadata.record import read_record
from arteriole.metadata.samples import Samples

ATTEMPT = ("RUN1", 1)


class Source:
    """Knows S1, answers when it is let go, and remembers whom it was asked for."""

    name, kind, is_failing = "slow", "slow", False

    def __init__(self):
        self.asked = []
        self.go = asyncio.Event()

    async def find(self, sample):
        self.asked.append(sample)
        await self.go.wait()
        values = {"sample": sample, "project": "P1", "use": "research", "control": "phix"}
        return read_record(values).entry() if sample == "S1" else None

    def document(self):
        return {}


@pytest.fixture
def freezer(tmp_path):
    source = Source()
    store = Store(tmp_path / "metadata.sqlite", "arteriole.metadata.sql")
    yield Freezer(Freezes(store, Samples(store)), Lookup([source])), source
    store.close()


def test_callers_that_ask_for_the_same_share_one_look(freezer):
    freezer, source = freezer

    async def several():
        same = [asyncio.create_task(freezer.freeze(ATTEMPT, ["S1", "S2"])) for _ in range(5)]
        other = asyncio.create_task(freezer.freeze(ATTEMPT, ["S3"]))
        elsewhere = asyncio.create_task(freezer.freeze(("RUN1", 2), ["S1"]))
        while len(source.asked) < 3:
            await asyncio.sleep(0)
        source.go.set()
        return await asyncio.gather(*same, other, elsewhere)

    *same, other, elsewhere = asyncio.run(several())
    assert all(one == same[0] for one in same)
    assert [one["sample"] for one in other["missing"]] == ["S2", "S3"]
    assert other["records"] == same[0]["records"] and elsewhere["complete"]
    assert sorted(source.asked) == ["S1", "S1", "S2", "S2", "S3"]


def test_a_caller_that_goes_away_does_not_take_the_others_along(freezer):
    freezer, source = freezer

    async def two():
        first = asyncio.create_task(freezer.freeze(ATTEMPT, ["S1"]))
        second = asyncio.create_task(freezer.freeze(ATTEMPT, ["S1"]))
        while not source.asked:
            await asyncio.sleep(0)
        first.cancel()
        source.go.set()
        return await second

    assert asyncio.run(two())["complete"] and source.asked == ["S1"]


def test_at_the_end_of_the_service_the_caller_is_told(freezer):
    freezer, source = freezer

    async def stopped():
        asking = asyncio.create_task(freezer.freeze(ATTEMPT, ["S1"]))
        while not source.asked:
            await asyncio.sleep(0)
        await freezer.stop()
        assert asking.done(), "before the loop ends"
        return await asking

    with pytest.raises(SourceError, match="being stopped"):
        asyncio.run(stopped())
