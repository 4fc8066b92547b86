"""What the demo shows, where nobody watches it live."""

import io

from rich.console import Console

from demo.screen import Screen


def test_a_quoted_line_is_not_broken():
    out = io.StringIO()
    with Screen(Console(file=out, width=40)) as screen:
        screen.quote("what to do: " + "word " * 20 + "\n  next")
    assert out.getvalue() == "    what to do: " + "word " * 20 + "\n      next\n\n"
