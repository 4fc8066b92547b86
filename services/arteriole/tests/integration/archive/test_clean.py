"""What may be taken away, and everything that speaks against it."""

import contextlib
import copy
import itertools
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from click.testing import CliRunner

from arteriole.app import times
from arteriole.app.auth import Role, Tokens
from arteriole.archive.clean import bin
from arteriole.archive.clean.mark import NAME
from arteriole.archive.clean.objections import CleanError
from arteriole.archive.clean.request import CleanRequest
from arteriole.archive.kind import ArchiveKind
from arteriole.archive.settings import ArchiveSettings
from arteriole.archive.work import work
from arteriole.cli import main
from arteriole.jobs.worker import Task
from arteriole.policy.gate import Gate

from ..conftest import Site, kill_process_of
from .conftest import Centre, Keys
from .swift import Swift, swift

PROJECT = "CLIN_Secret"
OTHER = "200701_A00834_0190_BHOTHERXX"
RULE = {"rule": "clinical", "keep_days": 30, "copies": 2}


def ago(days: float) -> str:
    return times.text(datetime.now(UTC) - timedelta(days=days))


class Cleaning:
    """A run that is done and old, archived twice, in a centre where it may go."""

    def __init__(self, centre: Centre) -> None:
        self.centre, self.site, self.run = centre, centre.site, centre.run
        self.home: Path = self.site.home
        self.bin, self.second = self.home / "bin", self.home / "second"
        for folder in (self.bin, self.second):
            folder.mkdir()
        self.policy = self.home / "policy.yaml"
        self.settings: dict[str, Any] = centre.settings
        self.settings["destinations"]["tape"] = {"directory": str(self.second)}
        self.clean: dict[str, Any] = {
            "delete": True,
            "bins": [str(self.bin)],
            "bin_days": 5,
            "second_person": False,
        }
        self.settings["clean"] = self.clean
        self.evidence: dict[str, Any] = {"state": "done", "held": False, "attempt": 1}
        self.known: dict[str, Any] = {
            "open_jobs": [],
            "restored": False,
            "newest": times.now(),
        }
        self._write_attempt()
        self._write_results()
        self.write_policy()

    def _write_attempt(self) -> None:
        path = self.site.fastq / "attempt.json"
        found = json.loads(path.read_text())
        more = {"projects": {"S1": [PROJECT]}, "finished": ago(40)}
        path.write_text(json.dumps({**found, **more}))
        shutil.rmtree(self.site.manifests, ignore_errors=True)
        self.centre.checksum()

    def _write_results(self) -> None:
        """Two units, of which one has reads of another run."""
        reads = {"R1": [{"path": f"{run}/attempt-1/S1.fastq.gz"} for run in (self.run, OTHER)]}
        record = json.dumps({"samples": [{"sample": "S1", "reads": reads}]}).encode()
        self.centre.analyse(
            bcbio__G1={"final/G1.vcf.gz": b"v" * 1000, "analysis.json": record},
            other__G2={"report.html": b"<html>"},
        )
        self.centre.checksum(part="results")
        self.write_other(PROJECT)

    def write_other(self, project: str) -> None:
        """The attempt of the other run is of this project."""
        folder = self.site.fastq.parents[1] / OTHER / "attempt-1"
        folder.mkdir(parents=True, exist_ok=True)
        record = {"files": [], "projects": {"S1": [project]}, "finished": ago(40)}
        (folder / "attempt.json").write_text(json.dumps(record))

    def write_policy(self, **rule: Any) -> None:
        label = {"country": "AU", "premises": True, "form": "clear"}
        labels = {"archive": {"vault": label, "tape": label}}
        given = {key: value for key, value in {**RULE, **rule}.items() if value is not None}
        text = yaml.safe_dump({"destinations": labels, "rules": [given]})
        self.policy.write_text(text)

    def archive(self) -> None:
        for name, part in itertools.product(("vault", "tape"), ("data", "results")):
            parameters = self.centre.parameters(part=part)
            others = {key: v for key, v in parameters.items() if key not in ("s3", "directory")}
            work(self.site.task({**others, **self._destination(name)}))
        self.known["newest"] = times.now()

    def _destination(self, name: str) -> dict[str, Any]:
        return {"name": name, **self.settings["destinations"][name]}

    def told(self) -> dict[str, Any]:
        """The evidence of now."""
        return {"cursor": "e1-100", "time": times.now(), **self.evidence}

    def parameters(self, verb: str = "delete", **more: Any) -> dict[str, Any]:
        """Those of a job."""
        settings = ArchiveSettings.model_validate(self.settings)
        kind = ArchiveKind(settings, Gate(self.policy, "archive", ()))
        request = CleanRequest(verb=verb, evidence=self.told(), **more)
        return kind.parameters(self.run, request.completed(self.known, ("ada", "bob")))

    def task(self, verb: str = "delete", **more: Any) -> Task:
        task: Task = self.site.task(self.parameters(verb, **more))
        return task

    def entry(self, kind: str) -> Path:
        return self.bin / f"{self.run}.attempt-1.{kind}"

    def age_entries(self, days: float) -> None:
        for path in self.bin.glob("*/clean.json"):
            path.write_text(json.dumps({**json.loads(path.read_text()), "moved": ago(days)}))

    def names_in_bin(self) -> list[str]:
        found = self.bin.iterdir() if self.bin.is_dir() else ()
        return sorted(path.name.removeprefix(f"{self.run}.attempt-1.") for path in found)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Cleaning:
    home = tmp_path_factory.mktemp("template")
    (home / "vault").mkdir()
    centre = Centre(Site(home), {"directory": str(home / "vault")})
    made = Cleaning(centre)
    made.archive()
    return made


@pytest.fixture
def cleaning(template: Cleaning, tmp_path: Path) -> Cleaning:
    """A copy of it for each test."""
    old, new = str(template.home), str(tmp_path / "home")
    shutil.copytree(old, new, symlinks=True)
    made = copy.deepcopy(template)
    for one in (made, made.centre, made.site):
        paths = {name: value for name, value in vars(one).items() if isinstance(value, Path)}
        vars(one).update({name: Path(str(v).replace(old, new)) for name, v in paths.items()})
    made.settings = json.loads(json.dumps(made.settings).replace(old, new))
    made.centre.settings, made.clean = made.settings, made.settings["clean"]
    made.known["newest"] = times.now()
    return made


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _objections(listing: dict[str, Any]) -> list[dict[str, str]]:
    of_kinds = [one for kind in listing["kinds"] for one in kind["objections"]]
    return [*listing["objections"], *of_kinds]


