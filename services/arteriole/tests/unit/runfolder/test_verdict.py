"""Each mishap of a run folder is a row: what was done to a whole one, and what is said of it."""

import json
import math
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from arteriole.runfolder import sighting
from arteriole.runfolder.quiet import Quiet
from arteriole.runfolder.verdict import Rules, VerdictKind, examine, examine_marker, judge

from ..illumina.conftest import write_calls, write_cbcls, write_run_info

SINCE = "2026-01-02T03:04:05.678Z"
CALLS = "Data/Intensities/BaseCalls/L001"
SHEET = "[Header]\n[Data]\nSample_ID,index\na,ACGT\nb,ACGA\nb,ACGC\n"
SETTLE, STALLED = 5.0, 3600.0
NAME = "260101_M04034_0043_000000000-AAAAA"
NEXT = "260102_M04034_0044_000000000-BBBBB"
PARAMETERS = "RunParameters.xml"


def whole(folder):
    """As a MiSeq leaves it: 4 cycles, 1 lane, 2 tiles, a sheet, the marker last."""
    write_run_info(folder)
    write_calls(folder, cycles=4, clusters=5)
    put(PARAMETERS, of_run(NAME))(folder)
    put("SampleSheet.csv", SHEET)(folder)
    put("RTAComplete.txt")(folder)


def of_run(name):
    return f"<RunParameters><RunID>{name}</RunID></RunParameters>"


def put(name, content="x"):
    """The file comes, by the file server's clock after all others."""

    def deed(folder):
        path = folder / name
        newest = sighting.surface(folder).newest if folder.is_dir() else 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        while path.stat().st_ctime <= newest:
            path.touch()

    return deed


def without(*names):
    def deed(folder):
        for name in names:
            (folder / name).unlink()
        marker = folder / "RTAComplete.txt"
        if marker.exists():  # as if nothing had been there
            put("RTAComplete.txt")(folder)

    return deed


def cut(name):
    def deed(folder):
        path = folder / name
        path.write_bytes(path.read_bytes()[:-3])

    return deed


def pipe(name):
    def deed(folder):
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return deed


def elsewhere(name):
    """What has this name lies beside the run folder, with a link to it."""

    def deed(folder):
        there = folder.parent / Path(name).name
        (folder / name).rename(there)
        (folder / name).symlink_to(there)
        put("RTAComplete.txt")(folder)

    return deed


def status(word, more=""):
    text = f"<RunStatus>{word}</RunStatus>{more}"
    return put("RunCompletionStatus.xml", f"<RunCompletionStatus>{text}</RunCompletionStatus>")


def of_instrument(serial, *names, reads=((2, "N"), (2, "Y"))):
    """A folder that has just begun, with these files below the base calls."""

    def deed(folder):
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        write_run_info(folder, instrument=serial, reads=reads, lanes=2)
        for name in names:
            put(f"Data/Intensities/BaseCalls/{name}")(folder)

    return deed


def no_lane(folder):
    shutil.rmtree(folder / "Data")


def all_gone(folder):
    of_instrument("M1")(folder)
    (folder / "RunInfo.xml").unlink()


def folders(name):
    return lambda folder: (folder / name).mkdir(parents=True)


def another_run(folder):
    """RunInfo.xml, of a run that is laid out alike."""
    write_run_info(folder, run_id=NEXT)


STATS = "Data/Intensities/BaseCalls/Stats/Stats.json"
UNMARKED = without("RTAComplete.txt")
BROKEN = put("RunInfo.xml", "<RunInfo")
MARKED = put("RTAComplete.txt")
BCL, FILTER = f"{CALLS}/C3.1/s_1_1102.bcl.gz", f"{CALLS}/s_1_1101.filter"
LOCS = "Data/Intensities/L001/s_1_1101.locs"
ERROR = "<RunError><Type>x.Y</Type><Message>laser</Message></RunError>"
RSYNC = "rsync -a INSTRUMENT:{name}/ {path}/ ;"
WAIVE = "arteriole waive {name} --ignore missing-bcls --ignore empty-samples --reason TEXT"


