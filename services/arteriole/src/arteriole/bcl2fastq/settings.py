"""The section `bcl2fastq` of arteriole.yaml."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from arteriole.app.config import AbsolutePath, Section
from arteriole.app.name_pattern import Pattern
from arteriole.bcl2fastq import arguments
from arteriole.bcl2fastq.cluster_settings import ClusterSettings
from arteriole.bcl2fastq.converters import ConversionError
from arteriole.bcl2fastq.pin_settings import TOOLS, ConverterName, ProjectPin
from arteriole.bcl2fastq.qc.settings import QcSettings
from arteriole.bcl2fastq.sheet_rules import SheetRules
from arteriole.bcl2fastq.tool_settings import BclConvertToolSettings, ToolSettings
from arteriole.illumina import index_sets
from arteriole.illumina.index_sets import IndexSetError
from arteriole.jobs.needs import NOTHING, Needs

Mismatches = Annotated[int, Field(ge=0, le=2)]
Word = Annotated[str, Field(min_length=1, max_length=400)]


_HAVE_A_KEY = {"barcode-mismatches": "barcode_mismatches", "with-failed-reads": "include_non_pf"}


class Bcl2fastqSettings(Section):
    #: Its port; 0 lets the kernel choose one.
    port: int = Field(default=8181, ge=0, le=65535)
    #: Folders in which run folders lie: the monitored directories of the runfolder service.
    run_roots: list[AbsolutePath] = Field(min_length=1)
    #: The folder for FASTQs; each attempt is a folder `<fastq_root>/<run>/attempt-<n>`.
    fastq_root: AbsolutePath
    #: Which converter works; there is no default, so that nobody converts with one unawares.
    converter: ConverterName
    #: Which projects ask for a converter and its version; the first row that fits a project
    #: counts. A run whose projects ask for what is not configured, or for different ones, is not
    #: converted.
    projects: list[ProjectPin] = Field(default=[], max_length=1000)
    #: The program that the converter `bcl2fastq` runs, which is nothing without it.
    bcl2fastq_tool: ToolSettings | None = None
    #: The program that the converter `bclconvert` runs, which is nothing without it.
    bclconvert_tool: BclConvertToolSettings | None = None
    #: How index2 is written in sheets ([index-orientation.md](index-orientation.md)); else it
    #: follows from a sheet's version and the converter.
    index2: Literal["forward", "as-read"] | None = None
    #: CSV files of 10x Genomics with the index sets that sheets may name.
    index_sets: list[AbsolutePath] = Field(default=[], max_length=100)
    #: Mismatches allowed in i7 and in i5.
    barcode_mismatches: tuple[Mismatches, Mismatches] = (1, 1)
    #: FASTQs also have the reads that did not pass the filter; with `builtin` and `picard` only.
    include_non_pf: bool = False
    #: Runs are converted without trimming although their sheets name adapters; `bcl2fastq` does
    #: not heed it, `ingest` refuses it.
    ignore_adapters: bool = False
    #: Runs are converted although indexes of a lane lie so near to each other that a read may be
    #: within reach of several; it goes to the nearest sample, and to none where two are as near.
    #: With `builtin` and `picard` only.
    allow_index_collisions: bool = False
    #: Samples without a single read on a lane of theirs are accepted; else the conversion fails.
    allow_empty_samples: bool = False
    #: What the site asks of sheets beyond what a conversion needs.
    sheet_rules: SheetRules = SheetRules()
    #: The drop folder in which the runfolder service looks sheets up: people hand them in there.
    sheet_folder: AbsolutePath | None = None
    #: Options of bcl2fastq as words ([conversion.md](conversion.md)); those of a request come
    #: after them.
    additional_args: list[Word] = Field(default=[], max_length=100)
    #: Of which projects two people accept a proposed sheet, by patterns of whole names; `true`: of
    #: all.
    second_person: list[Pattern] | bool = False
    #: The Slurm of which conversions are jobs; without it they are processes here. A job is given
    #: `threads` cores.
    executor: ClusterSettings | None = None
    #: Threads of a conversion, and the cores that it is given.
    threads: int = Field(default=2, ge=1, le=256)
    #: GB that a conversion here needs; else its container's limit, or 1.
    memory_gb: int | None = Field(default=None, ge=1, le=65536)
    #: Conversions at once; what needs little, as QC and the comparison of indexes, is counted
    #: apart.
    parallel: int = Field(default=1, ge=1, le=64)
    #: By what a stage `qc` judges attempts, and what follows.
    qc: QcSettings = QcSettings()

    def tool_of(self, converter: str) -> ToolSettings | None:
        """What a converter runs; None if it runs nothing."""
        tools = {"bcl2fastq": self.bcl2fastq_tool, "bclconvert": self.bclconvert_tool}
        return tools.get(converter)

    @property
    def versions(self) -> dict[str, str | None]:
        """The converters that are named and configured, each with the version of its tool."""
        found: dict[str, str | None] = {}
        for name in (self.converter, *(pin.converter for pin in self.projects)):
            tool = self.tool_of(name)
            if tool is not None or name not in TOOLS:
                found[name] = None if tool is None else tool.version
        return found

    def needs_of(self, converter: str) -> Needs:
        """What a conversion needs of this machine."""
        if self.executor is not None:
            return NOTHING
        tool = self.tool_of(converter)
        cores = min(self.threads, (tool and tool.cpus) or self.threads)
        return Needs(cores, self.memory_gb or (tool and tool.memory_gb) or 1)

    @property
    def in_containers(self) -> list[str]:
        """The converters whose tools are containers of a Docker engine."""
        tools = {name: self.tool_of(name) for name in self.versions}
        return [name for name, tool in tools.items() if tool is not None and tool.image is not None]

    @property
    def goes_on(self) -> bool:
        """Whether a conversion goes on when the process of its job is gone."""
        return bool(self.in_containers) or self.executor is not None

    @field_validator("index_sets")
    @classmethod
    def _can_be_read(cls, paths: list[Path]) -> list[Path]:
        try:
            index_sets.load(paths)
        except IndexSetError as err:
            raise ValueError(f"{err}; {err.hint}") from err
        return paths

    @model_validator(mode="after")
    def _takes_what_is_there(self) -> Self:
        for name in ("include_non_pf", "allow_index_collisions", "ignore_adapters"):
            if self.converter == "ingest" and getattr(self, name):
                raise ValueError(f"expected no {name} with the converter ingest")
        return self

    @model_validator(mode="after")
    def _takes_its_options(self) -> Self:
        try:
            found = arguments.parse(self.additional_args, self.converter)
        except ConversionError as err:
            raise ValueError(f"{err}; {err.hint}") from err
        for name, _ in found:
            if name in _HAVE_A_KEY:
                raise ValueError(f"expected {_HAVE_A_KEY[name]} in the place of --{name}")
        return self

    @model_validator(mode="after")
    def _has_its_tool(self) -> Self:
        if self.converter in TOOLS:
            if self.tool_of(self.converter) is None:
                raise ValueError(
                    f"expected {self.converter}_tool with the converter {self.converter}"
                )
            for name in ("include_non_pf", "allow_index_collisions"):
                if getattr(self, name):
                    raise ValueError(f"expected no {name} with the converter {self.converter}")
        return self

    @model_validator(mode="after")
    def _no_container_on_a_cluster(self) -> Self:
        if self.executor is not None and self.in_containers:
            raise ValueError(
                f"expected no image in {self.in_containers[0]}_tool beside executor: a container"
                " would go on when its job of Slurm is cancelled; name a program"
            )
        return self