def test_a_listing_tells_what_may_go_and_touches_nothing(cleaning: Cleaning) -> None:
    assert work(cleaning.task("list"))["kinds"] == [
        {"kind": kind, "where": str(where), "files": count, "bytes": size, "may_go": True,
         "objections": []}
        for kind, where, count, size in (
            ("fastq", cleaning.site.fastq, 5, _size(cleaning.site.fastq)),
            ("raw", cleaning.site.runfolder, 4, _size(cleaning.site.runfolder) - len("ready")),
        )
    ]  # fmt: skip
    assert cleaning.names_in_bin() == []
    assert cleaning.site.runfolder.is_dir() and cleaning.site.fastq.is_dir()


def test_a_bucket_proves_it_too_by_its_lists(s3: Centre) -> None:
    made = Cleaning(s3)
    made.archive()
    listing = work(made.task("list"))
    assert [kind["may_go"] for kind in listing["kinds"]] == [True, True], listing
    (made.site.runfolder / "RunInfo.xml").write_text("of another size")
    (objection,) = _objections(work(made.task("list", kinds=["raw"])))
    assert "vault: runfolder/RunInfo.xml has another size there than here" in objection["message"]


def test_a_store_is_one_by_two_addresses_and_two_stores_may_call_their_buckets_the_same(
    s3: Centre, swift_server: Swift, bucket: str, tmp_path: Path
) -> None:
    made = Cleaning(s3)
    tape = {**s3.destination, "endpoint_url": swift_server.endpoint}
    made.settings["destinations"]["tape"] = {"s3": tape}
    made.archive()
    (objection,) = _objections(work(made.task("list", kinds=["raw"])))
    assert "1 of 2" in objection["message"] and "tape: its archive.json" in objection["message"]
    with swift(tmp_path / "swift") as other:
        other.client().create_bucket(Bucket=bucket)
        tape["endpoint_url"] = other.endpoint
        made.archive()
        (listed,) = work(made.task("list", kinds=["raw"]))["kinds"]
    assert listed["may_go"], listed


def test_an_encrypted_copy_counts_only_where_somebody_here_can_open_it(
    sealed: Centre, keys: Keys
) -> None:
    made = Cleaning(sealed)
    made.archive()
    (objection,) = _objections(work(made.task("list", kinds=["raw"])))
    assert objection["code"] == "clean.not_proven"
    assert "vault: it is encrypted, and the destination names no private key" in str(objection)
    sealed.destination["crypt4gh"]["private_key"] = keys.private("stranger")
    (objection,) = _objections(work(made.task("list", kinds=["raw"])))
    assert "vault: it is not encrypted for the private key" in objection["message"]
    sealed.destination["crypt4gh"]["private_key"] = keys.private("hospital")
    _aged(made)
    made.evidence["merged"] = [{"run": OTHER, "held": False}]
    listing = work(made.task("list", kinds=["raw", "fastq", "results"]))
    assert [kind["may_go"] for kind in listing["kinds"]] == [True, True, True], listing


def test_as_shipped_it_only_lists(cleaning: Cleaning) -> None:
    del cleaning.settings["clean"]
    (objection,) = _objections(work(cleaning.task("list")))
    assert objection["code"] == "clean.not_set"
    with pytest.raises(CleanError, check=lambda err: err.code == "clean.not_set"):
        work(cleaning.task())
    assert cleaning.site.runfolder.is_dir() and cleaning.site.fastq.is_dir()


def test_what_goes_lies_in_the_bin_with_its_proof(cleaning: Cleaning) -> None:
    moved = work(cleaning.task())["events"]["cleaned"]["kinds"]
    assert not cleaning.site.runfolder.exists() and not cleaning.site.fastq.exists()
    assert (cleaning.entry("raw") / "data" / "RunInfo.xml").exists()
    assert (cleaning.entry("fastq") / "data" / "attempt.json").exists()
    proof = json.loads((cleaning.entry("raw") / "clean.json").read_text())
    assert proof["moved"] and proof == moved["raw"]
    assert (proof["from"], proof["files"]) == (str(cleaning.site.runfolder), 4)
    assert proof["people"] == ["ada", "bob"]
    record = json.loads((cleaning.second / cleaning.run / "attempt-1/archive.json").read_text())
    assert proof["manifests"] == record["manifests"]
    assert sorted(proof["archives"]) == ["tape", "vault"]
    assert PROJECT not in json.dumps(moved)


def test_fastqs_may_go_before_the_run_folder(cleaning: Cleaning) -> None:
    work(cleaning.task(kinds=["fastq"]))
    assert cleaning.site.runfolder.is_dir() and not cleaning.site.fastq.exists()
    work(cleaning.task(kinds=["raw"]))
    assert not cleaning.site.runfolder.exists()


def test_what_went_before_is_told_and_the_rest_goes(cleaning: Cleaning) -> None:
    work(cleaning.task(kinds=["fastq"]))
    fastq, raw = work(cleaning.task("list"))["kinds"]
    assert raw["may_go"] and "gone" not in raw
    where = f"is in the bin {cleaning.entry('fastq')}, since {times.now()[:10]}"
    assert (fastq["may_go"], fastq["gone"]) == (False, where)
    (objection,) = fastq["objections"]
    assert objection["message"] == f"fastq data of attempt 1 {where}"
    another = cleaning.task()
    another.job_id = 2
    told = work(another)
    assert (list(told["kinds"]), told["gone"]) == (["raw"], {"fastq": where})
    assert not cleaning.site.runfolder.exists()


def test_nobody_was_asked_about_what_was_gone_and_is_back(cleaning: Cleaning) -> None:
    work(cleaning.task(kinds=["fastq"]))
    another = cleaning.task()
    another.parameters["clean"]["said"] = ["raw"]
    another.job_id = 2
    (cleaning.entry("fastq") / "data").rename(cleaning.site.fastq)
    with pytest.raises(CleanError, match="is in its place again") as raised:
        work(another)
    assert raised.value.code == "clean.place"
    assert cleaning.site.fastq.is_dir() and cleaning.site.runfolder.is_dir()


