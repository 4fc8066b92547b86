"""Sheets written anew, and read back as the same samples."""

from dataclasses import replace

import pytest

from arteriole.illumina import cycle_masks, override_cycles, sample_sheet, sheet_text
from arteriole.illumina.run_info import Layout, Read, RunInfo
from arteriole.illumina.sheet_rendering import Rendering, render

V1 = (
    "[Header]\nIEMFileVersion,4\nExperiment Name,EX 1\nDate,1/2/2026\nWorkflow,GenerateFASTQ\n"
    "[Reads]\n8\n8\n[Settings]\n{}[Data]\n"
    "Lane,Sample_ID,Sample_Name,Sample_Plate,I7_Index_ID,index,I5_Index_ID,index2,"
    "Sample_Project,Description\n"
    '1,S1,one,,N701,ACGT,S501,AAAC,P1,"a, b"\n2,S1,one,,N701,ACGT,S501,AAAC,P1,\n'
    "2,S2,S2,,N702,TTTT,S502,CCCC,,\n"
)
V2 = (
    "[Header]\nFileFormatVersion,2\nRunName,EX 1\nInstrumentPlatform,NovaSeqXSeries\n"
    "IndexOrientation,Forward\n[Reads]\nRead1Cycles,8\nIndex1Cycles,4\nIndex2Cycles,4\n"
    "Read2Cycles,8\n[BCLConvert_Settings]\nSoftwareVersion,4.2.7\n{}[BCLConvert_Data]\n"
    "Lane,Sample_ID,Index,Index2,Sample_Project{}\n1,S1,ACGT,AAAC,P1{}\n2,S2,TTTT,CCCC,{}\n"
)


def run(*cycles: int, marked: bool = False) -> RunInfo:
    kinds = (False, True, True, False)[: len(cycles)]
    reads = tuple(
        Read(n, count, kind, marked and n == 3)
        for n, (count, kind) in enumerate(zip(cycles or (8, 4, 4, 8), kinds, strict=False), 1)
    )
    if not cycles:
        reads = run(8, 4, 4, 8, marked=marked).reads
    return RunInfo("r1", 1, "FC", "M04034", "", reads, Layout(2, 1, 1, 1), {1: (1,), 2: (1,)})


def v2(settings: str = "", column: str = "", one: str = "", other: str = "") -> str:
    return V2.format(settings, f",{column}" if column else "", f",{one}" if column else "",
                     f",{other}" if column else "")  # fmt: skip


def rendered(text: str, version: int, info: RunInfo | None = None, **options) -> Rendering:
    source = sheet_text.read(text.encode())
    sheet = sample_sheet.parse(text.encode())
    return render(sheet, info or run(), version, source=source, **options)


def samples(text: str) -> list[sample_sheet.Sample]:
    found = sample_sheet.parse(text.encode()).samples
    return [replace(sample, line=0, description="", flowcell="") for sample in found]


def settings(rendering: Rendering) -> dict[str, str]:
    found = sample_sheet.parse(rendering.text.encode()).settings
    return {name: setting.value for name, setting in found.items()}


CASAVA = "FCID,Lane,SampleID,SampleRef,Index\nFC,1,S1,hg19,ACGT-AAAC\nFC,2,S2,hg19,TTTT-CCCC\n"
NO_LANES = "[Data]\nSample_ID,index,index2\nS1,ACGT,AAAC\nS2,TTTT,CCCC\n"
NO_INDEX = "[Data]\nSample_ID\nS1\n"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("text", [V1.format(""), v2(), CASAVA, NO_LANES, NO_INDEX])
def test_what_is_rendered_reads_as_the_same_samples(text, version):
    found = rendered(text, version)
    back = sample_sheet.parse(found.text.encode())
    assert samples(found.text) == samples(text)
    assert (back.version, back.notes) == (version, ())
    assert back.reads == (8, 8)
    again = rendered(found.text, version)
    assert again.text == found.text
    other = rendered(rendered(text, 3 - version).text, version)
    assert samples(other.text) == samples(text)
    assert ("column FCID" in [left.what for left in found.left_out]) is (text is CASAVA)


def test_what_is_left_out_is_named():
    found = rendered(V1.format("ReverseComplement,0\nVariantCaller,GATK\n"), 2)
    assert [str(left) for left in found.left_out] == [
        "[Header] Date", "[Header] Workflow",
        "line 10: setting ReverseComplement", "line 11: setting VariantCaller",
        "line 13: column I7_Index_ID", "line 13: column I5_Index_ID",
        "line 14: column Description",
    ]  # fmt: skip
    assert found.losses == ()
    found = rendered(v2(), 1)
    assert [str(left) for left in found.left_out] == [
        *("[Header] InstrumentPlatform", "[Header] IndexOrientation"),
        "line 12: setting SoftwareVersion",
    ]
    assert "RunName,EX 1" in rendered(V1.format(""), 2).text
    assert "Experiment Name,EX 1" in found.text


