"""core.remote and remote scripts, against real servers."""

import contextlib
import json
import os
import secrets
import shutil
import stat
from pathlib import Path

import asyncssh
import pytest

from st2solo.settings import SshSettings


def test_two_hosts(remote, servers):
    async def body(engine):
        hosts = f"127.0.0.1:{servers.first.port}, 127.0.0.2:{servers.second.port}"
        done = await engine.run("core.remote", cmd="echo '{\"a\": 1}'; echo oh >&2", hosts=hosts)
        one = {
            "failed": False,
            "succeeded": True,
            "return_code": 0,
            "stdout": {"a": 1},
            "stderr": "oh",
        }
        assert done["status"] == "succeeded", done["result"]
        assert done["result"] == {"127.0.0.1": one, "127.0.0.2": one}

    remote(body)


def test_a_name_that_stands_for_two_hosts(remote, servers):
    async def body(engine):
        names = [f"127.0.0.1:{servers.first.port}", f"127.0.0.1:{servers.second.port}"]
        command = 'set -- $SSH_CONNECTION; echo "port $4"'
        done = await engine.run("core.remote", cmd=command, hosts=",".join([*names, names[0]]))
        assert {name: one["stdout"] for name, one in done["result"].items()} == {
            names[0]: f"port {servers.first.port}",
            names[1]: f"port {servers.second.port}",
        }

    remote(body)


HOSTILE = "a 'b' \"c\" $(id) `id`\n{x} ; exit 9"
COMMANDS = {
    "a failure": ({"cmd": "echo a; exit 3"}, "failed", {"return_code": 3, "stdout": "a"}),
    "an end with ssh's own code": ({"cmd": "exit 255"}, "failed", {"return_code": 255}),
    "lines and quotes": ({"cmd": "for a in 1 'x  y'\ndo echo \"[$a]\"\ndone"}, "succeeded", {}),
    "no input": ({"cmd": "cat"}, "succeeded", {"stdout": ""}),
    "its own variables": (
        {"cmd": "echo $ST2_ACTION_PACK_NAME $ST2_ACTION_AUTH_TOKEN"},
        "succeeded",
        {"stdout": "core token-of-ann"},
    ),
    "a variable is only text": (
        {"cmd": 'printf %s "$A"', "env": {"A": HOSTILE}},
        "succeeded",
        {"stdout": HOSTILE},
    ),
    "its folder": ({"cmd": "pwd"}, "succeeded", {"stdout": "/tmp"}),
    "no such folder": (
        {"cmd": "true; echo in the wrong place", "cwd": "/none/$(touch x)"},
        "failed",
        {"return_code": 1, "stdout": ""},
    ),
    "long output": ({"cmd": "head -c 300000 /dev/zero | tr '\\0' x"}, "succeeded", {}),
    "out of time": (
        {"cmd": "sleep 60", "timeout": 1},
        "timeout",
        {"return_code": -9, "timeout": True, "succeeded": False},
    ),
    "a command longer than a command line": (
        {"cmd": "true " + "x" * 300000 + "; echo done"},
        "succeeded",
        {"stdout": "done"},
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command(name, remote, servers):
    parameters, status, part = COMMANDS[name]

    async def body(engine):
        done = await engine.run(
            "core.remote", hosts="127.0.0.1", port=servers.first.port, **parameters
        )
        assert done["status"] == status, done["result"]
        result = done["result"]["127.0.0.1"]
        assert {k: result[k] for k in part} == part, result
        assert ("error" in result) == (status == "timeout")
        if name == "lines and quotes":
            assert result["stdout"] == "[1]\n[x  y]"
        elif name == "long output":
            assert result["stdout"] == "x" * 300000

    remote(body)


def test_one_of_two_out_of_time_keeps_the_result_of_the_other(remote, servers):
    async def body(engine):
        hosts = f"127.0.0.1:{servers.first.port},127.0.0.2:{servers.second.port}"
        command = "echo so far; set -- $SSH_CONNECTION; test $3 = 127.0.0.1 || sleep 60; echo all"
        given = {"cmd": command, "hosts": hosts, "timeout": 10}
        execution = engine.executions.request("core.remote", given, user="ann")
        done = await engine.over(execution["id"])
        assert done["status"] == "failed"
        assert done["result"]["127.0.0.1"]["stdout"] == "so far\nall"
        assert done["result"]["127.0.0.2"]["stdout"] == "so far"
        assert done["result"]["127.0.0.2"]["timeout"] is True
        assert "not done on 127.0.0.2 in 10 seconds" in done["result"]["127.0.0.2"]["error"]

    remote(body)


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("127.0.0.1", "127.0.0.2")])
def test_a_remote_command_that_prints_for_ever_is_stopped(addresses, remote, servers):
    async def body(engine):
        hosts = ",".join(f"{address}:{servers.first.port}" for address in addresses)
        execution = engine.executions.request(
            "core.remote", {"cmd": "yes", "hosts": hosts}, user="ann"
        )
        done = await engine.over(execution["id"])
        assert done["status"] == "failed"
        assert "more than the 50,000 bytes that max_result_size" in done["result"]["error"]

    remote(body, max_result_size=50_000)


