"""The converter `ingest`, with a stand-in for the instrument that demultiplexes by itself: what it
wrote is taken whole, and whatever does not fit is refused by its code."""

import gzip
import json
import runpy
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, find
from arteriole.bcl2fastq.converters.conversion import Options
from arteriole.bcl2fastq.converters.ingest import fastq
from arteriole.bcl2fastq.converters.ingest.fastq import Origin
from arteriole.bcl2fastq.settings import Bcl2fastqSettings
from arteriole.bcl2fastq.work import observe, work
from arteriole.illumina.analysis_manifest import Manifest
from arteriole.illumina.index_orientation import reverse_complement
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task

FAKE = runpy.run_path(str(Path(__file__).parent / "fakes" / "fake_instrument.py"))
READS = ((6, "N"), (4, "Y"), (4, "Y"), (6, "N"))
#: What the instrument reads of each cluster; the i5 is read reversed, and RunInfo.xml says so.
CLUSTERS = (
    ("GATTAC", "ACGT", "GGGA", "TTTTGG"),
    ("CATCAT", "TTTT", "CCCA", "AAAACC"),
    ("GGGGGG", "ACGA", "GGCA", "CCCCCC"),  # a mismatch in each index
    ("NNATTA", "GATC", "GAAC", "GATCAT"),  # of no sample
    ("TTTTTT", "TTTT", "CCCA", "ACACAC"),
)
ON_BOARD = """[Header]
FileFormatVersion,2
[BCLConvert_Settings]
SoftwareVersion,4.3.16
[BCLConvert_Data]
Sample_ID,Index,Index2
S1,ACGT,GGGA
S2,TTTT,CCCA
"""
SITE = """[Header]
FileFormatVersion,2
[BCLConvert_Settings]
[BCLConvert_Data]
Lane,Sample_ID,Sample_Project,Index,Index2
1,S2,P1,TTTT,CCCA
1,S1,,ACGT,GGGA
"""
FASTQ = "Data/BCLConvert/fastq/S1_S1_L001_R2_001.fastq.gz"
COUNTS = "Data/Demux/Demultiplex_Stats.csv"
#: CCCC is S1's too by its mismatches, but no read has it.
EMPTY = ON_BOARD + "S3,GGAA,CCCC\n"


@pytest.fixture
def run(tiny_run, cluster_of) -> Path:
    """A run folder with the sheet of the site, on which the instrument has not yet worked."""
    tiny_run.reads, tiny_run.reverse_complement = READS, (3,)
    clusters = [
        cluster_of(read1 + i7 + reverse_complement(i5) + read2, quality=37 - n)
        for n, (read1, i7, i5, read2) in enumerate(CLUSTERS)
    ]
    failed = cluster_of("".join(CLUSTERS[0]), passed=False)
    tiny_run.clusters = {(1, 1101): [*clusters[:2], failed], (1, 1102): clusters[2:]}
    tiny_run.write(SITE)
    info = tiny_run.folder / "RunInfo.xml"
    info.write_text(info.read_text().replace("M04034</Instrument>", "LH00217</Instrument>"))
    return tiny_run.folder


def texts(folder: Path) -> dict[str, str]:
    """Every FASTQ by its path."""
    return {
        path.relative_to(folder).as_posix(): gzip.decompress(path.read_bytes()).decode()
        for path in sorted(folder.rglob("*.fastq.gz"))
    }


def taken(run: Path, tmp_path: Path, name: str = "ingest", **options):
    """The result, and the folder with the files."""
    out = tmp_path / f"out-{name}"
    out.mkdir()
    request = ConversionRequest(run, run / "SampleSheet.csv", out, **options)
    return find(name).convert(request, lambda done, total: None), out