def test_a_sheet_of_its_own_version_keeps_its_header_but_for_the_direction():
    text = rendered(v2(), 2).text
    assert "InstrumentPlatform,NovaSeqXSeries" in text and "IndexOrientation" not in text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Adapter,CTGT\n", {"AdapterRead1": "CTGT", "AdapterRead2": "CTGT"}),
        ("TrimAdapter,CTGT\n", {"AdapterRead1": "CTGT", "AdapterRead2": "CTGT"}),
        ("Adapter,CTGT\nAdapterRead2,AGAT+ACGT\n",
         {"AdapterRead1": "CTGT", "AdapterRead2": "AGAT+ACGT"}),
        ("AdapterRead2,AGAT\n", {"AdapterRead2": "AGAT"}),
        ("MaskAdapter,CTGT\n",
         {"AdapterRead1": "CTGT", "AdapterRead2": "CTGT", "AdapterBehavior": "mask"}),
        ("AdapterRead1,CTGT\n", {"AdapterRead1": "CTGT"}),
        ("TrimUMI,0\nRead1UMILength,3\n", {"TrimUMI": "0", "OverrideCycles": "U3Y5;I4;I4;Y8"}),
        ("Read2StartFromCycle,2\nRead2EndWithCycle,6\n", {"OverrideCycles": "Y8;I4;I4;N1Y5N2"}),
        ("CreateFastqForIndexReads,1\n", {"CreateFastqForIndexReads": "1"}),
        ("OverrideCycles,Y8;I4;I4;Y7N1\n", {"OverrideCycles": "Y8;I4;I4;Y7N1"}),
        ("OverrideCycles,R1:Y8;R2:Y7N1;I1:I4;I2:I4\n", {"OverrideCycles": "Y8;I4;I4;Y7N1"}),
    ],
)  # fmt: skip
def test_settings_of_bcl2fastq_in_the_words_of_bcl_convert(given, expected):
    found = rendered(V1.format(given), 2)
    assert settings(found) == expected
    assert found.losses == ()


@pytest.mark.parametrize(
    "given",
    [
        *("ReverseComplement,1\n", "ExcludeTiles,1101\n", "Unheard,1\n"),
        *("MaskAdapter,CTGT\nTrimAdapterRead2,AGAT\n", "Read1EndWithCycle,x\n"),
    ],
)
def test_settings_that_bcl_convert_does_not_have(given):
    found = rendered(V1.format(given), 2)
    assert [left.what.split()[1] for left in found.losses] == [
        *(line.split(",")[0].lower() for line in given.split() if "Adapter" in given),
        *(line.split(",")[0] for line in given.split() if "Adapter" not in given),
    ]
    assert settings(found) == {}


@pytest.mark.parametrize(
    ("given", "expected", "lost"),
    [
        ("AdapterRead1,CTGT\nAdapterRead2,AGAT\n", {"Adapter": "CTGT", "AdapterRead2": "AGAT"}, 0),
        ("AdapterRead1,C\nAdapterRead2,A\nAdapterBehavior,mask\n",
         {"MaskAdapter": "C", "MaskAdapterRead2": "A"}, 0),
        # bcl2fastq would trim it of both reads
        ("AdapterRead1,CTGT\n", {}, 1),
        ("AdapterStringency,0.9\nMinimumTrimmedReadLength,35\n", {}, 0),
        ("AdapterStringency,0.8\n", {}, 1),
        ("TrimUMI,0\n", {"TrimUMI": "0"}, 0),
        ("OverrideCycles,Y8;I4;I4;Y8\n", {}, 0),
        ("OverrideCycles,R1:Y8;R2:Y8;I1:I4;I2:I4\n", {}, 0),
        ("OverrideCycles,Y7N1;I4;I4;Y8\n", {}, 1),
        ("NoLaneSplitting,true\n", {}, 1),
        ("NoLaneSplitting,false\n", {}, 0),
        ("BarcodeMismatchesIndex1,1\n", {}, 0),
        ("Unheard,1\n", {}, 1),
    ],
)  # fmt: skip
def test_settings_of_bcl_convert_in_the_words_of_bcl2fastq(given, expected, lost):
    found = rendered(v2(given), 1)
    assert settings(found) == expected
    assert len(found.losses) == lost


