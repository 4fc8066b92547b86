"""The findings of a sheet for a terminal, each below the line that it is about.

    error[sheet.index_alphabet]: expected an index of A, C, G, T (and N), found 'ACGX'
      --> SampleSheet.csv:3:2
      3 | S2,ACGX
        |    ^^^^
      try: write out the bases in capital letters

Whatever comes from the sheet is shown without the characters that a terminal obeys.
"""

import codecs
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from arteriole.commands.terminal import plain

_STYLES = {"error": "bold red", "warning": "bold yellow"}
#: Columns of a terminal that a line of the sheet is given at least, and that of it which is shown
#: before a cell where the line is too long.
_LEAST, _BEFORE = 40, 16


def report(found: dict[str, Any], name: str, data: bytes, screen: Console) -> None:
    """Print what `sheets.check` found in `data`, the sheet called `name`."""
    lines = sheet_lines(data)
    separator = _separator(found["findings"], lines)
    for finding in found["findings"]:
        _print(screen, _title(finding["severity"], finding["code"], finding["message"]))
        _place(finding, name, lines, separator, screen)
        _suggest(finding["hint"], screen)
        screen.print()
    if not found["findings"] and not found["ok"]:
        _print(screen, _title("error", found["code"], found["message"]))
        _suggest(found["hint"], screen)
    _print(screen, _summary(found, name))


def sheet_lines(data: bytes) -> list[str]:
    """The lines of a sheet as the reader counts them; what is no text is shown all the same."""
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _separator(findings: list[dict[str, Any]], lines: list[str]) -> str:
    """What stands between the cells: a comma, unless one of the findings is that it is not."""
    numbers = [one["line"] for one in findings if one["code"] == "sheet.separator"]
    return max(";\t", key=lines[numbers[0] - 1].count) if numbers else ","


def cell_span(line: str, column: int, separator: str = ",") -> tuple[int, int]:
    """Where the cell of this column begins and ends, quotes and all; behind the last: the end.

    >>> cell_span('S1,"a,b",x', 2), cell_span("S1", 4), cell_span("S1;a,b", 2, ";")
    ((3, 8), (2, 2), (3, 6))
    """
    starts, quoted = [0], False
    for place, char in enumerate(line):
        if char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            starts.append(place + 1)
    if column > len(starts):
        return len(line), len(line)
    end = starts[column] - 1 if column < len(starts) else len(line)
    return starts[column - 1], end


def _title(severity: str, code: str, message: str) -> Text:
    style = _STYLES[severity]
    return Text.assemble((f"{severity}[{plain(code)}]", style), (f": {plain(message)}", "bold"))


def _place(
    finding: dict[str, Any], name: str, lines: list[str], separator: str, screen: Console
) -> None:
    line, column = finding["line"], finding["column"]
    if not line:
        _print(screen, Text(f"  --> {plain(name)}", style="blue"))
        return
    where = f"{name}:{line}" + (f":{column}" if column else "")
    _print(screen, Text(f"  --> {plain(where)}", style="blue"))
    if line > len(lines):
        return
    gutter = f"{line:>5} | "
    room = max(_LEAST, screen.width - len(gutter))
    text = lines[line - 1]
    span = cell_span(text, column, separator) if column else (0, len(text))
    before, found, after = _window(text, span, room)
    _print(
        screen,
        Text.assemble((gutter, "blue"), before, (found, "bold" if column else ""), after),
    )
    if column:
        marks = " " * cell_len(before) + "^" * max(1, cell_len(found))
        blank = " " * (len(gutter) - 2) + "| "
        _print(screen, Text.assemble((blank, "blue"), (marks, _STYLES[finding["severity"]])))


def _window(line: str, span: tuple[int, int], room: int) -> tuple[str, str, str]:
    """What stands before the cell, the cell, and what stands behind it; cut to fit."""
    start, end = span
    first = 0 if end <= room - 3 else max(0, start - _BEFORE)
    last = first + room - 6 if len(line) - first > room - 3 else len(line)
    before = ("..." if first else "") + plain(line[first:start])
    after = plain(line[end:last]) + ("..." if last < len(line) else "")
    return before, plain(line[start : min(end, last)]), after


def _suggest(hint: str, screen: Console) -> None:
    if hint:
        _print(screen, Text.assemble(("  try: ", "cyan"), plain(hint)))


def _summary(found: dict[str, Any], name: str) -> Text:
    severities = [finding["severity"] for finding in found["findings"]]
    counts = [
        f"{severities.count(severity)} {severity}{'s' * (severities.count(severity) != 1)}"
        for severity in ("error", "warning")
        if severity in severities
    ]
    told = " and ".join(counts) or ("nothing is wrong with it" if found["ok"] else "it is refused")
    if found["finding_count"] > len(severities):
        told += f", and {found['finding_count'] - len(severities)} more findings"
    run = found["run"]
    against = f"checked against {run}" if run else "checked without its run (--run DIR)"
    style = "green" if found["ok"] else "red"
    return Text.assemble((f"{plain(name)}: {told}", style), f"; {plain(against)}")


def _print(screen: Console, text: Text) -> None:
    """On one line however long, so that it can be searched and copied."""
    screen.print(text, soft_wrap=True)
