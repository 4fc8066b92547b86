"""The converter `bclconvert` with a strict stand-in for Illumina's program, which reads base calls,
compares indexes and writes FASTQs by itself: two converters must find the same."""

import base64
import csv
import gzip
import json
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq import sheets
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, Options, find, names
from arteriole.bcl2fastq.converters.bclconvert import command
from arteriole.bcl2fastq.converters.bclconvert.about import BCL_CONVERT
from arteriole.bcl2fastq.sheets import Standard
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.tools import tool
from arteriole.bcl2fastq.work import observe, work
from arteriole.illumina import sample_sheet
from arteriole.illumina.index_orientation import reverse_complement
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import StoppedError, Task

FAKE = Path(__file__).parent / "fakes" / "fake_bcl_convert.py"
READS = ((6, "N"), (5, "Y"), (5, "Y"), (6, "N"))
#: Sample_ID, Sample_Name, Sample_Project, index, index2
ROWS = (("S1", "one", "P1", "ACGT", "GGGA"), ("S2", "S2", "", "TTTT", "CCCA"))
V1 = "[Header]\nIEMFileVersion,4\nWorkflow,GenerateFASTQ\n[Settings]\n{}[Data]\n"
V1 += "Sample_ID,Sample_Name,Sample_Project,Sample_Plate,index,index2\n{}"
V2 = "[Header]\nFileFormatVersion,2\n{}[BCLConvert_Settings]\n{}[BCLConvert_Data]\n"
V2 += "Sample_ID,Sample_Name,Sample_Project,Index,Index2\n{}"
#: What the instrument reads of each cluster, without its i5: read 1, i7, read 2.
CLUSTERS = (
    ("GATTAC", "ACGTA", "GGGAT", "TTTTGG"),
    ("CATCAT", "TTTTC", "CCCAG", "AAAACC"),
    ("GGGGGG", "ACGAA", "GGCAT", "CCCCCC"),  # a mismatch in each index
    ("NNATTA", "GATCA", "GAACA", "GATCAT"),  # of no sample
    ("TTTTTT", "TTTTN", "CCCAN", "ACACAC"),
)


@pytest.fixture
def sequenced(tiny_run, cluster_of):
    """Makes the run, whose instrument reads the i5 forward, reversed, or reversed and says so."""

    def make(sheet: str, instrument: str = "M04034", turned: bool = False, marked: bool = False):
        tiny_run.reads = READS
        tiny_run.reverse_complement = (3,) if marked else ()
        clusters = []
        for read1, i7, i5, read2 in CLUSTERS:
            read = reverse_complement(i5[:4]) + i5[4] if turned else i5
            clusters.append(cluster_of(read1 + i7 + read + read2, quality=37 - len(clusters)))
        failed = cluster_of("".join(CLUSTERS[0]), passed=False)
        tiny_run.clusters = {(1, 1101): [*clusters[:2], failed], (1, 1102): clusters[2:]}
        tiny_run.write(sheet)
        info = tiny_run.folder / "RunInfo.xml"
        info.write_text(info.read_text().replace("<Instrument>M04034", f"<Instrument>{instrument}"))
        return tiny_run.folder

    return make


def rows(turned: bool = False) -> str:
    """The samples; with index2 reversed if `turned`."""
    return "".join(
        f"{id_},{name},{project},{{}}{i7},{reverse_complement(i5) if turned else i5}\n"
        for id_, name, project, i7, i5 in ROWS
    )


def v1(settings: str = "", turned: bool = False) -> str:
    return V1.format(settings, rows(turned).replace("{}", "plate,"))


def v2(settings: str = "", turned: bool = False, header: str = "") -> str:
    return V2.format(header, settings, rows(turned).replace("{}", ""))


