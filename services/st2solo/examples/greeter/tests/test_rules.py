"""End to end: a real st2solo with this pack, for the length of a test."""

from pathlib import Path

PACK = Path(__file__).parents[1]


def test_who_arrives_is_welcomed(st2solo):
    st2solo.packs(PACK, configs={"greeter": {"greeting": "Good evening"}})
    st2solo.dispatch("greeter.arrived", {"name": "nobody"})
    st2solo.dispatch("greeter.arrived", {"name": "Ann"})

    welcome = st2solo.wait_for("greeter.welcome")
    assert welcome["status"] == "succeeded"
    assert welcome["result"]["output"] == {"texts": ["Good evening, Ann"]}

    again = st2solo.run("greeter.greet", name="Ann")
    assert again["result"]["result"]["times"] == 2
    assert len(st2solo.executions("greeter.welcome")) == 1  # of one of the two events
