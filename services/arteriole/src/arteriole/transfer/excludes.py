"""Files that a destination is not sent: patterns of paths, as the shell's but simpler."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator, Field

from arteriole.app.config import Section
from arteriole.checksum.listing import FoundFile
from arteriole.transfer.parts import SentPart

LONGEST = 200
#: What a path may not have in a manifest, and what a pattern may not: a class of characters.
_OTHER = re.compile(r"[\x00-\x1f\x7f\\\[\]\ud800-\udfff]")


def _pattern(text: str) -> str:
    parts = text.split("/")
    if not 1 <= len(text) <= LONGEST or _OTHER.search(text) or {"", ".", ".."} & set(parts):
        raise ValueError(
            f"expected at most {LONGEST} characters of a relative path, such as Thumbnail_Images/*,"
            f" without [ ] \\ and parts that are empty or dots; found {text[:LONGEST]!r}"
        )
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
Patterns = Annotated[list[Pattern], Field(max_length=100)]


class Excludes(Section):
    """Of each part the files that stay here.

    A pattern is compared with the whole path of a file, relative to the folder that is sent: `*`
    stands for any characters, slashes too, `?` for one; every other character for itself.
    """

    #: Patterns of FASTQs.
    fastq: Patterns = Field(default_factory=list)
    #: Patterns of files of the run folder.
    runfolder: Patterns = Field(default_factory=list)

    def of(self, part: SentPart) -> list[str]:
        return self.fastq if part is SentPart.FASTQ else self.runfolder


@dataclass(frozen=True)
class Choice:
    """The files of a folder, divided.

    Attributes:
        unused: the patterns that fit none of them.
    """

    sent: list[FoundFile] = field(default_factory=list)
    left_out: list[FoundFile] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


def choose(files: Iterable[FoundFile], patterns: Sequence[str]) -> Choice:
    """What of `files` is sent.

    >>> files = [FoundFile(name, 1, 0) for name in ("RunInfo.xml", "Logs/a/b.log")]
    >>> choice = choose(files, ["Logs/*", "Thumbnail_Images/*"])
    >>> [found.name for found in choice.sent], choice.unused
    (['RunInfo.xml'], ['Thumbnail_Images/*'])
    """
    choice = Choice()
    used: set[str] = set()
    for found in files:
        fitting = [pattern for pattern in patterns if fnmatchcase(found.name, pattern)]
        used.update(fitting)
        (choice.left_out if fitting else choice.sent).append(found)
    choice.unused.extend(pattern for pattern in patterns if pattern not in used)
    return choice
