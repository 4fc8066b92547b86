"""How the sheet says that the cycles are used: its reads and OverrideCycles."""

from collections.abc import Iterator

from arteriole.illumina import override_cycles
from arteriole.illumina.override_cycles import Mask, MaskError
from arteriole.illumina.sample_sheet import Sample
from arteriole.illumina.sheet_rules.rule import INDEXES, Case, Fault, Needs, Rule, Severity
from arteriole.illumina.sheet_text import plain


def _texts(case: Case) -> Iterator[tuple[int, int, str, tuple[Sample, ...]]]:
    """(line, column, OverrideCycles, the samples that it is for) of each that is given."""
    for name, setting in case.sheet.settings.items():
        if plain(name) != "overridecycles":
            continue
        if not setting.rows:
            if setting.value:
                yield setting.line, 2, setting.value, case.sheet.samples
            continue
        by_line = {sample.line: sample for sample in case.sheet.samples}
        for line, text in setting.rows:
            if text:
                yield line, setting.column, text, (by_line[line],)


def _masks(case: Case) -> Iterator[tuple[int, int, tuple[Mask, ...], tuple[Sample, ...]]]:
    """As _texts, of those that are well written."""
    for line, column, text, samples in _texts(case):
        try:
            yield line, column, override_cycles.masks(text), samples
        except MaskError:
            continue


def _reads_differ(case: Case) -> Iterator[Fault]:
    for what, said, reads in (
        ("", case.sheet.reads, case.run.template_reads),
        (" of index", case.sheet.index_reads, case.run.index_reads),
    ):
        run = tuple(read.cycles for read in reads)
        if said and said != run:
            yield Fault(
                case.sheet.sections.get("Reads", 0),
                0,
                f"[Reads] says {_joined(said)}{what}, the run has {_joined(run)}{what}",
                "the run's reads are converted; find out whether this is the run's sheet",
            )


def _form(case: Case) -> Iterator[Fault]:
    for line, column, text, _ in _texts(case):
        try:
            override_cycles.masks(text)
        except MaskError as err:
            hint = "write one mask a read, such as Y151;I8N2;I8N2;Y151, or each with its name"
            yield Fault(line, column, f"OverrideCycles: {err}", hint)


def _fit(case: Case) -> Iterator[Fault]:
    for line, column, masks, _ in _masks(case):
        try:
            override_cycles.fit(masks, case.run)
        except MaskError as err:
            hint = "write one mask a read, which covers all of its cycles"
            yield Fault(line, column, f"OverrideCycles: {err}", hint)


def _against_reads(case: Case) -> Iterator[Fault]:
    """Index reads are compared where the sheet tells them."""
    for line, column, masks, _ in _masks(case):
        for what, said, found in (
            ("", case.sheet.reads, [m for m in masks if not m.is_index]),
            (" of index", case.sheet.index_reads, [m for m in masks if m.is_index]),
        ):
            cycles = tuple(mask.cycles for mask in found)
            if said and said != cycles:
                yield Fault(
                    line,
                    column,
                    f"OverrideCycles is of {_joined(cycles)}{what}, [Reads] says"
                    f" {_joined(said)}{what}",
                    "correct the one that is not of this run",
                )


def _against_index(case: Case) -> Iterator[Fault]:
    for line, column, masks, samples in _masks(case):
        of_index = [mask for mask in masks if mask.is_index]
        for place, (name, value) in enumerate(INDEXES):
            used = of_index[place].count("I") if place < len(of_index) else 0
            for sample in samples:
                found = len(value(sample))
                if found in (0, used):
                    continue
                yield Fault(
                    sample.line if len(samples) > 1 else line,
                    case.sheet.columns.get(name, 0) if len(samples) > 1 else column,
                    f"{name} has {found} bases, OverrideCycles uses {used} cycles for it",
                    "let both be of one length: each base of the index needs an I cycle",
                )


