"""The packs that are registered: actions, rules, sensors, trigger types, configurations."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from st2solo import metadata_file, pack_config, packs
from st2solo.errors import InvalidError, NotFoundError
from st2solo.installed_packs import PACKS, InstalledPack, InstalledPacks
from st2solo.keys import Keys
from st2solo.metadata_file import MetadataError, MetadataFile, Problem
from st2solo.packs import Pack, RunnerParameters
from st2solo.policy_types import POLICY_TYPES
from st2solo.resources import Kind, Resource, Resources
from st2solo.rule_files import RULE_TYPES, RuleError, rule_content
from st2solo.store import Store
from st2solo.triggers import Triggers

_LOG = logging.getLogger(__name__)

#: The ref of the pack of which every other pack may use the actions and triggers.
CORE = "core"
CORE_PACK = Path(__file__).parent / "core_pack"
#: What has no state that a pack of another name could keep.
_MADE_ANEW = (Kind.TRIGGER_TYPE, Kind.TRIGGER)
_KEPT = tuple(kind for kind in Kind if kind not in _MADE_ANEW)
#: Packs that are there without a site's doing; one of the site's own takes the place of its like.
BUILT_IN = (
    CORE_PACK,
    Path(__file__).parent / "chatops_pack",
    Path(__file__).parent / "packs_pack",
)


@dataclass(frozen=True)
class Action:
    id: str
    ref: str
    pack: str
    name: str
    runner_type: str
    enabled: bool
    entry_point: Path | None
    parameters: dict[str, dict[str, Any]]
    output_schema: dict[str, Any]
    description: str
    tags: list[dict[str, str]]
    notify: dict[str, Any]
    pack_path: Path
    shown: str

    def document(self) -> dict[str, Any]:
        """The action as StackStorm's API shows it."""
        document: dict[str, Any] = json.loads(self.shown)
        return document

    @classmethod
    def from_resource(cls, resource: Resource, pack_path: Path) -> "Action":
        content = resource.content
        entry_point = content["entry_point"]
        return cls(
            id=resource.id,
            ref=resource.ref,
            pack=resource.pack,
            name=content["name"],
            runner_type=content["runner_type"],
            enabled=resource.enabled,
            entry_point=(pack_path / "actions" / entry_point).resolve() if entry_point else None,
            parameters=content["parameters"],
            output_schema=content["output_schema"],
            description=content["description"],
            tags=content["tags"],
            notify=content["notify"],
            pack_path=pack_path,
            shown=json.dumps(resource.document()),
        )


@dataclass(frozen=True)
class Policy:
    ref: str
    policy_type: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Registration:
    """What a registration took in, by the names that `POST packs/register` answers with."""

    counts: dict[str, int]
    problems: list[Problem]


