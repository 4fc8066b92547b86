"""Each rule has a sheet that breaks it alone, and one that just keeps it."""

import re
from dataclasses import dataclass

import pytest

from arteriole.illumina.errors import SampleSheetError
from arteriole.illumina.run_info import Layout, Read, RunInfo
from arteriole.illumina.sample_sheet import SampleSheet, parse
from arteriole.illumina.sheet_check import NO_SITE_RULES, RULES, SiteRules, check
from arteriole.illumina.sheet_rules.rule import Needs
from arteriole.illumina.site_metadata import Expected, SiteMetadata

READS = (Read(1, 50, False), Read(2, 8, True), Read(3, 8, True), Read(4, 50, False))
TURNED = (*READS[:2], Read(3, 8, True, True), READS[3])
LONG_I5 = (*READS[:2], Read(3, 10, True), READS[3])


def run(reads=READS, lanes=2, instrument="M00001", flowcell="000000000-ABCDE"):
    tiles = dict.fromkeys(range(1, lanes + 1), (1101,))
    layout = Layout(lanes, 1, 1, 1)
    return RunInfo("260301_x", 1, flowcell, instrument, "260301", reads, layout, tiles)


RUN = run()
NOVASEQ = run(instrument="A00001")
SINGLE = run(READS[:2])
NO_INDEX = run(READS[:1])
ONE_READ = run(READS[:3])


def data(rows, columns="Sample_ID,index,index2"):
    return f"[Data]\n{columns}\n{rows}\n"


A, B = "A,ACGTACGT,CAGTCAGT", "B,TGCATGCA,GTCAGTCA"
GOOD = data(f"{A}\n{B}")
IDS = "Sample_ID,Sample_Name,Sample_Project,index,index2"


def v1(settings="", header="", reads="", rows=f"{A}\n{B}", columns="Sample_ID,index,index2"):
    parts = [f"[Header]\n{header}\n", f"[Reads]\n{reads}\n", f"[Settings]\n{settings}\n"]
    return "".join(parts) + data(rows, columns)


V2 = (
    "[Header]\nFileFormatVersion,2\nRunName,Pool 7\n[Reads]\nRead1Cycles,50\nRead2Cycles,50\n"
    "Index1Cycles,8\nIndex2Cycles,8\n[BCLConvert_Settings]\nSoftwareVersion,4.2.7\n"
    f"[BCLConvert_Data]\nSample_ID,Index,Index2\n{A}\n{B}\n"
)


def v2(old="", new=""):
    assert old in V2
    return V2.replace(old, new)


def names(one, other="B"):
    """Two samples with these names; the ID of the first can be told from its project."""
    return data(f"{one},ACGTACGT,CAGTCAGT\n{other},TGCATGCA,GTCAGTCA")


def projects(one, other):
    rows = f"A,,{one},ACGTACGT,CAGTCAGT\nB,,{other},TGCATGCA,GTCAGTCA"
    return data(rows, IDS)


def masks(text, i7="ACGTACGT", i5="CAGTCAGT"):
    return v1(f"OverrideCycles,{text}", rows=f"A,{i7},{i5}")


def own_masks(one, other):
    rows = f"A,ACGTACGT,CAGTCAGT,{one}\nB,TGCATGCA,GTCAGTCA,{other}"
    return data(rows, "Sample_ID,index,index2,OverrideCycles")


@dataclass(frozen=True)
class Row:
    breaks: str | bytes
    keeps: str | bytes
    run: RunInfo | None = RUN
    site: SiteRules = NO_SITE_RULES


def site(sheet, kept, **rules):
    compiled = {
        name: re.compile(rule) if isinstance(rule, str) else rule for name, rule in rules.items()
    }
    return Row(sheet, kept, site=SiteRules(**compiled))


LANES = "Lane,Sample_ID,index,index2"


def metadata(sheet, kept, *rows):
    """With a site's metadata: rows as the fields of Expected."""
    samples = {row[0]: (Expected(*row, where="x.csv line 2"),) for row in rows}
    return Row(sheet, kept, site=SiteRules(metadata=SiteMetadata(samples)))