KEYS = {
    "unknown": lambda servers: (servers.second.known, "is not in"),
    "none known": lambda servers: ("", "is not in"),
    "changed": lambda servers: (
        servers.second.known.replace(str(servers.second.port), str(servers.first.port))
        + servers.second.known,
        "is not the one in",
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_host_whose_key_does_not_fit_is_refused(name, remote, servers, tmp_path):
    known, words = KEYS[name](servers)
    mark = tmp_path / "mark"

    async def body(engine):
        done = await engine.run(
            "core.remote", cmd=f"touch {mark}", hosts="127.0.0.1", port=servers.first.port
        )
        assert done["status"] == "failed"
        result = done["result"]["127.0.0.1"]
        assert (result["succeeded"], result["return_code"]) == (False, 255)
        error = result["error"]
        path = str(servers.home / "known hosts 100%")
        assert f"the host key of [127.0.0.1]:{servers.first.port} {words} {path}" in error
        assert f"ssh-keyscan -p {servers.first.port} 127.0.0.1" in error
        assert f"new_key >> '{path}'" in error

    remote(body, known)
    assert not mark.exists()
    assert (servers.home / "known hosts 100%").read_text() == known


def test_an_unknown_host_does_not_keep_the_others(remote, servers):
    async def body(engine):
        hosts = f"127.0.0.1:{servers.first.port},127.0.0.2:{servers.second.port}"
        done = await engine.run("core.remote", cmd="echo here", hosts=hosts)
        assert done["status"] == "failed"
        assert done["result"]["127.0.0.2"]["stdout"] == "here"
        assert "is not in" in done["result"]["127.0.0.1"]["error"]

    remote(body, servers.second.known)


def test_a_host_that_is_not_there(remote, servers):
    async def body(engine):
        servers.settings()
        done = await engine.run("core.remote", cmd="true", hosts="127.0.0.1", port=1)
        assert done["status"] == "failed"
        assert "Connection refused" in done["result"]["127.0.0.1"]["error"]

    remote(body)


REFUSED = {
    "an option as a host": ({"hosts": "-oProxyCommand=touch${IFS}MARK"}, "is no host"),
    "an option among hosts": ({"hosts": "localhost,-oProxyCommand=touch MARK"}, "is no host"),
    "a shell's text as a host": ({"hosts": "$(touch MARK)"}, "is no host"),
    "an option as a user": ({"username": "-oProxyCommand=touch MARK"}, "is no user name"),
    "a line as a user": ({"username": "x\nProxyCommand touch MARK"}, "is no user name"),
    "a shell's text as a bastion": ({"bastion_host": "x;touch MARK"}, "is no host"),
    "a percent as a bastion": ({"bastion_host": "%h"}, "is no host"),
    "a line as a key": ({"private_key": "/x\nProxyCommand touch MARK"}, "neither a key nor"),
    "a variable that is none": ({"env": {"A;touch MARK;": "1"}}, "the name of a variable"),
    "a NUL": ({"cmd": "true \0"}, "a NUL character"),
    "a port": ({"port": 70000}, "expected 1 to 65535"),
    "no host": ({"hosts": " , "}, "there is no host"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, remote, servers, tmp_path):
    parameters, message = REFUSED[name]
    mark = tmp_path / "mark"
    text = json.dumps(parameters).replace("MARK", str(mark))
    given = {"cmd": "true", "hosts": "127.0.0.1", "port": servers.first.port, **json.loads(text)}

    async def body(engine):
        done = await engine.run("core.remote", **given)
        assert done["status"] == "failed"
        assert message in done["result"]["error"]

    remote(body)
    assert not mark.exists()


@pytest.fixture
def script(packs, tmp_path):
    packs.file("demo", "lib/words.txt", "from lib\n")
    packs.file(
        "demo",
        "it's a script.sh",
        """
        #!/bin/sh
        for a in "$@"; do echo "[$a]"; done
        echo "$A in $(pwd)"
        cat "$(dirname "$0")/lib/words.txt"
        test -z "$HOLD" || { touch "$HOLD"; sleep 60; }
        """.lstrip("\n"),
    )
    packs.action(
        "demo.script",
        runner_type="remote-shell-script",
        entry_point="it's a script.sh",
        parameters={
            "second": {"type": "boolean", "position": 1},
            "first": {"type": "array", "position": 0},
            "name": {"type": "string"},
            "flag": {"type": "boolean"},
        },
    )
    there = tmp_path / "remote dir"
    there.mkdir()
    return {"dir": str(there), "hosts": "127.0.0.1"}, there


def test_a_script_with_arguments_variables_and_library(remote, servers, script):
    parameters, there = script

    async def body(engine):
        done = await engine.run(
            "demo.script",
            **parameters,
            port=servers.first.port,
            first=["a", "b"],
            second=True,
            name="$(id) 'x'",
            flag=True,
            env={"A": HOSTILE},
            cwd=str(there),
        )
        assert done["status"] == "succeeded", done["result"]
        assert done["result"]["127.0.0.1"]["stdout"] == (
            f"[--name=$(id) 'x']\n[--flag]\n[a,b]\n[1]\n{HOSTILE} in {there}\nfrom lib"
        )

    remote(body)
    assert list(there.iterdir()) == []


def test_a_script_that_is_late_or_canceled_is_removed(remote, servers, script, tmp_path):
    parameters, there = script

    async def body(engine):
        late = await engine.run(
            "demo.script",
            **parameters,
            port=servers.first.port,
            timeout=2,
            env={"HOLD": str(tmp_path / "late")},
        )
        assert late["status"] == "timeout"
        mark = tmp_path / "canceled"
        given = {**parameters, "port": servers.first.port, "env": {"HOLD": str(mark)}}
        execution = engine.executions.request("demo.script", given, user="ann")
        await engine.until(mark.exists)
        copied = next(there.iterdir())
        assert stat.S_IMODE(copied.stat().st_mode) == 0o700
        engine.executions.cancel(execution["id"], "ann")
        done = await engine.over(execution["id"])
        assert done["status"] == "canceled"
        assert "from lib" in done["result"]["127.0.0.1"]["stdout"]
        assert "stopped" in done["result"]["127.0.0.1"]["error"]

    # the copy is removed within the time that a canceled process has
    remote(body, kill_grace_seconds=30)
    assert list(there.iterdir()) == []


def test_a_script_that_cannot_be_copied(remote, servers, script, tmp_path):
    parameters, _ = script

    async def body(engine):
        done = await engine.run(
            "demo.script", **{**parameters, "dir": "/none/here"}, port=servers.first.port
        )
        error = done["result"]["127.0.0.1"]["error"]
        assert done["status"] == "failed"
        assert "Failed copying content to 127.0.0.1" in error
        assert "/none/here" in error

    remote(body)


def test_through_a_bastion(remote, servers):
    async def body(engine):
        given = {
            "cmd": "echo $SSH_CONNECTION",
            "hosts": f"127.0.0.2:{servers.second.port}",
            "bastion_host": f"127.0.0.1:{servers.first.port}",
        }
        done = await engine.run("core.remote", **given)
        assert done["status"] == "succeeded", done["result"]
        assert done["result"]["127.0.0.2"]["stdout"].split()[0] == "127.0.0.1"
        # the host is known, the bastion is not
        servers.settings(servers.second.known)
        refused = await engine.run("core.remote", **given)
        assert refused["status"] == "failed"
        assert (
            f"the host key of [127.0.0.1]:{servers.first.port} is not in"
            in refused["result"]["127.0.0.2"]["error"]
        )

    remote(body)


LOGINS = {
    "a key as text": (lambda s: {"private_key": s.key.read_text()}, "succeeded"),
    "a key as path": (lambda s: {"private_key": str(s.key)}, "succeeded"),
    "a key with a passphrase": (
        lambda s: {"private_key": s.locked.read_text(), "passphrase": "open it"},
        "succeeded",
    ),
    "a wrong passphrase": (
        lambda s: {"private_key": s.locked.read_text(), "passphrase": "open"},
        "failed",
    ),
    "a locked key without passphrase": (
        lambda s: {"private_key": s.locked.read_text()},
        "failed",
    ),
    "another key": (lambda s: {"private_key": str(s.first.home / "host_key")}, "failed"),
    "a password that is not taken": (lambda s: {"password": "x"}, "failed"),
    "another user": (lambda s: {"username": "nobody.such"}, "failed"),
}


@pytest.mark.parametrize("name", LOGINS)
def test_a_login(name, remote, servers, tmp_path):
    given, status = LOGINS[name]

    async def body(engine):
        done = await engine.run(
            "core.remote",
            cmd="echo in",
            hosts="127.0.0.1",
            port=servers.first.port,
            **given(servers),
        )
        assert done["status"] == status, done["result"]
        if status == "failed":
            assert "Permission denied" in done["result"]["127.0.0.1"]["error"]

    settings = servers.settings()
    if name != "another user":
        # the key of the settings is not what opens the door
        settings = SshSettings(servers.user, None, settings.known_hosts)
    remote(body, ssh=settings)


def test_a_key_file_of_the_settings_that_is_not_there(remote, servers):
    settings = SshSettings(servers.user, Path("/none/key"), servers.settings().known_hosts)

    async def body(engine):
        done = await engine.run("core.remote", cmd="true", hosts="127.0.0.1")
        assert "ssh.key_file of st2solo.yaml is /none/key" in done["result"]["error"]

    remote(body, ssh=settings)


class _PasswordServer(asyncssh.SSHServer):
    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == ("ann", "let me 'in' $x")


async def _serve_one(process):
    process.stdout.write(f"{process.command} with {await process.stdin.read()}")
    process.exit(0)


def test_a_password(remote, servers, tmp_path):
    """By a server that takes passwords; it runs nothing, it says what it was asked."""

    async def body(engine):
        key = servers.first.home / "host_key"
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=_PasswordServer,
            server_host_keys=[str(key)],
            process_factory=_serve_one,
        )
        async with server:
            port = server.get_port()
            public = key.with_suffix(".pub").read_text()
            servers.settings(f"[127.0.0.1]:{port} {public}")
            given = {"cmd": "echo hi", "hosts": "127.0.0.1", "port": port, "username": "ann"}
            right = await engine.run("core.remote", **given, password="let me 'in' $x")
            assert right["status"] == "succeeded", right["result"]
            assert right["result"]["127.0.0.1"]["stdout"].startswith('eval "$(cat)" with exec')
            assert right["parameters"]["password"] == "********"
            wrong = await engine.run("core.remote", **given, password="let me in")
            assert wrong["status"] == "failed"
            assert "Permission denied" in wrong["result"]["127.0.0.1"]["error"]

    remote(body)


def _command_lines():
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                found.append((process / "cmdline").read_bytes().decode(errors="replace"))
    return found


def test_no_command_line_shows_a_secret(remote, servers, tmp_path):
    begun, go = tmp_path / "begun", tmp_path / "go"
    wait = f"touch {begun}; until test -e {go}; do sleep 0.02; done"
    key = servers.locked.read_text()
    command, variable, password = (secrets.token_hex(8) for _ in range(3))

    async def body(engine):
        given = {
            "cmd": f": {command}; {wait}",
            "hosts": "127.0.0.1",
            "port": servers.first.port,
            "private_key": key,
            "passphrase": "open it",
            "sudo_password": password,
            "env": {"A": variable},
        }
        execution = engine.executions.request("core.remote", given, user="ann")
        await engine.until(begun.exists)
        shown = _command_lines()
        assert any(f"-p\0{servers.first.port}\0" in line for line in shown)
        # words of this run alone: every process of the machine is looked at
        hidden = [key.splitlines()[1], password, variable, command]
        assert [s for s in hidden if any(s in line for line in shown)] == []
        folder = tmp_path / "work" / execution["id"]
        for path in (folder, *(folder / name for name in ("key", "secret", "askpass"))):
            assert not path.stat().st_mode & 0o077, path
        go.touch()
        done = await engine.over(execution["id"])
        assert done["status"] == "succeeded", done["result"]
        assert not folder.exists()

    try:
        remote(body)
    finally:
        go.touch()  # a command that a failed test has left must end


def test_the_output_of_one_host_is_there_while_it_runs(remote, servers, tmp_path):
    go = tmp_path / "go"

    async def body(engine):
        given = {
            "cmd": f"echo so far; until test -e {go}; do sleep 0.02; done",
            "hosts": "127.0.0.1",
            "port": servers.first.port,
        }
        execution = engine.executions.request("core.remote", given, user="ann")
        out = tmp_path / "work" / execution["id"] / "stdout"
        await engine.until(lambda: out.exists() and out.read_text() == "so far\n")
        go.touch()
        assert (await engine.over(execution["id"]))["status"] == "succeeded"

    remote(body)


@pytest.mark.skipif(
    shutil.which("sudo") is None or os.geteuid() != 0, reason="needs sudo, and root, who may use it"
)
@pytest.mark.parametrize("password", [None, "not asked for"])
def test_sudo(password, remote, servers):
    async def body(engine):
        done = await engine.run(
            "core.remote_sudo",
            cmd='echo "$A:$SUDO_USER"; cat; exit 4',
            hosts="127.0.0.1",
            port=servers.first.port,
            env={"A": HOSTILE},
            **({"sudo_password": password} if password else {}),
        )
        assert done["status"] == "failed"
        result = done["result"]["127.0.0.1"]
        assert (result["return_code"], result["stdout"]) == (4, f"{HOSTILE}:{servers.user}"), result

    remote(body)
