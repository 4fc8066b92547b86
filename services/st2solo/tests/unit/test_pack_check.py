"""`st2solo check`: faults planted one by one into a good pack, each found where it is, alone."""

import copy
import json
import random
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from st2solo.cli import commands
from st2solo.findings import BAD, WARNING
from st2solo.pack_check.codes import CODES
from st2solo.pack_check.examination import Fault, examine
from st2solo.registry import BUILT_IN

_ROOT = Path(__file__).resolve().parents[4]

_GOOD = {
    "lib/optional.py": """\
from st2common.runners import base_action
from st2common.util import isotime

try:
    from st2client.client import Client
except ImportError:
    Client = None
""",
    "pack.yaml": """\
name: demo
description: d
version: 0.1.0
author: a
email: a@example.org
""",
    "requirements.txt": """\
# what the actions need
requests>=2.25,<3  # for all
six; python_version < "3"
git+https://example.org/x.git#egg=x
--no-binary :none:
""",
    "config.schema.yaml": """\
port:
  type: integer
  default: 80
  required: true
token:
  type: string
  secret: true
  default: "{{ st2kv.system.token }}"
""",
    "actions/lib/shared.py": "NAME = 1\n",
    "actions/unused.txt": "nobody names this\n",
    "actions/greet.py": """\
from st2common.runners.base_action import Action


class Greet(Action):
    def run(self, name, count):
        return (True, name * count)
""",
    "actions/greet.yaml": """\
---
name: greet
pack: demo
description: d
enabled: true
runner_type: python-script
entry_point: greet.py
tags: [{name: a, value: b}]
parameters:
  name:
    type: string
    required: true
    position: 1
  count:
    type: integer
    default: 1
    position: 2
  mood:
    type: string
    enum: [gay, sad]
    default: gay
  port:
    type: integer
    default: "{{ config_context.port }}"
  fixed:
    type: boolean
    immutable: true
    default: true
  timeout:
    default: 30
""",
    "actions/script.sh": "#!/bin/sh\necho\n",
    "actions/script.yaml": """\
name: script
runner_type: local-shell-script
entry_point: script.sh
""",
    "actions/flow.yaml": """\
name: flow
runner_type: orquesta
entry_point: workflows/flow.yaml
parameters:
  who:
    type: string
    required: true
""",
    "actions/workflows/flow.yaml": """\
version: 1.0
description: says hello in {{ nobody }}'s way
input:
  - who
  - loud: <% ctx().who.toUpper() %>
vars:
  - words: null
tasks:
  first:
    action: demo.greet name=<% ctx().who %> count=2
    next:
      - when: <% succeeded() %>
        publish: words=<% result().result %>
        do: second, third
      - when: <% failed() %>
        publish:
          - why: <% result().stderr %>
        do: [last]
  second:
    action: core.local
    input:
      cmd: >-
        echo <% ctx().words %>
        {# a comment #}
      timeout: 5
    next:
      - do: last
  third:
    with: item in <% ctx().words %>
    action: demo.script
    next:
      - do: last
  last:
    join: 1
    action: core.noop
output:
  - words: "{{ ctx().words }}"
""",
    "triggers/seen.yaml": """\
name: seen
payload_schema:
  type: object
  properties:
    who: {type: string}
    list: {type: array}
    from:
      type: object
      properties:
        host: {type: string}
      additionalProperties: false
  additionalProperties: false
""",
    "sensors/watch.py": """\
from st2reactor.sensor.base import Sensor


class Watch(Sensor):
    def run(self):
        self.sensor_service.dispatch(trigger="demo.seen", payload={})
        self.sensor_service.dispatch("demo.heard", {})
""",
    "sensors/watch.yaml": """\
class_name: Watch
entry_point: watch.py
trigger_types:
  - name: heard
    payload_schema:
      type: object
""",
    "rules/seen.yaml": """\
name: seen
enabled: true
trigger:
  type: demo.seen
criteria:
  trigger.who:
    type: equals
    pattern: "{{ st2kv.system.who }}"
  trigger.from.host:
    type: exists
    pattern: true
  trigger.list:
    type: search
    condition: any
    pattern:
      item.a: {type: eq, pattern: x}
      item.b: {type: regex, pattern: "{{ item.c }}"}
action:
  ref: demo.greet
  parameters:
    name: "{{ trigger.who }} of {{ trigger.from.host | default('x') }}"
    count: "3"
""",
    "rules/timer.yaml": """\
name: timer
trigger:
  type: core.st2.IntervalTimer
  parameters:
    unit: hours
    delta: 1
action:
  ref: demo.flow
  parameters:
    who: "{{ trigger.executed_at }}"
""",
    "aliases/greet.yaml": """\
name: greet
action_ref: demo.greet
formats:
  - "greet {{ name }}"
  - display: "greet many"
    representation:
      - "greet {{ name }} {{ count = 3 }} times"
immutable_parameters:
  mood: sad
ack:
  format: "greeting {{ execution.parameters.name }}"
""",
    "policies/one.yaml": """\
name: one
resource_ref: demo.greet
policy_type: action.concurrency.attr
parameters:
  threshold: 1
  attributes: [name]
""",
}


