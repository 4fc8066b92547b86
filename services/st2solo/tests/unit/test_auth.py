"""Users, tokens and API keys."""

import asyncio

import pytest

from st2solo.auth import ApiKeys, Tokens, Users
from st2solo.errors import InvalidError, UnauthorizedError
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


@pytest.mark.parametrize(("name", "admin"), [("alice", True), ("bob", False)])
def test_a_token_stands_for_its_user(store, users, name, admin):
    tokens = Tokens(store, users)
    issued = tokens.issue(name)
    identity = tokens.identity(issued.token)
    assert (identity.user, identity.admin) == (name, admin)
    assert issued.token not in "".join(store._connection.iterdump())


def test_a_service_token_may_what_an_administrator_may(store, users):
    tokens = Tokens(store, users)
    token = tokens.service_token("stanley", 60)
    assert tokens.identity(token).admin
    tokens.revoke(token)
    with pytest.raises(UnauthorizedError):
        tokens.identity(token)


def test_the_tokens_of_an_execution_end_with_it(store, users):
    tokens = Tokens(store, users)
    mine = [tokens.action_token("e1", "stanley", 60) for _ in range(2)]
    other = tokens.action_token("e2", "stanley", 60)
    assert all(tokens.identity(token).admin for token in mine)
    tokens.revoke_of("e1")
    for token in mine:
        with pytest.raises(UnauthorizedError):
            tokens.identity(token)
    assert tokens.identity(other).user == "stanley"


def test_an_expired_token_is_refused(store, users):
    tokens = Tokens(store, users)
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
