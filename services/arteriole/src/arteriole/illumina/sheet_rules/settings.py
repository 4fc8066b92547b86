"""Settings whose values no converter can follow; what the one at hand does not do, it refuses."""

import re
from collections.abc import Callable, Iterator

from arteriole.illumina.sample_sheet import Setting
from arteriole.illumina.sheet_rules.rule import Case, Fault, Needs, Rule, Severity
from arteriole.illumina.sheet_settings import (
    ADAPTER_SETTINGS,
    LETTERS,
    MISMATCH_SETTINGS,
    NO_MISMATCHES,
    PASSIVE_SETTINGS,
    SWITCHES,
)
from arteriole.illumina.sheet_text import is_near, plain

KNOWN = frozenset(
    {
        *ADAPTER_SETTINGS,
        *SWITCHES,
        *PASSIVE_SETTINGS,
        *MISMATCH_SETTINGS,
        # BCL Convert
        *("overridecycles", "fastqcompressionformat", "independentindexcollisioncheck"),
        *("combinelanes", "samplenamecolumnenabled", "onlyincludetiles", "excludetiles"),
        "overridereads",
        # bcl2fastq
        *("read1startfromcycle", "read2startfromcycle", "read1endwithcycle", "read2endwithcycle"),
        *("read1umilength", "read2umilength", "read1umistartfromcycle", "read2umistartfromcycle"),
        *(f"excludetileslane{lane}" for lane in range(1, 9)),
    }
)
"""Settings of bcl2fastq, BCL Convert and MiSeq Reporter, by their name without signs."""

_ADAPTERS = {"adapter": 0, "adapterread1": 0, "adapterread2": 1}
"""The template read of an adapter."""
_READ_2 = frozenset({"adapterread2", "read2umilength", "read2startfromcycle", "read2endwithcycle"})

_VALUES: dict[str, tuple[Callable[[str], bool], str]] = {
    "adapterbehavior": (lambda value: value.lower() in {"trim", "mask"}, "trim or mask"),
    "adapterstringency": (
        lambda value: re.fullmatch(r"[01](\.\d+)?", value) is not None and 0.5 <= float(value) <= 1,
        "0.5 to 1",
    ),
    "index2columnreversecomplement": (lambda value: value in {"Y", "N"}, "Y or N"),
    "minimumadapteroverlap": (lambda value: value in {"1", "2", "3"}, "1, 2 or 3"),
    "minimumtrimmedreadlength": (lambda value: _is_number(value), "a number"),
    "maskshortreads": (lambda value: _is_number(value), "a number"),
    **{
        name: (lambda value: value.lower() in {"0", "1", "true", "false"}, "0, 1, true or false")
        for name in SWITCHES
    },
    **{
        f"read{read}umi{what}": (lambda value: _is_number(value), "a number")
        for read in (1, 2)
        for what in ("length", "startfromcycle")
    },
}
"""What a setting may be, by its name without signs (BCL Convert and bcl2fastq2 guides)."""


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) < 6


def _values(case: Case) -> Iterator[tuple[str, str, Setting, int, str]]:
    """(name, its plain form, the setting, line, value) of each value that is given."""
    for name, setting in case.sheet.settings.items():
        for line, value in dict.fromkeys(setting.values):
            if value:
                yield name, plain(name), setting, line, value


def _place(setting: Setting) -> int:
    return setting.column or 2


def _mismatches(case: Case) -> Iterator[Fault]:
    for name, key, setting, line, value in _values(case):
        if key in MISMATCH_SETTINGS and not (
            value.lower() in NO_MISMATCHES or value in {"0", "1", "2"}
        ):
            message = f"expected {name} 0, 1 or 2, found {value[:20]!r}"
            yield Fault(line, _place(setting), message, "correct it")


def _value(case: Case) -> Iterator[Fault]:
    for name, key, setting, line, value in _values(case):
        if key in SWITCHES and case.sheet.version == 1 and value.lower() in LETTERS:
            continue
        if key in _VALUES and not _VALUES[key][0](value):
            message = f"expected {name[:40]} {_VALUES[key][1]}, found {value[:20]!r}"
            yield Fault(line, _place(setting), message, "correct it, or leave the setting out")


def _near(case: Case) -> Iterator[Fault]:
    for name, setting in case.sheet.settings.items():
        if found := _meant(plain(name)):
            message = f"setting {name[:40]!r} is not known"
            yield Fault(setting.line, 1, message, f"is {found} meant, without its signs?")


def _unknown(case: Case) -> Iterator[Fault]:
    if case.sheet.version != 2:
        return
    for name, setting in case.sheet.settings.items():
        if plain(name) and plain(name) not in KNOWN and not _meant(plain(name)):
            yield Fault(
                setting.line,
                1,
                f"setting {name[:40]!r} is not known, at which BCL Convert ends",
                "remove it, if it is not of a newer version",
            )


