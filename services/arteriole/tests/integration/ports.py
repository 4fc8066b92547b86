"""Ports for servers of others, which do not tell which port they got if they are given 0."""

import secrets
import socket
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """Different ports of 127.0.0.1 that nobody uses.

    They are none of those that the kernel gives to outgoing connections, so that they stay free.
    """
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(_quiet())
        if port not in found and _can_bind(port):
            found.append(port)
    return found


def _quiet() -> range:
    """Where the kernel takes none from; any if that is nearly nowhere."""
    first, last = map(int, _RANGE.read_text().split())
    found = max(range(10_000, first), range(last + 1, 65_000), key=len)
    return found if len(found) >= 2000 else range(10_000, 32_000)


def _can_bind(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
