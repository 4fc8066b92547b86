"""Every transfer and archive asks the policy: when the job is made, and before bytes move."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from arteriole.app.store import Store
from arteriole.archive.kind import ArchiveKind, ArchiveRequest
from arteriole.archive.landmark import MARK
from arteriole.archive.settings import ArchiveSettings
from arteriole.archive.work import observe as observe_archive
from arteriole.archive.work import work as archive
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.settings import ChecksumSettings
from arteriole.checksum.work import work as checksum
from arteriole.cli import main
from arteriole.jobs.jobs import Job
from arteriole.jobs.queue import JobQueue
from arteriole.jobs.service import StartRequest
from arteriole.policy.errors import PolicyError
from arteriole.policy.gate import Gate
from arteriole.transfer.kind import TransferKind, TransferRequest
from arteriole.transfer.settings import TransferSettings
from arteriole.transfer.work import work as transfer

#: A name that must not leave the house.
PROJECT = "CLIN_Secret"
LABELS = {
    "archive": {"vault": {"country": "AU", "premises": True, "form": "encrypted"}},
    "transfer": {"hpc": {"country": "AU", "premises": True, "form": "clear"}},
}
ALLOWS: dict[str, Any] = {"rule": "clinical", "project": "CLIN_.*", "keep_days": 9, "copies": 2}


class Place:
    """A site with a policy, an archive and a mounted cluster."""

    def __init__(self, site: Any) -> None:
        self.site, self.run = site, site.runfolder.name
        self.vault, self.far = site.home / "vault", site.home / "far"
        self.vault.mkdir()
        self.far.mkdir()
        self.path = site.home / "policy.yaml"
        record = site.fastq / "attempt.json"
        found = json.loads(record.read_text())
        record.write_text(json.dumps({**found, "projects": {"S1": [PROJECT]}}))
        self.archive_settings = {
            **site.roots,
            "results_root": str(site.home / "results"),
            "destinations": {"vault": {"directory": str(self.vault)}},
        }
        self.transfer_settings = {**site.roots, "destinations": {"hpc": {"path": str(self.far)}}}
        kind = ChecksumKind(ChecksumSettings.model_validate(site.roots))
        checksum(site.task(kind.parameters(self.run, StartRequest())))
        self.rule()

    def rule(self, **more: Any) -> None:
        """Let the policy have one rule."""
        rules = [{**ALLOWS, **more}]
        self.path.write_text(yaml.safe_dump({"destinations": LABELS, "rules": rules}))

    def gate(self, service: str) -> Gate:
        return Gate(self.path, service, (self.site.home / "runs",))

    def archive_parameters(self, **asked: Any) -> dict[str, Any]:
        settings = ArchiveSettings.model_validate(self.archive_settings)
        kind = ArchiveKind(settings, self.gate("archive"))
        return kind.parameters(self.run, ArchiveRequest(destination="vault", **asked))

    def transfer_parameters(self, **asked: Any) -> dict[str, Any]:
        settings = TransferSettings.model_validate(self.transfer_settings)
        kind = TransferKind(settings, self.gate("transfer"))
        return kind.parameters(self.run, TransferRequest(destination="hpc", **asked))

    def waiting(self, service: str, given: dict[str, Any], *, begun: bool = False) -> Job:
        """A job of `service` with these parameters; with `begun` its process died."""
        folder = self.site.home / "state" / service
        folder.mkdir(parents=True)
        store = Store(folder / "jobs.sqlite", "arteriole.jobs.sql")
        queue = JobQueue(store, service)
        job = queue.submit(
            "k", {}, run=self.run, stage=service, attempt=1, parameters=given, who="packs"
        )
        if begun:
            queue.started(job)
        store.close()
        return job

    def moved(self) -> list[Path]:
        archived = [path for path in self.vault.iterdir() if path.name != MARK]
        return [*archived, *self.far.iterdir()]


@pytest.fixture
def place(site: Any) -> Place:
    return Place(site)


def _refused(words: str, code: str = "policy.refused") -> Any:
    return pytest.raises(PolicyError, match=words, check=lambda err: err.code == code)


def test_what_is_allowed_goes(place: Place) -> None:
    assert not archive(place.site.task(place.archive_parameters()))["already"]
    assert not transfer(place.site.task(place.transfer_parameters()))["already"]
    assert len(place.moved()) == 3


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"form": "encrypted"}, r"clinical \(policy\.yaml:\d+\) asks for fastq data to be encr"),
        ({"countries": ["NZ"]}, "keeps fastq data in NZ, and transfer.hpc is in AU"),
        ({"project": "P1"}, "no rule of policy.yaml fits fastq data"),
        ({"form": "never"}, "lets fastq data go nowhere"),
    ],
)
def test_a_transfer_is_refused(place: Place, rule: dict[str, Any], words: str) -> None:
    before = place.transfer_parameters()
    place.rule(**rule)
    with _refused(words) as raised:
        place.transfer_parameters()
    assert PROJECT not in str(raised.value) + raised.value.hint
    with _refused(words):  # the job was made before the policy was changed
        transfer(place.site.task(before))
    assert place.moved() == []


def test_a_run_folder_is_raw_data(place: Place) -> None:
    """Of the projects of its attempt."""
    place.rule(kinds=["fastq"])
    place.transfer_parameters()
    with _refused("no rule of policy.yaml fits raw data"):
        place.transfer_parameters(part="runfolder")
    place.rule(kinds=["raw"])
    before = place.transfer_parameters(part="runfolder")
    place.rule(kinds=["fastq"])
    with _refused("fits raw data"):
        transfer(place.site.task(before))
    assert place.moved() == []
    place.rule(kinds=["raw"])
    (place.site.fastq / "attempt.json").unlink()
    with _refused("is neither there nor in the run folder", "policy.projects"):
        transfer(place.site.task(before))


@pytest.mark.parametrize("kinds", [["raw"], ["fastq"]])
def test_an_archive_is_of_both_parts(place: Place, kinds: list[str]) -> None:
    before = place.archive_parameters()
    others = [kind for kind in ("raw", "fastq", "results") if kind not in kinds]
    rules = [{**ALLOWS, "kinds": others}, {"rule": "no", "kinds": kinds, "form": "never"}]
    place.path.write_text(yaml.safe_dump({"destinations": LABELS, "rules": rules}))
    with _refused(f"lets {kinds[0]} data go nowhere"):
        place.archive_parameters()
    with _refused("nowhere"):
        archive(place.site.task(before))
    assert place.moved() == []


def test_results_are_a_kind_of_their_own(place: Place) -> None:
    (place.site.home / "results" / place.run / "attempt-1").mkdir(parents=True)
    place.rule(kinds=["results"])
    assert "policy" in place.archive_parameters(part="results")
    with _refused("no rule"):
        place.archive_parameters()


def _results_of_two_runs(place: Place, projects: list[str]) -> Path:
    """The folder of the other run's attempt, which is of these projects."""
    other = place.site.fastq.parents[1] / "200701_A00834_0190_BHOTHERXX" / "attempt-1"
    other.mkdir(parents=True)
    (other / "attempt.json").write_text(json.dumps({"projects": {"S1": projects}}))
    unit = place.site.home / "results" / place.run / "attempt-1" / "bcbio.G1"
    unit.mkdir(parents=True)
    reads = [{"path": f"{run}/attempt-1/a.fastq.gz"} for run in (place.run, other.parent.name)]
    record = {"samples": [{"sample": "S1", "reads": {"R1": reads}}]}
    (unit / "analysis.json").write_text(json.dumps(record))
    return other


