"""docs/runbook has one page for each code that reaches a person, and no other."""

import ast
import re
import shlex
from collections import Counter
from pathlib import Path

import click
import pytest

from arteriole.cli import main
from demo.machine import ROOT

RUNBOOK = ROOT / "docs" / "runbook"
SOURCES = (ROOT / "services" / "arteriole" / "src" / "arteriole", ROOT / "packs")

#: A code is one word, a dot, words joined by underscores.
CODE = re.compile(r"[a-z][a-z0-9]*\.[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
SECTIONS = [
    "Is the data safe?",
    "How urgent?",
    "What to do",
    "How to see that it is mended",
    "What it usually comes from",
]
URGENCIES = {"can wait", "result late", "instrument at risk"}

#: Codes that are put together while it runs: the file, how the text begins, what comes of it.
COMPOSED = {
    # what the FASTQs of others may hold
    ("remarks.py", "others."): {"others.empty", "others.unreadable"},
    # the states of a job that fail its stage, for a job that told no code
    ("arteria_jobs.py", "job."): {"job.error", "job.cancelled"},
}

#: Texts of the form of a code that are none, by their end or their beginning ...
FILES = re.compile(
    r".*[.](json|md5|blake3|sqlite|token|gz|bgzf|locs|fa|yaml|txt|log|csv|xml|bin|sh|html)"
)
TRIGGERS = "arteria."
#: ... or as a whole.
NO_CODES = {
    "bcl2fastq.parts": "names a folder of an attempt",
    "plan.stages": "names a field of a request",
    "arteriole.wes": "names the service to clients of GA4GH",
    "org.ga4gh": "as GA4GH names itself",
    "memory.max": "a file of control groups",
    "memory.limit_in_bytes": "a file of control groups, of version 1",
}
#: Codes that look like files.
NO_FILES = {"auth.token", "clean.bin", "request.json"}


def _trees():
    for source in SOURCES:
        for path in sorted(source.rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _is_code(text: str) -> bool:
    if text in NO_FILES:
        return True
    other = FILES.fullmatch(text) or text.startswith(TRIGGERS) or text in NO_CODES
    return CODE.fullmatch(text) is not None and not other


def _written() -> dict[str, str]:
    """Every code that stands in the source, and a file in which it does."""
    return {
        node.value: path.name
        for path, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_code(node.value)
    }


def _beginnings(tree: ast.AST) -> list[str]:
    """How texts begin that are put together of a constant with a dot and something else."""
    found = []
    for node in ast.walk(tree):
        first: ast.expr | None = None
        if isinstance(node, ast.JoinedStr):
            first = node.values[0] if len(node.values) > 1 else None
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            first = node.left
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            found.append(first.value)
    return [text for text in found if re.fullmatch(r"[a-z][a-z0-9]*\.[a-z0-9_]*", text)]


CODES = {**_written(), **{code: at[0] for at, codes in COMPOSED.items() for code in codes}}
PAGES = sorted(path.stem for path in RUNBOOK.glob("*.md") if path.name != "README.md")


def test_every_code_has_a_page_and_every_page_a_code():
    missing = {code: CODES[code] for code in CODES.keys() - set(PAGES)}
    assert len(CODES) > 130
    assert not missing, f"write docs/runbook/<code>.md for (or add to NO_CODES): {missing}"
    assert not set(PAGES) - CODES.keys(), "pages of codes that nothing raises"


def test_codes_that_are_composed_are_known():
    found = {
        (path.name, text)
        for path, tree in _trees()
        for text in _beginnings(tree)
        if not text.startswith(TRIGGERS)
    }
    assert found == set(COMPOSED)


def _page(code: str) -> tuple[str, dict[str, str]]:
    """The text below the title, and the sections by their headings."""
    text = (RUNBOOK / f"{code}.md").read_text(encoding="utf-8")
    title, _, rest = text.partition("\n")
    assert title == f"# {code}"
    meaning, *sections = re.split(r"\n## ", rest)
    return meaning.strip(), dict(s.split("\n", 1) for s in sections)


@pytest.mark.parametrize("code", PAGES)
def test_a_page_has_its_form(code):
    meaning, sections = _page(code)
    assert len(meaning) > 40
    assert list(sections) == SECTIONS
    assert sections["Is the data safe?"].startswith(("Yes", "No", "Unknown"))
    assert sections["How urgent?"].strip().lower() in URGENCIES
    deeds = sections["What to do"].strip().split("\n")
    assert [deed.split(". ")[0] for deed in deeds] == [str(n + 1) for n in range(len(deeds))]
    assert any("`" in deed for deed in deeds) or len(deeds[0]) > 30
    assert all(len(text.strip()) > 7 for text in sections.values())


def _commands(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def _parse(command: click.Command, words: list[str]) -> None:
    """As the command line would; click.UsageError if a command, option or value does not exist."""
    context = command.make_context(command.name, words)
    if isinstance(command, click.Group):
        name, found, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert found is not None, name
        _parse(found, rest)


def wrong_command(command: str, whole: bool = False) -> str:
    """What is wrong with `command`, if it is one of ours; else nothing. Only where it is to be
    `whole` it is wrong to lack what has to be given.
    """
    if not re.match(r"arteriole \S|st2 run ", command):
        return ""
    words = shlex.split(command)
    if words[0] == "st2":
        pack, _, action = words[2].partition(".")
        there = (ROOT / "packs" / pack / "actions" / f"{action}.yaml").is_file()
        return "" if there else f"{command}: no such action"
    try:
        _parse(main, words[1:])
    except click.exceptions.Exit:  # --help and the like have been answered
        return ""
    except click.ClickException as err:
        lacking = click.exceptions.MissingParameter | click.exceptions.NoArgsIsHelpError
        return (
            "" if isinstance(err, lacking) and not whole else f"{command}: {err.format_message()}"
        )
    return ""


@pytest.mark.parametrize("code", [*PAGES, "README"])
def test_commands_of_a_page_exist(code):
    text = (RUNBOOK / f"{code}.md").read_text(encoding="utf-8")
    assert [wrong for command in _commands(text) if (wrong := wrong_command(command))] == []


def test_no_page_is_a_copy_of_another():
    meanings = Counter(_page(code)[0] for code in PAGES)
    causes = Counter((_page(code)[1]["What to do"], _page(code)[1][SECTIONS[-1]]) for code in PAGES)
    assert [text for text, count in (*meanings.items(), *causes.items()) if count > 1] == []


def test_the_index_lists_each_page_once_below_its_first_word():
    listed = []
    word = ""
    for line in (RUNBOOK / "README.md").read_text(encoding="utf-8").splitlines():
        word = line.removeprefix("## ") if line.startswith("## ") else word
        found = re.match(r"- \[(\S+)\]\((\S+)\.md\): ", line)
        if found:
            assert found[1] == found[2] and found[1].split(".")[0] == word
            listed.append(found[1])
    assert listed == PAGES


@pytest.mark.parametrize("path", sorted(RUNBOOK.glob("*.md")), ids=lambda path: Path(path).stem)
def test_no_page_is_long(path):
    assert len(path.read_text(encoding="utf-8")) < (70_000 if path.stem == "README" else 3_000)
