"""Sites whose runs are archived, and the places that they are archived to."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from arteriole.archive.kind import ArchiveKind, ArchiveRequest, RestoreRequest
from arteriole.archive.settings import MIB, ArchiveSettings
from arteriole.archive.work import observe, work
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.part_request import PartRequest
from arteriole.checksum.settings import ChecksumSettings
from arteriole.checksum.work import work as checksum
from arteriole.jobs.worker import Task

from .proxy import Proxy, proxy
from .swift import Swift, missing, swift

#: Sent in parts: Swift takes none below 5 MiB.
PARTS = {"multipart_threshold": 5 * MIB, "part_size": 5 * MIB}
KEPT = ("RunInfo.xml", "RTAComplete.txt", "P1/S1_S1_L001_R1_001.fastq.gz", "Stats/Stats.json")
BASE = "runs/seq/200624_A00834_0183_BHMTFYDRXX/attempt-1"
BIG = "P1/S2_S2_L001_R1_001.fastq.gz"
#: For several bundles, and with names that tar has to tell apart from its own words.
MORE = {
    **{f"Reports/{n}.bin": bytes([n]) * 400_000 for n in range(4)},
    "Reports/empty": b"",
    "Reports/" + "long/" * 30 + "é 'n' $(id) -x": b"odd",
}
#: EGA's program, beside the Python that runs the tests.
TOOL = Path(sys.executable).with_name("crypt4gh")
#: So that what fails for good fails soon.
SOON = {"attempts": 2, "timeout": 20}


class Centre:
    """A site with manifests and one destination, `vault`; each job runs in this process."""

    def __init__(self, site: Any, destination: dict[str, Any]) -> None:
        self.site = site
        self.run = site.runfolder.name
        self.restored = site.home / "restored"
        self.restored.mkdir()
        self.results = site.home / "results" / self.run / "attempt-1"
        self.settings: dict[str, Any] = {
            **site.roots,
            "results_root": str(site.home / "results"),
            "restore_root": str(self.restored),
            "destinations": {"vault": destination},
        }

    @property
    def destination(self) -> dict[str, Any]:
        """Of S3; it may be changed."""
        found: dict[str, Any] = self.settings["destinations"]["vault"]["s3"]
        return found

    def kind(self) -> ArchiveKind:
        return ArchiveKind(ArchiveSettings.model_validate(self.settings))

    def checksum(self, **asked: Any) -> dict[str, Any]:
        roots = {**self.site.roots, "results_root": str(self.site.home / "results")}
        kind = ChecksumKind(ChecksumSettings.model_validate(roots))
        return checksum(self.site.task(kind.parameters(self.run, PartRequest(**asked))))

    def parameters(self, **asked: Any) -> dict[str, Any]:
        return self.kind().parameters(self.run, ArchiveRequest(destination="vault", **asked))

    def archive(self, **asked: Any) -> dict[str, Any]:
        return work(self.site.task(self.parameters(**asked)))

    def observe(self, **asked: Any) -> dict[str, Any]:
        return observe(self.site.task(self.parameters(observe=True, **asked), observe=True))

    def restore(self, **asked: Any) -> dict[str, Any]:
        return work(self.restore_task(**asked))

    def restore_task(self, **asked: Any) -> Task:
        task: Task = self.site.task(self.kind().parameters(self.run, RestoreRequest(**asked)))
        return task

    def analyse(self, **units: dict[str, bytes]) -> None:
        """Leave finished folders; `__` in a name stands for a dot."""
        for name, files in units.items():
            write_tree(self.results / name.replace("__", "."), files)

    @property
    def data(self) -> dict[str, bytes]:
        """What an attempt that is brought back consists of."""
        runfolder = tree(self.site.runfolder)
        return {
            **{f"runfolder/{n}": data for n, data in runfolder.items() if n[:8] != ".arteria"},
            **{f"fastq/{n}": data for n, data in tree(self.site.fastq).items()},
            **{f"manifest/{p.name}": p.read_bytes() for p in self.site.manifests.glob("*.*")},
        }


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def write_tree(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.fixture(scope="session")
def swift_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    if absent := missing():
        pytest.skip(f"not installed: {', '.join(absent)}")
    with swift(tmp_path_factory.mktemp("swift")) as running:
        yield running


_numbers = itertools.count(1)


@pytest.fixture
def bucket(swift_server: Swift) -> str:
    """A bucket of this test's own."""
    name = f"vault-{next(_numbers)}"
    swift_server.client().create_bucket(Bucket=name)
    return name


@pytest.fixture
def store(swift_server: Swift, bucket: str) -> "Store":
    return Store(swift_server.client(), bucket)


@pytest.fixture
def way(swift_server: Swift) -> Iterator[Proxy]:
    """The way to Swift."""
    with proxy(swift_server.port) as made:
        yield made


