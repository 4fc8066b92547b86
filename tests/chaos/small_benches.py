"""The bench on little data, so that each of its rows is known to be measured."""

import subprocess
import sys
from typing import Any
from xml.etree.ElementTree import parse

from tests.chaos.check import Check, CheckError
from tests.chaos.measured import ROOT
from tests.chaos.solo_steps import seconds_of


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The title of the check, and its figures.

    Raises:
        CheckError: a group of rows is not measured as it should be.
    """
    check.folder.mkdir(parents=True, exist_ok=True)
    report = check.folder / "benches.xml"
    words = ["-q", "-m", "storm", f"--junitxml={report}", "-o", "junit_family=xunit1"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "tests/bench"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CheckError([done.stdout[-3000:] + done.stderr[-1000:]], str(report))
    suite = parse(report).getroot()
    groups = sum(1 for _ in suite.iter("testcase"))
    return "the bench on little data", {"groups": groups, "seconds": seconds_of(suite)}
