"""The section `wes` of arteriole.yaml: where analyses run, and the site's pipelines."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from arteriole.app.config import AbsolutePath, Section
from arteriole.jobs.executors import ExecutorSettings
from arteriole.jobs.executors.docker_settings import DockerSettings
from arteriole.jobs.ssh import Identifier, SpacedPath
from arteriole.wes.templates import TemplateError, names

#: What stands for a value in the commands of a step, and in those of a step of each sample.
OF_GROUP = frozenset(
    {"attempt", "cpus", "fastqs", "group", "input", "key", "params", "pipeline", "run", "table"}
    | {"unit", "version", "work", "workflow"}
)
OF_SAMPLE = OF_GROUP | {"sample", "r1", "r2"}
#: Not of a pipeline that takes the results of another: no FASTQs are merged for it.
OF_FASTQS = frozenset({"fastqs", "r1", "r2"})
#: And in the cells of a table.
OF_ROW = frozenset(
    {"batch", "fastq", "genome_build", "group", "phenotype", "project", "r1", "r2", "sample"}
    | {"subject"}
)


def _below(text: str) -> str:
    path = Path(text)
    if path.is_absolute() or ".." in path.parts or not text:
        raise ValueError(f"expected a path below the work folder, found {text!r}")
    return text


Below = Annotated[str, AfterValidator(_below)]


class StepEntry(Section):
    #: The step's name.
    name: Identifier
    #: Whether it runs once a group of samples, or once a sample of it.
    for_each: Literal["group", "sample"] = "group"
    #: A program and its arguments, in which `{name}` stands for a value
    #: ([analysis.md](analysis.md)).
    command: list[str] = Field(min_length=1, max_length=200)
    #: The folder in which it runs, below the work folder.
    cwd: Below = "."
    #: Cores that it is given.
    cpus: int = Field(default=1, ge=1, le=1024)
    #: GB that it is given; an executor of type `process` only counts them. Here (`process`,
    #: `docker`) 1 counts if it is left out.
    memory_gb: int | None = Field(default=None, ge=1, le=65536)
    #: Hours that it is given; an executor of type `process` does not end it after them.
    hours: float = Field(default=24.0, gt=0, le=24 * 60)


class TableEntry(Section):
    """A file of comma-separated values with a row for each sample of a group."""

    #: Its name, below the work folder.
    name: str = "samples.csv"
    #: The columns by their names, each with the text of its cells, in which `{name}` stands for a
    #: value.
    columns: dict[str, str] = Field(min_length=1, max_length=50)


class NextflowEntry(Section):
    """`nextflow run WORKFLOW`; `params` are its parameters, rendered like a command's words."""

    #: The workflow, as `nextflow run` takes it.
    workflow: str
    #: Its revision (`-revision`).
    revision: Identifier | None = None
    #: The profile (`-profile`).
    profile: str | None = None
    #: The workflow's parameters, in which `{name}` stands for a value.
    params: dict[str, str | int | bool] = Field(default_factory=dict)
    #: The program Nextflow.
    program: str = "nextflow"
    #: Cores that Nextflow itself is given.
    cpus: int = Field(default=1, ge=1, le=1024)
    #: GB that Nextflow itself is given, as of a step.
    memory_gb: int | None = Field(default=None, ge=1, le=65536)
    #: Hours that Nextflow itself is given, as of a step.
    hours: float = Field(default=72.0, gt=0, le=24 * 60)


