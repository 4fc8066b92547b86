"""Workflow definitions: read strictly, and inspected before they run.

Source: st2common/services/workflows.py (inspect) of StackStorm 3.9.
"""

from st2solo import compat  # isort: skip

from pathlib import Path
from typing import Any

import yaml
from orquesta.expressions import base as expressions
from orquesta.specs import loader

from st2solo import json_text, metadata_file
from st2solo.errors import NotFoundError, WorkflowError
from st2solo.ports import ActionLookup
from st2solo.runner_types import runner_type
from st2solo.schema import merged_parameters, required_parameters

_KINDS = {
    "contents": "content",
    "context": "context",
    "expressions": "expression",
    "semantics": "semantic",
    "syntax": "syntax",
}
_TASKS = r"properties.tasks.patternProperties.^\w+$"


def read(path: Path) -> Any:
    """The workflow of a file, as orquesta's specification object.

    Raises:
        WorkflowError: the file cannot be read, or as `parse`.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise WorkflowError(
            [{"message": f"the workflow {path} cannot be read: {error}"}]
        ) from error
    return parse(text)


def parse(text: str) -> Any:
    """A workflow from its YAML.

    Raises:
        WorkflowError: it is no YAML, has a key twice, or is no workflow at all.
    """
    try:
        metadata_file.require_small(text)
        data = yaml.load(text, compat.StrictLoader)
        json_text.require(data)
        if not isinstance(data, dict):
            raise ValueError("the definition is not a mapping with version and tasks")
        return loader.get_spec_module("native").instantiate(data)
    except Exception as error:  # orquesta raises many kinds on what is not even a mapping
        raise WorkflowError([{"type": "content", "message": str(error)}]) from error


def inspect(spec: Any, actions: ActionLookup, context: dict[str, Any]) -> list[dict[str, Any]]:
    """What is wrong with a workflow, in the form that StackStorm's API gives; empty if nothing."""
    errors = inspect_alone(spec, context)
    if hasattr(spec.tasks, "items"):
        for name, task in spec.tasks.items():
            errors.extend(_inspect_task(name, task, actions))
    return sorted(errors, key=lambda e: (str(e["type"]), str(e.get("schema_path"))))


def inspect_alone(spec: Any, context: dict[str, Any]) -> list[dict[str, Any]]:
    """As `inspect`, of what can be told without knowing any action."""
    errors: list[dict[str, Any]] = []
    for category, entries in _inspected(spec, context).items():
        for entry in entries:
            if category in ("context", "expressions") and "language" not in entry:
                entry["language"] = entry.pop("type")
            errors.append({**entry, "type": _KINDS[category]})
    return errors


def _inspected(spec: Any, context: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What orquesta says of a workflow, also where it trips over what its own schema refuses."""
    try:
        found: dict[str, Any] = spec.inspect(app_ctx=context, raise_exception=False)
    except Exception as error:  # of many kinds
        try:
            refused = spec.inspect_syntax()
        except Exception:
            refused = []
        found = {"syntax": refused or [{"message": f"cannot be inspected: {error}"}]}
    return found


def _inspect_task(name: str, task: Any, actions: ActionLookup) -> list[dict[str, Any]]:
    ref = getattr(task, "action", None)
    if not isinstance(ref, str) or not ref or expressions.has_expressions(ref):
        return []

    def wrong(message: str, where: str, schema: str) -> dict[str, Any]:
        return {
            "type": "content",
            "message": message,
            "spec_path": f"tasks.{name}.{where}",
            "schema_path": f"{_TASKS}.properties.{schema}",
        }

    if ref.count(".") < 1 or not all(ref.split(".", 1)):
        message = f'The action reference "{ref}" is not formatted correctly.'
        return [wrong(message, "action", "action")]
    try:
        action = actions.action(ref)
        runner = runner_type(action.runner_type)
    except NotFoundError:
        message = f'The action "{ref}" is not registered in the database.'
        return [wrong(message, "action", "action")]
    given = getattr(task, "input", None) or {}
    if not isinstance(given, dict):
        return []
    declared = merged_parameters(runner.parameters, action.parameters)
    missing = [
        wrong(f'Action "{ref}" is missing required input "{n}".', "input", "input")
        for n in sorted(required_parameters(declared) - set(given))
    ]
    unexpected = [
        wrong(
            f'Action "{ref}" has unexpected input "{n}".',
            f"input.{n}",
            r"input.patternProperties.^\w+$",
        )
        for n in sorted(set(given) - set(declared))
    ]
    return missing + unexpected


def require_sound(spec: Any, actions: ActionLookup, context: dict[str, Any]) -> None:
    """Refuse a workflow with errors.

    Raises:
        WorkflowError: with what `inspect` found.
    """
    errors = inspect(spec, actions, context)
    if errors:
        raise WorkflowError(errors)
