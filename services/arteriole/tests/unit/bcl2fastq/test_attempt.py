"""The folder of an attempt: what is left behind, what `current` leads to, and links in a run."""

import json
from pathlib import Path

import pytest

from arteriole.app.errors import ArterioleError
from arteriole.bcl2fastq import sheets
from arteriole.bcl2fastq.attempt import Attempt
from arteriole.bcl2fastq.converters import ConversionError
from arteriole.bcl2fastq.sheets import Standard
from arteriole.bcl2fastq.work import observe, work
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task

SHEET = "[Data]\nSample_ID,index\nS1,ACGT\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "fastq").mkdir()
    return tmp_path / "fastq"


def test_the_root_is_not_made_by_itself(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match="is not there") as error:
        Attempt(tmp_path / "unmounted", "r1", 1).begin(1)
    assert error.value.code == "convert.no_folder" and error.value.hint
    assert not (tmp_path / "unmounted").exists()


def test_a_new_beginning_gives_back_the_space_of_earlier_ones(root: Path) -> None:
    other = Attempt(root, "r1", 2).begin(1)
    (Attempt(root, "r1", 1).begin(1) / "x").write_text("x")
    partial = Attempt(root, "r1", 1).begin(2)
    assert sorted((root / "r1").iterdir()) == sorted([partial, other])
    assert not list(partial.iterdir())


@pytest.mark.parametrize(
    ("order", "newest"), [([1, 2], "attempt-2"), ([2, 1], "attempt-2"), ([2, 10], "attempt-10")]
)
def test_current_leads_to_the_newest(root: Path, order: list[int], newest: str) -> None:
    for number in order:
        attempt = Attempt(root, "r1", number)
        attempt.path.mkdir(parents=True)
        attempt.make_current()
        attempt.make_current()
    assert str((root / "r1" / "current").readlink()) == newest


def task(
    tmp_path: Path,
    root: Path,
    run_dir: Path,
    job_id: int,
    ignore: tuple[str, ...] = (),
    **more: object,
) -> Task:
    folder = JobFolder(tmp_path / "jobs" / str(job_id))
    parameters = {
        "run_dir": str(run_dir),
        "fastq_root": str(root),
        "converter": "builtin",
        "barcode_mismatches": [0, 0],
        "include_non_pf": False,
        "ignore_adapters": False,
        "allow_index_collisions": False,
        "allow_empty_samples": False,
        "threads": 1,
        "ignore": list(ignore),
        **more,
    }
    about = {"job_id": job_id, "run": "r1", "stage": "convert", "attempt": 1}
    folder.prepare({**about, "parameters": parameters})
    lock = folder.lock()
    assert lock is not None
    return Task(folder, lock)


def test_a_flipped_byte_is_named_leaves_nothing_behind_and_is_mended(
    tmp_path: Path, root: Path, tiny_run, cluster_of
) -> None:
    for tile in (1101, 1102):
        tiny_run.clusters[1, tile] = [cluster_of("GGGGACGTTTAAAA") for _ in range(500)]
    tiny_run.reads = ((4, "N"), (4, "Y"), (6, "N"))
    tiny_run.write(SHEET)
    path = tiny_run.calls / "L001" / "C2.1" / "s_1_1102.bcl.gz"
    good = path.read_bytes()
    damaged = bytearray(good)
    damaged[-6] ^= 0x10  # in the checksum: the length stays, and so does what is unpacked
    path.write_bytes(damaged)
    with pytest.raises(ConversionError, match=r"L001/C2\.1/s_1_1102\.bcl\.gz"):
        work(task(tmp_path, root, tiny_run.folder, 1))
    assert list((root / "r1").iterdir()) == []
    path.write_bytes(good)
    assert work(task(tmp_path, root, tiny_run.folder, 2))["clusters"] == 1000
    (root / "r1" / "current").unlink()
    work(task(tmp_path, root, tiny_run.folder, 3))  # it had died before it made the link
    assert sorted(p.name for p in (root / "r1").iterdir()) == ["attempt-1", "current"]


def test_a_sheet_that_leads_out_of_the_run_is_not_read(tmp_path: Path, tiny_run) -> None:
    tiny_run.write(SHEET)
    (tmp_path / "secret").write_text("hush,hush")
    (tiny_run.folder / "SampleSheet.csv").unlink()
    (tiny_run.folder / "SampleSheet.csv").symlink_to(tmp_path / "secret")
    found = sheets.check(tiny_run.folder, None, Standard())
    assert (found["ok"], found["code"]) == (False, "sheet.link")
    assert "hush" not in str(found)


