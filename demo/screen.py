"""What the demo shows: a live table of runs on a terminal, plain lines elsewhere."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE
from rich.console import Console
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

#: The stages that have a column, and its head; all of them would not fit into eighty columns.
STAGES = {
    "convert": "convert",
    "transfer": "cluster",
    "archive": "archive",
    "analyse": "analyse",
    "archive_results": "results",
}
_STYLES = {
    "done": "green",
    "held": "yellow",
    "failed": "bold red",
    "error": "bold red",
    "incomplete": "bold red",
}


@dataclass(frozen=True)
class Row:
    """One run: what it is, how far the instrument is, each stage in a word, and its state."""

    title: str
    sequencer: str
    state: str
    stages: dict[str, str] = field(default_factory=dict)


class Screen:
    """Shows rows, and says what happens between them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._told: dict[tuple[str, str], str] = {}
        self._live = Live(console=console, refresh_per_second=8) if console.is_terminal else None

    def __enter__(self) -> "Screen":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """A sentence about what happens now."""
        self._console.print(Text(f"\n{text}", style="bold"), soft_wrap=True)

    def quote(self, text: str) -> None:
        """What a command printed."""
        lines = "".join(f"    {line}\n" for line in text.splitlines())
        self._console.print(Text(lines), soft_wrap=True)

    def show(self, rows: Sequence[Row]) -> None:
        elapsed = time.monotonic() - self._began
        if self._live:
            self._live.update(_table(rows, elapsed))
            return
        for row in rows:
            facts = {**row.stages, "sequencer": _word(row.sequencer), "run": row.state}
            for what, word in facts.items():
                if word and "%" not in word and self._told.get((row.title, what)) != word:
                    self._told[row.title, what] = word
                    self._console.print(Text(f"{elapsed:6.1f} s  {row.title:17} {what:16} {word}"))


def _word(progress: str) -> str:
    return "" if progress.startswith("cycle") else progress


def _table(rows: Sequence[Row], elapsed: float) -> Table:
    heads: list[Column | str] = [Column("run", no_wrap=True), "cycle", *STAGES.values(), "state"]
    table = Table(*heads, box=SIMPLE, padding=(0, 1, 0, 0), show_edge=False)
    table.title = f"{elapsed:.1f} s"
    for row in rows:
        cycle = row.sequencer.removeprefix("cycle ")
        words = [cycle, *(row.stages.get(stage, "") for stage in STAGES), row.state]
        table.add_row(Text(row.title), *(Text(word, style=_STYLES.get(word, "")) for word in words))
    return table