@pytest.fixture
def fake(tmp_path):
    """Puts the stand-in under a path of its own."""

    def make(**knobs) -> str:
        path = tmp_path / "bin" / "bcl-convert"
        path.parent.mkdir(exist_ok=True)
        words = ["exec", sys.executable, "-I", "-S", str(FAKE)]
        version = f"bcl-convert Version 00.000.000.{knobs.pop('version', '4.2.7')}"
        path.write_text(
            "#!/bin/sh\n"
            f'if [ "$*" = --version ]; then echo "{version}"; exit; fi\n'
            f"export FAKE_BCL_CONVERT={shlex.quote(json.dumps(knobs))}\n"
            f'{shlex.join(words)} "$@"\n'
        )
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def task(tmp_path):
    def make(run: Path, program: str, stopping: bool = False, version: str = "4.2.7", **given):
        (tmp_path / "fastq").mkdir(exist_ok=True)
        folder = JobFolder(tmp_path / "jobs" / str(len(list(tmp_path.glob("jobs/*"))) + 1))
        parameters = {
            "run_dir": str(run),
            "fastq_root": str(tmp_path / "fastq"),
            "converter": "bclconvert",
            "bclconvert_tool": {"version": version, "program": program},
            "barcode_mismatches": [1, 1],
            "include_non_pf": False,
            "ignore_adapters": False,
            "allow_index_collisions": False,
            "allow_empty_samples": False,
            "threads": 2,
            **given,
        }
        about = {"job_id": 1, "run": "r1", "stage": "convert", "attempt": 1}
        folder.prepare({**about, "parameters": parameters, "stopping": stopping})
        lock = folder.lock()
        assert lock is not None
        return Task(folder, lock)

    return make


def texts(folder: Path) -> dict[str, str]:
    """Every FASTQ by its path."""
    return {
        path.relative_to(folder).as_posix(): gzip.decompress(path.read_bytes()).decode()
        for path in sorted(folder.rglob("*.fastq.gz"))
    }


def by_builtin(run: Path, tmp_path: Path, sheet: str) -> dict[str, str]:
    out = tmp_path / "builtin"
    out.mkdir()
    path = tmp_path / "for-builtin.csv"
    path.write_text(sheet)
    request = ConversionRequest(run, path, out, (1, 1))
    find("builtin").convert(request, lambda done, total: None)
    return texts(out)


def test_it_is_found_by_name_and_needs_its_tool():
    assert "bclconvert" in names()
    with pytest.raises(ConversionError, match="needs to know which bcl-convert") as refused:
        find("bclconvert")
    assert refused.value.code == "convert.option" and refused.value.hint


STATED = "Index2ColumnReverseComplement,"
#: (instrument, i5 reversed, marked, sheet, what the site says, sheet for the builtin converter)
FINDS = {
    "MiSeq, version 1": ("M04034", False, False, v1(), None, v1()),
    "MiSeq, version 2": ("M04034", False, False, v2(), None, v2()),
    "NextSeq 500, as read": ("NB500968", True, False, v1(turned=True), None, v1(turned=True)),
    "NextSeq 500, forward": ("NB500968", True, False, v1(), "forward", v1(turned=True)),
    "NovaSeq X, version 2": ("LH00217", True, True, v2(), None, v2()),
    "NovaSeq X, as read": ("LH00217", True, True, v1(turned=True), "as-read", v1()),
    "NovaSeq X, as read by its sheet": (
        "LH00217",
        True,
        True,
        v2(f"{STATED}Y\n", turned=True),
        None,
        v2(f"{STATED}Y\n", turned=True),
    ),
    "NovaSeq X, forward by its sheet": (
        "LH00217",
        True,
        True,
        v2(f"{STATED}N\nLibraryInputVolume,5.5\n"),
        "as-read",
        v2(f"{STATED}N\nLibraryInputVolume,5.5\n"),
    ),
    "NovaSeq X, forward": ("LH00217", True, True, v1(), "forward", v1()),
}


@pytest.mark.parametrize("case", FINDS)
def test_two_converters_find_the_same_samples_and_reads(tmp_path, sequenced, fake, task, case):
    instrument, turned, marked, sheet, index2, other = FINDS[case]
    # a marked i5 of 5 cycles whose index has 4 is compared in its first cycles
    run = sequenced(sheet, instrument, turned, marked)
    before = sorted(run.rglob("*"))
    answer = work(task(run, fake(), index2=index2))
    assert (answer["clusters"], answer["clusters_pf"], answer["files"]) == (6, 5, 6)
    home = tmp_path / "fastq" / "r1" / "attempt-1"
    found, expected = texts(home), by_builtin(run, tmp_path, other)
    assert [*found] == [*expected]
    for path, text in expected.items():
        assert found[path] == text, path
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None and record["converter_version"] == "4.2.7"
    assert [(s["sample_id"], s["reads"]) for s in record["samples"]] == [
        *(("S1", 2), ("S2", 2), ("Undetermined", 1))
    ]
    assert sorted(run.rglob("*")) == before