#: What is planted: file, text there (None: append; the file is made if it is not there), text
#: instead; the code; the file in which it is found if that is another; and a text in its line.
_PLANTED = {
    "pack.yaml without a version": (
        ("pack.yaml", "version: 0.1.0\n", ""),
        ("field.missing", "pack.yaml", "name: demo"),
    ),
    "a version of two numbers": (
        ("pack.yaml", "0.1.0", '"0.1"'),
        ("field.value", "pack.yaml", "version"),
    ),
    "an email address of which there are two": (
        ("pack.yaml", "a@example.org", "a@example.org, b@example.org"),
        ("field.value", "pack.yaml", "email"),
    ),
    "YAML that does not end": (
        ("actions/bad.yaml", None, "name: bad\nx: [\n"),
        ("file.unreadable", "actions/bad.yaml", 3),
    ),
    "a file that is a list": (
        ("rules/bad.yaml", None, "- name\n"),
        ("file.unreadable", "rules/bad.yaml", "- name"),
    ),
    "a key twice": (
        ("actions/greet.yaml", "    default: 1\n", "    default: 1\n    default: 2\n"),
        ("file.repeated_key", "actions/greet.yaml", "default: 2"),
    ),
    "a key twice in a workflow": (
        ("actions/workflows/flow.yaml", "    join: 1\n", "    join: 1\n    join: all\n"),
        ("file.repeated_key", "actions/workflows/flow.yaml", "join: all"),
    ),
    "an unknown key of an action": (
        ("actions/greet.yaml", "enabled: true\n", "enabled: true\ncolour: red\n"),
        ("field.unknown", "actions/greet.yaml", "colour"),
    ),
    "an unknown key of a parameter": (
        ("actions/greet.yaml", "    enum:", "    choices: [a]\n    enum:"),
        ("field.unknown", "actions/greet.yaml", "choices"),
    ),
    "an unknown key of a rule": (
        ("rules/seen.yaml", "enabled: true", "enable: true"),
        ("field.unknown", "rules/seen.yaml", "enable: true"),
    ),
    "a file in JSON": (
        ("rules/late.json", None, json.dumps({"name": "late", "trigger": {}, "action": {}})),
        ("file.ignored", "rules/late.json", 1),
    ),
    "an unknown key of a sensor": (
        ("sensors/watch.yaml", None, "poll: 3\n"),
        ("field.ignored", "sensors/watch.yaml", "poll"),
    ),
    "an unknown key of a trigger": (
        ("triggers/seen.yaml", None, "payload: {}\n"),
        ("field.ignored", "triggers/seen.yaml", "payload: "),
    ),
    "an unknown key of an alias": (
        ("aliases/greet.yaml", None, "answer: {}\n"),
        ("field.unknown", "aliases/greet.yaml", "answer"),
    ),
    "an unknown key of a policy": (
        ("policies/one.yaml", None, "limit: 1\n"),
        ("field.unknown", "policies/one.yaml", "limit"),
    ),
    "an unknown key of the configuration": (
        ("config.schema.yaml", "  secret: true\n", "  secret: true\n  hidden: true\n"),
        ("field.unknown", "config.schema.yaml", "hidden"),
    ),
    "an unknown key of a sensor's trigger type": (
        ("sensors/watch.yaml", "payload_schema:", "payload_info: [a]\n    payload_schema:"),
        ("field.ignored", "sensors/watch.yaml", "payload_info"),
    ),
    "an unknown key within a parameter": (
        (
            "actions/greet.yaml",
            "  fixed:\n",
            "  names:\n    type: array\n    items:\n      typ: string\n  fixed:\n",
        ),
        ("field.ignored", "actions/greet.yaml", "typ:"),
    ),
    "an unknown key of an output schema": (
        ("actions/greet.yaml", None, "output_schema:\n  type: string\n  secert: true\n"),
        ("field.ignored", "actions/greet.yaml", "secert:"),
    ),
    "an unknown key within an output schema": (
        (
            "actions/greet.yaml",
            None,
            "output_schema:\n  type: object\n  properties:\n    a:\n      secert: true\n",
        ),
        ("field.ignored", "actions/greet.yaml", "secert:"),
    ),
    "a type that there is not": (
        ("actions/greet.yaml", "type: boolean", "type: bool"),
        ("field.value", "actions/greet.yaml", "type: bool"),
    ),
    "tags that are texts": (
        ("actions/greet.yaml", "[{name: a, value: b}]", "[a]"),
        ("field.type", "actions/greet.yaml", "tags"),
    ),
    "a required that is a list": (
        ("actions/greet.yaml", "required: true", "required: [name]"),
        ("field.type", "actions/greet.yaml", "required"),
    ),
    "a name with a dash": (
        ("actions/greet.yaml", "  mood:", "  the-mood:"),
        ("field.name", "actions/greet.yaml", "the-mood"),
    ),
    "another pack": (
        ("actions/greet.yaml", "pack: demo", "pack: other"),
        ("field.pack", "actions/greet.yaml", "pack: other"),
    ),
    "two actions of one name": (
        ("actions/twice.yaml", None, "name: script\nrunner_type: noop\n"),
        ("name.twice", "actions/twice.yaml", "name: script"),
    ),
    "an unknown runner": (
        ("actions/script.yaml", "local-shell-script", "mistral-v2"),
        ("runner.unknown", "actions/script.yaml", "mistral"),
    ),
    "a runner that only StackStorm has": (
        ("actions/there.yaml", None, "name: there\nrunner_type: winrm-cmd\n"),
        ("runner.elsewhere", "actions/there.yaml", "winrm-cmd"),
    ),
    "no entry point": (
        ("actions/script.yaml", "entry_point: script.sh\n", ""),
        ("entry_point.missing", "actions/script.yaml", "name: script"),
    ),
    "an entry point elsewhere": (
        ("actions/script.yaml", "script.sh", "../../script.sh"),
        ("entry_point.outside", "actions/script.yaml", "entry_point"),
    ),
    "an entry point that is not there": (
        ("actions/script.yaml", "script.sh", "scrip.sh"),
        ("entry_point.not_there", "actions/script.yaml", "entry_point"),
    ),
    "a workflow that is not there": (
        ("actions/flow.yaml", "flow.yaml", "flows.yaml"),
        ("entry_point.not_there", "actions/flow.yaml", "entry_point"),
    ),
    "a sensor that is not there": (
        ("sensors/watch.yaml", "watch.py", "watches.py"),
        ("entry_point.not_there", "sensors/watch.yaml", "entry_point"),
    ),
    "code that is no Python": (
        ("actions/greet.py", "return (True", "return (True,,"),
        ("python.syntax", "actions/greet.py", "return"),
    ),
    "a library that is no Python": (
        ("actions/lib/shared.py", None, "NAME =\n"),
        ("python.syntax", "actions/lib/shared.py", 2),
    ),
    "return outside of a function": (
        ("sensors/watch.py", None, "return\n"),
        ("python.syntax", "sensors/watch.py", 8),
    ),
    "an action without run": (
        ("actions/greet.py", "def run", "def ran"),
        ("python.no_class", "actions/greet.py", 1),
    ),
    "a sensor whose class is not there": (
        ("sensors/watch.yaml", "class_name: Watch", "class_name: Watcher"),
        ("python.no_class", "sensors/watch.yaml", "class_name"),
    ),
    "a module that only StackStorm has": (
        ("actions/lib/shared.py", None, "from st2common.persistence.action import Action\n"),
        ("python.import", "actions/lib/shared.py", "persistence"),
    ),
    "a name that only StackStorm's module has": (
        ("actions/lib/shared.py", None, "from st2common.util.isotime import add_utc_tz\n"),
        ("python.import", "actions/lib/shared.py", "isotime"),
    ),
    "st2client, which is not required": (
        ("sensors/watch.py", None, "def ask():\n    from st2client import client\n"),
        ("python.import", "sensors/watch.py", "st2client"),
    ),
    "a type that the runner has otherwise": (
        ("actions/greet.yaml", "  timeout:\n", "  timeout:\n    type: string\n"),
        ("parameter.override", "actions/greet.yaml", "  timeout"),
    ),
    "an attribute that the runner's parameter lacks": (
        ("actions/greet.yaml", "  timeout:\n", "  timeout:\n    secret: true\n"),
        ("parameter.override", "actions/greet.yaml", "  timeout"),
    ),
    "immutable without a default": (
        ("actions/greet.yaml", "    immutable: true\n    default: true\n", "    immutable: true\n"),
        ("parameter.immutable", "actions/greet.yaml", "  fixed"),
    ),
    "a position twice": (
        ("actions/greet.yaml", "position: 2", "position: 1"),
        ("parameter.position", "actions/greet.yaml", 17),
    ),
    "a gap of positions": (
        ("actions/greet.yaml", "position: 2", "position: 3"),
        ("parameter.position", "actions/greet.yaml", "parameters:"),
    ),
    "a default of another type": (
        ("actions/greet.yaml", "default: 1", 'default: "1"'),
        ("parameter.default", "actions/greet.yaml", 'default: "1"'),
    ),
    "a default that is not in the enum": (
        ("actions/greet.yaml", "default: gay", "default: glad"),
        ("parameter.default", "actions/greet.yaml", "glad"),
    ),
    "a default of the runner's parameter of another type": (
        ("actions/greet.yaml", "default: 30", "default: soon"),
        ("parameter.default", "actions/greet.yaml", "soon"),
    ),
    "a default of the configuration of another type": (
        ("config.schema.yaml", "default: 80", "default: http"),
        ("parameter.default", "config.schema.yaml", "http"),
    ),
    "a template that does not end, as a default": (
        ("actions/greet.yaml", "config_context.port }}", "config_context.port"),
        ("template.syntax", "actions/greet.yaml", "config_context"),
    ),
    "an unknown name in a default": (
        ("actions/greet.yaml", "config_context.port", "config.port"),
        ("template.name", "actions/greet.yaml", "config.port"),
    ),
    "a workflow of another version of keys": (
        ("actions/workflows/flow.yaml", "    join: 1", "    on-success: 1"),
        ("workflow.syntax", "actions/workflows/flow.yaml", "on-success"),
    ),
    "do an unknown task": (
        ("actions/workflows/flow.yaml", "do: second, third", "do: second, third, fourth"),
        ("workflow.unknown_task", "actions/workflows/flow.yaml", "fourth"),
    ),
    "a task to which none leads but itself": (
        ("actions/workflows/flow.yaml", "output:", "  lost:\n    next:\n      - do: lost\noutput:"),
        ("workflow.unreachable", "actions/workflows/flow.yaml", "  lost:"),
    ),
    "tasks in a circle": (
        ("actions/workflows/flow.yaml", "action: core.noop", "next: [{do: first}]"),
        ("workflow.no_start", "actions/workflows/flow.yaml", "tasks:"),
    ),
    "an unknown action in a workflow": (
        ("actions/workflows/flow.yaml", "demo.script", "demo.scrip"),
        ("action.unknown", "actions/workflows/flow.yaml", "demo.scrip"),
    ),
    "an action of another pack in a workflow": (
        ("actions/workflows/flow.yaml", "demo.script", "other.script"),
        ("action.unknown_pack", "actions/workflows/flow.yaml", "other.script"),
    ),
    "an action that only StackStorm's core has": (
        ("actions/workflows/flow.yaml", "demo.script", "core.sendmail"),
        ("action.elsewhere", "actions/workflows/flow.yaml", "core.sendmail"),
    ),
    "an action that only StackStorm's packs has, by another of its name": (
        ("rules/timer.yaml", "demo.flow", "packs.load"),
        ("action.elsewhere", "rules/timer.yaml", "packs.load"),
    ),
    "a parameter for an action without any, in a workflow": (
        ("actions/workflows/flow.yaml", "    action: core.noop\n", "    action: core.noop a=1\n"),
        ("parameter.unknown", "actions/workflows/flow.yaml", "core.noop"),
    ),
    "an unknown parameter in a workflow": (
        ("actions/workflows/flow.yaml", "      timeout: 5", "      timeouts: 5"),
        ("parameter.unknown", "actions/workflows/flow.yaml", "timeouts"),
    ),
    "an unknown parameter behind the action": (
        ("actions/workflows/flow.yaml", "count=2", "counts=2"),
        ("parameter.unknown", "actions/workflows/flow.yaml", "counts=2"),
    ),
    "a parameter that a workflow does not give": (
        ("actions/workflows/flow.yaml", "name=<% ctx().who %> ", ""),
        ("parameter.missing", "actions/workflows/flow.yaml", "demo.greet"),
    ),
    "a value of another type in a workflow": (
        ("actions/workflows/flow.yaml", "      timeout: 5", "      timeout: soon"),
        ("parameter.value", "actions/workflows/flow.yaml", "timeout: soon"),
    ),
    "a parameter that orquesta drops": (
        ("actions/workflows/flow.yaml", "count=2", "count=2 mood=gay"),
        ("workflow.inline", "actions/workflows/flow.yaml", "mood=gay"),
    ),
    "a mapping that orquesta drops": (
        (
            "actions/workflows/flow.yaml",
            "count=2\n",
            "count=2\n    input:\n      mood: sad\n",
        ),
        ("workflow.inline", "actions/workflows/flow.yaml", "    input:"),
    ),
    "a published value that orquesta drops": (
        ("actions/workflows/flow.yaml", "publish: words", "publish: words=it words"),
        ("workflow.inline", "actions/workflows/flow.yaml", "words=it"),
    ),
    "a variable that nothing sets, in a task": (
        ("actions/workflows/flow.yaml", "echo <% ctx().words %>", "echo <% ctx().word %>"),
        ("workflow.variable", "actions/workflows/flow.yaml", "cmd: >-"),
    ),
    "a variable that nothing sets, in publish": (
        ("actions/workflows/flow.yaml", "why: <% result().stderr %>", "why: <% ctx().what %>"),
        ("workflow.variable", "actions/workflows/flow.yaml", "ctx().what"),
    ),
    "a variable that nothing sets, in output": (
        ("actions/workflows/flow.yaml", '"{{ ctx().words }}"', '"{{ ctx().word }}"'),
        ("workflow.variable", "actions/workflows/flow.yaml", "ctx().word }}"),
    ),
    "YAQL that cannot be read": (
        ("actions/workflows/flow.yaml", "when: <% failed() %>", "when: <% failed( %>"),
        ("template.syntax", "actions/workflows/flow.yaml", "failed( %>"),
    ),
    "Jinja in a workflow that cannot be read": (
        ("actions/workflows/flow.yaml", '"{{ ctx().words }}"', '"{{ ctx(.words }}"'),
        ("template.syntax", "actions/workflows/flow.yaml", "ctx(.words"),
    ),
    "an input that the action does not have": (
        ("actions/workflows/flow.yaml", "  - who\n", "  - who\n  - where\n"),
        ("workflow.input", "actions/workflows/flow.yaml", "- where"),
    ),
    "a rule for an unknown action": (
        ("rules/timer.yaml", "demo.flow", "demo.flows"),
        ("action.unknown", "rules/timer.yaml", "demo.flows"),
    ),
    "a rule for an action of another pack": (
        ("rules/timer.yaml", "demo.flow", "slack.post"),
        ("action.unknown_pack", "rules/timer.yaml", "slack.post"),
    ),
    "a rule that gives an unknown parameter": (
        ("rules/timer.yaml", None, "    whom: me\n"),
        ("parameter.unknown", "rules/timer.yaml", "whom"),
    ),
    "a rule that lacks a parameter": (
        ("rules/timer.yaml", '  parameters:\n    who: "{{ trigger.executed_at }}"\n', ""),
        ("parameter.missing", "rules/timer.yaml", "demo.flow"),
    ),
    "a rule with a value of another type": (
        ("rules/seen.yaml", 'count: "3"', "count: three"),
        ("parameter.value", "rules/seen.yaml", "three"),
    ),
    "a rule that gives an immutable parameter": (
        ("rules/seen.yaml", 'count: "3"', "fixed: false"),
        ("parameter.fixed", "rules/seen.yaml", "fixed"),
    ),
    "an unknown trigger type": (
        ("rules/seen.yaml", "type: demo.seen", "type: demo.saw"),
        ("trigger.unknown", "rules/seen.yaml", "demo.saw"),
    ),
    "a trigger type of another pack": (
        ("rules/seen.yaml", "type: demo.seen", "type: linux.seen"),
        ("trigger.unknown_pack", "rules/seen.yaml", "linux.seen"),
    ),
    "a trigger type that only StackStorm fires": (
        ("rules/seen.yaml", "type: demo.seen", "type: core.st2.action.file_written"),
        ("trigger.elsewhere", "rules/seen.yaml", "file_written"),
    ),
    "parameters that a trigger type does not take": (
        ("rules/timer.yaml", "delta: 1", "delta: 0"),
        ("trigger.parameters", "rules/timer.yaml", "  parameters:"),
    ),
    "a field that the payload does not have": (
        ("rules/seen.yaml", "{{ trigger.who }}", "{{ trigger.whom }}"),
        ("trigger.payload", "rules/seen.yaml", "trigger.whom"),
    ),
    "a field within the payload that is not there": (
        ("rules/seen.yaml", "trigger.from.host |", "trigger['from']['port'] |"),
        ("trigger.payload", "rules/seen.yaml", "port"),
    ),
    "a criterion on a field that the payload does not have": (
        ("rules/seen.yaml", "  trigger.who:", "  trigger.whom:"),
        ("trigger.payload", "rules/seen.yaml", "trigger.whom"),
    ),
    "an unknown operator": (
        ("rules/seen.yaml", "type: equals", "type: equal"),
        ("criteria.operator", "rules/seen.yaml", "type: equal"),
    ),
    "a criterion without a pattern": (
        ("rules/seen.yaml", "    pattern: true\n", ""),
        ("criteria.operator", "rules/seen.yaml", "type: exists"),
    ),
    "a criterion on no path": (
        ("rules/seen.yaml", "  trigger.who:", "  trigger.who[:"),
        ("criteria.key", "rules/seen.yaml", "trigger.who["),
    ),
    "Jinja in a rule that cannot be read": (
        ("rules/seen.yaml", "{{ trigger.who }}", "{{ trigger.who }"),
        ("template.syntax", "rules/seen.yaml", "    name:"),
    ),
    "an unknown filter in a rule": (
        ("rules/seen.yaml", "| default('x')", "| defaults('x')"),
        ("template.syntax", "rules/seen.yaml", "defaults"),
    ),
    "an unknown name in a rule": (
        ("rules/seen.yaml", "{{ trigger.who }}", "{{ triger.who }}"),
        ("template.name", "rules/seen.yaml", "triger"),
    ),
    "Jinja in a criterion that cannot be read": (
        ("rules/seen.yaml", "st2kv.system.who }}", "st2kv.system. }}"),
        ("template.syntax", "rules/seen.yaml", "st2kv.system. "),
    ),
    "a pattern that is no regular expression": (
        ("rules/seen.yaml", "type: exists\n    pattern: true", "type: regex\n    pattern: '('"),
        ("criteria.pattern", "rules/seen.yaml", "pattern: '('"),
    ),
    "an unknown operator within a search": (
        ("rules/seen.yaml", "{type: eq, pattern: x}", "{type: is, pattern: x}"),
        ("criteria.operator", "rules/seen.yaml", "item.a"),
    ),
    "a search without a condition": (
        ("rules/seen.yaml", "    condition: any\n", ""),
        ("criteria.operator", "rules/seen.yaml", "trigger.list:"),
    ),
    "a rule for an action that is disabled": (
        ("actions/greet.yaml", "enabled: true", "enabled: false"),
        ("action.disabled", "rules/seen.yaml", "ref: demo.greet"),
    ),
    "a default from a configuration that there is not": (
        ("actions/greet.yaml", "config_context.port", "config_context.ports"),
        ("config.unknown", "actions/greet.yaml", "config_context.ports"),
    ),
    "a sensor that polls too often": (
        ("sensors/watch.yaml", None, "poll_interval: 3\n"),
        ("sensor.poll_interval", "sensors/watch.yaml", "poll_interval"),
    ),
    "a function that YAQL does not have": (
        ("actions/workflows/flow.yaml", "<% failed() %>", "<% failure() %>"),
        ("template.name", "actions/workflows/flow.yaml", "failure()"),
    ),
    "a method that YAQL does not have": (
        ("actions/workflows/flow.yaml", "toUpper()", "upper()"),
        ("template.name", "actions/workflows/flow.yaml", "upper()"),
    ),
    "a name that Jinja does not know, in a workflow": (
        ("actions/workflows/flow.yaml", '"{{ ctx().words }}"', '"{{ ctx().words ~ words }}"'),
        ("template.name", "actions/workflows/flow.yaml", "~ words"),
    ),
    "a filter that Jinja does not know, in a workflow": (
        ("actions/workflows/flow.yaml", '"{{ ctx().words }}"', '"{{ ctx().words | up }}"'),
        ("template.syntax", "actions/workflows/flow.yaml", "| up"),
    ),
    "an alias for an unknown action": (
        ("aliases/greet.yaml", "demo.greet", "demo.great"),
        ("action.unknown", "aliases/greet.yaml", "demo.great"),
    ),
    "a format that is no expression": (
        ("aliases/greet.yaml", '"greet {{ name }}"', '"greet ( {{ name }}"'),
        ("alias.format", "aliases/greet.yaml", "greet ("),
    ),
    "a format with an unknown parameter": (
        ("aliases/greet.yaml", "{{ count = 3 }}", "{{ number = 3 }}"),
        ("parameter.unknown", "aliases/greet.yaml", "display"),
    ),
    "an immutable parameter that the action does not have": (
        ("aliases/greet.yaml", "  mood: sad", "  moods: sad"),
        ("parameter.unknown", "aliases/greet.yaml", "moods"),
    ),
    "Jinja in an answer that cannot be read": (
        ("aliases/greet.yaml", "parameters.name }}", "parameters.name }"),
        ("template.syntax", "aliases/greet.yaml", "  format:"),
    ),
    "an answer with an unknown key": (
        ("aliases/greet.yaml", None, "  formats: greeted\n"),
        ("field.ignored", "aliases/greet.yaml", "formats: greeted"),
    ),
    "an answer whose format is no text": (
        ("aliases/greet.yaml", None, "result:\n  format: [greeted]\n"),
        ("field.type", "aliases/greet.yaml", "[greeted]"),
    ),
    "a name that is not known when a command is taken": (
        ("aliases/greet.yaml", "execution.parameters.name", "alias.name"),
        ("template.name", "aliases/greet.yaml", "alias.name"),
    ),
    "a name that is not known when a command has ended": (
        ("aliases/greet.yaml", None, 'result:\n  extra:\n    slack: "{{ actionalias.name }}"\n'),
        ("template.name", "aliases/greet.yaml", "actionalias"),
    ),
    "an unknown type of policy": (
        ("policies/one.yaml", "action.concurrency.attr", "action.wish"),
        ("policy.type", "policies/one.yaml", "action.wish"),
    ),
    "a policy without its threshold": (
        ("policies/one.yaml", "  threshold: 1\n", ""),
        ("policy.parameters", "policies/one.yaml", "parameters:"),
    ),
    "a policy for an unknown action": (
        ("policies/one.yaml", "demo.greet", "demo.great"),
        ("action.unknown", "policies/one.yaml", "demo.great"),
    ),
    "a policy by an unknown parameter": (
        ("policies/one.yaml", "[name]", "[nam]"),
        ("parameter.unknown", "policies/one.yaml", "[nam]"),
    ),
    "a sensor that dispatches an unknown trigger": (
        ("sensors/watch.py", '"demo.heard"', '"demo.hears"'),
        ("trigger.unknown", "sensors/watch.py", "demo.hears"),
    ),
    "a requirement that pip does not take": (
        ("requirements.txt", "requests>=2.25,<3", "requests=>2.25"),
        ("requirements.line", "requirements.txt", "requests"),
    ),
}


