"""How the ssh command is started, and the text that the remote shell reads.

Expected texts do what st2common/models/system/paramiko_{command,script}_action.py and
st2common/util/ip_utils.py of StackStorm 3.9 do.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from st2solo import config
from st2solo.errors import InvalidError
from st2solo.metadata_file import MetadataError
from st2solo.runners.protocol import Ended
from st2solo.runners.remote_shell import EVALUATE, Command, shell_text, sudo_text
from st2solo.runners.ssh import Host, Login, arguments, hosts

HOSTS = {
    "localhost": ("localhost", 22),
    "node-1.example.org": ("node-1.example.org", 22),
    "a_b": ("a_b", 22),
    "10.0.0.1:2222": ("10.0.0.1", 2222),
    "[name]:5": ("name", 5),
    "::1": ("::1", 22),
    "[::1]": ("::1", 22),
    "[2001:db8::1]:2222": ("2001:db8::1", 2222),
}


@pytest.mark.parametrize("text", HOSTS)
def test_a_host(text):
    name, port = HOSTS[text]
    assert Host.parse(text) == Host(name, port)
    default = port if port != 22 else 2200
    assert Host.parse(text, 2200) == Host(name, default)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-oProxyCommand=id",
        "-v",
        ".a",
        "a b",
        "a\nb",
        "a;b",
        "$(id)",
        "%h",
        "ann@host",
        "ssh://host",
        "host:",
        "host:x",
        "host:0",
        "host:65536",
        "host:-1",
        "host:٣",
        "[::1]:",
        "[::1",
        "[-v]:22",
        "[]",
        "1::2::3",
        "fe80::1%eth0",
        "a" * 300,
    ],
)
def test_what_is_no_host(text):
    with pytest.raises(InvalidError):
        Host.parse(text)


@pytest.mark.parametrize(
    ("text", "port", "expected"),
    [
        ("a", None, {"a": Host("a", 22)}),
        (" a , b:3,", 7, {"a": Host("a", 7), "b": Host("b", 3)}),
        ("a,a:22,a", None, {"a": Host("a", 22)}),
        ("a:1,a:2", None, {"a:1": Host("a", 1), "a:2": Host("a", 2)}),
        ("[::1]:1,::1", None, {"[::1]:1": Host("::1", 1), "[::1]:22": Host("::1", 22)}),
    ],
)
def test_hosts(text, port, expected):
    assert hosts(text, port) == expected


@pytest.mark.parametrize(
    ("host", "bastion", "expected"),
    [
        (Host("a", 22), None, ["-p", "22", "--", "a"]),
        (Host("a", 5), "b", ["-p", "5", "-J", "b:5", "--", "a"]),
        (Host("::1", 5), "[::2]:6", ["-p", "5", "-J", "[::2]:6", "--", "::1"]),
    ],
)
def test_the_command(host, bastion, expected):
    own = ["ssh", "-F", "ssh_config", "-E", "0.log", "-T"]
    assert arguments(host, bastion, "0.log") == own + expected


LOGINS = {
    "nothing given": (Login(Path("/k")), {"batchmode": "yes", "userknownhostsfile": "/k"}),
    "odd paths": (
        Login(Path("/a b/100%h/é'#"), key="/x y/%u"),
        {"userknownhostsfile": "/a b/100%h/é'#", "identityfile": "/x y/%%u"},
    ),
    "a user": (Login(Path("/k"), user="ann.b-c"), {"user": "ann.b-c"}),
    "a passphrase": (
        Login(Path("/k"), key="key", asks=True),
        {"batchmode": "no", "preferredauthentications": "publickey", "identityfile": "key"},
    ),
    "a password": (
        Login(Path("/k"), password=True, asks=True),
        {"batchmode": "no", "preferredauthentications": "password,keyboard-interactive"},
    ),
}
ALWAYS = {
    "stricthostkeychecking": "true",
    "globalknownhostsfile": "/dev/null",
    "forwardagent": "no",
    "identitiesonly": "yes",
    "identityagent": "none",
    "updatehostkeys": "false",
    "numberofpasswordprompts": "1",
    "permitlocalcommand": "no",
    "clearallforwardings": "yes",
}


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed")
@pytest.mark.parametrize("name", LOGINS)
def test_ssh_understands_the_configuration(name, tmp_path):
    login, expected = LOGINS[name]
    file = tmp_path / "ssh_config"
    file.write_text(login.configuration())
    command = ["ssh", "-G", "-F", str(file), "--", "h"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    pairs = [line.partition(" ") for line in shown.splitlines()]
    found = {key: value for key, _, value in pairs}
    for key, value in {**ALWAYS, **expected}.items():
        assert found[key].replace("%%", "%") == value.replace("%%", "%"), key


@pytest.mark.parametrize(
    "login",
    [
        Login(Path('/a"b')),
        Login(Path("/a\nb")),
        Login(Path("/${HOME}")),
        Login(Path("/k"), key="relative"),
        Login(Path("/k"), key="/a\\b"),
        Login(Path("/k"), user="-x"),
        Login(Path("/k"), user="a b"),
        Login(Path("/k"), user="a\n"),
    ],
)
def test_what_cannot_stand_in_the_configuration(login):
    with pytest.raises(InvalidError):
        login.configuration()


@pytest.mark.parametrize(
    ("variables", "cwd", "expected"),
    [
        ({}, None, "exec </dev/null\nid"),
        ({}, "/a b", "exec </dev/null\ncd -- '/a b' || exit\nid"),
        (
            {"B": "2", "A": "it's $x"},
            "/tmp",
            "exec </dev/null\nexport A='it'\"'\"'s $x' B=2 || exit\ncd -- /tmp || exit\nid",
        ),
    ],
)
def test_the_text_of_a_command(variables, cwd, expected):
    assert shell_text(variables, cwd, "id") == expected


@pytest.mark.parametrize("name", ["", "1A", "A B", "A;id", "A=1", "É", "A\n"])
def test_what_is_no_variable(name):
    with pytest.raises(InvalidError, match="the name of a variable"):
        shell_text({name: "1"}, None, "id")


#: Stands for sudo where it needs a password: three attempts, a line each, read byte by byte.
_SUDO = """#!/bin/bash
while [ "$1" != -- ]; do options+=" $1"; shift; done; shift
echo "$options" > "$0.options"
if [[ $options = *-S* && -e "$0.asks" ]]; then
    for attempt in 1 2 3; do
        printf '[sudo] password for ann: ' >&2
        read -r line || break
        if [ "$line" = "$(cat "$0.asks")" ]; then exec "$@"; fi
        echo "$line" >> "$0.wrong"
    done
    echo "sudo: 3 incorrect password attempts" >&2
    exit 1
