"""Archives that are encrypted before they leave the house, in a bucket of a real S3 server."""

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from oarepo_c4gh import C4GHKey, Crypt4GH

from arteriole.archive.crypt4gh.sizes import SEALED, header_size
from arteriole.archive.work import work
from arteriole.checksum.digests import digest_text

from .conftest import BASE, TOOL, Centre, Keys, Store, tree
from .proxy import Proxy

ONE = "fastq/P1/S1_S1_L001_R1_001.fastq.gz"
HEADER = header_size(2)
RESULTS = {"final/GROUP1.vcf.gz": b"v" * 1000, "log.txt": b"log of GROUP1"}


def decrypted(data: bytes, key: str) -> bytes:
    """By a program that shares no code with EGA's (which README.txt takes), nor with ours."""
    container = Crypt4GH(io.BytesIO(data), C4GHKey.from_file(key))
    return b"".join(block.cleartext for block in container.clear_blocks)


def with_key(centre: Centre, path: str) -> None:
    centre.destination["crypt4gh"]["private_key"] = path


def restored(centre: Centre) -> dict[str, bytes]:
    return tree(centre.restored / centre.run / "attempt-1")


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def test_what_stands_in_the_bucket(sealed: Centre, store: Store, keys: Keys) -> None:
    """Nothing but digests, sizes and the run is to be read there; each recipient reads all."""
    record = sealed.archive()
    objects = {key.removeprefix(f"{BASE}/"): data for key, data in store.objects().items()}
    clear = {"README.txt", "archive.json", "objects.md5"}
    assert {name for name in objects if not name.endswith(".c4gh")} == clear
    words = [b"S1_S1_", b"Undetermined", b"RunInfo.xml", b"reads" * 10, b"Reports", b".bcl.gz"]
    assert not [(n, word) for n, data in objects.items() for word in words if word in data]
    names = " ".join(objects).encode()
    assert not [word for word in words if word in names]
    assert (record["format"], record["bundles"]) == (3, 1)
    recipients = [
        Path(keys.public(name)).read_text().split("\n")[1] for name in ("centre", "hospital")
    ]
    assert sorted(record["crypt4gh"]["recipients"]) == sorted(recipients)
    hidden = {n.removesuffix(".c4gh"): d for n, d in objects.items() if n not in clear}
    lines = objects["objects.md5"].decode().splitlines()
    assert lines == sorted(f"{hashlib.md5(d).hexdigest()}  {n}.c4gh" for n, d in hidden.items())
    plain = {n: decrypted(d, keys.private("centre")) for n, d in hidden.items()}
    assert plain == {n: decrypted(d, keys.private("hospital")) for n, d in hidden.items()}
    index = json.loads(plain["index.json"])
    assert digest_text(plain["index.json"]) == record["index"]
    content = {}
    for line in index["files"]:
        name = line["key"].removeprefix(f"{BASE}/").removesuffix(".c4gh")
        start = line.get("offset", 0)
        content[line["name"]] = plain[name][start : start + line["size"]]
    content |= {n: data for n, data in plain.items() if n.startswith("manifest/")}
    assert content == sealed.data


def test_a_start_that_packed_otherwise_is_finished(
    sealed_bundles: Centre, store: Store, way: Proxy, keys: Keys
) -> None:
    """Also without a private key, and where nothing can be removed."""
    sealed_bundles.archive()
    store.change(f"{BASE}/archive.json", None)
    old = {key for key in store.objects() if "/bundles/" in key}
    for path in sealed_bundles.site.fastq.rglob("*"):
        os.utime(path, (1, 1))
    way.forbids = ("DELETE",)
    record = sealed_bundles.archive()
    assert {f"{BASE}/{name}" for name in record["surplus"]} == old & set(store.keys()) == old
    assert sealed_bundles.archive() == {**record, "already": True}
    with_key(sealed_bundles, keys.private("hospital"))
    assert sealed_bundles.archive() == {**record, "already": True}
    sealed_bundles.restore()
    assert restored(sealed_bundles) == sealed_bundles.data