#: A pack that only StackStorm runs: beside each of these there is the warning that tells so.
_CHAIN = {
    "actions/chain.yaml": """\
name: chain
runner_type: action-chain
entry_point: chains/chain.yaml
parameters:
  who:
    type: string
""",
    "actions/chains/chain.yaml": """\
vars:
  mood: "{{ st2kv.system.mood }} for {{ who }}"
default: first
chain:
  - name: first
    ref: demo.greet
    parameters:
      name: "{{ who }} of {{ action_context.parent.user }}, {{ config_context.port }}"
      count: "3"
    publish:
      words: "{{ first.result }} {{ mood }}"
    on-success: second
    on-failure: last
  - name: second
    ref: core.local
    params:
      cmd: "echo {{ words }} {{ system.place }}"
    notify:
      on-complete: {routes: [lab]}
    on-success: last
  - name: last
    ref: core.echo
    parameters:
      message: "{{ __results.first }}"
""",
}
_CHAIN_FILE = "actions/chains/chain.yaml"
_PLANTED_IN_A_CHAIN = {
    "a chain that is not there": (
        ("actions/chain.yaml", "chains/chain", "chains/other"),
        ("entry_point.not_there", "actions/chain.yaml", "entry_point"),
    ),
    "a chain that does not end": (
        (_CHAIN_FILE, None, "x: [\n"),
        ("file.unreadable", _CHAIN_FILE, 26),
    ),
    "a key of a task twice": (
        (_CHAIN_FILE, None, "    ref: core.echo\n"),
        ("file.repeated_key", _CHAIN_FILE, 25),
    ),
    "an unknown key of the chain": (
        (_CHAIN_FILE, "default: first", "defaults: first"),
        ("field.unknown", _CHAIN_FILE, "defaults"),
    ),
    "an unknown key of the first task": (
        (_CHAIN_FILE, "    on-failure: last", "    on-error: last"),
        ("field.unknown", _CHAIN_FILE, "on-error"),
    ),
    "an unknown key of another task": (
        (_CHAIN_FILE, None, "    on-error: first\n"),
        ("field.ignored", _CHAIN_FILE, "on-error"),
    ),
    "a task without an action": (
        (_CHAIN_FILE, "    ref: core.echo\n", ""),
        ("field.missing", _CHAIN_FILE, "name: last"),
    ),
    "parameters that are a list": (
        (_CHAIN_FILE, '      message: "{{ __results.first }}"', "      - all"),
        ("field.type", _CHAIN_FILE, 23),
    ),
    "an unknown key of a notification": (
        (_CHAIN_FILE, "on-complete: {routes", "on-end: {routes"),
        ("field.unknown", _CHAIN_FILE, "on-end"),
    ),
    "an unknown action": (
        (_CHAIN_FILE, "ref: demo.greet", "ref: demo.great"),
        ("action.unknown", _CHAIN_FILE, "demo.great"),
    ),
    "an unknown parameter": (
        (_CHAIN_FILE, "      cmd:", "      timeouts: 5\n      cmd:"),
        ("parameter.unknown", _CHAIN_FILE, "timeouts"),
    ),
    "a parameter that is not given": (
        (_CHAIN_FILE, "      name:", "      mood: sad #"),
        ("parameter.missing", _CHAIN_FILE, "demo.greet"),
    ),
    "a value of another type": (
        (_CHAIN_FILE, 'count: "3"', "count: three"),
        ("parameter.value", _CHAIN_FILE, "three"),
    ),
    "an immutable parameter": (
        (_CHAIN_FILE, 'count: "3"', "fixed: false"),
        ("parameter.fixed", _CHAIN_FILE, "fixed"),
    ),
    "on-success to an unknown task": (
        (_CHAIN_FILE, None, "    on-success: end\n"),
        ("chain.unknown_task", _CHAIN_FILE, "on-success: end"),
    ),
    "on-failure to an unknown task": (
        (_CHAIN_FILE, None, "    on-failure: end\n"),
        ("chain.unknown_task", _CHAIN_FILE, "on-failure: end"),
    ),
    "an unknown default": (
        (_CHAIN_FILE, "default: first", "default: begin"),
        ("chain.unknown_task", _CHAIN_FILE, "begin"),
    ),
    "two tasks of a name": (
        (_CHAIN_FILE, None, "  - name: last\n    ref: core.noop\n"),
        ("chain.same_task", _CHAIN_FILE, 25),
    ),
    "a task to which none leads": (
        (_CHAIN_FILE, None, "  - name: lost\n    ref: core.noop\n    on-success: lost\n"),
        ("chain.unreachable", _CHAIN_FILE, "lost"),
    ),
    "a task behind the default": (
        (_CHAIN_FILE, "default: first", "default: second"),
        ("chain.unreachable", _CHAIN_FILE, "name: first"),
    ),
    "both kinds of parameters": (
        (_CHAIN_FILE, "    params:\n", "    parameters: {cmd: x}\n    params:\n"),
        ("chain.parameters", _CHAIN_FILE, "params:"),
    ),
    "Jinja that cannot be read": (
        (_CHAIN_FILE, "{{ words }}", "{{ words }"),
        ("template.syntax", _CHAIN_FILE, "cmd:"),
    ),
    "a variable that nothing sets": (
        (_CHAIN_FILE, "{{ words }}", "{{ word }}"),
        ("template.name", _CHAIN_FILE, "cmd:"),
    ),
    "the context where there is none": (
        (_CHAIN_FILE, "{{ first.result }}", "{{ action_context.user }}"),
        ("template.name", _CHAIN_FILE, "words:"),
    ),
    "a variable of variables": (
        (_CHAIN_FILE, "for {{ who }}", "for {{ words }}"),
        ("template.name", _CHAIN_FILE, "mood:"),
    ),
}


