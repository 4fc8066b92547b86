"""What the chain proves of an attempt: closed manifests, and archives that have the very same."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.archive.archive import Archive, Destination
from arteriole.archive.clean import bin
from arteriole.archive.clean.case import PARTS, Case
from arteriole.archive.destinations import open_destination
from arteriole.archive.holding import HeldFile, Holding, merged, require_same_files
from arteriole.checksum.digests import FileDigest, digest_text
from arteriole.checksum.errors import ManifestError, listed
from arteriole.checksum.listing import FoundFile, list_files
from arteriole.checksum.manifest import Manifest, read_manifest
from arteriole.checksum.units import RESULTS, Unit, list_units
from arteriole.checksum.volumes import KINDS, stems
from arteriole.policy.policy import Policy, Subject
from arteriole.policy.settings import DataKind

#: What to do about files that came later, or are gone.
IN_PLACE = "digest what came later (st2 run arteria.addendum), archive it, find what is gone"
IN_A_BIN = "take out what came later, or move data back and archive it all; find what is gone"


@dataclass
class Proof:
    """`manifests`: BLAKE3 by name; `archives`: of each copy that counts, what its record says.

    `lacking` tells of each other destination why it does not count.
    """

    manifests: dict[str, str]
    archives: dict[str, dict[str, str]] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return {"manifests": self.manifests, "archives": self.archives}


@dataclass(frozen=True)
class Claim:
    """What an archive has to have, to be a copy of it.

    Attributes:
        holding: all files as the manifests have them, whether or not they are still here.
        here: names and sizes of those that are; of what is half emptied, none.
        archive: where a destination would have it.
    """

    holding: Holding
    here: Sequence[tuple[str, int]]
    archive: Callable[[Destination], Archive]


def claims_of(case: Case, kind: DataKind) -> dict[str, Claim]:
    """One of both parts of the data, or one of each unit of results, by its name.

    Raises:
        ManifestError: a manifest is missing or of no use, or the files that are here, in their
            place or in a bin, are not those of the manifests.
        ChecksumError: the folder has what cannot be a unit of results, or cannot be read.
    """
    if kind is DataKind.RESULTS:
        return _of_units(case)
    holding = _of_data(case)
    here: list[tuple[str, int]] = []
    for folder in _folders(case, kind):
        found = list_files(folder, without_own=kind is DataKind.RAW)
        here += _required(found, case, holding, PARTS[kind], folder)
    return {"": Claim(holding, here, lambda place: place.data(case.run, case.attempt))}


def manifests_of(claims: Mapping[str, Claim]) -> dict[str, str]:
    """BLAKE3 of each; those of units by `results/<unit>.<kind>`."""
    return {
        f"{RESULTS}/{unit}{name.removeprefix(RESULTS)}" if unit else name: manifest.digest
        for unit, claim in claims.items()
        for name, manifest in claim.holding.manifests.items()
    }


def prove(
    case: Case,
    claims: Mapping[str, Claim],
    policy: Policy,
    subjects: Sequence[Subject],
    kind: DataKind,
) -> Proof:
    """Each destination is looked at; what cannot be reached does not count.

    NB: no two jobs write the same archive.json, so two that are the same are of one archive, by
    whatever mounts, links or addresses it was reached.
    """
    proof = Proof(manifests_of(claims))
    seen: dict[str, str] = {}
    for name, parameters in case.destinations.items():
        try:
            records = _records(open_destination(parameters), claims)
        except ArterioleError as err:
            proof.lacking.append(f"{name}: {err}")
            continue
        digests = [_digest(record) for record in records]
        if same := next((seen[one] for one in digests if one in seen), None):
            proof.lacking.append(
                f"{name}: its archive.json is that of {same}: one place under two names, or a copy"
                " that no job of the archive has made"
            )
        elif not policy.strictest(subjects, kind, ".".join(("archive", name))).allowed:
            proof.lacking.append(f"{name}: by the policy {kind} data should not be there")
        else:
            seen |= dict.fromkeys(digests, name)
            finished = max(str(record.get("finished", "")) for record in records)
            proof.archives[name] = {"record": _digest(records), "finished": finished}
    return proof


def _records(destination: Destination, claims: Mapping[str, Claim]) -> list[dict[str, Any]]:
    """What each is archived with; ArterioleError if one is not."""
    records = []
    for unit, claim in claims.items():
        try:
            records.append(_record(claim.archive(destination), claim))
        except ArterioleError as err:
            raise ManifestError(f"{unit}: {err}" if unit else str(err)) from err
    return records


def _digest(document: Any) -> str:
    return digest_text(json.dumps(document, sort_keys=True).encode())


def _record(archive: Archive, claim: Claim) -> dict[str, Any]:
    if not archive.is_complete():
        raise ManifestError("it is not archived there")
    record = archive.record()
    manifests = claim.holding.manifests
    if record.get("manifests") != {name: one.digest for name, one in manifests.items()}:
        raise ManifestError("its archive.json has other manifests than are here")
    parts = dict.fromkeys(file.part for file in claim.holding.files)
    sizes = {f"{part}/{file.name}": file.size for part in parts for file in archive.found(part)}
    for name, size in claim.here:
        if sizes.get(name, size) != size:
            raise ManifestError(f"{name} has another size there than here")
    archive.recorded(_sized(claim.holding, sizes))
    return record


def _folders(case: Case, kind: DataKind) -> list[Path]:
    """Where it is, as a whole: what is half emptied was looked at before that began."""
    if case.is_in_place:
        return [case.source(kind)]
    return [entry.data for entry in bin.entries(case, kind) if entry.is_full()]


def _of_data(case: Case) -> Holding:
    files: list[HeldFile] = []
    manifests: dict[str, Manifest] = {}
    for kind in (DataKind.RAW, DataKind.FASTQ):
        part = PARTS[kind]
        names = stems(case.manifests, part) or [part]
        holding = _holding(part, case.source(kind), case.manifests, {name: name for name in names})
        files += holding.files
        manifests |= holding.manifests
    return Holding(files, manifests)


def _of_units(case: Case) -> dict[str, Claim]:
    """NB: those in a bin are the ones that were moved there; of a bin half of them may be gone."""
    units = list_units(case.source(DataKind.RESULTS)) if case.is_in_place else _in_bins(case)
    claims = {}
    here: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for unit in units:
        folder = case.manifests / RESULTS
        holding = _holding(RESULTS, unit.folder, folder, {unit.name: RESULTS})
        if unit.folder.is_dir():  # else it is half emptied
            here[unit.name] += _required(unit.files, case, holding, RESULTS, unit.folder)
        archive = _archive_of(case, unit.name, holding)
        claims[unit.name] = Claim(holding, here[unit.name], archive)
    if not claims:
        raise ManifestError("there is no unit of results")
    return claims


def _in_bins(case: Case) -> list[Unit]:
    found = []
    for entry in bin.entries(case, DataKind.RESULTS):
        names, whole = entry.units(), entry.is_full()
        there = {path.name for path in entry.data.iterdir()} if whole else set()
        if foreign := sorted(there - set(names)):
            raise ManifestError(
                f"{entry.data} has units that were not moved there: {listed(foreign)}",
                hint="take them out of the bin",
            )
        for name in names:
            files = list_files(entry.data / name) if whole else []
            found.append(Unit(name, entry.data / name, files))
    return found


def _archive_of(case: Case, unit: str, holding: Holding) -> Callable[[Destination], Archive]:
    return lambda place: place.unit(case.run, case.attempt, unit, holding)


def _holding(part: str, source: Path, folder: Path, stems: Mapping[str, str]) -> Holding:
    """By the pairs of manifests in `folder`, each under the name that an archive has it by."""
    manifests: dict[str, Manifest] = {}
    pairs = []
    for stem, name in stems.items():
        md5, blake3 = (read_manifest(folder / f"{stem}.{kind}") for kind in KINDS)
        require_same_files(md5, blake3)
        manifests |= {f"{name}.md5": md5, f"{name}.blake3": blake3}
        pairs.append((md5, blake3))
    md5, blake3 = merged(pairs)
    files = [
        HeldFile(
            part,
            source,
            FoundFile(name, 0, 0),
            FileDigest(name, 0, md5.digests[name], blake3.digests[name]),
        )
        for name in sorted(md5.digests)
    ]
    return Holding(files, manifests)


def _required(
    found: Iterable[FoundFile], case: Case, holding: Holding, part: str, folder: Path
) -> list[tuple[str, int]]:
    """`found` by their names in the archive, with sizes."""
    there = {file.name: file.size for file in found}
    names = {file.digest.name for file in holding.files if file.part == part}
    if differing := sorted(names ^ there.keys()):
        raise ManifestError(
            f"the files of {folder} are not those of its manifests: {listed(differing)}",
            hint=IN_PLACE if case.is_in_place else IN_A_BIN,
        )
    return [(f"{part}/{name}", size) for name, size in there.items()]


def _sized(holding: Holding, sizes: dict[str, int]) -> Holding:
    """With the sizes that the archive has; a file that it has not is of another size than any."""
    files = [
        replace(file, digest=replace(file.digest, size=sizes.get(file.name, -1)))
        for file in holding.files
    ]
    return Holding(files, holding.manifests)
