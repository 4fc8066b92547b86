"""Leases: one client has a run until it says what became of it, or the lease runs out."""

import asyncio

import pytest

from arteriole.app import times
from arteriole.app.errors import ConflictError
from arteriole.app.mode import Mode
from arteriole.runfolder.leases import Leases
from arteriole.runfolder.overdue import overdue
from arteriole.runfolder.plan import Plan
from arteriole.runfolder.runs import LeaseLostError
from arteriole.runfolder.states import RunState
from arteriole.runfolder.verdict import VerdictKind
from arteriole.runfolder.why import why

from .conftest import PLAN, RUN, verdict

TOLD = ("run_ready", "picked_up", "lease_ended", "lease_expired", "lease_given_back")


class Counter:
    """Where runs are picked up."""

    def __init__(self, desk):
        self.desk = desk
        self.leases = Leases(desk.runs, 60.0)

    def pick_up(self, client="client1", seconds=None):
        return self.leases.pick_up(client, seconds, "token1")

    def pass_time(self):
        """The leases run out; nobody has noticed yet."""
        with self.desk.store.transaction():
            self.desk.store.execute("UPDATE lease SET until = ?", (times.now(-0.001),))

    def told(self):
        return [what for what, _, _ in self.desk.told(*TOLD)]


@pytest.fixture
def counter(desk):
    desk.arrive()
    return Counter(desk)


def test_a_run_is_handed_to_one(counter):
    run = counter.pick_up()
    assert (run.name, run.state, run.claimable) == (RUN, RunState.PENDING, False)
    assert (run.lease.client, run.lease.seconds) == ("client1", 60.0)
    assert 59 < -times.seconds_since(run.lease.until) <= 60
    assert counter.pick_up("client2") is None
    assert counter.told() == ["run_ready", "picked_up"]
    assert counter.desk.last("picked_up").payload == {"client": "client1", "until": run.lease.until}
    assert counter.desk.last("picked_up").who == "token1"


def test_what_is_known_longest_comes_first(counter):
    counter.desk.arrive("later")
    assert [counter.pick_up().name for _ in range(2)] == [RUN, "later"]


@pytest.mark.parametrize("seconds", [5.0, 3000.0])
def test_a_client_may_ask_for_another_time(counter, seconds):
    lease = counter.pick_up(seconds=seconds).lease
    assert seconds - 1 < -times.seconds_since(lease.until) <= seconds
    renewed = counter.leases.renew(lease.id, None).lease
    assert renewed.until >= lease.until
    assert seconds - 1 < -times.seconds_since(renewed.until) <= seconds
    assert -times.seconds_since(counter.leases.renew(lease.id, 9000.0).lease.until) > 8999


@pytest.mark.parametrize("again", ["watched", "asked", "restarted"])
def test_a_lease_that_ran_out_makes_the_run_ready_again(counter, again):
    lease = counter.pick_up().lease
    counter.pass_time()
    if again == "watched":
        counter.leases.expire()
        assert counter.desk.run.state is RunState.READY
    if again == "restarted":
        counter = Counter(counter.desk.switch(Mode.ACT))
    assert counter.pick_up("client2").lease.client == "client2"
    assert counter.told() == ["run_ready", "picked_up", "lease_expired", "run_ready", "picked_up"]
    assert counter.desk.last("lease_expired").payload == {"client": "client1"}
    for late in (
        lambda: counter.leases.renew(lease.id, None),
        lambda: counter.leases.give_back(lease.id, "token1"),
        lambda: counter.desk.runs.set_arteria_state(
            counter.desk.run, RunState.DONE, "token1", lease.id
        ),
        lambda: counter.desk.attempts.claim(RUN, Plan(stages=PLAN), "x", "token1", lease.id),
    ):
        with pytest.raises(LeaseLostError):
            late()
    assert counter.desk.run.lease.client == "client2"


def test_it_ends_leases_as_they_run_out(counter):
    async def watched():
        watch = asyncio.create_task(counter.leases.run())
        await asyncio.sleep(0)  # it waits for the first lease
        counter.pick_up(seconds=0.03)
        async with asyncio.timeout(30):
            while counter.desk.run.state is not RunState.READY:
                await asyncio.sleep(0.005)
        watch.cancel()

    asyncio.run(watched())
    assert counter.told()[-2:] == ["lease_expired", "run_ready"]


@pytest.mark.parametrize("named", [True, False])
def test_a_state_ends_the_lease(counter, named):
    lease = counter.pick_up().lease
    counter.desk.runs.set_arteria_state(
        counter.desk.run, RunState.DONE, "token1", lease.id if named else None
    )
    assert (counter.desk.run.state, counter.desk.run.lease) == (RunState.DONE, None)
    assert counter.told() == ["run_ready", "picked_up", "lease_ended"]
    counter.pass_time()
    counter.leases.expire()
    assert counter.desk.run.state is RunState.DONE