@pytest.fixture
def task(tmp_path):
    def make(run: Path, **given) -> Task:
        (tmp_path / "fastq").mkdir(exist_ok=True)
        folder = JobFolder(tmp_path / "jobs" / str(len(list(tmp_path.glob("jobs/*"))) + 1))
        parameters = {
            "run_dir": str(run),
            "fastq_root": str(tmp_path / "fastq"),
            "converter": "ingest",
            "barcode_mismatches": [1, 1],
            "include_non_pf": False,
            "ignore_adapters": False,
            "allow_index_collisions": False,
            "allow_empty_samples": False,
            "threads": 2,
            **given,
        }
        about = {"job_id": 1, "run": "r1", "stage": "convert", "attempt": 1}
        folder.prepare({**about, "parameters": parameters, "stopping": False})
        lock = folder.lock()
        assert lock is not None
        return Task(folder, lock)

    return make


@pytest.mark.parametrize("workflow", ["BCLConvert", "DragenGermline"])
def test_an_attempt_is_what_another_converter_makes_of_the_base_calls(
    run, tmp_path, task, workflow
):
    FAKE["analyse"](run, ON_BOARD, workflow=workflow)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    would = observe(task(run))
    job = task(run)
    answer = work(job)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
    assert (answer["clusters"], answer["clusters_pf"], answer["files"]) == (6, 5, 6)
    assert answer["converter_version"] == "dragen-4.3.16"
    assert job.folder.read("progress.json") == {"done": 6, "total": 6, "unit": "files"}
    home = tmp_path / "fastq" / "r1" / "attempt-1"
    _, other = taken(run, tmp_path, "builtin")
    assert texts(home) == texts(other)
    assert sorted(would["files"]) == [*texts(home)]
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None and record["converter"] == "ingest" and not record["degraded"]
    assert [(s["sample_id"], s["reads"]) for s in record["samples"]] == [
        *(("S2", 2), ("S1", 2), ("Undetermined", 1))
    ]
    assert "the sheet that the instrument used has other names or projects" in record["warnings"]
    counted = [json.loads((folder / "Stats/Stats.json").read_text()) for folder in (home, other)]
    for document in counted:
        for result in document["ConversionResults"][0]["DemuxResults"]:
            for metrics in result["ReadMetrics"]:
                metrics.pop("TrimmedBases", None)
        for metrics in document["ConversionResults"][0]["Undetermined"]["ReadMetrics"]:
            metrics.pop("TrimmedBases", None)
    assert counted[0] == counted[1]


def test_its_bytes_are_the_instrument_s_and_what_they_rest_on_stays_beside_them(run, tmp_path):
    home = FAKE["analyse"](run, ON_BOARD)
    result, out = taken(run, tmp_path)
    names = {file.path: (file.sample_id, file.read, file.reads) for file in result.files}
    assert names["P1/S2_S1_L001_R2_001.fastq.gz"] == ("S2", 2, 2)
    first = out / "P1/S2_S1_L001_R2_001.fastq.gz"
    theirs = home / "Data/BCLConvert/fastq/S2_S2_L001_R2_001.fastq.gz"
    assert first.read_bytes() == theirs.read_bytes() and not first.samefile(theirs)
    kept = sorted(p.relative_to(out).as_posix() for p in (out / "Analysis").rglob("*.*"))
    assert kept == [
        "Analysis/1/Data/BCLConvert/SampleSheet.csv",
        "Analysis/1/Data/BCLConvert/fastq/Reports/Quality_Metrics.csv",
        "Analysis/1/Data/Demux/Demultiplex_Stats.csv",
        "Analysis/1/Data/Demux/Top_Unknown_Barcodes.csv",
        "Analysis/1/Data/summary/4.3.16",
        "Analysis/1/Data/summary/4.3.16/detailed_summary.json",
        "Analysis/1/Data/summary/4.3.16/highlevel_summary.json",
        "Analysis/1/Manifest.tsv",
    ]
    assert (out / "Analysis/1/Manifest.tsv").read_bytes() == (home / "Manifest.tsv").read_bytes()


def relisted(spoil: Callable[[Path], object]) -> Callable[[Path], object]:
    """As if the instrument itself had done it, and listed it so."""

    def both(home: Path) -> None:
        spoil(home)
        FAKE["list_files"](home)

    return both


