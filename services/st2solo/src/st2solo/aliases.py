"""The aliases that packs register: which one a command means, and help about them.

Source: st2api/controllers/v1/actionalias.py, st2common/util/actionalias_matching.py and
actionalias_helpstring.py of StackStorm 3.9.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from st2solo.alias_formats import Format, MismatchError, displays, extract, formats_of
from st2solo.errors import InvalidError, NotFoundError
from st2solo.resources import Kind, Resource, Resources


class AmbiguityError(InvalidError):
    """A command matches no alias, or more than one."""


@dataclass(frozen=True)
class Match:
    """The one alias that a command means, by one of its formats."""

    alias: Resource
    format: Format


class Aliases:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def match(self, command: str) -> Match:
        """The one enabled alias of which a format fits the whole command.

        Those that match several times are asked only when no other fits.

        Raises:
            AmbiguityError: none fits, or several do.
        """
        enabled = [alias for alias in self._resources.list(Kind.ALIAS) if alias.enabled]
        whole = [alias for alias in enabled if not _all_multiple(alias)]
        found = list(_matches(command, whole))
        if not found:
            several = [alias for alias in enabled if _any_multiple(alias)]
            found = list(_matches(command, several))
            if len(found) > 1:
                raise AmbiguityError(f"Command '{command}' matched more than 1 (multi) pattern")
        if len(found) > 1:
            raise AmbiguityError(f"Command '{command}' matched more than 1 pattern")
        if not found:
            raise AmbiguityError(f"Command '{command}' matched no patterns")
        return found[0]

    def named(self, name: str, representation: str) -> Match:
        """The format of the alias of that name; of several, of the one that has the format.

        Raises:
            NotFoundError: there is no alias of that name.
            InvalidError: it has not got the format, or is disabled.
        """
        known = [a for a in self._resources.list(Kind.ALIAS) if a.content["name"] == name]
        if not known:
            raise NotFoundError(f'Unable to identify action alias with name "{name}".')
        having = [a for a in known if representation in _representations(a)]
        alias = having[0] if having else known[0]
        if not alias.enabled:
            raise InvalidError(f'Action alias with name "{name}" is disabled.')
        if not having:
            raise InvalidError(
                f'Format string "{representation}" is not available on the alias "{name}"'
            )
        return Match(alias, Format(None, representation))

    def help(self, part: str, pack: str, limit: int, offset: int) -> dict[str, Any]:
        """`{available, helpstrings}`; those that hold `part`, in any case. A limit of 0 is none."""
        found = [
            {"pack": alias.pack, "display": shown, "description": alias.content.get("description")}
            for alias in self._resources.list(Kind.ALIAS)
            if alias.enabled and pack in ("", alias.pack)
            for shown in displays(alias.content)
            if part.casefold() in shown.casefold()
        ]
        first = max(offset, 0)
        end = first + limit if limit > 0 else None
        return {"available": len(found), "helpstrings": found[first:end]}


def _matches(command: str, aliases: list[Resource]) -> Iterator[Match]:
    for alias in aliases:
        for format_ in formats_of(alias.content):
            try:
                extract(format_.representation, command)
            except MismatchError:
                continue
            yield Match(alias, format_)


def _representations(alias: Resource) -> list[str]:
    return [format_.representation for format_ in formats_of(alias.content)]


def _multiple(alias: Resource) -> list[bool]:
    return [format_.multiple for format_ in formats_of(alias.content)]


def _all_multiple(alias: Resource) -> bool:
    return all(_multiple(alias))


def _any_multiple(alias: Resource) -> bool:
    return any(_multiple(alias))