def test_multiqc_reads_what_stays_beside_the_fastqs(tmp_path, sequenced, fake, task):
    """The real one, its module bclconvert."""
    program = Path(__file__).parents[5] / ".venv-multiqc" / "bin" / "multiqc"
    if not program.exists():
        pytest.skip("make .venv-multiqc/.made")
    work(task(sequenced(v2(), "LH00217", True, True), fake()))
    reports = tmp_path / "fastq" / "r1" / "attempt-1" / "Reports"
    words = ["--quiet", "--no-version-check", "-m", "bclconvert", "-o", tmp_path / "qc", reports]
    ended = subprocess.run([program, *words], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    told = json.loads((tmp_path / "qc" / "multiqc_data" / "multiqc_data.json").read_text())
    samples = told["report_saved_raw_data"]["multiqc_bclconvert_bysample"]
    assert {name: (row["clusters"], row["yield_"]) for name, row in samples.items()} == {
        "S1": (2, 24), "S2": (2, 24),
    }  # fmt: skip
    (lane,) = told["report_saved_raw_data"]["multiqc_bclconvert_bylane"].values()
    assert (lane["clusters"], lane["perfect_index_reads"]) == (4, 3)


def test_what_stays_beside_the_fastqs(tmp_path, sequenced, fake, task):
    run = sequenced(v2(), "LH00217", True, True)
    would = observe(task(run, fake()))
    work(task(run, fake()))
    home = tmp_path / "fastq" / "r1" / "attempt-1"
    assert sorted(would["files"]) == [*texts(home)]
    assert sorted(p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file()) == sorted(
        [
            *texts(home),
            *(f"Reports/{name}" for name in (
                "Adapter_Metrics.csv", "Demultiplex_Stats.csv", "Quality_Metrics.csv",
                "RunInfo.xml", "SampleSheet.csv", "Top_Unknown_Barcodes.csv", "fastq_list.csv")),
            *(f"Logs/{name}" for name in (
                "Errors.log", "FastqComplete.txt", "Info.log", "Warnings.log")),
            *("Stats/Stats.json", "SampleSheet.bcl-convert.csv", "attempt.json",
              "bcl-convert.log"),
        ]
    )  # fmt: skip
    with (home / "Reports" / "fastq_list.csv").open() as file:
        listed = list(csv.DictReader(file))
    assert [(row["RGSM"], row["Read2File"]) for row in listed] == [
        ("S1", "P1/S1/one_S1_L001_R2_001.fastq.gz"),
        ("S2", "S2_S2_L001_R2_001.fastq.gz"),
    ]
    stats = json.loads((home / "Stats" / "Stats.json").read_text())
    (lane,) = stats["ConversionResults"]
    assert (lane["TotalClustersRaw"], lane["TotalClustersPF"], lane["Yield"]) == (6, 5, 60)
    first = lane["DemuxResults"][0]
    assert first["IndexMetrics"] == [
        {"IndexSequence": "ACGT+GGGA", "MismatchCounts": {"0": 1, "1": 1}}
    ]
    assert first["ReadMetrics"][0] == {
        "ReadNumber": 1, "Yield": 12, "YieldQ30": 12, "QualityScoreSum": 6 * (37 + 35),
    }  # fmt: skip
    # unknown indexes are in the direction of the sheet, though they are told as they were read
    assert stats["UnknownBarcodes"] == [{"Lane": 1, "Barcodes": {"GATC+GAAC": 1}}]
    sheet = (home / "SampleSheet.bcl-convert.csv").read_text()
    assert "OverrideCycles,Y6;I4N1;N1I4;Y6\n" in sheet


def test_what_is_turned_or_left_out_is_told(sequenced, fake, task):
    run = sequenced(v1("ReverseComplement,0\n"), "NB500968", True)
    warnings = observe(task(run, fake(), index2="forward"))["warnings"]
    assert warnings == [
        "index2 of 2 rows is turned round for BCL Convert, from line 8 on",
        "not in the sheet that BCL Convert gets: [Header] Workflow, line 5: setting"
        " ReverseComplement, line 7: column Sample_Plate",
    ]


S1 = "P1/S1_S1_L001_R1_001.fastq.gz"
DEMUX = "Reports/Demultiplex_Stats.csv"


@pytest.mark.parametrize(
    ("knobs", "code", "message"),
    [
        ({"exit": 1}, "convert.tool_failed",
         "bcl-convert ended with 1: ERROR: Sample Sheet Error: barcode collision"),
        ({"signal": "SIGKILL"}, "convert.tool_failed", "bcl-convert was killed (-9)"),
        ({"version": "4.3.6"}, "convert.version",
         "expected bcl-convert 4.2.7; {program} says 4.3.6"),
        ({"version": "4.2.7-2-g85770e0b"}, "convert.version", "expected bcl-convert 4.2.7"),
        ({"remove": [DEMUX]}, "convert.stats", "Demultiplex_Stats.csv cannot be read"),
        ({"remove": ["Reports/Quality_Metrics.csv"]}, "convert.stats", "Quality_Metrics.csv canno"),
        ({"remove": ["Reports/Top_Unknown_Barcodes.csv"]}, "convert.stats", "cannot be read"),
        ({"remove": ["Reports/fastq_list.csv"]}, "convert.reconcile", "fastq_list.csv cannot be"),
        ({"replace": [[DEMUX, "1,S1,", "2,S1,"]]}, "convert.stats", "has other lanes than were"),
        ({"replace": [[DEMUX, ",S1,", ",S3,"]]}, "convert.stats",
         "has other samples of lane 1 than were planned: S1, S3"),
        ({"replace": [[DEMUX, ",S1,", ",S2,"]]}, "convert.stats", "than were planned: S1"),
        ({"replace": [[DEMUX, ",Undetermined,", ",S1,"]]}, "convert.stats", "twice"),
        ({"replace": [[DEMUX, "-GGGA,2,", "-GGGA,1,"]]}, "convert.stats",
         "lane 1 has 5 clusters that passed the filter, and Demultiplex_Stats.csv 4 reads"),
        ({"replace": [[DEMUX, "-GGGA,2,", "-GGGA,x,"]]}, "convert.stats", "a whole number # Reads"),
        ({"replace": [["Reports/Quality_Metrics.csv", "1,S1,ACGT,GGGA,2", "1,S1,ACGT,GGGA,3"]]},
         "convert.stats", "has no line of S1, lane 1, read 2"),
        ({"replace": [["Reports/fastq_list.csv", "_R2_", "_R3_"]]}, "convert.reconcile",
         "fastq_list.csv lists P1/S1_S1_L001_R1_001.fastq.gz, P1/S1_S1_L001_R3_001.fastq.gz for"),
        ({"replace": [["Reports/fastq_list.csv", "S2", "S9"]]}, "convert.reconcile", "for S9 of"),
        ({"remove": [S1]}, "convert.reconcile", f"bcl-convert did not write {S1}"),
        ({"add": ["P1/S1_S1_L001_I1_001.fastq.gz"]}, "convert.reconcile",
         "wrote, and was not to, P1/S1_S1_L001_I1_001.fastq.gz"),
        ({"add": ["Logs/x.fastq"]}, "convert.reconcile", "wrote, and was not to, Logs/x.fastq"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_and_leaves_nothing(
    tmp_path, sequenced, fake, task, knobs, code, message
):
    program = fake(**knobs)
    with pytest.raises(ConversionError) as failed:
        work(task(sequenced(v2()), program))
    assert failed.value.code == code
    assert message.replace("{program}", program) in str(failed.value)
    assert failed.value.hint or code == "convert.reconcile"
    home = tmp_path / "fastq" / "r1"
    assert not home.exists() or list(home.iterdir()) == []


def test_a_tool_that_is_missing_is_told_before_anything_runs(tmp_path, sequenced, task):
    run = sequenced(v2())
    with pytest.raises(ConversionError, match="there is no such program") as missing:
        observe(task(run, str(tmp_path / "absent")))
    assert missing.value.code == "tool.missing" and "BCL Convert" in missing.value.hint
    settings = ToolSettings(version="4.2.7", program=str(tmp_path / "absent"))
    assert find("bclconvert", settings).version == "not installed"


def test_a_job_that_was_stopped_converts_nothing(tmp_path, sequenced, fake, task):
    with pytest.raises(StoppedError):
        work(task(sequenced(v2()), fake(), stopping=True))
    assert list((tmp_path / "fastq").iterdir()) == []


@pytest.mark.parametrize(
    ("instrument", "marked", "sheet", "message"),
    [
        ("LH00217", True, v1(), "written for bcl2fastq, and forward if it is written for BCL"),
        ("NB500968", False, v2(header="IndexOrientation,Forward\n"), "IndexOrientation Forward"),
    ],
)
def test_an_unknown_direction_holds_the_run(sequenced, fake, task, instrument, marked, sheet,
                                            message):  # fmt: skip
    run = sequenced(sheet, instrument, True, marked)
    with pytest.raises(ArterioleError, match=message) as held:
        observe(task(run, fake()))
    assert held.value.code == "sheet.orientation_unknown"
    standard = Standard(converter="bclconvert")
    found = sheets.check(run, None, standard)
    assert (found["ok"], found["code"]) == (False, "sheet.orientation_unknown")
    assert message in found["message"]
    told = [one for one in found["findings"] if one["code"] == "sheet.orientation_unknown"]
    assert len(told) == 1 and told[0]["column"] > 0
    assert sheets.check(run, None, replace(standard, index2="forward"))["ok"]
    assert sheets.check(run, None, Standard())["ok"]
    assert observe(task(run, fake(), index2="forward"))["files"]


def test_the_builtin_converter_takes_the_word_of_the_site(tmp_path, sequenced, fake, task):
    run = sequenced(v1(), "NB500968", True)
    expected = by_builtin(run, tmp_path, v1(turned=True))
    answer = work(task(run, "", converter="builtin", index2="forward"))
    assert answer["converter"] == "builtin"
    assert texts(tmp_path / "fastq" / "r1" / "attempt-1") == expected


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("TrimUMI,1", ""),
        ("Adapter,CTGTCTCTTATACACATCT", ""),
        ("CreateFastqForIndexReads,0", ""),
        ("CreateFastqForIndexReads,1", "convert.setting"),
        ("NoLaneSplitting,true", "convert.setting"),
        ("OverrideReads,Y6;I5;I5r;Y6r", "convert.setting"),
        ("FastqCompressionFormat,dragen", "convert.setting"),
        ("BarcodeMismatchesIndex1,2", "convert.setting"),
        ("ReverseComplement,1", "convert.setting"),
        ("Unheard,1", "convert.setting"),
    ],
)
def test_settings(sequenced, fake, task, settings, code):
    run = sequenced(v1(f"{settings}\n"))
    if not code:
        assert work(task(run, fake()))["files"] == 6
        return
    with pytest.raises(ConversionError) as refused:
        observe(task(run, fake()))
    assert (refused.value.code, refused.value.field) == (code, settings.split(",")[0])


def test_adapters_are_passed_on_unless_they_are_to_be_ignored(tmp_path, sequenced, fake, task):
    run = sequenced(v1("Adapter,CTGTC\n"))
    work(task(run, fake()))
    path = tmp_path / "fastq" / "r1" / "attempt-1" / command.SHEET
    said = sample_sheet.parse(path.read_bytes()).settings
    assert [said[f"AdapterRead{n}"].value for n in (1, 2)] == ["CTGTC", "CTGTC"]
    warnings = observe(task(run, fake(), ignore_adapters=True))["warnings"]
    assert any("line 5: setting Adapter" in warning for warning in warnings)


@pytest.mark.parametrize(
    "masks", ["N1Y5;I4N1;I4N1;Y4N2", "R1:N1Y5;R2:Y4N2;I1:I4N1;I2:I4N1", "N1Y5;I4N1;I4N1;Y4N2;"]
)
def test_cycles_are_used_as_the_sheet_says(tmp_path, sequenced, fake, task, masks):
    run = sequenced(v2(f"OverrideCycles,{masks}\n"))
    work(task(run, fake()))
    found = texts(tmp_path / "fastq" / "r1" / "attempt-1")
    assert found["S2_S2_L001_R1_001.fastq.gz"].splitlines()[1::4] == ["ATCAT", "TTTTT"]
    assert found["S2_S2_L001_R2_001.fastq.gz"].splitlines()[1::4] == ["AAAA", "ACAC"]
    stats = json.loads((tmp_path / "fastq/r1/attempt-1/Stats/Stats.json").read_text())
    assert stats["ConversionResults"][0]["DemuxResults"][1]["Yield"] == 18


def test_settings_of_samples_need_a_version_that_takes_them(sequenced, fake, task):
    text = (
        v2().replace("Index2\n", "Index2,OverrideCycles\n").replace("GGGA", "GGGA,Y6;I4N1;I4N1;Y6")
    )
    run = sequenced(text.replace("CCCA", "CCCA,Y6;I4N1;I4N1;Y5N1"))
    assert work(task(run, fake()))["files"] == 6
    with pytest.raises(ConversionError, match=r"4\.0\.3 takes for all samples alone") as refused:
        observe(task(run, fake(version="4.0.3"), version="4.0.3"))
    assert refused.value.code == "convert.setting"


def test_indexes_of_several_lengths_need_a_version_that_takes_them(tmp_path, sequenced, fake, task):
    text = v2().replace("Index2\n", "Index2,OverrideCycles\n")
    text = text.replace("GGGA", "GGGA,Y6;I4N1;I4N1;Y6").replace("CCCA", "CCC,Y6;I4N1;I3N2;Y6")
    unsaid = v2().replace("CCCA", "CCC")
    assert len(observe(task(sequenced(unsaid), fake()))["files"]) == 6
    run = sequenced(text)
    assert work(task(run, fake()))["files"] == 6
    (made,) = (tmp_path / "fastq" / "r1").glob("attempt-1/SampleSheet*.csv")
    assert {row.rpartition(",")[2] for row in made.read_text().splitlines() if "Y6;" in row} == {
        *("Y6;I4N1;I4N1;Y6", "Y6;I4N1;I3N2;Y6"),
    }
    with pytest.raises(ConversionError, match=r"4\.0\.3 takes for all samples alone"):
        observe(task(run, fake(version="4.0.3"), version="4.0.3"))


def records(folder: Path) -> dict[str, list[str]]:
    """Of each FASTQ its records, in an order that does not depend on how it was made."""
    found = {}
    for path, text in texts(folder).items():
        lines = text.splitlines()
        found[path] = sorted("\n".join(lines[n : n + 4]) for n in range(0, len(lines), 4))
    return found


def several(more: str = "") -> str:
    """S1 has two indexes, of the second of which the run has one cluster."""
    return v2() + f"S1,one,P1,GATC,GAAC\n{more}"


def test_a_sample_of_several_indexes_is_one(tmp_path, sequenced, fake, task):
    run = sequenced(several())
    would = observe(task(run, fake()))
    answer = work(task(run, fake()))
    assert (answer["clusters_pf"], answer["files"]) == (5, 6)
    home = tmp_path / "fastq" / "r1" / "attempt-1"
    by_builtin(run, tmp_path, several())
    assert records(home) == records(tmp_path / "builtin")
    assert [*records(home)] == sorted(would["files"])
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None
    assert [(s["sample_id"], s["reads"]) for s in record["samples"]] == [
        *(("S1", 3), ("S2", 2), ("Undetermined", 0))
    ]
    assert any("1 rows under a Sample_ID such as S1_2" in text for text in record["warnings"])
    found, expected = (
        json.loads((folder / "Stats" / "Stats.json").read_text())["ConversionResults"][0]
        for folder in (home, tmp_path / "builtin")
    )
    for entry in expected["DemuxResults"] + [expected["Undetermined"]]:
        for metrics in entry["ReadMetrics"]:
            del metrics["TrimmedBases"]  # which BCL Convert does not tell
    assert found == expected
    with (home / "Reports" / "fastq_list.csv").open() as file:
        listed = list(csv.DictReader(file))
    assert [(row["RGSM"], row["Read1File"]) for row in listed] == [
        ("S1", "P1/S1/one_S1_L001_R1_001.fastq.gz"),
        ("S2", "S2_S2_L001_R1_001.fastq.gz"),
    ]
    (made,) = home.glob("SampleSheet*.csv")
    assert [row.split(",")[0] for row in made.read_text().splitlines()[-3:]] == ["S1", "S2", "S1_2"]


@pytest.mark.parametrize("project", ["P1", ""])
def test_a_sample_with_another_name_has_its_folder(tmp_path, sequenced, fake, task, project):
    text = v2().replace("S2,S2,,", "S2,two,,").replace(",P1,", f",{project},")
    run = sequenced(text)
    assert work(task(run, fake()))["files"] == 6
    by_builtin(run, tmp_path, text)
    found = records(tmp_path / "fastq" / "r1" / "attempt-1")
    assert found == records(tmp_path / "builtin")
    assert "S2/two_S2_L001_R1_001.fastq.gz" in found


def test_a_name_that_a_sample_has_already_is_not_given_to_a_row(tmp_path, sequenced, fake, task):
    run = sequenced(several("s1_2,,,CGCG,TCTC\n"))
    work(task(run, fake(leave_empty=True), allow_empty_samples=True))
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None
    assert {s["sample_id"]: s["reads"] for s in record["samples"]} == {
        "S1": 3, "S2": 2, "s1_2": 0, "Undetermined": 0
    }  # fmt: skip
    assert any("such as S1_2_," in text for text in record["warnings"])
    assert "lane 1: s1_2 has no read, and BCL Convert wrote no file of it" in record["warnings"]


def test_an_index_of_a_sample_without_a_read_is_no_empty_sample(tmp_path, sequenced, fake, task):
    run = sequenced(v2() + "S1,one,P1,CGCG,TCTC\n")
    assert work(task(run, fake(leave_empty=True)))["files"] == 6
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None and record["warnings"][-1].startswith("lane 1: S1_2 has no read, and")


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"remove": ["P1/S1_2_S3_L001_R2_001.fastq.gz"]}, "did not write P1/S1_2_S3_L001_R2"),
        ({"replace": [[DEMUX, ",S1_2,", ",S1,"]]}, "has other samples of lane 1 than were planned"),
    ],
)
def test_what_is_missing_of_one_index_is_told(sequenced, fake, task, knobs, message):
    with pytest.raises(ConversionError, match=message):
        work(task(sequenced(several()), fake(**knobs)))