def test_it_is_brought_back_with_the_private_key(sealed: Centre, keys: Keys, refused: Any) -> None:
    sealed.archive()
    with refused("archive.key", "names no private key"):
        sealed.restore()
    with_key(sealed, keys.private("stranger"))
    with refused("archive.key", "not encrypted for the private key in .*stranger"):
        sealed.restore()
    assert not restored(sealed)
    with_key(sealed, keys.private("hospital"))
    sealed.restore()
    assert restored(sealed) == sealed.data
    del sealed.destination["crypt4gh"]
    with refused("archive.key", "says nothing of it"):
        sealed.archive()


def test_after_a_change_of_keys_it_is_brought_back_with_the_old_one_and_the_new(
    sealed: Centre, keys: Keys, refused: Any, tmp_path: Path
) -> None:
    """The new one has a passphrase; keys and passphrases are tried in turn."""
    locked = _locked(keys, tmp_path)
    sealed.destination["crypt4gh"]["recipients"] = [keys.public("hospital")]
    sealed.archive()
    sealed.destination["crypt4gh"]["recipients"] = [str(locked.with_suffix(".pub"))]
    (sealed.site.runfolder / "late.txt").write_bytes(b"late")
    sealed.checksum()
    assert len(sealed.archive()["addenda"]) == 1
    for name, words in (("wrong", "battery staple"), ("right", "correct horse")):
        (tmp_path / name).write_text(words)
        (tmp_path / name).chmod(0o600)
    sealed.destination["crypt4gh"]["passphrase_file"] = [f"{tmp_path}/wrong", f"{tmp_path}/right"]
    for alone in (keys.private("hospital"), str(locked)):
        with_key(sealed, alone)
        with refused("archive.key", "not encrypted for the private key in"):
            sealed.restore()
    both = [keys.private("stranger"), f"{tmp_path}/gone", str(locked), keys.private("hospital")]
    sealed.destination["crypt4gh"]["private_key"] = both
    assert sealed.archive()["already"]
    sealed.restore()
    assert restored(sealed) == sealed.data
    both.pop()
    with refused("archive.key", "gone; it cannot be read"):
        sealed.restore(file=ONE)


def test_the_readme_restores_it(sealed: Centre, store: Store, keys: Keys, tmp_path: Path) -> None:
    """With EGA's program, tar, md5sum and the private key."""
    sealed.archive()
    folder = tmp_path / "copied"
    for key, data in store.objects().items():
        path = folder / key.removeprefix(f"{BASE}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    text = (folder / "README.txt").read_text()
    blocks = [b for b in text.split("\n\n") if b.startswith(("for ", "md5sum "))]
    assert len(blocks) == 4
    environment = {
        **os.environ,
        "PATH": f"{TOOL.parent}:{os.environ['PATH']}",
        "KEY": keys.private("centre"),
    }

    def shell(script: str) -> int:
        return subprocess.run(
            ["sh", "-eu", "-c", script], cwd=folder, env=environment, capture_output=True
        ).returncode

    assert shell("\n".join(blocks)) == 0
    there = {name: data for name, data in tree(folder).items() if name.startswith(PARTS)}
    assert there == {n: d for n, d in sealed.data.items() if n.startswith(PARTS)}
    (folder / ONE).write_bytes(b"0" * 450_000)
    assert shell(blocks[3]) != 0
    some = next((folder / "bundles").glob("*.c4gh"))
    some.write_bytes(flipped(some.read_bytes(), 1000))
    assert shell(blocks[0]) != 0


PARTS = ("fastq/", "runfolder/")


def test_no_secret_is_left(sealed: Centre, keys: Keys, tmp_path: Path) -> None:
    """Of a key with a passphrase, which a file has; and the job tells how far it is."""
    locked, passphrase = _locked(keys, tmp_path), tmp_path / "passphrase"
    passphrase.write_text("correct horse\n")
    passphrase.chmod(0o600)
    sealed.destination["crypt4gh"].update(
        recipients=[str(locked.with_suffix(".pub"))],
        private_key=str(locked),
        passphrase_file=str(passphrase),
    )
    size = sealed.archive()["bytes"]
    sealed.restore()
    assert restored(sealed) == sealed.data
    jobs = tree(sealed.site.home / "jobs")
    progress = json.loads(jobs["2/progress.json"])
    assert progress["done"] == progress["total"] > 2 * size
    assert any(b"passphrase_file" in data for data in jobs.values())
    journals = tree(sealed.site.manifests / "crypt4gh").values()
    secrets = (b"correct horse", locked.read_bytes().split(b"\n")[1])
    left = [*jobs.values(), *journals]
    assert not [secret for secret in secrets if any(secret in data for data in left)]


def _locked(keys: Keys, folder: Path) -> Path:
    """One that crypt4gh-keygen has locked, as it asks for it at a terminal."""
    import pty

    path = folder / "locked.sec"
    options = ["--sk", str(path), "--pk", str(path.with_suffix(".pub"))]
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [TOOL.with_name("crypt4gh-keygen"), *options],
        stdin=its, stdout=its, stderr=its, start_new_session=True,
    )  # fmt: skip
    os.close(its)
    said = b""
    while process.poll() is None:
        try:
            said += os.read(ours, 1000)
        except OSError:
            break
        if said.rstrip().endswith(b":"):
            os.write(ours, b"correct horse\n")
            said = b""
    assert process.wait() == 0
    os.close(ours)
    return path


