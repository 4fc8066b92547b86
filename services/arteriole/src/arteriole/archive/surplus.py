"""Content in a bucket that a start left which packed otherwise, and that nothing needs now."""

import re
from collections.abc import Sequence

from arteriole.archive.bucket import Bucket
from arteriole.archive.errors import ArchiveError
from arteriole.jobs.worker import note

_CONTENT = re.compile(r"bundles/[0-9a-f]{64}\.tar|data/[0-9a-f]{64}")
#: What an endpoint says that does not let an object be removed.
_STAYS = ("archive.forbidden", "archive.refused")


def is_content(name: str, suffix: str) -> bool:
    """Whether an object of this name, without what stands before it, is of a form that we make.

    >>> is_content(f"data/{'0' * 64}.c4gh", ".c4gh"), is_content("data/foreign", "")
    (True, False)
    """
    return name.endswith(suffix) and bool(_CONTENT.fullmatch(name[: len(name) - len(suffix)]))


def remove(bucket: Bucket, keys: Sequence[str]) -> None:
    """Remove what the endpoint lets us remove; ArchiveError if it cannot be asked."""
    stay = 0
    for key in keys:
        try:
            bucket.remove(key)
        except ArchiveError as err:
            if err.code not in _STAYS:
                raise
            stay += 1
    note(f"{len(keys)} objects of an earlier start are not needed; {stay} cannot be removed")
