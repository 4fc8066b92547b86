"""The command `st2solo`.

What brings orquesta with it is imported by the commands that need it: it takes half a second.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from st2solo import backup, logs, state_lock
from st2solo import config as configuration
from st2solo.auth import Users
from st2solo.config import Config
from st2solo.crypto import load_or_create
from st2solo.environments import folder_for_tests
from st2solo.errors import St2SoloError
from st2solo.findings import BAD
from st2solo.keys import Keys
from st2solo.metadata_file import MetadataError
from st2solo.store import Store

_config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default="st2solo.yaml",
    show_default=True,
    help="The configuration file.",
)


def _load(path: Path) -> Config:
    config = configuration.load(path)
    logs.configure(config.log_level, config.log_format)
    return config


@click.group()
@click.version_option(package_name="st2solo")
def commands() -> None:
    """StackStorm's packs, rules and workflows in one process on one SQLite file."""


@commands.command("serve")
@_config_option
def serve_command(config_file: Path) -> None:
    """Run the orchestrator; the `st2` command drives it."""
    from st2solo.server import serve

    asyncio.run(serve(_load(config_file)))


@commands.command("register", short_help="Check every file of every pack and register them.")
@_config_option
def register_command(config_file: Path) -> None:
    """Check every file of every pack and register them; changes nothing if a file is wrong.

    While st2solo serves use `st2 pack register`.
    """
    from st2solo.server import make_environments, registry_of

    config = _load(config_file)
    with state_lock.held(config.state):
        store = Store(config.store)
        try:
            registry, *_ = registry_of(config, store)
            done = registry.register(fail_on_failure=True)
            unmade = asyncio.run(make_environments(config.environments, registry))
        finally:
            store.close()
    for name, count in done.counts.items():
        click.echo(f"{name}: {count}")
    if unmade:
        sys.exit(1)


@commands.command("backup")
@_config_option
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
def backup_command(config_file: Path, target: Path) -> None:
    """Copy the store to TARGET, also while st2solo serves."""
    config = _load(config_file)
    backup.copy(config.store, target)
    click.echo(
        f"the store is in {target}; what is encrypted in it needs the key in"
        f" {config.crypto_key}: keep that elsewhere"
    )


@commands.command("doctor", short_help="Look at everything that st2solo needs.")
@_config_option
def doctor_command(config_file: Path) -> None:
    """Look at everything that st2solo needs, and say what is wrong; exit code 1 if something is."""
    from st2solo import doctor

    config = _load(config_file)
    findings = doctor.examine(config)
    for finding in findings:
        click.echo(f"{finding.grade:<7} {finding.subject}: {finding.message}")
    if any(finding.grade == BAD for finding in findings):
        sys.exit(1)


@commands.command("check", short_help="Look for everything that is wrong with packs.")
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
@click.option(
    "--lenient",
    multiple=True,
    metavar="PATTERN",
    help="Files within a pack that are meant to be wrong: they only get warnings.",
)
def check_command(folders: tuple[Path, ...], as_json: bool, lenient: tuple[str, ...]) -> None:
    """Look for everything that is wrong with packs, by file and line; exit code 1 for errors.

    The packs in FOLDERS may use each other. Nothing of them is run, and nothing is changed.
    """
    from st2solo.pack_check import examination, report

    faults = examination.examine(folders, lenient)
    told = [report.as_json(faults)] if as_json else report.lines(faults)
    for line in told:
        click.echo(line)
    if any(fault.grade == BAD for fault in faults):
        sys.exit(1)


@commands.command("settings", short_help="Print every setting of st2solo.yaml and of packs.")
@click.argument("packs", nargs=-1, type=click.Path(path_type=Path, exists=True, file_okay=False))
def settings_command(packs: tuple[Path, ...]) -> None:
    """Print every setting of st2solo.yaml, and of the packs in the folders PACKS."""
    from st2solo import settings_page

    for line in settings_page.page(packs):
        click.echo(line)


