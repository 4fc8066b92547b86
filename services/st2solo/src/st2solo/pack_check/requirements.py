"""requirements.txt of a pack, as pip reads it."""

import re
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from st2solo.metadata_file import Problem

_CODE = "requirements.line"
_COMMENT = re.compile(r"(?:^|\s)#.*$")
#: What is no requirement by name: options, archives, folders, repositories.
_OTHER = re.compile(r"-|\.{0,2}/|file:|https?:|(git|hg|svn|bzr)\+|\S+\.(whl|zip|tar\.\w+)$")

_NAME = re.compile(r"[\w.-]+")


def problems(folder: Path) -> Iterator[Problem]:
    path = folder / "requirements.txt"
    if not path.is_file():
        return
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        yield Problem(path, None, f"cannot be read: {error}", code=_CODE)
        return
    for number, wanted in _plain(text):
        try:
            Requirement(wanted)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            yield Problem(path, number, f"{wanted!r}: {reason}", 1, _CODE)


def names(folder: Path) -> frozenset[str]:
    """The names of what is required; none where the file cannot be read."""
    try:
        text = (folder / "requirements.txt").read_text()
    except (OSError, UnicodeDecodeError):
        return frozenset()
    found = (_NAME.match(wanted) for _, wanted in _plain(text))
    return frozenset(name[0].lower() for name in found if name)


def _plain(text: str) -> Iterator[tuple[int, str]]:
    """The lines that name a requirement, without its options."""
    for number, line in _lines(text):
        wanted = re.split(r"\s--", line)[0].strip()
        if wanted and not _OTHER.match(wanted):
            yield number, wanted


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line without its comment, with its number; those that go on are one."""
    begun, number = "", 1
    for at, line in enumerate(text.splitlines(), 1):
        number = number if begun else at
        if line.endswith("\\"):
            begun += line[:-1]
            continue
        yield number, _COMMENT.sub("", begun + line).strip()
        begun = ""
    yield number, begun.strip()