def test_what_was_ignored_stands_in_the_record(
    tmp_path: Path, root: Path, tiny_run, cluster_of
) -> None:
    tiny_run.reads = ((4, "N"), (4, "Y"), (6, "N"))
    tiny_run.clusters[1, 1101] = [cluster_of("GGGGACGTTTAAAA")]
    tiny_run.write(SHEET + "S2,GTAC\n")
    (tiny_run.calls / "L001" / "C2.1" / "s_1_1102.bcl.gz").unlink()
    with pytest.raises(ConversionError, match=r"C2\.1/s_1_1102\.bcl\.gz: missing"):
        work(task(tmp_path, root, tiny_run.folder, 1, ("empty-samples",)))
    with pytest.raises(ConversionError, match="sample S2 with the index GTAC has no read"):
        work(task(tmp_path, root, tiny_run.folder, 2, ("missing-bcls",)))
    work(task(tmp_path, root, tiny_run.folder, 3, ("missing-bcls", "empty-samples")))
    record = Attempt(root, "r1", 1).record()
    assert record is not None
    assert (record["degraded"], record["ignored"]) == (True, ["empty-samples", "missing-bcls"])
    assert record["warnings"][-1].startswith("missing-bcls: 1 files missing or damaged")
    stats = json.loads((root / "r1" / "attempt-1" / "Stats" / "Stats.json").read_text())
    assert stats["IgnoredFiles"] == {"missing-bcls": 1}


def test_observing_tells_what_would_be_and_touches_nothing(
    tmp_path: Path, root: Path, tiny_run, cluster_of
) -> None:
    tiny_run.reads = ((4, "N"), (4, "Y"), (6, "N"))
    tiny_run.clusters[1, 1101] = [cluster_of("GGGGACGTTTAAAA")]
    tiny_run.write(SHEET)
    would = observe(task(tmp_path, root, tiny_run.folder, 1))
    assert list(root.iterdir()) == []
    work(task(tmp_path, root, tiny_run.folder, 2))
    record = Attempt(root, "r1", 1).record()
    assert record is not None
    assert record["degraded"] is False
    assert sorted(would["files"]) == sorted(file["path"] for file in record["files"])
    assert would["sheet_sha256"] == record["sheet_sha256"]
    assert [s["sample_id"] for s in would["samples"]] == ["S1", "Undetermined"]
    assert would["to"] == str(root / "r1" / "attempt-1")
    assert set(would) == {
        *("converter", "converter_version", "ignore", "waived_rules", "sheet_sha256"),
        *("samples", "files", "to", "warnings"),
    }


@pytest.mark.parametrize("fault", ["no root", "no file", "no sheet"])
def test_observing_fails_as_the_real_work_would(
    tmp_path: Path, root: Path, tiny_run, cluster_of, fault
) -> None:
    tiny_run.reads = ((4, "N"), (4, "Y"), (6, "N"))
    tiny_run.write(SHEET)
    if fault == "no root":
        root.rmdir()
    elif fault == "no file":
        (tiny_run.calls / "L001" / "s_1_1102.filter").unlink()
    else:
        (tiny_run.folder / "SampleSheet.csv").unlink()
    with pytest.raises(ArterioleError) as observed:
        observe(task(tmp_path, root, tiny_run.folder, 1))
    with pytest.raises(ArterioleError) as real:
        work(task(tmp_path, root, tiny_run.folder, 2))
    assert (observed.value.code, str(observed.value)) == (real.value.code, str(real.value))


def test_a_waived_rule_stops_no_conversion_and_stands_in_the_record(
    tmp_path: Path, root: Path, tiny_run, cluster_of
) -> None:
    tiny_run.reads = ((4, "N"), (4, "Y"), (6, "N"))
    tiny_run.clusters[1, 1101] = [cluster_of("GGGGACGTTTAAAA"), cluster_of("GGGGACGATTAAAA")]
    tiny_run.write(SHEET + "S2,ACGA\n")
    asked = {"barcode_mismatches": [1, 1]}
    with pytest.raises(ConversionError, match="too near to the index of line 3") as error:
        work(task(tmp_path, root, tiny_run.folder, 1, **asked))
    assert error.value.code == "sheet.index_collision"
    asked["waived_rules"] = ["sheet.index_collision"]
    work(task(tmp_path, root, tiny_run.folder, 2, **asked))
    record = Attempt(root, "r1", 1).record()
    assert record is not None
    assert (record["degraded"], record["ignored"]) == (True, [])
    assert record["waived_rules"] == ["sheet.index_collision"]
    assert "too near to the index of line 3" in record["warnings"][0]
    assert {s["sample_id"]: s["reads"] for s in record["samples"]} == {
        **{"S1": 1, "S2": 1},
        "Undetermined": 0,
    }
