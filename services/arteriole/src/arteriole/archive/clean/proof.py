"""What the chain proves of an attempt: closed manifests, and archives that have the very same."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arteriole.app.errors import ArterioleError
from arteriole.archive.clean.case import PARTS, Case
from arteriole.archive.destinations import open_destination
from arteriole.archive.holding import HeldFile, Holding, merged, require_same_files
from arteriole.checksum.digests import FileDigest, digest_text
from arteriole.checksum.errors import ManifestError, listed
from arteriole.checksum.listing import FoundFile, list_files
from arteriole.checksum.manifest import Manifest, read_manifest
from arteriole.checksum.volumes import KINDS, stems
from arteriole.policy.policy import Policy, Subject
from arteriole.policy.settings import DataKind


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


def recorded(case: Case) -> Holding:
    """All files of both parts as the manifests have them, whether or not they are still here.

    Raises:
        ManifestError: one is missing, or of no use.
    """
    files: list[HeldFile] = []
    manifests: dict[str, Manifest] = {}
    for kind, part in PARTS.items():
        pairs = []
        for stem in stems(case.manifests, part) or [part]:
            md5, blake3 = (read_manifest(case.manifests / f"{stem}.{k}") for k in KINDS)
            require_same_files(md5, blake3)
            manifests |= {f"{stem}.md5": md5, f"{stem}.blake3": blake3}
            pairs.append((md5, blake3))
        all_md5, all_blake3 = merged(pairs)
        source = case.source(kind)
        files += [
            HeldFile(
                part,
                source,
                FoundFile(name, 0, 0),
                FileDigest(name, 0, all_md5.digests[name], all_blake3.digests[name]),
            )
            for name in sorted(all_md5.digests)
        ]
    return Holding(files, manifests)


def require_here(case: Case, kind: DataKind, holding: Holding) -> list[FoundFile]:
    """The files that are here; ManifestError if they are not those that the manifests list."""
    found = list_files(case.source(kind), without_own=kind is DataKind.RAW)
    names = {file.digest.name for file in holding.files if file.part == PARTS[kind]}
    differing = sorted(names ^ {file.name for file in found})
    if differing:
        raise ManifestError(
            f"the files of {case.source(kind)} are not those of its manifests: {listed(differing)}",
            hint="digest what came later (st2 run arteria.addendum), archive it, find what is gone",
        )
    return found


def prove(
    case: Case,
    holding: Holding,
    policy: Policy,
    subjects: Sequence[Subject],
    kind: DataKind,
    here: Sequence[FoundFile],
) -> Proof:
    """Each destination is looked at; what cannot be reached does not count."""
    sizes = {f"{PARTS[kind]}/{file.name}": file.size for file in here}
    proof = Proof({name: manifest.digest for name, manifest in holding.manifests.items()})
    places: set[str] = set()
    for name, parameters in case.destinations.items():
        try:
            where, record = _record(case, holding, parameters, proof.manifests, sizes)
        except ArterioleError as err:
            proof.lacking.append(f"{name}: {err}")
            continue
        if where in places:
            proof.lacking.append(f"{name}: it is the place of another destination")
        elif not policy.strictest(subjects, kind, ".".join(("archive", name))).allowed:
            proof.lacking.append(f"{name}: by the policy {kind} data should not be there")
        else:
            places.add(where)
            digest = digest_text(json.dumps(record, sort_keys=True).encode())
            proof.archives[name] = {"record": digest, "finished": str(record.get("finished", ""))}
    return proof


def _record(
    case: Case,
    holding: Holding,
    parameters: dict[str, Any],
    manifests: dict[str, str],
    here: dict[str, int],
) -> tuple[str, dict[str, Any]]:
    archive = open_destination(parameters).data(case.run, case.attempt)
    if not archive.is_complete():
        raise ManifestError("it is not archived there")
    record = archive.record()
    if record.get("manifests") != manifests:
        raise ManifestError("its archive.json has other manifests than are here")
    sizes = {f"{part}/{f.name}": f.size for part in PARTS.values() for f in archive.found(part)}
    for name in here.keys() & sizes.keys():
        if here[name] != sizes[name]:
            raise ManifestError(f"{name} has another size there than here")
    archive.recorded(_sized(holding, sizes))
    where = Path(archive.where)
    return str(where.resolve() if where.is_absolute() else where), record


def _sized(holding: Holding, sizes: dict[str, int]) -> Holding:
    """With the sizes that the archive has; a file that it has not is of another size than any."""
    files = [
        replace(file, digest=replace(file.digest, size=sizes.get(file.name, -1)))
        for file in holding.files
    ]
    return Holding(files, holding.manifests)