ROWS = {
    # the reader
    "sheet.empty": Row("\n,,\n", GOOD),
    "sheet.too_large": Row("[x]\n" * 1001 + GOOD, "[Pipeline_Data]\n" * 999 + GOOD),
    "sheet.encoding": Row(b"[Data]\nSample_ID\nA\x81\n", GOOD),
    "sheet.control_character": Row(GOOD.replace("A,", "A\x08,"), GOOD),
    "sheet.quotes": Row(GOOD.replace("A,", '"A,', 1), GOOD.replace("A,", '"A",', 1)),
    "sheet.semicolons": Row(GOOD.replace(A, "A;ACGTACGT;CAGTCAGT"), GOOD),
    "sheet.tabs": Row(GOOD.replace(A, "A\tACGTACGT\tCAGTCAGT"), GOOD),
    "sheet.section": Row(GOOD.replace("[Data]", "[Data],x"), GOOD.replace("[Data]", "[Data],,")),
    "sheet.section_missing": Row(GOOD.removeprefix("[Data]\n"), GOOD),
    "sheet.section_twice": Row("[Header]\n[header]\n" + GOOD, "[Header]\n" + GOOD),
    "sheet.section_unknown": Row("[Haeder]\n" + GOOD, "[Contact]\n" + GOOD),
    "sheet.versions_mixed": Row(V2 + GOOD, V2 + "[Settings]\n"),
    "sheet.data_missing": Row("[Header]\nDate,1\n", GOOD),
    "sheet.version": Row(v1(header="FileFormatVersion,3"), v1(header="FileFormatVersion,2")),
    "sheet.index_orientation": Row(
        v1(header="IndexOrientation,ReverseComplement"), v1(header="IndexOrientation,Forward")
    ),
    "sheet.setting_twice": Row(v1("TrimUMI,0\ntrim_umi,0"), v1("TrimUMI,0")),
    "sheet.reads": Row(v1(reads="fifty"), v1(reads="50\n50")),
    "sheet.sample_id_missing": Row(data("A", "Sample_Name"), GOOD),
    "sheet.column_twice": Row(data(f"A,{A}", "Sample_ID,SampleID,index,index2"), GOOD),
    "sheet.column_unknown": Row(
        data(A, "Sample_ID,index,idnex2"), data(A, "Sample_ID,Index,INDEX2")
    ),
    "sheet.column_unnamed": Row(
        data(A + ",x", "Sample_ID,index,index2,"), data(A + ",", "Sample_ID,index,index2,")
    ),
    "sheet.row_length": Row(data(A + ",more"), data(A + ",")),
    "sheet.lane": Row(
        data(f"1+2,{A}", "Lane,Sample_ID,index,index2"),
        data(f",{A}", "Lane,Sample_ID,index,index2"),
    ),
    # the sheet as a whole
    "sheet.encoding_guessed": Row(
        v1(header="Investigator,J\xf6rg").encode("cp1252"), v1(header="Investigator,Jorg")
    ),
    "sheet.utf16": Row(GOOD.encode("utf-16"), GOOD.encode("utf-8-sig")),
    "sheet.separator": Row(GOOD.replace(",", ";"), GOOD),
    "sheet.header_missing": Row("Date,3/1/2026\n" + GOOD, "[Header]\nDate,3/1/2026\n" + GOOD),
    "sheet.comments": Row("# by hand\n" + GOOD, "\n" + GOOD),
    "sheet.blanks": Row(GOOD.replace("A,", "A ,", 1), GOOD),
    "sheet.not_ascii": Row(v1(header="Investigator,J\xf6rg"), v1(header="Investigator,Jorg")),
    "sheet.reads_zero": Row(
        v1(reads="Read1Cycles,50\nRead2Cycles,0"), v1(reads="Read1Cycles,50"), run=ONE_READ
    ),
    "sheet.section_ignored": Row("[Freezer]\n" + GOOD, "[Contact]\n" + GOOD),
    "sheet.column_ignored": Row(
        data(A + ",1", "Sample_ID,index,index2,Freezer"),
        data(A + ",1", "Sample_ID,index,index2,Well"),
    ),
    "sheet.section_required": Row(
        v2("[Reads]\nRead1Cycles,50\nRead2Cycles,50\nIndex1Cycles,8\nIndex2Cycles,8\n"), V2
    ),
    "sheet.version_missing": Row(v2("FileFormatVersion,2\n"), V2),
    "sheet.run_name": Row(v2("Pool 7", "Pool/7"), v2("Pool 7", "Pool_7-b")),
    "sheet.software_version": Row(v2("SoftwareVersion,4.2.7\n"), V2),
    # names
    "sheet.no_samples": Row(data(""), GOOD),
    "sheet.sample_id_empty": Row(names(""), names("A")),
    "sheet.name_characters": Row(names("A.1"), names("A-1")),
    "sheet.name_length": Row(names("A" * 101), names("A" * 100)),
    "sheet.name_reserved": Row(names("Undetermined"), names("Undetermined1")),
    "sheet.name_date": Row(names("1-Mar"), names("1-Marc")),
    "sheet.names_alike": Row(names("S-1", "S_1"), names("S-1", "S_2")),
    "sheet.projects_alike": Row(
        projects("Cardio_2026", "Cadrio_2026"), projects("Cardio_2026", "Cardio_2027")
    ),
    # rows of one sample
    "sheet.sample_duplicate": Row(data(f"{A}\n{A}"), GOOD),
    "sheet.sample_indexes": Row(data(f"{A}\n{B}".replace("B,", "A,")), GOOD),
    "sheet.sample_index_differs": Row(
        data(f"1,{A}\n2,{B}".replace("B,", "A,"), "Lane,Sample_ID,index,index2"),
        data(f"1,{A}\n2,{A}", "Lane,Sample_ID,index,index2"),
    ),
    "sheet.sample_differs": Row(
        data("1,A,p,ACGTACGT\n2,A,q,ACGTACGT", "Lane,Sample_ID,Sample_Project,index"),
        data("1,A,p,ACGTACGT\n2,A,p,ACGTACGT", "Lane,Sample_ID,Sample_Project,index"),
    ),
    "sheet.sample_case": Row(names("a1", "A1"), names("a1", "A2")),
    "sheet.sample_name_twice": Row(
        data("A,x,p,ACGTACGT,CAGTCAGT\nB,x,p,TGCATGCA,GTCAGTCA", IDS),
        data("A,x,p,ACGTACGT,CAGTCAGT\nB,x,q2,TGCATGCA,GTCAGTCA", IDS),
    ),
    # lanes
    "sheet.lane_missing": Row(
        data(f"1,{A}\n2,{B}\n,C,GATTACAG,TTGACCTA", "Lane,Sample_ID,index,index2"),
        data(f"1,{A}\n2,{B}\n2,C,GATTACAG,TTGACCTA", "Lane,Sample_ID,index,index2"),
    ),
    "sheet.lane_unknown": Row(
        data(f"1,{A}\n2,{B}\n3,C,GATTACAG,TTGACCTA", "Lane,Sample_ID,index,index2"),
        data(f"1,{A}\n2,{B}", "Lane,Sample_ID,index,index2"),
    ),
    "sheet.lane_unused": Row(
        data(f"1,{A}", "Lane,Sample_ID,index,index2"),
        data(f"1,{A}\n2,{A}", "Lane,Sample_ID,index,index2"),
    ),
    "sheet.lane_no_index": Row(data("A", "Sample_ID"), data("A,ACGTACGT", "Sample_ID,index")),
    # indexes
    "sheet.index_alphabet": Row(
        data("A,ACGTacgt", "Sample_ID,index"), data("A,ACGTACGT", "Sample_ID,index")
    ),
    "sheet.index_set": Row(
        data("A,SI-GA-A1", "Sample_ID,index"), data("A,ACGTACGT", "Sample_ID,index")
    ),
    "sheet.index_missing": Row(data(f"{A}\nB,,"), GOOD),
    "sheet.index_lengths": Row(data("A,ACGTACGT,CAGTCAGT\nB,TGCATG,GTCAGTCA"), GOOD),
    "sheet.index_not_read": Row(
        data("A,ACGTACGT", "Sample_ID,index"), data("A,", "Sample_ID,index"), run=NO_INDEX
    ),
    "sheet.index_without_read": Row(
        data("A,ACGTACGT\nB,TGCATGCA", "Sample_ID,index"),
        data("A,", "Sample_ID,index"),
        run=NO_INDEX,
    ),
    "sheet.index2_without_read": Row(GOOD, data("A,ACGTACGT,\nB,TGCATGCA,"), run=SINGLE),
    "sheet.index_too_long": Row(data("A,ACGTACGTA,CAGTCAGT"), data("A,ACGTACG,CAGTCAG")),
    "sheet.index_no_call": Row(data("A,ACGTACGN,CAGTCAGT"), data("A,ACGTACG,CAGTCAGT")),
    "sheet.index_homopolymer": Row(data("A,TTTTTTTT,CAGTCAGT"), data("A,TTTTTTTA,CAGTCAGT")),
    "sheet.index_phix": Row(data("A,ACAACGCT,TCTTTCCC"), data("A,ACAACGTT,TCTTTCCC")),
    "sheet.index_duplicate": Row(data(f"{A}\nB,ACGTACGT,CAGTCAGT"), GOOD),
    "sheet.index_collision": Row(
        data(f"{A}\nB,ACGTACCC,CAGTCAGT"), data(f"{A}\nB,ACGTATCC,CAGTCAGT")
    ),
    "sheet.mismatches_collide": Row(
        v1("BarcodeMismatchesIndex1,2", rows=f"{A}\nB,ACGTATCC,CAGTCAGT"),
        v1("BarcodeMismatchesIndex1,2", rows=f"{A}\nB,ATTATTCC,CAGTCAGT"),
    ),
    "sheet.index_dark": Row(
        data("A,AGGGGGGG,GGGGTGGG\nB,TCATCATA,CATCATCA"),
        data("A,AGGGGGGC,GGGGTGGG\nB,TCATCATA,CATCATCA"),
        run=NOVASEQ,
    ),
    "sheet.index_start": Row(
        data("A,GGTACATA,CATCATCA\nB,GGACATAC,TCATCATC"),
        data("A,GGTACATA,CATCATCA\nB,GCACATAC,TCATCATC").replace("A,GG", "A,TG"),
        run=NOVASEQ,
    ),
    "sheet.index_balance": Row(
        data("A,TAGACATA,CATCATCA\nB,ACGCATAC,TCATCATC"),
        data("A,TAGACATA,CATCATCA\nB,ACTCATAC,TCATCATC"),
        run=NOVASEQ,
    ),
    # cycles
    "sheet.reads_differ": Row(v1(reads="75\n75"), v1(reads="50\n50")),
    "sheet.override_form": Row(masks("50Y;8I;8I;50Y"), masks("Y50;I8;I8;Y50")),
    "sheet.override_cycles": Row(masks("Y49;I8;I8;Y50"), masks("N1Y49;I8;I8;Y50")),
    "sheet.override_reads": Row(
        v1("OverrideCycles,Y50;I8;I8;Y50", reads="50\n49", rows=A),
        v1("OverrideCycles,Y50;I8;I8;Y50", reads="50\n50", rows=A),
        run=None,
    ),
    "sheet.override_index": Row(masks("Y50;I7N1;I8;Y50"), masks("Y50;I7N1;I8;Y50", "ACGTACG")),
    "sheet.override_direction": Row(
        masks("Y50;I8;N2I8;Y50"), masks("Y50;I8;I8N2;Y50"), run=run(LONG_I5)
    ),
    "sheet.umi_lengths": Row(
        own_masks("Y50;I8;I8;Y50", "U5Y45;I8;I8;Y50"),
        own_masks("U5Y45;I8;I8;Y50", "U5Y45;I8;I8;Y50"),
    ),
    # settings
    "sheet.mismatches": Row(v1("BarcodeMismatchesIndex1,3"), v1("BarcodeMismatchesIndex1,1")),
    "sheet.setting_value": Row(v1("AdapterStringency,90"), v1("AdapterStringency,0.9")),
    "sheet.setting_near": Row(v1("AdaptorRead1,ACGT"), v1("Adapter_Read_1,ACGT")),
    "sheet.setting_unknown": Row(
        v2("SoftwareVersion", "Freezer,7\nSoftwareVersion"),
        v2("SoftwareVersion", "CombineLanes,1\nSoftwareVersion"),
    ),
    "sheet.adapter_letters": Row(v1("Adapter,ACGN"), v1("Adapter,ACG+TTT")),
    "sheet.adapter_long": Row(v1("Adapter," + "AC" * 26), v1("Adapter," + "AC" * 25)),
    "sheet.read2_missing": Row(v1("AdapterRead2,ACGT"), v1("AdapterRead1,ACGT"), run=ONE_READ),
    "sheet.umi_length": Row(
        v1("Read1UMILength,45\nRead1UMIStartFromCycle,6"),
        v1("Read1UMILength,44\nRead1UMIStartFromCycle,6"),
    ),
    # the run
    "sheet.flowcell_differs": Row(v1(header="Flowcell,ABCDF"), v1(header="Flowcell,ABCDE")),
    "sheet.instrument_differs": Row(
        v1(header="Instrument Type,NextSeq"), v1(header="Instrument Type,MiSeq")
    ),
    "sheet.date_far": Row(v1(header="Date,11/30/2025"), v1(header="Date,12/2/2025")),
    # the site
    "sheet.site_sample_id": site(GOOD, names("AA1", "AA2"), sample_id=r"AA\d"),
    "sheet.site_project": site(projects("x", "P1"), projects("P1", "P2"), project=r"P\d"),
    "sheet.project_unknown": site(
        projects("P1", "P3"), projects("P1", "P2"), projects=frozenset({"P1", "P2"})
    ),
    "sheet.control_missing": site(GOOD, names("NTC1"), controls=r"NTC\d"),
    "sheet.metadata_unreadable": Row(
        names("NTC1"),
        names("NTC1", "NTC2"),
        site=SiteRules(controls=re.compile(r"NTC\d"), metadata=SiteMetadata(trouble="x.csv: gone")),
    ),
    "sheet.metadata_unknown": metadata(names("A1"), names("A"), ("A",), ("B",)),
    "sheet.metadata_project": metadata(
        projects("P1", "P3"), projects("P1", "P2"), ("A", "P1"), ("B", "P2")
    ),
    "sheet.metadata_index": metadata(
        GOOD.replace("CAGTCAGT", "CAGTCAGG"),
        GOOD,
        ("A", "", "", None, "ACGTACGTAA", "ACTGACTG"),
        ("B",),
    ),
    "sheet.metadata_lane": metadata(
        data(f"1,{B}\n2,{A}", LANES),
        data(f"1,{A}\n2,{B}", LANES),
        ("A", "", "", 1),
        ("B", "", "", 2),
    ),
    "sheet.metadata_missing": metadata(
        data(A), GOOD, ("A",), ("B", "", "ABCDE"), ("C", "", "OTHER")
    ),
}
#: Files, not sheets: test_sample_sheet.py has them.
OF_FILES = {"sheet.unreadable"}