def flip(path: str, at: int) -> Callable[[Path], object]:
    def spoil(home: Path) -> None:
        data = bytearray((home / path).read_bytes())
        data[at] ^= 1
        (home / path).write_bytes(data)

    return spoil


def cut(path: str, last: int) -> Callable[[Path], object]:
    return lambda home: (home / path).write_bytes((home / path).read_bytes()[:-last])


def say(path: str, one: str, other: str) -> Callable[[Path], object]:
    def spoil(home: Path) -> None:
        text = (home / path).read_text()
        assert one in text
        (home / path).write_text(text.replace(one, other))

    return spoil


def add(path: str, text: str = "@x\n") -> Callable[[Path], object]:
    def spoil(home: Path) -> None:
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(gzip.compress(text.encode()))

    return spoil


def rewrite(path: str, one: str, other: str) -> Callable[[Path], object]:
    def spoil(home: Path) -> None:
        text = gzip.decompress((home / path).read_bytes()).decode()
        assert one in text
        (home / path).write_bytes(gzip.compress(text.replace(one, other).encode()))

    return spoil


def linked(home: Path) -> None:
    """A folder that leads elsewhere, where the same files lie."""
    fastqs, elsewhere = home / "Data" / "BCLConvert", home.parent.parent / "elsewhere"
    fastqs.rename(elsewhere)
    fastqs.symlink_to(elsewhere)


def fewer_reads(home: Path) -> None:
    """A record less in both reads of a sample; each file by itself is right."""
    for read in (1, 2):
        path = home / f"Data/BCLConvert/fastq/S1_S1_L001_R{read}_001.fastq.gz"
        lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
        path.write_bytes(gzip.compress(b"".join(lines[:-4])))


def unended(home: Path) -> None:
    """The text of a file lacks its last byte; its gzip data is whole."""
    text = gzip.decompress((home / FASTQ).read_bytes())
    (home / FASTQ).write_bytes(gzip.compress(text[:-1]))


def swapped(home: Path) -> None:
    """R1 of a sample lies under the name of its R2."""
    one, other = (home / FASTQ.replace("R2", read) for read in ("R1", "R2"))
    shutil.copy(one, other)


def other_count(column: int) -> Callable[[Path], object]:
    """Demultiplex_Stats.csv moves a read from S1 to another row."""

    def spoil(home: Path) -> None:
        rows = [line.split(",") for line in (home / COUNTS).read_text().splitlines()]
        rows[1][4], rows[column][4] = str(int(rows[1][4]) - 1), str(int(rows[column][4]) + 1)
        (home / COUNTS).write_text("\n".join(map(",".join, rows)) + "\n")

    return spoil


