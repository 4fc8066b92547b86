import hashlib
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MISEQ = "230825_M04034_0043_000000000-L6NVV"
HISEQ_X = "151005_ST-00295_0022_BHH5VTCCXX"


def tree(folder: Path) -> dict[str, tuple]:
    """All that writing would change; not the time of the last access."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        stat = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, digest)
    return found


def lines_too_long(text: str) -> list[str]:
    """Commands stay on one line, and a path has no place to break."""
    lines = [line for line in text.splitlines() if "try next" not in line]
    return [line for line in lines if len(line) > 80 and " " in line.strip()]


def test_a_good_run(inspect, simulated):
    ended = inspect(simulated)
    assert (ended.code, ended.errors) == (0, "")
    assert ended.text.startswith(simulated.name)
    for words in (
        "MiSeq M04034, run 43",
        "1 lane of 4 tiles",
        "2 x 12 + 8 + 8 cycles",
        "MiSeq Control Software",
        "RTA 1.18",
        "\nComplete: all ",
        "4 samples on lane 1, no error",
        "clusters passed",
        "convert 4 samples on 1 lane to 8 FASTQ files",
        "arteriole --config arteriole.yaml serve",
    ):
        assert words in ended.text
    assert lines_too_long(ended.text) == []


def test_the_document_of_a_good_run(inspect, simulated):
    ended = inspect(simulated, "--json")
    document = ended.document
    assert ended.code == 0
    assert list(document) == [
        *("folder", "ok", "complete", "problems", "run", "verdict", "missing", "sheet"),
        *("demultiplexed", "fastq", "interop", "outlook"),
    ]
    assert (document["ok"], document["complete"], document["problems"]) == (True, True, [])
    run = document["run"]
    assert (run["instrument_type"], run["number"], run["flowcell"]) == (
        *("MiSeq", 43),
        "000000000-L6NVV",
    )
    assert (run["cycles"], run["lanes"], run["tiles"], run["base_calls"]) == (
        *(40, [1], 4),
        {"1": "bcl"},
    )
    assert run["reads"][1] == {"number": 2, "cycles": 8, "is_index": True}
    assert document["sheet"] == {
        "path": str(simulated / "SampleSheet.csv"),
        **{"ok": True, "version": 1, "samples": 4, "lanes": [1]},
        **{"finding_count": 0, "findings": []},
    }
    assert document["interop"]["lanes"][0]["clusters"] == document["interop"]["clusters"] > 0
    assert document["outlook"]["would"] == "convert"
    assert (document["demultiplexed"], document["fastq"]) == ([], None)


def without_base_calls(run: Path) -> None:
    shutil.rmtree(run / "Data" / "Intensities" / "BaseCalls" / "L001" / "C7.1")


def without_marker(run: Path) -> None:
    (run / "RTAComplete.txt").unlink()


def without_sheet(run: Path) -> None:
    (run / "SampleSheet.csv").unlink()


def with_a_bad_sheet(run: Path) -> None:
    sheet = run / "SampleSheet.csv"
    sheet.write_text(sheet.read_text().replace("index2", "idnex2"))


def with_a_collision(run: Path) -> None:
    sheet = run / "SampleSheet.csv"
    rows = sheet.read_text().splitlines()
    first, second = rows[-2].split(","), rows[-1].split(",")
    rows[-1] = ",".join([*second[:2], *first[2:]])
    sheet.write_text("\n".join(rows))


def with_broken_run_info(run: Path) -> None:
    (run / "RunInfo.xml").write_text("<RunInfo><Run>")


def with_broken_parameters(run: Path) -> None:
    next(run.glob("[rR]unParameters.xml")).write_text("<RunParameters>")


def with_broken_interop(run: Path) -> None:
    (run / "InterOp" / "TileMetricsOut.bin").write_bytes(b"\2\12" + b"\xff" * 7)


def with_a_folder_for_a_sheet(run: Path) -> None:
    (run / "SampleSheet.csv").unlink()
    (run / "SampleSheet.csv").mkdir()


def with_broken_statistics(run: Path) -> None:
    folder = run / "Data" / "Intensities" / "BaseCalls" / "Stats"
    folder.mkdir()
    (folder / "Stats.json").write_text("{")


def with_a_setting_of_its_own(run: Path) -> None:
    sheet = run / "SampleSheet.csv"
    text = sheet.read_text()
    sheet.write_text(text.replace("[Data]", "CreateFastqForIndexReads,1\n[Data]"))


@pytest.mark.parametrize(
    ("spoil", "would", "words"),
    [
        (without_base_calls, "refuse", "lane 1: no base calls of cycle 7"),
        (without_marker, "wait", "Not complete: sequencing"),
        (without_sheet, "wait", "Sheet: there is no SampleSheet.csv"),
        (with_a_folder_for_a_sheet, "wait", "Sheet: there is no SampleSheet.csv"),
        (with_a_bad_sheet, "refuse", "[sheet.column_unknown]"),
        (with_a_collision, "refuse", "[sheet.index_duplicate]"),
        (with_broken_run_info, "refuse", "not well-formed XML"),
        (with_broken_parameters, "refuse", "not well-formed XML"),
        (with_broken_interop, "convert", "InterOp could not be read"),
        (with_broken_statistics, "convert", "Stats.json: not JSON"),
    ],
)
def test_what_is_wrong_is_told(inspect, run_dir, spoil, would, words):
    spoil(run_dir)
    ended = inspect(run_dir)
    assert (ended.code, ended.errors) == (1, "")
    assert words in " ".join(ended.text.split())
    assert lines_too_long(ended.text) == []
    again = inspect(run_dir, "--json")
    assert again.code == 1
    assert (again.document["ok"], again.document["outlook"]["would"]) == (False, would)


def test_a_setting_that_the_converter_does_not_follow(inspect, run_dir):
    with_a_setting_of_its_own(run_dir)
    outlook = inspect(run_dir, "--json").document["outlook"]
    assert outlook["would"] == "refuse"
    assert "CreateFastqForIndexReads 1" in outlook["reasons"][0]


def test_indexes_are_judged_by_the_mismatches_that_the_sheet_asks_for(inspect, run_dir):
    sheet = run_dir / "SampleSheet.csv"
    start = "Sample_ID,index,index2\nA,AAAAAAAA,CCCCCCCC\nB,AAAAAATT,CCCCCCCC\n"
    none = "BarcodeMismatchesIndex1,0\nBarcodeMismatchesIndex2,0\n"
    for settings, codes in (("", {"sheet.index_collision"}), (none, set())):
        sheet.write_text(f"[Settings]\n{settings}[Data]\n{start}")
        found = inspect(run_dir, "--json").document["sheet"]["findings"]
        assert {finding["code"] for finding in found if finding["severity"] == "error"} == codes


def test_another_sheet(inspect, run_dir):
    shutil.move(run_dir / "SampleSheet.csv", run_dir.parent / "mine.csv")
    assert inspect(run_dir, "--sheet", run_dir.parent / "mine.csv").code == 0
    assert inspect(run_dir, "--sheet", run_dir.parent / "nothing.csv").code == 2


def stats(run_dir: Path, inspect) -> dict:
    """Statistics that agree with the run."""
    lane = inspect(run_dir, "--json").document["interop"]["lanes"][0]
    rows = [row.split(",") for row in (run_dir / "SampleSheet.csv").read_text().splitlines()]
    start = rows.index(next(row for row in rows if row[0] == "[Data]")) + 1
    results = [
        {
            "SampleId": row["Sample_ID"],
            "SampleName": row["Sample_Name"],
            "IndexMetrics": [{"IndexSequence": f"{row['index']}+{row['index2']}"}],
            "NumberReads": 1,
        }
        for row in (dict(zip(rows[start], values, strict=True)) for values in rows[start + 1 :])
    ]
    return {
        "RunId": run_dir.name,
        "Flowcell": "000000000-L6NVV",
        "ConversionResults": [
            {
                "LaneNumber": 1,
                "TotalClustersRaw": lane["clusters"],
                "TotalClustersPF": lane["clusters_pf"],
                "DemuxResults": results,
                "Undetermined": {"NumberReads": lane["clusters_pf"] - len(results)},
            }
        ],
    }


def test_what_is_demultiplexed_elsewhere_is_compared(inspect, run_dir, tmp_path):
    document = stats(run_dir, inspect)
    folder = tmp_path / "fastq"
    (folder / "Stats").mkdir(parents=True)
    (folder / "Stats" / "Stats.json").write_text(json.dumps(document))
    names = [one["SampleName"] for one in document["ConversionResults"][0]["DemuxResults"]]
    for place, name in enumerate(names, start=1):
        for read in (1, 2):
            (folder / f"{name}_S{place}_L001_R{read}_001.fastq.gz").touch()
    ended = inspect(run_dir, "--fastq", folder)
    assert ended.code == 0, ended.text
    assert "it agrees with the sheet and the run" in ended.text
    assert "8 are there, 8 belong to the sheet" in ended.text
    (folder / f"{names[0]}_S1_L001_R2_001.fastq.gz").unlink()
    assert (
        f"missing       {names[0]}_S*_L001_R2_001.fastq.gz"
        in inspect(run_dir, "--fastq", folder).text
    )


def with_a_pipe(path: Path) -> None:
    path.mkdir()
    os.mkfifo(path / "RunInfo.xml")


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "does not exist"),
        (Path.touch, "is a file"),
        (Path.mkdir, "is empty"),
        (lambda path: (path / "photos").mkdir(parents=True), "holds no RunInfo.xml"),
        (with_a_pipe, "is not a file"),
    ],
)
def test_what_is_no_run_folder(inspect, tmp_path, make, words, as_json):
    make(tmp_path / "thing")
    ended = inspect(tmp_path / "thing", *["--json"] * as_json)
    assert ended.code == 2
    assert words in (ended.document["error"]["message"] if as_json else ended.errors)
    assert "Traceback" not in ended.errors


def test_the_folder_above_a_run(inspect, run_dir):
    ended = inspect(run_dir.parent)
    assert ended.code == 2
    assert f"is {run_dir} meant?" in ended.errors


def test_a_run_without_run_info_is_still_a_run(inspect, run_dir):
    (run_dir / "RunInfo.xml").unlink()
    ended = inspect(run_dir)
    assert ended.code == 1
    assert "RunInfo.xml cannot be read" in " ".join(ended.text.split())


def test_a_damaged_file_is_told_once(inspect, run_dir):
    calls = run_dir / "Data/Intensities/BaseCalls/L001/C3.1/s_1_1101.bcl"
    calls.write_bytes(calls.read_bytes()[:-1])
    assert " ".join(inspect(run_dir).text.split()).count(str(calls.relative_to(run_dir))) == 1


def test_a_name_that_the_services_refuse_is_refused(inspect, run_dir):
    bad = run_dir.rename(run_dir.parent / "{{ a b }}")
    for ended in (inspect(bad), inspect(".", cwd=bad)):
        told = " ".join(ended.text.split())
        assert told.startswith("{{ a b }} run id " + run_dir.name)
        assert "Problem: the folder's name has characters other than" in told
        assert "Arteriole would: not begin: run.name" in told
        assert ended.code == 1


def test_the_command_to_try_next_is_quoted(inspect, run_dir):
    bad = run_dir.rename(run_dir.parent / "-a b")
    (bad / "RunInfo.xml").write_text("<RunInfo")
    ended = inspect("./-a b", cwd=bad.parent)
    assert "try next      arteriole inspect './-a b'\n" in ended.text


def test_names_from_files_do_not_reach_the_terminal_as_they_are(inspect, run_dir):
    parameters = next(run_dir.glob("[rR]unParameters.xml"))
    name = "\N{RIGHT-TO-LEFT OVERRIDE}evil\N{CSI}31m"
    parameters.write_text(parameters.read_text().replace("MiSeq Control", name))
    sheet = run_dir / "SampleSheet.csv"
    sheet.write_text(sheet.read_text().replace("[Data]", f"{name},1\n[Data]"))
    ended = inspect(run_dir)
    assert "?evil?31m" in ended.text and "control character 0x202e" in ended.text
    assert all(char.isprintable() or char == "\n" for char in ended.text)


def test_nothing_is_written_anywhere(inspect, run_dir, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    before = tree(tmp_path)
    places = {name: str(home) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
    assert inspect(run_dir, env=os.environ | places, cwd=home).code == 0
    assert tree(tmp_path) == before


def test_an_ordinary_user_inspects_a_folder_that_may_only_be_read(inspect, run_dir, tmp_path):
    """The superuser's rights are put down first, where the tests have them."""
    ordinary: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv to become ordinary")
        ordinary = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    for path in [run_dir, *run_dir.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = tree(tmp_path)
    ended = inspect(run_dir, before=ordinary)
    assert (ended.code, ended.errors) == (0, "")
    assert tree(tmp_path) == before
    (run_dir / "Data" / "Intensities").chmod(0o000)
    ended = inspect(run_dir, before=ordinary)
    assert ended.code == 1
    assert "Traceback" not in ended.errors
    (run_dir / "RunInfo.xml").chmod(0o000)
    assert f"{run_dir}/RunInfo.xml cannot be read: Per" in inspect(run_dir, before=ordinary).errors
    run_dir.chmod(0o000)
    ended = inspect(run_dir, before=ordinary)
    run_dir.chmod(0o755)
    (run_dir / "Data" / "Intensities").chmod(0o755)
    assert ended.code == 2
    assert "cannot be read: Permission denied" in ended.errors


def test_a_terminal_is_told_how_it_goes_on(simulated):
    """Without the two seconds in which nothing is told."""
    here, there = pty.openpty()
    patient = "from arteriole.inspection import command as c; c._QUIET_SECONDS = 0; c.inspect()"
    ended = subprocess.run(
        [sys.executable, "-B", "-c", patient, simulated], stdout=subprocess.PIPE, stderr=there
    )
    os.close(there)
    told = os.read(here, 10_000).decode()
    os.close(here)
    assert ended.returncode == 0
    assert "looking at" in told and told.endswith("\r")
    assert b"looking at" not in ended.stdout


def test_a_real_miseq_run_without_base_calls(inspect, real_data):
    ended = inspect(real_data / MISEQ)
    assert ended.code == 1
    for words in (
        "MiSeq M04034, run 43, 230825",
        "000000000-L6NVV, 1 lane of 28 tiles",
        "2 x 151 + 8 + 8 cycles",
        "MiSeq Control Software 4.0.0.1769, RTA 1.18.54.4",
        "12 samples on lane 1, no error",
        "6.29 gigabases, 92.9 % >= Q30, 21.0 million of 23.5 million clusters passed",
        "it agrees with the sheet and the run",
        "12 samples, 17,247,194 reads, 3,723,431 undetermined",
        "there are no base calls to convert",
    ):
        assert words in " ".join(ended.text.split())
    assert lines_too_long(ended.text) == []


def test_a_real_hiseq_x_run_that_was_trimmed(inspect, real_data):
    ended = inspect(real_data / HISEQ_X, "--json")
    document = ended.document
    assert ended.code == 1
    assert (document["run"]["instrument_type"], document["run"]["tiles"]) == ("HiSeq X", 768)
    assert document["run"]["base_calls"] == {"1": "bcl.gz"} | {str(n): None for n in range(2, 9)}
    assert document["verdict"]["code"] == "run.incomplete"
    assert [line.partition(":")[0] for line in document["missing"]] == ["lane 1", "lanes 2-8"]
    assert "no base calls of tiles 1102-2224" in document["missing"][0]
    assert "301 files of base calls hold no call" in document["missing"][0]
    sheet = document["sheet"]
    assert (sheet["samples"], sheet["lanes"], sheet["version"]) == (5, list(range(1, 9)), 1)
    assert {finding["code"] for finding in sheet["findings"]} == {"sheet.index_not_read"}
    assert document["interop"] is None
