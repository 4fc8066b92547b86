"""Small files in bundles, in a bucket of a real S3 server (OpenStack Swift)."""

import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blake3 import blake3

from arteriole.archive.work import work
from arteriole.checksum.digests import digest_text

from .conftest import BASE, BIG, Centre, Store, tree
from .proxy import Proxy

ONE = "fastq/P1/S1_S1_L001_R1_001.fastq.gz"


def _bundles(store: Store) -> dict[str, bytes]:
    return {key: data for key, data in store.objects().items() if "/bundles/" in key}


def _content(centre: Centre) -> dict[str, bytes]:
    return {name: data for name, data in centre.data.items() if not name.startswith("manifest/")}


def _index(store: Store) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(store.get(f"{BASE}/index.json"))
    return found


def _line(store: Store, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(f for f in _index(store)["files"] if f["name"] == name)
    return found


def test_what_stands_in_the_bucket(bundles: Centre, store: Store) -> None:
    """Each small file once, in one bundle; the large one alone; no name in a key."""
    record = bundles.archive()
    objects, index = store.objects(), _index(store)
    there = _bundles(store)
    assert record["format"] == 2 and record["bundles"] == len(there) > 2
    assert [key for key in objects if "/data/" in key] == [_line(store, f"fastq/{BIG}")["key"]]
    assert {one["key"]: (one["size"], one["md5"], one["blake3"]) for one in index["bundles"]} == {
        key: (len(data), hashlib.md5(data).hexdigest(), blake3(data).hexdigest())
        for key, data in there.items()
    }
    names = []
    for data in there.values():
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            names += tar.getnames()
    assert sorted([*names, f"fastq/{BIG}"]) == sorted(_content(bundles))
    found = {}
    for line in index["files"]:
        start = line.get("offset", 0)
        found[line["name"]] = objects[line["key"]][start : start + line["size"]]
    assert found == _content(bundles)
    words = ("S1", "P1", "Undetermined", "fastq.gz", "RunInfo", "bcl", "Reports")
    keys = [key.removeprefix(BASE) for key in objects]
    assert not [key for key in keys if any(word in key for word in words)]


def _readme(store: Store, folder: Path) -> tuple[str, list[str]]:
    """README.txt and its shell commands, in a folder that a plain client has copied to."""
    for key, data in store.objects().items():
        path = folder / key.removeprefix(f"{BASE}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    text = (folder / "README.txt").read_text()
    return text, [block for block in text.split("\n\n") if block.startswith("for ")]


def test_the_readme_restores_it(bundles: Centre, store: Store, tmp_path: Path) -> None:
    bundles.archive()
    folder = tmp_path / "copied"
    text, blocks = _readme(store, folder)
    assert len(blocks) == 2
    subprocess.run(["sh", "-eu", "-c", "\n".join(blocks)], cwd=folder, check=True)
    there = {name: data for name, data in tree(folder).items() if name.count("/")}
    parts = ("fastq/", "runfolder/")
    assert {n: d for n, d in there.items() if n.startswith(parts)} == _content(bundles)
    (folder / ONE).write_bytes(b"0" * 450_000)
    again = subprocess.run(["sh", "-eu", "-c", blocks[1]], cwd=folder, capture_output=True)
    assert again.returncode != 0
    assert re.search(r"OFFSET to OFFSET\+SIZE-1 of the bundle KEY", text)


def test_one_file_by_one_range(bundles: Centre, store: Store) -> None:
    """As README.txt says."""
    bundles.archive()
    for name, data in _content(bundles).items():
        line = _line(store, name)
        if "offset" not in line or not line["size"]:
            continue
        ranged = f"bytes={line['offset']}-{line['offset'] + line['size'] - 1}"
        answer = store.client.get_object(Bucket=store.bucket, Key=line["key"], Range=ranged)
        got = answer["Body"].read()
        assert got == data and hashlib.md5(got).hexdigest() == line["md5"]


def test_a_repeat_verifies_and_sends_nothing(bundles: Centre, way: Proxy) -> None:
    first = bundles.archive()
    way.asked.clear()
    bundles.destination["bundle_size"] = 4 << 20  # what is archived is as its index has it
    assert bundles.archive() == {**first, "already": True}
    assert not way.written()


def _flip(data: bytes, at: int) -> bytes:
    flipped = bytearray(data)
    flipped[at] ^= 0x10
    return bytes(flipped)


def test_a_bit_at_rest(bundles: Centre, store: Store, refused: Any) -> None:
    """In a file, in its header (which README's tar needs) and in the padding."""
    bundles.archive()
    line = _line(store, ONE)
    data = store.get(line["key"])
    for at, named in (
        (line["offset"] + 1234, "S1_S1_L001_R1"),
        (line["offset"] - 500, "bundles/"),
        (len(data) - 1, "bundles/"),
    ):
        store.change(line["key"], _flip(data, at))
        with refused("archive.verify", named):
            bundles.archive()
    store.change(line["key"], _flip(data, line["offset"]))
    with refused("archive.verify", "S1_S1_L001_R1"):
        bundles.restore()
    store.change(line["key"], data[: line["offset"] + 10])
    with refused("archive.verify"):
        bundles.restore()
    assert not (bundles.restored / bundles.run / "attempt-1").exists()
    store.change(line["key"], data)
    bundles.restore()
    assert tree(bundles.restored / bundles.run / "attempt-1") == bundles.data


def test_an_index_that_lies(bundles: Centre, store: Store, refused: Any) -> None:
    """One that archive.json agrees with."""
    bundles.archive()
    record = json.loads(store.get(f"{BASE}/archive.json"))

    def lie(change: Callable[[dict[str, Any]], Any]) -> None:
        index = _index(store)
        change(next(f for f in index["files"] if f["name"] == ONE))
        data = json.dumps(index).encode()
        told = {**record, "index": digest_text(data)}
        store.change(f"{BASE}/index.json", data)
        store.change(f"{BASE}/archive.json", json.dumps(told).encode())

    before = store.get(f"{BASE}/index.json")
    for change in (
        lambda line: line.update(offset=line["offset"] + 512),
        lambda line: line.update(offset=1 << 40),
        lambda line: line.update(key=f"other/{line['key']}"),
        lambda line: line.update(size=line["size"] - 1),
    ):
        lie(change)
        with refused("archive.verify"):
            bundles.restore()
        store.change(f"{BASE}/index.json", before)
    assert not (bundles.restored / bundles.run / "attempt-1").exists()


def test_killed_while_it_sends(bundles: Centre, store: Store, way: Proxy, until: Any) -> None:
    """What arrived whole is the same at the next start, and is not sent again."""
    process = bundles.site.worker(bundles.parameters(), "arteriole.archive.work")
    until(lambda: len(_bundles(store)) >= 1)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    there = set(store.keys())
    assert f"{BASE}/archive.json" not in there
    way.asked.clear()
    record = work(bundles.site.task(bundles.parameters()))
    assert not record["already"] and record["bundles"] == len(_bundles(store))
    assert not {f"/{store.bucket}/{key}" for key in there} & way.written()
    assert not store.uploads()


def test_what_an_earlier_start_left_wrong(bundles: Centre, store: Store) -> None:
    bundles.archive()
    right = _bundles(store)
    store.change(f"{BASE}/archive.json", None)
    for key, data in right.items():
        store.change(key, _flip(data, len(data) // 2))
    assert not bundles.archive()["already"]
    assert _bundles(store) == right


def test_garbled_on_the_way_there(bundles: Centre, store: Store, way: Proxy, refused: Any) -> None:
    """Over plain HTTP: the endpoint's Content-MD5 refuses it."""
    way.garble = lambda where, piece: (
        _flip(piece, 40_000) if where == "there" and len(piece) > 60_000 else piece
    )
    with refused("archive.verify", "has not what was sent"):
        bundles.archive()
    assert not store.keys() and not store.uploads()
    way.mend()
    assert not bundles.archive()["already"]


def test_garbled_on_the_way_back(bundles: Centre, store: Store, way: Proxy, refused: Any) -> None:
    way.garble = lambda where, piece: (
        _flip(piece, 40_000) if where == "back" and len(piece) > 60_000 else piece
    )
    with refused("archive.verify", "when read back"):
        bundles.archive()
    assert f"{BASE}/archive.json" not in store.objects()
    way.mend()
    bundles.archive()
    way.garble = lambda where, piece: piece.replace(b"readsreads", b"readsreadS")
    with refused("archive.verify", "S1_S1_L001_R1"):
        bundles.restore()
    assert not (bundles.restored / bundles.run / "attempt-1").exists()


def test_a_tenth_of_the_requests_fails(bundles: Centre, way: Proxy) -> None:
    bundles.destination["attempts"] = 4
    way.fails = lambda number: number % 10 == 0
    assert not bundles.archive()["already"]
    assert bundles.restore()["already"] == 0
    assert tree(bundles.restored / bundles.run / "attempt-1") == bundles.data


def test_a_source_that_changed_is_not_there(bundles: Centre, store: Store, refused: Any) -> None:
    """Of the size and the time that it had: only its digest tells."""
    path = bundles.site.fastq / "Reports/2.bin"
    before = path.stat()
    path.write_bytes(_flip(path.read_bytes(), 77))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with refused("archive.source_changed", "Reports/2.bin"):
        bundles.archive()
    assert not any(path.read_bytes() in data for data in store.objects().values())
    assert not store.uploads() and f"{BASE}/archive.json" not in store.objects()


def test_a_start_in_the_earlier_form_goes_on(
    bundles: Centre, store: Store, way: Proxy, refused: Any
) -> None:
    """Files that lie there on their own stay so, and are not sent twice."""
    bundles.destination["bundle_below"] = 0
    way.left = 2 * 6_275_000 + 1_700_000
    with refused("archive.unreachable"):
        bundles.archive()
    way.mend()
    del bundles.destination["bundle_below"]
    alone = set(store.keys())
    assert len(alone) > 1
    way.asked.clear()
    assert bundles.archive()["bundles"]
    assert not {f"/{store.bucket}/{key}" for key in alone} & way.written()
    bundles.restore()
    assert tree(bundles.restored / bundles.run / "attempt-1") == bundles.data


def _unfinished(centre: Centre, store: Store) -> set[str]:
    """All is there but archive.json, and it would be packed otherwise now; its bundles."""
    centre.archive()
    store.change(f"{BASE}/archive.json", None)
    for folder in (centre.site.runfolder, centre.site.fastq):
        for name in tree(folder):
            os.utime(folder / name, (1, 1))
    centre.destination["bundle_size"] = 2 << 20
    return set(_bundles(store))


def _require_only(centre: Centre, store: Store, record: dict[str, Any]) -> None:
    assert len(_bundles(store)) == record["bundles"]
    assert {key for key in store.objects() if "/data/" in key} == {
        _line(store, f"fastq/{BIG}")["key"]
    }
    assert centre.archive() == {**record, "already": True}
    centre.restore()
    assert tree(centre.restored / centre.run / "attempt-1") == centre.data


def test_a_start_that_packed_otherwise_is_finished(bundles: Centre, store: Store) -> None:
    old = _unfinished(bundles, store)
    store.change(f"{BASE}/data/{'0' * 64}", b"of manifests that were made anew")
    record = bundles.archive()
    assert not record["already"] and "surplus" not in record
    assert not old & set(store.keys())
    _require_only(bundles, store, record)


def test_what_cannot_be_removed_is_told_and_left(
    bundles: Centre, store: Store, way: Proxy, refused: Any
) -> None:
    old = _unfinished(bundles, store)
    way.forbids = ("DELETE",)
    record = bundles.archive()
    assert {f"{BASE}/{name}" for name in record["surplus"]} == old & set(store.keys()) == old
    assert json.loads(store.get(f"{BASE}/archive.json"))["surplus"] == record["surplus"]
    assert bundles.archive() == {**record, "already": True}
    foreign = f"{BASE}/bundles/{'0' * 64}.tar"
    store.change(foreign, b"x")
    with refused("archive.verify", "0000"):
        bundles.archive()
    for key in (foreign, *old):  # its lock has ended
        store.change(key, None)
    _require_only(bundles, store, record)


def test_an_endpoint_that_fails_while_it_removes(
    bundles: Centre, store: Store, way: Proxy, refused: Any
) -> None:
    _unfinished(bundles, store)
    way.fails = lambda number: way.asked[-1][0] == "DELETE"
    with refused("archive.server", "removing"):
        bundles.archive()
    assert f"{BASE}/archive.json" not in store.objects()
    way.mend()
    _require_only(bundles, store, bundles.archive())


def test_an_archive_of_format_1(bundles: Centre, store: Store, way: Proxy, refused: Any) -> None:
    """As it was written before there were bundles: put together by hand."""
    lines = []
    for part, folder in (("runfolder", bundles.site.runfolder), ("fastq", bundles.site.fastq)):
        for name, data in tree(folder).items():
            if name.startswith(".arteria"):
                continue
            key = f"{BASE}/data/{blake3(data).hexdigest()}"
            store.change(key, data)
            md5, digest = hashlib.md5(data).hexdigest(), blake3(data).hexdigest()
            time = (folder / name).stat().st_mtime_ns
            line = {"name": f"{part}/{name}", "key": key, "size": len(data), "md5": md5}
            lines.append({**line, "blake3": digest, "mtime_ns": time})
    index = json.dumps({"files": lines}).encode()
    manifests = {path.name: path.read_bytes() for path in bundles.site.manifests.glob("*.*")}
    for name, data in manifests.items():
        store.change(f"{BASE}/manifest/{name}", data)
    record = {
        "run": bundles.run,
        "attempt": 1,
        "files": len(lines),
        "bytes": sum(line["size"] for line in lines),
        "manifests": {name: digest_text(data) for name, data in manifests.items()},
        "finished": "2025-01-01T00:00:00Z",
        "storage_class": "STANDARD",
        "index": digest_text(index),
    }
    store.change(f"{BASE}/README.txt", b"as it was")
    store.change(f"{BASE}/index.json", index)
    store.change(f"{BASE}/archive.json", json.dumps(record).encode())
    assert bundles.archive() == {
        **record,
        "destination": "vault",
        "path": f"s3://{store.bucket}/{BASE}",
        "already": True,
    }
    assert not way.written()
    data = bundles.data
    for folder in (bundles.site.runfolder, bundles.site.fastq, bundles.site.manifests):
        shutil.rmtree(folder)
    bundles.restore()
    assert tree(bundles.restored / bundles.run / "attempt-1") == data
    store.change(f"{BASE}/archive.json", json.dumps({**record, "format": 4}).encode())
    with refused("archive.verify", "later form"):
        bundles.restore()
