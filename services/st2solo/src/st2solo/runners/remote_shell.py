"""Commands and scripts on other hosts, by ssh.

A command is text for the shell of the remote user: that is what the runner is. The text reaches
that shell through its standard input, so no command line, here or there, shows it or the
variables and passwords in it.

Source: contrib/runners/remote_runner of StackStorm 3.9, with st2common/runners/
{paramiko_ssh_runner,parallel_ssh,paramiko_ssh}.py and the command lines of
st2common/models/system/paramiko_{command,script}_action.py.
"""

import json
import math
import re
import secrets
import shutil
import sys
from pathlib import Path
from shlex import quote
from typing import Any

from st2solo.errors import InvalidError
from st2solo.runners import ssh
from st2solo.runners.local_shell import (
    command_text,
    read_output,
    script_arguments,
    script_file,
    stripped,
)
from st2solo.runners.protocol import (
    OUTPUT_FILE,
    Ended,
    Job,
    Outcome,
    action_environment,
    base_environment,
    timeout_error,
)
from st2solo.runners.protocol import (
    Command as Process,
)
from st2solo.runners.python_script import CHILD
from st2solo.statuses import Status

#: The remote command of every ssh: the shell does what it reads.
EVALUATE = 'eval "$(cat)"'

_CONNECT_SECONDS = 60
_HOSTS_AT_ONCE = 50
_REMOVE_SECONDS = 30
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY_HEADER = "private key-----"


def shell_text(variables: dict[str, str], cwd: str | None, command: str) -> str:
    """What the remote shell does: variables, folder, command; without an input of its own.

    Raises:
        InvalidError: a variable's name is none, or there is a character that no shell takes.
    """
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            raise InvalidError(
                f"env has {name!r}: the name of a variable has letters, digits and '_' only"
            )
    exports = " ".join(f"{name}={quote(variables[name])}" for name in sorted(variables))
    lines = ["exec </dev/null"]
    if exports:
        lines.append(f"export {exports} || exit")
    if cwd:
        lines.append(f"cd -- {quote(cwd)} || exit")
    text = "\n".join([*lines, command])
    if "\0" in text:
        raise InvalidError("a NUL character cannot be part of a command, a folder or a variable")
    return text


def sudo_text(text: str, password: str | None) -> str:
    """Text that has `sudo` do what the given text says.

    The shell under sudo reads it from its input, after the lines meant for sudo: the password, if
    it is asked for, and empty ones for its other attempts.

    Raises:
        InvalidError: the password has more than one line.
    """
    if not password:
        return f"printf '%s' {quote(text)} | sudo -E -- bash -c {quote(EVALUATE)}"
    _one_line("sudo_password", password)
    mark = secrets.token_hex(16)
    skip = f'while IFS= read -r line && [ "$line" != {mark} ]; do :; done'
    given = " ".join(quote(part) for part in (password, "", "", mark, text))
    return f"printf '%s\\n' {given} | sudo -S -E -- bash -c {quote(f'{skip}; {EVALUATE}')}"


def _one_line(name: str, secret: str) -> str:
    if re.search(r"[\0\r\n]", secret):
        raise InvalidError(f"{name} has more than one line")
    return secret


class _Remote:
    def outcome(self, ended: Ended) -> Outcome:
        if ended.output is None:
            if ended.timed_out:
                return Outcome(Status.TIMEOUT, {"error": timeout_error(ended)})
            return Outcome(Status.FAILED, {"error": ended.error or ended.stderr})
        hosts = {name: _shown(result) for name, result in ended.output.items()}
        if all(result["succeeded"] for result in hosts.values()):
            return Outcome(Status.SUCCEEDED, hosts)
        timeout = all(result.get("timeout") for result in hosts.values())
        return Outcome(Status.TIMEOUT if timeout else Status.FAILED, hosts)

    @staticmethod
    def _process(job: Job, command: str, script: dict[str, str] | None) -> Process:
        if shutil.which("ssh") is None:
            raise InvalidError(f"{job.action.ref} needs the program ssh: install OpenSSH's client")
        runner = job.runner
        login, key, secret = _login(job)
        timeout = runner.get("timeout") or None
        text = shell_text(_variables(job), runner.get("cwd"), command)
        if runner.get("sudo"):
            text = sudo_text(text, runner.get("sudo_password"))
        hosts = ssh.hosts(str(runner.get("hosts") or ""), runner.get("port"))
        asked = {
            "result_path": str(job.folder / OUTPUT_FILE),
            "configuration": login.configuration(),
            "known_hosts": str(login.known_hosts),
            "hosts": [
                {
                    "name": name,
                    "log": f"{number}.log",
                    "argv": ssh.arguments(host, runner.get("bastion_host"), f"{number}.log"),
                }
                for number, (name, host) in enumerate(hosts.items())
            ],
            "at_once": _HOSTS_AT_ONCE,
            "evaluate": EVALUATE,
            "text": text,
            "script": script,
            "key": key,
            "secret": secret,
            "sudo_password": bool(runner.get("sudo") and runner.get("sudo_password")),
            "timeout": timeout,
            "remove_seconds": _REMOVE_SECONDS,
        }
        return Process(
            argv=[sys.executable, "-I", "-S", str(CHILD / "remote_shell.py")],
            env=_environment(job, asks=secret is not None),
            stdin=json.dumps(asked),
            cwd=str(job.folder),
            timeout=timeout and _longest(len(hosts), timeout),
        )


