"""The indexes of each sample: their letters, and whether the run has read them."""

import re
from collections.abc import Iterator

from arteriole.illumina.near_indexes import distance
from arteriole.illumina.sample_sheet import Sample
from arteriole.illumina.sheet_rules.rule import INDEXES, Case, Fault, Needs, Rule, Severity

_BASES = re.compile("[ACGTN]+")
_SET = re.compile(r"SI-[A-Z0-9]{2,3}-[A-H]\d{1,2}(_\d)?", re.IGNORECASE)
"""A set of indexes of 10x Genomics: SI-GA-A1 of the single kits, SI-TT-A1 of the dual ones."""
_SHORTEST_REPEAT = 6

PHIX = (
    # PhiX that Sanger marks with a tag, and the adapter that is read in the place of an i5
    ("ACAACGCAATC", "TCTTTCCCTA"),
    ("ACAACGCAATC", "AGATCTCGGT"),
)
"""What the index reads show of PhiX with an i7: wtsi-npg/npg_seq_pipeline#557 has both
directions of the i5, which such a library lacks. PhiX of Illumina itself has no index
(enseqlopedia.com, "Index mis-assignment to Illumina's PhiX control")."""


def _alphabet(case: Case) -> Iterator[Fault]:
    for sample in case.sheet.samples:
        for column, value in INDEXES:
            text = value(sample)
            if text and not _BASES.fullmatch(text) and not _SET.fullmatch(text):
                message = f"expected an index of A, C, G, T (and N), found {text[:40]!r}"
                yield case.at(sample, column, message, _alphabet_hint(text))


def _alphabet_hint(text: str) -> str:
    if re.fullmatch("[ACGTN]+[-+][ACGTN]+", text):
        return "write the i7 into index and the i5 into index2"
    return "write out the bases in capital letters, or the name of an index set that is configured"


def _index_set(case: Case) -> Iterator[Fault]:
    for sample in case.sheet.samples:
        for column, value in INDEXES:
            if _SET.fullmatch(value(sample)):
                yield case.at(
                    sample,
                    column,
                    f"{value(sample)} names a set of indexes of 10x Genomics; a converter needs"
                    f" the bases, and {_looked_up(case)}",
                    "list the CSV file of the kit, as 10x publishes it, in bcl2fastq.index_sets; or"
                    " write a row for each index of the set, with the same Sample_ID",
                )


def _looked_up(case: Case) -> str:
    files = case.sheet.set_files
    if not files:
        return "no file of such sets is configured"
    return "it is not in " + ", ".join(files)


def _missing(case: Case) -> Iterator[Fault]:
    """Beside other samples every sample has an index, and an i5 if any has one."""
    for sample in case.sheet.samples:
        if sample.index2 and not sample.index:
            message = "index is empty beside an index2"
            yield case.at(sample, "index", message, "fill in the i7 index too")
    told: set[tuple[int, str]] = set()
    for lane, samples in case.pools:
        if len(samples) < 2:
            continue
        for column, value in INDEXES:
            if column == "index2" and not any(map(value, samples)):
                continue
            for sample in samples:
                if value(sample) or sample.index2 or (sample.line, column) in told:
                    continue
                if column == "index2" and (not sample.index or _is_single(case, sample)):
                    continue
                told.add((sample.line, column))
                yield case.at(
                    sample,
                    column,
                    f"{column} is empty beside other samples of {case.named(lane)}",
                    "without an index a sample must be alone on its lane",
                )


def _is_single(case: Case, sample: Sample) -> bool:
    """Whether it is said that the sample has no i5: by its mask, or by its set of single ones."""
    return case.has_own_mask(sample) or bool(sample.index_set)


def _lengths(case: Case) -> Iterator[Fault]:
    told: set[tuple[int, str]] = set()
    for lane, samples in case.pools:
        for column, value in INDEXES:
            usual = max((len(value(sample)) for sample in samples), default=0)
            for sample in samples:
                found = len(value(sample))
                if found in (0, usual) or (sample.line, column) in told:
                    continue
                if case.has_own_mask(sample):
                    continue
                told.add((sample.line, column))
                yield case.at(
                    sample,
                    column,
                    f"{column} has {found} bases, another sample of {case.named(lane)} has {usual}",
                    "nothing, if libraries of two kits are pooled; Picard wants one length",
                )


def _not_read(case: Case) -> Iterator[Fault]:
    for sample, column, _ in _well_written(case):
        if not case.run.index_reads and case.is_alone(sample):
            yield case.at(
                sample,
                column,
                f"{column} is given, but the run has no index read; the sample is alone on its"
                " lane and takes every read of it",
                "nothing, if this is the sheet of this run",
            )


def _without_read(case: Case, wanted: str) -> Iterator[Fault]:
    reads = len(case.run.index_reads)
    for sample, column, place in _well_written(case):
        if column == wanted and place >= reads and (reads or not case.is_alone(sample)):
            yield case.at(
                sample,
                column,
                f"{column} is given, but the run has {reads} index reads",
                f"remove {column}, or find the sheet of this run",
            )


def _index_without_read(case: Case) -> Iterator[Fault]:
    return _without_read(case, "index")


def _index2_without_read(case: Case) -> Iterator[Fault]:
    return _without_read(case, "index2")


