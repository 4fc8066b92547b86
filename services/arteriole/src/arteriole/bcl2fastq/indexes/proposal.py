"""The sheet as it would have to be: the same bytes but for the indexes."""

import re
from dataclasses import replace

from arteriole.app.errors import ArterioleError
from arteriole.illumina.observed_indexes import Reading
from arteriole.illumina.sample_sheet import Sample, SampleSheet, parse

_LINE_END = re.compile(rb"\r\n|\r|\n")
#: A field with the commas in its quotes, or without quotes.
_FIELD = re.compile(rb'"(?:[^"]|"")*"|[^,]*')


class ProposalError(ArterioleError):
    """The sheet is so written that its indexes are not to be replaced by a program."""

    code = "indexes.by_hand"


def corrected(data: bytes, reading: Reading) -> bytes:
    """The sheet `data` with every index as `reading` has it.

    Raises:
        ProposalError: what comes of it would not be the same sheet but for the indexes.
        SampleSheetError: `data` is no sheet.
    """
    sheet = parse(data)
    ends = [match.group() for match in _LINE_END.finditer(data)] + [b""]
    lines = _LINE_END.split(data)
    for sample in sheet.samples:
        wanted = _turned(sample, reading)
        if "index2" in sheet.columns:
            cells = {"index": wanted.index, "index2": wanted.index2}
        else:  # CASAVA writes both in one field
            cells = {"index": "-".join(filter(None, (wanted.index, wanted.index2)))}
        for name, value in cells.items():
            if name in sheet.columns and value:
                place = sheet.columns[name] - 1
                lines[sample.line - 1] = _replaced(lines[sample.line - 1], place, value.encode())
    found = b"".join(line + end for line, end in zip(lines, ends, strict=True))
    _compare(found, replace(sheet, samples=tuple(_turned(s, reading) for s in sheet.samples)))
    return found


def _turned(sample: Sample, reading: Reading) -> Sample:
    if not sample.index:
        return sample
    index, index2 = reading.of((sample.index, sample.index2))
    return replace(sample, index=index, index2=index2)


def _replaced(line: bytes, place: int, value: bytes) -> bytes:
    """The line with its field number `place` (from 0) replaced; its quotes and spaces go."""
    start = 0
    for _ in range(place):
        match = _FIELD.match(line, start)
        assert match is not None, "every part matches"
        start = match.end() + 1
    match = _FIELD.match(line, start)
    if start > len(line) or match is None:
        raise _by_hand()
    return line[:start] + value + line[match.end() :]


def _compare(found: bytes, wanted: SampleSheet) -> None:
    """NB: a blank beside an index goes with it, and so does the note that told of it."""
    try:
        same = replace(parse(found), notes=()) == replace(wanted, notes=())
    except ArterioleError:
        same = False
    if not same:
        raise _by_hand()


def _by_hand() -> ProposalError:
    return ProposalError(
        "the sheet is not so written that its indexes can be replaced in it",
        hint="correct the indexes by hand, as the diagnosis says",
    )
