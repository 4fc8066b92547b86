#!/usr/bin/env python3
"""A fake of umccrise: `umccrise BCBIO_FINAL_DIR -o OUT -jN`, of a finished tumour/normal pair."""

import re
import sys
from pathlib import Path

import yaml


def main(words: list[str]) -> None:
    if len(words) != 4 or words[1] != "-o" or not re.fullmatch(r"-j[1-9][0-9]*", words[3]):
        sys.exit(f"fake umccrise: unexpected arguments {words}")
    final, out = Path(words[0]), Path(words[2])
    summaries = list(final.glob("*/project-summary.yaml"))
    if len(summaries) != 1:
        sys.exit(f"fake umccrise: {final} is no final folder of bcbio")
    reads = yaml.safe_load(summaries[0].read_text())["reads"]
    if len(reads) != 2 or not all((final / name / f"{name}-ready.bam").is_file() for name in reads):
        sys.exit(f"fake umccrise: expected two samples, found {sorted(reads)}")
    out.mkdir(parents=True)
    (out / "pcgr.html").write_text(f"{sorted(reads)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
