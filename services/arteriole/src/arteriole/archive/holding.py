"""What is to be archived, as its manifests have it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arteriole.archive.errors import ArchiveError
from arteriole.checksum.digests import FileDigest
from arteriole.checksum.errors import ManifestError, listed
from arteriole.checksum.listing import FoundFile, list_files
from arteriole.checksum.manifest import Manifest, read_manifest
from arteriole.checksum.units import RESULTS, Unit
from arteriole.checksum.volumes import stems

#: The parts of an attempt's data.
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
    """Files, and the manifests that list them by their names in the archive."""

    files: list[HeldFile]
    manifests: dict[str, Manifest]

    @property
    def size(self) -> int:
        """Bytes of all files, without the manifests."""
        return sum(file.digest.size for file in self.files)

    @property
    def digests(self) -> dict[str, str]:
        """BLAKE3 of each manifest, by its name."""
        return {name: manifest.digest for name, manifest in self.manifests.items()}

    def divided(self, number: Callable[[str], int]) -> dict[int, "Holding"]:
        """By what `number` gives for the name of a manifest, each with its files; 0 is always."""
        found = {0: Holding([], {})}
        numbers: dict[str, int] = {}
        for name, manifest in sorted(self.manifests.items(), key=lambda one: number(one[0])):
            of = number(name)
            found.setdefault(of, Holding([], {})).manifests[name] = manifest
            if of:
                part = name.partition(".")[0]
                numbers |= dict.fromkeys((f"{part}/{file}" for file in manifest.digests), of)
        for file in self.files:
            found[numbers.get(file.name, 0)].files.append(file)
        return found


def read_holding(sources: dict[str, Path], manifests: Path) -> Holding:
    """The files of both parts with the digests that they must have.

    Raises:
        ManifestError: a manifest is missing or of no use.
        ArchiveError: a folder has other files than its manifests.
    """
    files: list[HeldFile] = []
    read: dict[str, Manifest] = {}
    for part in PARTS:
        pairs = {stem: _read_pair(manifests, stem) for stem in stems(manifests, part) or [part]}
        for stem, (md5, blake3) in pairs.items():
            read |= {f"{stem}.md5": md5, f"{stem}.blake3": blake3}
        found = list_files(sources[part], without_own=part == "runfolder")
        files += _part(part, sources[part], found, *merged(list(pairs.values())))
    return Holding(files, read)


def read_unit(unit: Unit, manifests: Path) -> Holding:
    """The files of a unit of results; errors as of `read_holding`."""
    md5, blake3 = _read_pair(manifests, unit.name)
    files = _part(RESULTS, unit.folder, unit.files, md5, blake3)
    return Holding(files, {f"{RESULTS}.md5": md5, f"{RESULTS}.blake3": blake3})


def merged(pairs: list[tuple[Manifest, Manifest]]) -> tuple[Manifest, Manifest]:
    """The manifests of a part with all its addenda, under the name of the first."""
    md5, blake3 = (
        Manifest(kind[0].path, {name: hex_ for one in kind for name, hex_ in one.digests.items()})
        for kind in zip(*pairs, strict=True)
    )
    return md5, blake3


def require_same_files(md5: Manifest, blake3: Manifest) -> None:
    """ManifestError if the two list different files."""
    differing = sorted(md5.digests.keys() ^ blake3.digests.keys())
    if differing:
        raise ManifestError(
            f"{md5.path} and {blake3.path} list different files: {listed(differing)}",
            hint="restore the manifests from the archive of another attempt or a backup",
        )


def _read_pair(folder: Path, name: str) -> tuple[Manifest, Manifest]:
    md5 = read_manifest(folder / f"{name}.md5")
    blake3 = read_manifest(folder / f"{name}.blake3")
    require_same_files(md5, blake3)
    return md5, blake3


def _part(
    part: str, source: Path, files: list[FoundFile], md5: Manifest, blake3: Manifest
) -> list[HeldFile]:
    found = {file.name: file for file in files}
    differing = sorted(found.keys() ^ md5.digests.keys())
    if differing:
        raise ArchiveError(
            f"the files of {source} are not those that {md5.path} lists: {listed(differing)}",
            code="archive.source_changed",
            hint="restore the missing files; move the new ones away, or digest those of the run"
            " folder (arteria.addendum); then retry",
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
