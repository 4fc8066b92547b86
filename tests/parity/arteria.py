"""Runs the integration tests of arteria-runfolder, unchanged, against a service of its own.

    make parity ARTERIA=/path/to/a/checkout/of/arteria-project/arteria-runfolder

They speak to `ARTERIA_RUNFOLDER_SVC_URL` and make folders below `ARTERIA_RUNFOLDER_MONITORED_DIR`;
readiness is Arteria's own. Nothing is written to the checkout. The exit code is 0 if all pass.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.environment import ARTERIA, python
from tests.landing import Landing

SUITE = "runfolder_tests/integration/rest_tests.py"


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.parity.arteria", description="Arteria's tests.")
    parser.add_argument("checkout", type=Path, help="a checkout of arteria-runfolder")
    checkout: Path = parser.parse_args().checkout.resolve()
    if not (checkout / SUITE).is_file():
        parser.error(f"there is no {SUITE} in {checkout}")
    interpreter = python("arteria", ARTERIA)
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        landing = Landing(Path(folder), readiness="marker", can_create_runfolder=True)
        landing.start()
        try:
            told = _run(interpreter, checkout, landing)
        finally:
            landing.kill()
    return _judged(told)


def _run(interpreter: Path, checkout: Path, landing: Landing) -> str:
    """What pytest says."""
    done = subprocess.run(
        [interpreter, "-m", "pytest", "-q", "-W", "ignore", "-p", "no:cacheprovider", SUITE],
        cwd=checkout,
        env={
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "1",
            "ARTERIA_RUNFOLDER_SVC_URL": landing.url,
            "ARTERIA_RUNFOLDER_MONITORED_DIR": str(landing.directory),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(done.stdout, end="")
    return done.stdout


def _judged(told: str) -> int:
    """0 if some passed and none failed."""
    failed = re.search(r"(\d+) (?:failed|error)", told)
    return 0 if re.search(r"(\d+) passed", told) and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
