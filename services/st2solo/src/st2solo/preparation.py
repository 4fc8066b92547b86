"""From the name of an action and given parameters to what can be run."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from st2solo.errors import InvalidError, ParameterError
from st2solo.inert import holds_template
from st2solo.parameters import Surroundings, render_final, render_live
from st2solo.ports import ActionDefinition, ActionSource, KeySource
from st2solo.records import Execution
from st2solo.runner_types import RunnerType, runner_type
from st2solo.schema import merged_parameters, parameters_schema, validate

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """An action with live parameters that fit its schema."""

    action: ActionDefinition
    runner: RunnerType
    parameters: dict[str, Any]


class Preparation:
    """Renders and checks parameters against the registry and the datastore."""

    def __init__(self, actions: ActionSource, keys: KeySource, system_user: str) -> None:
        self._actions = actions
        self._keys = keys
        self._system_user = system_user

    def action(self, ref: str) -> tuple[ActionDefinition, RunnerType]:
        """The action and its runner.

        Raises:
            NotFoundError: there is no such action, or st2solo lacks its runner.
            InvalidError: it is disabled.
        """
        action = self._actions.action(ref)
        if not action.enabled:
            raise InvalidError(f'Unable to execute. Action "{ref}" is disabled.')
        return action, runner_type(action.runner_type)

    def live(
        self,
        ref: str,
        given: dict[str, Any],
        context: dict[str, Any],
        names: Mapping[str, Any] | None = None,
    ) -> Prepared:
        """Render and check the parameters of a request; the templates may use `names` too.

        Raises:
            NotFoundError, InvalidError: as `action`, or the parameters do not fit the schema, or
                one of the names brought a template with it.
            ParameterError: a template cannot be rendered.
        """
        action, runner = self.action(ref)
        around = self._around({**context, "pack": action.pack}, names=names)
        live = render_live(runner.parameters, action.parameters, given, around)
        if names:
            for name in given:
                _require_inert(name, live[name])
        self._check(action, runner, live)
        return Prepared(action, runner, live)

    @staticmethod
    def _check(action: ActionDefinition, runner: RunnerType, live: dict[str, Any]) -> None:
        merged = merged_parameters(runner.parameters, action.parameters)
        validate(live, parameters_schema(merged))
        fixed = sorted(n for n in live if (merged.get(n) or {}).get("immutable"))
        if fixed:
            raise InvalidError(f"Override of immutable parameter(s) {fixed} is unsupported.")

    def final(self, execution: Execution) -> tuple[dict[str, Any], dict[str, Any]]:
        """The runner's and the action's parameters for a run.

        Raises:
            NotFoundError: the action is not there any more.
            ParameterError: a default cannot be rendered.
        """
        action = self._actions.action(execution.action_ref)
        runner = runner_type(action.runner_type)
        around = self._around({**execution.context, "pack": action.pack}, strict=True)
        return render_final(runner.parameters, action.parameters, execution.parameters, around)

    def config(self, pack: str, user: str) -> dict[str, Any]:
        return self._actions.pack_config(pack, user)

    def _around(
        self,
        context: dict[str, Any],
        strict: bool = False,
        names: Mapping[str, Any] | None = None,
    ) -> Surroundings:
        pack = str(context.get("pack"))
        user = str(context.get("api_user") or context.get("user") or self._system_user)

        def config() -> dict[str, Any]:
            try:
                return self._actions.pack_config(pack, str(context.get("user") or user))
            except Exception as error:
                if strict:
                    raise ParameterError(f"the configuration of {pack} fails: {error}") from error
                _LOG.info("the configuration of %s fails: %s", pack, error)
                return {}

        return Surroundings(self._keys, user, context, config, names or {})


def _require_inert(name: str, value: Any) -> None:
    """Refuse what would be evaluated a second time: a template that came in with the payload."""
    if holds_template(value):
        raise InvalidError(
            f"parameter {name}: the trigger's payload holds a template ({{{{, {{% or <%), which is"
            " not passed on; pass an identifier instead and fetch the text in the action"
        )
