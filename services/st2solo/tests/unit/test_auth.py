"""Users, tokens and API keys."""

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from importlib import resources

import pytest

from st2solo.auth import ApiKeys, Tokens, Users
from st2solo.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthorizedError,
)
from st2solo.records import Execution, Records
from st2solo.statuses import Status
from st2solo.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    yield store
    store.close()


@pytest.fixture
def users(store):
    users = Users(store)
    users.add("alice", "sesame")
    users.add("bob", "other", admin=False)
    return users


def test_the_password_is_checked_and_not_stored(store, users):
    asyncio.run(users.check("alice", "sesame"))
    assert "sesame" not in "".join(store._connection.iterdump())


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "wrong"), ("alice", ""), ("carol", "sesame"), ("", "")]
)
def test_wrong_credentials_are_refused(users, name, password):
    with pytest.raises(UnauthorizedError):
        asyncio.run(users.check(name, password))


@pytest.mark.parametrize(("name", "password"), [("", "x"), ("a:b", "x"), ("a", "")])
def test_what_cannot_be_a_user_is_refused(users, name, password):
    with pytest.raises(InvalidError):
        users.add(name, password)


@pytest.mark.parametrize(
    ("name", "given", "is_new", "admin"),
    [
        ("alice", None, False, True),
        ("bob", None, False, False),
        ("alice", False, False, False),
        ("bob", True, False, True),
        ("carol", None, True, True),
        ("carol", False, True, False),
    ],
)
def test_a_new_password_changes_no_right_unless_it_is_said(users, name, given, is_new, admin):
    assert users.add(name, "fresh", admin=given) is is_new
    asyncio.run(users.check(name, "fresh"))
    assert dict(users.list())[name] is users.is_admin(name) is admin


@pytest.fixture
def tokens(store, users):
    return Tokens(store, users, "stanley")


@pytest.mark.parametrize(("name", "admin"), [("alice", True), ("bob", False)])
def test_a_token_stands_for_its_user(store, tokens, name, admin):
    issued = tokens.issue(name)
    identity = tokens.identity(issued.token)
    assert (identity.user, identity.admin, identity.changes_packs) == (name, admin, admin)
    identity.require_person("This")
    assert issued.token not in "".join(store._connection.iterdump())


def test_a_sensor_may_what_an_administrator_may_but_change_packs(tokens):
    token = tokens.service_token("sensor_service", 60)
    identity = tokens.identity(token)
    assert identity.admin and not identity.changes_packs
    with pytest.raises(ForbiddenError, match="not for actions and sensors"):
        identity.require_person("Installing packs")
    tokens.revoke(token)
    with pytest.raises(UnauthorizedError):
        tokens.identity(token)


#: Who asked for an execution, its runner, whether it may what an administrator may, and whether it
#: may read secrets by name.
_RIGHTS = [
    ("alice", "local-shell-cmd", True, True),
    ("alice", "python-script", True, True),
    ("alice", "remote-shell-cmd", False, False),
    ("alice", "remote-shell-script", False, False),
    ("bob", "local-shell-cmd", False, False),
    ("bob", "local-shell-script", False, True),
    ("bob", "python-script", False, True),
    ("bob", "remote-shell-script", False, False),
    ("stanley", "local-shell-cmd", False, False),
    ("stanley", "local-shell-script", True, True),
    ("stanley", "python-script", True, True),
    ("stanley", "remote-shell-script", False, False),
    ("nobody", "python-script", False, True),
    ("stanley", None, False, False),  # of an execution that is there no more
]


def _run(store, user, runner, **parameters):
    """Write the execution e1."""
    action, now = {"ref": "demo.act"}, "2026-07-01T12:00:00.000000Z"
    Records(store).insert(
        Execution("e1", action, runner, Status.RUNNING, user, parameters, {}, now, [])
    )


@pytest.mark.parametrize(("user", "runner", "admin", "decrypts"), _RIGHTS)
def test_what_the_token_of_an_execution_may(store, tokens, user, runner, admin, decrypts):
    if runner is not None:
        _run(store, user, runner)
    identity = tokens.identity(tokens.action_token("e1", user, 60))
    assert (identity.user, identity.admin, identity.decrypts) == (user, admin, decrypts)
    assert not identity.changes_packs
    with pytest.raises(ForbiddenError):
        identity.require_person("Making an API key")


@pytest.mark.parametrize("runner", ["python-script", "local-shell-script"])
def test_a_given_environment_may_bring_other_code(store, tokens, runner):
    """BASH_ENV, LD_PRELOAD."""
    _run(store, "stanley", runner, env={"BASH_ENV": "$(id)"})
    identity = tokens.identity(tokens.action_token("e1", "stanley", 60))
    assert (identity.admin, identity.decrypts) == (False, False)


