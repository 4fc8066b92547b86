"""Who may read what arrived: modes as chmod has them."""

from typing import Annotated

from pydantic import BeforeValidator

_READ, _WRITE = 0o444, 0o222
#: Setgid: what is made in such a folder has its group.
_OF_FOLDERS = 0o2777


def _file_mode(value: object) -> str:
    mode = _octal(value)
    if mode & ~0o666 or not mode & 0o400:
        raise _unfit(value, "0640: read by the owner, run by nobody")
    return f"{mode:04o}"


def _directory_mode(value: object) -> str:
    mode = _octal(value)
    if mode & ~_OF_FOLDERS or mode & 0o700 != 0o700:
        raise _unfit(value, "0750: all for the owner")
    return f"{mode:04o}"


def _octal(value: object) -> int:
    """NB: 640 without quotes is a decimal number, and no mode; 0640 is text."""
    try:
        mode = int(value, 8) if isinstance(value, str) else -1
    except ValueError:
        mode = -1
    if mode < 0:
        raise _unfit(value, "0640")
    if (mode & _WRITE) & ~((mode & _READ) >> 1):
        raise _unfit(value, "0640: nobody may write what he may not read")
    return mode


def _unfit(value: object, expected: str) -> ValueError:
    return ValueError(f"expected an octal mode as {expected}; found {value!r}")


FileMode = Annotated[str, BeforeValidator(_file_mode)]
DirectoryMode = Annotated[str, BeforeValidator(_directory_mode)]
