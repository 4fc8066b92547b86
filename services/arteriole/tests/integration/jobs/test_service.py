"""A service of jobs over HTTP: keys, refusals, ends, stops and events."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from arteriole.app.auth import Role, Tokens


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for run in ("r1", "r2"):
        (tmp_path / "root" / run).mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def trial(root: Path, serve: Callable[..., Any]) -> Any:
    return serve("trial", {"root": str(root)})


def test_a_job_from_start_to_end(trial: Any, root: Path) -> None:
    job = trial.submit("r1", "r1.trial.1.1", attempt=1)
    assert (job["state"], job["run"], job["stage"], job["attempt"]) == ("pending", "r1", "trial", 1)
    assert (job["service"], job["link"]) == ("trial", f"{trial.url}/status/{job['job_id']}")
    (root / "r1" / "gate").touch()
    job = trial.ended(job["job_id"])
    assert (job["state"], job["exit_code"], job["result"]) == ("done", 0, {"answer": 42})
    assert job["progress"] == {"done": 2, "total": 2, "unit": "steps"}
    assert trial.call("GET", "versions").json()["trial"] == "1"
    assert [j["job_id"] for j in trial.call("GET", "status?run=r1").json()["jobs"]] == [1]
    assert [e["what"] for e in trial.events()] == ["job_created", "job_started", "job_finished"]
    assert trial.events()[-1]["payload"] == {
        "service": "trial",
        "job_id": 1,
        "state": "done",
        "code": "",
    }


def test_a_log_is_told_from_where_it_was_left(trial: Any, root: Path) -> None:
    (root / "r1" / "gate").touch()
    trial.ended(trial.submit("r1", "k", attempt=1)["job_id"])
    log = trial.jobs / "1" / "log"
    log.write_bytes("ä\nb\nc".encode())
    for query, text, end in (
        ("", "ä\nb\nc", "6"),
        ("?offset=0", "ä\nb\n", "5"),  # whole lines
        ("?offset=3&job_id=1", "b\n", "5"),
        ("?offset=5", "c", "6"),  # and what is no line so far
        ("?offset=6", "", "6"),
        ("?offset=70", "", "70"),
        ("?offset=70645247452381", "", "70645247452381"),  # no file of ext4 may be so long
    ):
        answer = trial.call("GET", f"logs/r1{query}")
        answer.encoding = "utf-8"
        assert (answer.text, answer.headers["X-Log-Offset"]) == (text, end), query
    for query, status in (("job_id=2", 404), ("job_id=x", 400), ("offset=-1", 400)):
        assert trial.call("GET", f"logs/r1?{query}").status_code == status
    assert trial.call("GET", "logs/r2?job_id=1").status_code == 404


def test_a_key_is_one_job_even_if_the_run_is_gone(trial: Any, root: Path) -> None:
    first = trial.submit("r1", "k", attempt=1)
    (root / "r1" / "gate").touch()
    trial.ended(first["job_id"])
    (root / "r1").rename(root / "moved")
    assert trial.submit("r1", "k", attempt=1)["state"] == "done"
    other = trial.call("POST", "start/r1", json={"attempt": 2}, headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "job.key_reused")
    assert len((root / "moved" / "begun").read_text().splitlines()) == 1


def test_a_job_starts_when_it_fits_beside_the_others_over_a_kill_too(
    root: Path, serve: Callable[..., Any], until: Callable[..., Any]
) -> None:
    jobs = {"cores": 4, "memory_gb": 8}
    trial = serve("trial", {"root": str(root)}, parallel=4, jobs=jobs)
    large = trial.submit("r1", "large", needs={"cores": 3, "memory_gb": 6})["job_id"]
    until((root / "r1" / "begun").exists)
    second = trial.submit("r2", "second", needs={"cores": 2, "memory_gb": 1})["job_id"]
    waits = "2 cores and 1 GB; free are 1 core and 2 GB of 4 cores and 8 GB"
    until(lambda: trial.status(second)["waits_for"] == waits)
    assert trial.status(large)["waits_for"] is None
    body = {"needs": {"cores": 1, "memory_gb": 9}}
    refused = trial.call("POST", "start/r1", json=body, headers={"Idempotency-Key": "never"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "job.too_large")
    trial.kill()
    trial.start()
    until(lambda: trial.status(second)["waits_for"] == waits)
    (root / "r1" / "gate").touch()
    assert trial.ended(large)["state"] == "done"
    until((root / "r2" / "begun").exists)
    (root / "r2" / "gate").touch()
    assert trial.ended(second)["waits_for"] is None


@pytest.mark.parametrize(
    ("do", "code", "message", "hint"),
    [
        ("fail", "trial.full", "the disk is full", "make room"),
        ("raise", "job.failed", "ValueError: unexpected", "the job's log has the details"),
        ("full", "disk.full", "No space left on device", "make room there, then retry"),
        ("die", "job.died", "the worker ended with signal 9", "last words"),
    ],
)
def test_failures(trial: Any, do: str, code: str, message: str, hint: str) -> None:
    job = trial.ended(trial.submit("r1", "k", do=do)["job_id"])
    assert (job["state"], job["code"]) == ("error", code)
    assert message in job["message"] and hint in job["hint"]
    again = trial.call("POST", "start/r1", json={"do": do}, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "job.ended")
    assert "redo r1 --from trial" in again.json()["error"]["hint"]
    assert [e["payload"]["code"] for e in trial.events("job_finished")] == [code]
    assert trial.call("GET", "logs/r1").status_code == 200


REFUSED = [
    ("start/r1", b"{", 400, "request.json"),
    ("start/r1", b"\xff", 400, "request.json"),
    ("start/r1", b"[" * 100_000, 400, "request.json"),
    ("start/r1", b"[]", 400, "request.invalid"),
    ("start/r1", b'{"attempt": 0}', 400, "request.invalid"),
    ("start/r1", b'{"attempt": "x"}', 400, "request.invalid"),
    ("start/r1", b'{"attempt": 1e999}', 400, "request.invalid"),
    ("start/r1", b'{"colour": 1}', 400, "request.invalid"),
    ("start/r1", b'{"stage": "<% x %>"}', 400, "name.characters"),
    ("start/r1", b'{"stage": "\\ud800"}', 400, "request.json"),
    ("start/%3C%25x%25%3E", b"{}", 400, "name.characters"),
    ("start/..%2F..", b"{}", 400, "name.characters"),
    ("start/r9", b"{}", 400, "run.not_found"),
    ("stop/7", b"", 404, "job.not_found"),
    ("stop/x", b"", 404, "job.not_found"),
    ("nothing", b"", 404, "request.invalid"),
    ("status", b"", 405, "request.invalid"),
]


def test_malformed_requests(trial: Any) -> None:
    """One service for the whole table: it lives through all of them."""
    for path, body, status, code in REFUSED:
        answer = trial.call("POST", path, data=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), (path, body)
    for path, status in (
        ("status/99999999999999999999", 404),
        ("status?state=odd", 400),
        ("status?limit=0", 400),
        ("status?attempt=99999999999999999999", 400),
        ("status?colour=1", 400),
        ("logs/r1", 404),
    ):
        assert trial.call("GET", path).status_code == status, path
    key = trial.call("POST", "start/r1", json={}, headers={"Idempotency-Key": "a b"})
    assert key.json()["error"]["field"] == "Idempotency-Key"
    assert trial.call("GET", "status").json() == {"jobs": []}


def test_roles(root: Path, tmp_path: Path, serve: Callable[..., Any]) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    reader = tokens.create("reader", Role.READER)
    operator = tokens.create("operator", Role.OPERATOR)
    trial = serve("trial", {"root": str(root)}, tokens=tokens.path)
    (root / "r1" / "gate").touch()
    for header, reads, starts in (
        (None, 401, 401),
        ("Bearer wrong", 401, 401),
        (f"Basic {operator}", 401, 401),
        (f"Bearer {reader}", 200, 403),
        (f"Bearer {operator}", 200, 202),
    ):
        headers = {} if header is None else {"Authorization": header}
        assert trial.call("GET", "status", headers=headers).status_code == reads, header
        assert trial.call("GET", "events", headers=headers).status_code == reads, header
        start = trial.call("POST", "start/r1", json={}, headers=headers)
        assert start.status_code == starts, header
    headers = {"Authorization": f"Bearer {operator}"}
    assert trial.call("GET", "events?wait=5", headers=headers).json()["events"][0]["who"] == (
        "operator"
    )
    tokens.revoke("operator")
    assert trial.call("GET", "status", headers=headers).status_code == 401


def test_stop_and_wait_for_a_turn(trial: Any, root: Path, until: Callable[..., Any]) -> None:
    running, waiting = trial.submit("r1", "a", do="tool"), trial.submit("r2", "b")
    until(lambda: (root / "r1" / "begun").exists())
    assert trial.status(waiting["job_id"])["state"] == "pending"
    assert not (root / "r2" / "begun").exists()
    trial.call("POST", f"stop/{waiting['job_id']}")
    assert trial.status(waiting["job_id"])["state"] == "cancelled"
    assert trial.call("POST", "stop/all").json() == {"stopped": [running["job_id"]]}
    job = trial.ended(running["job_id"])
    assert (job["state"], job["code"], job["result"]) == ("cancelled", "job.stopped", {})
    assert not (root / "r2" / "begun").exists()
    assert len(trial.events("job_finished")) == 2


def test_the_feed(trial: Any, root: Path) -> None:
    job = trial.submit("r1", "a")
    page = trial.call("GET", "events?limit=1").json()
    assert [e["what"] for e in page["events"]] == ["job_created"] and not page["reset"]
    (root / "r1" / "gate").touch()
    trial.ended(job["job_id"])
    page = trial.call("GET", f"events?after={page['next']}").json()
    assert [e["what"] for e in page["events"]] == ["job_started", "job_finished"]
    assert trial.call("GET", f"events?after={page['next']}").json()["events"] == []
    epoch = page["next"].rpartition("-")[0]
    for wrong in ("000000000000-1", f"{epoch}-999", f"{epoch}-x", "x", "-"):
        page = trial.call("GET", f"events?after={wrong}").json()
        assert page["reset"] and len(page["events"]) == 3, wrong


def test_the_feed_waits_and_streams(trial: Any, root: Path) -> None:
    cursor = trial.call("GET", "events").json()["next"]
    headers = {"Last-Event-ID": cursor}
    with trial.call("GET", "events/stream", headers=headers, stream=True) as stream:
        trial.submit("r1", "a")
        lines = stream.iter_lines(decode_unicode=True)
        assert next(line for line in lines if line.startswith("event:")) == "event: job_created"
        data = next(line for line in lines if line.startswith("data:"))
        assert json.loads(data.removeprefix("data:"))["run"] == "r1"
        assert next(line for line in lines if line.startswith("event:")) == "event: job_started"
    last = trial.call("GET", "events").json()["next"]
    (root / "r1" / "gate").touch()
    page = trial.call("GET", f"events?after={last}&wait=20").json()
    assert [e["what"] for e in page["events"]] == ["job_finished"]


def test_a_full_disk_below_the_jobs_is_told_and_passes(trial: Any, root: Path, until: Any) -> None:
    (root / "r1" / "gate").touch()
    trial.jobs.mkdir(parents=True, exist_ok=True)
    (trial.jobs / "1").mkdir()
    (trial.jobs / "1" / ".task.json.partial").symlink_to("/dev/full")
    job = trial.submit("r1", "k")
    health = trial.url.replace("/api/1.0", "/health")
    until(lambda: requests.get(health, timeout=60).json()["status"] == "degraded")
    assert "No space left" in requests.get(health, timeout=60).json()["trouble"]
    assert trial.status(job["job_id"])["state"] == "pending"
    (trial.jobs / "1" / ".task.json.partial").unlink()
    assert trial.ended(job["job_id"])["state"] == "done"
    until(lambda: requests.get(health, timeout=60).json()["status"] == "ok")
