"""The bench measures what it says, judges only what it measured, and leaves nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.bench import chosen, group_names
from tests.bench.measure import ROOT, Contender, MeasureError, alternate, run
from tests.bench.row import Goal, Row, table
from tests.bench.sshd import missing

FIELDS = {
    *("name", "ours", "peer", "against", "ratio", "spread", "goal", "met", "unit", "runs", "size"),
}


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_memory_and_cpu_of_a_process_are_measured(tmp_path):
    idle = run(python("pass"), tmp_path / "log")
    filled = run(python("b = b'x' * 600_000_000"), tmp_path / "log")
    # NB: the kernel counts what the process was before its exec, so idle has this one's memory
    assert 550 < filled.memory < 800 and idle.memory < 500
    busy = "import time\nwhile time.process_time() < 0.5: pass"
    assert 0.4 < run(python(busy), tmp_path / "log").cpu < 5


def test_children_of_a_process_count_too(tmp_path):
    busy = "import time\nwhile time.process_time() < 0.5: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    assert run(python(parent), tmp_path / "log").cpu > 0.4


def test_a_process_that_fails_tells_what_it_said(tmp_path):
    with pytest.raises(MeasureError, match=r"ended with 3:\nlast words"):
        run(python("import sys; print('last words'); sys.exit(3)"), tmp_path / "log")
    with pytest.raises(MeasureError, match=r"cannot run .*absent"):
        run([str(tmp_path / "absent")], tmp_path / "log")


def test_contenders_take_turns_in_folders_of_their_own(tmp_path):
    seen = []

    def contender(name: str) -> Contender:
        def command(folder: Path) -> list[str]:
            seen.append((name, list(folder.iterdir())))
            (folder / "left").touch()
            return python("pass")

        return Contender(name, command)

    used = alternate([contender("ours"), contender("peer")], 2, tmp_path)
    assert [len(one) for one in used] == [2, 2]
    assert seen == [(name, []) for name in ("ours", "peer", "ours", "peer")]
    assert [path.name for path in tmp_path.iterdir()] == ["measured.log"]


def test_a_peer_that_fails_is_left_out_and_ours_is_not(tmp_path, capfd):
    works = Contender("works", lambda folder: python("pass"))
    fails = Contender("fails", lambda folder: python("import sys; sys.exit('broken')"))
    used = alternate([works, fails], 2, tmp_path)
    assert [len(one) for one in used] == [2, 0]
    told = capfd.readouterr().err
    assert told.count("fails is left out") == 1 and "broken" in told
    with pytest.raises(MeasureError, match="broken"):
        alternate([fails, works], 1, tmp_path)


@pytest.mark.parametrize(
    ("ours", "peer", "goal", "ratio", "met"),
    [
        ([1, 2, 9], [10, 11, 4], Goal("ratio", 0.2), 0.2, True),
        ([3, 2, 9], [10, 11, 4], Goal("ratio", 0.2), 0.3, False),
        ([3], [], Goal("ratio", 0.2), None, None),
        ([300, 280], [], Goal("ours", 300), None, True),
        ([301], [1], Goal("ours", 300), 301, False),
        ([1], [2], None, 0.5, None),
    ],
)
def test_a_goal_is_judged_by_medians_that_were_measured(ours, peer, goal, ratio, met):
    row = Row("name", "s", 7, ours, peer, "the peer", goal)
    document = row.document()
    assert (document["ratio"], document["met"]) == (ratio, met)
    assert document["peer"] == (sorted(peer)[len(peer) // 2] if peer else None)
    assert document["spread"]["ours"] == [min(ours), max(ours)]
    assert {True: "yes", False: "NO", None: "-"}[met] in table([row])


def test_groups_are_chosen_by_their_first_letters():
    assert chosen([]) == group_names()
    conversions = tuple(name for name in group_names() if name.startswith("conversion"))
    assert len(conversions) >= 3
    assert chosen(["conversion"]) == conversions
    assert chosen(["conversion_growth"]) == ("conversion_growth",)
    with pytest.raises(ValueError, match="no rows are called 'x'; known are: archive, checksum"):
        chosen(["conversion", "x"])


def bench(output: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    scratch = output.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *words, "--output", str(output)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch), **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert list(scratch.iterdir()) == [], "the bench removes what it wrote"
    return done


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("groups", "count"),
    [
        ("checksum", 4 + 1 + 1 + 1),
        ("conversion", 3 + 3 + 2 + 2),
        pytest.param("archive", 4, marks=pytest.mark.storm),
        pytest.param("runfolder", 7 + 4 + 4, marks=pytest.mark.storm),
        pytest.param("st2solo", 4 + 3 + 2, marks=pytest.mark.storm),
        pytest.param(
            "transfer",
            1 + 1,
            marks=[pytest.mark.storm, pytest.mark.skipif(bool(missing()), reason="sshd")],
        ),
    ],
)
def test_a_small_bench_measures_every_row(groups, count, tmp_path):
    output = tmp_path / "bench.json"
    none = {"ST2_API_URL": "", "PICARD_JAR": str(tmp_path / "absent.jar")}
    done = bench(output, groups, "--small", "--runs", "1", **none)
    assert done.returncode == 0, done.stderr
    rows = json.loads(output.read_text())
    assert len({(row["name"], row["against"]) for row in rows}) == len(rows) == count
    for row in rows:
        assert row["name"].startswith(groups)
        assert row.keys() == FIELDS
        assert row["ours"] > 0 or (row["unit"] == "%" and row["ours"] == 0)
        assert row["runs"] == 1
        assert row["goal"] is None and row["met"] is None
        assert f"{row['size']:,} " in row["name"]
        assert row["name"] in done.stdout


def _against_picard(output: Path, **environment: str) -> tuple[list[dict], str]:
    """The rows of `.bcl.gz`, and what was said."""
    done = bench(output, "conversion_bcl", "--small", "--runs", "1", **environment)
    assert done.returncode == 0, done.stderr
    rows = json.loads(output.read_text())
    assert len(rows) == 3 and all(row["against"].startswith("picard") for row in rows)
    return rows, done.stderr


def test_picard_is_measured_beside_ours(tmp_path):
    for row in _against_picard(tmp_path / "bench.json")[0]:
        assert row["peer"] > row["ours"] and 0 < row["ratio"] < 1
        assert row["spread"]["peer"] == [row["peer"]] * 2


def test_a_peer_that_is_not_there_is_null(tmp_path):
    absent = {"PICARD_JAR": str(tmp_path / "absent.jar")}
    rows, said = _against_picard(tmp_path / "bench.json", **absent)
    assert "picard is left out: Picard is not installed" in said
    for row in rows:
        assert (row["peer"], row["ratio"], row["met"]) == (None, None, None)
        assert row["spread"]["peer"] is None


def test_a_stackstorm_that_is_not_there_is_null(tmp_path):
    output = tmp_path / "bench.json"
    nobody = {"ST2_API_URL": "http://127.0.0.1:1/v1"}
    done = bench(output, "st2solo_latency", "--small", "--runs", "1", **nobody)
    assert done.returncode == 0, done.stderr
    assert "StackStorm is left out: http://127.0.0.1:1/v1" in done.stderr
    for row in json.loads(output.read_text()):
        assert (row["against"], row["peer"], row["ratio"]) == ("StackStorm", None, None)


@pytest.mark.parametrize("words", [["nothing"], ["--runs", "0"], ["--runs", "x"]])
def test_what_cannot_be_asked_for_is_refused(tmp_path, words):
    done = bench(tmp_path / "bench.json", *words)
    assert done.returncode == 2
    assert not (tmp_path / "bench.json").exists()
    assert "Traceback" not in done.stderr
