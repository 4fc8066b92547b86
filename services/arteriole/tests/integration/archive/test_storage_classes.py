"""Storage classes, which Swift does not have: on moto's server.

NB: moto accepts any secret and any digest, so this proves nothing about integrity or access.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from arteriole.archive.settings import MIB
from arteriole.archive.work import work

from ..ports import free_ports
from .conftest import BASE, PARTS, SOON, Centre, Keys, Store, tree, write_tree
from .swift import SESSION

#: Restored objects become readable at the third look.
LOOKS = {"model_name": "s3::keyrestore", "transition": {"progression": "manual", "times": 2}}


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    (port,) = free_ports(1)
    log = open(tmp_path_factory.mktemp("moto") / "log", "wb")  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=log,
        stderr=log,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url)
        yield url
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def _wait(url: str) -> None:
    from ..conftest import wait_until

    def answers() -> bool:
        try:
            return requests.get(f"{url}/moto-api/data.json", timeout=5).ok
        except requests.ConnectionError:
            return False

    wait_until(answers)


@pytest.fixture
def store(moto: str) -> Store:
    requests.post(f"{moto}/moto-api/reset", timeout=20)
    client = SESSION.client(
        "s3",
        endpoint_url=moto,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
        config=Config(s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket="classes")
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    return Store(client, "classes")


@pytest.fixture
def amazon(site: Any, store: Store, moto: str) -> Centre:
    credentials = site.home / "credentials.json"
    credentials.write_text('{"key": "k", "secret": "s"}')
    credentials.chmod(0o600)
    write_tree(site.fastq, {"big.bin": b"big!" * 1_500_000})  # in parts
    destination = {
        "bucket": "classes",
        "prefix": "runs/seq",
        "endpoint_url": moto,
        "path_style": True,
        "credentials_file": str(credentials),
        "thaw_poll": 0.01,
        "bundle_below": MIB,
        **PARTS,
        **SOON,
    }
    centre = Centre(site, {"s3": destination})
    centre.checksum()
    return centre


def classes(store: Store) -> set[str]:
    """Of the objects that hold the content of files; all others can be read at once."""
    found = store.client.list_objects_v2(Bucket=store.bucket)["Contents"]
    content = [one for one in found if "/data/" in one["Key"] or "/bundles/" in one["Key"]]
    assert len(content) == 2
    assert {one["StorageClass"] for one in found if one not in content} == {"STANDARD"}
    return {one["StorageClass"] for one in content}


@pytest.mark.parametrize("storage_class", ["GLACIER_IR", "DEEP_ARCHIVE"])
def test_what_is_asked_for_overrides_the_destinations(
    amazon: Centre, store: Store, storage_class: str
) -> None:
    amazon.destination["storage_class"] = "ONEZONE_IA"
    record = amazon.archive(storage_class=storage_class)
    assert record["storage_class"] == storage_class
    assert classes(store) == {storage_class}
    assert amazon.archive(storage_class=storage_class) == {**record, "already": True}


def test_cold_objects_are_brought_back_and_waited_for(
    amazon: Centre, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests.post(f"{moto}/moto-api/state-manager/set-transition", json=LOOKS, timeout=20)
    amazon.archive(storage_class="DEEP_ARCHIVE")
    told: list[tuple[int, int, str]] = []
    task = amazon.restore_task()
    monkeypatch.setattr(task, "progress", lambda *more: told.append(more))
    work(task)
    assert tree(amazon.restored / amazon.run / "attempt-1") == amazon.data
    waited = [(done, total) for done, total, unit in told if unit == "objects brought back"]
    assert len(waited) >= 2 and all(done < total for done, total in waited)


@pytest.mark.parametrize("asked", ["restore", "drill"])
def test_nothing_waits_for_what_waits_for_cold_objects(
    amazon: Centre, moto: str, serve: Callable[..., Any], until: Callable[..., Any], asked: str
) -> None:
    """On a machine of one core, where one job at a time is archived."""
    requests.post(f"{moto}/moto-api/state-manager/set-transition", json=LOOKS, timeout=20)
    amazon.destination.update(storage_class="DEEP_ARCHIVE", thaw_poll=3600)
    service = serve("archive", amazon.settings, jobs={"cores": 1, "memory_gb": 1})
    done = service.submit(attempt=1, destination="vault")
    assert service.ended(done["job_id"])["state"] == "done"
    path = {"restore": f"restore/{amazon.run}", "drill": "drills"}[asked]
    service.call("POST", path, json={}).raise_for_status()
    (cold,) = service.call("GET", f"status?stage={asked}").json()["jobs"]

    def waits() -> bool:
        progress = service.status(cold["job_id"])["progress"]
        return progress is not None and progress["unit"] == "objects brought back"

    until(waits)
    again = service.submit(key="again", attempt=1, destination="vault")
    assert service.ended(again["job_id"])["state"] == "done"
    assert service.status(cold["job_id"])["state"] == "started"


def test_encrypted_objects_are_moved_and_brought_back_too(
    amazon: Centre, store: Store, keys: Keys, refused: Any
) -> None:
    """By the mark that they were given when they had been proven; it needs no private key."""
    amazon.destination["crypt4gh"] = {"recipients": [keys.public("centre")]}
    record = amazon.archive(storage_class="DEEP_ARCHIVE")
    assert classes(store) == {"DEEP_ARCHIVE"}
    assert amazon.archive() == {**record, "already": True}
    journals = amazon.site.manifests / "crypt4gh"
    kept = tree(journals)
    shutil.rmtree(journals)
    with refused("archive.unproven"):
        amazon.archive()
    write_tree(journals, kept)
    store.change(f"{BASE}/archive.json", None)
    assert not amazon.archive(storage_class="DEEP_ARCHIVE")["already"]
    amazon.destination["crypt4gh"]["private_key"] = keys.private("centre")
    amazon.restore()
    assert tree(amazon.restored / amazon.run / "attempt-1") == amazon.data


def test_waiting_has_an_end(amazon: Centre, moto: str, refused: Any) -> None:
    requests.post(f"{moto}/moto-api/state-manager/set-transition", json=LOOKS, timeout=20)
    amazon.archive(storage_class="GLACIER")
    amazon.destination["thaw_hours"] = 1e-9
    with refused("archive.cold", "could not be read after"):
        amazon.restore()
    assert not (amazon.restored / amazon.run / "attempt-1").exists()


def test_a_start_after_some_were_moved(amazon: Centre, store: Store) -> None:
    """What was read back before it was moved is not sent again."""
    amazon.archive(storage_class="GLACIER")
    store.change(f"{BASE}/archive.json", None)
    assert not amazon.archive(storage_class="GLACIER")["already"]
    assert classes(store) == {"GLACIER"}


@pytest.mark.parametrize("kind", ["/data/", "/bundles/"])
def test_what_others_moved_is_not_believed(
    amazon: Centre, store: Store, refused: Any, kind: str
) -> None:
    amazon.archive()
    key = next(key for key in store.objects() if kind in key)
    source = {"Bucket": store.bucket, "Key": key}
    store.client.copy_object(
        Bucket=store.bucket, Key=key, CopySource=source, StorageClass="GLACIER"
    )
    with refused("archive.cold", "was not read back"):
        amazon.archive()


def _heads(store: Store, bucket: str) -> list[dict[str, Any]]:
    found = store.client.list_objects_v2(Bucket=bucket)["Contents"]
    return [store.client.head_object(Bucket=bucket, Key=one["Key"]) for one in found]


@pytest.mark.parametrize(
    ("encryption", "told"),
    [
        ({"type": "sse-s3"}, ("AES256", None)),
        ({"type": "sse-kms", "key_id": "alias/runs"}, ("aws:kms", "alias/runs")),
    ],
)
@pytest.mark.parametrize("storage_class", ["GLACIER"])
def test_each_object_is_encrypted(
    amazon: Centre, store: Store, encryption: dict[str, str], told: Any, storage_class: str
) -> None:
    amazon.destination["encryption"] = encryption
    record = amazon.archive(storage_class=storage_class)
    assert record["encryption"] == encryption["type"]
    heads = _heads(store, "classes")
    assert {(h["ServerSideEncryption"], h.get("SSEKMSKeyId")) for h in heads} == {told}


@pytest.mark.parametrize(("mode", "storage_class"), [(None, "STANDARD"), ("compliance", "GLACIER")])
def test_each_object_is_locked(
    amazon: Centre, store: Store, mode: str | None, storage_class: str
) -> None:
    lock = {"days": 30} if mode is None else {"days": 30, "mode": mode}
    amazon.destination.update(bucket="locked", object_lock=lock)
    record = amazon.archive(storage_class=storage_class)
    assert record["object_lock"] == {"mode": mode or "governance", "days": 30}
    heads = _heads(store, "locked")
    assert {h["ObjectLockMode"] for h in heads} == {(mode or "governance").upper()}
    for one in store.client.list_object_versions(Bucket="locked")["Versions"]:
        if one["IsLatest"]:
            with pytest.raises(ClientError, match="AccessDenied"):
                store.client.delete_object(
                    Bucket="locked", Key=one["Key"], VersionId=one["VersionId"]
                )
    rest = [h["ObjectLockRetainUntilDate"] - datetime.now(UTC) for h in heads]
    assert all(timedelta(days=29, hours=23) < left < timedelta(days=30) for left in rest)
    assert amazon.archive(storage_class=storage_class) == {**record, "already": True}


def test_a_locked_start_is_finished_and_its_archive_grows(amazon: Centre, store: Store) -> None:
    """Though nothing that was sent can be changed or removed for good."""
    amazon.destination.update(
        bucket="locked", object_lock={"days": 30, "mode": "compliance"}, bundle_below=100_000
    )
    locked = Store(store.client, "locked")
    amazon.archive()
    locked.change(f"{BASE}/archive.json", None)
    old = {key for key in locked.objects() if "/bundles/" in key}
    amazon.destination["bundle_below"] = MIB
    write_tree(amazon.site.runfolder, {"Logs/late.txt": b"late"})
    amazon.checksum()
    record = amazon.archive()
    assert not record["already"] and old and not old & set(locked.keys())
    write_tree(amazon.site.runfolder, {"Logs/later.txt": b"later"})
    amazon.checksum()
    grown = amazon.archive()
    assert [one["addendum"] for one in grown["addenda"]] == [2]
    assert amazon.archive() == {**grown, "already": True}
    amazon.restore()
    assert tree(amazon.restored / amazon.run / "attempt-1") == amazon.data


def test_a_bucket_without_locks_is_refused(amazon: Centre, store: Store, refused: Any) -> None:
    amazon.destination["object_lock"] = {"days": 1}
    for job in (amazon.archive, amazon.observe):
        with refused("archive.object_lock", "has no object lock"):
            job()
    assert not store.keys()


def test_a_directory_has_no_classes(directory: Centre, refused: Any) -> None:
    with refused("archive.storage_class", "directory"):
        directory.archive(storage_class="GLACIER")