def _write(
    folder: Path,
    planted: tuple[str, str | None, str] | None = None,
    good: dict[str, str] = _GOOD,
) -> Path:
    for name, text in good.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if planted is not None:
        name, old, new = planted
        text = good.get(name, "")
        assert old is None or old in text, f"{name} has no {old!r}"
        (folder / name).write_text(text + new if old is None else text.replace(old, new, 1))
    return folder


def _line(path: Path, sign: str | int) -> int:
    if isinstance(sign, int):
        return sign
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if sign in line)


@pytest.fixture
def demo(tmp_path):
    return tmp_path / "demo"


@pytest.mark.parametrize("name", _PLANTED)
def test_a_planted_fault_is_found_where_it_is_and_nothing_else(name, demo):
    planted, (code, file, sign) = _PLANTED[name]
    _write(demo, planted)
    found = [(f.problem.code, f.problem.file, f.problem.line) for f in examine([demo])]
    assert found == [(code, demo / file, _line(demo / file, sign))], examine([demo])


def test_the_good_pack_has_no_fault(demo):
    assert examine([_write(demo)]) == []


def test_data_in_json_is_no_fault(demo):
    _write(demo)
    for name in ("actions/name.json", "rules/name.json", "policies/.hidden.json"):
        (demo / name).write_text('{"name": "n"}')
    (demo / "sensors" / "half.json").write_text('{"class_name": "W", "entry')
    assert examine([demo]) == []