def test_results_are_of_every_run_whose_reads_are_in_them(place: Place) -> None:
    other = _results_of_two_runs(place, [PROJECT])
    before = place.archive_parameters(part="results")
    record = other / "attempt.json"
    record.write_text(json.dumps({"projects": {"S1": ["HIDDEN"]}}))
    place.archive_parameters()
    with _refused("no rule of policy.yaml fits results data") as raised:
        place.archive_parameters(part="results")
    assert "HIDDEN" not in str(raised.value)
    with _refused("no rule"):
        archive(place.site.task(before))
    kept = place.site.manifests.parents[1] / other.parent.name / "attempt-1"
    kept.mkdir(parents=True)
    record.rename(kept / "attempt.json")  # as clean leaves it
    with _refused("no rule"):
        place.archive_parameters(part="results")
    (kept / "attempt.json").write_text(json.dumps({"projects": {"S1": [PROJECT]}}))
    assert place.archive_parameters(part="results") == before
    (kept / "attempt.json").unlink()
    with _refused(str(other), "policy.projects"):
        place.archive_parameters(part="results")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"samples": [{"reads": {"R1": [{"path": "../../etc/passwd"}]}}]}']
)
def test_results_of_which_nobody_knows_whose_they_are_stay(place: Place, text: str) -> None:
    _results_of_two_runs(place, [PROJECT])
    (path,) = place.site.home.glob("results/*/*/*/analysis.json")
    path.write_text(text)
    with _refused("whose reads are in it cannot be known", "policy.projects"):
        place.archive_parameters(part="results")
    path.parent.rename(path.parent.with_name(".bcbio.G1.partial"))  # it is made anew
    place.archive_parameters(part="results")