@pytest.mark.parametrize("knobs", [{}, {"undetermined": True}])
def test_a_sample_alone_takes_every_read(tmp_path, sequenced, fake, task, knobs):
    sheet = "[Data]\nSample_ID\nS1\n"
    run = sequenced(sheet)
    assert work(task(run, fake(**knobs)))["files"] == 2
    found, expected = texts(tmp_path / "fastq/r1/attempt-1"), by_builtin(run, tmp_path, sheet)
    assert [*found] == [*expected]
    for path, text in expected.items():
        assert [line for line in found[path].splitlines() if line[0] != "@"] == [
            line for line in text.splitlines() if line[0] != "@"
        ]


def test_an_empty_sample_is_refused_unless_it_is_meant(tmp_path, sequenced, fake, task):
    sheet = v2() + "S3,S3,P2,CCCC,AAAA\n"
    run = sequenced(sheet)
    with pytest.raises(ConversionError, match="sample S3 with the index CCCC") as refused:
        work(task(run, fake(leave_empty=True)))
    assert refused.value.code == "convert.empty_sample"
    assert "in no sample: GATC+GAAC (1 reads)" in str(refused.value)
    assert work(task(run, fake(), allow_empty_samples=True))["files"] == 8


def test_a_file_that_is_not_there_for_want_of_reads_is_told(tmp_path, sequenced, fake, task):
    run = sequenced(v2() + "S3,S3,P2,CCCC,AAAA\n")
    assert work(task(run, fake(leave_empty=True), allow_empty_samples=True))["files"] == 6
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None and record["warnings"][-1] == (
        "lane 1: S3 has no read, and BCL Convert wrote no file of it"
    )
    assert {"sample_id": "S3", "lane": 1, "reads": 0} in record["samples"]