@dataclass
class Row:
    id: str
    deeds: list
    kind: str
    code: str
    message: str
    hint: str = ""
    quiet: float = 0.0
    rules: dict = field(default_factory=dict)
    later: str = ""
    evidence: dict = field(default_factory=dict)


ROWS = [
    Row("whole, just now", [], "copying", "run.copying",
        "all 12 files of its lanes, tiles and cycles are there, but RTAComplete.txt does not say"
        " that the copy has ended, and it is waited until nothing has changed for 5 s",
        "nothing: it goes on by itself"),
    Row("whole and copied", [put("CopyComplete.txt")], "complete", "", "all 12 files"),
    Row("whole", [], "complete", "", "all 12 files", quiet=5, evidence={
        "samples": 2, "files_expected": 12, "files_found": 12, "markers": ["RTAComplete.txt"],
        "instrument": "M04034", "run_number": 43}),
    Row("base calls of elsewhere", [elsewhere(f"{CALLS}/C2.1")], "incomplete", "run.incomplete",
        f"{CALLS}/C2.1: a link that leads out of the run folder", RSYNC, quiet=5),
    Row("late", [put("late.txt")], "copying", "run.copying",
        "late.txt was written after RTAComplete.txt", "nothing: it goes on by itself"),
    Row("late after all is copied", [put("CopyComplete.txt"), put("late.txt")], "copying",
        "run.copying", "late.txt was written after", "nothing: it goes on by itself"),
    Row("what comes later", [put("CopyComplete.txt"), put("Analysis/1/Manifest.tsv"),
                             put("Logs/a.zip"), put("InstrumentAnalyticsLogs/x"),
                             put("Alignment_1/20260101_010101/CompletedJobInfo.xml")],
        "complete", "", "all 12 files", evidence={"analyses": [
            {"number": 1, "ended": False, "copied": False, "manifest": True, "fastqs": False}]}),
    Row("late below", [put("InterOp/late.bin")], "copying", "run.copying", "InterOp"),
    Row("late, quiet", [put("late.txt")], "complete", "", "all 12 files", quiet=6),
    Row("marker again", [put("late.txt"), MARKED], "complete", "", "all 12 files", quiet=5),
    # sequencing
    Row("no marker", [UNMARKED], "sequencing", "run.sequencing",
        "cycle 4 of 4; RTAComplete.txt or RTAComplete.xml is not there yet; no change seen since"
        " 2026-01-02T03:04Z",
        quiet=60, evidence={"cycles": 4, "cycles_seen": 4, "quiet_since": SINCE}),
    Row("another's marker", [UNMARKED, put("CopyComplete.txt")], "sequencing", "run.sequencing",
        "RTAComplete.txt or RTAComplete.xml is not there yet"),
    Row("copied without it", [UNMARKED, put("CopyComplete.txt")], "stalled", "run.stalled",
        "RTAComplete.txt or RTAComplete.xml is not there yet", "look at the instrument",
        quiet=3600),
    Row("RTA 2", [UNMARKED, put("RTAComplete.xml")], "complete", "", "all 12 files", quiet=5,
        evidence={"markers": ["RTAComplete.xml"]}),
    Row("RTA 2, just now", [UNMARKED, put("RTAComplete.xml")], "copying", "run.copying",
        "RTAComplete.xml does not say that the copy has ended"),
    Row("RTA 2, copied", [UNMARKED, put("RTAComplete.xml"), put("CopyComplete.txt")], "complete",
        "", "all 12 files"),
    Row("RTA 2, before its last files", [UNMARKED, put("RTAComplete.xml"), cut(BCL)],
        "incomplete", "run.incomplete", "RTAComplete.xml is there, but 1 of 12 files", RSYNC,
        quiet=5),
    Row("RTA 2, where a copy has to end", [of_instrument("A00130", "L001/C4.1/x", "L002/C4.1/x"),
                                           put("RTAComplete.xml")],
        "copying", "run.copying", "base calling has ended (RTAComplete.xml); cycle 4 of 4;"
        " CopyComplete.txt is not there yet"),
    Row("cbcl", [of_instrument("A00130", "L001/C1.1/L001_1.cbcl", "L001/C2.1/L001_1.cbcl")],
        "sequencing", "run.sequencing", "cycle 2 of 4; CopyComplete.txt is not there yet"),
    Row("base calling ended", [of_instrument("A00130", "L001/C4.1/x", "L002/C4.1/x"), MARKED],
        "copying", "run.copying",
        "base calling has ended (RTAComplete.txt); cycle 4 of 4; CopyComplete.txt is not there yet",
        "nothing: it goes on by itself", evidence={"markers": ["RTAComplete.txt"]}),
    Row("base calling ended long ago",
        [of_instrument("A00130", "L001/C4.1/x", "L002/C4.1/x"), MARKED], "stalled", "run.stalled",
        "base calling has ended (RTAComplete.txt)", "look at the instrument A00130", quiet=3600),
    Row("bgzf", [of_instrument("NB501234", "L001/0001.bcl.bgzf", "L001/0003.bcl.bgzf",
                               "L001/0003.bcl.bgzf.bci")],
        "sequencing", "run.sequencing", "cycle 3 of 4; RTAComplete.txt"),
    Row("a lane behind", [of_instrument("A00130", "L001/C4.1/x", "L002/C1.1/x")],
        "sequencing", "run.sequencing", "cycle 1 of 4"),
    Row("before the first cycle", [of_instrument("XY1")], "sequencing", "run.sequencing",
        "cycle 0 of 4; RTAComplete.txt or RTAComplete.xml or CopyComplete.txt is not there yet"),
    Row("nothing", [all_gone], "sequencing", "run.sequencing", "no marker yet; RunInfo.xml"),
    Row("half a RunInfo", [UNMARKED, BROKEN], "sequencing", "run.sequencing",
        "no marker yet; RunInfo.xml line 1"),
    # stalled
    Row("stalled", [UNMARKED], "stalled", "run.stalled",
        "nothing has changed since 2026-01-02T03:04Z: cycle 4 of 4",
        "look at the instrument M04034", quiet=3600, evidence={"waiver": [], "files_found": 12}),
    Row("stalled in the middle", [UNMARKED, without(BCL)], "stalled", "run.stalled", "cycle 4 of 4",
        "when files come, it goes on by itself", quiet=3600,
        evidence={"waiver": ["missing-bcls", "empty-samples"], "files_found": 11}),
    Row("stalled without RunInfo", [UNMARKED, without("RunInfo.xml")], "stalled", "run.stalled",
        "no marker yet", "the instrument of this run", quiet=3600),
    Row("superseded", [UNMARKED], "stalled", "run.superseded", "M04034 has begun NEXT since",
        "still has the run, and copy the folder again from the instrument: rsync -a", quiet=3600,
        later="NEXT", evidence={"superseded_by": "NEXT"}),
    Row("not yet superseded", [UNMARKED], "sequencing", "run.sequencing", "cycle 4", quiet=3599,
        later="NEXT"),
    Row("no run", [all_gone, put("x/y")], "sequencing", "run.sequencing",
        "it holds nothing of a run; no marker", quiet=1e6, evidence={"no_run": True}),
    # not whole
    Row("missing", [without(BCL)], "copying", "run.copying", "1 of 12 files", "nothing: "),
    Row("missing, quiet", [without(BCL)], "incomplete", "run.incomplete",
        f"RTAComplete.txt is there, but 1 of 12 files are missing or not whole: {BCL[:-3]}",
        RSYNC, quiet=5, evidence={"waiver": ["missing-bcls", "empty-samples"], "problem_count": 1}),
    Row("short", [cut(BCL)], "incomplete", "run.incomplete", "C3.1/s_1_1102.bcl.gz: truncated",
        RSYNC, quiet=5, evidence={"waiver": ["missing-bcls", "empty-samples"]}),
    Row("no filter", [without(FILTER)], "incomplete", "run.incomplete", ".filter: missing", RSYNC,
        quiet=5, evidence={"waiver": ["missing-filter"]}),
    Row("no positions", [without(LOCS, BCL)], "incomplete", "run.incomplete", "2 of 12 files",
        RSYNC, quiet=5,
        evidence={"waiver": ["missing-bcls", "missing-positions", "empty-samples"]}),
    Row("many", [without(*(f"{CALLS}/C{n}.1/s_1_1101.bcl.gz" for n in (1, 2, 3, 4)))], "incomplete",
        "run.incomplete", "; and 1 more", RSYNC, quiet=5, evidence={"problem_count": 4}),
    Row("no base calls at all", [no_lane], "incomplete", "run.incomplete", "of 12 files", RSYNC,
        quiet=5, evidence={
            "waiver": ["missing-bcls", "missing-filter", "missing-positions", "empty-samples"]
        }),
    # emptied
    Row("emptied", [no_lane, put(STATS)], "emptied", "run.emptied",
        f"no base calls at all, though the run went on after them (it has {STATS})", "nothing,",
        quiet=5, evidence={"leaving": STATS, "markers": ["RTAComplete.txt"]}),
    Row("emptied, just now", [no_lane, put(STATS)], "copying", "run.copying", "of 12 files"),
    Row("emptied with its markers", [no_lane, UNMARKED, put(STATS)], "emptied", "run.emptied",
        "Stats.json); they were removed", "bring the base calls back", quiet=5),
    Row("emptied with its markers, just now", [no_lane, UNMARKED, put(STATS)], "sequencing",
        "run.sequencing", "cycle 0 of 4"),
    Row("emptied, cycles left", [no_lane, put(STATS), folders(f"{CALLS}/C1.1")], "emptied",
        "run.emptied", "Stats.json); they were removed", "nothing, unless", quiet=5),
    Row("emptied, FASTQs", [no_lane, put(f"{CALLS[:-5]}/P/a_S1_L001_R1_001.fastq.gz")], "emptied",
        "run.emptied", f"(it has FASTQ files in {CALLS[:-5]})", "nothing, unless", quiet=5),
    Row("emptied, metrics", [no_lane, put("InterOp/QMetricsOut.bin"), MARKED], "emptied",
        "run.emptied", "(it has InterOp/QMetricsOut.bin)", "nothing, unless", quiet=5),
    Row("metrics before base calls", [no_lane, UNMARKED, put("InterOp/QMetricsOut.bin")],
        "sequencing", "run.sequencing", "cycle 0 of 4", quiet=3599),
    Row("metrics without base calls", [no_lane, UNMARKED, put("InterOp/QMetricsOut.bin")],
        "emptied", "run.emptied", "QMetricsOut.bin", "nothing, unless", quiet=3600),
    Row("demultiplexed, one cycle left", [without(BCL), put(STATS)], "incomplete",
        "run.incomplete", "1 of 12 files", RSYNC, quiet=5),
    Row("no RunInfo", [without("RunInfo.xml")], "copying", "run.copying", "RunInfo.xml cannot"),
    Row("no RunInfo, quiet", [without("RunInfo.xml")], "incomplete", "run.incomplete",
        "RTAComplete.txt is there, but RunInfo.xml cannot", RSYNC, quiet=5),
    # unreadable
    Row("bad RunInfo", [BROKEN], "copying", "run.copying", "line 1"),
    Row("bad RunInfo, quiet", [BROKEN], "unreadable", "run.run_info", "RunInfo.xml line 1",
        "copy the file from the instrument again", quiet=5),
    Row("a pipe for RunInfo", [pipe("RunInfo.xml")], "unreadable", "run.run_info",
        "RunInfo.xml cannot be read: it is not a file", "restore the file", quiet=5),
    Row("bad status", [put("RunCompletionStatus.xml", "<Run")], "copying", "run.copying", "line 1"),
    Row("bad status, quiet", [put("RunCompletionStatus.xml", "<Run")], "unreadable",
        "run.run_status", "RunCompletionStatus.xml line 1", "copy the file", quiet=5),
    Row("no parameters", [without(PARAMETERS)], "copying", "run.copying",
        "all 12 files of its lanes, tiles and cycles are there, but RunParameters.xml is not there",
        "nothing: it goes on"),
    Row("no parameters, quiet", [without(PARAMETERS)], "incomplete", "run.incomplete",
        "RunParameters.xml is not there", RSYNC, quiet=5),
    Row("parameters of a HiSeq", [without(PARAMETERS), put("runParameters.xml", of_run(NAME)),
                                  MARKED], "complete", "", "all 12 files", quiet=5),
    Row("half the parameters", [cut(PARAMETERS)], "copying", "run.copying", "line 1"),
    Row("half the parameters, quiet", [cut(PARAMETERS)], "unreadable", "run.run_parameters",
        "RunParameters.xml line 1", "copy the file", quiet=5),
    Row("parameters of the next run", [put(PARAMETERS, of_run(NEXT)), MARKED], "unreadable",
        "run.run_info", f"RunInfo.xml is of run {NAME}, RunParameters.xml of {NEXT}",
        "copy RunInfo.xml and RunParameters.xml again", quiet=5),
    Row("RunInfo of the next run", [another_run, MARKED], "unreadable",
        "run.run_info", f"RunInfo.xml is of run {NEXT}, RunParameters.xml of {NAME}", quiet=5),
    Row("RunInfo of the next run, no name in the parameters",
        [another_run, put(PARAMETERS, "<RunParameters/>"), MARKED], "unreadable",
        "run.run_info", f"RunInfo.xml is of run {NEXT}, the folder of {NAME}", quiet=5),
    Row("a folder that was renamed", [another_run, put(PARAMETERS, of_run(NEXT)), MARKED],
        "complete", "", "all 12 files", quiet=5),
    Row("no name in the parameters", [put(PARAMETERS, "<RunParameters/>"), MARKED],
        "complete", "", "all 12 files", quiet=5),
    # failed
    Row("ended well", [status("RunCompleted")], "complete", "", "all 12 files", quiet=5),
    Row("no word", [put("RunCompletionStatus.xml", "<RunCompletionStatus/>")], "complete", "",
        "all 12 files", quiet=5),
    Row("failed", [status("RunErrored", ERROR)], "copying", "run.copying", "RunErrored"),
    Row("failed, quiet", [without(BCL), status("RunErrored", ERROR)], "failed", "run.failed",
        "did not end as planned: RunErrored (x.Y: laser); 11 of 12 files", WAIVE, quiet=5,
        evidence={"run_status": {"status": "RunErrored", "detail": "x.Y: laser"},
                  "waiver": ["missing-bcls", "empty-samples"]}),
    Row("failed, no marker", [UNMARKED, status("RunErrored")], "failed", "run.failed",
        "RunErrored; 12 of 12", "arteriole waive {name} --reason TEXT", quiet=5,
        evidence={"waiver": []}),
    Row("failed, no RunInfo", [UNMARKED, without("RunInfo.xml"), status("RunErrored")],
        "incomplete", "run.incomplete", "RunInfo.xml", RSYNC, quiet=5),
    # sheet
    Row("no sheet", [without("SampleSheet.csv")], "copying", "run.copying", "SampleSheet.csv"),
    Row("no sheet, quiet", [without("SampleSheet.csv")], "no_sheet", "run.no_sheet",
        "all 12 files of its lanes, tiles and cycles are there, but SampleSheet.csv is not there",
        "put SampleSheet.csv into {path}", quiet=5),
    Row("no sheet needed", [without("SampleSheet.csv")], "complete", "", "all 12 files", quiet=5,
        rules={"require_sheet": False}),
    Row("empty sheet", [put("SampleSheet.csv", ""), MARKED], "copying", "run.copying", "is empty"),
    Row("empty sheet, quiet", [put("SampleSheet.csv", "")], "no_sheet", "run.no_sheet",
        "SampleSheet.csv is empty", "put SampleSheet.csv into", quiet=5),
    Row("blank sheet, quiet", [put("SampleSheet.csv", " ,,\n")], "no_sheet", "run.no_sheet",
        "is empty", "put SampleSheet.csv into", quiet=5, evidence={"samples": None}),
    Row("a pipe for a sheet", [pipe("SampleSheet.csv")], "no_sheet", "run.no_sheet", "is not there",
        "put", quiet=5),
    Row("sheet just come", [put("SampleSheet.csv", SHEET)], "copying", "run.copying",
        "SampleSheet.csv was written after RTAComplete.txt", evidence={"samples": 2}),
    Row("sheet come", [put("SampleSheet.csv", SHEET)], "complete", "", "all 12 files", quiet=5),
    Row("bad sheet", [put("SampleSheet.csv", "\x01"), MARKED], "complete", "", "all 12 files",
        quiet=5, evidence={"samples": None}),
    Row("samples of a run that is sequenced", [UNMARKED], "sequencing", "run.sequencing", "cycle",
        evidence={"samples": 2}),
]  # fmt: skip


