"""Sheets of the shapes that centres have, and what spreadsheets and people do to them.

The shapes were learnt from public sheets and guides; every name and index is made up.
"""

from dataclasses import dataclass

IEM = """[Header],,,,,,,,
IEMFileVersion,5,,,,,,,
Experiment Name,Pool 12,,,,,,,
Date,3/14/2026,,,,,,,
Workflow,GenerateFASTQ,,,,,,,
Application,NovaSeq FASTQ Only,,,,,,,
Instrument Type,NovaSeq,,,,,,,
Assay,Nextera XT,,,,,,,
Index Adapters,"Set A, 96 wells",,,,,,,
Chemistry,Amplicon,,,,,,,
,,,,,,,,
[Reads],,,,,,,,
151,,,,,,,,
151,,,,,,,,
,,,,,,,,
[Settings],,,,,,,,
Adapter,CTGTCTCTTATACACATCT,,,,,,,
,,,,,,,,
[Data],,,,,,,,
Lane,Sample_ID,Sample_Name,Sample_Plate,I7_Index_ID,index,I5_Index_ID,index2,Sample_Project
1,P1-001,P1-001,Plate1,N701,TAAGGCGA,S502,ATAGAGAG,P1
1,P1-002,P1-002,Plate1,N702,CGTACTAG,S503,AGAGGATA,P1
2,P2-001,P2-001,Plate1,N703,AGGCAGAA,S505,CTCCTTAC,P2
"""
MISEQ = """[Header]
IEMFileVersion,4
Investigator Name,A Person
Experiment Name,Amplicons 7
Date,14/03/2026
Workflow,Amplicon - DS
Application,Amplicon - DS
Assay,TruSight
Description,
Chemistry,Amplicon
[Manifests]
A,TruSightManifest.txt
[Reads]
151
151
[Settings]
VariantFilterQualityCutoff,30
outputgenomevcf,FALSE
[Data]
Sample_ID,Sample_Name,Sample_Plate,Sample_Well,I7_Index_ID,index,I5_Index_ID,index2,Manifest
S1,first,Pl,A01,A701,ATCACGAC,A501,TGAACCTT,A
S2,second,Pl,A02,A702,ACAGTGGT,A502,TGCTAAGT,A
"""
BCL2FASTQ = """[Data]
Lane,SampleID,SampleName,index,index2,Project
1,S1,S1,TTACCGAC,CGAATACG,run12
2,S2,S2,TCGTCTGA,GTCCTTGA,run12
"""
CASAVA = """FCID,Lane,SampleID,SampleRef,Index,Description,Control,Recipe,Operator,SampleProject
HABCDEFXX,1,S1,hg19,ACAGTGAC,first,N,R1,ap,P1
HABCDEFXX,1,S2,hg19,CGATGTAC,second,N,R1,ap,P1
HABCDEFXX,2,S3,hg19,TTAGGCAC,third,N,R1,ap,P2
"""
CASAVA_DUAL = (
    CASAVA.replace("ACAGTGAC", "ACAGTGAC-TTGACCTA")
    .replace("CGATGTAC", "CGATGTAC-GATCCAGT")
    .replace("TTAGGCAC", "TTAGGCAC-CCTAGGTA")
)
V2 = """[Header],,,,
FileFormatVersion,2,,,
RunName,Pool_31,,,
InstrumentPlatform,NextSeq1000_2000,,,
InstrumentType,NextSeq2000,,,
,,,,
[Reads],,,,
Read1Cycles,151,,,
Read2Cycles,151,,,
Index1Cycles,10,,,
Index2Cycles,10,,,
,,,,
[BCLConvert_Settings],,,,
SoftwareVersion,4.2.7,,,
AdapterRead1,CTGTCTCTTATACACATCT,,,
BarcodeMismatchesIndex1,1,,,
BarcodeMismatchesIndex2,1,,,
,,,,
[BCLConvert_Data],,,,
Lane,Sample_ID,Index,Index2,Sample_Project
1,S1,CGATAGCAGG,AATGCTACGA,P1
1,S2,ACCGACGTGA,CATGACCGTT,P1
1,S3,TTCTGTAGAA,GGCTTACGTC,P2
"""
NOVASEQ_X = """[Header]
FileFormatVersion,2
RunName,x31
InstrumentPlatform,NovaSeqXSeries
IndexOrientation,Forward
[Reads]
Read1Cycles,151
Read2Cycles,151
Index1Cycles,10
Index2Cycles,10
[Sequencing_Settings]
LibraryPrepKits,PCRFree
[BCLConvert_Settings]
SoftwareVersion,4.1.23
FastqCompressionFormat,gzip
[BCLConvert_Data]
Lane,Sample_ID,Index,Index2,OverrideCycles,BarcodeMismatchesIndex1,BarcodeMismatchesIndex2
1,S1,CGATAGCAGG,AATGCTACGA,Y151;I10;I10;Y151,1,1
2,S2,ACCGACGT,CATGACCG,Y151;I8N2;N2I8;Y151,1,0
[DragenGermline_Settings]
SoftwareVersion,4.1.23
[DragenGermline_Data]
Sample_ID,ReferenceGenomeDir
S1,hg38
[Cloud_Settings]
GeneratedVersion,1.13
[Cloud_Data]
Sample_ID,ProjectName,LibraryName
S1,P1,S1_CGATAGCAGG_AATGCTACGA
"""
HYBRID = """[Header]
FileFormatVersion,2
Experiment Name,local
[Reads]
151
151
[Settings]
SoftwareVersion,3.10.12
[Data]
Lane,Sample_ID,index,index2
1,S1,CGATAGCA,AATGCTAC
1,S2,ACCGACGT,CATGACCG
"""
TENX = """[Data]
Lane,Sample_ID,Sample_Name,index,Sample_Project
1,T1,T1,CTGACGCG,P
1,T1,T1,GGTCGTAC,P
1,T1,T1,TCCTTCTT,P
1,T1,T1,AAAGAAGA,P
"""
MIXED = """[BCLConvert_Data]
Sample_ID,Index,Index2,OverrideCycles
S1,CGATAGCAGG,AATGCTACGA,Y151;I10;I10;Y151
S2,ACCGACGT,CATGACCG,Y151;I8N2;I8N2;Y151
S3,TTGCAC,,Y151;I6N4;N10;Y151
"""
SHORT = "[Data]\nSample_ID,index,index2\nS1,CGATAGCA,AATGCTAC\nS2,ACCGACGT,CATGACCG\n"