def test_what_was_brought_back_is_not_gone(cleaning: Cleaning) -> None:
    work(cleaning.task(kinds=["raw"]))
    cleaning.age_entries(6)
    work(cleaning.task("empty", kinds=["raw"]))
    (raw,) = work(cleaning.task("list", kinds=["raw"]))["kinds"]
    assert raw["gone"].startswith(f"was removed on {times.now()[:10]}: ")
    _link_to_nothing(cleaning)
    (raw,) = work(cleaning.task("list", kinds=["raw"]))["kinds"]
    assert "gone" not in raw and "found a link" in str(raw["objections"])


def _link_to_nothing(c: Cleaning) -> None:
    c.site.runfolder.symlink_to("elsewhere")


def test_a_bin_is_emptied_after_its_days_and_judged_anew(cleaning: Cleaning) -> None:
    work(cleaning.task())
    cleaning.age_entries(4.9)
    with pytest.raises(CleanError, match=r"4\.9 days of 5") as raised:
        work(cleaning.task("empty"))
    assert raised.value.code == "clean.too_early"
    cleaning.age_entries(5.1)
    cleaning.evidence["held"] = True
    with pytest.raises(CleanError, match="held"):
        work(cleaning.task("empty"))
    cleaning.evidence["held"] = False
    (cleaning.second / cleaning.run / "attempt-1" / "archive.json").unlink()
    with pytest.raises(CleanError, match="1 of 2"):
        work(cleaning.task("empty"))
    assert cleaning.names_in_bin() == ["fastq", "raw"]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"moved": "long ago"}', '{"moved": 1}'])
def test_a_bin_that_does_not_say_since_when_is_not_emptied(cleaning: Cleaning, text: str) -> None:
    work(cleaning.task())
    cleaning.age_entries(9)
    (cleaning.entry("raw") / "clean.json").write_text(text)
    with pytest.raises(CleanError, match="does not say since when") as raised:
        work(cleaning.task("empty"))
    assert raised.value.code == "clean.bin" and cleaning.names_in_bin() == ["fastq", "raw"]


@pytest.mark.parametrize("time", ["yesterday", "2026-99-99T00:00:00Z", "2026-11-26T10:00:00"])
def test_evidence_has_a_time(time: str) -> None:
    told = {"state": "done", "held": False, "cursor": "e1-1", "time": time}
    with pytest.raises(ValueError, match="expected a time such as"):
        CleanRequest(evidence=told)


def test_what_was_emptied_leaves_its_proof(cleaning: Cleaning) -> None:
    moved = work(cleaning.task())["kinds"]
    cleaning.age_entries(6)
    emptied = work(cleaning.task("empty"))["events"]["clean_emptied"]["kinds"]
    assert cleaning.names_in_bin() == ["fastq.emptied.json", "raw.emptied.json"]
    assert emptied["raw"]["manifests"] == moved["raw"]["manifests"]
    another = cleaning.task("empty")
    another.job_id = 2
    with pytest.raises(CleanError, match="no bin has") as raised:
        work(another)
    assert raised.value.code == "clean.place"