def test_a_system_user_with_a_password_has_the_right_that_he_was_given(store, users, tokens):
    users.add("stanley", "sesame", admin=False)
    _run(store, "stanley", "python-script")
    identity = tokens.identity(tokens.action_token("e1", "stanley", 60))
    assert (identity.admin, identity.decrypts) == (False, True)


def test_a_token_that_an_older_st2solo_gave_an_execution_is_known_as_such(tmp_path):
    with closing(sqlite3.connect(tmp_path / "old.sqlite")) as old:
        schema = sorted(resources.files("st2solo.sql").iterdir(), key=lambda file: file.name)
        for file in [f for f in schema if f.name < "008"]:
            if file.name.endswith(".sql"):
                old.executescript(file.read_text())
        old.execute("PRAGMA user_version = 7")
        digest = hashlib.sha256(b"given").hexdigest()
        values = (digest, "e1", "stanley", 1, "9999-01-01T00:00:00.000000Z")
        old.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?)", values)
        old.execute(
            "INSERT INTO executions (id, action_ref, runner, status, user, parameters, context,"
            " result, log, action, start_timestamp) VALUES"
            " ('e1', 'a.b', 'local-shell-cmd', 'running', 'ann', '{}', '{}', '{}', '[]', '{}', '')"
        )
        old.commit()
    store = Store(tmp_path / "old.sqlite")
    assert not Tokens(store, Users(store), "stanley").identity("given").admin
    store.close()


def test_the_tokens_of_an_execution_end_with_it(tokens):
    mine = [tokens.action_token("e1", "stanley", 60) for _ in range(2)]
    other = tokens.action_token("e2", "stanley", 60)
    assert all(tokens.identity(token).process for token in mine)
    tokens.revoke_of("e1")
    for token in mine:
        with pytest.raises(UnauthorizedError):
            tokens.identity(token)
    assert tokens.identity(other).user == "stanley"


def test_an_expired_token_is_refused(store, tokens):
    issued = tokens.issue("alice")
    store.execute("UPDATE tokens SET expiry = '2020-01-01T00:00:00.000000Z'")
    with pytest.raises(UnauthorizedError):
        tokens.identity(issued.token)
    with pytest.raises(InvalidError):
        tokens.issue("alice", 0)


def test_an_api_key_works_until_it_is_disabled(store, users):
    keys = ApiKeys(store, users)
    document, key = keys.create("bob", {"used_by": "test"})
    assert keys.identity(key).user == "bob"
    keys.update(document["id"], user="bob", metadata={}, enabled=False)
    with pytest.raises(UnauthorizedError):
        keys.identity(key)


def test_an_api_key_of_a_stackstorm_is_known_by_its_digest(store, users):
    """st2common/util/hash.py of StackStorm 3.9."""
    keys = ApiKeys(store, users)
    theirs = hashlib.sha512(b"saltnpepper" + b"made elsewhere").hexdigest()
    loaded, key = keys.create("bob", {}, key_hash=theirs, key_id="a" * 24)
    assert (loaded["id"], key) == ("a" * 24, None)
    assert keys.identity("made elsewhere").user == "bob"
    with pytest.raises(ConflictError):
        keys.create("bob", {}, key_hash=theirs)


def test_an_api_key_of_an_earlier_version_works(store, users):
    keys = ApiKeys(store, users)
    keys.create("bob", {}, key_hash=hashlib.sha256(b"an older one").hexdigest())
    assert keys.identity("an older one").user == "bob"


@pytest.mark.parametrize(
    "given", [{"key_hash": "********"}, {"key_hash": "A" * 128}, {"key_id": "mine"}]
)
def test_what_is_no_digest_or_identifier_makes_no_api_key(store, users, given):
    with pytest.raises(InvalidError, match="expected"):
        ApiKeys(store, users).create("bob", {}, **given)


def test_what_a_removed_user_has_started_goes_on_as_no_administrators(store, users, tokens):
    _run(store, "alice", "python-script")
    running = tokens.action_token("e1", "alice", 60)
    assert tokens.identity(running).admin
    own, key = tokens.issue("alice"), ApiKeys(store, users).create("alice", {})[1]
    others = tokens.issue("bob")
    users.remove("alice")
    assert not tokens.identity(running).admin
    assert tokens.identity(others.token).user == "bob"
    with pytest.raises(UnauthorizedError):
        tokens.identity(own.token)
    with pytest.raises(UnauthorizedError):
        ApiKeys(store, users).identity(key)


def test_who_was_removed_while_the_password_was_hashed_gets_no_token(store, users, tokens):
    async def remove_meanwhile():
        login = asyncio.ensure_future(users.check("bob", "other"))
        await asyncio.sleep(0)
        users.remove("bob")
        await login

    asyncio.run(remove_meanwhile())
    with pytest.raises(UnauthorizedError):
        tokens.issue("bob")
    with pytest.raises(NotFoundError, match="bob"):
        users.remove("bob")
