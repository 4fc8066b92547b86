"""Jobs that only observe: what they say, and that nothing outside the state folder changes."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

KINDS = ("checksum", "transfer", "archive")


class Watched:
    """A site whose FASTQs were never made, and a look at everything outside `state`."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.roots = [site.home / name for name in ("runs", "fastq", "manifests", "far", "vault")]
        shutil.rmtree(site.fastq.parent)
        for root in self.roots:
            root.mkdir(exist_ok=True)

    def settings(self, kind: str) -> dict[str, Any]:
        wanted = dict(self.site.roots)
        if kind == "transfer":
            if shutil.which("rsync") is None:
                pytest.skip("rsync is not installed")
            wanted["destinations"] = {"there": {"path": str(self.site.home / "far")}}
        if kind == "archive":
            wanted["destinations"] = {"there": {"directory": str(self.site.home / "vault")}}
        return wanted

    def tree(self) -> dict[str, tuple[int, ...]]:
        """Kind and mode, size and mtime of every folder and file."""
        found = {}
        for root in self.roots:
            for path in (root, *root.rglob("*")):
                status = os.lstat(path)
                found[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns)
        return found


@pytest.fixture
def watched(site: Any) -> Watched:
    return Watched(site)


def body(kind: str, destination: str = "there") -> dict[str, Any]:
    return {"attempt": 1} | ({} if kind == "checksum" else {"destination": destination})


def expected(kind: str, site: Any) -> dict[str, Any]:
    run = site.runfolder.name
    held = {
        "files": len(site.runfolder_files),
        "bytes": sum(map(len, site.runfolder_files.values())),
    }
    return {
        "checksum": {**held, "to": str(site.manifests)},
        "transfer": {
            "part": "fastq",
            "destination": "there",
            "to": f"{site.home}/far/{run}/attempt-1",
        },
        "archive": {
            "destination": "there",
            "to": f"{site.home}/vault/{run}/attempt-1",
            **held,
        },
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("mode", "asked"), [("observe", {}), ("act", {"observe": True})])
def test_what_would_be_done(
    watched: Watched, serve: Callable[..., Any], kind: str, mode: str, asked: dict[str, Any]
) -> None:
    before = watched.tree()
    service = serve(kind, watched.settings(kind), mode=mode)
    job = service.ended(service.submit(**body(kind), **asked)["job_id"])
    assert (job["state"], job["observed"]) == ("done", True), job
    assert job["result"] == {"would": expected(kind, watched.site)}
    assert watched.tree() == before


@pytest.mark.parametrize("kind", ["transfer", "archive"])
def test_an_unknown_destination_is_refused_as_ever(
    watched: Watched, serve: Callable[..., Any], kind: str
) -> None:
    service = serve(kind, watched.settings(kind), mode="observe")
    answer = service.call(
        "POST", f"start/{watched.site.runfolder.name}", json=body(kind, "nowhere")
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "destination.unknown")


@pytest.mark.parametrize(
    ("kind", "spoil", "code"),
    [
        ("checksum", lambda w: (w.site.runfolder / "a\\b").touch(), "checksum.name"),
        ("archive", lambda w: (w.site.home / "vault").rmdir(), "archive.no_folder"),
        ("transfer", lambda w: (w.site.home / "far").rmdir(), "transfer.no_folder"),
    ],
)
def test_what_would_fail_fails(
    watched: Watched,
    serve: Callable[..., Any],
    kind: str,
    spoil: Callable[[Watched], Any],
    code: str,
) -> None:
    spoil(watched)
    service = serve(kind, watched.settings(kind), mode="observe")
    job = service.ended(service.submit(**body(kind))["job_id"])
    assert (job["state"], job["code"], job["result"]) == ("error", code, {})


def test_an_archive_without_room_for_the_run_folder(
    watched: Watched, serve: Callable[..., Any]
) -> None:
    """A sparse file is larger than any disk here."""
    with open(watched.site.runfolder / "large", "wb") as file:
        file.truncate(2**43)
    service = serve("archive", watched.settings("archive"), mode="observe")
    assert service.ended(service.submit(**body("archive"))["job_id"])["code"] == "archive.disk_full"


def test_a_missing_tool(watched: Watched, serve: Callable[..., Any]) -> None:
    settings = watched.settings("transfer") | {"rsync": "/no/such/rsync"}
    service = serve("transfer", settings, mode="observe")
    job = service.ended(service.submit(**body("transfer"))["job_id"])
    assert (job["code"], "install rsync" in job["hint"]) == ("tool.missing", True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "r1").mkdir(parents=True)
    return tmp_path / "root"


def test_a_service_that_acts_is_restarted_to_observe(
    root: Path, serve: Callable[..., Any], until: Callable[..., Any]
) -> None:
    """What had begun goes on to its end; what waited is not begun; what comes observes."""
    trial = serve("trial", {"root": str(root)})
    running, waiting = trial.submit("r1", "a"), trial.submit("r1", "b")
    until(lambda: (root / "r1" / "begun").exists())
    trial.kill()
    trial.start(mode="observe")
    ended = trial.ended(waiting["job_id"])
    assert (ended["state"], ended["code"]) == ("error", "job.observe_mode")
    assert "only observes now" in ended["message"] and "mode: act" in ended["hint"]
    (root / "r1" / "gate").touch()
    ended = trial.ended(running["job_id"])
    assert (ended["state"], ended["observed"], ended["result"]) == ("done", False, {"answer": 42})
    assert len((root / "r1" / "begun").read_text().splitlines()) == 1
    job = trial.ended(trial.submit("r1", "c")["job_id"])
    assert (job["observed"], job["result"]) == (True, {"would": {"do": "wait"}})


def test_an_observed_job_stays_one(root: Path, serve: Callable[..., Any]) -> None:
    trial = serve("trial", {"root": str(root)}, mode="observe")
    job = trial.ended(trial.submit("r1", "k")["job_id"])
    failed = trial.ended(trial.submit("r1", "f", do="fail")["job_id"])
    assert (failed["state"], failed["code"], failed["observed"]) == ("error", "trial.full", True)
    trial.kill()
    trial.start(mode="act")
    assert trial.submit("r1", "k")["job_id"] == job["job_id"]
    assert trial.status(job["job_id"])["observed"] is True
    other = trial.call("POST", "start/r1", json={"observe": True}, headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "job.key_reused")
    assert not (root / "r1" / "begun").exists()