@pytest.mark.parametrize(
    ("given", "lost"),
    [("TrimUMI,n\n", ["setting TrimUMI"]), ("ReverseComplement,n\n", [])],
)
def test_letters_of_bcl2fastq_are_no_words_of_bcl_convert(given, lost):
    found = rendered(V1.format(given), 2)
    assert settings(found) == {}
    assert [left.what for left in found.losses] == lost


def test_settings_of_samples():
    text = v2("", "AdapterRead2", "AGAT", "")
    assert settings(rendered(text, 2)) == {"AdapterRead2": "AGAT"}
    assert "AdapterRead2\n1,S1,ACGT,AAAC,P1,AGAT\n2,S2,TTTT,CCCC,,\n" in rendered(text, 2).text
    assert [left.what for left in rendered(text, 1).losses] == ["setting AdapterRead2"]


def test_adapters_can_be_left_out():
    found = rendered(V1.format("Adapter,CTGT\nAdapterRead2,AGAT\nTrimUMI,0\n"), 2, trim=False)
    assert settings(found) == {"TrimUMI": "0"}
    assert [left.what for left in found.left_out if "Adapter" in left.what] == [
        *("setting Adapter", "setting AdapterRead2")
    ]


def test_mismatches_are_said_of_indexes_that_are_there():
    both = rendered(NO_LANES, 2, mismatches=(1, 0))
    assert settings(both) == {"BarcodeMismatchesIndex1": "1", "BarcodeMismatchesIndex2": "0"}
    single = rendered("[Data]\nSample_ID,index\nS1,ACGT\n", 2, run(8, 4), mismatches=(1, 1))
    assert settings(single) == {"BarcodeMismatchesIndex1": "1"}
    assert settings(rendered(NO_INDEX, 2, run(8), mismatches=(1, 1))) == {}
    mixed = "[Data]\nLane,Sample_ID,index,index2\n1,S1,ACGT,AAAC\n2,S2,TTTT,\n"
    table = rendered(mixed, 2, mismatches=(1, 1)).text.split("[BCLConvert_Data]\n")[1]
    assert table == (
        "Lane,Sample_ID,Index,Index2,BarcodeMismatchesIndex2,OverrideCycles\n"
        "1,S1,ACGT,AAAC,1,Y8;I4;I4;Y8\n2,S2,TTTT,,na,Y8;I4;N4;Y8\n"
    )


@pytest.mark.parametrize(
    ("marked", "masks"),
    [(False, ["Y8;I8N2;I8N2;Y8", "Y8;I10;I10;Y8"]), (True, ["Y8;I8N2;N2I8;Y8", "Y8;I10;I10;Y8"])],
)
def test_a_short_index_gets_its_mask_in_the_direction_of_the_sheet(marked, masks):
    short = "1,S1,ACGTACGT,AAACAAAC"
    long = "2,S2,ACGTACGTAA,AAACAAACAA"
    info = run(8, 10, 10, 8, marked=marked)
    text = f"[Data]\nLane,Sample_ID,index,index2\n{short}\n"
    one = rendered(text, 2, info)
    assert settings(one) == {"OverrideCycles": masks[0]}
    two = rendered(f"{text}{long}\n", 2, info)
    assert two.text.endswith(f"OverrideCycles\n{short},{masks[0]}\n{long},{masks[1]}\n")
    for mask, length in zip(masks, (8, 10), strict=True):
        found = override_cycles.parse(mask, info)
        reads = zip(info.reads, found, strict=True)
        assert all(one.is_plain(read, length) for read, one in reads)
    assert settings(rendered(f"{text[:27]}{long}\n", 2, info)) == {}


@pytest.mark.parametrize("named", ["Y8;I4N6;U10;Y8", "R1:Y8;R2:Y8;I2:U10;I1:I4N6"])
def test_masks_that_are_said_stay_and_the_others_are_made(named):
    said = v2("", "OverrideCycles", named, "")
    found = rendered(said, 2, run(8, 10, 10, 8))
    assert found.text.endswith(
        "OverrideCycles\n1,S1,ACGT,AAAC,P1,Y8;I4N6;U10;Y8\n2,S2,TTTT,CCCC,,Y8;I4N6;I4N6;Y8\n"
    )


def test_a_whole_mask():
    assert cycle_masks.is_whole("Y8;I4;I4;Y8", run())
    assert not cycle_masks.is_whole("Y8;I4;N4;Y8", run())