def test_the_state_none_makes_it_ready_again(counter):
    counter.pick_up()
    counter.desk.runs.set_arteria_state(counter.desk.run, RunState.NONE, "token1")
    assert counter.told()[-2:] == ["lease_ended", "run_ready"]
    assert counter.desk.run.state is RunState.READY


def test_it_is_claimed_by_whoever_picked_it_up_only(counter):
    lease = counter.pick_up().lease
    for other in (None, "0" * 32):
        with pytest.raises(ConflictError) as error:
            counter.desk.attempts.claim(RUN, Plan(stages=PLAN), "x", "packs", other)
        assert error.value.code == ("run.not_ready" if other is None else "pickup.lost")
    assert "client1 picked it up, and has it until" in str(_refused_claim(counter))
    for claimed in (True, False):
        answer = counter.desk.attempts.claim(RUN, Plan(stages=PLAN), "x", "token1", lease.id)
        assert answer["claimed"] is claimed
    assert (counter.desk.run.lease, counter.desk.run.attempt) == (None, 1)


def _refused_claim(counter):
    with pytest.raises(ConflictError) as error:
        counter.desk.claim()
    return error.value


def test_it_is_given_back(counter):
    lease = counter.pick_up().lease
    assert counter.leases.give_back(lease.id, "token1").state is RunState.READY
    assert counter.told()[-2:] == ["lease_given_back", "run_ready"]
    with pytest.raises(LeaseLostError):
        counter.leases.give_back(lease.id, "token1")


def test_an_abort_ends_it(counter):
    lease = counter.pick_up().lease
    counter.desk.abort()
    assert counter.desk.run.state is RunState.CANCELLED
    with pytest.raises(LeaseLostError, match="ran out, or was ended"):
        counter.leases.renew(lease.id, None)
    counter.desk.adopt()
    assert counter.desk.run.state is RunState.READY


def test_a_hold_lets_the_client_go_on_and_keeps_the_run_from_the_next(counter):
    lease = counter.pick_up().lease
    counter.desk.hold()
    assert counter.leases.renew(lease.id, None).held is not None
    counter.pass_time()
    assert counter.pick_up("client2") is None
    assert counter.told()[-1] == "lease_expired"
    counter.desk.free()
    assert counter.told()[-1] == "run_ready"
    assert counter.pick_up("client2").name == RUN


def test_a_held_run_is_not_handed_out_even_if_a_client_says_that_it_is_ready(counter):
    counter.desk.runs.set_arteria_state(counter.desk.run, RunState.READY, "arteria")
    counter.desk.hold()
    assert counter.desk.run.state is RunState.PENDING
    assert counter.pick_up() is None


@pytest.mark.parametrize("kind", [VerdictKind.UNREACHABLE, VerdictKind.REFUSED])
def test_what_cannot_be_worked_on_is_not_handed_out(desk, kind):
    run = desk.runs.register(desk.arrive("other").path.with_name(RUN), adopted=True)
    desk.runs.set_arteria_state(desk.runs.get("other"), RunState.DONE, "arteria")
    desk.runs.judged(run, verdict(kind))
    desk.runs.set_arteria_state(desk.run, RunState.READY, "arteria")
    assert desk.run.state is RunState.READY
    assert Counter(desk).pick_up() is None


def test_no_run_is_handed_out_while_only_observed(make_desk):
    desk = make_desk(mode=Mode.OBSERVE)
    desk.arrive()
    with pytest.raises(ConflictError) as error:
        Counter(desk).pick_up()
    assert error.value.code == "pickup.observe"
    assert desk.run.state is RunState.READY


def test_a_run_that_was_observed_and_adopted_is_handed_out_and_ended(make_desk):
    desk = make_desk(mode=Mode.OBSERVE)
    desk.arrive()
    desk.claim()
    desk.do("convert", "checksum", "transfer", "archive", "tell")
    desk = desk.switch(Mode.ACT)
    assert Counter(desk).pick_up() is None
    desk.adopt()
    run = Counter(desk).pick_up()
    desk.runs.set_arteria_state(run, RunState.DONE, "token1", run.lease.id)
    assert desk.run.state is RunState.DONE


def test_why_says_who_has_it_and_until_when(counter):
    lease = counter.pick_up().lease
    until = f"{lease.until[:19]}Z"
    reason = why(counter.desk.run)
    assert f"picked up by client1, who has it until {until}" in reason["message"]
    assert counter.desk.run.since == lease.since
    counter.desk.hold()
    reason = why(counter.desk.run)
    assert reason["code"] == "run.held"
    assert f"client1, who has it until {until}" in reason["message"]


def test_a_picked_up_run_is_not_overdue(counter):
    assert overdue(counter.desk.runs.unfinished(), 0.0)
    counter.pick_up()
    assert overdue(counter.desk.runs.unfinished(), 0.0) == []