class Store:
    """What is in a bucket, seen by a client of its own."""

    def __init__(self, client: Any, bucket: str) -> None:
        self.client, self.bucket = client, bucket

    def objects(self) -> dict[str, bytes]:
        return {key: self.get(key) for key in self.keys()}

    def keys(self) -> list[str]:
        answer = self.client.list_objects_v2(Bucket=self.bucket)
        return [one["Key"] for one in answer.get("Contents", ())]

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return data

    def change(self, key: str, data: bytes | None) -> bytes | None:
        """Let `data` be there instead (None: nothing); what was there before."""
        before = self.get(key) if key in self.keys() else None
        if data is None:
            self.client.delete_object(Bucket=self.bucket, Key=key)
        else:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=data)
        return before

    def uploads(self) -> list[str]:
        """Keys of incomplete uploads."""
        answer = self.client.list_multipart_uploads(Bucket=self.bucket)
        return [one["Key"] for one in answer.get("Uploads", ())]


@pytest.fixture
def s3(site: Any, swift_server: Swift, bucket: str, way: Proxy) -> Centre:
    """A site that archives to Swift over `way`; few files, since each is several requests.

    Each file is an object of its own.
    """
    for folder, files in ((site.runfolder, site.runfolder_files), (site.fastq, site.fastq_files)):
        for name in [name for name in files if name not in KEPT]:
            (folder / name).unlink()
            del files[name]
    site.write_record()
    destination = swift_server.destination(
        bucket, prefix="runs/seq", **PARTS, **SOON, endpoint_url=way.endpoint, bundle_below=0
    )
    centre = Centre(site, {"s3": destination})
    centre.checksum()
    return centre


@pytest.fixture
def bundles(site: Any, swift_server: Swift, bucket: str, way: Proxy) -> Centre:
    """The same with all files of the site, of which BIG alone is too large for a bundle."""
    site.fastq_files |= {BIG: bytes(range(251)) * 25_000, **MORE}
    write_tree(site.fastq, site.fastq_files)
    site.write_record()
    small = {"bundle_below": MIB, "bundle_size": MIB}
    destination = swift_server.destination(
        bucket, prefix="runs/seq", **PARTS, **SOON, endpoint_url=way.endpoint, **small
    )
    centre = Centre(site, {"s3": destination})
    centre.settings["threads"] = 1
    centre.checksum()
    return centre


@dataclass(frozen=True)
class Keys:
    """Made by crypt4gh-keygen: of two recipients, and of somebody else."""

    folder: Path

    def public(self, name: str) -> str:
        return str(self.folder / f"{name}.pub")

    def private(self, name: str) -> str:
        return str(self.folder / f"{name}.sec")


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    made = Keys(tmp_path_factory.mktemp("keys"))
    for name in ("centre", "hospital", "stranger"):
        options = ["--nocrypt", "--sk", made.private(name), "--pk", made.public(name)]
        subprocess.run([TOOL.with_name("crypt4gh-keygen"), *options], check=True)
    return made


@pytest.fixture
def sealed(s3: Centre, keys: Keys) -> Centre:
    """Encrypted for two recipients: a FASTQ alone, the rest in a bundle; no private key yet."""
    s3.destination.update(bundle_below=100_000, crypt4gh=_recipients(keys))
    return s3


@pytest.fixture
def sealed_bundles(bundles: Centre, keys: Keys) -> Centre:
    """The same with several bundles, and a file that is sent in parts."""
    bundles.destination["crypt4gh"] = _recipients(keys)
    return bundles


def _recipients(keys: Keys) -> dict[str, Any]:
    return {"recipients": [keys.public(name) for name in ("centre", "hospital")]}


@pytest.fixture
def big(s3: Centre) -> Centre:
    """The same with a FASTQ that is sent in two parts, before all others."""
    s3.site.fastq_files[BIG] = bytes(range(251)) * 25_000
    write_tree(s3.site.fastq, s3.site.fastq_files)
    s3.site.write_record()
    for path in s3.site.manifests.iterdir():
        path.unlink()
    s3.checksum()
    s3.settings["threads"] = 1
    return s3


@pytest.fixture
def directory(site: Any) -> Centre:
    (site.home / "vault").mkdir()
    centre = Centre(site, {"directory": str(site.home / "vault")})
    centre.checksum()
    return centre


@pytest.fixture(params=["directory", "s3", "bundles"])
def centre(request: pytest.FixtureRequest) -> Centre:
    """The same with each kind of destination."""
    found: Centre = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def refused() -> Callable[..., Any]:
    """`with refused(code, words)`: an error of that code whose message has the words."""
    from contextlib import contextmanager

    from arteriole.app.errors import ArterioleError

    @contextmanager
    def expect(code: str, words: str = "") -> Iterator[None]:
        with pytest.raises(ArterioleError, match=words or None) as raised:
            yield
        assert raised.value.code == code, raised.value

    return expect
