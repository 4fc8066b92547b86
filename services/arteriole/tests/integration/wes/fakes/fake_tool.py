#!/usr/bin/env python3
"""A fake of a tool that takes long: it tells its starts and waits for the file `HOME/go.GROUP`."""

import os
import sys
import time
from pathlib import Path


def main(home: Path, group: str) -> None:
    with open(home / f"starts.{group}", "a") as file:
        file.write(f"{os.environ.get('SLURM_JOB_ID', '-')}\n")
    while not (home / f"go.{group}").exists():
        time.sleep(0.05)
    Path("results").mkdir(exist_ok=True)
    Path("results", "out").write_text("went\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
