"""`st2solo user`, beside a st2solo that serves."""

import subprocess
import sys

import requests


def _user(served, *arguments, stdin=""):
    return subprocess.run(
        [sys.executable, "-m", "st2solo", "user", *arguments],
        cwd=served.folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _login(served, user, password="sesame"):
    return requests.post(served.url("auth", "/tokens"), auth=(user, password), timeout=120)


def test_a_new_password_leaves_the_right_as_it_is(serve):
    added = _user(serve, "add", "--no-admin", "eve", stdin="sesame\n")
    assert added.stdout == "user eve can log in; eve is no administrator\n"
    again = _user(serve, "add", "eve", stdin="other\n")
    assert again.stdout == "the password of eve is set; eve is no administrator\n"
    assert _login(serve, "eve").status_code == 401
    token = _login(serve, "eve", "other").json()["token"]
    assert serve.call("GET", "/user", token=token).json()["rbac"]["is_admin"] is False
    raised = _user(serve, "add", "--admin", "eve", stdin="other\n")
    assert raised.stdout == "the password of eve is set; eve is an administrator\n"
    assert serve.call("GET", "/user", token=token).json()["rbac"]["is_admin"] is True
    assert "alice: an administrator\nbob: no administrator\n" in _user(serve, "list").stdout


def test_who_is_removed_can_do_nothing_more(serve):
    assert _user(serve, "add", "carol", stdin="sesame\n").returncode == 0
    token = serve.token_of("carol")
    key = serve.call("POST", "/apikeys", token=token, json={}).json()["key"]
    done = serve.call("POST", "/executions", token=token, json={"action": "core.noop"}).json()["id"]
    url = serve.url("stream", "/v1/stream?events=st2.announcement__general")
    with requests.get(url, headers={"X-Auth-Token": token}, stream=True, timeout=120) as stream:
        lines = stream.iter_lines(decode_unicode=True)
        next(lines)
        removed = _user(serve, "remove", "carol")
        assert (removed.returncode, removed.stderr) == (0, "")
        assert removed.stdout == "user carol is removed, with its tokens and API keys\n"
        body = {"action": "core.announcement", "parameters": {"message": {"run": "R1"}}}
        assert serve.call("POST", "/executions", json=body).status_code == 201
        assert [line for line in lines if line] == []  # it ends, and tells nothing before

    assert serve.call("GET", "/user", token=token).status_code == 401
    by_key = requests.get(serve.url("api", "/v1/user"), headers={"St2-Api-Key": key}, timeout=120)
    assert by_key.status_code == 401
    assert _login(serve, "carol").status_code == 401
    assert serve.get(f"/executions/{done}")["context"]["user"] == "carol"
    again = _user(serve, "remove", "carol")
    assert (again.returncode, again.stderr) == (1, 'st2solo: there is no user "carol"\n')


def test_that_no_administrator_is_left_is_told(stopped):
    done = _user(stopped, "remove", "alice")
    assert done.returncode == 0 and "no administrator is left" in done.stderr
    assert _user(stopped, "list").stdout == "bob: no administrator\n"
