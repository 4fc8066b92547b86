"""Names are inert: what may pass through triggers, rules and workflows, and be part of a path.

Orquesta and rules evaluate text again, so only these characters leave a service as an identifier.
"""

import re
from pathlib import Path

from arteriole.app.errors import InvalidError

_IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}", re.ASCII)


def is_identifier(text: str) -> bool:
    """True for 1 to 200 of `[A-Za-z0-9._-]` that start with neither dot nor dash.

    >>> [is_identifier(text) for text in ("200624_A00834_0183_BHMTFYDRXX", "<% x %>", "..")]
    [True, False, False]
    """
    return _IDENTIFIER.fullmatch(text) is not None


def require_identifier(text: str, field: str) -> str:
    """Return `text`, or raise InvalidError that names `field`."""
    if not is_identifier(text):
        raise InvalidError(
            f"{field} must be 1 to 200 of A-Z a-z 0-9 . _ - and start with a letter, digit or _;"
            f" found {text[:60]!r}",
            code="name.characters",
            field=field,
        )
    return text


def within(root: Path, *parts: str) -> Path:
    """The resolved path of `parts` below `root`; InvalidError if it leaves `root`."""
    base = root.resolve()
    path = base.joinpath(*parts).resolve()
    if not path.is_relative_to(base):
        raise InvalidError(f"{'/'.join(parts)!r} lies outside {base}", code="path.outside")
    return path


def find_run(roots: list[Path], run: str) -> Path:
    """The folder of `run` in the one of `roots` that has it.

    Raises:
        InvalidError: the name is not an identifier, a link leads out of the root, or two roots
            have a run of this name: then it is not known which of them was judged.
    """
    require_identifier(run, "run")
    found = [root for root in dict.fromkeys(roots) if (root / run).is_dir()]
    if len(found) > 1:
        raise InvalidError(
            f"{run} lies in {' and in '.join(map(str, found))}",
            code="run.duplicate_name",
            hint="rename or remove the folder that is not the run's",
            field="run",
        )
    if found:
        return within(found[0], run)
    raise InvalidError(
        f"no run folder {run} in {', '.join(map(str, roots))}",
        code="run.not_found",
        hint="check the roots in arteriole.yaml, and that the file system is mounted",
        field="run",
    )
