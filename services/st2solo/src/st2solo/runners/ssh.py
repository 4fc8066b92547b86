"""How the `ssh` command is started: whom it may reach, and the configuration that it reads.

Whatever comes from a parameter is checked against a narrow alphabet before it stands on a command
line or in the configuration; the user's own ssh configuration and agent play no part.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path

from st2solo.errors import InvalidError

#: The files that ssh finds in the folder of the execution, which is its working directory.
CONFIGURATION_FILE = "ssh_config"
KEY_FILE = "key"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_PATH = re.compile(r"/[^\x00-\x1f\"\\$]+")
_DEFAULT_PORT = 22
_ALIVE_SECONDS = 15


@dataclass(frozen=True)
class Host:
    """Where to connect to. `name` is a host name, an IPv4 or a bare IPv6 address."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"

    @classmethod
    def parse(cls, text: str, port: int | None = None) -> "Host":
        """`name`, `name:port`, `::1`, `[::1]` or `[::1]:port`; the given port is the default.

        Source: st2common/util/ip_utils.py of StackStorm 3.9.

        Raises:
            InvalidError: it is none of these, or has a character that no host name has.
        """
        name, own = text, None
        if bracketed := re.fullmatch(r"\[(.*)\](?::([^:]*))?", text):
            name, own = bracketed[1], bracketed[2]
        elif text.count(":") == 1:
            name, _, own = text.partition(":")
        if not (_ipv6(name) if ":" in name else _NAME.fullmatch(name)):
            raise InvalidError(
                f"{text!r} is no host: expected a name of letters, digits, '.', '_' and '-', or an"
                " address, and :PORT after it if it has its own; a user is given by `username`"
            )
        return cls(name, _checked_port(port if own is None else own, text))


def _ipv6(text: str) -> bool:
    if not _IPV6.fullmatch(text):
        return False
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _checked_port(port: str | int | None, text: str) -> int:
    if port is None:
        return _DEFAULT_PORT
    if isinstance(port, str) and not re.fullmatch(r"[0-9]{1,5}", port):
        raise InvalidError(f"{text!r} has no port of digits after the colon")
    if not 0 < int(port) < 2**16:
        raise InvalidError(f"the port of {text!r} is {port}: expected 1 to 65535")
    return int(port)


def hosts(text: str, port: int | None) -> dict[str, Host]:
    """The hosts of a list with commas, by the name under which their results are shown.

    That is the name without the port, as in StackStorm, unless the name stands for several hosts.

    Raises:
        InvalidError: there is none, or one is malformed.
    """
    found = list(dict.fromkeys(Host.parse(part, port) for part in _parts(text)))
    if not found:
        raise InvalidError("there is no host to run on: name one or more in the parameter hosts")
    names = [host.name for host in found]
    return {str(h) if names.count(h.name) > 1 else h.name: h for h in found}


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def arguments(host: Host, bastion: str | None, log: str) -> list[str]:
    """The command up to the remote command; what ssh itself has to say goes to the file `log`.

    Raises:
        InvalidError: the bastion is no host.
    """
    # as in StackStorm the bastion is reached by the port of the host, unless it has its own
    through = ["-J", str(Host.parse(bastion, host.port))] if bastion else []
    own = ["-F", CONFIGURATION_FILE, "-E", log, "-T", "-p", str(host.port)]
    return ["ssh", *own, *through, "--", host.name]


@dataclass(frozen=True)
class Login:
    """By what a connection is made; `asks` is whether a secret will be asked for."""

    known_hosts: Path
    user: str | None = None
    key: str | None = None
    password: bool = False
    asks: bool = False
    connect_seconds: int = 60

    def configuration(self) -> str:
        """The text of the ssh_config(5) file.

        Raises:
            InvalidError: the user or a path has a character that cannot be there.
        """
        method = "password,keyboard-interactive" if self.password else "publickey"
        lines = [
            f"BatchMode {'no' if self.asks else 'yes'}",
            "NumberOfPasswordPrompts 1",
            f"PreferredAuthentications {method}",
            "StrictHostKeyChecking yes",
            f"UserKnownHostsFile {_quoted('known_hosts', str(self.known_hosts))}",
            "GlobalKnownHostsFile /dev/null",
            "UpdateHostKeys no",
            "IdentityAgent none",
            "IdentitiesOnly yes",
            "ForwardAgent no",
            "ClearAllForwardings yes",
            "PermitLocalCommand no",
            "LogLevel ERROR",
            f"ConnectTimeout {self.connect_seconds}",
            f"ServerAliveInterval {_ALIVE_SECONDS}",
        ]
        if self.key is not None:
            path = self.key if self.key == KEY_FILE else _quoted("private_key", self.key)
            lines.append(f"IdentityFile {path}")
        if self.user is not None:
            lines.append(f"User {_checked_user(self.user)}")
        return "\n".join(lines) + "\n"


def _quoted(name: str, path: str) -> str:
    if not _PATH.fullmatch(path):
        raise InvalidError(
            f"{name} is {path!r}: expected an absolute path without quotes, backslashes and $"
        )
    return '"' + path.replace("%", "%%") + '"'


def _checked_user(user: str) -> str:
    if not _USER.fullmatch(user):
        raise InvalidError(
            f"{user!r} is no user name: expected letters, digits, '.', '_' and '-' (not first)"
        )
    return user
