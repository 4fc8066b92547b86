"""Results of analyses: digested, archived and brought back unit by unit."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from arteriole.checksum.manifest import read_manifest

from .conftest import BASE, Centre, Store, tree, write_tree

ONE = {"bcbio.GROUP1/final/GROUP1.vcf.gz": b"v" * 1000, "bcbio.GROUP1/log.txt": b"log"}
TWO = {"bcbio.GROUP2/final/GROUP2.vcf.gz": b"w" * 2000, "bcbio.GROUP2/log.txt": b"log"}


def _analyse(centre: Centre, files: dict[str, bytes]) -> None:
    write_tree(centre.results, files)


def _size(files: dict[str, bytes]) -> int:
    return sum(map(len, files.values()))


def test_a_later_run_adds_what_is_new(centre: Centre, request: pytest.FixtureRequest) -> None:
    _analyse(centre, ONE)
    write_tree(centre.results, {".bcbio.GROUP2/half": b"half"})
    first = {"units": 1, "files": 2, "bytes": _size(ONE)}
    manifests = centre.site.manifests / "results"
    assert centre.checksum(part="results") == {**first, "new": 1}
    assert sorted(p.name for p in manifests.iterdir()) == [
        "bcbio.GROUP1.blake3",
        "bcbio.GROUP1.md5",
    ]
    assert sorted(read_manifest(manifests / "bcbio.GROUP1.md5").digests) == [
        "final/GROUP1.vcf.gz",
        "log.txt",
    ]
    told = {"destination": "vault", "already": 0, "undigested": 0}
    assert centre.archive(part="results") == {**first, **told}
    _analyse(centre, TWO)
    assert centre.archive(part="results") == {**first, **told, "already": 1, "undigested": 1}
    both = {"units": 2, "files": 4, "bytes": _size(ONE | TWO)}
    assert centre.checksum(part="results") == {**both, "new": 1}
    assert centre.archive(part="results") == {**both, **told, "already": 1}
    assert centre.archive(part="results") == {**both, **told, "already": 2}
    shutil.rmtree(centre.results)
    restored = centre.restored / centre.run / "attempt-1.results"
    expected = {
        "from": "vault",
        "to": str(restored),
        "units": 2,
        "already": 0,
        "files": 4,
        "bytes": _size(ONE | TWO),
    }
    assert centre.restore(part="results") == expected
    found = {name: data for name, data in tree(restored).items() if "/manifest/" not in name}
    assert found == {n.replace("/", "/results/", 1): data for n, data in (ONE | TWO).items()}
    shutil.rmtree(restored / "bcbio.GROUP1")
    assert centre.restore(part="results") == {**expected, "already": 1}


def test_no_key_names_a_unit_or_its_files(s3: Centre, store: Store) -> None:
    _analyse(s3, ONE | TWO)
    s3.checksum(part="results")
    s3.archive(part="results")
    keys = store.keys()
    assert len({key.split("/")[4] for key in keys}) == 2
    assert {key.split("/attempt-1")[1].split("/")[0] for key in keys} == {".results"}
    assert all(key.startswith(f"{BASE}.results/") for key in keys)
    assert not [key for key in keys if any(word in key for word in ("GROUP", "bcbio", "vcf"))]


def test_a_directory_holds_each_unit_beside_the_data(directory: Centre) -> None:
    _analyse(directory, ONE)
    directory.checksum(part="results")
    directory.archive(part="results")
    path = Path(directory.archive()["path"])
    unit = path.with_name("attempt-1.results") / "bcbio.GROUP1"
    assert sorted(p.relative_to(unit).as_posix() for p in unit.rglob("*") if p.is_file()) == [
        "archive.json",
        "manifest/results.blake3",
        "manifest/results.md5",
        "results/final/GROUP1.vcf.gz",
        "results/log.txt",
    ]


def test_a_unit_that_changed(centre: Centre, refused: Any) -> None:
    _analyse(centre, ONE)
    centre.checksum(part="results")
    path = centre.results / "bcbio.GROUP1" / "log.txt"
    before = tree(centre.site.manifests)
    path.write_bytes(b"lag")
    with refused("checksum.changed", "log.txt"):
        centre.checksum(part="results")
    with refused("archive.source_changed", "log.txt"):
        centre.archive(part="results")
    assert tree(centre.site.manifests) == before
    path.write_bytes(b"log")
    centre.archive(part="results")
    (centre.results / "bcbio.GROUP1" / "new").touch()
    with refused("archive.source_changed", "new"):
        centre.archive(part="results")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: (folder / "empty" / "inner").mkdir(parents=True), "no file in empty"),
        (lambda folder: (folder / "a file").write_bytes(b"x"), "found 'a file'"),
        (lambda folder: (folder / "<% x %>").mkdir(), "found '<% x %>'"),
        (lambda folder: (folder / "away").symlink_to("/etc"), "found 'away'"),
    ],
    ids=["empty", "a file", "a name", "a link"],
)
def test_what_is_no_unit(directory: Centre, refused: Any, change: Any, told: str) -> None:
    _analyse(directory, ONE)
    directory.checksum(part="results")
    change(directory.results)
    for job in (directory.checksum, directory.archive):
        with refused("results.unit", told):
            job(part="results")


def test_requests_that_cannot_be_met(directory: Centre, refused: Any) -> None:
    for job in (directory.checksum, directory.archive):
        with refused("results.none", "no results of attempt 1"):
            job(part="results")
    assert directory.observe(part="results")["units"] == 0
    directory.results.mkdir(parents=True)
    for job in (directory.checksum, directory.archive):
        with refused("results.none", "found none"):
            job(part="results")
    _analyse(directory, ONE)
    with refused("manifest.missing"):
        directory.archive(part="results")
    del directory.settings["results_root"]
    with refused("results.not_set", "archive has no results_root"):
        directory.archive(part="results")


def test_observing_results_sends_nothing(s3: Centre, store: Store) -> None:
    _analyse(s3, ONE)
    assert s3.observe(part="results") == {
        "destination": "vault",
        "units": 1,
        "files": 2,
        "bytes": _size(ONE),
    }
    assert not store.keys()
