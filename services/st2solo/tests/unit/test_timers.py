"""A clock that is set back."""

from datetime import timedelta

from st2solo import moments
from st2solo.resources import Kind, Resource, Resources
from st2solo.store import Store
from st2solo.timers import Timers
from st2solo.triggers import INTERVAL_TIMER, Triggers


def test_a_clock_set_back_does_not_silence_a_timer(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    resources = Resources(store)
    timers = Timers(store, resources, Triggers(store, resources))
    content = {"name": "t", "type": INTERVAL_TIMER, "parameters": {"unit": "minutes", "delta": 1}}
    trigger = Resource("1", Kind.TRIGGER, "core.t", "core", True, True, content)
    now = moments.now()
    assert timers._wait(trigger, now) == 60
    assert timers._wait(trigger, now + timedelta(seconds=20)) == 40
    assert timers._wait(trigger, now - timedelta(days=1)) == 60
    store.close()
