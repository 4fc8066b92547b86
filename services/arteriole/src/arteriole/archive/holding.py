"""What is to be archived, as the four manifests have it."""

from dataclasses import dataclass
from pathlib import Path

from arteriole.archive.errors import ArchiveError
from arteriole.checksum.digests import FileDigest
from arteriole.checksum.errors import ManifestError, listed
from arteriole.checksum.listing import FoundFile, list_files
from arteriole.checksum.manifest import Manifest, read_manifest

PARTS = ("runfolder", "fastq")


@dataclass(frozen=True)
class HeldFile:
    """A file of `source`; in the archive it is `<part>/<digest.name>`."""

    part: str
    source: Path
    found: FoundFile
    digest: FileDigest

    @property
    def name(self) -> str:
        return f"{self.part}/{self.digest.name}"


@dataclass(frozen=True)
class Holding:
    files: list[HeldFile]
    manifests: list[Manifest]

    @property
    def size(self) -> int:
        """Bytes of all files, without the manifests."""
        return sum(file.digest.size for file in self.files)


def read_holding(sources: dict[str, Path], manifests: Path) -> Holding:
    """The files of both parts with the digests that they must have.

    Raises:
        ManifestError: a manifest is missing or of no use.
        ArchiveError: a folder has other files than its manifests.
    """
    files: list[HeldFile] = []
    read: list[Manifest] = []
    for part in PARTS:
        md5 = read_manifest(manifests / f"{part}.md5")
        blake3 = read_manifest(manifests / f"{part}.blake3")
        if md5.digests.keys() != blake3.digests.keys():
            differing = sorted(md5.digests.keys() ^ blake3.digests.keys())
            raise ManifestError(
                f"{md5.path} and {blake3.path} list different files: {listed(differing)}",
                hint="restore the manifests from the archive of another attempt or a backup",
            )
        read += [md5, blake3]
        files += _part(part, sources[part], md5, blake3)
    return Holding(files, read)


def _part(part: str, source: Path, md5: Manifest, blake3: Manifest) -> list[HeldFile]:
    found = {file.name: file for file in list_files(source, without_own=part == "runfolder")}
    differing = sorted(found.keys() ^ md5.digests.keys())
    if differing:
        raise ArchiveError(
            f"the files of {source} are not those that {md5.path} lists: {listed(differing)}",
            code="archive.source_changed",
            hint="restore the missing files, move the new ones away; then retry",
        )
    return [
        HeldFile(
            part,
            source,
            file,
            FileDigest(name, file.size, md5.digests[name], blake3.digests[name]),
        )
        for name, file in sorted(found.items())
    ]
