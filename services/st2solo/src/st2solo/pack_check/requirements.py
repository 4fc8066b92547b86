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


def problems(folder: Path) -> Iterator[Problem]:
    path = folder / "requirements.txt"
    if not path.is_file():
        return
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        yield Problem(path, None, f"cannot be read: {error}", code=_CODE)
        return
    for number, line in _lines(text):
        wanted = re.split(r"\s--", line)[0].strip()  # options of one requirement
        if not wanted or _OTHER.match(wanted):
            continue
        try:
            Requirement(wanted)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            yield Problem(path, number, f"{wanted!r}: {reason}", 1, _CODE)


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
