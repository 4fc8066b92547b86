"""What Picard is told about a lane: its command line and its two tables."""

from dataclasses import dataclass
from pathlib import Path

from arteriole.bcl2fastq.converters.builtin.plan import LanePlan, SamplePlan
from arteriole.bcl2fastq.converters.conversion import ConversionRequest
from arteriole.bcl2fastq.converters.picard.rule import Rule
from arteriole.illumina.run_folder import RunFolder
from arteriole.illumina.run_info import RunInfo

_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True, slots=True)
class LaneInputs:
    """One lane's conversion below `folder`, which exists and is empty.

    Outputs are named by their place in LanePlan.outputs, so that no name of a sheet gets into them.
    """

    folder: Path
    run_info: RunInfo
    lane: LanePlan
    rule: Rule

    def prefix(self, place: int) -> Path:
        """What the names of an output's files begin with."""
        return self.folder / f"output-{place}"

    @property
    def demultiplexes(self) -> bool:
        """Whether there is more than one output."""
        return len(self.lane.outputs) > 1

    def write(self) -> None:
        """Write the tables that the command names."""
        if not self.demultiplexes:
            return
        columns = [f"BARCODE_{n + 1}" for n in range(len(self.lane.index_lengths))]
        places = dict(enumerate(self.lane.samples))
        rows = [[str(self.prefix(n)), *self.barcodes(sample)] for n, sample in places.items()]
        rows.append([str(self.prefix(len(places))), *("N" for _ in columns)])
        _write_table(self._multiplex_params, ["OUTPUT_PREFIX", *columns], rows)
        columns = [f"barcode_sequence_{n + 1}" for n in range(len(self.lane.index_lengths))]
        names = ["barcode_name", "library_name"]
        rows = [[*self.barcodes(s), f"sample-{n}", f"sample-{n}"] for n, s in places.items()]
        _write_table(self._barcode_params, [*columns, *names], rows)

    def barcodes(self, sample: SamplePlan) -> list[str]:
        """The indexes of a sample as the instrument reads them."""
        indexes = (sample.index, sample.index2)[: len(self.lane.index_lengths)]
        return [
            turned(index) if read.is_reverse_complement else index
            for index, read in zip(indexes, self.run_info.index_reads, strict=False)
        ]

    def arguments(
        self, folder: RunFolder, request: ConversionRequest, compression: int = 1
    ) -> list[str]:
        """The tool's name and its arguments; `compression` is gzip's level, Picard's own is 5."""
        info = self.run_info
        values = {
            "BASECALLS_DIR": str(folder.base_calls),
            "LANE": str(self.lane.lane),
            "READ_STRUCTURE": read_structure(info, self.lane.index_lengths),
            "RUN_BARCODE": str(info.run_number),
            "MACHINE_NAME": info.instrument,
            "FLOWCELL_BARCODE": info.flowcell,
            "READ_NAME_FORMAT": "CASAVA_1_8",
            "INCLUDE_NON_PF_READS": str(request.include_non_pf).lower(),
            "APPLY_EAMSS_FILTER": "false",  # NB: its default changes qualities
            "SORT": "false",  # the order of the tiles and clusters, as bcl2fastq has it
            "MINIMUM_QUALITY": "0",
            "COMPRESS_OUTPUTS": "true",
            "COMPRESSION_LEVEL": str(compression),
            "NUM_PROCESSORS": str(request.threads),
            "VERBOSITY": "WARNING",
        }
        if self.demultiplexes:
            values |= {
                "MATCH_BARCODES_INLINE": "true",
                "INPUT_PARAMS_FILE": str(self._barcode_params),
                "MULTIPLEX_PARAMS": str(self._multiplex_params),
                "METRICS_FILE": str(self.folder / "metrics.txt"),
                "MAX_MISMATCHES": str(self.rule.max_mismatches),
                "MAX_NO_CALLS": str(self.rule.max_no_calls),
            }
        else:
            values["OUTPUT_PREFIX"] = str(self.prefix(0))
        pairs = [part for name, value in values.items() for part in (f"--{name}", value)]
        return ["IlluminaBasecallsToFastq", *pairs]

    @property
    def _multiplex_params(self) -> Path:
        return self.folder / "multiplex_params.tsv"

    @property
    def _barcode_params(self) -> Path:
        return self.folder / "barcode_params.tsv"


def read_structure(info: RunInfo, index_lengths: tuple[int, ...]) -> str:
    """The cycles of each read in Picard's words: T template, B index in use, S skipped.

    >>> from arteriole.illumina.run_info import Layout, Read
    >>> reads = (Read(1, 26, False), Read(2, 10, True), Read(3, 8, True))
    >>> info = RunInfo("", 1, "", "", "", reads, Layout(1, 1, 1, 1), {})
    >>> read_structure(info, (8,))
    '26T8B2S8S'
    """
    used = dict(zip(info.index_reads, index_lengths, strict=False))
    parts = []
    for read in info.reads:
        taken = used.get(read, 0) if read.is_index else read.cycles
        rest = read.cycles - taken
        parts.append(f"{taken}{'B' if read.is_index else 'T'}" if taken else "")
        parts.append(f"{rest}S" if rest else "")
    return "".join(parts)


def turned(index: str) -> str:
    """The reverse complement.

    >>> turned("AACGN")
    'NCGTT'
    """
    return index.translate(_COMPLEMENT)[::-1]


def _write_table(path: Path, columns: list[str], rows: list[list[str]]) -> None:
    lines = ["\t".join(row) + "\n" for row in [columns, *rows]]
    path.write_text("".join(lines), encoding="utf-8")
