"""What is found in sheets of every shape, and that other readers find the same samples."""

import io
import warnings

import pytest
import sample_sheet
from hypothesis import given, settings
from hypothesis import strategies as st

from arteriole.illumina.errors import SampleSheetError
from arteriole.illumina.run_info import Layout, Read, RunInfo
from arteriole.illumina.sample_sheet import parse
from arteriole.illumina.sheet_check import RULES, Severity, check

from .sheet_corpus import CASES

with warnings.catch_warnings():
    # samshee imports a name that jsonschema is going to drop.
    warnings.simplefilter("ignore", DeprecationWarning)
    from samshee.sectionedsheet import read_sectionedsheet

CODES = {rule.code for rule in RULES}
#: The others take blanks along, as sheet.blanks warns.
READ = [case for case in CASES if not case.errors and "sheet.blanks" not in case.warnings]
READS = (Read(1, 151, False), Read(2, 10, True), Read(3, 10, True, True), Read(4, 151, False))
RUN = RunInfo(
    *("260314_A00001_0001_A", 1, "A", "A00001", "260314", READS, Layout(2, 1, 1, 1)),
    {1: (1101,), 2: (1101,)},
)


def found(data):
    """(codes of errors, codes of warnings, number of samples), before the run."""
    try:
        sheet = parse(data)
    except SampleSheetError as err:
        return {err.code}, set(), 0
    told = check(sheet, None)
    errors, warnings = (
        {finding.code for finding in told if finding.severity is severity}
        for severity in (Severity.ERROR, Severity.WARNING)
    )
    return errors, warnings, len(sheet.samples)


def test_the_corpus_is_not_small():
    assert len(CASES) == len({case.name for case in CASES}) >= 90
    assert {code for case in CASES for code in case.errors | case.warnings} <= CODES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_found_in_a_sheet(case):
    assert found(case.data) == (case.errors, case.warnings, case.samples)


def ours(data):
    return [(s.sample_id, s.index, s.index2) for s in parse(data).samples]


def rows_of(rows):
    """(ID, i7, i5) of the rows of another reader, however it calls them."""
    plain = [
        {"".join(filter(str.isalnum, str(k))).lower(): v for k, v in row.items()} for row in rows
    ]
    return [
        tuple(str(row.get(name) or "") for name in ("sampleid", "index", "index2")) for row in plain
    ]


def of_sample_sheet(data):
    sheet = sample_sheet.SampleSheet(io.StringIO(data.decode()))
    return rows_of(sample.to_json() for sample in sheet.samples)


def of_samshee(data):
    sheet = read_sectionedsheet(io.StringIO(data.decode()))
    return rows_of(sheet["BCLConvert_Data" if "BCLConvert_Data" in sheet else "Data"])


@pytest.mark.parametrize(("reader", "least"), [(of_sample_sheet, 21), (of_samshee, 37)])
def test_other_readers_find_the_same_samples(reader, least):
    """PyPI sample-sheet and samshee, where they can read a sheet that we accept."""
    compared = []
    for case in READ:
        try:
            theirs = reader(case.data)
        except Exception:
            continue
        if any(sample_id for sample_id, _, _ in theirs):
            assert theirs == ours(case.data), case.name
            compared.append(case.name)
    assert len(compared) >= least, (len(compared), compared)


def judged(data):
    """Read and judged in every way, or refused: never anything else."""
    try:
        sheet = parse(data)
    except SampleSheetError as err:
        assert err.code in CODES and str(err)
        return
    for run_info in (None, RUN):
        for finding in check(sheet, run_info):
            assert finding.code in CODES and finding.message


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_judged_or_refused(data):
    judged(data)
    judged(b"[BCLConvert_Settings]\nOverrideCycles,Y151;I8;I8;Y151\n[BCLConvert_Data]\n" + data)


PIECES = st.sampled_from(
    [
        *("", ",", ";", "\t", '"', "\n", "\r\n", "[", "]", "[Data]", "[Reads]", "#", " ", "N"),
        *("Sample_ID", "index2", "Lane", "OverrideCycles", "I8N2", "U9999", "99999", "-1", "0"),
        *("S1", "SI-GA-A1", "ACGT", "GGGGGGGG", "\xa0", "\u202e", "\0", "1/1/1", "31/2/2026"),
    ]
)


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from([case.data for case in CASES]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 12), PIECES), min_size=1, max_size=6),
)
def test_any_change_of_a_sheet_is_judged_or_refused(data, changes):
    for place, length, piece in changes:
        place %= len(data) + 1
        data = data[:place] + piece.encode() + data[place + length :]
    judged(data)