def of(folder, quiet, later="", **rules):
    rules = Rules(**{"settle": SETTLE, "stalled_after": STALLED, **rules})
    return judge(sighting.look(folder, deep=quiet.seconds >= STALLED), quiet, rules, later)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_mishap_is_explained(tmp_path, row):
    folder = tmp_path / NAME
    whole(folder)
    for deed in row.deeds:
        deed(folder)
    found = of(folder, Quiet(row.quiet, SINCE), row.later, **row.rules)
    assert (found.kind, found.code) == (row.kind, row.code)
    assert row.message in found.message
    hint = row.hint.format(path=folder, name=folder.name)
    assert hint in found.hint
    assert bool(hint) or found.kind not in ("stalled", "incomplete", "failed", "no_sheet")
    assert {key: found.evidence.get(key, "none") for key in row.evidence} == row.evidence
    assert json.loads(json.dumps(found.evidence)) == found.evidence
    again = of(folder, Quiet(row.quiet + 0.5, SINCE), row.later, **row.rules)
    assert (again.message, again.evidence) == (found.message, found.evidence)


def test_an_instrument_that_nobody_knows_may_write_no_parameters(tmp_path):
    folder = tmp_path / "110101_machine1_0001_abcdeACXX"
    whole(folder)
    write_run_info(folder, instrument="machine1", run_id=folder.name)
    for name in (PARAMETERS, "RTAComplete.txt"):
        (folder / name).unlink()
    MARKED(folder)
    assert [of(folder, Quiet(quiet, SINCE)).kind for quiet in (1, SETTLE)] == [
        "copying",
        "complete",
    ]