#: What happens to the analysis, the code, and what its message says.
SPOILED = {
    "a file cut short on the way": (cut(FASTQ, 1), "ingest.damaged", "cut short or damaged"),
    "a file cut to nothing": (
        lambda home: (home / FASTQ).write_bytes(b""),
        "ingest.damaged",
        "Manifest.tsv has the digest",
    ),
    "a flipped bit in a gzip header": (flip(FASTQ, 4), "ingest.damaged", "Manifest.tsv"),
    "a flipped bit in a table": (flip(COUNTS, 90), "ingest.damaged", "Demultiplex_Stats"),
    "bytes behind the gzip data": (
        lambda home: (home / FASTQ).write_bytes((home / FASTQ).read_bytes() + b"\0\0"),
        "ingest.damaged",
        "Manifest.tsv",
    ),
    "a file cut short on the instrument": (
        relisted(cut(FASTQ, 9)),
        "ingest.damaged",
        "cut short or damaged",
    ),
    "more records than counted": (
        relisted(rewrite(FASTQ, "\n@", "\n\n\n\n@")),
        "ingest.counts",
        "more records",
    ),
    "a text that ends within a line": (relisted(unended), "ingest.damaged", "within a line"),
    "no FASTQ": (relisted(rewrite(FASTQ, "@", ">")), "ingest.damaged", "does not begin"),
    "a file missing": (
        lambda home: (home / FASTQ).unlink(),
        "ingest.incomplete",
        "lacks Data/BCLConvert/fastq/S1_S1_L001_R2",
    ),
    "a log missing": (
        lambda home: (home / "Data/summary/4.3.16/detailed_summary.json").unlink(),
        "ingest.incomplete",
        "lacks Data/summary",
    ),
    "a file that the instrument did not write": (
        relisted(lambda home: (home / FASTQ).unlink()),
        "ingest.files",
        "has no FASTQ of S1, lane 1, read 2",
    ),
    "a FASTQ that is not listed": (
        add("Data/BCLConvert/fastq/S9_S9_L001_R1_001.fastq.gz"),
        "ingest.files",
        "not listed",
    ),
    "a listed FASTQ at another place": (
        relisted(add("Data/S9_S9_L001_R1_001.fastq.gz")),
        "ingest.files",
        "a place that is not known",
    ),
    "a FASTQ of no sample": (
        relisted(add("Data/BCLConvert/fastq/S9_S9_L001_R1_001.fastq.gz")),
        "ingest.files",
        "was not planned",
    ),
    "a FASTQ of an index read": (
        relisted(add("Data/BCLConvert/fastq/S1_S1_L001_I1_001.fastq.gz")),
        "ingest.files",
        "another name than expected",
    ),
    "two files of the same reads": (
        relisted(add("Data/DragenGermline/fastq/S1_S1_L001_R1_001.fastq.gz")),
        "ingest.files",
        "two files of the same reads",
    ),
    "R1 for R2": (relisted(swapped), "ingest.files", "read 1; expected AAAAA, lane 1, read 2"),
    "reads of another flow cell": (
        relisted(rewrite(FASTQ, ":AAAAA:", ":BBBBB:")),
        "ingest.files",
        "flow cell BBBBB",
    ),
    "a folder that is a link": (linked, "ingest.incomplete", "lacks Data/BCLConvert"),
    "a record less in both reads": (relisted(fewer_reads), "ingest.counts", "1 records"),
    "a count that moved to another sample": (
        relisted(other_count(2)),
        "ingest.counts",
        "Demultiplex_Stats.csv counts",
    ),
    "a count that is lost": (
        relisted(say(COUNTS, ",,,1,", ",,,0,")),
        "convert.stats",
        "5 clusters that passed the filter",
    ),
    "no counts": (
        relisted(lambda home: (home / COUNTS).unlink()),
        "ingest.manifest",
        "lists no Demultiplex_Stats.csv",
    ),
    "ORA": (
        relisted(add("Data/BCLConvert/ora_fastq/S1_S1_L001_R1_001.fastq.ora")),
        "ingest.ora",
        "ORA",
    ),
    "a failed analysis": (
        relisted(say("Data/summary/4.3.16/detailed_summary.json", "success", "error")),
        "ingest.failed",
        "did not succeed",
    ),
    "no version": (
        relisted(say("Data/summary/4.3.16/highlevel_summary.json", '"4.3.16"', '"x y"')),
        "ingest.summary",
        "does not say which software",
    ),
    "a summary that is none": (
        relisted(say("Data/summary/4.3.16/highlevel_summary.json", "{", "[")),
        "ingest.summary",
        "is no JSON",
    ),
    "two sheets": (
        relisted(say("Data/SampleSheet.csv", "S1", "S4")),
        "ingest.sheet",
        "2 different SampleSheet.csv",
    ),
    "a sheet that cannot be read": (
        relisted(
            lambda home: [path.write_text("x") for path in (home / "Data").rglob("SampleSheet.csv")]
        ),
        "ingest.sheet",
        "the sheet that the instrument used",
    ),
    "a manifest cut short": (cut("Manifest.tsv", 1), "ingest.manifest", "cut short"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_what_does_not_fit_is_refused_and_nothing_is_published(run, tmp_path, task, case):
    spoil, code, message = SPOILED[case]
    spoil(FAKE["analyse"](run, ON_BOARD))
    with pytest.raises(ConversionError) as refused:
        work(task(run))
    assert refused.value.code == code
    assert message in str(refused.value) and refused.value.hint
    assert [*(tmp_path / "fastq" / "r1").iterdir()] == []


def half_written(home: Path) -> None:
    (home / "CopyComplete.txt").unlink()


def other_reads(home: Path) -> None:
    """An analysis that must not be taken."""
    rewrite(FASTQ, "GG\n", "GA\n")(home)


#: What the run folder has, which analysis is taken, or the code and what the message says.
CHOICES = {
    "the newest": ({1: other_reads, 2: None, 10: None}, 10, ""),
    "an older one while a newer is written": ({1: None, 2: half_written}, 1, "Analysis/2 is newer"),
    "none": ({}, "ingest.no_analysis", "there is no Analysis/1"),
    "none is copied": ({1: half_written}, "ingest.incomplete", "has no CopyComplete.txt"),
    "none has ended": (
        {1: lambda home: (home / "Data/Secondary_Analysis_Complete.txt").unlink()},
        "ingest.incomplete",
        "has no Data/Secondary_Analysis_Complete.txt",
    ),
    "none is listed": (
        {1: lambda home: (home / "Manifest.tsv").unlink()},
        "ingest.incomplete",
        "has no Manifest.tsv",
    ),
}


@pytest.mark.parametrize("case", CHOICES)
def test_the_newest_complete_analysis_is_taken(run, tmp_path, case):
    analyses, expected, message = CHOICES[case]
    for number, spoil in analyses.items():
        home = FAKE["analyse"](run, ON_BOARD, number)
        if spoil is not None:
            spoil(home)
    if isinstance(expected, str):
        with pytest.raises(ConversionError, match=message) as refused:
            taken(run, tmp_path)
        assert refused.value.code == expected
        return
    result, out = taken(run, tmp_path)
    assert [path.name for path in (out / "Analysis").iterdir()] == [str(expected)]
    assert message in " ".join(result.warnings)


def test_local_software_leaves_nothing_to_prove_its_files_by(run, tmp_path):
    (run / "Alignment_1").mkdir()
    with pytest.raises(ConversionError) as refused:
        taken(run, tmp_path)
    assert refused.value.code == "ingest.no_analysis"
    assert "Alignment_1 is of local software" in refused.value.hint


def settings(*lines: str) -> str:
    return SITE.replace("[BCLConvert_Data]", "".join(f"{x}\n" for x in lines) + "[BCLConvert_Data]")


#: The sheet of the site, the one on board, and the message of what differs; '' for nothing.
SHEETS = {
    "another order, a lane, a project": (SITE, ON_BOARD, ""),
    "what is done anyway": (settings("OverrideCycles,Y6;I4;I4;Y6"), ON_BOARD, ""),
    "the same mask": (
        settings("OverrideCycles,Y6;I4;I4;Y5N1"),
        ON_BOARD.replace("[BCLConvert_Data]", "OverrideCycles,Y6;I4;I4;Y5N1\n[BCLConvert_Data]"),
        "",
    ),
    "the same mask with names": (
        settings("OverrideCycles,R1:Y6;R2:Y5N1;I1:I4;I2:I4"),
        ON_BOARD.replace("[BCLConvert_Data]", "OverrideCycles,Y6;I4;I4;Y5N1\n[BCLConvert_Data]"),
        "",
    ),
    "as read by its own word": (
        settings("Index2ColumnReverseComplement,Y").replace("GGGA", "TCCC").replace("CCCA", "TGGG"),
        ON_BOARD,
        "",
    ),
    "as read by the word of the one on board": (
        SITE,
        ON_BOARD.replace("GGGA", "TCCC")
        .replace("CCCA", "TGGG")
        .replace("[BCLConvert_Data]", "Index2ColumnReverseComplement,Y\n[BCLConvert_Data]"),
        "",
    ),
    "another mask": (
        SITE,
        ON_BOARD.replace("[BCLConvert_Data]", "OverrideCycles,Y6;I4;I4;Y5N1\n[BCLConvert_Data]"),
        "index ACGT+GGGA, overridecycles Y6;I4;I4;Y5N1; the sheet of the site has S1 of lane 1",
    ),
    "adapters": (settings("AdapterRead1,ACGT"), ON_BOARD, "adapterread1 ACGT"),
    "another index": (SITE.replace("ACGT", "ACGG"), ON_BOARD, "S1 of lane 1, index ACGG+GGGA"),
    "indexes exchanged": (
        SITE.replace("S1", "S9").replace("S2", "S1").replace("S9", "S2"),
        ON_BOARD,
        "4 rows differ",
    ),
    "a sample more": (SITE + "1,S3,,GGAA,CCCC\n", ON_BOARD, "the instrument used no such sample"),
    "a sample less": (
        SITE.replace("1,S1,,ACGT,GGGA\n", ""),
        ON_BOARD,
        "the sheet of the site has no such sample",
    ),
    "other mismatches on board": (
        SITE,
        ON_BOARD.replace("[BCLConvert_Data]", "BarcodeMismatchesIndex1,0\n[BCLConvert_Data]"),
        "mismatches: 0 and 1 in the sheet that the instrument used, and 1 and 1",
    ),
    "the i5 the other way round": (SITE.replace("GGGA", "TCCC"), ON_BOARD, "ACGT+TCCC"),
}


@pytest.mark.parametrize("case", SHEETS)
def test_the_sheets_are_held_against_each_other(run, tmp_path, case):
    site, on_board, message = SHEETS[case]
    FAKE["analyse"](run, on_board)
    (run / "SampleSheet.csv").write_text(site)
    if not message:
        assert len(taken(run, tmp_path)[0].files) == 6
        return
    with pytest.raises(ConversionError) as refused:
        taken(run, tmp_path)
    assert refused.value.code == "ingest.sheet_differs" and refused.value.hint
    assert message in str(refused.value)


def test_other_reads_than_those_of_the_run_are_not_taken(run, tmp_path):
    FAKE["analyse"](run, ON_BOARD)
    (run / "SampleSheet.csv").write_text(settings("OverrideReads,Y6;I4;I4r;Y6r"))
    with pytest.raises(ConversionError, match="OverrideReads asks for") as refused:
        taken(run, tmp_path)
    assert refused.value.code == "convert.setting" and refused.value.hint


def test_index2_of_the_site_may_be_as_it_was_read(run, tmp_path):
    FAKE["analyse"](run, ON_BOARD)
    text = SITE
    for index2 in ("GGGA", "CCCA"):
        text = text.replace(index2, reverse_complement(index2))
    (run / "SampleSheet.csv").write_text(text)
    assert len(taken(run, tmp_path, index2="as-read")[0].files) == 6


def test_a_sample_without_a_read_may_have_no_file(run, tmp_path, task):
    home = FAKE["analyse"](run, EMPTY)
    (run / "SampleSheet.csv").write_text(EMPTY)
    for path in home.rglob("S3_*"):
        path.unlink()
    FAKE["list_files"](home)
    result, _ = taken(run, tmp_path)
    assert "S3 has no read, and the instrument wrote no file of it" in result.warnings[-1]
    assert len(result.files) == 6 and result.samples[2].reads == 0
    with pytest.raises(ConversionError) as refused:
        work(task(run))
    assert refused.value.code == "convert.empty_sample"


@pytest.mark.parametrize("undetermined", [None, "", "@LH00217:43:AAAAA:1:1:1:1 1:N:0:1\nA\n+\nF\n"])
def test_a_sample_alone_on_its_lane_has_every_read(tiny_run, cluster_of, tmp_path, undetermined):
    tiny_run.reads = ((4, "N"),)
    tiny_run.clusters = {(1, 1101): [cluster_of("ACGT"), cluster_of("GGGG")]}
    sheet = ON_BOARD.split("Sample_ID")[0] + "Sample_ID\nS1\n"
    tiny_run.write(sheet)
    home = FAKE["analyse"](tiny_run.folder, sheet)
    if undetermined is not None:
        add("Data/BCLConvert/fastq/Undetermined_S0_L001_R1_001.fastq.gz", undetermined)(home)
        FAKE["list_files"](home)
    if undetermined:
        with pytest.raises(ConversionError) as refused:
            taken(tiny_run.folder, tmp_path)
        assert refused.value.code == "ingest.counts"
        return
    result, out = taken(tiny_run.folder, tmp_path)
    assert [(file.path, file.reads) for file in result.files] == [("S1_S1_L001_R1_001.fastq.gz", 2)]
    assert [*texts(out)] == ["S1_S1_L001_R1_001.fastq.gz"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"include_non_pf": True}, "convert.option"),
        ({"allow_index_collisions": True}, "convert.option"),
        ({"ignore_adapters": True}, "convert.option"),
        ({"options": Options(no_lane_splitting=True)}, "convert.option"),
        ({"ignore": frozenset({"missing-bcls"})}, "convert.ignore"),
        ({"barcode_mismatches": (0, 0)}, "ingest.sheet_differs"),
    ],
)
def test_what_the_instrument_decided_cannot_be_asked_for(run, tmp_path, options, code):
    FAKE["analyse"](run, ON_BOARD)
    with pytest.raises(ConversionError) as refused:
        taken(run, tmp_path, **options)
    assert refused.value.code == code


