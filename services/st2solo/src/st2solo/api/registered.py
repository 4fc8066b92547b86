"""What packs register: actions, runners, sensors, policies."""

from typing import Any

from st2solo import schema
from st2solo.api.calls import Answer, Call, Route, listed, shown
from st2solo.errors import InvalidError, NotFoundError
from st2solo.policy_types import POLICY_TYPES
from st2solo.resources import Kind, Resource
from st2solo.runner_types import RUNNER_TYPES

_REGISTER = "edit the file in the pack and run `st2 pack register`"


def _listed(call: Call, kind: Kind, *filters: str, **fields: str) -> Answer:
    documents = [resource.document() for resource in call.services.resources.list(kind)]
    return listed(call, documents, "name", *filters, **fields)


def _one(call: Call, kind: Kind, ref: str) -> dict[str, Any]:
    return shown(call, call.services.resources.get(kind, ref).document())


def switched(call: Call, kind: Kind, ref: str) -> Resource:
    """Set `enabled`, the one thing about an object of a file that the API changes."""
    resource = call.services.resources.get(kind, ref)
    given, known = call.object(), resource.document()
    for name, value in given.items():
        if name not in ("enabled", "ref", "id", "uid") and known.get(name, value) != value:
            raise InvalidError(f"{name} of {resource.ref} comes from its file: {_REGISTER}")
    enabled = given.get("enabled", resource.enabled)
    if not isinstance(enabled, bool):
        raise InvalidError(f"expected enabled to be true or false, found {enabled!r}")
    return call.services.resources.update(resource, resource.content, enabled=enabled)


def list_actions(call: Call) -> Answer:
    return _listed(call, Kind.ACTION, "pack", "ref", "runner_type", tags="tags.name")


def get_action(call: Call, ref: str) -> dict[str, Any]:
    return _one(call, Kind.ACTION, ref)


def put_action(call: Call, ref: str) -> dict[str, Any]:
    return switched(call, Kind.ACTION, ref).document()


def action_parameters(call: Call, ref: str) -> dict[str, Any]:
    action = call.services.resources.get(Kind.ACTION, ref)
    runner = RUNNER_TYPES[action.content["runner_type"]].parameters
    return {"parameters": schema.merged_parameters(runner, action.content["parameters"])}


def action_entry_point(call: Call, ref: str) -> Answer:
    path = call.services.registry.action(ref).entry_point
    if path is None or not path.is_file():
        raise NotFoundError(f'Action "{ref}" has no file as its entry point')
    return Answer(path.read_text(errors="replace"), plain=True)


def list_runners(call: Call) -> Answer:
    return listed(call, [runner.document() for runner in RUNNER_TYPES.values()], "name")


def get_runner(call: Call, name: str) -> dict[str, Any]:
    for runner in RUNNER_TYPES.values():
        document = runner.document()
        if name in (document["name"], document["id"]):
            return document
    raise NotFoundError(f'there is no runner "{name}"; known: {", ".join(RUNNER_TYPES)}')


def list_sensors(call: Call) -> Answer:
    return _listed(call, Kind.SENSOR, "pack", "enabled", trigger="trigger_types")


def get_sensor(call: Call, ref: str) -> dict[str, Any]:
    return _one(call, Kind.SENSOR, ref)


def put_sensor(call: Call, ref: str) -> dict[str, Any]:
    sensor = switched(call, Kind.SENSOR, ref)
    call.services.sensors.refresh()
    return sensor.document()


def list_policies(call: Call) -> Answer:
    return _listed(call, Kind.POLICY, "pack", "resource_ref", "policy_type")


def get_policy(call: Call, ref: str) -> dict[str, Any]:
    return _one(call, Kind.POLICY, ref)


def put_policy(call: Call, ref: str) -> dict[str, Any]:
    return switched(call, Kind.POLICY, ref).document()


def list_policy_types(call: Call) -> Answer:
    documents = [kind.document() for kind in POLICY_TYPES.values()]
    return listed(call, documents, "resource_type")


def get_policy_type(call: Call, ref: str) -> dict[str, Any]:
    for kind in POLICY_TYPES.values():
        document = kind.document()
        if ref in (kind.ref, document["id"]):
            return document
    raise NotFoundError(f'there is no policy type "{ref}"; known: {", ".join(POLICY_TYPES)}')


ROUTES = [
    Route("GET", "/actions", list_actions),
    Route("GET", "/actions/views/overview", list_actions),
    Route("GET", "/actions/views/overview/<ref>", get_action),
    Route("GET", "/actions/views/parameters/<ref>", action_parameters),
    Route("GET", "/actions/views/entry_point/<ref>", action_entry_point),
    Route("GET", "/actions/<ref>", get_action),
    Route("PUT", "/actions/<ref>", put_action),
    Route("GET", "/runnertypes", list_runners),
    Route("GET", "/runnertypes/<name>", get_runner),
    Route("GET", "/sensortypes", list_sensors),
    Route("GET", "/sensortypes/<ref>", get_sensor),
    Route("PUT", "/sensortypes/<ref>", put_sensor),
    Route("GET", "/policies", list_policies),
    Route("GET", "/policies/<ref>", get_policy),
    Route("PUT", "/policies/<ref>", put_policy),
    Route("GET", "/policytypes", list_policy_types),
    Route("GET", "/policytypes/<ref>", get_policy_type),
]
