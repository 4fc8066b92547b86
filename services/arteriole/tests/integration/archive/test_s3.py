"""Archive jobs to a bucket of a real S3 server (OpenStack Swift)."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from arteriole.archive.work import work

from .conftest import BASE, BIG, Centre, Store, tree
from .proxy import Proxy
from .swift import SECRET, Swift


def test_there_and_back_over_http(
    big: Centre, store: Store, serve: Callable[..., Any], way: Proxy
) -> None:
    service = serve("archive", big.settings)
    job = service.ended(service.submit(attempt=1, destination="vault")["job_id"])
    assert job["state"] == "done", (job["message"], way.asked)
    assert job["result"]["path"] == f"s3://{store.bucket}/{BASE}"
    assert job["progress"]["done"] == job["progress"]["total"] == 2 * job["result"]["bytes"]
    body = {"attempt": 1, "destination": "vault"}
    answer = service.call("POST", f"restore/{big.run}", json=body)
    restored = service.ended(answer.json()["job_id"])
    assert (restored["state"], restored["stage"]) == ("done", "restore"), restored
    assert restored["result"]["to"] == str(big.restored / big.run / "attempt-1")
    assert tree(big.restored / big.run / "attempt-1") == big.data
    left = [path.read_bytes() for path in service.jobs.parent.rglob("*") if path.is_file()]
    assert any(b"credentials_file" in data for data in left)
    assert not any(SECRET.encode() in data for data in left)


def test_what_stands_in_the_bucket(s3: Centre, store: Store) -> None:
    """No name but the run's in any key, and an index from which all of it follows."""
    record = s3.archive()
    objects = {key.removeprefix(f"{BASE}/"): data for key, data in store.objects().items()}
    rest = {"README.txt", "index.json", "archive.json"}
    rest |= {f"manifest/{p}.{kind}" for p in ("fastq", "runfolder") for kind in ("md5", "blake3")}
    entries = json.loads(objects["index.json"])["files"]
    assert {key for key in objects if not key.startswith("data/")} == rest
    assert {entry["key"] for entry in entries} == {
        f"{BASE}/{key}" for key in objects if key.startswith("data/")
    }
    data = {entry["name"]: objects[entry["key"].removeprefix(f"{BASE}/")] for entry in entries}
    assert data == {name: d for name, d in s3.data.items() if not name.startswith("manifest/")}
    words = ("S1", "P1", "Undetermined", "fastq.gz", "RunInfo", "bcl")
    assert not [key for key in objects if any(word in key for word in words)]
    told = json.loads(objects["archive.json"])
    assert {**told, "destination": "vault", "path": record["path"], "already": False} == record
    assert (told["storage_class"], told["files"]) == ("STANDARD", len(entries))


def test_the_readme_restores_it(s3: Centre, store: Store, tmp_path: Path) -> None:
    """Its own shell commands, on what a plain S3 client has copied."""
    name = "  odd  name $(id) `id` 'q' -n"
    (s3.site.runfolder / name).write_bytes(b"odd")
    for path in s3.site.manifests.iterdir():
        path.unlink()
    s3.checksum()
    (s3.site.runfolder / "late.txt").write_bytes(b"late")
    s3.checksum()
    s3.archive()
    for key, data in store.objects().items():
        path = tmp_path / "copied" / key.removeprefix(f"{BASE}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    readme = (tmp_path / "copied" / "README.txt").read_text()
    blocks = [block for block in readme.split("\n\n") if block.startswith("for ")]
    assert len(blocks) == 2
    script = "\n".join(blocks)
    subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path / "copied", check=True)
    there = tree(tmp_path / "copied")
    assert {n: d for n, d in there.items() if n.split("/")[0] in ("fastq", "runfolder")} == {
        n: d for n, d in s3.data.items() if not n.startswith("manifest/")
    }
    assert there["runfolder/late.txt"] == b"late" and "manifest/runfolder.addendum-1.md5" in there
    (tmp_path / "copied" / "runfolder" / name).write_bytes(b"0dd")
    again = ["sh", "-eu", "-c", blocks[1]]
    done = subprocess.run(again, cwd=tmp_path / "copied", capture_output=True, check=False)
    assert done.returncode != 0


def test_a_repeat_verifies_and_sends_nothing(s3: Centre, way: Proxy) -> None:
    first = s3.archive()
    way.asked.clear()
    assert s3.archive() == {**first, "already": True}
    assert not way.written() and len(way.asked) > 10


def test_observing_sends_nothing(s3: Centre, way: Proxy, store: Store) -> None:
    would = s3.observe()
    assert would["to"] == f"s3://{store.bucket}/{BASE}" and would["files"] == 2
    assert {method for method, _ in way.asked} == {"GET"}
    assert not store.keys()


def _content(store: Store, words: bytes) -> str:
    return next(k for k, d in store.objects().items() if d.startswith(words) and "/data/" in k)