def test_where_no_marker_is_known_for_sure_evidence_alone_decides(tmp_path):
    folder = tmp_path / NAME
    whole(folder)
    UNMARKED(folder)
    write_run_info(folder, instrument="SH00123")
    for quiet, kind in ((SETTLE, "sequencing"), (STALLED, "complete")):
        found = of(folder, Quiet(quiet, SINCE))
        assert found.kind == kind
        assert found.evidence["instrument_type"] == {
            "name": "MiSeq i100",
            "verified": False,
            "source": "",
        }
    without(BCL)(folder)
    assert of(folder, Quiet(STALLED, SINCE)).kind == "stalled"


QUESTIONS = ["ended as planned", "base calling ended", "copy ended", "complete", "sheet"]


@pytest.mark.parametrize(
    ("deeds", "answers", "because"),
    [
        ([], "unknown yes unknown yes yes", "for 5 s"),
        ([put("CopyComplete.txt")], "unknown yes yes yes yes", "CopyComplete.txt"),
        ([status("RunCompleted")], "yes yes unknown yes yes", "RunCompletionStatus.xml: RunComple"),
        ([status("RunErrored")], "no yes unknown yes yes", "RunCompletionStatus.xml: RunErrored"),
        ([UNMARKED], "unknown no unknown unknown yes", "cycle 4 of 4"),
        ([without(BCL)], "unknown yes unknown no yes", "1 of 12 files"),
        ([without("SampleSheet.csv")], "unknown yes unknown yes no", "SampleSheet.csv is not"),
        ([put("SampleSheet.csv", "\x01")], "unknown yes unknown yes unknown", "cannot be read"),
        ([put("SampleSheet.csv", "")], "unknown yes unknown yes no", "is empty"),
        ([UNMARKED, without("RunInfo.xml")], "unknown unknown unknown unknown yes", "RunInfo.xml"),
        ([of_instrument("A00130")], "unknown no no unknown no", "this instrument writes at the"),
    ],
)  # fmt: skip
def test_each_kind_of_evidence_answers_its_own_question(tmp_path, deeds, answers, because):
    whole(tmp_path)
    for deed in deeds:
        deed(tmp_path)
    found = of(tmp_path, Quiet(1.0, SINCE)).evidence["questions"]
    assert [one["question"] for one in found] == QUESTIONS
    assert " ".join(one["answer"] for one in found) == answers
    assert any(because in one["because"] for one in found)


