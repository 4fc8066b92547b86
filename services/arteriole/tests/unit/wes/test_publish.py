"""How results get their name: all of them, or none."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from arteriole.wes import scripts


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the work folder's."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("/dev/shm is no file system of its own here")
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


def publish(work: Path, home: Path) -> int:
    words = ["sh", "-c", scripts.PUBLISH, "arteriole", str(work), "results", str(home), "p-1.G"]
    return subprocess.run(words, input=b"{}", check=False, timeout=30).returncode


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
    assert names(elsewhere) == {"p-1.G/calls.vcf": "whole\n", "p-1.G/analysis.json": "{}"}
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