def codes(sheet, row):
    try:
        parsed = parse(sheet if isinstance(sheet, bytes) else sheet.encode())
    except SampleSheetError as err:
        return [err.code]
    return sorted({finding.code for finding in check(parsed, row.run, site=row.site)})


def test_every_rule_has_its_row():
    assert {rule.code for rule in RULES} == {*ROWS, *OF_FILES}
    assert len(RULES) == len({rule.code for rule in RULES}) > 90


@pytest.mark.parametrize("code", ROWS)
def test_a_sheet_breaks_one_rule_alone(code):
    assert codes(ROWS[code].breaks, ROWS[code]) == [code]


@pytest.mark.parametrize("code", ROWS)
def test_a_sheet_just_keeps_the_rule(code):
    assert codes(ROWS[code].keeps, ROWS[code]) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_says_what_it_would_have_caught(rule):
    assert re.fullmatch(r"sheet\.[a-z0-9_]+", rule.code)
    assert rule.what.endswith(".") and len(rule.failure) > 20
    row = ROWS.get(rule.code)
    if row is not None and rule.find is None:
        with pytest.raises(SampleSheetError):
            parse(row.breaks if isinstance(row.breaks, bytes) else row.breaks.encode())


@pytest.mark.parametrize("code", [rule.code for rule in RULES if rule.needs is Needs.RUN])
def test_a_rule_of_the_run_waits_for_the_run(code):
    row = ROWS[code]
    assert code not in codes(row.breaks, Row(row.breaks, row.keeps, run=None))