def novaseq(folder, passed_only_from, *lost):
    """A whole run of .cbcl but for the filters of the `lost` tiles."""
    write_run_info(folder, instrument="A00130", run_id=NAME)
    write_calls(folder, cycles=4, clusters=5)
    shutil.rmtree(folder / "Data/Intensities/BaseCalls/L001/C1.1")
    write_cbcls(folder, cycles=4, clusters=5, passed_only_from=passed_only_from)
    for path in (folder / CALLS).glob("C*.1/*.bcl.gz"):
        path.unlink()
    for tile in lost:
        (folder / CALLS / f"s_1_{tile}.filter").unlink()
    put("SampleSheet.csv", SHEET)(folder)
    put("CopyComplete.txt")(folder)


@pytest.mark.parametrize(
    ("passed_only_from", "deeds", "kind", "quiet", "waiver", "hint"),
    [
        (99, [], "incomplete", 5, ["missing-filter"], RSYNC),
        (3, [], "incomplete", 5, [], RSYNC),
        (3, [without("CopyComplete.txt")], "stalled", 3600, [], "look at the instrument A00130"),
        (99, [status("RunErrored")], "failed", 5, ["missing-filter"], "--ignore missing-filter"),
        (3, [status("RunErrored")], "failed", 5, [],
         "copy its filter files from there, then: arteriole why {name}"),
    ],
)  # fmt: skip
def test_a_filter_that_the_calls_need_is_not_offered_to_be_waived(
    tmp_path, passed_only_from, deeds, kind, quiet, waiver, hint
):
    folder = tmp_path / NAME
    novaseq(folder, passed_only_from, 1102)
    for deed in deeds:
        deed(folder)
    found = of(folder, Quiet(quiet, SINCE))
    assert found.kind == kind
    assert found.evidence["waiver"] == waiver
    assert ("no waiver helps" in found.message) is (waiver == [])
    assert hint.format(name=NAME, path=folder) in found.hint
    assert ("arteriole waive" in found.hint) is (kind == "failed" and bool(waiver))


