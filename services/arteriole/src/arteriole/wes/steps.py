"""The steps of a unit: its inputs, then the commands of its pipeline, rendered."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from arteriole.jobs.executors.step import Step
from arteriole.wes import scripts
from arteriole.wes.settings import NextflowEntry, Pipeline, StepEntry
from arteriole.wes.templates import render, render_all
from arteriole.wes.units import SampleInput, Unit

#: The step that merges lanes and top-ups, in an emptied work folder; no pipeline's step may be
#: called so.
INPUTS = "inputs"
#: What it makes: name, number of reads, list of sources. NB: no list is called so.
WANTED = "wanted"
#: The metadata that the unit is of. It is there to count in the step's digest.
SAMPLES = "samples.json"
PARAMS = "params.json"


@dataclass(frozen=True)
class Places:
    """Where one attempt's analyses read and write, as their executor sees it."""

    data: PurePosixPath
    work: PurePosixPath  # .../<run>/attempt-<n>
    results: PurePosixPath  # .../<run>/attempt-<n>
    run: str
    attempt: int

    def of_unit(self, name: str) -> PurePosixPath:
        return self.work / name


class Unfolded:
    """The steps of `unit`; `prefix` begins their keys."""

    def __init__(self, unit: Unit, entry: Pipeline, places: Places, prefix: str) -> None:
        self._unit = unit
        self._entry = entry
        self._places = places
        self._prefix = prefix
        self._work = places.of_unit(unit.name)
        self._steps: list[Step] = []
        self.samples: list[str] = []  # of each step; empty for one of the whole group

    def steps(self) -> list[Step]:
        self._inputs()
        for step in self._entry.steps:
            members = self._unit.samples if step.for_each == "sample" else [None]
            for sample in members:
                self._command(step, sample)
        if self._entry.nextflow is not None:
            self._nextflow(self._entry.nextflow)
        return self._steps

    @property
    def results(self) -> str:
        """The folder with what is to be kept."""
        return render(self._entry.results, self._values())

    def _add(
        self,
        name: str,
        command: tuple[str, ...],
        cwd: str,
        files: dict[str, str],
        like: StepEntry | NextflowEntry | None,
        sample: str = "",
    ) -> None:
        self.samples.append(sample)
        self._steps.append(
            Step(
                key=self._key,
                home=str(self._work / ".steps"),
                number=len(self._steps),
                name=f"{name}.{sample}" if sample else name,
                cwd=str(self._work / cwd),
                command=command,
                files=files,
                cpus=1 if like is None else like.cpus,
                memory_gb=None if like is None else like.memory_gb,
                hours=24.0 if like is None else like.hours,
            )
        )

    @property
    def _key(self) -> str:
        """Of the next step."""
        return f"{self._prefix}-{len(self._steps)}"

    def _file(self, name: str) -> str:
        """The path of a file of the next step."""
        return str(self._work / ".steps" / self._key / "files" / name)

    def _inputs(self) -> None:
        """NB: one that takes the results of another has no FASTQs, but a work folder to empty."""
        samples = [sample.model_dump(exclude={"version"}) for sample in self._unit.samples]
        files = {SAMPLES: json.dumps(samples, indent=1)}
        wanted = []
        for sample in self._unit.samples if self._entry.after is None else []:
            for read in sorted(sample.reads):
                name = f"{sample.sample}_{read}.list"
                sources = (str(self._places.data / source.path) for source in sample.reads[read])
                files[name] = "".join(f"{source}\n" for source in sources)
                wanted.append(f"{sample.fastq(read)} {sample.count(read)} {name}\n")
        files[WANTED] = "".join(wanted)
        words = (str(self._work), self._key, self._file(WANTED))
        self._add(INPUTS, ("sh", "-c", scripts.INPUTS, "arteriole", *words), ".", files, None)

    def _command(self, step: StepEntry, sample: SampleInput | None) -> None:
        files = {}
        values = self._values(cpus=step.cpus)
        if sample is not None:
            values |= {"sample": sample.sample, **self._reads(sample)}
        if self._entry.table is not None:
            name = render(self._entry.table.name, values)
            values["table"] = self._file(name)
            files[name] = self._table()
        lists = {"fastqs": self._fastqs()}
        command = render_all(step.command, values, lists)
        cwd = render(step.cwd, values)
        self._add(step.name, command, cwd, files, step, "" if sample is None else sample.sample)

    def _nextflow(self, entry: NextflowEntry) -> None:
        values = self._values(cpus=entry.cpus)
        files = {}
        if self._entry.table is not None:
            name = render(self._entry.table.name, values)
            values["table"] = self._file(name)
            files[name] = self._table()
        params = {
            name: render(value, values) if isinstance(value, str) else value
            for name, value in entry.params.items()
        }
        files[PARAMS] = json.dumps(params, indent=1)
        command = [entry.program, "-log", str(self._work / "nextflow.log"), "run"]
        command += [render(entry.workflow, values), "-ansi-log", "false", "-resume"]
        command += ["-params-file", self._file(PARAMS), "-work-dir", str(self._work / "nextflow")]
        if entry.revision is not None:
            command += ["-revision", entry.revision]
        if entry.profile is not None:
            command += ["-profile", entry.profile]
        self._add("nextflow", tuple(command), ".", files, entry)

    def _values(self, cpus: int = 1) -> dict[str, str]:
        unit, places = self._unit, self._places
        build = unit.samples[0].genome_build
        return {
            **self._entry.genomes.get(build, {}),
            "attempt": str(places.attempt),
            "cpus": str(cpus),
            "group": unit.group,
            "input": str(places.results / unit.input) if unit.input else "",
            "key": self._key,
            "params": self._file(PARAMS),
            "pipeline": unit.pipeline,
            "run": places.run,
            "unit": unit.name,
            "version": unit.version,
            "work": str(self._work),
            "workflow": str(self._entry.workflow_file or ""),
        }

    def _reads(self, sample: SampleInput) -> dict[str, str]:
        folder = self._work / "fastq"
        paths = {name.lower(): str(folder / sample.fastq(name)) for name in sample.reads}
        return {"r1": "", "r2": "", **paths}

    def _fastqs(self) -> list[str]:
        folder = self._work / "fastq"
        return [
            str(folder / sample.fastq(read))
            for sample in self._unit.samples
            for read in sorted(sample.reads)
        ]

    def _table(self) -> str:
        assert self._entry.table is not None
        columns = self._entry.table.columns
        target = io.StringIO()
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(columns)
        for sample in self._unit.samples:
            row = self._row(sample)
            writer.writerow([render(cell, row) for cell in columns.values()])
        return target.getvalue()

    def _row(self, sample: SampleInput) -> Mapping[str, str]:
        return {
            "batch": sample.batch or sample.sample,
            "fastq": sample.sample,
            "genome_build": sample.genome_build,
            "group": self._unit.group,
            "phenotype": sample.phenotype,
            "project": sample.project,
            "sample": sample.sample,
            "subject": sample.subject,
            **self._reads(sample),
        }
