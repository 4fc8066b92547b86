#!/usr/bin/env python3
"""A fake of bcbio_nextgen.py: it refuses what bcbio would, and submits jobs to Slurm as it does.

`-w template TEMPLATE.yaml PROJECT.csv FASTQ...` makes PROJECT/config and PROJECT/work;
`../config/PROJECT.yaml -n N -t ipython -s slurm -q QUEUE -r ... --tag TAG`, in PROJECT/work,
submits a controller TAG-c and an array of engines TAG-e[1-2] and leaves PROJECT/final. The key
`fake` of the template says what goes wrong: `fail`, or `hang`.
"""

import argparse
import csv
import gzip
import re
import subprocess
import sys
import time
from pathlib import Path

import yaml

COLUMNS = {"samplename", "description", "batch", "phenotype", "sex", "variant_regions"}
FASTQ = re.compile(r"(.+)_R([12])_001\.fastq\.gz")


def refuse(text: str) -> None:
    print(f"fake bcbio: {text}", file=sys.stderr)
    sys.exit(2)


def template(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-w", dest="workflow", choices=["template"], required=True)
    parser.add_argument("template", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    recipe = yaml.safe_load(options.template.read_text())
    if not recipe.get("details") or "upload" not in recipe:
        refuse("the template has no details or no upload")
    with open(options.table, newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not set(rows[0]) <= COLUMNS or not {"samplename", "description"} <= set(rows[0]):
        refuse(f"unexpected columns {list(rows[0]) if rows else rows}")
    reads: dict[str, dict[str, Path]] = {}
    for path in options.files:
        found = FASTQ.fullmatch(path.name)
        if found is None or not path.is_file():
            refuse(f"{path} is no FASTQ")
        else:
            reads.setdefault(found[1], {})[found[2]] = path
    if {row["samplename"] for row in rows} != set(reads):
        refuse(f"the table names {[row['samplename'] for row in rows]}, the files {sorted(reads)}")
    phenotypes = [row["phenotype"] for row in rows if row.get("phenotype")]
    if not set(phenotypes) <= {"tumor", "normal"} or len(set(phenotypes)) != len(phenotypes):
        refuse(f"unexpected phenotypes {phenotypes}")
    details = [
        {
            "description": row["description"],
            "files": [
                str(reads[row["samplename"]][n].resolve()) for n in sorted(reads[row["samplename"]])
            ],
            "metadata": {"batch": row.get("batch"), "phenotype": row.get("phenotype")},
        }
        for row in rows
    ]
    project = Path(options.table.stem)
    for name in ("config", "work"):
        (project / name).mkdir(parents=True, exist_ok=True)
    config = {"details": details, "upload": recipe["upload"], "fake": recipe.get("fake", "")}
    (project / "config" / f"{project.name}.yaml").write_text(yaml.safe_dump(config))


def analyse(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("-n", type=int, required=True)
    parser.add_argument("-t", choices=["local", "ipython"], required=True)
    parser.add_argument("-s", choices=["slurm"], required=True)
    parser.add_argument("-q", required=True)
    parser.add_argument("-r", action="append", default=[])
    parser.add_argument("--timeout", type=int, default=15)
    parser.add_argument("--tag", required=True)
    options = parser.parse_args(arguments)
    project = Path.cwd().parent
    if Path.cwd().name != "work" or options.config != Path(f"../config/{project.name}.yaml"):
        refuse(f"it is to be run in PROJECT/work, not in {Path.cwd()}")
    if any(not re.fullmatch(r"[a-z]+=\S+", resource) for resource in options.r):
        refuse(f"unexpected resources {options.r}")
    config = yaml.safe_load(options.config.read_text())
    submit(options.q, f"{options.tag}-c")
    submit(options.q, f"{options.tag}-e[1-2]", "--array=1-2")
    try:
        while config["fake"] == "hang":
            time.sleep(0.1)
        if config["fake"] == "fail":
            print(
                "fake bcbio: Traceback",
                "fake bcbio: the aligner ran out of index",
                file=sys.stderr,
                sep="\n",
            )
            sys.exit(3)
        results(project, config)
    finally:
        names = f"{options.tag}-c,{options.tag}-e[1-2]"
        found = subprocess.run(
            ["squeue", "--noheader", "--format=%F", f"--name={names}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        subprocess.run(["scancel", *set(found)], check=True)


def submit(queue: str, name: str, *more: str) -> None:
    subprocess.run(
        [
            "sbatch",
            f"--partition={queue}",
            f"--job-name={name}",
            "--output=/dev/null",
            *more,
            "--wrap=sleep 600",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def results(project: Path, config: dict[str, object]) -> None:
    final = (Path.cwd() / str(config["upload"]["dir"])).resolve()  # type: ignore[index]
    summary = final / f"2026-01-01_{project.name}"
    summary.mkdir(parents=True, exist_ok=True)
    counts = {}
    for sample in config["details"]:  # type: ignore[attr-defined]
        name = sample["description"]
        (final / name).mkdir(exist_ok=True)
        counts[name] = [count(path) for path in sample["files"]]
        (final / name / f"{name}-ready.bam").write_text(f"{counts[name]}\n")
    (summary / "project-summary.yaml").write_text(yaml.safe_dump({"reads": counts}))


def count(path: str) -> int:
    with gzip.open(path) as file:
        return sum(1 for _ in file) // 4


if __name__ == "__main__":
    words = sys.argv[1:]
    template(words) if "-w" in words else analyse(words)