class Command(_Remote):
    """remote-shell-cmd: the parameter `cmd` is text for the shell of the remote user."""

    def prepare(self, job: Job) -> Process | Outcome:
        return self._process(job, command_text(job, "remote-shell-script"), None)


class Script(_Remote):
    """remote-shell-script: the file of the action, copied with the folder `lib` beside it."""

    def prepare(self, job: Job) -> Process | Outcome:
        script = script_file(job)
        base = str(job.runner.get("dir") or "")
        if not base.startswith("/"):
            raise InvalidError(f"dir is {base!r}: expected an absolute path on the remote host")
        # a name of its own, so that a second run after a broken first one is not in its way
        folder = f"{base.rstrip('/')}/{job.execution_id}-{secrets.token_hex(4)}"
        words = [f"{folder}/{script.name}", *script_arguments(job)]
        copied = {
            "file": str(script),
            "lib": str(script.parent / "lib"),
            "copy": f"umask 077; mkdir -- {quote(folder)} && tar -xof - -C {quote(folder)}",
            "remove": f"rm -rf -- {quote(folder)}",
        }
        return self._process(job, " ".join(quote(word) for word in words), copied)


def _shown(result: dict[str, Any]) -> dict[str, Any]:
    """Output that is JSON becomes what it says, unless the command was cut off."""
    read = stripped if result.get("error") else read_output
    return {**result, "stdout": read(result["stdout"]), "stderr": read(result["stderr"])}


def _variables(job: Job) -> dict[str, str]:
    own = {str(k): str(v) for k, v in (job.runner.get("env") or {}).items()}
    return {**own, **action_environment(job)}


def _login(job: Job) -> tuple[ssh.Login, str | None, str | None]:
    """The login, the text of a key that has no file, and the secret that will be asked for."""
    runner, settings = job.runner, job.settings.ssh
    password, given = runner.get("password"), runner.get("private_key")
    path, text = (None, None) if password else _key(given, settings.key_file)
    name = "password" if password else "passphrase"
    secret = runner.get(name) or None
    login = ssh.Login(
        known_hosts=settings.known_hosts,
        user=runner.get("username") or settings.user,
        key=path,
        password=bool(password),
        asks=secret is not None,
        connect_seconds=min(_CONNECT_SECONDS, runner.get("timeout") or _CONNECT_SECONDS),
    )
    return login, text, secret and _one_line(name, secret)


def _key(given: str | None, key_file: Path | None) -> tuple[str | None, str | None]:
    """The path of the private key and, where it is to be written first, its text."""
    if not given:
        if key_file is not None and not key_file.is_file():
            raise InvalidError(f"ssh.key_file of st2solo.yaml is {key_file}: there is no such file")
        return (str(key_file) if key_file is not None else None), None
    if _KEY_HEADER in given.lower():
        return ssh.KEY_FILE, given.replace("\r\n", "\n").rstrip("\n") + "\n"
    path = Path(given).expanduser()
    if not path.is_file():
        raise InvalidError(
            "private_key is neither a key nor the path of a file that is there: expected"
            " the text that begins with -----BEGIN, or an absolute path"
        )
    return str(path), None


def _environment(job: Job, *, asks: bool) -> dict[str, str]:
    own = {k: v for k, v in base_environment().items() if not k.startswith("SSH_")}
    own["ST2_ACTION_EXECUTION_ID"] = job.execution_id
    if asks:
        # OpenSSH before 8.4 asks the program only where it believes that there is a display
        own |= {"SSH_ASKPASS": "./askpass", "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":"}
    return own


def _longest(hosts: int, timeout: float) -> float:
    """Seconds after which even the last host must be done: copy, run and remove, in turns."""
    return math.ceil(hosts / _HOSTS_AT_ONCE) * (2 * timeout + 2 * _REMOVE_SECONDS)
