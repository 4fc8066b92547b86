"""The converter `bcl2fastq` with a strict stand-in for Illumina's program."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionError, ConversionRequest, Options, find, names
from arteriole.bcl2fastq.converters.bcl2fastq import command
from arteriole.bcl2fastq.converters.bcl2fastq.about import BCL2FASTQ
from arteriole.bcl2fastq.converters.builtin import plan as plans
from arteriole.bcl2fastq.tool_settings import ToolSettings
from arteriole.bcl2fastq.tools import tool
from arteriole.bcl2fastq.work import observe, work
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import StoppedError, Task

FAKE = Path(__file__).parent / "fakes" / "fake_bcl2fastq.py"
SHEET = (
    "[Settings]\nAdapter,CTGT\n"
    "[Data]\nSample_ID,Sample_Name,Sample_Project,index,index2\n"
    "S1,one,P1,ACGT,GGGG\nS2,S2,,TTTT,CCCC\n"
)
READS = ((4, "N"), (4, "Y"), (4, "Y"), (4, "N"))
S1 = "P1/S1/one_S1_L001_R1_001.fastq.gz"
SETTINGS = {"version": "2.20.0.422"}


@pytest.fixture
def run(tiny_run, cluster_of):
    tiny_run.reads = READS
    tiny_run.clusters[1, 1101] = [cluster_of("GGGGACGTGGGGTTTT"), cluster_of("AAAATTTTCCCCGGGG")]
    tiny_run.clusters[1, 1102] = [
        cluster_of("CCCCACGAGGGCAAAA"),  # a mismatch in each index
        cluster_of("GATCACGTACACGATC"),
        cluster_of("GGGGACGTGGGGAAAA", passed=False),
    ]
    tiny_run.write(SHEET)
    return tiny_run.folder


@pytest.fixture
def prepared(run, tmp_path):
    """What the builtin converter makes of the run."""
    out = tmp_path / "prepared"
    out.mkdir()
    request = ConversionRequest(run, run / "SampleSheet.csv", out, ignore_adapters=True)
    find("builtin").convert(request, lambda done, total: None)
    return out


@pytest.fixture
def fake(tmp_path):
    """Puts the stand-in under a path of its own."""

    def make(**knobs) -> str:
        path = tmp_path / "bin" / "bcl2fastq"
        path.parent.mkdir(exist_ok=True)
        words = ["exec", sys.executable, str(FAKE)]
        path.write_text(
            "#!/bin/sh\n"
            f"export FAKE_BCL2FASTQ={shlex.quote(json.dumps(knobs))}\n"
            f'{shlex.join(words)} "$@"\n'
        )
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def task(tmp_path, run):
    (tmp_path / "fastq").mkdir()

    def make(program: str, job_id: int = 1, stopping: bool = False, **given) -> Task:
        folder = JobFolder(tmp_path / "jobs" / str(job_id))
        parameters = {
            "run_dir": str(run),
            "fastq_root": str(tmp_path / "fastq"),
            "converter": "bcl2fastq",
            "bcl2fastq_tool": {**SETTINGS, "program": program, **given.pop("tool", {})},
            "barcode_mismatches": [1, 1],
            "include_non_pf": False,
            "ignore_adapters": False,
            "allow_index_collisions": False,
            "allow_empty_samples": False,
            "threads": 2,
            **given,
        }
        about = {"job_id": job_id, "run": "r1", "stage": "convert", "attempt": 1}
        folder.prepare({**about, "parameters": parameters, "stopping": stopping})
        lock = folder.lock()
        assert lock is not None
        return Task(folder, lock)

    return make


def test_it_is_found_by_name_and_needs_its_tool():
    assert "bcl2fastq" in names()
    with pytest.raises(ConversionError, match="needs to know which bcl2fastq") as refused:
        find("bcl2fastq")
    assert refused.value.code == "convert.option" and refused.value.hint


def test_a_job_gives_what_the_builtin_converter_gives(tmp_path, run, prepared, fake, task):
    before = sorted(run.rglob("*"))
    answer = work(task(fake()))
    assert (answer["converter"], answer["converter_version"]) == ("bcl2fastq", "2.20.0.422")
    assert (answer["clusters"], answer["clusters_pf"], answer["files"]) == (5, 4, 6)
    home = tmp_path / "fastq" / "r1" / "attempt-1"
    made = {path.relative_to(home) for path in home.rglob("*.fastq.gz")}
    assert made == {path.relative_to(prepared) for path in prepared.rglob("*.fastq.gz")}
    for path in made:
        assert (home / path).read_bytes() == (prepared / path).read_bytes()
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None
    request = ConversionRequest(run, run / "SampleSheet.csv", tmp_path / "again", (1, 1),
                                ignore_adapters=True)  # fmt: skip
    request.out_dir.mkdir()
    builtin = find("builtin").convert(request, lambda done, total: None)
    keys = ("path", "sample_id", "lane", "read", "size", "reads", "md5", "blake3")
    assert record["files"] == [
        {key: getattr(f, key) for key in keys} | {"index": False} for f in builtin.files
    ]
    assert [(s["sample_id"], s["reads"]) for s in record["samples"]] == [
        *(("S1", 2), ("S2", 1), ("Undetermined", 1))
    ]
    assert (home / "bcl2fastq.log").read_text().endswith("0 errors and 0 warnings.\n")
    assert (home / "Reports" / "html" / "index.html").is_file()
    assert (home / "InterOp" / "IndexMetricsOut.bin").is_file()
    assert sorted(run.rglob("*")) == before


def test_observing_announces_the_same_files(prepared, fake, task):
    would = observe(task(fake(exit=1)))
    assert sorted(would["files"]) == sorted(
        path.relative_to(prepared).as_posix() for path in prepared.rglob("*.fastq.gz")
    )
    assert (would["converter"], would["converter_version"]) == ("bcl2fastq", "2.20.0.422")


COUNT = ["ConversionResults", 0, "DemuxResults", 0]


@pytest.mark.parametrize(
    ("knobs", "code", "message"),
    [
        ({"exit": 1}, "convert.tool_failed",
         "bcl2fastq ended with 1: ERROR: barcode collision | in lane 1"),
        ({"exit": 137}, "convert.tool_failed", "was killed (137), as what is out of memory is"),
        ({"exit": 139}, "convert.tool_failed", "crashed (139), as it does when it is out of mem"),
        ({"signal": "SIGKILL"}, "convert.tool_failed", "was killed (-9), as what is out of memory"),
        ({"signal": "SIGSEGV"}, "convert.tool_failed", "crashed (-11), as it does when it is out"),
        ({"version": "2.17.1.14"}, "convert.version",
         "expected bcl2fastq v2.20.0.422; {program} says v2.17.1.14"),
        ({"stats": ""}, "convert.stats", "Stats.json: not JSON"),
        ({"stats": "[" * 100_000}, "convert.stats", "Stats.json: not JSON"),
        ({"stats": "[]"}, "convert.stats", "expected an object in the file"),
        ({"stats": "{}"}, "convert.stats", "has other lanes than were planned: 1"),
        ({"remove": "Stats/Stats.json"}, "convert.stats", "Stats.json cannot be read"),
        ({"counts": [["ConversionResults", 0, "LaneNumber"], 2]}, "convert.stats",
         "has other lanes than were planned: 1, 2"),
        ({"counts": [["ConversionResults", 0, "DemuxResults"], []]}, "convert.stats",
         "has other samples of lane 1 than were planned: S1, S2"),
        ({"counts": [[*COUNT, "SampleId"], "S2"]}, "convert.stats", "than were planned: S1"),
        ({"counts": [[*COUNT, "NumberReads"], 1.5]}, "convert.stats", "a whole number NumberReads"),
        ({"counts": [[*COUNT, "NumberReads"], 3]}, "convert.stats",
         "lane 1 has 5 clusters, 4 that passed the filter, and 5 reads"),
        ({"counts": [["UnknownBarcodes", 0, "Barcodes"], [1]]}, "convert.stats", "UnknownBarcodes"),
        ({"counts": [[*COUNT, "NumberReads"], 0]}, "convert.empty_sample", "sample S1"),
        ({"remove": S1}, "convert.reconcile", f"bcl2fastq did not write {S1}"),
        ({"add": "P1/S1/one_S1_L001_I1_001.fastq.gz"}, "convert.reconcile",
         "wrote, and was not to, P1/S1/one_S1_L001_I1_001.fastq.gz"),
        ({"add": "x.fastq"}, "convert.reconcile", "wrote, and was not to, x.fastq"),
        ({"link": S1}, "convert.reconcile", f"{S1} is no regular file"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_and_leaves_nothing(
    tmp_path, prepared, fake, task, knobs, code, message
):
    program = fake(prepared=str(prepared), **knobs)
    with pytest.raises(ConversionError) as failed:
        work(task(program))
    assert failed.value.code == code
    assert message.replace("{program}", program) in str(failed.value)
    assert failed.value.hint or code == "convert.reconcile"
    home = tmp_path / "fastq" / "r1"
    assert not home.exists() or list(home.iterdir()) == []


def test_an_empty_sample_can_be_meant(prepared, fake, task):
    program = fake(prepared=str(prepared), counts=[[*COUNT, "NumberReads"], 0])
    assert work(task(program, allow_empty_samples=True))["files"] == 6


def test_one_that_does_not_end_is_stopped(fake, task):
    with pytest.raises(ConversionError, match="had not ended after 1 s") as stopped:
        work(task(fake(sleep=600), tool={"timeout_hours": 1 / 3600}))
    assert stopped.value.code == "tool.timeout"


def test_a_program_that_is_missing_is_told_before_anything_runs(tmp_path, task):
    absent = task(str(tmp_path / "absent"))
    for do in (observe, work):
        with pytest.raises(ConversionError, match="there is no such program") as missing:
            do(absent)
        assert missing.value.code == "tool.missing" and "docker/bcl2fastq" in missing.value.hint


def test_an_engine_that_is_not_there_is_told(tmp_path, task):
    tool = {"image": "bcl2fastq:2.20", "engine": str(tmp_path / "no.sock")}
    container = task("bcl2fastq", tool=tool)
    for do in (observe, work):
        with pytest.raises(ArterioleError, match="does not answer") as missing:
            do(container)
        assert missing.value.code == "docker.unreachable" and missing.value.hint
    settings = ToolSettings.model_validate(container.parameters["bcl2fastq_tool"])
    assert find("bcl2fastq", settings).version == "not installed"


def test_a_job_that_was_stopped_ends_what_it_has_begun_and_converts_nothing(tmp_path, fake, task):
    with pytest.raises(StoppedError):
        work(task(fake(), stopping=True))
    assert list((tmp_path / "fastq").iterdir()) == []


#: Two lengths of index on a lane, and the mask of the second part.
TWO_PARTS = SHEET.replace("TTTT,CCCC", "TTT,CCC"), "y4,i3n1,i3n1,y4"


@pytest.mark.parametrize("in_parts", [False, True])
def test_the_end_of_the_job_ends_bcl2fastq(tmp_path, run, fake, task, in_parts):
    (run / "SampleSheet.csv").write_text(TWO_PARTS[0] if in_parts else SHEET)
    job = task(fake(sleep=600, begun="begun", **({"only": TWO_PARTS[1]} if in_parts else {})))
    worker = subprocess.Popen(
        [sys.executable, "-m", "arteriole.bcl2fastq.work", str(job.folder.path), "0"],
        process_group=0, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    home = tmp_path / "fastq" / "r1"
    deadline = time.monotonic() + 60
    while not list(home.glob(".attempt-1.partial-*/**/begun")):
        assert time.monotonic() < deadline and worker.poll() is None
        time.sleep(0.02)
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.wait(60) == 143
    with pytest.raises(ProcessLookupError):
        os.killpg(worker.pid, 0)
    progress = job.folder.progress()
    assert progress is not None and progress["done"] == (2 if in_parts else 0)
    assert not list(home.glob("attempt-*"))


def test_an_attempt_in_parts(tmp_path, run, fake, task):
    (run / "SampleSheet.csv").write_text(TWO_PARTS[0])
    assert work(task(fake()))["files"] == 4
    home = tmp_path / "fastq" / "r1" / "attempt-1"
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None
    assert [(s["sample_id"], s["reads"]) for s in record["samples"]] == [
        *(("S1", 2), ("S2", 1), ("Undetermined", 1))
    ]
    assert not any(file["sample_id"] == "Undetermined" for file in record["files"])
    assert any("are not kept as FASTQs" in text for text in record["warnings"])
    assert sorted(path.name for path in home.iterdir()) == [
        *("P1", "S2_S2_L001_R1_001.fastq.gz", "S2_S2_L001_R2_001.fastq.gz", "Stats"),
        *("attempt.json", "bcl2fastq.parts"),
    ]


def test_a_part_that_fails_leaves_nothing(tmp_path, run, fake, task):
    (run / "SampleSheet.csv").write_text(TWO_PARTS[0])
    with pytest.raises(ConversionError, match=r"^part 2 of 2 \(lanes 1; mask y4,i3n1,i3n1,y4\): "):
        work(task(fake(exit=1, only=TWO_PARTS[1])))
    assert list((tmp_path / "fastq" / "r1").iterdir()) == []


# --- what it is asked ------------------------------------------------------------------------


def words(run: Path, out: Path, **options) -> list[str]:
    request = ConversionRequest(run, run / "SampleSheet.csv", out, **options)
    return command.arguments(plans.make(request, lambda *_: []), request)


def test_the_command_line(run):
    assert words(run, Path("/out"), threads=16) == [
        *("--runfolder-dir", str(run), "--output-dir", "/out", "--interop-dir", "/out/InterOp"),
        *("--sample-sheet", f"{run}/SampleSheet.csv", "--barcode-mismatches", "1"),
        *("--loading-threads", "4", "--processing-threads", "16", "--writing-threads", "2"),
        *("--min-log-level", "INFO"),
    ]


@pytest.mark.parametrize(
    ("reads", "sheet", "asked", "given"),
    [
        (READS, SHEET, (1, 1), "1"),
        (READS, SHEET, (0, 0), "0"),
        (READS, SHEET, (1, 0), "1,0"),
        (((4, "N"), (4, "Y")), "[Data]\nSample_ID,index\nA,ACGT\n", (2, 1), "2"),
        (((4, "N"),), "[Data]\nSample_ID\nA\n", (0, 1), "0"),
    ],
)
def test_mismatches_are_one_value_or_one_an_index(tiny_run, reads, sheet, asked, given):
    tiny_run.reads = reads
    tiny_run.write(sheet)
    found = words(tiny_run.folder, Path("/out"), barcode_mismatches=asked)
    assert found[found.index("--barcode-mismatches") + 1] == given


def test_what_is_ignored_is_passed_on(run, tmp_path, fake, task):
    (run / "Data/Intensities/BaseCalls/L001/C2.1/s_1_1102.bcl.gz").unlink()
    ignore = ["missing-bcls", "missing-positions", "missing-filter", "empty-samples"]
    assert work(task(fake(), ignore=ignore))["clusters"] == 5
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None and record["degraded"]
    found = words(run, Path("/out"), ignore=frozenset(ignore))
    assert [word for word in found if word.startswith("--ignore")] == [
        *("--ignore-missing-bcls", "--ignore-missing-filter", "--ignore-missing-positions")
    ]


@pytest.mark.parametrize(
    ("option", "value"),
    [("include_non_pf", True), ("allow_index_collisions", True), ("index2", "forward")],
)
def test_options_that_it_does_not_have(fake, task, option, value):
    assert observe(task(fake(), job_id=2, index2="as-read"))["files"]
    with pytest.raises(ConversionError, match=option) as refused:
        observe(task(fake(), **{option: value}))
    assert refused.value.code == "convert.option" and refused.value.hint


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("Read1UMILength,2", ""),
        ("TrimUMI,1", ""),
        ("MaskAdapter,ACGT", ""),
        ("CreateFastqForIndexReads,1", ""),
        ("BarcodeMismatchesIndex1,2", "convert.setting"),
        ("NoLaneSplitting,true", "convert.setting"),
    ],
)
def test_settings_that_would_make_other_files(run, fake, task, settings, code):
    sheet = run / "SampleSheet.csv"
    sheet.write_text(SHEET.replace("[Data]", f"{settings}\n[Data]"))
    if not code:
        assert observe(task(fake()))["warnings"] == []
        return
    with pytest.raises(ConversionError) as refused:
        observe(task(fake()))
    assert refused.value.code == code


def test_a_sheet_of_version_2_is_refused(run, fake, task):
    (run / "SampleSheet.csv").write_text(
        "[Header]\nFileFormatVersion,2\n[BCLConvert_Settings]\n"
        "[BCLConvert_Data]\nSample_ID,Index,Index2\nS1,ACGT,GGGG\n"
    )
    with pytest.raises(ConversionError, match="version 2") as refused:
        observe(task(fake()))
    assert refused.value.code == "convert.sheet_version"


@pytest.mark.parametrize(
    "data",
    [SHEET.replace(",", ";").encode(), SHEET.encode("utf-16"), b"# by hand\n" + SHEET.encode()],
    ids=["semicolons", "UTF-16", "comments"],
)
def test_a_sheet_that_is_read_here_alone_is_refused(run, fake, task, data):
    (run / "SampleSheet.csv").write_bytes(data)
    with pytest.raises(ConversionError, match="not written as bcl2fastq reads it") as refused:
        observe(task(fake()))
    assert refused.value.code == "convert.sheet_form"


def test_adapters_that_were_to_be_ignored_are_told(fake, task):
    warned = observe(task(fake(), ignore_adapters=True))["warnings"]
    assert len(warned) == 1 and "ignore_adapters changes nothing" in warned[0]


@pytest.mark.parametrize("answer", ["", "bcl2fastq 2.20", "bcl2fastq v2.20.0.4220", "v2.20.0.422"])
def test_an_answer_that_is_not_the_version(answer):
    settings = ToolSettings.model_validate(SETTINGS)
    with pytest.raises(ConversionError, match=r"expected bcl2fastq v2\.20\.0\.422") as refused:
        tool.require_version(answer, settings, BCL2FASTQ)
    assert refused.value.code == "convert.version"


def test_a_job_takes_options_of_bcl2fastq(tmp_path, run, fake, task):
    asked = task(fake())
    words = ["--no-lane-splitting", "--create-fastq-for-index-reads", "--tiles", "s_1_1101"]
    words += ["--use-bases-mask", "y*,i*,i*,n*", "--adapter-stringency", "0.8"]
    asked.parameters["additional_args"] = words
    asked.parameters["allow_empty_samples"] = True
    would = observe(asked)
    work(asked)
    record = Attempt(tmp_path / "fastq", "r1", 1).record()
    assert record is not None
    assert sorted(file["path"] for file in record["files"]) == sorted(would["files"])
    named = {(f["sample_id"], f["read"], f["index"], f["lane"]) for f in record["files"]}
    samples = [sample["sample_id"] for sample in record["samples"]]
    reads = [(1, False, 0), (1, True, 0), (2, True, 0)]
    assert named == {(sample, *read) for sample in samples for read in reads}
    reads_of = {sample["sample_id"]: sample["reads"] for sample in record["samples"]}
    assert {(f["sample_id"], f["reads"]) for f in record["files"]} == set(reads_of.items())


def test_the_options_that_are_asked_stand_at_the_end_of_the_command_line(run):
    options = Options(
        no_lane_splitting=True,
        create_fastq_for_index_reads=True,
        tiles=("s_1", "s_[2-4]"),
        use_bases_mask=("y*,i*,i*,y*", "1:y*,i*,i*,n*"),
        minimum_trimmed_read_length=0,
        mask_short_adapter_reads=0,
        words=("--adapter-stringency", "0.8"),
    )
    expected = [
        *("INFO", "--no-lane-splitting", "--create-fastq-for-index-reads", "--tiles"),
        *("s_1,s_[2-4]", "--use-bases-mask", "y*,i*,i*,y*", "--use-bases-mask", "1:y*,i*,i*,n*"),
        *("--minimum-trimmed-read-length", "0", "--mask-short-adapter-reads", "0"),
        *("--adapter-stringency", "0.8"),
    ]
    assert words(run, Path("/out"), options=options)[-len(expected) :] == expected