def test_a_hint_is_one_safe_command_line_whatever_the_folder_is_called(tmp_path):
    folder = tmp_path / "a b;rm"
    whole(folder)
    without(BCL)(folder)
    found = of(folder, Quiet(SETTLE, SINCE))
    assert f"rsync -a INSTRUMENT:'a b;rm'/ '{folder}'/ ;" in found.hint


@pytest.mark.parametrize("deeds", [[], [UNMARKED], [without(BCL)]])
def test_a_clock_that_is_ahead_is_told(tmp_path, deeds):
    folder = tmp_path / NAME
    whole(folder)
    for deed in deeds:
        deed(folder)
    found = of(folder, Quiet(SETTLE, SINCE, clock_skew=3600))
    assert "the clock of its file server is 3600 s ahead of this machine's" in found.message
    assert found.evidence["clock_skew_seconds"] == 3600


@pytest.mark.parametrize(
    ("deeds", "settle", "kind"),
    [
        ([], 0, "complete"),
        ([], 5, "copying"),
        ([put("CopyComplete.txt")], 5, "complete"),
        ([without(BCL)], 0, "incomplete"),
        ([without(BCL)], 5, "copying"),
        ([UNMARKED], 0, "sequencing"),
        ([without("SampleSheet.csv")], 0, "no_sheet"),
        ([status("RunErrored")], 0, "failed"),
    ],
)
def test_one_look_without_a_service(tmp_path, deeds, settle, kind):
    whole(tmp_path)
    for deed in deeds:
        deed(tmp_path)
    found = examine(tmp_path, settle=settle)
    assert found.kind == kind
    assert "quiet_since" not in found.evidence


