"""Errors of reading folders and manifests."""

from collections.abc import Iterable

from arteriole.jobs.worker import WorkError

#: So many files are named in a message; the rest is counted.
NAMED = 5


class ChecksumError(WorkError):
    """The digests could not be made, or are not those that they should be."""

    code = "checksum.failed"


class ManifestError(ChecksumError):
    """A manifest is missing or cannot be used."""

    code = "manifest.invalid"


def listed(names: Iterable[str]) -> str:
    """The first few of `names` for a message.

    >>> listed(["a", "b"]), listed("abcdefg")
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    every = list(names)
    rest = len(every) - NAMED
    return ", ".join(every[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
