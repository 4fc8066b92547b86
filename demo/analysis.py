"""The demo's analysis: what Debian's bwa, samtools and bcftools make of the planted variants."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from arteriole.simulator.plan import Sample
from demo.machine import ROOT, MachineError, find_tool

PIPELINE, VERSION = "variants", "1"
TOOLS = ("bwa", "samtools", "bcftools")
#: The whole chain of the pack umccr, of which the demo has no umccrise.
PLAN = ROOT / "packs" / "umccr" / "plans" / "with_analyses.yaml"


def named(samples: Iterable[Sample], letter: str) -> tuple[Sample, ...]:
    """The samples with other names, as two runs seldom have the same ones."""
    return tuple(
        replace(sample, id=f"{sample.id}-{letter}", name=f"{sample.name}-{letter}")
        for sample in samples
    )


def metadata(samples: Iterable[Sample], genome_build: str) -> str:
    """The CSV that a laboratory would drop."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["sample", "project", "use", "genome_build", "pipeline"])
    for sample in samples:
        writer.writerow([sample.id, sample.project, "research", genome_build, PIPELINE])
    return target.getvalue()


def plan() -> dict[str, Any]:
    """The stages of a run in the demo."""
    stages: dict[str, Any] = yaml.safe_load(PLAN.read_text())["plan"]["stages"]
    del stages["umccrise"]
    stages["checksum_results"]["after"] = ["analyse"]
    return {"stages": stages}


def pipeline(references: Mapping[str, Path]) -> dict[str, Any]:
    """An entry of `wes.pipelines`; `references` are FASTA files by genome build.

    Raises:
        MachineError: a tool is missing.
    """
    bwa, samtools, bcftools = map(_tool, TOOLS)
    reference, kept = "{work}/reference.fa", "{work}/results/{sample}"
    group = "@RG\\tID:{sample}\\tSM:{sample}"
    commands: dict[str, list[str]] = {
        "folder": ["mkdir", "-p", "{work}/results"],
        "reference": ["cp", "{reference}", reference],
        "index": [bwa, "index", reference],
        "align": [bwa, "mem", "-R", group, "-o", "{work}/{sample}.sam", reference, "{r1}", "{r2}"],
        "sort": [samtools, "sort", "-o", f"{kept}.bam", "{work}/{sample}.sam"],
        "bai": [samtools, "index", f"{kept}.bam"],
        "pileup": [bcftools, "mpileup", "-f", reference, "-O", "b", "-o", "{work}/{sample}.bcf",
                   f"{kept}.bam"],
        "call": [bcftools, "call", "-mv", "--ploidy", "1", "-o", f"{kept}.vcf",
                 "{work}/{sample}.bcf"],
    }  # fmt: skip
    return {
        "version": VERSION,
        "executor": "here",
        "genomes": {build: {"reference": str(path)} for build, path in references.items()},
        "steps": [
            {
                "name": name,
                "for_each": "sample" if any("{sample}" in word for word in command) else "group",
                "command": command,
            }
            for name, command in commands.items()
        ],
    }


def _tool(name: str) -> str:
    found = find_tool(name)
    if found is None:
        raise MachineError(
            f"not found on PATH: {name}. Install it (on Debian: sudo apt-get install {name})"
        )
    return found


def unit(sample_id: str) -> str:
    """The folder of a sample's results."""
    return f"{PIPELINE}-{VERSION}.{sample_id}"