def test_it_is_a_converter_of_the_settings(tmp_path):
    given = {"run_roots": [tmp_path], "fastq_root": tmp_path, "converter": "ingest"}
    assert Bcl2fastqSettings(**given).tool_of("ingest") is None
    with pytest.raises(ValueError, match="expected no ignore_adapters with the converter ingest"):
        Bcl2fastqSettings(**given, ignore_adapters=True)


MANIFESTS = {
    "Data/a b.csv\tC0D4030B\n": "8 hexadecimal digits",
    "Data/a.csv\tc0d4030\n": "8 hexadecimal digits",
    "Data/a.csv\n": "8 hexadecimal digits",
    "/etc/passwd\tc0d4030b\n": "a relative path",
    "Data/../../a\tc0d4030b\n": "with . or ..",
    "Data//a\tc0d4030b\n": "a relative path",
    "Data/a\x1b[2J\tc0d4030b\n": "a relative path",
    "Data/a\tc0d4030b\nData/a\tc0d4030c\n": "line 2: the path stands there twice",
    "Data/a\tc0d4030b": "its last line has no end",
    "Data/\udce9\tc0d4030b\n": "is not UTF-8",
}


@pytest.mark.parametrize("text", MANIFESTS)
def test_a_manifest_that_is_none(tmp_path, text):
    (tmp_path / "Manifest.tsv").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ArterioleError, match=MANIFESTS[text]) as refused:
        Manifest.read(tmp_path)
    assert refused.value.code == "ingest.manifest" and refused.value.hint