def test_lanes_that_the_sheet_does_not_name_are_not_converted(tmp_path, tiny_run, sequenced, fake,
                                                              task):  # fmt: skip
    tiny_run.lanes = 2
    run = sequenced("[Data]\nLane,Sample_ID,index,index2\n1,S1,ACGT,GGGA\n")
    answer = work(task(run, fake()))
    assert answer["files"] == 4
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None and record["warnings"] == ["no sample on lane 2: it is not converted"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"include_non_pf": True}, "convert.option"),
        ({"allow_index_collisions": True}, "convert.option"),
        ({"ignore": ["missing-bcls"]}, "convert.ignore"),
        ({"ignore": ["missing-filter"]}, "convert.ignore"),
    ],
)
def test_options_that_it_does_not_have(sequenced, fake, task, given, code):
    with pytest.raises(ConversionError) as refused:
        observe(task(sequenced(v2()), fake(), **given))
    assert refused.value.code == code and refused.value.hint


def test_options_of_bcl2fastq_are_refused(sequenced, fake, task, tmp_path):
    """Those that its command line has no place for; by the words, and without them."""
    run = sequenced(v2())
    asked = task(run, fake())
    asked.parameters["additional_args"] = ["--barcode-mismatches", "0"]
    observe(asked)
    asked.parameters["additional_args"] = ["--no-lane-splitting"]
    with pytest.raises(
        ConversionError, match=r"^--no-lane-splitting is not for the conv"
    ) as refused:
        observe(asked)
    assert refused.value.code == "convert.option"
    tool_settings = ToolSettings.model_validate(asked.parameters["bclconvert_tool"])
    request = ConversionRequest(run, run / "SampleSheet.csv", tmp_path / "out",
                                options=Options(tiles=("s_1",)))  # fmt: skip
    with pytest.raises(ConversionError, match=r"^tiles is not for the converter bclconvert"):
        find("bclconvert", tool_settings).announce(request)


