"""Runs StackStorm's own Orquesta suite, unchanged, against an st2solo of its own.

    make parity ST2=/path/to/a/checkout/of/StackStorm/st2

The suite (st2tests/integration/orquesta) talks to `ST2_API_URL` through st2client; the packs
`core` and `examples` are those of the checkout. Nothing is written there. Its exit code is 0 if
nothing fails but what fails on StackStorm itself, too.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.environment import python
from tests.solo import Solo

SUITE = "st2tests/integration/orquesta"
#: What the suite imports besides StackStorm's constants.
NEEDS = ("st2client==3.9.0", "setuptools<81", "pytest", "retrying", "eventlet", "six")
#: The address that one of the tests expects.
API_PORT = 9101
#: What failed on StackStorm itself, and why.
FAIL_THERE_TOO = {
    "test_config_context_renders": "its pack of fixtures is not among the packs",
    "test_st2_runtime_context": "it expects a fixed address of the API",
    "test_pause_and_resume_cascade_to_subworkflows": "a race in the test",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.parity", description="The Orquesta suite.")
    parser.add_argument("checkout", type=Path, help="a checkout of StackStorm/st2")
    parser.add_argument("pytest", nargs="*", help="what is passed on to pytest, after --")
    chosen = parser.parse_args()
    checkout: Path = chosen.checkout.resolve()
    if not (checkout / SUITE).is_dir():
        parser.error(f"there is no {SUITE} in {checkout}")
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        solo = Solo(Path(folder))
        solo.packs.mkdir()
        for pack in ("core", "examples"):
            (solo.packs / pack).symlink_to(checkout / "contrib" / pack)
        solo.lay_out(api_port=API_PORT)
        solo.start()
        try:
            return _judged(_run(checkout, _environment(solo, checkout), chosen.pytest))
        finally:
            solo.end()


def _environment(solo: Solo, checkout: Path) -> dict[str, str]:
    """What the suite needs to be found and to reach st2solo."""
    return {
        **os.environ,
        "PYTHONPATH": f"{checkout}/st2tests:{checkout}/st2common",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ST2_API_URL": solo.api,
        "ST2_AUTH_TOKEN": solo.token,
        "ST2_CI_RUN_ORQUESTA_PAUSE_RESUME_TESTS": "true",
    }


def _run(checkout: Path, environment: dict[str, str], more: list[str]) -> str:
    """What pytest says, shown as it comes."""
    command = [
        str(python("parity", NEEDS)),
        "-m",
        "pytest",
        "-q",
        "-W",
        "ignore",
        "-p",
        "no:cacheprovider",
    ]
    process = subprocess.Popen(
        [*command, "--tb=short", "integration/orquesta", *more],
        cwd=checkout / "st2tests",
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    with process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return "".join(lines)


def _judged(told: str) -> int:
    """0 if nothing failed but what fails on StackStorm too, and something passed."""
    failed = re.findall(r"^(?:FAILED|ERROR) \S*?(\w+)(?: - .*)?$", told, re.MULTILINE)
    passed = re.search(r"(\d+) passed", told)
    ours = sorted(set(failed) - set(FAIL_THERE_TOO))
    for name in sorted(set(failed) & set(FAIL_THERE_TOO)):
        print(f"{name} fails on StackStorm, too: {FAIL_THERE_TOO[name]}")
    for name in ours:
        print(f"{name} fails on st2solo only")
    return 0 if passed and not ours else 1


sys.exit(main())