def test_a_policy_that_cannot_be_used_lets_nothing_go(place: Place) -> None:
    before = place.archive_parameters()
    place.path.write_text("rules: []\n")
    with _refused(r"policy\.yaml:1: rules: expected a list of at least 1", "policy.unusable"):
        place.archive_parameters()
    with _refused("so nothing is sent", "policy.unusable"):
        archive(place.site.task(before))


def test_observing_is_refused_as_acting_would_be(place: Place) -> None:
    before = place.archive_parameters(observe=True)
    assert observe_archive(place.site.task(before, observe=True))["destination"] == "vault"
    place.rule(form="never")
    with _refused("nowhere"):
        observe_archive(place.site.task(before, observe=True))
    with _refused("nowhere"):
        place.archive_parameters(observe=True)


def _configuration(place: Place, tmp_path: Path) -> Path:
    path = tmp_path / "arteriole.yaml"
    document = {
        "state_dir": str(tmp_path / "state"),
        "mode": "act",
        "auth": "none",
        "policy": str(place.path),
        "archive": {**place.archive_settings, "port": 0},
        "transfer": {**place.transfer_settings, "port": 0},
    }
    path.write_text(yaml.safe_dump(document))
    return path


def test_over_http_the_refusal_names_the_rule_and_no_project(
    place: Place, serve: Callable[..., Any]
) -> None:
    place.rule(form="never")
    service = serve("archive", place.archive_settings, policy=place.path)
    body = {"destination": "vault"}
    answer = service.call("POST", f"start/{place.run}", json=body)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "policy.refused"
    assert "clinical (policy.yaml:" in answer.json()["error"]["message"]
    told = service.call("GET", f"policy/{place.run}/1")
    (raw, _, _) = told.json()["kinds"]
    assert (raw["keep_days"], raw["copies"], raw["rules"]) == (9, 2, ["clinical"])
    assert [d["destination"] for d in raw["destinations"]] == ["archive.vault", "transfer.hpc"]
    place.rule()
    job = service.submit(destination="vault")
    assert service.ended(job["job_id"])["state"] == "done"
    place.rule(form="never")
    spoken = answer.text + told.text + service.call("GET", "events").text
    assert PROJECT not in spoken
    assert service.call("GET", f"policy/{place.run}/no").status_code == 404