def test_st2client_may_be_imported_where_it_is_required(demo):
    _write(demo, ("sensors/watch.py", None, "from st2client.client import Client\n"))
    (demo / "requirements.txt").write_text("st2client==3.9.0  # the API\n")
    assert examine([demo]) == []


def _chains(demo: Path, planted: tuple[str, str | None, str] | None = None) -> list[Fault]:
    """What is found, but for the one warning."""
    told, rest = [], []
    for fault in examine([_write(demo, planted, _GOOD | _CHAIN)]):
        (told if fault.problem.code == "runner.elsewhere" else rest).append(fault)
    assert len(told) == 1
    return rest


@pytest.mark.parametrize("name", _PLANTED_IN_A_CHAIN)
def test_a_fault_of_a_chain_is_found_where_it_is_and_nothing_else(name, demo):
    planted, (code, file, sign) = _PLANTED_IN_A_CHAIN[name]
    found = _chains(demo, planted)
    where = [(f.problem.code, f.problem.file, f.problem.line) for f in found]
    assert where == [(code, demo / file, _line(demo / file, sign))], found


def test_a_good_chain_has_no_fault(demo):
    assert _chains(demo) == []


def test_what_an_action_without_parameters_is_given_is_not_looked_at(demo):
    _write(demo, good=_GOOD | _CHAIN)
    for name in ("aliases/greet.yaml", "rules/seen.yaml", _CHAIN_FILE):
        text = (_GOOD | _CHAIN)[name].replace("demo.greet", "core.noop")
        (demo / name).write_text(text)
    (demo / "policies" / "one.yaml").unlink()
    assert [fault.problem.code for fault in examine([demo])] == ["runner.elsewhere"]