def test_what_it_does_not_mask_itself_is_left_to_the_program(sequenced, fake, task):
    """UMIs, and samples of a lane with different masks, which builtin refuses."""
    text = v2().replace("Index2\n", "Index2,OverrideCycles\n")
    text = text.replace("GGGA", "GGGA,U2Y4;I4N1;I4N1;Y6").replace("CCCA", "CCCA,Y6;I4N1;I4N1;Y6")
    assert len(observe(task(sequenced(text), fake()))["files"]) == 6


def test_the_command_line(tmp_path):
    request = ConversionRequest(Path("/run"), Path("/run/S.csv"), Path("/out"), threads=16)
    found = {one.name: one.value for one in command.options(request, True, cpus=8)}
    assert found == {
        "--bcl-input-directory": "/run",
        "--output-directory": "/out/bcl-convert",
        "--sample-sheet": "/out/SampleSheet.bcl-convert.csv",
        "--strict-mode": "true",
        "--bcl-sampleproject-subdirectories": "true",
        "--no-lane-splitting": "false",
        "--fastq-gzip-compression-level": "1",
        "--bcl-num-parallel-tiles": "1",
        "--bcl-num-conversion-threads": "8",
        "--bcl-num-compression-threads": "8",
        "--bcl-num-decompression-threads": "4",
    }
    assert all(one.reason for one in command.options(request, False, cpus=1))
    words = command.arguments(request, False)
    assert not {"-f", "--force"} & set(words) and len(words) == 2 * len(found)


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("bcl-convert Version 00.000.000.4.2.7\nCopyright (c) 2014-2022 Illumina, Inc.\n", "4.2.7"),
        ("bcl-convert Version 4.4.6\n", "4.4.6"),
        ("bcl-convert Version 00.000.000.3.8.2-12-g85770e0b\n", ""),
        ("bcl2fastq v2.20.0.422\n", ""),
        ("", ""),
    ],
)
def test_its_answer(answer, version):
    assert tool.version_of(answer, BCL_CONVERT) == version


def test_a_sheet_that_came_with_the_request(sequenced, fake, task):
    run = sequenced(v2())
    (run / "SampleSheet.csv").unlink()
    given = base64.b64encode(v1().encode()).decode()
    assert work(task(run, fake(), sheet=given))["files"] == 6


def test_the_stand_in_refuses_what_the_guide_refuses(tmp_path, sequenced, fake):
    run = sequenced(v2())
    request = ConversionRequest(run, run / "SampleSheet.csv", tmp_path, threads=1)
    words = command.arguments(request, True)
    (tmp_path / command.SHEET).write_text(v2("Unheard,1\n"))
    for change, message in (
        ([], "Unrecognized setting Unheard"),
        (["--force"], "never to be forced"),
        (["--nothing", "x"], "unrecognised option"),
        (["--strict-mode", "true"], "more than once"),
    ):
        done = subprocess.run(
            [fake(), *words, *change], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1 and re.search(message, done.stderr)