def _too_long(case: Case) -> Iterator[Fault]:
    reads = case.run.index_reads
    for sample, column, place in _well_written(case):
        text = INDEXES[place][1](sample)
        if place < len(reads) and len(text) > reads[place].cycles:
            cycles = reads[place].cycles
            yield case.at(
                sample,
                column,
                f"{column} has {len(text)} bases, the index read {cycles} cycles",
                f"shorten it to its first {cycles} bases",
            )


def _no_call(case: Case) -> Iterator[Fault]:
    for sample, column, place in _well_written(case):
        if "N" in INDEXES[place][1](sample):
            yield case.at(
                sample,
                column,
                f"N in {column} matches nothing but a no-call",
                "bcl2fastq reads N as a letter; shorten the index to leave bases out",
            )


def _one_letter(case: Case) -> Iterator[Fault]:
    for sample, column, place in _well_written(case):
        text = INDEXES[place][1](sample)
        if len(text) >= _SHORTEST_REPEAT and len(set(text)) == 1 and text[0] != "N":
            yield case.at(
                sample,
                column,
                f"{column} is {text[0]} throughout, as a failed read of an index may be",
                "find out whether it stands for an index that nobody filled in",
            )


def _phix(case: Case) -> Iterator[Fault]:
    for sample, column, _ in _well_written(case):
        if column == "index" and any(_is_near(case, sample, *phix) for phix in PHIX):
            yield case.at(
                sample,
                column,
                f"reads of PhiX with the index {PHIX[0][0]} would be taken for this sample",
                "give the sample another index, or add no PhiX with an index",
            )


def _is_near(case: Case, sample: Sample, i7: str, i5: str) -> bool:
    allowed7, allowed5 = case.mismatches
    return distance(sample.index, i7) <= allowed7 and distance(sample.index2, i5) <= allowed5


def _well_written(case: Case) -> Iterator[tuple[Sample, str, int]]:
    """(sample, column, 0 of an i7 and 1 of an i5) of each index that is one."""
    for sample in case.sheet.samples:
        for place, (column, value) in enumerate(INDEXES):
            if _BASES.fullmatch(value(sample)):
                yield sample, column, place


RULES = (
    Rule(
        "sheet.index_alphabet",
        Severity.ERROR,
        Needs.SHEET,
        "An index holds something else than A, C, G, T and N.",
        "fls-bioinformatics-core/auto_process_ngs#162: invalid barcodes stop make_fastqs",
        _alphabet,
    ),
    Rule(
        "sheet.index_set",
        Severity.ERROR,
        Needs.SHEET,
        "An index is the name of a set of 10x Genomics that no configured file has.",
        "10XGenomics/cellranger#134: SI-TT-I9 is no such set, told as 'Formatting error'",
        _index_set,
    ),
    Rule(
        "sheet.index_missing",
        Severity.ERROR,
        Needs.SHEET,
        "A sample has no index beside other samples of its lane.",
        "miso-lims/miso-lims#1371: libraries without an index in a pool of indexed ones",
        _missing,
    ),
    Rule(
        "sheet.index_lengths",
        Severity.WARNING,
        Needs.SHEET,
        "Indexes of a lane differ in length, without OverrideCycles of each sample.",
        "SciLifeLab/bcbb#291: the mask is wrong for the shorter of two lengths",
        _lengths,
    ),
    Rule(
        "sheet.index_not_read",
        Severity.WARNING,
        Needs.RUN,
        "A sample has an index, the run has no index read, and the sample is alone on its lane.",
        "bihealth/digestiflow-server#29: barcodes of the sheet against the reads of the run",
        _not_read,
    ),
    Rule(
        "sheet.index_without_read",
        Severity.ERROR,
        Needs.RUN,
        "Samples of a lane have an index that the run has not read.",
        "bihealth/digestiflow-server#29: barcodes of the sheet against the reads of the run",
        _index_without_read,
    ),
    Rule(
        "sheet.index2_without_read",
        Severity.ERROR,
        Needs.RUN,
        "A sample has an i5 that the run has not read.",
        "bihealth/digestiflow-server#29: barcodes of the sheet against the reads of the run",
        _index2_without_read,
    ),
    Rule(
        "sheet.index_too_long",
        Severity.ERROR,
        Needs.RUN,
        "An index is longer than the index read.",
        "bihealth/digestiflow-server#29: barcodes of the sheet against the reads of the run",
        _too_long,
    ),
    Rule(
        "sheet.index_no_call",
        Severity.WARNING,
        Needs.SHEET,
        "An index holds N, which is a letter and no wildcard.",
        "fls-bioinformatics-core/auto_process_ngs#875: bcl2fastq cannot handle trailing Ns",
        _no_call,
    ),
    Rule(
        "sheet.index_homopolymer",
        Severity.WARNING,
        Needs.SHEET,
        "An index is one letter throughout.",
        "Teichlab/scg_lib_structs#12: libraries without an i5 show GGGGGGGGGG",
        _one_letter,
    ),
    Rule(
        "sheet.index_phix",
        Severity.WARNING,
        Needs.SHEET,
        "An index is that of a PhiX library.",
        "wtsi-npg/npg_seq_pipeline#557: the tags that spiked PhiX shows",
        _phix,
    ),
)