def test_a_sample_of_several_indexes_with_masks_of_its_own():
    """The rows of a 10x set, and libraries of two index lengths, in one sheet of BCL Convert."""
    sheet = parse(
        b"[BCLConvert_Data]\nSample_ID,index,index2,OverrideCycles\n"
        b"A,CTGACGCG,,Y50;I8;N8;Y50\nA,GGTCGTAC,,Y50;I8;N8;Y50\nB,TCCTTC,AAGTCAGT,Y50;I6N2;I8;Y50\n"
    )
    found = {finding.code for finding in check(sheet, RUN) if finding.severity.value == "error"}
    assert found == set()
    assert isinstance(sheet, SampleSheet)


@pytest.mark.parametrize(
    ("text", "found"),
    [("R1:Y50;R2:Y50;I2:I7N1;I1:I8", True), ("R1:Y50;R2:Y50;I2:N1I7;I1:I8", False)],
)
def test_which_mask_is_of_the_i5_is_told_by_its_name(text, found):
    sheet = parse(masks(text, i5="CAGTCAG").encode())
    codes = {finding.code for finding in check(sheet, run(TURNED))}
    assert ("sheet.override_direction" in codes) is found


def test_mixed_lengths_are_compared_over_the_shorter_from_the_end_where_the_run_is_turned():
    rows = "A,ACGTACGT,CAGTCAGT,Y50;I8;I8;Y50\nB,ACGTACGT,GTCAGT,Y50;I8;N2I6;Y50"
    sheet = parse(data(rows, "Sample_ID,index,index2,OverrideCycles").encode())
    straight, turned = (check(sheet, run(reads)) for reads in (READS, TURNED))
    assert "sheet.index_collision" not in {finding.code for finding in straight}
    assert "sheet.index_collision" in {finding.code for finding in turned}


