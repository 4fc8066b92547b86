"""Another host behind ssh: its settings, and the command lines that reach it."""

import re
import shlex
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from arteriole.app.config import Section
from arteriole.app.names import require_identifier

#: ssh expands % and $ in file names; the far side's shell splits rsync's path at spaces.
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9._/@+,=-]*", re.ASCII)
_SPACED_PATH = re.compile(r"/[A-Za-z0-9._/@+,= -]*", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", re.ASCII)


def _plain(path: Path) -> Path:
    return _fitting(path, _PLAIN_PATH, "A-Z a-z 0-9 . _ / @ + , = -")


def _spaced(path: Path) -> Path:
    return _fitting(path, _SPACED_PATH, "A-Z a-z 0-9 . _ / @ + , = - and spaces")


def _fitting(path: Path, pattern: re.Pattern[str], characters: str) -> Path:
    if not pattern.fullmatch(str(path)) or ".." in path.parts:
        raise ValueError(f"expected an absolute path of {characters}, found {str(path)!r}")
    return path


def _host(name: str) -> str:
    if not _HOST.fullmatch(name):
        raise ValueError(f"expected a host name or an IPv4 address, found {name!r}")
    return name


def _identifier(name: str) -> str:
    try:
        return require_identifier(name, "the name")
    except Exception as err:
        raise ValueError(str(err)) from err


PlainPath = Annotated[Path, AfterValidator(_plain)]
SpacedPath = Annotated[Path, AfterValidator(_spaced)]
HostName = Annotated[str, AfterValidator(_host)]
Identifier = Annotated[str, AfterValidator(_identifier)]


#: What ssh says (of LogLevel ERROR) when the host's key is not the one in known_hosts, and when the
#: host refuses the user or the key. Neither goes by waiting.
HOST_KEY = re.compile(r"Host key verification failed|IDENTIFICATION HAS CHANGED")
KEY_REFUSED = re.compile(r"Permission denied \(|Too many authentication failures")


class Host(Section):
    """Where commands run: behind ssh, or here if there is no `host`."""

    #: The host that commands run on, over ssh; without it they run here.
    host: HostName | None = None
    #: The port of its ssh.
    port: int = Field(default=22, ge=1, le=65535)
    #: Who logs in there; required beside `host`.
    user: Identifier | None = None
    #: The private key for it; required beside `host`.
    identity_file: SpacedPath | None = None
    #: The file that has the host's key, as known_hosts of ssh; required beside `host`.
    known_hosts: SpacedPath | None = None

    @model_validator(mode="after")
    def _all_of_ssh(self) -> Self:
        needed = {
            "user": self.user,
            "identity_file": self.identity_file,
            "known_hosts": self.known_hosts,
        }
        if self.host is not None:
            missing = [name for name, value in needed.items() if value is None]
            if missing:
                raise ValueError(f"expected {', '.join(missing)} beside host, found none")
        else:
            given = [name for name, value in needed.items() if value is not None]
            if given:
                raise ValueError(f"expected host beside {', '.join(given)}, found none")
        return self


def ssh_command(ssh: str, host: Host) -> list[str]:
    """ssh with one key and one list of known hosts, that never asks; without host and command."""
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": f'"{host.known_hosts}"',
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "IdentityFile": f'"{host.identity_file}"',
        "PreferredAuthentications": "publickey",
        "ControlPath": "none",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "ConnectTimeout": "15",
        "ServerAliveInterval": "15",
        "ServerAliveCountMax": "4",
        "LogLevel": "ERROR",
    }
    command = [ssh, "-F", "/dev/null", "-T", "-p", str(host.port)]
    command += ["-l", str(host.user)]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    return command


def script_command(ssh: str, host: Host, script: str, *words: str) -> list[str]:
    """Runs `script` with `words` as `$1` and on, at `host`.

    ssh hands one string to the login shell of the far side, so each word is quoted for it.
    """
    there = ["sh", "-c", script, "arteriole", *words]
    if host.host is None:
        return there
    return [*ssh_command(ssh, host), host.host, shlex.join(there)]
