"""Rows of one sample, and samples that could be taken for one another."""

from collections.abc import Iterator

from arteriole.illumina.sample_sheet import Sample
from arteriole.illumina.sheet_rules.rule import Case, Fault, Needs, Rule, Severity


def _duplicate(case: Case) -> Iterator[Fault]:
    lines: dict[tuple[str, int | None, str, str], int] = {}
    for sample in case.sheet.samples:
        key = sample.sample_id, sample.lane, sample.index, sample.index2
        if sample.sample_id and key in lines:
            yield case.at(
                sample,
                "Sample_ID",
                f"this Sample_ID stands already in line {lines[key]} with the same index"
                + (f" on lane {sample.lane}" if sample.lane else ""),
                "remove the row, or correct its Sample_ID or its index",
            )
        lines.setdefault(key, sample.line)


def _several_indexes(case: Case) -> Iterator[Fault]:
    """NB: a converter that makes one file a row would write the same file twice."""
    first: dict[tuple[str, int | None], Sample] = {}
    for sample in case.sheet.samples:
        other = first.setdefault((sample.sample_id, sample.lane), sample)
        if sample.sample_id and _index(other) != _index(sample):
            yield case.at(
                sample,
                "Sample_ID",
                f"this Sample_ID stands in line {other.line} with another index"
                + (f" on lane {sample.lane}" if sample.lane else ""),
                "nothing, if the sample has several indexes, as of a 10x set; else correct it",
            )


def _index_differs(case: Case) -> Iterator[Fault]:
    """Of samples that have one index a lane; those with more are told by their own rule."""
    indexes: dict[str, dict[int | None, set[tuple[str, str]]]] = {}
    for sample in case.sheet.samples:
        of_lane = indexes.setdefault(sample.sample_id, {}).setdefault(sample.lane, set())
        of_lane.add(_index(sample))
    told: set[str] = set()
    first: dict[str, Sample] = {}
    for sample in case.sheet.samples:
        other = first.setdefault(sample.sample_id, sample)
        lanes = indexes[sample.sample_id].values()
        if (
            sample.sample_id in told
            or _index(other) == _index(sample)
            or any(len(of_lane) > 1 for of_lane in lanes)
        ):
            continue
        told.add(sample.sample_id)
        yield case.at(
            sample,
            "index",
            f"the sample has another index on lane {other.lane} (line {other.line})",
            "nothing, if the library was made twice; else correct the index",
        )


def _differs(case: Case) -> Iterator[Fault]:
    first: dict[str, Sample] = {}
    for sample in case.sheet.samples:
        if not sample.sample_id:
            continue
        other = first.setdefault(sample.sample_id, sample)
        if (other.sample_name, other.project) != (sample.sample_name, sample.project):
            yield case.at(
                sample,
                "Sample_ID",
                f"this Sample_ID has another name or project in line {other.line}",
                "give the sample the same name and project in every row",
            )


def _capitals(case: Case) -> Iterator[Fault]:
    first: dict[str, Sample] = {}
    for sample in case.sheet.samples:
        other = first.setdefault(sample.sample_id.lower(), sample)
        if other.sample_id != sample.sample_id:
            yield case.at(
                sample,
                "Sample_ID",
                f"this Sample_ID differs from the one in line {other.line} by capitals only, so"
                " that both name one file where capitals do not count",
                "write it in one way, or give the samples names that differ",
            )


def _name_twice(case: Case) -> Iterator[Fault]:
    first: dict[tuple[str, str], Sample] = {}
    for sample in case.sheet.samples:
        if not sample.sample_name:
            continue
        other = first.setdefault((sample.sample_name, sample.project), sample)
        if other.sample_id.lower() != sample.sample_id.lower():
            yield case.at(
                sample,
                "Sample_Name",
                f"this Sample_Name is that of Sample_ID {other.sample_id[:100]} too"
                f" (line {other.line})",
                "give each sample a name of its own",
            )


def _index(sample: Sample) -> tuple[str, str]:
    return sample.index, sample.index2


RULES = (
    Rule(
        "sheet.sample_duplicate",
        Severity.ERROR,
        Needs.SHEET,
        "A row stands twice: the same Sample_ID, lane and index.",
        "Illumina's format specification, as clintval/sample-sheet#32 quotes it: Sample_ID is a"
        " unique identifier",
        _duplicate,
    ),
    Rule(
        "sheet.sample_indexes",
        Severity.WARNING,
        Needs.SHEET,
        "A sample has several indexes on a lane.",
        "clintval/sample-sheet#53: the four rows of a 10x set are refused;"
        " Clinical-Genomics/cg#3288: rows of several indexes fail a validation",
        _several_indexes,
    ),
    Rule(
        "sheet.sample_index_differs",
        Severity.WARNING,
        Needs.SHEET,
        "A sample has another index on another lane.",
        "fls-bioinformatics-core/auto_process_ngs#30: a sample's barcodes differ between lanes",
        _index_differs,
    ),
    Rule(
        "sheet.sample_differs",
        Severity.ERROR,
        Needs.SHEET,
        "A Sample_ID has two names or two projects.",
        "fls-bioinformatics-core/auto_process_ngs#37: 'Only 1 project is allowed for a given"
        " sampleId' ends bcl2fastq",
        _differs,
    ),
    Rule(
        "sheet.sample_case",
        Severity.ERROR,
        Needs.SHEET,
        "Two Sample_IDs differ by capitals only.",
        "Illumina, as BU-ISCIII/iskylims#272 quotes it: Sample IDs are not case-sensitive; on a"
        " share one sample's data would replace the other's",
        _capitals,
    ),
    Rule(
        "sheet.sample_name_twice",
        Severity.WARNING,
        Needs.SHEET,
        "Two samples of a project have the same Sample_Name.",
        "fls-bioinformatics-core/genomics#23: bcl2fastq names a file by Sample_Name, so files of"
        " two samples are told apart by folder and number alone",
        _name_twice,
    ),
)