@commands.group("user")
def user_commands() -> None:
    """Who may log in."""


@user_commands.command("add", short_help="Create a user, or set the password of one.")
@_config_option
@click.argument("name")
@click.option(
    "--password-file",
    type=click.File("r"),
    default="-",
    help="A file whose first line is the password; standard input by default.",
)
@click.option(
    "--admin/--no-admin",
    default=None,
    help="Whether the user is an administrator; a new one is unless you say otherwise.",
)
def add_user(config_file: Path, name: str, password_file: TextIO, admin: bool | None) -> None:
    """Create a user, or set the password of an existing one, who keeps its right."""
    with _users(config_file) as users:
        is_new = users.add(name, password_file.readline().rstrip("\r\n"), admin=admin)
        right = _right(users.is_admin(name))
    done = f"user {name} can log in" if is_new else f"the password of {name} is set"
    click.echo(f"{done}; {name} is {right}")


@user_commands.command("remove", short_help="End a user's password, tokens and API keys.")
@_config_option
@click.argument("name")
def remove_user(config_file: Path, name: str) -> None:
    """End a user's password, tokens and API keys, also while st2solo serves."""
    with _users(config_file) as users:
        users.remove(name)
        left = users.list()
    click.echo(f"user {name} is removed, with its tokens and API keys")
    if not any(admin for _, admin in left):
        click.echo("no administrator is left; `st2solo user add NAME` makes one", err=True)


@user_commands.command("list")
@_config_option
def list_users(config_file: Path) -> None:
    """Who may log in, and who is an administrator."""
    with _users(config_file) as users:
        for name, admin in users.list():
            click.echo(f"{name}: {_right(admin)}")


@contextmanager
def _users(config_file: Path) -> Iterator[Users]:
    store = Store(_load(config_file).store)
    try:
        yield Users(store)
    finally:
        store.close()


def _right(admin: bool) -> str:
    return "an administrator" if admin else "no administrator"


@commands.group("key", short_help="The datastore, before the first start.")
def key_commands() -> None:
    """The datastore, before the first start; later `st2 key` does the same."""


@key_commands.command("set")
@_config_option
@click.argument("name")
@click.option(
    "--value-file",
    type=click.File("r"),
    default="-",
    help="A file whose first line is the value; standard input by default.",
)
@click.option("--encrypt", is_flag=True, help="Keep it encrypted.")
def set_key(config_file: Path, name: str, value_file: TextIO, encrypt: bool) -> None:
    """Create or replace a key of the scope `system`."""
    config = _load(config_file)
    store = Store(config.store)
    try:
        keys = Keys(store, load_or_create(config.crypto_key))
        value = value_file.readline().rstrip("\r\n")
        keys.set(name, value, scope="system", user=None, secret=encrypt)
    finally:
        store.close()
    click.echo(f"key {name} is set")


@commands.command("test", short_help="Run a pack's own tests, as StackStorm would.")
@click.argument("pack", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--environments",
    type=click.Path(path_type=Path, file_okay=False),
    default=folder_for_tests,
    help="Where the Python environments for tests are kept; below ~/.cache/st2solo by default.",
)
def test_command(pack: Path, pytest_arguments: tuple[str, ...], environments: Path) -> None:
    """Run the tests in PACK's own folder `tests`, as StackStorm would; the exit code is theirs.

    What follows -- goes to pytest: st2solo test packs/demo -- -k greet
    """
    from st2solo import pack_tests

    if not (pack / "tests").is_dir():
        click.echo(f"there are no tests: {pack / 'tests'} is no folder", err=True)
        return
    run = pack_tests.prepared(pack, environments, pytest_arguments)
    os.chdir(run.folder)
    os.execve(run.argv[0], run.argv, run.environment)


def main() -> None:
    try:
        commands()
    except MetadataError as err:
        for problem in err.problems:
            click.echo(str(problem), err=True)
        sys.exit(1)
    except St2SoloError as err:
        click.echo(f"st2solo: {err}", err=True)
        sys.exit(1)
