"""Packs: what they register, how they are installed and removed, and their configurations."""

from typing import Any

from st2solo import pack_config, schema
from st2solo.api.calls import Answer, Call, Route, listed, shown
from st2solo.errors import InvalidError, NotFoundError
from st2solo.pack_repository import Source
from st2solo.resources import Kind, Resource


def list_packs(call: Call) -> Answer:
    documents = [pack.document() for pack in call.services.resources.list(Kind.PACK)]
    return listed(call, documents, "name", "ref")


def get_pack(call: Call, ref: str) -> dict[str, Any]:
    return shown(call, call.services.resources.get(Kind.PACK, ref).document())


def _require_administrator(call: Call, wish: str) -> None:
    call.identity.require_person(wish)
    call.identity.require_admin(wish)


def register_packs(call: Call) -> dict[str, int]:
    _require_administrator(call, "Registering packs")
    content = call.object()
    names = _names(content) if content.get("packs") else None
    done = call.services.registry.register(
        names, fail_on_failure=bool(content.get("fail_on_failure", True))
    )
    return done.counts


def install_packs(call: Call) -> Answer:
    _require_administrator(call, "Installing packs")
    content = call.object()
    names = _names(content)
    for name in names:
        Source.of(name)  # refused at once, and not by a failed execution
    flags = {name: bool(content.get(name)) for name in ("force", "skip_dependencies")}
    return _execution(call, "packs.install", {"packs": names, **flags})


def uninstall_packs(call: Call) -> Answer:
    _require_administrator(call, "Removing packs")
    return _uninstall(call, _names(call.object()))


def uninstall_pack(call: Call, ref: str) -> Answer:
    _require_administrator(call, "Removing packs")
    return _uninstall(call, [ref])


def _uninstall(call: Call, names: list[str]) -> Answer:
    call.services.registry.require_removable(names)
    return _execution(call, "packs.uninstall", {"packs": names})


def _names(content: dict[str, Any]) -> list[str]:
    names = content.get("packs")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise InvalidError("expected packs as a list of names of packs")
    return list(dict.fromkeys(names))


def _execution(call: Call, action: str, parameters: dict[str, Any]) -> Answer:
    user = call.identity.user
    asked = call.services.executions.request(action, parameters, user=user, administrator=True)
    return Answer({"execution_id": asked["id"]}, 202)


def search_packs(call: Call) -> Any:
    """Among the packs that are here: by a text in one of their attributes, or by name."""
    content = call.object()
    documents = list(call.services.resources.list(Kind.PACK))
    if "query" in content:
        wanted = str(content["query"]).lower()
        return [pack.document() for pack in documents if _mentions(pack, wanted)]
    for pack in documents:
        if pack.ref == content.get("pack"):
            return pack.document()
    return []


def _mentions(pack: Resource, wanted: str) -> bool:
    names = ("ref", "name", "description", "keywords", "author", "email")
    return any(wanted in str(pack.content.get(name, "")).lower() for name in names)


def list_config_schemas(call: Call) -> Answer:
    packs = call.services.resources.list(Kind.PACK)
    return listed(call, [_config_schema(pack) for pack in packs], "pack")


def get_config_schema(call: Call, pack: str) -> dict[str, Any]:
    found = call.services.resources.get(Kind.PACK, pack)
    if not found.content["config_schema"]:
        raise NotFoundError(f'the pack "{pack}" has no config.schema.yaml')
    return _config_schema(found)


def _config_schema(pack: Resource) -> dict[str, Any]:
    return {"id": pack.id, "pack": pack.ref, "attributes": pack.content["config_schema"]}


def list_configs(call: Call) -> Answer:
    packs = call.services.resources.list(Kind.PACK)
    return listed(call, [_config(call, pack) for pack in packs], "pack")


def get_config(call: Call, pack: str) -> dict[str, Any]:
    return _config(call, call.services.resources.get(Kind.PACK, pack))


def put_config(call: Call, pack: str) -> dict[str, Any]:
    """Write the pack's file among the configurations; its sensors start again with it."""
    _require_administrator(call, "Configuring packs")
    found = call.services.resources.get(Kind.PACK, pack)
    folder = call.services.config.configs
    pack_config.write(folder, found.ref, call.object(), found.content["config_schema"])
    call.services.registry.configured(found.ref)
    call.services.sensors.refresh()
    return _config(call, found)


def _config(call: Call, pack: Resource) -> dict[str, Any]:
    values = call.services.registry.raw_config(pack.ref)
    if not call.unmasks():
        values = schema.masked(values, pack.content["config_schema"])
    return {"id": pack.id, "pack": pack.ref, "values": values}


ROUTES = [
    Route("GET", "/packs", list_packs),
    Route("POST", "/packs/install", install_packs),
    Route("POST", "/packs/uninstall", uninstall_packs),
    Route("POST", "/packs/uninstall/<ref>", uninstall_pack),
    Route("POST", "/packs/register", register_packs),
    Route("POST", "/packs/index/search", search_packs, recorded=True),
    Route("GET", "/packs/<ref>", get_pack),
    Route("GET", "/config_schemas", list_config_schemas),
    Route("GET", "/config_schemas/<pack>", get_config_schema),
    Route("GET", "/configs", list_configs),
    Route("GET", "/configs/<pack>", get_config),
    Route("PUT", "/configs/<pack>", put_config),
]