def test_one_file_by_a_range(
    sealed: Centre, store: Store, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists apart, of a bundle two segments and a header more than the file are read at most."""
    sealed.destination["bundle_below"] = 1 << 20
    sealed.archive()
    (bundle,) = (key for key in store.objects() if "/bundles/" in key)
    size = len(store.get(bundle))
    with_key(sealed, keys.private("centre"))
    read = _metered(monkeypatch)
    for name in (ONE, "runfolder/RunInfo.xml", "runfolder/RTAComplete.txt"):
        sealed.restore(file=name)
        content = sum(count for key, count in read if "/bundles/" in key)
        assert content <= len(sealed.data[name]) + 2 * SEALED + HEADER
        assert name == ONE or content < size / 3
        folder = sealed.restored / sealed.run
        assert [p.read_bytes() for p in folder.glob(f"*/{name}")] == [sealed.data[name]]
        read.clear()


def _metered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Path and bytes of the body of every answer."""
    from botocore.httpsession import URLLib3Session

    read: list[tuple[str, int]] = []
    send = URLLib3Session.send

    def metered(session: Any, request: Any) -> Any:
        answer = send(session, request)
        read.append((request.url, int(answer.headers.get("Content-Length", 0))))
        return answer

    monkeypatch.setattr(URLLib3Session, "send", metered)
    return read


def test_what_is_not_as_it_was_encrypted(
    sealed: Centre, store: Store, keys: Keys, refused: Any
) -> None:
    """A bit at rest, segments that are gone or exchanged; without a private key, and with it."""
    sealed.archive()
    (bundle,) = (key for key in store.objects() if "/bundles/" in key)
    alone, index = _alone(store), f"{BASE}/index.json.c4gh"
    data = store.get(alone)
    first, second = (data[HEADER + n * SEALED : HEADER + (n + 1) * SEALED] for n in (0, 1))
    for key, there in (
        (alone, flipped(data, HEADER - 30)),
        (alone, data[: HEADER + 3 * SEALED]),  # which Crypt4GH itself does not notice
        (alone, data[:HEADER] + second + first + data[HEADER + 2 * SEALED :]),
        (bundle, flipped(store.get(bundle), HEADER + 500)),
        (index, flipped(store.get(index), 300)),
    ):
        before = store.change(key, there)
        with refused("archive.verify"):
            sealed.archive()
        if there[:HEADER] == (before or b"")[:HEADER] and key != bundle:
            with_key(sealed, keys.private("centre"))
            with refused("archive.verify"):
                sealed.restore()
            del sealed.destination["crypt4gh"]["private_key"]
        store.change(key, before)
    assert not restored(sealed)


def _alone(store: Store) -> str:
    (key,) = (key for key in store.objects() if "/data/" in key)
    return key


def test_what_somebody_else_put_or_took_is_told(
    sealed: Centre, store: Store, keys: Keys, refused: Any
) -> None:
    """Whoever can write there has the public keys: record, list and objects agree with him."""
    sealed.archive()
    key = _alone(store)
    recipients = [f"--recipient_pk={keys.public(name)}" for name in ("centre", "hospital")]
    content = b"other" + sealed.data[ONE][5:]
    forged = subprocess.run(
        [TOOL, "encrypt", *recipients], input=content, capture_output=True, check=True
    ).stdout
    md5 = hashlib.md5(store.get(key)).hexdigest().encode()
    objects, record = store.get(f"{BASE}/objects.md5"), store.get(f"{BASE}/archive.json")

    def forge(there: bytes | None, change: Callable[[bytes], bytes]) -> None:
        changed = b"".join(map(change, objects.splitlines(keepends=True)))
        assert changed != objects
        store.change(key, there)
        store.change(f"{BASE}/objects.md5", changed)
        told = {**json.loads(record), "objects": digest_text(changed)}
        store.change(f"{BASE}/archive.json", json.dumps(told).encode())

    forge(None, lambda line: b"" if md5 in line else line)
    with refused("archive.verify", "not the one that was written from here"):
        sealed.archive()
    forge(forged, lambda line: line.replace(md5, hashlib.md5(forged).hexdigest().encode()))
    with refused("archive.verify", "not the one that was written from here"):
        sealed.archive()
    shutil.rmtree(sealed.site.manifests / "crypt4gh")
    with refused("archive.unproven"):
        sealed.archive()
    with_key(sealed, keys.private("centre"))
    for job in (sealed.archive, sealed.restore):
        with refused("archive.verify", "S1_S1_L001_R1"):
            job()


def test_a_repeat_verifies_without_a_private_key_and_sends_nothing(
    sealed: Centre, keys: Keys, refused: Any, way: Proxy
) -> None:
    """Where the site's own list is lost, only the private key can prove it anew."""
    first = sealed.archive()
    way.asked.clear()
    assert sealed.archive() == {**first, "already": True}
    assert not way.written() and len(way.asked) > 10
    shutil.rmtree(sealed.site.manifests / "crypt4gh")
    with refused("archive.unproven"):
        sealed.archive()
    with_key(sealed, keys.private("hospital"))
    way.asked.clear()
    assert sealed.archive() == {**first, "already": True}
    assert not way.written()
    del sealed.destination["crypt4gh"]["private_key"]
    assert sealed.archive() == {**first, "already": True}


def test_killed_while_it_sends(
    sealed_bundles: Centre, store: Store, keys: Keys, way: Proxy, until: Any
) -> None:
    """What was proven is not sent again; no object is of two encryptions."""
    parameters = sealed_bundles.parameters()
    process = sealed_bundles.site.worker(parameters, "arteriole.archive.work")
    journal = sealed_bundles.site.manifests / "crypt4gh"
    until(lambda: any(path.stat().st_size for path in journal.glob("*")))
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    there = store.objects()
    assert f"{BASE}/archive.json" not in there
    proven = {json.loads(line)["key"] for line in _lines(journal)}
    way.asked.clear()
    assert not work(sealed_bundles.site.task(parameters))["already"]
    assert proven and not {f"/{store.bucket}/{key}" for key in proven} & way.written()
    assert not store.uploads()
    with_key(sealed_bundles, keys.private("centre"))
    sealed_bundles.restore()
    assert restored(sealed_bundles) == sealed_bundles.data


def _lines(journal: Path) -> list[str]:
    (path,) = journal.iterdir()
    return path.read_text().splitlines()


def test_a_start_that_was_cut_off_goes_on(
    sealed_bundles: Centre, store: Store, keys: Keys, way: Proxy, refused: Any
) -> None:
    """In the second part of the largest; what lies there unproven is encrypted anew."""
    way.left = 6_000_000
    with refused("archive.unreachable"):
        sealed_bundles.archive()
    assert [key.startswith(f"{BASE}/data/") for key in store.uploads()] == [True]
    way.mend()
    way.left = 12_700_000  # it goes there and comes back, and some after it
    with refused("archive.unreachable"):
        sealed_bundles.archive()
    way.mend()
    (largest,) = (key for key in store.objects() if "/data/" in key)
    way.asked.clear()
    sealed_bundles.archive()
    assert f"/{store.bucket}/{largest}" not in way.written() and not store.uploads()


def test_other_recipients_get_objects_of_their_own(
    sealed: Centre, store: Store, keys: Keys
) -> None:
    """Of a start that ended before it was complete nothing is left for those who were named."""
    sealed.archive()
    store.change(f"{BASE}/archive.json", None)
    sealed.destination["crypt4gh"]["recipients"] = [keys.public("stranger")]
    sealed.archive()
    for key, data in store.objects().items():
        if key.endswith(".c4gh"):
            decrypted(data, keys.private("stranger"))
    with_key(sealed, keys.private("stranger"))
    sealed.restore()
    assert restored(sealed) == sealed.data


def test_garbled_on_the_way_back(sealed: Centre, store: Store, way: Proxy, refused: Any) -> None:
    way.garble = lambda where, piece: (
        flipped(piece, 40_000) if where == "back" and len(piece) > 60_000 else piece
    )
    with refused("archive.verify", "not as it was encrypted"):
        sealed.archive()
    assert f"{BASE}/archive.json" not in store.objects()


def test_a_source_that_changed_is_not_archived(sealed: Centre, store: Store, refused: Any) -> None:
    path = sealed.site.runfolder / "RunInfo.xml"
    before = path.stat()
    path.write_bytes(flipped(path.read_bytes(), 7))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with refused("archive.source_changed", "RunInfo.xml"):
        sealed.archive()
    assert not store.uploads() and f"{BASE}/archive.json" not in store.objects()


def test_units_of_results_are_not_named_in_the_clear(
    sealed: Centre, store: Store, keys: Keys
) -> None:
    sealed.analyse(bcbio__GROUP1=RESULTS)
    sealed.checksum(part="results")
    assert sealed.archive(part="results")["already"] == 0
    assert sealed.archive(part="results")["already"] == 1
    for key, data in store.objects().items():
        assert b"GROUP1" not in key.encode() + data
    with_key(sealed, keys.private("centre"))
    sealed.restore(part="results")
    folder = sealed.restored / sealed.run / "attempt-1.results" / "bcbio.GROUP1" / "results"
    assert tree(folder) == RESULTS


def test_what_lies_there_in_the_clear_is_told(
    s3: Centre, keys: Keys, refused: Any, store: Store
) -> None:
    """It can be brought back, but does not pass for encrypted."""
    s3.destination["bundle_below"] = 1 << 20
    s3.archive()
    s3.destination["crypt4gh"] = {"recipients": [keys.public("centre")]}
    with refused("archive.clear"):
        s3.archive()
    s3.restore()
    assert restored(s3) == s3.data


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda d, k: d["recipients"].append("/nowhere"), "destination.unusable", "recipients.2"),
        (lambda d, k: d.update(recipients=[k.private("centre")]), "archive.key", "PUBLIC KEY"),
    ],
    ids=["no file", "a private key"],
)
def test_recipients_that_cannot_be_used(
    sealed: Centre, store: Store, keys: Keys, refused: Any, change: Any, code: str, words: str
) -> None:
    change(sealed.destination["crypt4gh"], keys)
    with refused(code, words):
        sealed.archive()
    assert not store.keys()