@pytest.mark.parametrize(
    ("service", "part", "before"),
    [("archive", "data", False), ("archive", "results", True), ("transfer", "data", False)],
)
def test_a_policy_that_is_configured_later_holds_for_jobs_that_wait(
    place: Place, serve: Callable[..., Any], service: str, part: str, before: bool
) -> None:
    """The jobs were made when there was none, or one elsewhere that let everything go."""
    (place.site.home / "results" / place.run / "attempt-1").mkdir(parents=True)
    other = place.path.rename(place.path.with_name("other.yaml"))
    roots = (place.site.home / "runs",)
    gate = Gate(other, service, roots) if before else None
    if service == "archive":
        settings = place.archive_settings
        asked = ArchiveRequest(destination="vault", part=part)  # type: ignore[arg-type]
        given = ArchiveKind(ArchiveSettings.model_validate(settings), gate).parameters(
            place.run, asked
        )
    else:
        settings = place.transfer_settings
        kind = TransferKind(TransferSettings.model_validate(settings), gate)
        given = kind.parameters(place.run, TransferRequest(destination="hpc"))
    assert ("policy" in given) is before
    job = place.waiting(service, given)
    place.rule(form="never")
    ended = serve(service, settings, policy=place.path).ended(job.job_id)
    assert (ended["state"], ended["code"]) == ("error", "policy.refused")
    assert place.moved() == []


SSH = {"host": "hpc", "user": "seq", "identity_file": "/keys/id", "known_hosts": "/keys/known"}
BUCKET = {"bucket": "here", "region": "us-east-1"}
CRYPT4GH = {"recipients": ["/keys/site.pub"]}


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ({"path": "/a"}, {"path": "/b"}, "by its path"),
        ({"path": "/a", **SSH}, {"path": "/a", **SSH, "host": "us"}, "by its host"),
        ({"path": "/a", **SSH}, {"path": "/a"}, "by its host, user, identity_file, known_hosts"),
        ({"path": "/a"}, {"path": "/a", "directory_mode": "2750"}, "by its directory_mode"),
        ({"path": "/a"}, {"path": "/a", "excludes": {"fastq": ["*"]}}, "by its excludes"),
        ({"path": "/a", "gone": 1}, {"path": "/a"}, "is another one now;"),
        ({"path": "/a"}, None, "no destination hpc any more"),
        ({"path": "/a"}, {"path": "/a", "streams": 9, "digesters": 2, "bandwidth": 7}, None),
    ],
)
def test_a_transfer_that_waits_for_another_place(
    place: Place, before: dict[str, Any], now: dict[str, Any] | None, words: str | None
) -> None:
    given = {**place.transfer_parameters(), "destination": before}
    settings = {**place.transfer_settings, "destinations": {} if now is None else {"hpc": now}}
    kind = TransferKind(TransferSettings.model_validate(settings), place.gate("transfer"))
    _starts_or_is_refused(kind, place.waiting("transfer", given), words)


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ({"directory": "/a"}, {"directory": "/b"}, "by its directory"),
        ({"directory": "/a"}, {"s3": BUCKET}, "is another one now;"),
        ({"s3": BUCKET}, {"directory": "/a"}, "by its directory"),
        ({"s3": BUCKET}, {"s3": {**BUCKET, "region": "ap-southeast-2"}}, "by its region"),
        ({"s3": BUCKET}, {"s3": {**BUCKET, "prefix": "x"}}, "by its prefix"),
        ({"s3": BUCKET}, {"s3": {**BUCKET, "endpoint_url": "https://o"}}, "by its endpoint_url"),
        ({"s3": BUCKET}, {"s3": {**BUCKET, "crypt4gh": CRYPT4GH}}, "by its crypt4gh"),
        ({"s3": BUCKET}, {"s3": {**BUCKET, "encryption": {"type": "sse-s3"}}}, "its encryption"),
        ({"s3": BUCKET}, {"s3": {**BUCKET, "object_lock": {"days": 9}}}, "by its object_lock"),
        ({"s3": BUCKET}, None, "no destination vault any more"),
        ({"s3": BUCKET}, {"s3": {**BUCKET, "bundle_below": 0, "attempts": 9, "timeout": 1}}, None),
        ({"directory": "/a"}, {"directory": "/a"}, None),
    ],
)
def test_an_archive_that_waits_for_another_place(
    place: Place, before: dict[str, Any], now: dict[str, Any] | None, words: str | None
) -> None:
    given = {**place.archive_parameters(), **before}
    if "s3" in before:
        del given["directory"]
    settings = {**place.archive_settings, "destinations": {} if now is None else {"vault": now}}
    kind = ArchiveKind(ArchiveSettings.model_validate(settings), place.gate("archive"))
    _starts_or_is_refused(kind, place.waiting("archive", given), words)


