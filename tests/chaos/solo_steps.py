"""The complete sweep of services/st2solo/tests/integration/test_each_step.py."""

import re
import subprocess
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, parse

from tests.chaos.check import Check, CheckError
from tests.solo import ROOT

_SWEEPS = 4
TITLE = "st2solo: killed before and after each persisted step in turn"


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The title of the check, and its figures.

    Raises:
        CheckError: after some kill the workflow does not end as it should.
    """
    suite, report = storm_tests(check, "steps", "tests/integration/test_each_step.py")
    told = {one.get("name"): one.get("value") for one in suite.iter("property")}
    steps = {name: int(value) for name, value in told.items() if re.fullmatch(r"kills_\w+", name)}
    if len(steps) != _SWEEPS:
        raise CheckError([f"expected {_SWEEPS} sweeps, found {steps}"], str(report))
    return TITLE, {**dict(sorted(steps.items())), "seconds": seconds_of(suite)}


def seconds_of(suite: Element) -> float:
    return round(sum(float(case.get("time", 0)) for case in suite.iter("testcase")), 1)


def storm_tests(check: Check, name: str, *paths: str) -> tuple[Element, Path]:
    """pytest's report on the tests of st2solo in these files that are marked as long.

    Raises:
        CheckError: one of them fails.
    """
    check.folder.mkdir(parents=True, exist_ok=True)
    report = check.folder / f"{name}.xml"
    words = ["-q", "-m", "storm", "-n", "2", *paths]
    words += [f"--junitxml={report}", "-o", "junit_family=xunit1"]
    done = subprocess.run(
        [ROOT / ".venv-st2solo" / "bin" / "python", "-m", "pytest", *words],
        cwd=ROOT / "services" / "st2solo",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CheckError([done.stdout[-3000:] + done.stderr[-1000:]], str(report))
    return parse(report).getroot(), report