def test_each_code_is_planted():
    everywhere = [*_PLANTED.values(), *_PLANTED_IN_A_CHAIN.values()]
    planted = {code for _, (code, *_) in everywhere}
    assert set(CODES) - planted == {"pack.twice"}


def test_a_pack_twice(demo, tmp_path):
    (fault,) = examine([_write(demo), _write(tmp_path / "again")])
    assert (fault.problem.code, fault.problem.file) == (
        "pack.twice",
        tmp_path / "again" / "pack.yaml",
    )


def test_packs_that_are_given_together_use_each_other(demo, tmp_path):
    _write(demo, ("rules/timer.yaml", "ref: demo.flow", "ref: other.flow"))
    assert [f.problem.code for f in examine([demo])] == ["action.unknown_pack"]
    other = _write(tmp_path / "other", ("pack.yaml", "name: demo", "name: other"))
    for path in other.rglob("*"):
        if path.is_file():
            path.write_text(path.read_text().replace("demo", "other"))
    assert examine([demo, other]) == []


def test_what_a_refused_file_offers_is_not_told_as_missing(demo):
    _write(demo, ("pack.yaml", "author: a\n", ""))
    (demo / "rules" / "timer.yaml").write_text("name: [\n")
    assert [f.problem.code for f in examine([demo])] == ["field.missing"]


