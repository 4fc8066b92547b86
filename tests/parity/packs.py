"""Runs `st2solo check` over StackStorm's own packs: it finds what is wrong there, and only that.

    make parity ST2=/path/to/a/checkout/of/StackStorm/st2

StackStorm registers and runs these packs, so they are good but for what its tests want to fail and
what nobody has seen yet. Nothing is written to the checkout. The exit code is 0 if just that is
found.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.solo import COMMAND

PACKS = ("core", "chatops", "debug", "default", "examples", "hello_st2", "linux", "packs")
FIXTURES = "st2tests/st2tests/fixtures/packs/orquesta_tests"

_WORKFLOWS = "orquesta_tests/actions/workflows"
_TESTS = "examples/actions/workflows/tests"
_CHAINS = "examples/actions/chains"
#: What is wrong: made so on purpose, except for the first.
WRONG = Counter(
    {
        # It names the action by its file and not by its name, python_runner_load_and_print_fixture.
        ("examples/actions/workflows/orquesta-data-flow-large-data.yaml", "action.unknown"): 1,
        (f"{_CHAINS}/echochain_task_failure.yaml", "chain.unknown_task"): 1,
        (f"{_CHAINS}/echochain_top_level_failure.yaml", "chain.unknown_task"): 1,
        (f"{_CHAINS}/echochain_top_level_failure.yaml", "action.unknown"): 1,
        (f"{_TESTS}/orquesta-fail-inspection.yaml", "workflow.variable"): 1,
        (f"{_TESTS}/orquesta-fail-inspection.yaml", "workflow.syntax"): 1,
        (f"{_TESTS}/orquesta-fail-inspection.yaml", "template.syntax"): 1,
        (f"{_TESTS}/orquesta-fail-inspection-task-contents.yaml", "action.unknown"): 2,
        (f"{_TESTS}/orquesta-fail-inspection-task-contents.yaml", "parameter.missing"): 1,
        (f"{_TESTS}/orquesta-fail-inspection-task-contents.yaml", "parameter.unknown"): 1,
        (f"{_WORKFLOWS}/fail-inspection.yaml", "workflow.variable"): 1,
        (f"{_WORKFLOWS}/fail-inspection.yaml", "workflow.syntax"): 1,
        (f"{_WORKFLOWS}/fail-inspection.yaml", "template.syntax"): 1,
        (f"{_WORKFLOWS}/fail-task-publish.yaml", "template.name"): 1,
        (f"{_WORKFLOWS}/fail-inspection-action-db.yaml", "action.unknown"): 1,
        (f"{_WORKFLOWS}/fail-inspection-action-ref.yaml", "action.unknown"): 1,
        (
            f"{_WORKFLOWS}/fail-inspection-missing-required-action-param.yaml",
            "parameter.missing",
        ): 1,
        (f"{_WORKFLOWS}/fail-inspection-unexpected-action-param.yaml", "parameter.missing"): 1,
        (f"{_WORKFLOWS}/fail-inspection-unexpected-action-param.yaml", "parameter.unknown"): 1,
    }
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.parity.packs", description="StackStorm's packs.")
    parser.add_argument("checkout", type=Path, help="a checkout of StackStorm/st2")
    checkout: Path = parser.parse_args().checkout.resolve()
    folders = [*(checkout / "contrib" / pack for pack in PACKS), checkout / FIXTURES]
    for folder in folders:
        if not (folder / "pack.yaml").is_file():
            parser.error(f"there is no pack in {folder}")
    found = _found(folders)
    for (file, code), times in sorted((found - WRONG).items()):
        print(f"{file}: {code}, {times} more than StackStorm's packs have")
    for (file, code), times in sorted((WRONG - found).items()):
        print(f"{file}: {code} is not found, {times} times")
    print(f"{len(folders)} packs, {found.total()} errors, {WRONG.total()} expected")
    return 0 if found == WRONG else 1


def _found(folders: list[Path]) -> Counter[tuple[str, str]]:
    """How often there is an error of each code in each file."""
    done = subprocess.run(
        [COMMAND, "check", "--json", *folders], stdout=subprocess.PIPE, text=True, check=False
    )
    return Counter(
        ("/".join((folder.name, *Path(one["file"]).relative_to(folder).parts)), one["code"])
        for one in json.loads(done.stdout)["findings"]
        for folder in folders
        if one["grade"] == "wrong" and Path(one["file"]).is_relative_to(folder)
    )


if __name__ == "__main__":
    sys.exit(main())
