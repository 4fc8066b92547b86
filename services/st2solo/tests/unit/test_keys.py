"""The datastore and its encryption."""

import json
import stat

import pytest

from st2solo.crypto import CryptoKeyError, load_or_create
from st2solo.errors import InvalidError, NotFoundError
from st2solo.keys import Keys
from st2solo.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "s.sqlite")
    yield store
    store.close()


@pytest.fixture
def keys(store, tmp_path):
    return Keys(store, load_or_create(tmp_path / "key.json"))


@pytest.mark.parametrize("text", ["", "x", "sesame", "ä" * 1000, "0" * 16])
def test_what_is_encrypted_comes_back(tmp_path, text):
    crypto = load_or_create(tmp_path / "key.json")
    assert crypto.decrypt(crypto.encrypt(text)) == text
    assert load_or_create(tmp_path / "key.json").decrypt(crypto.encrypt(text)) == text


def test_the_key_file_is_private(tmp_path):
    load_or_create(tmp_path / "key.json")
    assert stat.S_IMODE((tmp_path / "key.json").stat().st_mode) == 0o600


def test_a_file_that_is_no_key_is_refused(tmp_path):
    (tmp_path / "key.json").write_text("{}")
    with pytest.raises(CryptoKeyError):
        load_or_create(tmp_path / "key.json")


@pytest.mark.parametrize("damage", [lambda v: v[:-2], lambda v: v[:20] + "00" + v[22:], str.lower])
def test_an_altered_value_is_refused(keys, damage):
    value = keys.set("k", "sesame", scope="system", user=None, secret=True).stored
    damaged = damage(value)
    if damage is str.lower:
        assert keys.decrypt(damaged) == "sesame"
    else:
        with pytest.raises(InvalidError, match="altered"):
            keys.decrypt(damaged)


def test_a_secret_is_stored_encrypted_and_shown_so(store, keys):
    key = keys.set("k", "sesame", scope="system", user=None, secret=True)
    assert "sesame" not in "".join(store._connection.iterdump())
    assert "sesame" not in json.dumps(keys.document(key, decrypt=False))
    assert keys.document(key, decrypt=True)["value"] == "sesame"
    assert keys.value("k", scope="system", user=None, decrypt=False) == key.stored
    assert keys.value("k", scope="system", user=None, decrypt=True) == "sesame"


def test_ciphertext_can_be_stored_as_it_is(keys):
    value = keys.set("k", "sesame", scope="system", user=None, secret=True).stored
    keys.set("l", value, scope="system", user=None, encrypted=True)
    assert keys.value("l", scope="system", user=None, decrypt=True) == "sesame"
    with pytest.raises(InvalidError):
        keys.set("m", "plain", scope="system", user=None, encrypted=True)


def test_scopes_do_not_meet(keys):
    for scope, user in (("system", None), ("user", "alice"), ("user", "bob")):
        keys.set("k", f"{scope} {user}", scope=scope, user=user)
    assert keys.value("k", scope="st2kv.user", user="bob", decrypt=False) == "user bob"
    keys.delete("k", scope="user", user="alice")
    assert keys.value("k", scope="user", user="alice", decrypt=False) is None
    assert keys.value("k", scope="system", user=None, decrypt=False) == "system None"
    with pytest.raises(InvalidError, match="scope"):
        keys.get("k", scope="global", user=None)


def test_an_expired_key_is_not_there(store, keys):
    keys.set("k", "v", scope="system", user=None, ttl_seconds=60)
    assert keys.list(scope="system", user=None, prefix="k")[0].expires is not None
    store.execute("UPDATE keys SET expires = '2020-01-01T00:00:00.000000Z'")
    assert keys.list(scope="system", user=None) == []
    with pytest.raises(NotFoundError):
        keys.get("k", scope="system", user=None)
