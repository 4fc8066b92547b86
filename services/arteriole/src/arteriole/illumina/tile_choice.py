"""Which tiles are chosen, as the option `--tiles` of bcl2fastq says it.

`s_1`, `s_[2-4]`, `s_1_1101`, `[0-9][0-9][0-9]5`: each is looked for anywhere in s_<lane>_<tile>,
four digits at least (bcl2fastq2 software guide v2.20, "--tiles"). There they are regular
expressions; here letters, digits, `_`, classes such as [2-4] or [13], `.` for any character, `^` at
the start and `$` at the end, so that none can be slow.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_LIMIT = 200


class TileChoiceError(ValueError):
    """An expression is not one of those that are understood."""


@dataclass(frozen=True, slots=True)
class TileExpression:
    """Which characters may stand in each place, one after the other."""

    places: tuple[frozenset[str], ...]
    at_start: bool = False
    at_end: bool = False

    def fits(self, lane: int, tile: int) -> bool:
        """Whether it chooses a tile.

        >>> parse("s_[2-4]").fits(3, 1101), parse("s_[2-4]").fits(1, 2101)
        (True, False)
        """
        name = f"s_{lane}_{tile:04d}"
        last = len(name) - len(self.places)
        starts = range(last + 1)
        if self.at_start:
            starts = starts[:1]
        if self.at_end:
            starts = starts[-1:]
        return any(
            all(name[start + at] in place for at, place in enumerate(self.places))
            for start in starts
            if not (self.at_start and start) and not (self.at_end and start != last)
        )


def parse(text: str) -> TileExpression:
    """One expression. Raises TileChoiceError."""
    rest = text.strip()
    if not 0 < len(rest) <= _LIMIT:
        raise TileChoiceError(f"expected 1 to {_LIMIT} characters, found {len(rest)}")
    at_start, at_end = rest.startswith("^"), rest.endswith("$")
    rest = rest.removeprefix("^").removesuffix("$")
    places: list[frozenset[str]] = []
    while rest:
        head = rest[0]
        if head == "[":
            inner, closed, rest = rest[1:].partition("]")
            if not closed:
                raise TileChoiceError(f"[ without ] in {text[:40]!r}")
            places.append(_class(inner, text))
            continue
        if head not in _PLAIN and head != ".":
            raise TileChoiceError(
                f"{head!r} in {text[:40]!r}: only letters, digits, '_', '.', classes such as"
                " [2-4], '^' at the start and '$' at the end are understood"
            )
        places.append(_PLAIN if head == "." else frozenset(head))
        rest = rest[1:]
    if not places:
        raise TileChoiceError(f"{text[:40]!r} names nothing")
    return TileExpression(tuple(places), at_start, at_end)


def choose(
    texts: Iterable[str], tiles: Mapping[int, tuple[int, ...]]
) -> dict[int, tuple[int, ...]]:
    """The chosen ones of `tiles` of each lane; lanes of which none is chosen are left out.

    Args:
        texts: each an expression, or some with commas between.

    Raises:
        TileChoiceError: one is not understood, or none chooses a tile.
    """
    expressions = [parse(one) for text in texts for one in text.split(",")]
    chosen = {
        lane: tuple(tile for tile in tiles[lane] if any(e.fits(lane, tile) for e in expressions))
        for lane in tiles
    }
    if not any(chosen.values()):
        raise TileChoiceError("no tile of the run is chosen")
    return {lane: numbers for lane, numbers in chosen.items() if numbers}


def _class(inner: str, text: str) -> frozenset[str]:
    """[abc] or [a-c], of letters, digits and `_`."""
    characters: set[str] = set()
    place = 0
    while place < len(inner):
        first = inner[place]
        is_range = inner[place + 1 : place + 2] == "-"
        last = inner[place + 2 : place + 3] if is_range else first
        place += 3 if is_range else 1
        if not {first, last} <= _PLAIN or last < first:
            raise TileChoiceError(f"the class [{inner[:40]}] in {text[:40]!r} is not understood")
        characters |= {chr(code) for code in range(ord(first), ord(last) + 1)} & _PLAIN
    if not characters:
        raise TileChoiceError(f"an empty class in {text[:40]!r}")
    return frozenset(characters)