@pytest.mark.parametrize(
    ("i7", "reads", "dark"),
    [("GGGGGGGG", READS, True), ("CCCCCCCC", READS, False)],
)
def test_an_i5_is_dark_as_it_is_read(i7, reads, dark):
    sheet = parse(data(f"A,{i7},CCCCCCCT\nB,TCATCATA,ATCATCAT").encode())
    found = {finding.code for finding in check(sheet, run(TURNED, instrument="A00001"))}
    assert ("sheet.index_dark" in found) is dark


@pytest.mark.parametrize(
    ("said", "day", "far"),
    [
        ("2026-03-01", "260301", False),
        ("3/1/2026", "260301", False),
        ("1/3/2026", "20260301", False),
        ("01.03.26", "2026-03-01T10:00:00Z", False),
        ("20250301", "260301", True),
        ("March", "260301", False),
        ("31/31/2026", "260301", False),
        ("1/3/2026", "3/1/2026 10:15:00 AM", False),
    ],
)
def test_dates_are_read_in_every_way_that_they_may_mean(said, day, far):
    sheet = parse(v1(header=f"Date,{said}").encode())
    info = RunInfo("260301_x", 1, "A", "M1", day, READS, Layout(1, 1, 1, 1), {1: (1101,)})
    assert ("sheet.date_far" in {finding.code for finding in check(sheet, info)}) is far