def remove_all(folder):
    folder.rmdir()


def mount_is_empty(folder):
    folder.rmdir()
    (folder.parent / "other").rmdir()


def mount_is_gone(folder):
    mount_is_empty(folder)
    folder.parent.rmdir()


def is_a_file(folder):
    folder.rmdir()
    folder.touch()


@pytest.mark.parametrize(
    ("deed", "message", "hint"),
    [
        (remove_all, "is not in {parent} any more", "arteriole abort run"),
        (mount_is_empty, "nor is anything else in {parent}", "mount the file system of {parent}"),
        (mount_is_gone, "nor is anything else in {parent}", "mount the file system of {parent}"),
        (is_a_file, "is not in {parent} any more", "bring it back"),
    ],
)
def test_gone_or_out_of_reach(tmp_path, deed, message, hint):
    folder = tmp_path / "landing" / "run"
    folder.mkdir(parents=True)
    (folder.parent / "other").mkdir()
    deed(folder)
    found = examine(folder)
    assert (found.kind, found.code) == (VerdictKind.UNREACHABLE, "run.unreachable")
    assert message.format(parent=folder.parent) in found.message
    assert hint.format(parent=folder.parent) in found.hint
    assert found.evidence.get("gone", False) is (deed in (remove_all, is_a_file))


