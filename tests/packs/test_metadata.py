"""What StackStorm's registration checks, and what it leaves to the first run to find out.

Keys and rules are those of st2common/models/api (pack.py, action.py, rule.py, sensor.py) and
st2common/util/schema/action_params.json of StackStorm 3.9.
"""

import ast
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

OURS = Path(__file__).resolve().parents[2] / "packs"
#: PACKS_DIR is a folder with arteria and a site's own pack (docs/site-pack.md).
PACKS = Path(os.environ.get("PACKS_DIR", OURS)).absolute()
NAMES = tuple(sorted(path.parent.name for path in PACKS.glob("*/pack.yaml")))

PACK_REQUIRED = {"ref", "name", "description", "version", "author", "email"}
PACK_KEYS = PACK_REQUIRED | {
    "keywords",
    "stackstorm_version",
    "python_versions",
    "contributors",
    "dependencies",
}
ACTION_KEYS = {
    "name",
    "pack",
    "description",
    "enabled",
    "runner_type",
    "entry_point",
    "parameters",
    "output_schema",
    "tags",
    "notify",
}
PARAMETER_KEYS = {
    "type",
    "description",
    "default",
    "required",
    "position",
    "enum",
    "immutable",
    "secret",
    "minimum",
    "maximum",
    "pattern",
    "items",
    "properties",
    "additionalProperties",
}
#: RUNNER_PARAM_OVERRIDABLE_ATTRS of st2common/util/schema.
OVERRIDABLE = {"default", "description", "enum", "immutable", "required"}
TYPES = {"array", "boolean", "integer", "number", "object", "string"}
RULE_KEYS = {"name", "pack", "description", "enabled", "trigger", "criteria", "action", "tags"}
SENSOR_KEYS = {
    "class_name",
    "entry_point",
    "description",
    "enabled",
    "trigger_types",
    "poll_interval",
}
TRIGGER_KEYS = {"name", "pack", "description", "payload_schema", "parameters_schema", "tags"}
ALIAS_KEYS = {"name", "pack", "description", "enabled", "action_ref", "formats", "ack", "result"}
TASK_KEYS = {"action", "input", "next", "with", "join", "delay", "retry"}
RUNNERS = {"python-script", "orquesta"}
OPERATORS = {"equals", "matchregex", "nequals", "nin", "startswith"}

CORE_TRIGGERS: dict[str, set[str]] = {
    "core.st2.IntervalTimer": set(),
    "core.st2.CronTimer": set(),
    "core.st2.generic.actiontrigger": {
        "execution_id",
        "status",
        "start_timestamp",
        "action_name",
        "action_ref",
        "runner_ref",
        "parameters",
        "result",
    },
}
#: May be left out of a payload: no rule may need it.
NOT_ALWAYS = {"code"}


