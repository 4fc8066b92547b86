"""What the page takes for a command in a hint is one, of every hint that is in the source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from arteriole.cli import COMMANDS
from demo.machine import ROOT
from tests.test_runbook import wrong_command

SOURCE = ROOT / "services" / "arteriole" / "src" / "arteriole"
#: What these say is never part of a run.
ELSEWHERE = {"commands", "inspection", "simulator", "client.py"}
RUN = "200624_A00834_0183_BHMTFYDRXX"
#: What stands in a hint for what an expression comes to; for any other, the run.
VALUES = {
    "_next(run)": "convert", "first": "convert", "ignore": " --ignore missing-bcls",
    "job.stage": "check", "of": "--instrument A00834", "path": f"/data/{RUN}",
    "stage.code": "sheet.index_collision", "stage.stage": "check",
}  # fmt: skip
PROGRAM = re.compile(rf"\b(?:arteriole (?:{'|'.join(COMMANDS)})\b(?!\.)|rsync -a|st2 [a-z])")


def rule() -> re.Pattern[str]:
    """The page's own; its syntax is Python's too."""
    words = (SOURCE / "runfolder" / "page" / "words.js").read_text(encoding="utf-8")
    found = re.search(r"const COMMAND =\n  /(.+)/;\n", words)
    assert found is not None
    return re.compile(found[1], re.ASCII)


def texts(tree: ast.AST) -> Iterator[str]:
    """Of strings, what they say; expressions in them have a value, and so has `%s`."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            yield "".join(map(_part, node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.replace("--from %s", "--from check").replace("%s", RUN)


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.FormattedValue):
        return VALUES.get(ast.unparse(part.value), RUN)
    assert isinstance(part, ast.Constant)
    return str(part.value)


def hints() -> list[str]:
    paths: list[Path] = [*SOURCE.rglob("*.py"), *(ROOT / "packs").glob("*/actions/**/*.py")]
    ours = [path for path in sorted(paths) if not ELSEWHERE & {*path.relative_to(ROOT).parts}]
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in ours)
    return sorted({text for tree in trees for text in texts(tree) if PROGRAM.search(text)})


HINTS = hints()


@pytest.mark.parametrize("hint", HINTS)
def test_each_command_of_a_hint_is_found_whole(hint):
    parts = rule().split(hint)
    assert len(parts) > 1 and not [text for text in parts[::2] if PROGRAM.search(text)]
    for command in parts[1::2]:
        assert wrong_command(command, whole=True) == "", "the command line takes it"
        assert not re.search(r" --?$|[;,):]$", command)


def test_there_are_hints():
    assert len(HINTS) > 50