@dataclass(frozen=True)
class Case:
    """`errors` and `warnings` are all codes that are expected, `samples` how many are read."""

    name: str
    data: bytes
    samples: int = 0
    errors: frozenset[str] = frozenset()
    warnings: frozenset[str] = frozenset()


def _read(name, sheet, samples, *codes, errors=()):
    data = sheet if isinstance(sheet, bytes) else sheet.encode()
    return Case(name, data, samples, frozenset(errors), frozenset(codes))


def _refused(name, sheet, code):
    return Case(name, sheet if isinstance(sheet, bytes) else sheet.encode(), 0, frozenset({code}))


def _rows(*rows, columns="Sample_ID,index,index2"):
    return "\n".join(("[Data]", columns, *rows, ""))


CASES = (
    # the shapes
    _read("IEM", IEM, 3),
    _read("IEM without lanes", _rows("S1,CGATAGCA", "S2,ACCGACGT", columns="Sample_ID,index"), 2),
    _read("MiSeq with manifests", MISEQ, 2),
    _read("bcl2fastq", BCL2FASTQ, 2),
    _read("CASAVA, one index", CASAVA, 3),
    _read("CASAVA, two indexes", CASAVA_DUAL, 3),
    _read("version 2", V2, 3),
    _read("NovaSeq X with analyses", NOVASEQ_X, 2),
    _read("hybrid", HYBRID, 2),
    _read("data alone", SHORT, 2),
    _read("a 10x set written out", TENX, 4, "sheet.sample_indexes"),
    _read("two lengths with masks", MIXED, 3, "sheet.section_required"),
    _read("a lane without an index", _rows("1,S1", "2,S2", columns="Lane,Sample_ID"), 2),
    _read(
        "one sample on two lanes",
        _rows("1,S1,CGATAGCA", "2,S1,CGATAGCA", columns="Lane,Sample_ID,index"),
        2,
    ),
    _read("index reads named", HYBRID.replace("151\n151", "151\nIndex\nIndex\n151"), 2),
    _read(
        "version 2 without index 2",
        V2.replace("Index2Cycles,10,,,\n", "")
        .replace(",Index2,", ",")
        .replace(",AATGCTACGA", "")
        .replace(",CATGACCGTT", "")
        .replace(",GGCTTACGTC", ""),
        3,
    ),
    _read("mismatches na", NOVASEQ_X.replace("Y151,1,0", "Y151,1,na"), 2),
    _read(
        "settings of bcl2fastq",
        SHORT.replace(
            "[Data]", "[Settings]\nRead1UMILength,8\nTrimUMI,1\nReverseComplement,0\n[Data]"
        ),
        2,
    ),
    _read(
        "columns of a laboratory",
        _rows("S1,CGATAGCA,W1,1.5", columns="Sample_ID,index,Well,Library_nM"),
        1,
    ),
    # what spreadsheets do
    _read("byte order mark", IEM.encode("utf-8-sig"), 3),
    _read("CRLF", IEM.replace("\n", "\r\n").encode(), 3),
    _read("CR of an old Mac", IEM.replace("\n", "\r").encode(), 3),
    _read("mixed line ends", IEM.replace(",,,,,,,,\n", ",,,,,,,,\r\n").encode(), 3),
    _read("no line end at the end", IEM.rstrip("\n"), 3),
    _read("blank lines at the end", IEM + "\n\n,,,,\n", 3),
    _read(
        "everything quoted",
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in SHORT.splitlines()),
        2,
    ),
    _read("commas behind a section", SHORT.replace("[Data]", "[Data],,,,,,,,"), 2),
    _read("a comma too many in each row", SHORT.replace("\n", ",\n"), 2),
    _read(
        "semicolons",
        IEM.replace('"Set A, 96 wells"', "Set A").replace(",", ";"),
        3,
        "sheet.separator",
    ),
    _read(
        "semicolons with a mark", SHORT.replace(",", ";").encode("utf-8-sig"), 2, "sheet.separator"
    ),
    _read("tabs", SHORT.replace(",", "\t"), 2, "sheet.separator"),
    _read(
        "Unicode text",
        SHORT.replace(",", "\t").encode("utf-16"),
        2,
        "sheet.separator",
        "sheet.utf16",
    ),
    _read("UTF-16 big", b"\xfe\xff" + SHORT.encode("utf-16-be"), 2, "sheet.utf16"),
    _read(
        "Windows-1252",
        IEM.replace("Pool 12", "Pool M\xfcller").encode("cp1252"),
        3,
        "sheet.encoding_guessed",
    ),
    _read("UTF-8 with accents", IEM.replace("Pool 12", "Pool M\xfcller"), 3, "sheet.not_ascii"),
    _read("blanks behind names", SHORT.replace("S1,", "S1 ,"), 2, "sheet.blanks"),
    _read("blanks that do not break", SHORT.replace("S1,", "\xa0S1,"), 2, "sheet.blanks"),
    _read("a first line lost", IEM.removeprefix("[Header],,,,,,,,\n"), 3, "sheet.header_missing"),
    _read("comments above", "# written by a program\n#\n" + SHORT, 2, "sheet.comments"),
    _read("sections in small letters", SHORT.replace("[Data]", "[data]"), 2),
    _read(
        "columns in other spellings",
        SHORT.replace("Sample_ID,index,index2", "sample id,INDEX,Index 2"),
        2,
    ),
    _read("a name that became a date", SHORT.replace("S1", "1-Mar"), 2, "sheet.name_date"),
    _read(
        "a header with a column more",
        SHORT.replace("index2", "index2,Comment").replace("AATGCTAC", "AATGCTAC,ok"),
        2,
        "sheet.column_ignored",
    ),
    _read("a section of another program", SHORT + "[Freezer]\nbox,7\n", 2, "sheet.section_ignored"),
    # what people do: read, and judged
    _read(
        "an index twice",
        SHORT.replace("ACCGACGT,CATGACCG", "CGATAGCA,AATGCTAC"),
        2,
        errors=["sheet.index_duplicate"],
    ),
    _read(
        "an index misspelt",
        SHORT.replace("ACCGACGT,CATGACCG", "CGATAGCC,AATGCTAC"),
        2,
        errors=["sheet.index_collision"],
    ),
    _read("a row twice", SHORT + "S1,CGATAGCA,AATGCTAC\n", 3, errors=["sheet.sample_duplicate"]),
    _read(
        "small letters", SHORT.replace("CGATAGCA", "cgatagca"), 2, errors=["sheet.index_alphabet"]
    ),
    _read(
        "both indexes in one field",
        SHORT.replace("CGATAGCA,", "CGATAGCA-AATGCTAC,"),
        2,
        "sheet.index_lengths",
        errors=["sheet.index_alphabet"],
    ),
    _read(
        "the name of a 10x set",
        _rows("T1,SI-GA-A1", columns="Sample_ID,index"),
        1,
        errors=["sheet.index_set"],
    ),
    _read(
        "the name of a dual 10x set",
        _rows("T1,SI-TT-A1", columns="Sample_ID,index"),
        1,
        errors=["sheet.index_set"],
    ),
    _read(
        "an index forgotten",
        SHORT.replace("ACCGACGT,CATGACCG", ","),
        2,
        errors=["sheet.index_missing"],
    ),
    _read(
        "six bases among eight",
        SHORT.replace("ACCGACGT", "ACCGAC"),
        2,
        "sheet.index_lengths",
    ),
    _read("Ns to fill up", SHORT.replace("ACCGACGT", "ACCGACNN"), 2, "sheet.index_no_call"),
    _read("a blank in a name", SHORT.replace("S1", "S 1"), 2, errors=["sheet.name_characters"]),
    _read(
        "an accent in a name",
        SHORT.replace("S1", "S\xe9"),
        2,
        "sheet.not_ascii",
        errors=["sheet.name_characters"],
    ),
    _read("a formula", SHORT.replace("S1", "=A1+1"), 2, errors=["sheet.name_characters"]),
    _read(
        "a number in scientific form",
        SHORT.replace("S1", "1.00E+05"),
        2,
        errors=["sheet.name_characters"],
    ),
    _read("no name", SHORT.replace("S1", ""), 2, errors=["sheet.sample_id_empty"]),
    _read("capitals only", SHORT.replace("S2", "s1"), 2, errors=["sheet.sample_case"]),
    _read("a lane forgotten", BCL2FASTQ.replace("2,S2", ",S2"), 2, errors=["sheet.lane_missing"]),
    _read("no row at all", _rows(), 0, errors=["sheet.no_samples"]),
    _read(
        "two projects of a sample",
        _rows(
            "1,S1,P1,CGATAGCA", "2,S1,P2,CGATAGCA", columns="Lane,Sample_ID,Sample_Project,index"
        ),
        2,
        errors=["sheet.sample_differs"],
    ),
    _read(
        "a misspelt project",
        IEM.replace(",P2\n", ",PX\n")
        .replace(",P1\n", ",Panel_X\n", 1)
        .replace(",P1\n", ",Panel-X\n"),
        3,
        "sheet.projects_alike",
    ),
    _read(
        "a misspelt setting", IEM.replace("Adapter,", "Adaptor,"), 3, errors=["sheet.setting_near"]
    ),
    _read(
        "a mask of another run",
        NOVASEQ_X.replace("Y151;I10;I10;Y151", "Y101;I10;I10;Y101"),
        2,
        "sheet.override_reads",
    ),
    _read(
        "a mask with stars",
        NOVASEQ_X.replace("Y151;I10;I10;Y151", "Y*;I10;I10;Y*"),
        2,
        errors=["sheet.override_form"],
    ),
    _read(
        "a mask of eight for ten",
        NOVASEQ_X.replace("Y151;I10;I10;Y151", "Y151;I8N2;I10;Y151"),
        2,
        errors=["sheet.override_index"],
    ),
    _read(
        "too many mismatches",
        V2.replace("BarcodeMismatchesIndex1,1", "BarcodeMismatchesIndex1,3"),
        3,
        errors=["sheet.mismatches"],
    ),
    _read(
        "a read of no cycles", V2.replace("Read2Cycles,151", "Read2Cycles,0"), 3, "sheet.reads_zero"
    ),
    _read("a name for a run with a slash", V2.replace("Pool_31", "Pool/31"), 3, "sheet.run_name"),
    _read(
        "no version of the software",
        V2.replace("SoftwareVersion,4.2.7,,,\n", ""),
        3,
        "sheet.software_version",
    ),
    # refused
    _refused("nothing", b"", "sheet.empty"),
    _refused("commas only", ",,,\n,,,\n", "sheet.empty"),
    _refused("a workbook", b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "sheet.control_character"),
    _refused("no sections", SHORT.removeprefix("[Data]\n"), "sheet.section_missing"),
    _refused("a section misspelt", SHORT.replace("[Data]", "[Dta]"), "sheet.section_unknown"),
    _refused("a section not closed", SHORT.replace("[Data]", "[Data"), "sheet.section"),
    _refused("two tables", SHORT + SHORT, "sheet.section_twice"),
    _refused("both versions", V2 + SHORT, "sheet.versions_mixed"),
    _refused("no table", "[Header]\nDate,1\n", "sheet.data_missing"),
    _refused("a column misspelt", SHORT.replace("index2", "idnex2"), "sheet.column_unknown"),
    _refused(
        "a column of indexes by another name",
        SHORT.replace("index2", "Tag"),
        "sheet.column_unknown",
    ),
    _refused("a row that slipped", SHORT.replace("S2,", "S2,x,"), "sheet.row_length"),
    _refused("a quote not closed", SHORT.replace("S2", '"S2'), "sheet.quotes"),
    _refused("a row pasted with tabs", SHORT + "S3\tTTGCACAA\tGGCTTACG\n", "sheet.tabs"),
    _refused("a row pasted with semicolons", SHORT + "S3;TTGCACAA;GGCTTACG\n", "sheet.semicolons"),
    _refused("a backspace", SHORT.replace("S1", "S\b1"), "sheet.control_character"),
    _refused("a blank without width", SHORT.replace("S1", "S\u200b1"), "sheet.control_character"),
    _refused("UTF-16 without its mark", SHORT.encode("utf-16-le"), "sheet.control_character"),
    _refused("a lane of two", BCL2FASTQ.replace("2,S2", "1+2,S2"), "sheet.lane"),
    _refused("a version to come", V2.replace("Version,2,", "Version,3,", 1), "sheet.version"),
    _refused(
        "an i5 turned",
        NOVASEQ_X.replace("Orientation,Forward", "Orientation,Reverse"),
        "sheet.index_orientation",
    ),
)
