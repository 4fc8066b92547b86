"""A run folder of 20,000 files through the chain, under kills: see services/arteriole/tests."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

from tests.chaos.check import Check, CheckError
from tests.chaos.measured import ROOT

_TEST = "services/arteriole/tests/integration/archive/test_hash_chain.py"


def run(check: Check) -> tuple[str, dict[str, Any]]:
    """The name of the check, with its size, and its figures. Raises CheckError."""
    folder = check.folder / "hash_chain"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    figures_file, log = folder / "figures.json", folder / "log"
    command = [sys.executable, "-m", "pytest", "-q", "-m", "storm", "--timeout=7200"]
    with open(log, "wb") as output:
        subprocess.run(
            [*command, f"--basetemp={folder / 'work'}", _TEST],
            cwd=ROOT,
            env={
                **os.environ,
                "CHAIN_FILES": str(check.files),
                "CHAIN_SEED": str(check.seed),
                "CHAIN_FIGURES": str(figures_file),
            },
            stdout=output,
            stderr=output,
            check=False,
        )
    if not figures_file.exists():
        raise CheckError([log.read_text(errors="replace")[-2000:]], str(log))
    figures = json.loads(figures_file.read_text(encoding="utf-8"))
    shutil.rmtree(folder / "work")
    return f"hash chain, {check.files:,} files from the run folder to the archive and back", figures
