"""Patterns that a site sets for names: regular expressions whose match takes a bounded time.

Python's `re` goes back and tries again: `(a+)+b` takes longer than anybody lives for a name of a
few dozen letters. Names come from outside, so of the expressions only those are taken whose number
of ways to match a name of LENGTH characters has a bound that can be told from the expression.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

#: Characters of the longest name; longer ones are refused by a rule of their own.
LENGTH = 100
#: Characters of a pattern, and ways in which it may match one name.
PATTERN_LENGTH, WAYS = 300, 1_000_000

_TOKEN = re.compile(
    r"""
      (?P<open> \( (?:\?:)? )
    | (?P<close> \) )
    | (?P<bar> \| )
    | (?P<quantifier> [*+?] | \{ (?P<least>[0-9]{1,3}) (?: , (?P<most>[0-9]{0,3}) )? \} )
    | (?P<atom> \\[dw] | \\[^A-Za-z0-9] | \[ \^? (?: \\[dw] | \\[^A-Za-z0-9] | [^\[\]\\] )+ \]
        | [A-Za-z0-9_ ./,:;=@\#%&~!'"<>-] )
    """,
    re.VERBOSE | re.ASCII,
)


def compiled(pattern: str) -> re.Pattern[str]:
    """The expression; it is to match a whole name, so it needs neither `^` nor `$`.

    Raises:
        ValueError: it is none, is of a kind that is not taken, or may match in too many ways.
    """
    if len(pattern) > PATTERN_LENGTH:
        raise ValueError(f"expected at most {PATTERN_LENGTH} characters, found {len(pattern)}")
    ways = _ways(pattern)
    if ways > WAYS:
        raise ValueError(
            f"it may match a name of {LENGTH} characters in more than {WAYS:,} ways; write {{1,20}}"
            " for +, or use fewer of *, + and {m,n}"
        )
    try:
        return re.compile(pattern, re.ASCII)
    except re.error as err:
        raise ValueError(f"it is no regular expression: {err}") from err


def _ways(pattern: str) -> int:
    """At most so many ways there are: what each quantifier and alternative leaves open."""
    ways, at, before = 1, 0, ""
    alternatives = [1]
    while at < len(pattern):
        found = _TOKEN.match(pattern, at)
        if found is None:
            raise ValueError(
                f"expected letters, digits, [classes], \\d, \\w, groups, | and quantifiers; found"
                f" {pattern[at : at + 10]!r} (it matches the whole name without ^ and $)"
            )
        kind = found.lastgroup or ""
        if found["quantifier"]:
            kind = "quantifier"
            ways *= _choices(found, before)
        elif kind == "open":
            alternatives.append(1)
        elif kind == "bar":
            alternatives[-1] += 1
        elif kind == "close" and len(alternatives) > 1:
            ways *= alternatives.pop()
        at, before = found.end(), kind
    return ways * alternatives[0]


def _choices(quantifier: re.Match[str], before: str) -> int:
    """How many repeats the quantifier leaves open of what stands before it."""
    text = quantifier["quantifier"]
    if before not in ("atom", "close"):
        raise ValueError(f"nothing that {text!r} could repeat stands before it")
    if before == "close" and text != "?":
        raise ValueError(
            f"a group is repeated by {text!r}: its ways to match would multiply; write the repeat"
            " out, or use a [class]"
        )
    if text == "?":
        return 2
    if text in "*+" or quantifier["most"] == "":
        return LENGTH
    least = int(quantifier["least"])
    return max(1, int(quantifier["most"] or least) - least + 1)


def _pattern(text: str) -> str:
    compiled(text)
    return text


#: A pattern as a setting.
Pattern = Annotated[str, Field(min_length=1), AfterValidator(_pattern)]