class Pipeline(Section):
    """An entry of `wes.pipelines`. The engine `command` runs `steps`, one after the other."""

    #: Its version, which stands in records of analyses and in the names of their results.
    version: Identifier
    #: The executor that it runs on, by its name in `wes.executors`.
    executor: Identifier
    #: `command` runs `steps`, one after the other; `nextflow` runs what `nextflow` says.
    engine: Literal["command", "nextflow"] = "command"
    #: The steps of the engine `command`; required of it.
    steps: list[StepEntry] = Field(default_factory=list, max_length=50)
    #: What the engine `nextflow` runs; required of it.
    nextflow: NextflowEntry | None = None
    #: A file of comma-separated values with a row for each sample of a group.
    table: TableEntry | None = None
    #: The folder with what is to be kept, below the work folder.
    results: Below = "results"
    #: By the samples' genome build: more names for the commands, such as `reference`.
    genomes: dict[Identifier, dict[Identifier, str]] = Field(default_factory=dict)
    #: The pipeline whose results (`{input}`) it takes instead of FASTQs.
    after: Identifier | None = None
    #: A group lacking a sample with one of these phenotypes is not begun.
    needs: list[Literal["tumor", "normal"]] = Field(default_factory=list)
    #: How clients of GA4GH WES name its type; `COMMAND` or `NFL`, by its engine, if left out.
    workflow_type: Identifier | None = None
    #: The version of that type, which such clients are told.
    workflow_type_version: Identifier = "1.0"
    #: A file of the workflow, for `{workflow}`; what such a client attaches must equal it.
    workflow_file: SpacedPath | None = None

    @property
    def type(self) -> str:
        return self.workflow_type or {"command": "COMMAND", "nextflow": "NFL"}[self.engine]

    @property
    def words(self) -> list[tuple[str, frozenset[str]]]:
        """Every text with names in it, and the names that it may have."""
        genome = frozenset(name for values in self.genomes.values() for name in values)
        found = []
        for step in self.steps:
            known = OF_SAMPLE if step.for_each == "sample" else OF_GROUP
            found += [(word, known | genome) for word in (*step.command, step.cwd)]
        if self.nextflow is not None:
            given = [self.nextflow.workflow, *self.nextflow.params.values()]
            found += [(word, OF_GROUP | genome) for word in given if isinstance(word, str)]
        found.append((self.results, OF_GROUP))
        if self.table is not None:
            found.append((self.table.name, OF_GROUP))
            found += [(cell, OF_ROW) for cell in self.table.columns.values()]
        return found

    @model_validator(mode="after")
    def _of_its_engine(self) -> Self:
        if (self.engine == "command") != bool(self.steps):
            raise ValueError(f"expected steps for the engine command only; it is {self.engine}")
        if (self.engine == "nextflow") != (self.nextflow is not None):
            raise ValueError(f"expected nextflow for that engine only; it is {self.engine}")
        return self

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        for word, known in self.words:
            try:
                unknown = sorted(names(word) - known)
            except TemplateError as err:
                raise ValueError(str(err)) from err
            if unknown:
                raise ValueError(
                    f"{{{unknown[0]}}} in {word!r} is none of {', '.join(sorted(known))}"
                )
            used = names(word)
            for name, value in (
                ("table", self.table),
                ("workflow", self.workflow_file),
                ("input", self.after),
                *((one, None if self.after else True) for one in sorted(OF_FASTQS)),
                ("params", self.nextflow),
            ):
                if name in used and value is None:
                    raise ValueError(f"{{{name}}} in {word!r}: the pipeline has none")
        return self


class WesSettings(Section):
    #: Its port; 0 lets the kernel choose one.
    port: int = Field(default=8185, ge=0, le=65535)
    #: The folder in which the bcl2fastq service leaves attempts, `<fastq_root>/<run>/attempt-<n>`.
    fastq_root: AbsolutePath
    #: The same as the executors see them: the path of a transfer's destination. As `fastq_root` if
    #: it is left out.
    data_root: AbsolutePath | None = None
    #: The folder in which analyses work, as the executors see it.
    work_root: AbsolutePath
    #: The folder in which analyses leave their results, as the executors see it.
    results_root: AbsolutePath
    #: Where analyses run.
    executors: dict[Identifier, ExecutorSettings] = Field(min_length=1)
    #: The site's pipelines.
    pipelines: dict[Identifier, Pipeline] = Field(default_factory=dict)
    #: Jobs at once; each runs the analyses of one attempt beside each other.
    parallel: int = Field(default=4, ge=1, le=64)
    #: The program ssh.
    ssh: str = "ssh"
    #: Who offers the service, as clients of GA4GH WES are told.
    organization: str = "A sequencing centre"
    #: Its address on the web, as they are told.
    organization_url: str = "https://example.org"

    @model_validator(mode="after")
    def _data_is_mounted(self) -> Self:
        data = self.data_root or self.fastq_root
        for name, executor in self.executors.items():
            if isinstance(executor, DockerSettings) and not any(
                data.is_relative_to(path) for path in executor.mounts
            ):
                raise ValueError(f"executor {name}: expected {data} among its mounts")
        return self

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name, pipeline in self.pipelines.items():
            if pipeline.executor not in self.executors:
                raise ValueError(
                    f"pipeline {name}: expected an executor of {', '.join(self.executors)},"
                    f" found {pipeline.executor}"
                )
            if pipeline.after is not None and pipeline.after not in self.pipelines:
                raise ValueError(
                    f"pipeline {name}: expected a pipeline after `after`, found {pipeline.after}"
                )
        for name in self.pipelines:
            self._require_an_end(name)
        return self

    def _require_an_end(self, name: str) -> None:
        seen = [name]
        while (before := self.pipelines[seen[-1]].after) is not None:
            if before in seen:
                raise ValueError(
                    f"pipeline {name}: expected one that takes FASTQs at the end of `after`, found"
                    f" {' after '.join([*seen, before])}"
                )
            seen.append(before)