def _meant(key: str) -> str:
    """The known setting that a name is near to; empty if it is known or near to none."""
    if key in KNOWN:
        return ""
    return next((known for known in sorted(KNOWN) if is_near(key, known, 2)), "")


def _adapter_letters(case: Case) -> Iterator[Fault]:
    for name, key, setting, line, value in _values(case):
        if key in _ADAPTERS and not re.fullmatch(r"[ACGT]+(\+[ACGT]+)*", value):
            yield Fault(
                line,
                _place(setting),
                f"expected {name[:40]} of A, C, G and T, found {value[:40]!r}",
                "write adapters in capital letters, with + between several",
            )


def _adapter_long(case: Case) -> Iterator[Fault]:
    reads = case.run.template_reads
    for name, key, setting, line, value in _values(case):
        place = _ADAPTERS.get(key, len(reads))
        longest = max(map(len, value.split("+")))
        if place < len(reads) and longest > reads[place].cycles:
            yield Fault(
                line,
                _place(setting),
                f"{name[:40]} has {longest} bases, the read {reads[place].cycles} cycles",
                "write the beginning of the adapter, as the kit's guide gives it",
            )


def _read_2(case: Case) -> Iterator[Fault]:
    if len(case.run.template_reads) > 1:
        return
    for name, key, setting, line, _ in _values(case):
        if key in _READ_2:
            yield Fault(
                line,
                _place(setting),
                f"{name[:40]} is given, but the run has no second read",
                "remove it, or find the sheet of this run",
            )


def _umi_length(case: Case) -> Iterator[Fault]:
    values = {key: (line, value) for _, key, _, line, value in _values(case) if _is_number(value)}
    for place, read in enumerate(case.run.template_reads, start=1):
        line, length = values.get(f"read{place}umilength", (0, "0"))
        start = int(values.get(f"read{place}umistartfromcycle", (0, "1"))[1])
        if int(length) and start - 1 + int(length) >= read.cycles:
            yield Fault(
                line,
                2,
                f"a UMI of {length} cycles from cycle {start} leaves nothing of read {place},"
                f" which has {read.cycles} cycles",
                "correct its length, or its first cycle",
            )


RULES = (
    Rule(
        "sheet.mismatches",
        Severity.ERROR,
        Needs.SHEET,
        "Mismatches of an index are not 0, 1 or 2.",
        "Illumina Knowledge 2326: 0, 1 (the default) or 2",
        _mismatches,
    ),
    Rule(
        "sheet.setting_value",
        Severity.ERROR,
        Needs.SHEET,
        "A setting has a value that it cannot have.",
        "BCL Convert guide, Sample Sheet: the values of each setting",
        _value,
    ),
    Rule(
        "sheet.setting_near",
        Severity.ERROR,
        Needs.SHEET,
        "A setting is misspelt, so that a converter passes over it.",
        "GenomiqueENS/aozan#22: 'unrecognized setting 'MismatchCount' with value '0' (ignoring)',"
        " and then other mismatches than were meant",
        _near,
    ),
    Rule(
        "sheet.setting_unknown",
        Severity.WARNING,
        Needs.SHEET,
        "A sheet of version 2 has a setting that no converter is known to have.",
        "BCL Convert guide, Sample Sheet: unrecognized settings of version 2 end the conversion",
        _unknown,
    ),
    Rule(
        "sheet.adapter_letters",
        Severity.ERROR,
        Needs.SHEET,
        "An adapter holds something else than A, C, G and T.",
        "BCL Convert guide, Sample Sheet: allowed are A, T, C, G, and + between adapters",
        _adapter_letters,
    ),
    Rule(
        "sheet.adapter_long",
        Severity.WARNING,
        Needs.RUN,
        "An adapter is longer than its read.",
        "NextSeq 1000/2000, Sample Sheet v2 Settings, as lit-regensburg/samshee has it: an adapter"
        " is no longer than its read",
        _adapter_long,
    ),
    Rule(
        "sheet.read2_missing",
        Severity.WARNING,
        Needs.RUN,
        "A setting of the second read stands in the sheet of a run without one.",
        "NextSeq 1000/2000, Sample Sheet v2 Settings, as lit-regensburg/samshee has it:"
        " AdapterRead2 needs Read2Cycles",
        _read_2,
    ),
    Rule(
        "sheet.umi_length",
        Severity.ERROR,
        Needs.RUN,
        "A UMI is as long as its read, or longer.",
        "CGATOxford/UMI-tools#424: a read that is shorter than the pattern of its UMI ends the"
        " extraction",
        _umi_length,
    ),
)
