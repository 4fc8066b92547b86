"""What the settings of a sample sheet ask of a conversion.

Sources: bcl2fastq2 and BCL Convert software guides ("Sample Sheet"), MiSeq sample sheet quick
reference guide ("Settings").
"""

from enum import Enum

from arteriole.illumina import override_cycles
from arteriole.illumina.override_cycles import MaskError
from arteriole.illumina.run_info import RunInfo
from arteriole.illumina.sample_sheet import Sample, SampleSheet, Setting
from arteriole.illumina.sheet_text import plain

ADAPTER_SETTINGS = frozenset(
    {
        *("adapter", "adapterread1", "adapterread2", "trimadapter", "maskadapter"),
        *("adapterbehavior", "adapterstringency", "findadapterswithindels"),
        *("minimumtrimmedreadlength", "maskshortreads", "minimumadapteroverlap"),
    }
)
"""Settings that matter only to adapter trimming."""

SWITCHES = frozenset(
    {
        *("reversecomplement", "createfastqforindexreads", "trimumi", "nolanesplitting"),
        *("findadapterswithindels",),
    }
)
"""Settings that ask for nothing while they are off."""

PASSIVE_SETTINGS = frozenset(
    {
        # BCL Convert: nothing about the reads
        *("softwareversion", "generatefastqcmetrics", "appversion", "fastqcompressionlevel"),
        "libraryinputvolume",
        # how index2 is written: it is made what the converter takes (index_orientation)
        "index2columnreversecomplement",
        # analysis after the conversion: MiSeq Reporter and Local Run Manager
        *("flagpcrduplicates", "variantcaller", "outputgenomevcf", "quickmetrics", "aligner"),
        *("variantfilterqualitycutoff", "qualityscoretrim", "indelrealignment", "runbwaaln"),
        *("bamqualityfilter", "exportprobenametobam", "advancedsetting1", "svannotation"),
        *("variantminimumgqcutoff", "filternondominantvariants", "enrichmentmaxregions"),
        *("picardhsmetrics", "stitchreads", "taxonomyfile", "kmer", "performdenovo"),
        *("onlygeneratefastq", "filterpcrduplicates"),
        # the run itself: primers of a MiSeq
        *("customread1primermix", "customindexprimermix", "customread2primermix"),
    }
)
"""Settings that say nothing to a converter."""

MISMATCH_SETTINGS = ("barcodemismatchesindex1", "barcodemismatchesindex2")
NO_MISMATCHES = frozenset({"", "na"})
"""What stands for the mismatches of an index that a sample does not have, in lower case."""
LETTERS = frozenset({"f", "n", "no", "t", "y", "yes"})
"""What bcl2fastq takes as a switch, too, and BCL Convert does not; in lower case, as ON and OFF."""
ON = frozenset({"1", "true", "t", "y", "yes"})
OFF = frozenset({"", "0", "false", "f", "n", "no"})


class Meaning(Enum):
    """What a setting asks for."""

    NEUTRAL = "nothing that would not be done anyway"
    ADAPTERS = "adapter trimming"
    MISMATCHES = "another number of mismatches"
    OTHER = "something else"


def meaning(
    name: str,
    sheet: SampleSheet,
    run_info: RunInfo,
    mismatches: tuple[int, int] = (1, 1),
) -> Meaning:
    """What the setting `name` of the sheet asks of a conversion of this run.

    Args:
        mismatches: how many the conversion allows in i7 and i5.
    """
    key = plain(name)
    setting = sheet.settings[name]
    values = {value.lower() for _, value in setting.values}
    if key in SWITCHES and values <= OFF:
        return Meaning.NEUTRAL
    if key in ADAPTER_SETTINGS:
        return Meaning.ADAPTERS if values != {""} else Meaning.NEUTRAL
    if key in MISMATCH_SETTINGS:
        allowed = str(mismatches[MISMATCH_SETTINGS.index(key)])
        return Meaning.NEUTRAL if values <= {*NO_MISMATCHES, allowed} else Meaning.MISMATCHES
    if key == "fastqcompressionformat":
        return Meaning.NEUTRAL if values <= {"", "gzip"} else Meaning.OTHER
    if key == "overridecycles":
        return Meaning.NEUTRAL if _is_plain(setting, sheet, run_info) else Meaning.OTHER
    return Meaning.NEUTRAL if key in PASSIVE_SETTINGS else Meaning.OTHER


def allowed_mismatches(
    sheet: SampleSheet, otherwise: tuple[int, int] = (1, 1)
) -> tuple[int, int] | None:
    """The mismatches in i7 and i5 that the sheet asks for; None if they differ between samples."""
    found = []
    for key, default in zip(MISMATCH_SETTINGS, otherwise, strict=True):
        setting = next((s for name, s in sheet.settings.items() if plain(name) == key), None)
        values = {value for _, value in setting.values} if setting else set()
        values = {value for value in values if value.lower() not in NO_MISMATCHES}
        if len(values) > 1 or not values <= {"0", "1", "2"}:
            return None
        found.append(int(values.pop()) if values else default)
    return found[0], found[1]


def _is_plain(setting: Setting, sheet: SampleSheet, run_info: RunInfo) -> bool:
    """Whether every OverrideCycles says what is done without it."""
    by_line = {sample.line: [sample] for sample in sheet.samples}
    for line, text in setting.values:
        samples = by_line.get(line, []) if setting.rows else list(sheet.samples)
        if text and not _mask_is_plain(text, samples, run_info):
            return False
    return True


def _mask_is_plain(text: str, samples: list[Sample], run_info: RunInfo) -> bool:
    try:
        masks = override_cycles.parse(text, run_info)
    except MaskError:
        return False
    index_reads = run_info.index_reads
    for read, mask in zip(run_info.reads, masks, strict=True):
        place = index_reads.index(read) if read.is_index else 0
        lengths = {
            len(sample.index2 if place else sample.index) if place < 2 else 0 for sample in samples
        }
        if not all(mask.is_plain(read, length) for length in lengths or {0}):
            return False
    return True
