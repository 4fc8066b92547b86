"""What a sensor's process is told of the triggers of its types, and in which order."""

import pytest

from st2solo.resources import Kind
from st2solo.rule_files import rule_content
from st2solo.sensor_triggers import ToldTriggers

_TYPES = ("demo.plain", "demo.line", "demo.more")


class Rules:
    """Rules over triggers, which a test makes and deletes; the sensor is told in between."""

    def __init__(self, site):
        self._site = site
        schema = {"type": "object", "properties": {"path": {"type": "string"}}}
        for name in ("more", "line", "other"):
            content = {"name": name, "parameters_schema": schema}
            site.triggers.register_type(content, "demo")
        site.triggers.register_type({"name": "plain"}, "demo")
        self._told = ToldTriggers(site.triggers, _TYPES)

    def add(self, name, type_ref, *, enabled=True, **parameters):
        given = {"name": name, "pack": "demo", "action": {"ref": "core.noop"}}
        given |= {"trigger": {"type": type_ref, "parameters": parameters}}
        content = rule_content(given, self._site.triggers)
        rule, resources = f"demo.{name}", self._site.resources
        if any(one.ref == rule for one in resources.list(Kind.RULE)):
            resources.update(resources.get(Kind.RULE, rule), content, enabled=enabled)
        else:
            resources.create(Kind.RULE, rule, "demo", content, enabled=enabled)

    def delete(self, name):
        self._site.resources.delete(self._site.resources.get(Kind.RULE, f"demo.{name}"))

    def told(self):
        return [
            (one["method"].partition("_")[0], one["trigger"]["type"], one["trigger"]["parameters"])
            for one in self._told.changes()
        ]


@pytest.fixture
def rules(site):
    return Rules(site)


def test_all_triggers_come_first_in_the_order_of_the_types(rules):
    rules.add("a", "demo.more", path="/m")
    rules.add("b", "demo.line", path="/l")
    rules.add("c", "demo.other", path="/o")
    assert rules.told() == [
        ("add", "demo.plain", {}),
        ("add", "demo.line", {"path": "/l"}),
        ("add", "demo.more", {"path": "/m"}),
    ]
    assert rules.told() == []


def test_rules_come_change_and_go(rules):
    rules.told()
    rules.add("a", "demo.line", path="/1")
    assert rules.told() == [("add", "demo.line", {"path": "/1"})]
    rules.add("a", "demo.line", enabled=False, path="/1")
    assert rules.told() == []
    rules.add("a", "demo.line", path="/2")
    assert rules.told() == [
        ("add", "demo.line", {"path": "/2"}),
        ("remove", "demo.line", {"path": "/1"}),
    ]
    rules.delete("a")
    assert rules.told() == [("remove", "demo.line", {"path": "/2"})]


def test_a_trigger_is_there_while_any_rule_uses_it(rules):
    rules.told()
    rules.add("a", "demo.line", path="/1")
    rules.add("b", "demo.line", path="/1")
    assert rules.told() == [("add", "demo.line", {"path": "/1"})]
    rules.delete("a")
    assert rules.told() == [("update", "demo.line", {"path": "/1"})]
    rules.add("c", "demo.line", path="/1")
    assert rules.told() == [("update", "demo.line", {"path": "/1"})]
    rules.delete("b")
    rules.delete("c")
    assert rules.told() == [("remove", "demo.line", {"path": "/1"})]


def test_what_came_and_went_unseen_is_not_told(rules):
    rules.told()
    rules.add("a", "demo.line", path="/1")
    rules.delete("a")
    assert rules.told() == []


def test_the_only_trigger_of_a_type_without_parameters_stays(rules):
    rules.told()
    rules.add("a", "demo.plain")
    rules.delete("a")
    assert rules.told() == []


def test_a_rule_that_leaves_all_parameters_out_is_told_of_too(rules):
    rules.told()
    rules.add("a", "demo.line")
    assert rules.told() == [("add", "demo.line", {})]


def test_the_trigger_is_told_as_the_api_shows_it(site, rules):
    rules.add("a", "demo.line", path="/1")
    (trigger,) = site.triggers.of_type("demo.line")
    changes = ToldTriggers(site.triggers, ["demo.line"]).changes()
    assert changes == [{"method": "add_trigger", "trigger": trigger.document()}]
    assert set(trigger.document()) == {"id", "ref", "uid", "pack", "name", "type", "parameters"}
