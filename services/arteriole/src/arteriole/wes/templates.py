"""The words of a pipeline's commands, in which `{name}` stands for a value.

`{{` and `}}` are braces. A word that is nothing but the name of a list becomes as many words.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

_TOKEN = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}|[{}]")
_WHOLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class TemplateError(ValueError):
    """A word of a pipeline cannot be used."""


def names(word: str) -> set[str]:
    """The names in `word`.

    Raises:
        TemplateError: a brace stands alone.

    >>> sorted(names("--in={r1},{r2}"))
    ['r1', 'r2']
    """
    found = set()
    for token in _TOKEN.finditer(word):
        if token[1]:
            found.add(token[1])
        elif token[0] in "{}":
            raise TemplateError(f"expected {{name}}, or {{{{ and }}}} for braces; found {word!r}")
    return found


def render(word: str, values: Mapping[str, str]) -> str:
    """`word` with its values.

    >>> render("{sample}.{{x}}", {"sample": "S1"})
    'S1.{x}'
    """

    def value(token: re.Match[str]) -> str:
        return values[token[1]] if token[1] else token[0][0]

    return _TOKEN.sub(value, word)


def render_all(
    words: Iterable[str], values: Mapping[str, str], lists: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """The words of a command.

    >>> render_all(["bwa", "{fastqs}"], {}, {"fastqs": ["a", "b"]})
    ('bwa', 'a', 'b')
    """
    rendered: list[str] = []
    for word in words:
        whole = _WHOLE.fullmatch(word)
        if whole is not None and whole[1] in lists:
            rendered += lists[whole[1]]
        else:
            rendered.append(render(word, values))
    return tuple(rendered)
