"""Registers packs of StackStorm Exchange in an st2solo, and runs their own tests under it.

    make parity EXCHANGE="/path/to/stackstorm-csv /path/to/stackstorm-networking_utils"

Nothing is written into the checkouts. What the packs require comes from a package registry; their
environments are kept in .venv-exchange. The exit code is 0 if all register and all tests pass.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.environment import ROOT
from tests.solo import COMMAND

_ENVIRONMENT = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.parity.exchange", description="Packs of others.")
    parser.add_argument("packs", type=Path, nargs="+", help="checkouts of packs")
    packs: list[Path] = [pack.resolve() for pack in parser.parse_args().packs]
    for pack in packs:
        if not (pack / "tests").is_dir():
            parser.error(f"there is no pack with tests in {pack}")
    failed = [] if _registered(packs) else ["the registration"]
    failed += [f"{pack.name}'s tests" for pack in packs if not _tested(pack)]
    print(f"failed: {', '.join(failed)}" if failed else f"{len(packs)} packs: all passed")
    return 1 if failed else 0


def _registered(packs: list[Path]) -> bool:
    """Whether all files of all packs are taken, and their Python environments can be made."""
    with tempfile.TemporaryDirectory(prefix="exchange-") as folder:
        config = {"packs": [str(pack) for pack in packs], "state": "state"}
        (Path(folder) / "st2solo.yaml").write_text(yaml.safe_dump(config))
        return _run("register", folder=Path(folder))


def _tested(pack: Path) -> bool:
    print(f"== {pack.name}", flush=True)
    environments = ROOT / ".venv-exchange"
    words = ["test", str(pack), "--environments", str(environments)]
    return _run(*words, "--", "-q", "-p", "no:cacheprovider", folder=ROOT)


def _run(*arguments: str, folder: Path) -> bool:
    command = [str(COMMAND), *arguments]
    return subprocess.run(command, cwd=folder, env=_ENVIRONMENT, check=False).returncode == 0


sys.exit(main())