@pytest.mark.parametrize("verb", ["delete", "empty"])
def test_a_repeat_after_a_kill_tells_of_all(
    cleaning: Cleaning, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker dies after the first of the two; the job's next start does the rest."""
    if verb == "empty":
        work(cleaning.task())
        cleaning.age_entries(6)
    name = {"delete": "move", "empty": "empty"}[verb]
    deed = getattr(bin, name)

    def die_after(*given: Any) -> None:
        deed(*given)
        raise KeyboardInterrupt

    parameters = cleaning.parameters(verb)
    monkeypatch.setattr(bin, name, die_after)
    with pytest.raises(KeyboardInterrupt):
        work(cleaning.site.task(parameters))
    monkeypatch.undo()
    assert sorted(work(cleaning.site.task(parameters))["kinds"]) == ["fastq", "raw"]
    suffix = "" if verb == "delete" else ".emptied.json"
    assert cleaning.names_in_bin() == [f"fastq{suffix}", f"raw{suffix}"]
    assert not cleaning.site.runfolder.exists() and not cleaning.site.fastq.exists()


def test_what_has_gone_is_told_of_even_if_the_rest_may_not(
    cleaning: Cleaning, monkeypatch: pytest.MonkeyPatch
) -> None:
    deed = bin.move

    def fail(case: Any, kind: Any, *given: Any) -> None:
        if kind == "raw":
            raise PermissionError(13, "Permission denied")
        deed(case, kind, *given)

    monkeypatch.setattr(bin, "move", fail)
    task = cleaning.task()
    assert sorted(work(task)["events"]["cleaned"]["kinds"]) == ["fastq"]
    assert task.remarks["code"] == "clean.bin" and "a part of it stays" in task.remarks["message"]
    assert cleaning.site.runfolder.is_dir()


@pytest.mark.parametrize("verb", ["delete", "empty"])
def test_a_repeat_that_has_nothing_left_to_do_is_not_judged(cleaning: Cleaning, verb: str) -> None:
    """It comes long after the kill: the word of then is too old."""
    if verb == "empty":
        work(cleaning.task())
        cleaning.age_entries(6)
    parameters = cleaning.parameters(verb)
    work(cleaning.site.task(parameters))
    parameters["clean"]["evidence"]["time"] = ago(1)
    task = cleaning.site.task(parameters)
    assert sorted(work(task)["kinds"]) == ["fastq", "raw"] and not task.remarks


def test_what_was_emptied_is_told_of_even_if_the_rest_cannot_be(
    cleaning: Cleaning, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(cleaning.task())
    cleaning.age_entries(6)
    remove = shutil.rmtree

    def fail(path: Path) -> None:
        if ".raw." in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        remove(path)

    monkeypatch.setattr(shutil, "rmtree", fail)
    task = cleaning.task("empty")
    assert sorted(work(task)["events"]["clean_emptied"]["kinds"]) == ["fastq"]
    assert task.remarks["code"] == "clean.bin" and "cannot be removed" in task.remarks["message"]
    with pytest.raises(CleanError, match="Permission denied") as raised:
        work(cleaning.task("empty", kinds=["raw"]))
    assert raised.value.code == "clean.bin"
    assert not (cleaning.bin / f"{cleaning.run}.attempt-1.raw.emptied.json").exists()
    monkeypatch.undo()
    assert sorted(work(cleaning.task("empty", kinds=["raw"]))["kinds"]) == ["raw"]
    assert cleaning.names_in_bin() == ["fastq.emptied.json", "raw.emptied.json"]


def test_a_kill_at_the_very_end_leaves_nothing_in_the_way(
    cleaning: Cleaning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was emptied is brought back, taken away once more, and emptied once more."""
    shutil.copytree(cleaning.site.runfolder, cleaning.home / "kept")
    work(cleaning.task(kinds=["raw"]))
    cleaning.age_entries(6)

    def die(path: Path) -> None:
        raise KeyboardInterrupt

    parameters = cleaning.parameters("empty", kinds=["raw"])
    monkeypatch.setattr(Path, "rmdir", die)
    with pytest.raises(KeyboardInterrupt):
        work(cleaning.site.task(parameters))
    monkeypatch.undo()
    first = work(cleaning.site.task(parameters))["kinds"]["raw"]
    assert len(cleaning.names_in_bin()) == 2, "the empty folder, too"
    (cleaning.home / "kept").rename(cleaning.site.runfolder)
    for verb in ("delete", "empty"):
        task = cleaning.task(verb, kinds=["raw"])
        task.job_id = 2
        told = work(task)["kinds"]["raw"]
        cleaning.age_entries(6)
    assert cleaning.names_in_bin() == ["raw.emptied-2.json", "raw.emptied.json"]
    assert (first["emptied_by"], told["emptied_by"]) == (1, 2)
    proofs = [json.loads(path.read_text()) for path in sorted(cleaning.bin.iterdir())]
    assert proofs == [told, first]


def _nothing(_: Cleaning) -> None:
    """Nothing more."""


def _no_second_copy(c: Cleaning) -> None:
    shutil.rmtree(c.second / c.run)


def _other_record(c: Cleaning) -> None:
    path = c.second / c.run / "attempt-1" / "archive.json"
    record = json.loads(path.read_text())
    record["manifests"]["fastq.md5"] = "0" * 64
    path.write_text(json.dumps(record))


def _archived_file_gone(c: Cleaning) -> None:
    (c.second / c.run / "attempt-1" / "runfolder" / "RunInfo.xml").unlink()


def _same_place_twice(c: Cleaning) -> None:
    shutil.rmtree(c.second)
    c.second.symlink_to(c.home / "vault")


def _mirrored(c: Cleaning) -> None:
    """As two mounts of one share show it: on two devices, with other inodes."""
    shutil.rmtree(c.second)
    shutil.copytree(c.home / "vault", c.second)


def _partial_restore(c: Cleaning) -> None:
    (c.centre.restored / c.run / ".attempt-1.partial").mkdir(parents=True)


def _unknown_restore(c: Cleaning) -> None:
    (c.centre.restored / c.run / "attempt-1").mkdir(parents=True)


def _link(c: Cleaning) -> None:
    c.site.runfolder.rename(c.site.runfolder.with_name("elsewhere"))
    c.site.runfolder.symlink_to("elsewhere")


def _lost(key: str) -> Callable[[Cleaning], Any]:
    document = {key: {"cursor": "e1-9", "time": ago(1), "lost": True}}
    return lambda c: (c.bin / NAME).write_text(json.dumps(document))


def _new_bin_first(c: Cleaning) -> None:
    _lost("archive")(c)
    (c.home / "new").mkdir()
    c.clean["bins"].insert(0, str(c.home / "new"))


def _archive_is_newer_than_the_store(c: Cleaning) -> None:
    path = c.second / c.run / "attempt-1" / "archive.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "finished": ago(-1)}))


#: What happens, of which evidence, policy and settings; the code, and words of the message.
REFUSED: dict[str, tuple[Callable[[Cleaning], Any], dict[str, Any], str, str]] = {
    "not allowed by the settings": (_nothing, {"clean": {"delete": False}}, "not_set", "let any"),
    "a run that goes on": (_nothing, {"evidence": {"state": "started"}}, "not_done", "'started'"),
    "a run that failed": (_nothing, {"evidence": {"state": "error"}}, "not_done", "'error'"),
    "a run that was observed": (_nothing, {"evidence": {"observed": True}}, "not_done", "observed"),
    "a newer attempt, as is said": (_nothing, {"evidence": {"attempt": 2}}, "not_done", "is 2"),
    "a newer attempt, as is seen": (
        lambda c: (c.site.fastq.parent / "attempt-2").mkdir(), {}, "not_done", "attempt 2 lies",
    ),
    "a hold": (_nothing, {"evidence": {"held": True}}, "held", "is held"),
    "an old word": (_nothing, {"evidence": {"time": ago(0.01)}}, "stale", "seconds old"),
    "a word to come": (_nothing, {"evidence": {"time": ago(-0.01)}}, "stale", "seconds old"),
    "a job at work": (_nothing, {"known": {"open_jobs": [1]}}, "busy", "job 1 of the archive"),
    "a conversion at work": (
        lambda c: (c.site.fastq.parent / ".attempt-2.partial-7").mkdir(), {}, "busy", "partial-7",
    ),
    "a restore at work": (_partial_restore, {}, "busy", "brought back"),
    "a restore that the store lost": (_unknown_restore, {}, "store_older", "knows nothing of a"),
    "a restore of a part that the store lost": (
        lambda c: (c.centre.restored / c.run / "attempt-1.fastq").mkdir(parents=True),
        {}, "store_older", "knows nothing of a",
    ),
    "an older store": (_lost("archive"), {}, "store_older", "of archive had come to e1-9"),
    "an older store, and a new bin": (_new_bin_first, {}, "store_older", "of archive had come"),
    "an older store of runs": (_lost("runfolder"), {}, "store_older", "of runfolder had come"),
    "a clock that was set back": (
        _nothing, {"known": {"newest": ago(-1)}}, "store_older", "is to come",
    ),
    "a mark of no use": (lambda c: (c.bin / NAME).write_text("[]"), {}, "bin", "cannot be read"),
    "an archive of a later day": (
        _archive_is_newer_than_the_store, {}, "store_older", "is newer",
    ),
    "kept for ever": (_nothing, {"policy": {"keep_days": None}}, "retention", "for ever"),
    "kept for longer": (_nothing, {"policy": {"keep_days": 41}}, "retention", "40.0 days old"),
    "no rule fits": (_nothing, {"policy": {"project": "x"}}, "retention", "rules: none"),
    "more copies are wanted": (_nothing, {"policy": {"copies": 3}}, "not_proven", "2 of 3"),
    "a copy is gone": (_no_second_copy, {}, "not_proven", "1 of 2 .* tape: it is not archived"),
    "a copy of other manifests": (_other_record, {}, "not_proven", "tape: .* other manifests"),
    "a copy that lacks a file": (_archived_file_gone, {}, "not_proven", "tape: .*RunInfo.xml"),
    "a copy of another size": (
        lambda c: (c.second / c.run / "attempt-1" / "runfolder" / "RunInfo.xml").write_text("x"),
        {}, "not_proven", "tape: runfolder/RunInfo.xml has another size",
    ),
    "one place under two names": (
        _same_place_twice, {}, "not_proven", "tape: its archive.json is that of vault",
    ),
    "one place by two mounts": (_mirrored, {}, "not_proven", "1 of 2 .* is that of vault"),
    "a copy where the policy wants none": (
        _nothing, {"policy": {"form": "never"}}, "not_proven", "should not be there",
    ),
    "a late file": (
        lambda c: (c.site.runfolder / "late").touch(), {}, "not_proven", "late",
    ),
    "a file that is gone": (
        lambda c: (c.site.runfolder / "RunInfo.xml").unlink(), {}, "not_proven", "RunInfo.xml",
    ),
    "no manifests": (
        lambda c: (c.site.manifests / "runfolder.md5").unlink(), {}, "not_proven", "runfolder.md5",
    ),
    "a link": (_link, {}, "place", "found a link"),
    "nothing there": (lambda c: shutil.rmtree(c.site.runfolder), {}, "place", "found nothing"),
    "no bin": (lambda c: shutil.rmtree(c.bin), {}, "bin", "No such file"),
    "a bin elsewhere": (_nothing, {"clean": {"bins": ["/proc"]}}, "bin", "file system of"),
    "a full bin": (
        lambda c: (c.entry("raw") / "data").mkdir(parents=True), {}, "bin", "there already",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(cleaning: Cleaning, name: str) -> None:
    deed, more, code, words = REFUSED[name]
    cleaning.evidence |= more.get("evidence", {})
    cleaning.known |= more.get("known", {})
    cleaning.clean |= more.get("clean", {})
    cleaning.write_policy(**more.get("policy", {}))
    deed(cleaning)
    there = cleaning.site.runfolder.exists(), cleaning.site.fastq.exists(), cleaning.names_in_bin()
    listing = work(cleaning.task("list"))
    told = [one["message"] for one in _objections(listing) if one["code"] == f"clean.{code}"]
    assert any(re.search(words, message, re.DOTALL) for message in told), listing
    assert not all(kind["may_go"] for kind in listing["kinds"])
    with pytest.raises(CleanError, check=lambda err: err.code == f"clean.{code}"):
        work(cleaning.task())
    assert there == (
        cleaning.site.runfolder.exists(),
        cleaning.site.fastq.exists(),
        cleaning.names_in_bin(),
    )


def _aged(c: Cleaning) -> None:
    """So that the results, too, are older than they are kept."""
    for path in c.home.glob(f"*/{c.run}/attempt-1.results/*/archive.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "finished": ago(35)}))


@pytest.fixture
def results(cleaning: Cleaning) -> Cleaning:
    """The same, where it is known of the other run that it is not held."""
    _aged(cleaning)
    cleaning.evidence["merged"] = [{"run": OTHER, "held": False}]
    return cleaning


def test_results_go_into_the_bin_and_out_of_it(results: Cleaning) -> None:
    (told,) = work(results.task("list", kinds=["results"]))["kinds"]
    assert (told["where"], told["files"], told["may_go"]) == (str(results.centre.results), 3, True)
    moved = work(results.task(kinds=["results"]))["kinds"]["results"]
    assert not results.centre.results.exists() and results.site.fastq.is_dir()
    assert sorted(moved["manifests"]) == [
        f"results/{unit}.{kind}" for unit in ("bcbio.G1", "other.G2") for kind in ("blake3", "md5")
    ]
    assert results.names_in_bin() == ["results"]
    results.age_entries(6)
    results.evidence["merged"][0]["held"] = True
    with pytest.raises(CleanError, match=f"{OTHER}, whose reads are in the results, is held"):
        work(results.task("empty", kinds=["results"]))
    results.evidence["merged"][0]["held"] = False
    work(results.task("empty", kinds=["results"]))
    assert results.names_in_bin() == ["results.emptied.json"]


def test_results_go_only_if_asked_for_by_name(results: Cleaning) -> None:
    work(results.task())
    assert results.names_in_bin() == ["fastq", "raw"] and results.centre.results.is_dir()
    shutil.rmtree(results.centre.results)
    listing = work(results.task("list", kinds=["raw", "results"]))
    assert [kind["kind"] for kind in listing["kinds"]] == ["raw"]


def test_a_bin_of_results_that_was_half_emptied(
    results: Cleaning, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(results.task(kinds=["results"]))
    results.age_entries(6)

    def die(path: Path, *_: Any) -> None:
        (path / "bcbio.G1" / "final" / "G1.vcf.gz").unlink()
        raise KeyboardInterrupt

    parameters = results.parameters("empty", kinds=["results"])
    monkeypatch.setattr(shutil, "rmtree", die)
    with pytest.raises(KeyboardInterrupt):
        work(results.site.task(parameters))
    monkeypatch.undo()
    assert results.names_in_bin() != ["results.emptied.json"]
    work(results.site.task(parameters))
    assert results.names_in_bin() == ["results.emptied.json"]


def _late(kind: str, name: str) -> Callable[[Cleaning], Any]:
    """A file that somebody went on to write in a bin, where he had begun before the move."""

    def write(c: Cleaning) -> None:
        path = c.entry(kind) / "data" / name
        path.parent.mkdir(exist_ok=True)
        with open(path, "ab") as file:
            file.write(b"late")

    return write


def _cut(name: str) -> Callable[[Cleaning], Any]:
    return lambda c: os.truncate(c.second / c.run / name, 0)


#: Of what lies in a bin and may have to stay there: what happens; kind, code, words.
STAYS: dict[str, tuple[Callable[[Cleaning], Any], str, str, str]] = {
    "a file of a run folder that came there": (_late("raw", "late"), "raw", "not_proven", "late"),
    "a FASTQ that came there": (_late("fastq", "P1/late"), "fastq", "not_proven", "P1/late"),
    "a file that came into a unit": (
        _late("results", "other.G2/late"), "results", "not_proven", "late",
    ),
    "a file that grew": (
        _late("raw", "RunInfo.xml"), "raw", "not_proven", "RunInfo.xml has another size",
    ),
    "a file of a unit that grew": (
        _late("results", "other.G2/report.html"), "results", "not_proven", "another size",
    ),
    "a file that is gone": (
        lambda c: (c.entry("raw") / "data" / "RunInfo.xml").unlink(),
        "raw", "not_proven", "RunInfo.xml",
    ),
    "a unit that came there": (
        _late("results", "bcbio.G9/a"), "results", "not_proven", r"not moved there: bcbio\.G9",
    ),
    "half a unit that came there": (
        _late("results", ".bcbio.G9.partial/a"), "results", "not_proven", r"moved there: \.bcbio",
    ),
    "a unit that is gone": (
        lambda c: shutil.rmtree(c.entry("results") / "data" / "other.G2"),
        "results", "not_proven", r"other\.G2",
    ),
    "something beside it": (
        lambda c: (c.entry("raw") / "old").touch(), "raw", "bin", "not moved there: old",
    ),
    "a copy of a run folder that was cut off": (
        _cut("attempt-1/runfolder/RunInfo.xml"), "raw", "not_proven", "tape: .* another size",
    ),
    "a copy of FASTQs that was cut off": (
        _cut("attempt-1/fastq/Stats/Stats.json"), "fastq", "not_proven", "tape: .* another size",
    ),
    "a copy of a unit that was cut off": (
        _cut("attempt-1.results/bcbio.G1/results/final/G1.vcf.gz"),
        "results", "not_proven", "G1: .* another size",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STAYS)
def test_a_bin_is_not_emptied_of_what_no_archive_has(results: Cleaning, name: str) -> None:
    deed, kind, code, words = STAYS[name]
    work(results.task(kinds=[kind]))
    results.age_entries(6)
    deed(results)
    with pytest.raises(CleanError, match=words) as raised:
        work(results.task("empty", kinds=[kind]))
    assert raised.value.code == f"clean.{code}" and results.names_in_bin() == [kind]


def _unit_there(c: Cleaning, name: str) -> Path:
    return c.second / c.run / "attempt-1.results" / "bcbio.G1" / name


def _archived_lately(c: Cleaning) -> None:
    path = _unit_there(c, "archive.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "finished": ago(2)}))
    del c.settings["destinations"]["vault"]


def _restoring(c: Cleaning) -> None:
    c.known["restored"] = True
    (c.centre.restored / c.run / "attempt-1.results" / ".bcbio.G1.partial").mkdir(parents=True)


def _linked(c: Cleaning) -> None:
    c.centre.results.rename(c.home / "elsewhere")
    c.centre.results.symlink_to(c.home / "elsewhere")


#: As REFUSED, of results.
RESULTS_REFUSED: dict[str, tuple[Callable[[Cleaning], Any], dict[str, Any], str, str]] = {
    "another run that is held": (
        lambda c: c.evidence.update(merged=[{"run": OTHER, "held": True}]), {}, "held", "is held",
    ),
    "another run of which nobody speaks": (
        lambda c: c.evidence.update(merged=[]), {}, "held", "nobody says so",
    ),
    "another run of a project of which no rule speaks": (
        lambda c: c.write_other("research"), {"project": "CLIN_.*"},
        "not_proven", "by the policy results data should not be there",
    ),
    "an analysis at work": (
        lambda c: (c.centre.results / ".bcbio.G3.partial").mkdir(), {}, "busy", "G3.partial",
    ),
    "a restore at work": (
        _restoring, {}, "busy", "brought back",
    ),
    "what is in no unit": (
        lambda c: (c.centre.results / ".nextflow.log").touch(),
        {}, "not_proven", r"in no unit, and so in no archive: \.nextflow\.log",
    ),
    "a unit without digests": (
        lambda c: c.centre.analyse(bcbio__G3={"a": b"a"}), {}, "not_proven", r"bcbio\.G3\.md5",
    ),
    "a unit that is not archived": (
        lambda c: shutil.rmtree(_unit_there(c, ".")), {}, "not_proven", "G1: it is not archived",
    ),
    "a unit that lacks a file there": (
        lambda c: _unit_there(c, "results/final/G1.vcf.gz").unlink(), {}, "not_proven", "vcf.gz",
    ),
    "a late file": (
        lambda c: (c.centre.results / "other.G2" / "late").touch(), {}, "not_proven", "late",
    ),
    "a file of another size": (
        lambda c: (c.centre.results / "other.G2" / "report.html").write_text("x"),
        {}, "not_proven", "another size",
    ),
    "no unit": (
        lambda c: [shutil.rmtree(path) for path in c.centre.results.iterdir()],
        {}, "not_proven", "no unit of results",
    ),
    "no use in analysis.json": (
        lambda c: (c.centre.results / "bcbio.G1" / "analysis.json").write_text("{"),
        {}, "not_proven", "whose reads are in it cannot be known",
    ),
    "archived lately": (_archived_lately, {"copies": 1}, "retention", r"2\.0 days old"),
    "no place for results": (
        lambda c: c.settings.pop("results_root"), {}, "place", "does not say where results are",
    ),
    "a link": (_linked, {}, "place", "found a link"),
    "kept for ever": (_nothing, {"keep_days": None}, "retention", "for ever"),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS_REFUSED)
def test_results_are_refused(results: Cleaning, name: str) -> None:
    deed, rule, code, words = RESULTS_REFUSED[name]
    results.write_policy(**rule)
    deed(results)
    listing = work(results.task("list", kinds=["results"]))
    told = [one["message"] for one in _objections(listing) if one["code"] == f"clean.{code}"]
    assert any(re.search(words, message, re.DOTALL) for message in told), listing
    with pytest.raises(CleanError, check=lambda err: err.code == f"clean.{code}"):
        work(results.task(kinds=["results"]))
    assert results.names_in_bin() == []


def test_no_link_leads_to_fastqs_that_are_gone(
    cleaning: Cleaning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the worker dies between the two."""
    link = cleaning.site.fastq.parent / "current"
    link.symlink_to("attempt-1")
    work(cleaning.task(kinds=["raw"]))
    assert link.exists()

    def die(case: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bin, "forget_current", die)
    parameters = cleaning.parameters(kinds=["fastq"])
    with pytest.raises(KeyboardInterrupt):
        work(cleaning.site.task(parameters))
    monkeypatch.undo()
    assert link.is_symlink() and not link.exists()
    work(cleaning.site.task(parameters))
    assert not link.is_symlink()


PEOPLE = ("ada", "bob")


class Served:
    """The same over HTTP, with tokens of two people, and of who set it up."""

    def __init__(self, cleaning: Cleaning, serve: Callable[..., Any], **more: Any) -> None:
        self.cleaning = cleaning
        tokens = Tokens(cleaning.home / "tokens.json")
        self.tokens = {name: tokens.create(name, Role.OPERATOR) for name in PEOPLE}
        self.tokens["admin"] = tokens.create("admin", Role.ADMIN)
        cleaning.clean["second_person"] = ["CLIN_.*"]
        self.service = serve(
            "archive", cleaning.settings, policy=cleaning.policy, tokens=tokens.path, **more
        )

    def listed(self, until: Callable[..., Any]) -> "Served":
        """With a store that knows more than the archives, since something was asked of it."""
        self.ended(self.ask(verb="list"), until)
        return self

    def ask(self, who: str = "ada", verb: str = "delete", **more: Any) -> Any:
        body = {"verb": verb, "evidence": self.cleaning.told(), "reason": "old", **more}
        key = f"{verb}.{os.urandom(4).hex()}"
        return self.call("POST", f"clean/{self.cleaning.run}", who, body, key)

    def call(
        self, method: str, path: str, who: str = "ada", body: Any = None, key: str = ""
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        headers |= {"Idempotency-Key": key} if key else {}
        return self.service.call(method, path, json=body, headers=headers)

    def ended(self, answer: Any, until: Callable[..., Any]) -> dict[str, Any]:
        assert answer.status_code == 202, answer.text
        where = f"status/{answer.json()['job_id']}"
        until(lambda: self.call("GET", where).json()["state"] not in ("pending", "started"))
        return dict(self.call("GET", where).json())

    def events(self, what: str) -> list[dict[str, Any]]:
        found = self.call("GET", "events").json()["events"]
        return [event for event in found if event["what"] == what]


def test_two_people_say_so(
    cleaning: Cleaning, serve: Callable[..., Any], until: Callable[..., Any]
) -> None:
    served = Served(cleaning, serve).listed(until)
    cleaning.evidence["held"] = True
    refused = served.ask()
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "clean.held")
    cleaning.evidence["held"] = False
    nobody = served.ask("admin").json()["error"]
    assert (nobody["code"], "admin may be anybody" in nobody["message"]) == (
        "clean.not_a_person", True,
    )  # fmt: skip
    assert "arteriole token create NAME" in nobody["hint"]
    assert served.events("clean_said") == []
    first = served.ask("ada")
    assert (first.status_code, first.json()["complete"]) == (200, False)
    assert first.json()["message"] == "ada has said so; the word of a second person is missing"
    again = served.ask("ada")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "clean.same_person")
    other = served.ask("bob", kinds=["fastq"])  # another matter: a first word of its own
    assert other.json()["complete"] is False
    assert served.ask("ada").json()["complete"] is False
    assert cleaning.names_in_bin() == [NAME]
    assert len(served.call("GET", "status").json()["jobs"]) == 1, "the listing alone"
    job = served.ended(served.ask("bob"), until)
    assert job["state"] == "done", job
    assert cleaning.names_in_bin() == [NAME, "fastq", "raw"]
    (event,) = served.events("cleaned")
    assert event["who"] == "bob"
    assert event["payload"]["kinds"]["raw"]["people"] == ["ada", "bob"]
    assert [e["payload"]["complete"] for e in served.events("clean_said")][-1] is True
    assert PROJECT not in served.call("GET", "events").text


@pytest.mark.parametrize(
    ("verb", "what", "left"),
    [("delete", "cleaned", "data"), ("empty", "clean_emptied", "emptied.json")],
)
@pytest.mark.parametrize("end", ["job.died", "job.stopped"])
def test_what_a_worker_did_before_its_end_is_told(
    cleaning: Cleaning,
    serve: Callable[..., Any],
    until: Callable[..., Any],
    verb: str,
    what: str,
    left: str,
    end: str,
) -> None:
    """The worker alone ends between the FASTQs and the run folder, where a pipe holds it."""
    served = Served(cleaning, serve).listed(until)
    if verb == "empty":
        work(cleaning.task())
        cleaning.age_entries(6)
    entry = cleaning.entry("raw")
    entry.mkdir(exist_ok=True)
    os.mkfifo(entry / ".clean.json.partial")
    served.ask("ada", verb)
    answer = served.ask("bob", verb)
    job_id = answer.json()["job_id"]
    fastq = cleaning.entry("fastq")
    until((fastq / left if verb == "delete" else fastq.with_name(f"{fastq.name}.{left}")).exists)
    if end == "job.died":
        kill_process_of(served.service.jobs / str(job_id), "work")
    else:
        served.call("POST", f"stop/{job_id}")
    assert served.ended(answer, until)["code"] == end
    (event,) = served.events(what)
    assert (event["who"], event["payload"]["job_id"]) == ("bob", job_id)
    assert list(event["payload"]["kinds"]) == ["fastq"]
    assert event["payload"]["kinds"]["fastq"]["people"]


@pytest.fixture
def small(cleaning: Cleaning) -> Iterator[Path]:
    """The file system that runs, FASTQs and their bin are on; archives and manifests are not."""
    if os.getuid() != 0:
        pytest.skip("only root can mount a small tmpfs")
    folder = cleaning.home / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    for name in ("runs", "fastq", "bin"):
        shutil.copytree(cleaning.home / name, folder / name, symlinks=True)
        shutil.rmtree(cleaning.home / name)
        (cleaning.home / name).symlink_to(folder / name)
    cleaning.settings |= {"run_roots": [str(folder / "runs")], "fastq_root": str(folder / "fastq")}
    cleaning.clean["bins"] = [str(folder / "bin")]
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def _fill(folder: Path) -> None:
    with contextlib.suppress(OSError), open(folder / "filler", "ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_bin_on_a_full_disk_is_emptied(
    cleaning: Cleaning, small: Path, serve: Callable[..., Any], until: Callable[..., Any]
) -> None:
    served = Served(cleaning, serve).listed(until)
    _fill(small)
    refused = served.ask().json()["error"]
    assert refused["code"] == "disk.full" and str(small / "bin" / NAME) in refused["message"]
    assert "a few KB are needed there: empty the bin" in refused["hint"]
    assert served.events("clean_said") == [] and cleaning.names_in_bin() == [NAME]
    (small / "filler").unlink()
    served.ask("ada")
    assert served.ended(served.ask("bob"), until)["state"] == "done"
    cleaning.age_entries(6)
    _fill(small)
    served.ask("ada", "empty")
    job = served.ended(served.ask("bob", "empty"), until)
    assert sorted(job["result"]["kinds"]) == ["fastq", "raw"], job
    assert cleaning.names_in_bin() == [NAME, "fastq.emptied.json", "raw.emptied.json"]


def test_a_bin_on_a_full_disk_is_not_emptied_for_an_older_store(
    cleaning: Cleaning, small: Path, serve: Callable[..., Any], until: Callable[..., Any]
) -> None:
    served = Served(cleaning, serve).listed(until)
    work(cleaning.task())
    cleaning.age_entries(6)
    mark = small / "bin" / NAME
    told = json.loads(mark.read_text())
    epoch, _, number = told["archive"]["cursor"].rpartition("-")
    told["archive"]["cursor"] = f"{epoch}-{int(number) + 90}"
    mark.write_text(json.dumps(told))
    _fill(small)
    assert served.ask("ada", "empty").json()["error"]["code"] == "clean.bin"
    assert cleaning.names_in_bin() == [NAME, "fastq", "raw"]


def test_a_move_for_which_there_is_no_room_is_told(cleaning: Cleaning, small: Path) -> None:
    _fill(small)
    with pytest.raises(CleanError, match="is not moved: No space left") as raised:
        work(cleaning.task())
    assert raised.value.code == "disk.full" and cleaning.site.fastq.is_dir()
    (small / "filler").unlink()
    assert sorted(work(cleaning.task())["kinds"]) == ["fastq", "raw"]


def test_where_it_only_observes_it_only_lists(
    cleaning: Cleaning, serve: Callable[..., Any], until: Callable[..., Any]
) -> None:
    served = Served(cleaning, serve, mode="observe").listed(until)
    job = served.ended(served.ask(), until)
    assert [kind["may_go"] for kind in job["result"]["would"]["kinds"]] == [True, True]
    assert served.events("clean_said") == [] and cleaning.names_in_bin() == [NAME]


@pytest.mark.parametrize("bins", ["as they were", "a new one first"])
def test_a_store_from_a_backup_is_found_out(
    cleaning: Cleaning, serve: Callable[..., Any], until: Callable[..., Any], bins: str
) -> None:
    """Also one that has gone on since: the event that was marked is another one then."""
    served = Served(cleaning, serve).listed(until)
    store = served.service.jobs.parent / "jobs.sqlite"
    served.service.kill()
    backup = {path.name: path.read_bytes() for path in store.parent.glob("jobs.sqlite*")}
    served.service.start()
    served.ended(served.ask(verb="list"), until)
    marked = json.loads((cleaning.bin / NAME).read_text())["archive"]["cursor"]
    served.service.kill()
    for path in store.parent.glob("jobs.sqlite*"):
        path.unlink()
    for name, data in backup.items():
        (store.parent / name).write_bytes(data)
    if bins == "a new one first":
        (cleaning.home / "new").mkdir()
        cleaning.clean["bins"].insert(0, str(cleaning.home / "new"))
    served.service.start()
    served.listed(until)
    found = served.ask().json()["error"]
    assert found["code"] == "clean.store_older" and marked in found["message"]


class _Runs(BaseHTTPRequestHandler):
    """As much of the service of runs as the command asks of it."""

    documents: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        body = json.dumps(self.documents[self.path.partition("?")[0].rpartition("/")[2]]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def runs() -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of a service of runs, and what it says."""
    server = HTTPServer(("127.0.0.1", 0), _Runs)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    _Runs.documents = {}
    yield f"http://127.0.0.1:{server.server_port}", _Runs.documents
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_command(
    cleaning: Cleaning,
    serve: Callable[..., Any],
    until: Callable[..., Any],
    runs: tuple[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served = Served(cleaning, serve).listed(until)
    url, documents = runs
    run = {"state": "done", "held": None, "observed": False, "attempt": 1}
    documents |= {"runs": {"next": "e1-100"}, cleaning.run: run, OTHER: run}
    monkeypatch.setenv("ARTERIOLE_ARCHIVE_URL", served.service.url.removesuffix("/api/1.0"))
    monkeypatch.setenv("ARTERIOLE_URL", url)
    monkeypatch.setattr("arteriole.commands.clean.POLL", 0.05)

    def clean(who: str, *words: str) -> tuple[int, str]:
        monkeypatch.setenv("ARTERIOLE_TOKEN", served.tokens[who])
        done = CliRunner().invoke(main, ["clean", cleaning.run, *words])
        return done.exit_code, done.output

    raw, fastq = cleaning.site.runfolder, cleaning.site.fastq
    code, text = clean("ada")
    assert code == 0 and f"raw: {raw} may go: 4 files" in text
    assert f"fastq: {fastq} may go: 5 files" in text
    assert f"results: {cleaning.centre.results} stays: it is 0.0 days old" in text, text
    documents[cleaning.run] = {**run, "held": {"reason": "x"}}
    code, text = clean("ada", "--kind", "raw")
    assert code == 0 and "stays: the run is held [clean.held]" in text
    assert "raw: " in text and "could go, if that were not" in text and "fastq: " not in text
    code, text = clean("ada", "--delete")
    assert code == 1 and "[clean.held]" in text
    documents[cleaning.run] = run
    code, text = clean("ada", "--delete", "--reason", "old")
    assert code == 0 and "the word of a second person is missing" in text and raw.exists()
    code, text = clean("bob", "--delete", "--reason", "old")
    assert code == 0 and f"raw: moved into {cleaning.entry('raw')}; archived in tape, vault" in text
    assert not raw.exists()
    code, text = clean("ada")
    assert code == 0 and f"raw: {raw} is in the bin {cleaning.entry('raw')}, since 2" in text
    code, text = clean("ada", "--delete")
    assert code == 0 and f"raw: nothing to do, it is in the bin {cleaning.entry('raw')}" in text
    cleaning.age_entries(6)
    assert clean("ada", "--empty")[0] == 0
    code, text = clean("bob", "--empty")
    assert code == 0 and "raw: removed from" in text
    assert not cleaning.entry("raw").exists()
    code, text = clean("ada")
    assert code == 0 and f"raw: {raw} was removed on 2" in text
    assert clean("ada", "--delete")[0] == 0
    assert len(served.events("cleaned")) == 1