@pytest.mark.parametrize(
    ("said", "of_run", "differs"),
    [
        ("ABCDE", "000000000-ABCDE", False),
        ("000000000-ABCDE", "ABCDE", False),
        ("BHH5VTCCXX", "HH5VTCCXX", False),
        ("hh5vtccxx", "HH5VTCCXX", False),
        ("CHH5VTCCXX", "HH5VTCCXX", True),
        ("HH5VTCCXY", "HH5VTCCXX", True),
    ],
)
def test_a_flow_cell_may_be_written_with_its_side_or_zeros(said, of_run, differs):
    sheet = parse(f"FCID,Lane,SampleID,Index\n{said},1,A,ACGTACGT\n{said},2,B,TGCATGCA\n".encode())
    found = {finding.code for finding in check(sheet, run(flowcell=of_run))}
    assert found == ({"sheet.flowcell_differs"} if differs else set())


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Project_7043_CU", "Project_7043_CV", False),
        ("Project_7043", "Project_7043_S", False),
        ("Project_7043_CU", "Project_7043_cu", True),
        ("Project_7043_CU", "Proyect_7043_CU", True),
    ],
)
def test_letters_at_the_end_tell_projects_apart(one, other, alike):
    found = {finding.code for finding in check(parse(projects(one, other).encode()), None)}
    assert ("sheet.projects_alike" in found) is alike


