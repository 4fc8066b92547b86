"""The pack `soak`: sensors that tell of events at a steady rate, and rules that answer them.

Each sensor has a trigger and rules of its own. An event has the sensor's number, its own number,
counted from 0, and a kind, which is its number modulo the sensor's rules. A rule takes two kinds,
its own and the next one, so each event is answered by two rules.
"""

from pathlib import Path
from typing import Any

import yaml

from tests.chaos.plan import Soak

#: What the rules of a sensor start, in turn: seven times nothing, two Python actions, a workflow.
ACTIONS = (
    "core.noop",
    "core.noop",
    "core.noop",
    "soak.step",
    "core.noop",
    "core.noop",
    "core.noop",
    "core.noop",
    "soak.step",
    "soak.chain",
)
#: The tasks of each action.
TASKS = {"core.noop": 0, "soak.step": 0, "soak.chain": 2}
_ABOUT = {"author": "a", "email": "a@example.org", "version": "0.1.0", "description": "d"}
_NUMBER = {"type": "integer", "required": True}
_SENSOR = """\
import threading
import time
from pathlib import Path

from st2reactor.sensor.base import Sensor


class Events{sensor}(Sensor):
    def setup(self):
        folder = Path(self.config["folder"])
        self._stop, self._told = folder / "stop", folder / "told.{sensor}"

    def run(self):
        due = time.monotonic()
        with self._told.open("a+") as told:
            told.seek(0)
            number = len(told.readlines())
            while not self._stop.exists():
                due += self.config["seconds"]
                time.sleep(max(0.0, due - time.monotonic()))
                event = {{"sensor": {sensor}, "number": number, "sent": time.time()}}
                event["kind"] = number % self.config["kinds"]
                self.sensor_service.dispatch("soak.event_{sensor}", event)
                told.write("%d\\n" % number)
                told.flush()
                number += 1
        self._stop.with_name("stopped.{sensor}").touch()
        threading.Event().wait()

    def cleanup(self):
        pass

    def add_trigger(self, trigger):
        pass

    def update_trigger(self, trigger):
        pass

    def remove_trigger(self, trigger):
        pass
"""
_STEP = """\
from st2common.runners.base_action import Action


class Step(Action):
    def run(self, number):
        self.logger.info("number %d", number)
        return {"next": number + 1}
"""


def rule(sensor: int, kind: int) -> str:
    """The ref of the rule of a sensor whose own kind this is."""
    return f"soak.on_{sensor}_{kind}"


def expected(soak: Soak, sensor: int, number: int) -> dict[str, str]:
    """The rules that answer an event, each with the action that it starts."""
    kinds = {(number + before) % soak.kinds for before in (0, -1)}
    return {rule(sensor, kind): ACTIONS[kind % len(ACTIONS)] for kind in kinds}


def write(packs: Path, configs: Path, soak: Soak, told: Path) -> None:
    """Write the pack and its configuration; a sensor counts in the folder `told`, which is made.

    Once there is a file `stop` in it each sensor tells nothing more, and makes `stopped.<number>`.
    """
    told.mkdir()
    folder = packs / "soak"
    for name in ("actions/workflows", "rules", "sensors"):
        (folder / name).mkdir(parents=True)
    _yaml(folder / "pack.yaml", {"name": "soak", **_ABOUT})
    names = {"folder": "string", "seconds": "number", "kinds": "integer"}
    _yaml(folder / "config.schema.yaml", {name: {"type": kind} for name, kind in names.items()})
    configs.mkdir()
    seconds = soak.sensors / soak.rate
    _yaml(configs / "soak.yaml", {"folder": str(told), "seconds": seconds, "kinds": soak.kinds})
    _write_actions(folder / "actions")
    for sensor in range(soak.sensors):
        _write_sensor(folder / "sensors", sensor)
        for kind in range(soak.kinds):
            _write_rule(folder / "rules", soak, sensor, kind)


def _write_actions(actions: Path) -> None:
    given = {"number": _NUMBER}
    (actions / "step.py").write_text(_STEP)
    _yaml(
        actions / "step.yaml",
        {
            "name": "step",
            "runner_type": "python-script",
            "entry_point": "step.py",
            "parameters": given,
        },
    )
    _yaml(
        actions / "chain.yaml",
        {
            "name": "chain",
            "runner_type": "orquesta",
            "entry_point": "workflows/chain.yaml",
            "parameters": given,
        },
    )
    tasks = {
        "first": {"action": "core.noop", "next": [{"when": "<% succeeded() %>", "do": "second"}]},
        "second": {"action": "soak.step", "input": {"number": "<% ctx(number) %>"}},
    }
    definition = {"version": 1.0, "input": ["number"], "tasks": tasks}
    _yaml(actions / "workflows" / "chain.yaml", definition)


def _write_sensor(sensors: Path, sensor: int) -> None:
    names = {"sensor": "integer", "number": "integer", "kind": "integer", "sent": "number"}
    payload = {
        "type": "object",
        "properties": {name: {"type": kind, "required": True} for name, kind in names.items()},
    }
    (sensors / f"events_{sensor}.py").write_text(_SENSOR.format(sensor=sensor))
    _yaml(
        sensors / f"events_{sensor}.yaml",
        {
            "class_name": f"Events{sensor}",
            "entry_point": f"events_{sensor}.py",
            "description": "d",
            "trigger_types": [{"name": f"event_{sensor}", "payload_schema": payload}],
        },
    )


def _write_rule(rules: Path, soak: Soak, sensor: int, kind: int) -> None:
    action = ACTIONS[kind % len(ACTIONS)]
    given = {} if action == "core.noop" else {"number": "{{ trigger.number }}"}
    kinds = [kind, (kind + 1) % soak.kinds]
    name = rule(sensor, kind).removeprefix("soak.")
    _yaml(
        rules / f"{name}.yaml",
        {
            "name": name,
            "enabled": True,
            "trigger": {"type": f"soak.event_{sensor}"},
            "criteria": {"trigger.kind": {"type": "inside", "pattern": kinds}},
            "action": {"ref": action, "parameters": given},
        },
    )


def _yaml(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))
