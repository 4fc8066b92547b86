"""The values with which an action runs: templates, defaults and types.

Source: st2common/util/param.py of StackStorm 3.9. Parameters are rendered twice: when an
execution is requested (the given values, which may use each other), and when it starts (the
defaults only; given values are then plain text and never evaluated again). One difference: a
given template is not replaced by a default that is a template.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from jinja2 import TemplateSyntaxError, UndefinedError, meta

from st2solo import json_text
from st2solo.casts import cast
from st2solo.errors import ParameterError
from st2solo.jinja import ENVIRONMENT, is_template, kv_context, render_value
from st2solo.ports import KeySource
from st2solo.schema import has_secret

Schema = Mapping[str, Mapping[str, Any]]

_CONFIG = "config_context"


@dataclass(frozen=True)
class Surroundings:
    """What a template of a parameter may name besides the other parameters."""

    keys: KeySource
    user: str
    context: Mapping[str, Any]
    config: Callable[[], dict[str, Any]]
    #: What else, such as the `trigger` of a rule.
    names: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Names:
    """Every name that templates can use: values that are known, and templates to evaluate."""

    config: Callable[[], dict[str, Any]]
    values: dict[str, Any] = field(default_factory=dict)
    templates: dict[str, Any] = field(default_factory=dict)
    needs: dict[str, set[str]] = field(default_factory=dict)
    #: Those whose values stand in no error.
    secret: set[str] = field(default_factory=set)

    def add(self, name: str, value: Any) -> None:
        """Take a value; one that is a template is evaluated later."""
        text = str(value) if isinstance(value, list | dict) else value
        self.values.pop(name, None)
        self.templates.pop(name, None)
        if is_template(text):
            try:
                needed = meta.find_undeclared_variables(ENVIRONMENT.parse(text))
            except TemplateSyntaxError:
                pass  # braces that are no template are text
            except (RecursionError, ValueError) as error:  # too deep, or a number is too long
                raise self._failed(name, error) from None
            else:
                self.templates[name] = value
                self.needs[name] = needed
                return
        self.values[name] = value

    def add_defaults(self, schema: Schema) -> None:
        self.secret |= {name for name, attributes in schema.items() if has_secret(attributes)}
        for name, attributes in schema.items():
            absent = name not in self.templates and self.values.get(name) is None
            if absent or attributes.get("immutable", False):
                self.add(name, attributes.get("default"))

    def resolve(self) -> dict[str, Any]:
        """Evaluate the templates in the order in which they need each other."""
        known = dict(self.values)
        order = self._order()
        if any(_CONFIG in self.needs[name] for name in self.templates):
            known[_CONFIG] = self.config()
        for name in order:
            if name in self.templates:
                try:
                    known[name] = render_value(self.templates[name], known)
                except Exception as error:  # whatever a filter or a lookup raises
                    raise self._failed(name, error) from None
        return known

    def _failed(self, name: str, error: Exception) -> ParameterError:
        names_only = isinstance(error, UndefinedError) or name not in self.secret
        reason = str(error) if names_only else type(error).__name__
        return ParameterError(f'Failed to render parameter "{name}": {reason}')

    def _order(self) -> Iterable[str]:
        graph = {name: self.needs[name] for name in self.templates}
        for needed in set().union(*graph.values()):
            if needed not in self.values and needed not in self.templates:
                raise ParameterError(f'Dependency unsatisfied in variable "{needed}"')
        try:
            return list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            names = ", ".join(sorted(set(error.args[1])))
            raise ParameterError(
                f"Cyclic dependency found in the following variables: {names}. Likely the variable"
                " is referencing itself"
            ) from error


def _names(around: Surroundings) -> _Names:
    return _Names(
        values={
            **kv_context(around.keys, around.user),
            "action_context": dict(around.context),
            _CONFIG: {},
            **around.names,
        },
        config=around.config,
    )


def _cast(names: _Names, name: str, value: Any, schemas: Iterable[Schema]) -> Any:
    declared: Mapping[str, Any] = {}
    for schema in schemas:
        declared = schema.get(name, declared)
    misfit = f"does not fit its type {declared.get('type')}"
    try:
        found = cast(value, dict(declared))
        json_text.require(found)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        if name in names.secret:
            raise ParameterError(f'The value of parameter "{name}" {misfit}') from None
        raise ParameterError(f'Value {value!r} of parameter "{name}" {misfit}: {error}') from error
    if json_text.is_deeper(found):
        raise ParameterError(
            f'The value of parameter "{name}" is nested deeper than {json_text.DEEPEST} levels'
        )
    return found


def render_live(
    runner: Schema, action: Schema, given: Mapping[str, Any], around: Surroundings
) -> dict[str, Any]:
    """The given parameters, rendered and cast, and the defaults that are templates.

    Raises:
        ParameterError: a template names something unknown or itself, fails, or gives a value
            that its type does not take.
    """
    names = _names(around)
    for name, value in given.items():
        names.add(name, value)
    schemas = (action, runner)
    for schema in schemas:
        names.add_defaults(schema)
    known = names.resolve()
    live = {name: _cast(names, name, known[name], schemas) for name in given}
    for schema in schemas:
        for name, attributes in schema.items():
            default = attributes.get("default")
            if attributes.get("immutable") or name in given or default == known[name]:
                continue
            if is_template(default):
                live[name] = _cast(names, name, known[name], (schema,))
    return live


def render_final(
    runner: Schema, action: Schema, live: Mapping[str, Any], around: Surroundings
) -> tuple[dict[str, Any], dict[str, Any]]:
    """All parameters of the run: those of the runner, and the action's own.

    The live values are taken as they are; only defaults are rendered.

    Raises:
        ParameterError: as `render_live`.
    """
    names = _names(around)
    names.values.update(live)
    schemas = (action, runner)
    for schema in schemas:
        names.add_defaults(schema)
    known = names.resolve()
    final = {
        name: _cast(names, name, value, schemas)
        for name, value in known.items()
        if name in runner or name in action
    }
    return (
        {name: value for name, value in final.items() if name in runner},
        {name: value for name, value in final.items() if name not in runner},
    )
