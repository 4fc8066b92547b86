"""Runs one command on several hosts for the remote-shell runners, by OpenSSH's `ssh`.

What to run comes as JSON on the standard input, as `st2solo.runners.remote_shell` writes it. The
working directory is the folder of the execution and private to it: the configuration, the key and
the secret that ssh asks for are there while it runs. The results, {host: {failed, succeeded,
return_code, stdout, stderr[, error, timeout]}}, go by rename to the file `result_path`; both
texts are as they came. SIGTERM ends the connections; what there is by then is written.

Standard library only, Python 3.8 syntax. Source: st2common/runners/parallel_ssh.py of
StackStorm 3.9.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from shlex import quote

TYPE_CHECKING = False  # typing takes time to import
if TYPE_CHECKING:
    from typing import Any

#: With which ssh itself fails; a remote command may end with it too.
_SSH_FAILED = 255
_TIMED_OUT = -9
_SECRETS = ("key", "secret")
_STOPPED = threading.Event()


def _write(name: str, text: str, mode: int = 0o600) -> None:
    descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _read(name: str) -> str:
    try:
        with open(name, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _memory_file(data: bytes) -> int:
    """An input in memory: it may hold secrets."""
    descriptor = os.memfd_create("input")
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _archive(script: dict[str, str]) -> bytes:
    """The script and its library as a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, dereference=True
    ) as archive:
        name = os.path.basename(script["file"])  # noqa: PTH119 - importing pathlib takes time
        entry = _plain(archive.gettarinfo(script["file"], "./" + name))
        entry.mode = 0o700
        with open(script["file"], "rb") as file:
            archive.addfile(entry, file)
        if os.path.isdir(script["lib"]):  # noqa: PTH112
            archive.add(script["lib"], "./lib", filter=_plain)
    return buffer.getvalue()


def _scan(shown: str) -> str:
    """The command that prints the keys of a host as known_hosts names it."""
    match = re.match(r"\[(.*)\]:(\d+)$", shown)
    name, port = match.groups() if match else (shown, "22")
    return f"ssh-keyscan -p {port} {quote(name)}"


def _connection_error(text: str, known_hosts: str) -> str:
    """What ssh says, in words that tell what to do about a host's key."""
    file = quote(known_hosts)
    unknown = re.search(r"No \S+ host key is known for (\S+) and you have requested", text)
    if unknown:
        host = unknown[1]
        return (
            f"nothing was run: the host key of {host} is not in {known_hosts}. Get it by"
            f" `{_scan(host)} > new_key`, compare `ssh-keygen -lf new_key` with the fingerprint on"
            f" the host itself, and if it is the same, `cat new_key >> {file}`."
        )
    changed = re.search(r"Host key for (\S+) has changed and you have requested", text)
    if changed:
        host = changed[1]
        return (
            f"nothing was run: the host key of {host} is not the one in {known_hosts}; somebody"
            f" may stand between. Get the key by `{_scan(host)} > new_key` and compare"
            " `ssh-keygen -lf new_key` with the fingerprint on the host itself. Only if it is the"
            f" same: `ssh-keygen -R {quote(host)} -f {file} && cat new_key >> {file}`."
        )
    return text.strip()