def _direction(case: Case) -> Iterator[Fault]:
    """Which end of the i5 read is left out; a mask with a UMI is nobody's mistake."""
    reads = case.run.index_reads
    if len(reads) < 2:
        return
    last = reads[1].is_reverse_complement
    for line, column, masks, _ in _masks(case):
        of_index = [mask for mask in masks if mask.is_index]
        if len(of_index) < 2:
            continue
        kinds = [kind for kind, _ in of_index[1].parts]
        if kinds == (["I", "N"] if last else ["N", "I"]):
            i, n = of_index[1].count("I"), of_index[1].count("N")
            usual = f"N{n}I{i}" if last else f"I{i}N{n}"
            yield Fault(
                line,
                column,
                f"OverrideCycles leaves the first {n} cycles of the i5 read out: its mask is"
                " written in the direction of the sheet, "
                + ("against that of the cycles on this run" if last else "that of the cycles"),
                f"is {usual} meant?",
            )


def _umi_lengths(case: Case) -> Iterator[Fault]:
    lengths: dict[int, int] = {}
    for _, _, masks, samples in _masks(case):
        if len(samples) == 1:
            lengths[samples[0].line] = sum(mask.count("U") for mask in masks)
    for lane, samples in case.pools:
        known = [sample for sample in samples if sample.line in lengths]
        for sample in known[1:]:
            if lengths[sample.line] != lengths[known[0].line]:
                yield case.at(
                    sample,
                    "Sample_ID",
                    f"{case.named(lane)}: OverrideCycles has a UMI of {lengths[sample.line]}"
                    f" cycles, that of line {known[0].line} one of {lengths[known[0].line]}",
                    "nothing, if libraries of two kinds are pooled",
                )
                break


def _joined(numbers: tuple[int, ...]) -> str:
    return " + ".join(map(str, numbers)) + " cycles" if numbers else "none"


RULES = (
    Rule(
        "sheet.reads_differ",
        Severity.WARNING,
        Needs.RUN,
        "[Reads] says other cycles than the run has.",
        "Illumina Knowledge 5671: [Reads] has to hold the actual numbers of cycles",
        _reads_differ,
    ),
    Rule(
        "sheet.override_form",
        Severity.ERROR,
        Needs.SHEET,
        "OverrideCycles is not written as it should.",
        "umccr/infrastructure#56: 151y;8i2n for Y151;I8N2",
        _form,
    ),
    Rule(
        "sheet.override_cycles",
        Severity.ERROR,
        Needs.RUN,
        "OverrideCycles does not cover the reads of the run.",
        "umccr/infrastructure#77: 'Read # 2 specified does not add up to the 10 bases expected'",
        _fit,
    ),
    Rule(
        "sheet.override_reads",
        Severity.WARNING,
        Needs.SHEET,
        "OverrideCycles is of other cycles than [Reads].",
        "Clinical-Genomics/cg#2944 checks it; Illumina Connected Software, Run Set Up, Parameters:"
        " the sums have to agree with Index1Cycles",
        _against_reads,
    ),
    Rule(
        "sheet.override_index",
        Severity.ERROR,
        Needs.SHEET,
        "An index has another number of bases than OverrideCycles uses for it.",
        "fls-bioinformatics-core/auto_process_ngs#1049: 'Barcode lengths in the sample sheet do"
        " not match those in --use-bases-mask'",
        _against_index,
    ),
    Rule(
        "sheet.override_direction",
        Severity.WARNING,
        Needs.RUN,
        "OverrideCycles leaves out the wrong end of the i5 read.",
        "Clinical-Genomics/cg#2681: N2I8 for I8N2, and reads of the samples are unknown; #2930:"
        " samples are told by their i7 alone",
        _direction,
    ),
    Rule(
        "sheet.umi_lengths",
        Severity.WARNING,
        Needs.SHEET,
        "Samples of a lane have UMIs of different lengths.",
        "CGATOxford/UMI-tools#387: 'not all umis are the same length(!): 5 - 7'",
        _umi_lengths,
    ),
)
