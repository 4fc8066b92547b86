"""Many odd requests to every service, by a seed: see services/arteriole/tests/integration."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.chaos.check import Check, CheckError
from tests.chaos.measured import ROOT

_TESTS = "services/arteriole/tests/integration/odd_requests"


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The name of the check, with its size, and what was seen. Raises CheckError."""
    folder = check.folder / "odd_requests"
    folder.mkdir(parents=True, exist_ok=True)
    figures_file, log = folder / "figures.json", folder / "log"
    figures_file.unlink(missing_ok=True)
    with open(log, "wb") as output:
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", "storm", "--timeout=7200", _TESTS],
            cwd=ROOT,
            env={
                **os.environ,
                "ODD_REQUESTS": str(check.requests),
                "ODD_SEED": str(check.seed),
                "ODD_FIGURES": str(figures_file),
            },
            stdout=output,
            stderr=output,
            check=False,
        )
    if not figures_file.exists():
        raise CheckError(["it did not come to its end"], str(log))
    figures = json.loads(figures_file.read_text(encoding="utf-8"))
    if failures := figures.pop("failures"):
        raise CheckError(failures, str(log))
    return f"odd requests, {check.requests} an operation", figures