class _Host:
    """One host of the order."""

    def __init__(self, number: int, host: dict[str, Any], order: dict[str, Any]) -> None:
        self._number = number
        self._host = host
        self._order = order

    def run(self, archive: bytes) -> dict[str, Any]:
        """Copy the script if there is one, run, and remove the copy."""
        if _STOPPED.is_set():
            return self._failed("stopped before anything was run")
        script = self._order["script"]
        if script is None:
            return self._run()
        code, _, err = self._ssh("copy", script["copy"], archive, self._order["timeout"])
        try:
            if code != 0:
                return self._not_copied(code, err)
            return self._run()
        finally:
            if not self._connection_failed(code):
                self._ssh("remove", script["remove"], b"", self._order["remove_seconds"])

    def _run(self) -> dict[str, Any]:
        text = self._order["text"].encode("utf-8", "surrogatepass")
        code, out, err = self._ssh("run", self._order["evaluate"], text, self._order["timeout"])
        if code is None:
            return self._late(out, err)
        if _STOPPED.is_set() and code != 0:
            error = "stopped: the connection was closed; what was begun there may go on"
            return self._failed(error, out, err)
        if self._connection_failed(code):
            return self._failed(self._reason(err), out, err)
        asked = self._order["sudo_password"]
        if asked and re.search(r"sudo: \d+ incorrect password attempt", err):
            user = re.search(r"\[sudo\] password for (.+?):", err)
            error = "Invalid sudo password provided or sudo is not configured for this user"
            return self._failed(f"{error} ({user[1] if user else 'unknown'})", out, err)
        return _result(code, out, err)

    def _ssh(
        self, step: str, command: str, data: bytes, seconds: float | None
    ) -> tuple[int | None, str, str]:
        """The exit code, None when the time ran out, and what came out."""
        # the only host's output is the output of the execution while it runs
        alone = step == "run" and len(self._order["hosts"]) == 1
        names = ["stdout", "stderr"]
        if not alone:
            names = [f"{self._number}.{step}.{name}" for name in names]
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._host["log"])  # noqa: PTH108
        given = _memory_file(data)
        try:
            with open(names[0], "ab") as out, open(names[1], "ab") as err:
                process = subprocess.Popen(
                    [*self._host["argv"], command], stdin=given, stdout=out, stderr=err
                )
        finally:
            os.close(given)
        code: int | None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = None
        return code, _read(names[0]), _read(names[1])

    def _connection_failed(self, code: int | None) -> bool:
        return code == _SSH_FAILED and bool(_read(self._host["log"]))

    def _reason(self, err: str) -> str:
        # what a bastion's ssh has to say is on the standard error
        return _connection_error(_read(self._host["log"]) + err, self._order["known_hosts"])

    def _not_copied(self, code: int | None, err: str) -> dict[str, Any]:
        if code is None:
            return self._late("", err)
        reason = self._reason(err) if self._connection_failed(code) else err.strip()
        return self._failed(f"Failed copying content to {self._host['name']}: {reason}")

    def _late(self, out: str, err: str) -> dict[str, Any]:
        error = (
            f"not done on {self._host['name']} in {self._order['timeout']} seconds; the connection"
            " was closed, but what was begun there may go on"
        )
        return {**_result(_TIMED_OUT, out, err), "error": error, "timeout": True}

    @staticmethod
    def _failed(error: str, out: str = "", err: str = "") -> dict[str, Any]:
        return {**_result(_SSH_FAILED, out, err), "error": error, "timeout": False}


def _result(code: int, out: str, err: str) -> dict[str, Any]:
    return {
        "failed": code != 0,
        "succeeded": code == 0,
        "return_code": code,
        "stdout": out,
        "stderr": err,
    }


def _run(order: dict[str, Any]) -> dict[str, Any]:
    archive = _archive(order["script"]) if order["script"] else b""
    hosts = [_Host(number, host, order) for number, host in enumerate(order["hosts"])]
    with ThreadPoolExecutor(min(len(hosts), order["at_once"])) as pool:
        results = list(pool.map(lambda host: host.run(archive), hosts))
    return {host["name"]: result for host, result in zip(order["hosts"], results)}


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: _STOPPED.set())
    os.umask(0o077)
    order = json.loads(sys.stdin.read())
    _write("ssh_config", order["configuration"])
    try:
        if order["key"]:
            _write("key", order["key"])
        if order["secret"]:
            _write("secret", order["secret"] + "\n")
            _write("askpass", "#!/bin/sh\nexec cat ./secret\n", 0o700)
        results = _run(order)
    finally:
        for name in _SECRETS:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108
    temporary = order["result_path"] + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(results, file)
    os.replace(temporary, order["result_path"])  # noqa: PTH105


if __name__ == "__main__":
    main()