def _starts_or_is_refused(kind: TransferKind | ArchiveKind, job: Job, words: str | None) -> None:
    if words is None:
        assert kind.at_start(job)["policy"] == job.parameters["policy"]
    else:
        with _refused(words, "destination.changed"):
            kind.at_start(job)


@pytest.mark.parametrize("service", ["archive", "transfer"])
def test_a_job_whose_destination_was_moved_ends(
    place: Place, serve: Callable[..., Any], service: str
) -> None:
    """Also one that had begun, and those behind it go on; what is asked for anew goes there."""
    elsewhere = place.site.home / "elsewhere"
    elsewhere.mkdir()
    if service == "archive":
        given, name, moved = place.archive_parameters(), "vault", {"directory": str(elsewhere)}
    else:
        given, name, moved = place.transfer_parameters(), "hpc", {"path": str(elsewhere)}
    job = place.waiting(service, given, begun=True)
    settings = {**place.site.roots, "destinations": {name: moved}}
    served = serve(service, settings, policy=place.path)
    ended = served.ended(job.job_id)
    assert (ended["state"], ended["code"]) == ("error", "destination.changed")
    assert ended["hint"]
    again = served.submit(destination=name)
    assert served.ended(again["job_id"])["state"] == "done"
    assert place.moved() == [] and list(elsewhere.iterdir())


def test_a_policy_that_was_taken_away_is_not_asked(place: Place, serve: Callable[..., Any]) -> None:
    job = place.waiting("transfer", place.transfer_parameters())
    place.path.unlink()
    ended = serve("transfer", place.transfer_settings).ended(job.job_id)
    assert ended["state"] == "done", ended


def test_the_commands(place: Place, tmp_path: Path) -> None:
    configuration = _configuration(place, tmp_path)

    def arteriole(*words: str) -> Any:
        return CliRunner().invoke(main, ["--config", str(configuration), *words])

    assert arteriole("config", "check").exit_code == 0
    done = arteriole("policy", "explain", place.run)
    assert done.exit_code == 0
    kept = "kept here for 9 days at least; then 2 archived copies have to be there (clinical)"
    allowed = "allowed: the rule clinical (policy.yaml:13) allows it"
    assert done.output.splitlines() == [
        f"{place.run}, attempt 1, by {place.path}:",
        f"raw: {kept}",
        f"  archive.vault: {allowed}",
        f"  transfer.hpc: {allowed}",
        f"fastq: {kept}",
        f"  archive.vault: {allowed}",
        f"  transfer.hpc: {allowed}",
        f"results: {kept}",
        f"  archive.vault: {allowed}",
    ]
    found = json.loads(arteriole("policy", "explain", place.run, "--json").output)
    assert found["attempt"] == 1 and len(found["kinds"]) == 3
    text = place.path.read_text()
    place.path.write_text(text.replace("hpc:", "hcp:"))
    done = arteriole("config", "check")
    assert done.exit_code == 1
    assert "policy.yaml:1: destinations: expected a label for transfer.hpc" in done.output
    assert "expected a label" in arteriole("serve").output