def test_nothing_of_a_pack_is_run(demo, tmp_path):
    mark = tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w')\n"
    for name in ("actions/greet.py", "actions/lib/shared.py", "sensors/watch.py"):
        _write(demo, (name, None, code))
        examine([demo])
    assert not mark.exists()


def test_hostile_code_and_templates_are_told(demo):
    _write(demo)
    (demo / "actions" / "lib" / "deep.py").write_text("(" * 100_000)
    (demo / "actions" / "lib" / "null.py").write_bytes(b"x = 1\0")
    (demo / "rules" / "timer.yaml").write_text(
        _GOOD["rules/timer.yaml"].replace("trigger.executed_at", "(" * 50_000)
    )
    codes = [f.problem.code for f in examine([demo])]
    assert codes == ["python.syntax", "python.syntax", "template.syntax"]


def test_a_file_that_is_meant_to_be_wrong_gets_warnings(demo):
    _write(demo, ("rules/timer.yaml", "demo.flow", "demo.flows"))
    (strict,), (lenient,) = examine([demo]), examine([demo], ["rules/t*.yaml"])
    assert (strict.grade, lenient.grade) == (BAD, WARNING)
    assert strict.problem == lenient.problem


def _checked(*arguments: str | Path):
    return CliRunner().invoke(commands, ["check", *map(str, arguments)])


