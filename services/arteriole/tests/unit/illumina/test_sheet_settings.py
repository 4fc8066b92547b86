import pytest

from arteriole.illumina.run_info import Layout, Read, RunInfo
from arteriole.illumina.sample_sheet import parse
from arteriole.illumina.sheet_settings import Meaning, allowed_mismatches, meaning

READS = (Read(1, 50, False), Read(2, 10, True), Read(3, 10, True), Read(4, 50, False))
REVERSED = (*READS[:2], Read(3, 10, True, is_reverse_complement=True), READS[3])


def run_info(reads: tuple[Read, ...] = READS) -> RunInfo:
    return RunInfo("260101_M1_1_A", 1, "A", "M1", "260101", reads, Layout(1, 1, 1, 1), {1: (1101,)})


def sheet(setting: str, rows: str = "A,ACGTACGTAC,ACGTACGTAC", column: str = ""):
    settings = f"[Settings]\n{setting}\n" if setting else ""
    return parse(f"{settings}[Data]\nSample_ID,index,index2{column}\n{rows}\n".encode())


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("SoftwareVersion,4.2.4", Meaning.NEUTRAL),
        ("FastqCompressionFormat,gzip", Meaning.NEUTRAL),
        ("FastqCompressionFormat,dragen", Meaning.OTHER),
        ("NoLaneSplitting,false", Meaning.NEUTRAL),
        ("NoLaneSplitting,TRUE", Meaning.OTHER),
        ("CreateFastqForIndexReads,1", Meaning.OTHER),
        ("CreateFastqForIndexReads,y", Meaning.OTHER),
        ("ReverseComplement,No", Meaning.NEUTRAL),
        ("Adapter,", Meaning.NEUTRAL),
        ("AdapterRead1,AGATCGG", Meaning.ADAPTERS),
        ("MaskShortReads,35", Meaning.ADAPTERS),
        ("FlagPCRDuplicates,1", Meaning.NEUTRAL),
        ("LibraryInputVolume,2.5", Meaning.NEUTRAL),
        ("Index2ColumnReverseComplement,Y", Meaning.NEUTRAL),
        ("OverrideReads,Y151;I10;I10r;Y151r", Meaning.OTHER),
        ("FilterPCRDuplicates,0", Meaning.NEUTRAL),
        ("OnlyGenerateFASTQ,1", Meaning.NEUTRAL),
        ("CustomRead1PrimerMix,C1", Meaning.NEUTRAL),
        ("BarcodeMismatchesIndex1,1", Meaning.NEUTRAL),
        ("BarcodeMismatchesIndex2,0", Meaning.MISMATCHES),
        ("BarcodeMismatchesIndex2,na", Meaning.NEUTRAL),
        ("OverrideCycles,Y50;I10;I10;Y50", Meaning.NEUTRAL),
        ("OverrideCycles,Y50;I8N2;I10;Y50", Meaning.OTHER),
        ("OverrideCycles,Y50;I10;N10;Y50", Meaning.OTHER),
        ("OverrideCycles,U5Y45;I10;I10;Y50", Meaning.OTHER),
        ("OverrideCycles,nonsense", Meaning.OTHER),
        ("AdaptorRead1,AGATCGG", Meaning.OTHER),
    ],
)
def test_what_a_setting_asks_for(setting, expected):
    assert meaning(setting.partition(",")[0], sheet(setting), run_info()) is expected


@pytest.mark.parametrize(
    ("mask", "reads", "rows", "expected"),
    [
        ("Y50;I8N2;I8N2;Y50", READS, "A,ACGTACGT,ACGTACGT", Meaning.NEUTRAL),
        ("R1:Y50;R2:Y50;I2:I10;I1:I8N2", READS, "A,ACGTACGT,ACGTACGTAC", Meaning.NEUTRAL),
        ("Y50;I8N2;I8N2;Y50", REVERSED, "A,ACGTACGT,ACGTACGT", Meaning.OTHER),
        ("Y50;I8N2;N2I8;Y50", REVERSED, "A,ACGTACGT,ACGTACGT", Meaning.NEUTRAL),
        ("Y50;I8N2;N2I8;Y50", READS, "A,ACGTACGT,ACGTACGT", Meaning.OTHER),
        ("Y50;N2I8;N2I8;Y50", REVERSED, "A,ACGTACGT,ACGTACGT", Meaning.OTHER),
        ("Y50;I10;I10;Y50", REVERSED, "A,ACGTACGTAC,ACGTACGTAC", Meaning.NEUTRAL),
        ("Y50;I10;N10;Y50", REVERSED, "A,ACGTACGTAC,", Meaning.NEUTRAL),
        ("Y50;I10;N10;Y50", READS, "A,ACGTACGTAC,", Meaning.NEUTRAL),
        ("Y50;N2I8;I10;Y50", READS, "A,ACGTACGT,ACGTACGTAC", Meaning.OTHER),
        ("Y50;I8N2;I10;Y50", READS, "A,ACGTACGT,\nB,ACGTACGTAC,", Meaning.OTHER),
    ],
)
def test_a_mask_is_neutral_where_the_indexes_say_the_same(mask, reads, rows, expected):
    found = meaning("OverrideCycles", sheet(f"OverrideCycles,{mask}", rows), run_info(reads))
    assert found is expected


def test_a_mask_of_each_sample_is_judged_by_its_own_index():
    rows = "A,ACGTACGT,,Y50;I8N2;N10;Y50\nB,ACGTACGTAC,,Y50;I10;N10;Y50"
    both = sheet("", rows, ",OverrideCycles")
    assert meaning("OverrideCycles", both, run_info()) is Meaning.NEUTRAL
    swapped = sheet("", rows.replace("I8N2", "I9N1"), ",OverrideCycles")
    assert meaning("OverrideCycles", swapped, run_info()) is Meaning.OTHER


@pytest.mark.parametrize(
    ("setting", "rows", "column", "expected"),
    [
        ("", "A,ACGT,ACGT", "", (1, 1)),
        ("BarcodeMismatchesIndex2,0", "A,ACGT,ACGT", "", (1, 0)),
        ("", "A,ACGT,ACGT,2\nB,TTTT,ACGT,", ",BarcodeMismatchesIndex1", (2, 1)),
        ("", "A,ACGT,ACGT,2\nB,TTTT,ACGT,0", ",BarcodeMismatchesIndex1", None),
        ("BarcodeMismatchesIndex1,9", "A,ACGT,ACGT", "", None),
        ("", "A,ACGT,,NA\nB,TTTT,ACGT,0", ",BarcodeMismatchesIndex2", (1, 0)),
    ],
)
def test_the_mismatches_that_a_sheet_asks_for(setting, rows, column, expected):
    assert allowed_mismatches(sheet(setting, rows, column)) == expected
