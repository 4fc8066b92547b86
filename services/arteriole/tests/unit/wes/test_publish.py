"""How results get their name: all of them, or none."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from arteriole.wes import scripts

ROOT = Path(__file__).parents[5]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the work folder's."""
    places = [Path(name) for name in ("/dev/shm", "/run", "/var/tmp", "/tmp", ROOT)]
    for place in places:
        if os.access(place, os.W_OK | os.X_OK) and place.stat().st_dev != tmp_path.stat().st_dev:
            with tempfile.TemporaryDirectory(dir=place) as name:
                yield Path(name)
            return
    pytest.skip(f"one file system has all of {', '.join(map(str, places))}")


RECORD = b'{\n "digest": "abc"\n}'


def words(script: str, *arguments: str | Path) -> list[str]:
    return ["sh", "-c", script, "arteriole", *map(str, arguments)]


def command(work: Path, home: Path, *digests: str, size: int = len(RECORD)) -> list[str]:
    return words(scripts.PUBLISH, work, "results", home, "p-1.G", str(size), *(digests or ["abc"]))


def publish(work: Path, home: Path, *digests: str, **more: int) -> int:
    asked = command(work, home, *digests, **more)
    return subprocess.run(asked, input=RECORD, check=False, timeout=30).returncode


def found(work: Path, final: Path) -> tuple[int, str]:
    asked = words(scripts.FOUND, work, final)
    done = subprocess.run(asked, check=False, timeout=30, capture_output=True, text=True)
    return done.returncode, done.stdout


def names(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_a_copy_that_was_cut_short_is_no_part_of_the_results(
    tmp_path: Path, elsewhere: Path
) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "calls.vcf").write_text("whole\n")
    cut = elsewhere / ".p-1.G.partial.copy"
    cut.mkdir()
    (cut / "calls.vcf").write_text("who")
    assert publish(tmp_path, elsewhere) == 0
    assert names(elsewhere) == {
        "p-1.G/calls.vcf": "whole\n",
        "p-1.G/analysis.json": RECORD.decode(),
    }
    assert not (tmp_path / "results").exists()


def test_what_was_moved_for_earlier_inputs_is_no_result(tmp_path: Path) -> None:
    left = tmp_path / "home" / ".p-1.G.partial"
    left.mkdir(parents=True)
    (left / "calls.vcf").write_text("of another sample\n")
    work = tmp_path / "work"
    work.mkdir()
    assert publish(work, left.parent) == scripts.NO_RESULTS


def test_what_was_moved_before_a_crash_is_published(tmp_path: Path) -> None:
    work, home = tmp_path / "work", tmp_path / "home"
    (work / "results").mkdir(parents=True)
    (work / "results" / "calls.vcf").write_text("whole\n")
    (work / ".steps" / "k").mkdir(parents=True)
    (work / ".steps" / "k" / "ended").touch()  # without stdout: it cannot be copied
    assert publish(work, home) == 67
    assert not (work / "results").exists()
    for name in ("stdout", "stderr"):
        (work / ".steps" / "k" / name).touch()
    assert publish(work, home) == 0
    assert names(home)["p-1.G/calls.vcf"] == "whole\n"


#: Copies one file of the results, then waits until it is told to go on.
SLOW_CP = """#!/bin/sh
case $1 in -a) ;; *) exec /bin/cp "$@" ;; esac
mkdir "$3" && /bin/cp "$2/1" "$3" || exit
read -r told < "$GO"
exec /bin/cp -a "$2/." "$3"
"""


def test_two_that_publish_at_once_leave_whole_results(tmp_path: Path, elsewhere: Path) -> None:
    """The first lost its connection, so that nobody hears of it, and goes on."""
    work, go, cp = tmp_path / "work", tmp_path / "go", tmp_path / "bin" / "cp"
    (work / "results").mkdir(parents=True)
    for name in "1234":
        (work / "results" / name).write_text(name)
    os.mkfifo(go)
    cp.parent.mkdir()
    cp.write_text(SLOW_CP)
    cp.chmod(0o755)
    slow = {**os.environ, "PATH": f"{cp.parent}:{os.environ['PATH']}", "GO": str(go)}
    first = subprocess.Popen(command(work, elsewhere), stdin=subprocess.PIPE, env=slow)
    while not (elsewhere / ".p-1.G.partial.copy" / "1").exists():
        assert first.poll() is None
        time.sleep(0.01)
    assert publish(work, elsewhere) == scripts.BUSY
    assert found(work, elsewhere / "p-1.G")[0] == scripts.BUSY
    go.write_text("on\n")
    first.communicate(RECORD, timeout=30)
    assert first.returncode == 0
    assert publish(work, elsewhere) == 0
    assert "".join(sorted(names(elsewhere).values()))[:4] == "1234"
    assert not (work / "results").exists()


def test_only_its_own_results_count_as_published(tmp_path: Path) -> None:
    final = tmp_path / "home" / "p-1.G"
    final.mkdir(parents=True)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "calls.vcf").touch()
    assert publish(tmp_path, final.parent) == scripts.OTHER_RESULTS
    (final / "analysis.json").write_text(json.dumps({"digest": "def"}, indent=1))
    assert publish(tmp_path, final.parent) == scripts.OTHER_RESULTS
    assert publish(tmp_path, final.parent, "abc", "def") == 0


def test_a_record_that_is_cut_short_is_not_published(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "calls.vcf").touch()
    assert publish(tmp_path, home, size=len(RECORD) + 1) == 67
    assert not (home / "p-1.G").exists()
    assert publish(tmp_path, home) == 0
    assert (home / "p-1.G" / "analysis.json").read_bytes() == RECORD


def test_without_results_the_steps_are_done_again(tmp_path: Path) -> None:
    mark = tmp_path / ".steps" / "01-call.done"
    mark.parent.mkdir()
    mark.touch()
    assert publish(tmp_path, tmp_path / "home") == scripts.NO_RESULTS
    assert not mark.exists()


def test_the_digest_of_results_is_found_in_a_long_record(tmp_path: Path) -> None:
    final = tmp_path / "p-1.G"
    assert found(tmp_path, final) == (0, "none\n")
    final.mkdir()
    assert found(tmp_path, final) == (0, "-\n")
    samples = [{"sample": f"S{n}", "digest": "def", "md5": "0" * 32} for n in range(2000)]
    record = {"samples": samples, "digest": "abc", "steps": samples}
    (final / "analysis.json").write_text(json.dumps(record, indent=1))
    assert found(tmp_path, final) == (0, "abc\n")