def test_a_manifest_has_the_crc_32_of_gzip(tmp_path):
    (tmp_path / "Manifest.tsv").write_bytes(b"Data/a b.csv\tcbf43926\r\nData/empty\t00000000\n")
    files = Manifest.read(tmp_path).files
    assert files == {"Data/a b.csv": zlib.crc32(b"123456789"), "Data/empty": zlib.crc32(b"")}


def test_a_file_is_counted_through_all_its_members_in_little_memory(tmp_path):
    record = b"@LH00217:1:F:2:1101:1000:1000 1:N:0:A\n" + b"A" * 150 + b"\n+\n" + b"F" * 150 + b"\n"
    path = tmp_path / "a.fastq.gz"
    path.write_bytes(b"".join(gzip.compress(record * 300) for _ in range(200)))
    origin, crc = Origin("F", 2, 1), zlib.crc32(path.read_bytes())
    beats = []
    found = fastq.take(path, tmp_path / "b", crc, 60_000, origin, lambda: beats.append(1))
    assert (tmp_path / "b").read_bytes() == path.read_bytes() and found.size == path.stat().st_size
    assert len(beats) > 1
    with pytest.raises(ConversionError, match="60000 records"):  # cut where a member ends
        fastq.take(path, None, crc, 60_001, origin, lambda: None)