fi
exec "$@"
"""
PASSWORD = "it's \\n $x"


@pytest.mark.parametrize(
    ("asks", "password", "code", "wrong"),
    [
        (None, None, 7, ""),
        (None, PASSWORD, 7, ""),
        (PASSWORD, PASSWORD, 7, ""),
        (PASSWORD, "other", 1, "other\n\n\n"),
    ],
)
def test_sudo_reads_the_password_and_the_shell_the_rest(tmp_path, asks, password, code, wrong):
    sudo = tmp_path / "sudo"
    sudo.write_text(_SUDO)
    sudo.chmod(0o700)
    if asks:
        (tmp_path / "sudo.asks").write_text(asks)
    text = sudo_text(shell_text({"A": "x y"}, "/", 'echo "$A" $PWD "$(cat)"; exit 7'), password)
    done = subprocess.run(
        ["/bin/sh", "-c", EVALUATE],
        input=text,
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    assert (done.returncode, done.stdout) == (code, "x y / \n" if code == 7 else "")
    assert (tmp_path / "sudo.options").read_text().split() == (["-S"] if password else []) + ["-E"]
    attempts = tmp_path / "sudo.wrong"
    # nothing of the text is taken for a password
    assert (attempts.read_text() if attempts.exists() else "") == wrong


def test_a_password_of_two_lines_is_refused():
    with pytest.raises(InvalidError, match="more than one line"):
        sudo_text("id", "a\nb")


def _result(code, **more):
    done = {"failed": code != 0, "succeeded": code == 0, "return_code": code}
    return {**done, "stdout": "5\n", "stderr": "", **more}


GOOD, BAD = _result(0), _result(1)
LATE = _result(-9, error="late", timeout=True)


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([GOOD, GOOD], "succeeded"),
        ([GOOD, BAD], "failed"),
        ([GOOD, LATE], "failed"),
        ([LATE, BAD], "failed"),
        ([LATE, LATE], "timeout"),
    ],
)
def test_the_status_of_several_hosts(results, status):
    """Source: `_get_result_status` of st2common/runners/paramiko_ssh_runner.py."""
    output = {str(number): result for number, result in enumerate(results)}
    outcome = Command().outcome(Ended(0, "", "", output=output))
    assert outcome.status == status
    # what was cut off is text, as in StackStorm
    stdouts = [result["stdout"] for result in outcome.result.values()]
    assert stdouts == ["5" if result is LATE else 5 for result in results]


def _load(tmp_path, ssh):
    (tmp_path / "packs").mkdir()
    path = tmp_path / "st2solo.yaml"
    path.write_text(f"packs: [packs]\nstate: state\nssh: {ssh}\n")
    return config.load(path)


def test_the_settings(tmp_path):
    settings = _load(tmp_path, "{user: ann, key_file: id, known_hosts: ~/known}").ssh
    assert settings.user == "ann"
    assert settings.key_file == tmp_path / "id"
    assert settings.known_hosts == Path.home() / "known"


def test_the_settings_are_the_users_own_by_default(tmp_path):
    settings = _load(tmp_path, "{}").ssh
    assert (settings.user, settings.key_file) == (None, None)
    assert settings.known_hosts == Path.home() / ".ssh" / "known_hosts"


@pytest.mark.parametrize(
    "ssh", ["{user: -v}", "{user: 'a b'}", '{known_hosts: "a$b"}', "{key: x}", "{key_file: 5}"]
)
def test_wrong_settings_stop_the_start(tmp_path, ssh):
    with pytest.raises(MetadataError, match=r"st2solo\.yaml"):
        _load(tmp_path, ssh)
