"""The complete sweep of services/st2solo/tests/integration/test_each_step.py."""

import re
import subprocess
from typing import Any
from xml.etree.ElementTree import parse

from tests.chaos.check import Check, CheckError
from tests.solo import ROOT

_SWEEPS = 2
TITLE = "st2solo: killed before and after each persisted step in turn"


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The title of the check, and its figures.

    Raises:
        CheckError: after some kill the workflow does not end as it should.
    """
    check.folder.mkdir(parents=True, exist_ok=True)
    report = check.folder / "steps.xml"
    words = ["-q", "-m", "storm", "-n", "2", "tests/integration/test_each_step.py"]
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
    suite = parse(report).getroot()
    told = {one.get("name"): one.get("value") for one in suite.iter("property")}
    seconds = sum(float(case.get("time", 0)) for case in suite.iter("testcase"))
    steps = {name: int(value) for name, value in told.items() if re.fullmatch(r"kills_\w+", name)}
    if len(steps) != _SWEEPS:
        raise CheckError([f"expected {_SWEEPS} sweeps, found {steps}"], str(report))
    return TITLE, {**dict(sorted(steps.items())), "seconds": round(seconds, 1)}