def test_the_kit_of_a_flow_cell_is_not_its_name():
    sheet = parse(v1(header="FlowCell,Patterned S4 Kit 200 cycles").encode())
    assert check(sheet, RUN) == ()


@pytest.mark.parametrize(
    ("said", "instrument", "differs"),
    [
        ("NovaSeqXSeries", "LH00001", False),
        ("NovaSeq", "A00001", False),
        ("NovaSeq 6000", "LH00001", True),
        ("NextSeq 2000", "VH00001", False),
        ("NextSeq 550", "VH00001", True),
        ("NextSeq 550", "NB500001", False),
        ("NextSeq 550 or NextSeq550Dx", "NDX500001", False),
        ("NextSeq/MiniSeq", "NB500001", False),
        ("NextSeq/MiniSeq", "MN00001", False),
        ("NextSeq/MiniSeq", "M00001", True),
        ("MiSeq", "M00001", False),
        ("A machine", "M00001", False),
    ],
)
def test_a_sheet_names_its_instrument(said, instrument, differs):
    sheet = parse(v1(header=f"InstrumentType,{said}").encode())
    found = {finding.code for finding in check(sheet, run(instrument=instrument))}
    assert ("sheet.instrument_differs" in found) is differs


KNOWN = {
    "A": (Expected("A", "P1", "ABCDE", 1, where="x.csv line 2"),),
    "AB": (Expected("AB", "P1", "ABCDE", where="x.csv line 3"),),
    "FAR": (Expected("FAR", "P1", "OTHER", where="y.csv line 2"),),
}


def _of_metadata(sheet, run_info=RUN):
    findings = check(parse(sheet.encode()), run_info, site=SiteRules(metadata=SiteMetadata(KNOWN)))
    return [(f.code, f.line, f.column, f.message, f.hint) for f in findings if "meta" in f.code]


def test_what_the_metadata_says_is_told_with_place_and_remedy():
    found = _of_metadata(names("FAR", "AC"))
    assert [(code, line, column) for code, line, column, _, _ in found] == [
        ("sheet.metadata_missing", 0, 0),
        ("sheet.metadata_missing", 0, 0),
        ("sheet.metadata_unknown", 3, 1),
        ("sheet.metadata_unknown", 4, 1),
    ]
    assert "on flow cell OTHER" in found[2][3] and found[3][4] in ("is A meant?", "is AB meant?")


def test_before_its_run_no_flow_cell_is_known():
    assert _of_metadata(names("FAR", "A"), None) == []