class Registry:
    """Reads packs into the store; the store is what everything else looks at.

    A site's own pack `core` or `chatops`, such as StackStorm's, takes the place of the built-in
    one's actions; the triggers that st2solo itself makes stay.
    """

    def __init__(
        self,
        store: Store,
        resources: Resources,
        triggers: Triggers,
        keys: Keys,
        *,
        roots: list[Path],
        configs: Path,
        installed: InstalledPacks,
        runners: RunnerParameters,
    ) -> None:
        self._store = store
        self._resources = resources
        self._triggers = triggers
        self._keys = keys
        self._roots = roots
        self._configs = configs
        self.installed = installed
        self._runners = runners
        #: Why files of packs are not registered, as far as packs were read since the start.
        self.problems: list[Problem] = []
        #: Called after each registration, once it has been written.
        self.on_registered: list[Callable[[], None]] = []

    def action(self, ref: str) -> Action:
        """
        Raises:
            NotFoundError: no pack has this action.
        """
        try:
            resource = self._resources.get(Kind.ACTION, ref)
        except NotFoundError as err:
            raise NotFoundError(f'Action "{ref}" cannot be found') from err
        return Action.from_resource(resource, self.pack_path(resource.pack))

    def alias(self, alias_id: str) -> dict[str, Any] | None:
        """The alias as StackStorm's API shows it; None if there is none of that id."""
        try:
            return self._resources.get(Kind.ALIAS, alias_id).document()
        except NotFoundError:
            return None

    def policies(self, action_ref: str) -> list[Policy]:
        """The enabled policies of an action."""
        return [
            Policy(policy.ref, policy.content["policy_type"], policy.content["parameters"])
            for policy in self._resources.list(Kind.POLICY)
            if policy.enabled and policy.content["resource_ref"] == action_ref
        ]

    def pack_path(self, pack: str) -> Path:
        return Path(self._resources.get(Kind.PACK, pack).content["path"])

    def pack_paths(self) -> list[tuple[str, Path]]:
        """Every pack and its folder."""
        packs = self._resources.list(Kind.PACK)
        return [(pack.ref, Path(pack.content["path"])) for pack in packs]

    def pack_config(self, pack: str, user: str) -> dict[str, Any]:
        """`configs/<pack>.yaml` with the datastore's values in it and the schema's defaults.

        Values that the schema calls secret are decrypted.
        """
        schema = self._resources.get(Kind.PACK, pack).content.get("config_schema", {})
        return pack_config.rendered(pack_config.read(self._configs, pack), schema, self._keys, user)

    def pack_state(self, pack: str) -> tuple[Path, str]:
        """Where the pack is, and what its configuration's file says, right or wrong."""
        path = pack_config.path_of(self._configs, pack)
        text = path.read_bytes().decode(errors="replace") if path.is_file() else ""
        return self.pack_path(pack), text

    def raw_config(self, pack: str) -> dict[str, Any]:
        """`configs/<pack>.yaml` as it is written."""
        return pack_config.read(self._configs, pack)

    def register(
        self, names: Iterable[str] | None = None, *, fail_on_failure: bool
    ) -> Registration:
        """Read all packs, or those named.

        Without `fail_on_failure` files with problems are left out and the rest is registered.

        Raises:
            MetadataError: with `fail_on_failure`, all problems; nothing is changed then.
            NotFoundError: a named pack is in none of the packs folders.
        """
        done = self._register(names, fail_on_failure=fail_on_failure)
        self._tell()
        return done

    def _register(self, names: Iterable[str] | None, *, fail_on_failure: bool) -> Registration:
        problems: list[Problem] = []
        found = self._read(names, problems)
        counts = dict.fromkeys(
            ("actions", "triggers", "sensors", "rules", "aliases", "policies", "configs"), 0
        )
        counts["runners"] = len(self._runners)
        counts["rule_types"], counts["policy_types"] = len(RULE_TYPES), len(POLICY_TYPES)
        with self._store.transaction():
            before = self._described()
            renamed = self._move_renamed(found)
            for pack in found:
                self._register_pack(pack, counts, problems)
            for pack in found:
                self._register_rules(pack, counts, problems)
            self._triggers.forget_unused()
            if problems and fail_on_failure:
                raise MetadataError(problems)
        for old, new in renamed.items():
            self._tell_renamed(old, new)
        self._tell_forgotten(before)
        self._note(problems, None if names is None else found)
        return Registration(counts, problems)

    def _described(self) -> dict[str, str]:
        """What files have registered, by its id: its kind and ref."""
        return {
            resource.id: f"{kind.replace('_', ' ')} {resource.ref}"
            for kind in Kind
            if kind is not Kind.TRIGGER
            for resource in self._resources.list(kind)
            if resource.from_file
        }

    def _move_renamed(self, found: Sequence[Pack]) -> dict[str, str]:
        """Packs whose folder is that of a pack of another name now; their old and new names."""
        now = {pack.path: pack.ref for pack in found}
        renamed = {old: now[path] for old, path in self.pack_paths() if now.get(path, old) != old}
        for old, new in renamed.items():
            self._forget(old, _MADE_ANEW, made_by_api=False)
            self._resources.move(_KEPT, old, new)
            self._forget(old, made_by_api=False)
        return renamed

    def _tell_renamed(self, old: str, new: str) -> None:
        _LOG.warning(
            "the pack %s is now called %s, as StackStorm calls it; write `ref: %s` into its"
            " pack.yaml to keep that name. Its configuration is now %s",
            old,
            new,
            old,
            pack_config.path_of(self._configs, new),
        )
        rules = [rule.ref for rule in self._resources.list(Kind.RULE) if rule.pack == old]
        if rules:
            _LOG.warning("rules of %s made by the API stay as they are: %s", old, ", ".join(rules))

    def _tell_forgotten(self, before: dict[str, str]) -> None:
        after = self._described()
        if gone := [words for one, words in before.items() if one not in after]:
            told = ", ".join(gone)
            _LOG.warning("forgotten, since no .yaml or .yml file describes it any more: %s", told)

    def _note(self, problems: list[Problem], of: list[Pack] | None) -> None:
        """Keep the problems of the packs that were read (None: all); others' stay."""
        if of is None:
            self.problems = problems
            return
        read = [pack.path for pack in of]
        read += [pack_config.path_of(self._configs, pack.ref) for pack in of]
        others = self._problems_outside(read)
        self.problems = [*(p for p in others if p not in problems), *problems]

    def _problems_outside(self, places: Sequence[Path]) -> list[Problem]:
        """Those of files that are neither one of `places` nor below it."""
        return [p for p in self.problems if not any(p.file.is_relative_to(at) for at in places)]

    def configured(self, pack: str) -> None:
        """A configuration of the pack that fits its schema was written."""
        self.problems = self._problems_outside([pack_config.path_of(self._configs, pack)])

    def _tell(self) -> None:
        for callback in self.on_registered:
            callback()

    @property
    def folder(self) -> Path:
        """Where packs are put before they are installed."""
        return self.installed.folder

    def fixed(self) -> dict[str, Path]:
        """The packs that nobody can install or remove, and where they are: those of st2solo.yaml,
        and those that are built in.
        """
        return {
            ref: path
            for ref, path in self.pack_paths()
            if (path in BUILT_IN or path in self._roots or path.parent in self._roots)
            and (path / "pack.yaml").is_file()
            and self._is_called(ref, path)
        }

    def _is_called(self, ref: str, path: Path) -> bool:
        """Whether the pack in this folder has this name, as far as its pack.yaml can be read."""
        try:
            return packs.ref_of(path, self._roots) == ref
        except MetadataError:
            return True

    def left_behind(self) -> list[str]:
        """The packs that count although st2solo.yaml does not name them any more.

        NB: they are not forgotten unasked, since a folder may be away for a while, and what was
        switched off would be on when it is back.
        """
        kept = self.fixed().keys() | {pack.ref for pack in self.installed.in_force()}
        return sorted(set(self.registered()) - kept)

    def registered(self) -> list[str]:
        """The names of all packs."""
        return [ref for ref, _ in self.pack_paths()]

    def install(self, found: Sequence[InstalledPack]) -> list[str]:
        """Register packs whose files are there, all or none; their names. Call in a transaction.

        Raises:
            MetadataError: what is wrong with them.
            InvalidError: one of them is fixed, or its files are not there.
        """
        fixed = self.fixed()
        replaced = self._installed_at([pack.ref for pack in found])
        for pack in found:
            if pack.ref in fixed:
                raise InvalidError(f'the pack "{pack.ref}" is {fixed[pack.ref]}')
            if not (self.installed.path(pack) / "pack.yaml").is_file():
                raise InvalidError(f"the files of the pack are gone: {self.installed.path(pack)}")
            self.installed.put(pack)
        names = [pack.ref for pack in found]
        self._register(names, fail_on_failure=True)
        self.problems = self._problems_outside(replaced)
        asyncio.get_running_loop().call_soon(self._tell)  # once it is committed
        return names

    def require_removable(self, names: Sequence[str]) -> None:
        """
        Raises:
            NotFoundError, InvalidError: as `remove`.
        """
        fixed, installed = self.fixed(), {pack.ref for pack in self.installed.in_force()}
        for name in set(names) - installed:
            if name in fixed:
                raise InvalidError(
                    f'the pack "{name}" was not installed, so it cannot be removed: it is'
                    f" {fixed[name]}"
                )
            if name not in self.registered():
                raise NotFoundError(f'there is no pack "{name}"')

    def remove(self, names: Sequence[str]) -> list[str]:
        """Forget packs and all that they have registered, all or none. Call in a transaction.

        Raises:
            NotFoundError: one is not there.
            InvalidError: one is fixed.
        """
        self.require_removable(names)
        fixed, gone = self.fixed(), self._installed_at(names)
        for name in names:
            self.installed.remove(name)
            if name not in fixed:
                gone += [path for ref, path in self.pack_paths() if ref == name]
                gone.append(pack_config.path_of(self._configs, name))
                self._forget(name)
        self.problems = self._problems_outside(gone)
        self._triggers.forget_unused()
        asyncio.get_running_loop().call_soon(self._tell)  # once it is committed
        return list(names)

    def _installed_at(self, names: Sequence[str]) -> list[Path]:
        return [self.installed.path(one) for one in self.installed.in_force() if one.ref in names]

    def _forget(
        self, pack: str, kinds: Iterable[Kind] = tuple(Kind), *, made_by_api: bool = True
    ) -> None:
        """Delete what a pack has; a trigger that a rule which stays uses waits for its type."""

        def goes(resource: Resource) -> bool:
            return resource.pack == pack and (made_by_api or resource.from_file)

        rules = self._resources.list(Kind.RULE)
        used = {rule.content["trigger"]["ref"] for rule in rules if not goes(rule)}
        for kind in kinds:
            for resource in self._resources.list(kind):
                if goes(resource) and (kind is not Kind.TRIGGER or resource.ref not in used):
                    self._resources.delete(resource)

    def _read(self, names: Iterable[str] | None, problems: list[Problem]) -> list[Pack]:
        wanted = None if names is None else list(names)
        found: dict[str, Pack] = {}
        installed = [self.installed.path(pack) for pack in self.installed.in_force()]
        for folder in [*packs.folders(self._roots), *installed, *BUILT_IN]:
            try:
                pack = packs.read(folder, self._runners, self._roots)
            except MetadataError as err:
                if wanted is None or folder.name in wanted:
                    problems += err.problems
                continue
            if pack.ref == PACKS and folder not in BUILT_IN:
                continue  # StackStorm's own could not install anything here
            if pack.ref in found:
                if folder in BUILT_IN:
                    continue
                if wanted is not None and pack.ref not in wanted:
                    continue
                message = f'pack "{pack.ref}" is already in {found[pack.ref].path}'
                if folder in installed:
                    message += f"; `st2 pack remove {pack.ref}` removes the one that was installed"
                problems.append(Problem(folder / "pack.yaml", None, message))
                continue
            found[pack.ref] = pack
        if wanted is None:
            return list(found.values())
        for name in wanted:
            if name not in found:
                places = ", ".join(str(root) for root in self._roots)
                reasons = "".join(f"; {problem}" for problem in problems)
                raise NotFoundError(f'Pack "{name}" not found on disk in {places}{reasons}')
        return [found[name] for name in wanted]

    def _register_pack(self, pack: Pack, counts: dict[str, int], problems: list[Problem]) -> None:
        problems += pack.problems
        content = pack.document | {"config_schema": pack.config_schema} | self._origin(pack)
        self._resources.put_from_file(Kind.PACK, pack.ref, pack.ref, content)
        self._put(Kind.ACTION, pack, pack.actions, _action_content)
        self._put(Kind.SENSOR, pack, pack.sensors, _sensor_content)
        self._put(Kind.ALIAS, pack, pack.aliases, dict)
        self._put(Kind.POLICY, pack, pack.policies, _policy_content)
        self._register_trigger_types(pack)
        counts["actions"] += len(pack.actions)
        counts["sensors"] += len(pack.sensors)
        counts["triggers"] += len(pack.trigger_types)
        counts["aliases"] += len(pack.aliases)
        counts["policies"] += len(pack.policies)
        counts["configs"] += self._config_counted(pack, problems)

    def _origin(self, pack: Pack) -> dict[str, str]:
        for one in self.installed.in_force():
            if self.installed.path(one) == pack.path:
                return {"repo_url": one.source, "commit": one.revision}
        return {}

    def _put(
        self,
        kind: Kind,
        pack: Pack,
        files: list[MetadataFile],
        content_of: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> None:
        kept: set[str] = set()
        for file in files:
            content = content_of(file.content)
            ref = f"{pack.ref}.{content.get('class_name') or content['name']}"
            enabled = content.pop("enabled", True)
            self._resources.put_from_file(kind, ref, pack.ref, content, enabled=enabled)
            kept.add(ref)
        self._resources.delete_vanished(kind, pack.ref, kept)

    def _register_trigger_types(self, pack: Pack) -> None:
        declared = [file.content for file in pack.trigger_types]
        if pack.ref == CORE and pack.path != CORE_PACK:
            internal = packs.read(CORE_PACK, self._runners)
            declared += [file.content for file in internal.trigger_types]
        for file in pack.sensors:
            own = {"metadata_file": file.content["metadata_file"]}
            declared += [
                own | {"pack": pack.ref} | t for t in file.content.get("trigger_types", [])
            ]
        kept = {self._triggers.register_type(content, pack.ref).ref for content in declared}
        self._resources.delete_vanished(Kind.TRIGGER_TYPE, pack.ref, kept)

    def _register_rules(self, pack: Pack, counts: dict[str, int], problems: list[Problem]) -> None:
        kept: set[str] = set()
        for file in pack.rules:
            ref = f"{pack.ref}.{file.content['name']}"
            kept.add(ref)
            try:
                content = rule_content(file.content, self._triggers)
            except RuleError as err:
                problems.append(file.problem(str(err), [err.field]))
                continue
            enabled = content.pop("enabled")
            self._resources.put_from_file(Kind.RULE, ref, pack.ref, content, enabled=enabled)
            counts["rules"] += 1
        self._resources.delete_vanished(Kind.RULE, pack.ref, kept)

    def _config_counted(self, pack: Pack, problems: list[Problem]) -> int:
        path = pack_config.path_of(self._configs, pack.ref)
        if not path.is_file():
            return 0
        try:
            file = metadata_file.read(path)
        except MetadataError as err:
            problems += err.problems
            return 0
        found = pack_config.problems(file, pack.config_schema)
        problems += found
        return 0 if found else 1


def _action_content(content: dict[str, Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "description": "",
        "entry_point": "",
        "parameters": {},
        "output_schema": {},
        "tags": [],
        "notify": {},
    }
    return defaults | content


def _policy_content(content: dict[str, Any]) -> dict[str, Any]:
    given = content.get("parameters") or {}
    complete = POLICY_TYPES[content["policy_type"]].checked(given)
    return {"description": ""} | content | {"parameters": complete}


def _sensor_content(content: dict[str, Any]) -> dict[str, Any]:
    types = content.get("trigger_types", [])
    refs = [f"{t.get('pack', content['pack'])}.{t['name']}" for t in types]
    return {"description": ""} | content | {"trigger_types": refs}
