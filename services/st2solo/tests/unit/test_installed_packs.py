"""Which folders of installed packs are kept."""

import asyncio

import pytest

from st2solo import config as configuration
from st2solo.errors import InvalidError, NotFoundError
from st2solo.installed_packs import InstalledPack, InstalledPacks
from st2solo.metadata_file import Problem
from st2solo.server import registry_of

_META = "name: {}\ndescription: d\nversion: 1.0.0\nauthor: a\nemail: a@example.org\n"
_OLD, _NEW, _DRAFT = (f"{number:024x}.0" for number in (1, 2, 3))


@pytest.fixture
def installed(site):
    """The pack hello in its second version, with the folder of the first, and a draft."""
    installed = InstalledPacks(site.store, site.config.installed_packs)
    for name in (f"{_OLD}/hello", f"{_NEW}/hello", f"{_DRAFT}/clone", "by-hand/hello"):
        (installed.folder / name).mkdir(parents=True)
    for folder in (_OLD, _NEW):
        installed.put(InstalledPack("hello", folder, "file:///srv/hello", "c" * 40))
    return installed


def _execution(site, action, status, runner="python-script"):
    site.store.execute(
        "INSERT INTO executions (id, action_ref, runner, status, user, parameters, context, result,"
        " log, action, start_timestamp)"
        " VALUES ('e', ?, ?, ?, 'a', '{}', '{}', '{}', '[]', '{}', 'x')",
        (action, runner, status),
    )


def _swept(installed):
    asyncio.run(installed.sweep())
    return sorted(path.name for path in installed.folder.iterdir())


_ALL = sorted([_OLD, _NEW, _DRAFT, "by-hand"])


@pytest.mark.parametrize(
    ("action", "status", "runner", "kept"),
    [
        ("hello.say", "running", "python-script", [_OLD, _NEW, "by-hand"]),
        ("hello.say", "canceling", "python-script", [_OLD, _NEW, "by-hand"]),
        ("hello.say", "requested", "python-script", [_NEW, "by-hand"]),
        ("hello.say", "running", "orquesta", [_NEW, "by-hand"]),
        ("hello.say", "succeeded", "python-script", [_NEW, "by-hand"]),
        ("hello_too.say", "running", "python-script", [_NEW, "by-hand"]),
        ("packs.install", "running", "orquesta", _ALL),
        ("packs.install", "requested", "orquesta", _ALL),
        ("packs.install", "failed", "orquesta", [_NEW, "by-hand"]),
    ],
)
def test_what_is_swept(site, installed, action, status, runner, kept):
    """Not what a process may run from, what is being filled, or what st2solo has not made."""
    _execution(site, action, status, runner)
    assert _swept(installed) == kept


def test_a_removed_pack_is_swept(installed):
    installed.remove("hello")
    assert _swept(installed) == ["by-hand"]


@pytest.mark.parametrize(
    ("pack", "folder"),
    [("../x", _OLD), ("hello", "../x"), ("hello", f"{_OLD}/.."), ("virtualenvs", _OLD), (None, 1)],
)
def test_other_names_are_refused(pack, folder):
    with pytest.raises(InvalidError):
        InstalledPack.of({"pack": pack, "folder": folder, "source": "s", "revision": "r"})


def test_a_pack_of_the_configuration_wins_and_that_is_told(site, installed):
    """Also where it is named after another one of its name was installed."""
    site.write("actions/a.yaml", "name: a\nrunner_type: noop\n")
    folder = installed.folder / _OLD / "demo"
    folder.mkdir()
    (folder / "pack.yaml").write_text((site.folder / "packs/demo/pack.yaml").read_text())
    installed.put(InstalledPack("demo", _OLD, "file:///srv/demo", "c" * 40))
    done = site.registry.register(fail_on_failure=False)
    assert "`st2 pack remove demo` removes the one that was installed" in str(done.problems)
    assert site.registry.action("demo.a").pack_path == site.folder / "packs" / "demo"

    async def remove():
        return site.registry.remove(["demo"])

    assert asyncio.run(remove()) == ["demo"]
    assert not any(folder in problem.file.parents for problem in site.registry.problems)
    assert site.registry.action("demo.a")
    with pytest.raises(InvalidError, match="was not installed, so it cannot be removed"):
        site.registry.require_removable(["demo"])


def test_a_pack_that_the_configuration_names_no_more_can_be_removed(site):
    """Its files are still there, and until then it counts."""
    site.write("actions/a.yaml", "name: a\nrunner_type: noop\n")
    site.registry.register(fail_on_failure=True)
    assert site.registry.left_behind() == []
    other = site.folder / "other" / "mine"
    other.mkdir(parents=True)
    (other / "pack.yaml").write_text(_META.format("mine"))
    (site.folder / "st2solo.yaml").write_text("packs: [other/mine]\nstate: state\n")
    registry, *_ = registry_of(configuration.load(site.folder / "st2solo.yaml"), site.store)
    registry.register(fail_on_failure=True)
    registry.problems = [
        Problem(file, None, "of before")
        for file in (site.pack / "a.yaml", site.folder / "configs/demo.yaml", other / "a.yaml")
    ]
    assert registry.left_behind() == ["demo"] and registry.action("demo.a")
    with pytest.raises(InvalidError, match="was not installed, so it cannot be removed"):
        registry.require_removable(["mine"])

    async def remove():
        return registry.remove(["demo"])

    assert asyncio.run(remove()) == ["demo"]
    assert registry.left_behind() == []
    assert [problem.file for problem in registry.problems] == [other / "a.yaml"]
    with pytest.raises(NotFoundError):
        registry.action("demo.a")
    assert (site.pack / "pack.yaml").is_file()


def test_what_was_wrong_with_a_pack_is_forgotten_when_another_one_replaces_it(site, installed):
    site.registry.register(fail_on_failure=False)
    gone = installed.folder / _NEW / "hello"
    assert [p for p in site.registry.problems if gone in p.file.parents]
    folder = installed.folder / _OLD / "hello"
    folder.mkdir(exist_ok=True)
    (folder / "pack.yaml").write_text(_META.format("hello"))

    async def install():
        return site.registry.install([InstalledPack("hello", _OLD, "file:///h", "d" * 40)])

    assert asyncio.run(install()) == ["hello"]
    assert not [p for p in site.registry.problems if gone in p.file.parents]


def test_an_installed_pack_whose_files_are_gone_is_told(site, installed):
    done = site.registry.register(fail_on_failure=False)
    assert str(installed.folder / _NEW / "hello" / "pack.yaml") in str(done.problems)


def test_no_other_pack_takes_the_place_of_packs(site):
    site.write("pack.yaml", _META.format("packs"))
    site.write("actions/install.yaml", "name: install\nrunner_type: noop\n")
    site.registry.register(fail_on_failure=True)
    assert site.registry.action("packs.install").runner_type == "orquesta"
    assert "packs" in site.registry.fixed()