def test_the_command_tells_where_what_and_what_to_do(demo):
    answer = _checked(_write(demo, ("rules/timer.yaml", "demo.flow", "demo.flows")))
    where = f"{demo}/rules/timer.yaml:8:3: wrong action.unknown: "
    assert answer.exit_code == 1 and answer.output.startswith(where)
    assert CODES["action.unknown"].hint in answer.output
    assert answer.output.endswith("1 errors, 0 warnings\n")


def test_the_command_tells_it_as_json(demo):
    answer = _checked("--json", _write(demo, ("rules/timer.yaml", "demo.flow", "a.flow")))
    document = json.loads(answer.output)
    (finding,) = document["findings"]
    assert answer.exit_code == 0  # a warning
    assert (document["errors"], document["warnings"]) == (0, 1)
    assert finding | {"message": "", "hint": ""} == {
        "code": "action.unknown_pack",
        "grade": "warning",
        "file": f"{demo}/rules/timer.yaml",
        "line": 8,
        "column": 3,
        "message": "",
        "hint": "",
    }


def test_a_folder_without_a_pack_is_told(tmp_path):
    answer = _checked(tmp_path)
    assert answer.exit_code == 1 and "file.unreadable" in answer.output


def test_our_packs_have_no_fault():
    packs = [_ROOT / "packs" / "arteria", _ROOT / "packs" / "umccr"]
    assert examine(packs) == []
    assert examine(BUILT_IN) == []


def test_the_page_has_the_codes():
    page = (_ROOT / "docs" / "pack-check.md").read_text()
    rows = re.findall(r"^\| `([a-z_.]+)` \| (\w+) \| (.+) \| (.+) \|$", page, re.MULTILINE)
    grades = {BAD: "error", WARNING: "warning"}
    assert rows == [(c.name, grades[c.grade], c.wrong, c.hint) for c in CODES.values()]


_ODD = [
    *(None, 1, -1, 1.5, True, "", "x", "a b=c", "(", [], {}, [[]], [1], {"a": None}, {1: 2}),
    *("{{ x", "<% x", "{{ ((( }}", "<% $.a.b( %>"),
]


def _places(value, at=()):
    yield at
    if isinstance(value, dict | list):
        below = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in below:
            yield from _places(one, (*at, key))


def _oddly(chance: random.Random, text: str) -> str:
    """The document with one value that is gone, or replaced by something odd."""
    document = yaml.safe_load(text)
    *above, last = chance.choice([at for at in _places(document) if at])
    holder = document
    for key in above:
        holder = holder[key]
    if chance.random() < 0.2:
        del holder[last]
    else:
        holder[last] = copy.deepcopy(chance.choice(_ODD))
    return yaml.safe_dump(document)


def _torn(chance: random.Random, text: str) -> str:
    start, length = chance.randrange(len(text)), chance.randrange(8)
    letters = chance.choice(["", "{{", "<%", "[", "\t", "\0", "'", "- ", ": ", "*x", "\\"])
    return text[:start] + letters + text[start + length :]


@pytest.mark.parametrize("spoilt", [_oddly, _torn])
def test_whatever_stands_in_a_file_is_judged(spoilt, demo):
    chance, good = random.Random(7), _GOOD | _CHAIN
    _write(demo, good=good)
    alone = len(examine([demo]))
    names = [name for name in good if spoilt is _torn or name.endswith(".yaml")]
    judged = 0
    for _ in range(40):
        name = chance.choice(names)
        (demo / name).write_text(spoilt(chance, good[name]))
        judged += len(examine([demo])) > alone
        (demo / name).write_text(good[name])
    assert judged > 15
