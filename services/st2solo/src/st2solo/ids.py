"""Identifiers of objects: 24 hexadecimal digits, like StackStorm's (MongoDB ObjectIds)."""

import hashlib
import itertools
import os
import re
import time

_PROCESS = os.urandom(5).hex()
_counter = itertools.count(int.from_bytes(os.urandom(2), "big"))
_PATTERN = re.compile(r"[0-9a-f]{24}")


def new_id() -> str:
    """Seconds since the epoch, five random bytes of this process and a counter: ordered by time.

    >>> len(new_id())
    24
    """
    return f"{int(time.time()):08x}{_PROCESS}{next(_counter) & 0xFFFFFF:06x}"


def id_of(name: str) -> str:
    """The identifier of what has no row but a name: the same at every start.

    >>> id_of("noop")
    'f4d960247b7ae9c19f3dcd53'
    """
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def is_id(text: str) -> bool:
    """Whether the text has the form of an identifier."""
    return _PATTERN.fullmatch(text) is not None