def test_a_metadata_key_of_arteria_is_in_every_verdict(tmp_path):
    whole(tmp_path)
    (tmp_path / "RunParameters.xml").write_text(
        "<RunParameters><ReagentKitBarcode>MS1</ReagentKitBarcode></RunParameters>"
    )
    for deed in (MARKED, UNMARKED):
        deed(tmp_path)
        assert examine(tmp_path).metadata == {"reagent_kit_barcode": "MS1"}


@pytest.mark.parametrize("marker", ["RTAComplete.txt", "RTAComplete.xml"])
def test_arterias_rule_asks_for_the_marker_alone(tmp_path, marker):
    folder = tmp_path / "run"
    assert examine_marker(folder, 0, math.inf).kind is VerdictKind.UNREACHABLE
    folder.mkdir()
    assert examine_marker(folder, 0, math.inf).kind is VerdictKind.SEQUENCING
    (folder / marker).touch()
    written = (folder / marker).stat().st_mtime
    assert examine_marker(folder, 5, written + 299).kind is VerdictKind.SEQUENCING
    assert examine_marker(folder, 5, written + 300).kind is VerdictKind.COMPLETE


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs ARTERIOLE_REAL_DATA")
def test_a_real_run_that_was_emptied():
    """Its markers are gone too."""
    folder = Path(os.environ["ARTERIOLE_REAL_DATA"], "230825_M04034_0043_000000000-L6NVV")
    found = examine(folder)
    assert (found.kind, found.code) == (VerdictKind.EMPTIED, "run.emptied")
    assert found.evidence["leaving"] == STATS
    seen = sighting.look(folder)
    assert judge(seen, Quiet(1.0), Rules(settle=5)).kind is VerdictKind.SEQUENCING


@pytest.mark.skipif("ARTERIOLE_REAL_DATA" not in os.environ, reason="needs ARTERIOLE_REAL_DATA")
def test_a_real_run_without_its_base_calls():
    folder = Path(os.environ["ARTERIOLE_REAL_DATA"], "151005_ST-00295_0022_BHH5VTCCXX")
    found = examine(folder)
    assert (found.kind, found.code) == (VerdictKind.INCOMPLETE, "run.incomplete")
    assert found.evidence["side"] == "B"
    assert found.evidence["waiver"] == [
        "missing-bcls",
        "missing-filter",
        "missing-positions",
        "empty-samples",
    ]