class Strict(yaml.SafeLoader):
    """Refuses a key that is there twice; orquesta keeps the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key is there twice, {node.start_mark}"
        return super().construct_mapping(node, deep)


def read(path: Path) -> dict[str, Any]:
    document = yaml.load(path.read_text(), Strict)
    assert isinstance(document, dict), path
    return document


def files(pattern: str) -> list[Any]:
    found = sorted(path for name in NAMES for path in (PACKS / name).glob(pattern))
    return [pytest.param(path, id=str(path.relative_to(PACKS))) for path in found]


def paths(pattern: str) -> list[Path]:
    return [param.values[0] for param in files(pattern)]


ACTIONS = {f"{d['pack']}.{d['name']}": d for d in map(read, paths("actions/*.yaml"))}
TRIGGERS = CORE_TRIGGERS | {
    f"{trigger['pack']}.{trigger['name']}": set(trigger["payload_schema"]["properties"])
    for sensor in map(read, paths("sensors/*.yaml"))
    for trigger in sensor["trigger_types"]
}


def check_parameters(parameters: dict[str, Any]) -> None:
    for name, schema in parameters.items():
        assert re.fullmatch(r"\w+", name), name
        assert set(schema) <= PARAMETER_KEYS, name
        if name in ("timeout", "env"):  # the runner's: its type is not the action's to tell
            assert set(schema) <= OVERRIDABLE
            continue
        assert schema["type"] in TYPES, name
        assert isinstance(schema.get("required", False), bool), name
        assert not (schema.get("immutable") and "default" not in schema), name
        assert not (schema.get("required") and "default" in schema), name
        assert schema["description"], name
    positions = [schema["position"] for schema in parameters.values() if "position" in schema]
    assert sorted(positions) == list(range(len(positions)))


def test_both_packs_are_there_in_full():
    counts = {
        kind: len(paths(pattern))
        for kind, pattern in {
            "actions": "actions/*.yaml",
            "workflows": "actions/workflows/*.yaml",
            "rules": "rules/*.yaml",
            "aliases": "aliases/*.yaml",
            "sensors": "sensors/*.yaml",
        }.items()
    }
    assert counts == {"actions": 49, "workflows": 9, "rules": 33, "aliases": 12, "sensors": 1}


@pytest.mark.parametrize("name", NAMES)
def test_pack(name):
    pack = read(PACKS / name / "pack.yaml")
    assert set(pack) >= PACK_REQUIRED
    assert set(pack) <= PACK_KEYS
    assert pack["ref"] == pack["name"] == name
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", pack["version"])
    assert set(pack["python_versions"]) <= {"2", "3"}
    assert "@" in pack["email"]
    assert (PACKS / name / "README.md").exists()


@pytest.mark.parametrize("name", ["arteria", "umccr"])
@pytest.mark.parametrize("room", ["actions", "rules"])
def test_our_readme_names_every_action_and_rule(name, room):
    text = (OURS / name / "README.md").read_text()
    told = set(re.findall(rf"\b{name}\.(\w+)", text))
    assert {path.stem for path in (OURS / name / room).glob("*.yaml")} <= told


def test_our_readme_gives_actions_their_parameters():
    """`action` required [optional] in the first column, in their order."""
    text = (OURS / "arteria" / "README.md").read_text()
    rows = re.findall(r"(?m)^\| `(arteria\.\w+)`((?: \[?\w+\]?)*) \|", text)
    rules = {f"arteria.{path.stem}" for path in (OURS / "arteria" / "rules").glob("*.yaml")}
    rows = [row for row in rows if row[0] in ACTIONS and (row[1] or row[0] not in rules)]
    assert len(rows) > 15
    for ref, words in rows:
        told = sorted(
            (schema["position"], name if schema.get("required") else f"[{name}]")
            for name, schema in ACTIONS[ref]["parameters"].items()
            if "position" in schema
        )
        assert words.split() == [word for _, word in told], ref


@pytest.mark.parametrize("name", NAMES)
def test_config_schema_and_its_example(name):
    schema = read(PACKS / name / "config.schema.yaml")
    check_parameters(schema)
    example = read(PACKS / name / f"{name}.yaml.example")
    assert set(example) <= set(schema)
    assert all(
        "{{" not in str(value) or schema[key].get("secret") for key, value in example.items()
    )
    for key, value in example.items():
        if not schema[key].get("secret"):
            assert value == schema[key]["default"], key


@pytest.mark.parametrize("name", NAMES)
def test_the_example_names_every_key(name):
    """In a comment, too; numbers and switches with their defaults."""
    text = (PACKS / name / f"{name}.yaml.example").read_text()
    for key, schema in read(PACKS / name / "config.schema.yaml").items():
        line = re.search(rf"(?m)^(?:# )?{key}:.*$", text)
        assert line, key
        if schema["type"] in ("integer", "boolean"):
            assert yaml.safe_load(line[0].removeprefix("# ")) == {key: schema["default"]}


def stages(plan: dict[str, Any]) -> set[str]:
    done: set[str] = set()
    for name, stage in plan["stages"].items():
        assert set(stage["after"]) <= done, f"{name} is after a stage that comes later"
        assert stage["time_limit"] > 0
        done.add(name)
    return done


def test_the_plans_are_of_stages_that_have_a_rule():
    usual = read(OURS / "umccr" / "config.schema.yaml")["plan"]["default"]
    full = read(OURS / "umccr" / "plans" / "with_analyses.yaml")["plan"]
    for name, stage in usual["stages"].items():
        after = [other for other in full["stages"][name]["after"] if other != "qc"]
        after = ["check" if other == "checksum_run" else other for other in after]
        assert {**full["stages"][name], "after": after} == stage
    stages(usual)
    ruled = {
        rule["criteria"]["trigger.stage"]["pattern"]
        for rule in map(read, paths("rules/*.yaml"))
        if rule["trigger"]["type"] == "arteria.stage_ready"
    }
    # a site may send the run folder too
    assert stages(full) - {"receive"} | {"transfer_runfolder"} == ruled


@pytest.mark.parametrize("path", files("actions/*.yaml"))
def test_action(path):
    action = read(path)
    assert set(action) <= ACTION_KEYS
    assert action["pack"] == path.parts[-3]
    assert action["name"] == path.stem
    assert re.fullmatch(r"[a-z_]+", action["name"])
    assert action["runner_type"] in RUNNERS
    assert action["description"]
    check_parameters(action["parameters"])
    entry = path.parent / action["entry_point"]
    assert entry.is_file()
    if action["runner_type"] == "python-script":
        assert action_arguments(entry) == arguments_told(action)


def action_arguments(entry: Path) -> dict[str, Any]:
    """Argument of `act` -> its default, or ... without one."""
    (act,) = (
        node
        for node in ast.walk(ast.parse(entry.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name == "act"
    )
    names = [arg.arg for arg in act.args.args][1:]
    defaults = [ast.literal_eval(node) for node in act.args.defaults]
    return dict(zip(names, [...] * (len(names) - len(defaults)) + defaults, strict=True))


def arguments_told(action: dict[str, Any]) -> dict[str, Any]:
    told = {}
    for name, schema in action["parameters"].items():
        if "position" in schema:  # the others are the runner's
            told[name] = ... if schema.get("required") else schema.get("default")
    return told


@pytest.mark.parametrize("path", files("**/*.py"))
def test_python_is_that_of_stackstorm(path):
    text = path.read_text()
    tree = ast.parse(text, filename=str(path), feature_version=(3, 8))
    assert not re.search(r"^# *type:", text, re.M)
    allowed = {"requests", "st2common", "st2reactor", *(p.stem for p in paths("actions/lib/*.py"))}
    if path.parent.name == "tests":
        allowed |= {"st2tests", *(p.stem for p in paths("actions/*.py"))}
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            root = name.split(".")[0]
            assert root in allowed or root in STANDARD, f"{path}: {name}"
        assert not newer_than_3_8(node), f"{path}:{getattr(node, 'lineno', 0)}"


STANDARD = {
    "base64",
    "collections",
    "contextlib",
    "datetime",
    "http",
    "json",
    "os",
    "pathlib",
    "re",
    "stat",
    "threading",
    "time",
    "typing",
    "urllib",
}


def newer_than_3_8(node: ast.AST) -> bool:
    """Built-in generics in annotations: they parse as 3.8, and fail there when they run."""
    builtin = {"dict", "list", "set", "tuple", "type"}
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id in builtin
    annotation = getattr(node, "annotation", None) or getattr(node, "returns", None)
    return isinstance(annotation, ast.BinOp) or (
        isinstance(node, ast.Attribute) and node.attr in ("removeprefix", "removesuffix")
    )


@pytest.mark.parametrize("path", files("sensors/*.yaml"))
def test_sensor(path):
    sensor = read(path)
    assert set(sensor) <= SENSOR_KEYS
    entry = path.parent / sensor["entry_point"]
    classes = {
        n.name for n in ast.walk(ast.parse(entry.read_text())) if isinstance(n, ast.ClassDef)
    }
    assert sensor["class_name"] in classes
    for trigger in sensor["trigger_types"]:
        assert set(trigger) <= TRIGGER_KEYS
        assert trigger["pack"] == path.parts[-3]
        assert trigger["payload_schema"]["additionalProperties"] is True
        for schema in trigger["payload_schema"]["properties"].values():
            assert set(schema) <= {"type", "required"}
            assert schema["type"] in ("string", "integer")


def test_the_sensor_dispatches_its_trigger_types_and_no_others(load):
    """But for its own silence, which arteria.reconcile dispatches."""
    module = load("arteria/sensors/event_feed_sensor.py")
    told = {name: set(names) for name, names in module.TRIGGERS.values()}
    assert {**told, "arteria.sensor_silent": {"code"}} == {
        name: keys for name, keys in TRIGGERS.items() if name.startswith("arteria.")
    }


def check_call(ref: str, parameters: dict[str, Any]) -> None:
    """The action exists, takes these parameters and lacks none."""
    action = ACTIONS[ref]
    assert set(parameters) <= set(action["parameters"])
    required = {name for name, schema in action["parameters"].items() if schema.get("required")}
    assert required <= set(parameters)
    for name, value in parameters.items():
        enum = action["parameters"][name].get("enum")
        assert enum is None or value in enum or "{{" in value or "<%" in value


@pytest.mark.parametrize("path", files("rules/*.yaml"))
def test_rule(path):
    rule = read(path)
    assert set(rule) <= RULE_KEYS
    assert rule["pack"] == path.parts[-3]
    assert rule["name"] == path.stem
    assert rule["enabled"] is True
    assert set(rule["trigger"]) <= {"type", "parameters"}
    payload = TRIGGERS[rule["trigger"]["type"]]
    for key, criterion in rule.get("criteria", {}).items():
        assert set(criterion) == {"type", "pattern"}
        assert criterion["type"] in OPERATORS
        assert key.startswith("trigger.") and key[8:] in payload
    assert set(rule["action"]) <= {"ref", "parameters"}
    parameters = rule["action"].get("parameters", {})
    check_call(rule["action"]["ref"], parameters)
    for value in parameters.values():
        field = re.fullmatch(r"\{\{ trigger\.(\w+) \}\}", value)
        if field is None:
            assert re.fullmatch(r"[a-z0-9_]+", value), value
        else:
            assert field[1] in payload - NOT_ALWAYS
            assert field[1] not in ("parameters", "result"), "free text"


@pytest.mark.parametrize("path", files("aliases/*.yaml"))
def test_alias(path):
    alias = read(path)
    assert set(alias) <= ALIAS_KEYS
    assert alias["pack"] == path.parts[-3]
    parameters = ACTIONS[alias["action_ref"]]["parameters"]
    for format_ in alias["formats"]:
        words = format_.split(" ", 2)
        assert words[:2] == ["seq", path.stem], "two aliases must not match the same words"
        names = set(re.findall(r"\{\{ (\w+) \}\}", format_))
        required = {name for name, schema in parameters.items() if schema.get("required")}
        assert required <= names <= set(parameters)
    # What a chat adds as key=value must not say who asks, nor change the action's surroundings.
    asks = parameters["chat_user"]
    assert asks["immutable"] is True and "action_context.api_user" in asks["default"]
    assert parameters["env"]["immutable"] is True
    assert "position" not in asks


WORKFLOWS = files("actions/workflows/*.yaml")


@pytest.mark.parametrize("path", WORKFLOWS)
def test_workflow(path):
    flow = read(path)
    action = ACTIONS[f"{path.parts[-4]}.{path.stem}"]
    assert set(flow) <= {"version", "description", "input", "vars", "tasks", "output"}
    assert flow["input"] == list(action["parameters"])
    known = {*flow["input"], *(name for row in flow["vars"] for name in row)}
    reached = set()
    for name, task in flow["tasks"].items():
        assert set(task) <= TASK_KEYS, name
        assert re.fullmatch(r"[a-z_.]+", task["action"]), "inline parameters are dropped silently"
        check_call(task["action"], task["input"])
        for step in task.get("next", []):
            assert set(step) <= {"when", "publish", "do"}
            reached.add(step.get("do"))
            known |= {key for row in step.get("publish", []) for key in row}
    assert reached - {None} == set(flow["tasks"]) - {next(iter(flow["tasks"]))}
    assert set(re.findall(r"ctx\(\)\.(\w+)", path.read_text())) <= known
    told = {key for row in flow["output"] for key in row}
    assert told == ({"held"} if path.stem == "judge_indexes" else {"duplicate", "by"})


@pytest.mark.parametrize("path", files("**/*.yaml"))
def test_nothing_is_rendered_into_a_shell(path):
    assert not re.search(r"core\.(local|remote|sudo)|shell", path.read_text())


@pytest.mark.parametrize("path", [*files("**/*.yaml"), *files("**/*.py"), *files("**/*.md")])
def test_no_place_of_one_machine(path):
    assert not re.search(r"/(work|home|root|tmp|Users)/", path.read_text())