def test_an_altered_archive_is_told(s3: Centre, store: Store, way: Proxy, refused: Any) -> None:
    first = s3.archive()
    way.asked.clear()
    content = _content(store, b"reads")
    record, digest = store.get(f"{BASE}/archive.json"), first["manifests"]["fastq.md5"].encode()
    for key, data, named in (
        (f"{BASE}/archive.json", record.replace(digest, digest[::-1]), "has other manifests"),
        (content, b"readS" * 90_000, "P1/S1_S1_L001_R1"),
        (content, b"short", "has not the objects"),
        (content, None, "has not the objects"),
        (f"{BASE}/data/new", b"x", "data/new"),
        (f"{BASE}/manifest/fastq.md5", b"", "manifest/fastq.md5"),
        (f"{BASE}/manifest/fastq.md5", None, "manifest/fastq.md5"),
        (f"{BASE}/index.json", b'{"files": []}', "index.json"),
        (f"{BASE}/archive.json", b"{", "archive.json"),
    ):
        before = store.change(key, data)
        with refused("archive.verify", named):
            s3.archive()
        store.change(key, before)
    assert s3.archive() == {**first, "already": True}
    assert not way.written()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda s, d: d.update(credentials_file=_file(s, "wrong", "wr0ng")), "archive.credentials"),
        (lambda s, d: Path(d["credentials_file"]).chmod(0o640), "archive.credentials"),
        (lambda s, d: Path(d["credentials_file"]).write_text("[a]\nx=y\n"), "archive.credentials"),
        (lambda s, d: d.update(bucket="nowhere"), "archive.no_bucket"),
        (lambda s, d: d.update(storage_class="STANDARD_IA"), "archive.storage_class"),
        (lambda s, d: d.update(storage_class="DEEP_ARCHIVE"), "archive.storage_class"),
        (lambda s, d: d.update(encryption={"type": "sse-s3"}), "archive.refused"),
        (lambda s, d: d.update(object_lock={"days": 1}), "archive.object_lock"),
        (lambda s, d: d.update(endpoint_url="http://127.0.0.1:1"), "archive.unreachable"),
    ],
    ids=[
        "secret",
        "mode",
        "no key",
        "bucket",
        "class",
        "cold class",
        "no encryption",
        "no lock",
        "nobody there",
    ],
)
def test_what_cannot_be_used_is_told(
    s3: Centre, swift_server: Swift, store: Store, refused: Any, change: Any, code: str
) -> None:
    change(swift_server, s3.destination)
    with refused(code):
        s3.archive()
    assert f"{BASE}/archive.json" not in store.objects()


def _file(server: Swift, name: str, secret: str) -> str:
    return str(server.credentials(name, secret))


def test_a_missing_file_of_credentials_is_told_at_the_start(s3: Centre, refused: Any) -> None:
    Path(s3.destination["credentials_file"]).unlink()
    with refused("destination.unusable", "credentials_file"):
        s3.parameters()


def test_a_cut_connection_and_a_second_start(
    big: Centre, way: Proxy, store: Store, refused: Any
) -> None:
    """What arrived whole is not sent again, and no half of an upload is left."""
    way.left = 12_700_000  # the largest goes there and comes back, and some after it
    with refused("archive.unreachable"):
        big.archive()
    there = set(store.keys())
    assert there and f"{BASE}/archive.json" not in there
    way.mend()
    way.asked.clear()
    assert not big.archive()["already"]
    assert not {f"/{store.bucket}/{key}" for key in there} & way.written()
    assert not store.uploads()
    big.restore()
    assert tree(big.restored / big.run / "attempt-1") == big.data


@pytest.mark.parametrize("left", [3_000_000, 10_000_000], ids=["sending", "reading back"])
def test_a_connection_that_is_cut_once(big: Centre, way: Proxy, left: int) -> None:
    way.left, way.cuts = left, 1
    assert not big.archive()["already"]
    assert way.left is None


def test_half_an_upload_is_given_up(big: Centre, way: Proxy, store: Store, refused: Any) -> None:
    way.left = 6_000_000  # some of the second part goes there
    with refused("archive.unreachable"):
        big.archive()
    assert [key.startswith(f"{BASE}/data/") for key in store.uploads()] == [True]
    way.mend()
    big.archive()
    assert not store.uploads()


def test_an_endpoint_that_fails_now_and_then(s3: Centre, way: Proxy) -> None:
    s3.destination["attempts"] = 4
    way.fails = lambda number: number % 5 == 0
    assert not s3.archive()["already"]


def test_an_endpoint_that_fails_always(s3: Centre, way: Proxy, refused: Any) -> None:
    way.fails = lambda number: True
    with refused("archive.server", "503 ServiceUnavailable"):
        s3.archive()
    assert len(way.asked) == s3.destination["attempts"]


@pytest.mark.parametrize("name", ["Stats/Stats.json", BIG], ids=["small", "in parts"])
def test_a_source_that_changed_is_not_there(
    big: Centre, store: Store, refused: Any, name: str
) -> None:
    path = big.site.fastq / name
    path.write_bytes(b"!" + path.read_bytes()[1:])
    with refused("archive.source_changed", name):
        big.archive()
    assert path.read_bytes() not in store.objects().values()
    assert not store.uploads()


@pytest.mark.parametrize("wrong", [b"half", b"\0" * 450_000], ids=["half", "altered"])
def test_an_object_that_an_earlier_start_left_wrong(s3: Centre, store: Store, wrong: bytes) -> None:
    (found,) = (file for file in s3.site.fastq.rglob("*.gz") if file.stat().st_size == 450_000)
    key = f"{BASE}/data/{blake3(found.read_bytes()).hexdigest()}"
    store.change(key, wrong)
    assert not s3.archive()["already"]
    assert store.get(key) == found.read_bytes()


def test_nothing_foreign_is_archived(s3: Centre, store: Store, refused: Any) -> None:
    store.change(f"{BASE}/data/foreign", b"x")
    with refused("archive.verify", "data/foreign"):
        s3.archive()
    assert f"{BASE}/archive.json" not in store.objects()


def test_killed_while_it_sends(big: Centre, store: Store, until: Any) -> None:
    process = big.site.worker(big.parameters(), "arteriole.archive.work")
    until(lambda: store.uploads() or store.keys())
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert f"{BASE}/archive.json" not in store.objects()
    assert not work(big.site.task(big.parameters()))["already"]
    big.restore()
    assert tree(big.restored / big.run / "attempt-1") == big.data
    assert not store.uploads()
