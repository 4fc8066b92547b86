"""The worker of a transfer job: send, verify on the far side, rename, ready link.

Whatever was done by an earlier start is found and not done again.
"""

from pathlib import Path
from typing import Any

from arteriole.checksum.errors import listed
from arteriole.checksum.listing import list_files
from arteriole.checksum.manifest import Manifest, read_manifest
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task, main, note, require_tool
from arteriole.policy.gate import ask_again
from arteriole.transfer.cluster import Cluster, no_folder, not_verified
from arteriole.transfer.errors import TransferError
from arteriole.transfer.settings import Destination


def work(task: Task) -> dict[str, Any]:
    """`{files, bytes, destination, path, manifest, already, resent}`.

    `already`: the attempt was there and is as it should be. `resent`: the files that had to be
    sent again, because the far side had them otherwise.
    """
    name = task.parameters["name"]
    ask_again(task.parameters)
    with exclusive(task, f"{name}/{task.run}.{task.attempt}"):
        return _work(task, Destination.model_validate(task.parameters["destination"]))


def observe(task: Task) -> dict[str, Any]:
    """`{destination, to}`; a cluster behind ssh is not asked.

    Raises:
        TransferError: the folder of a mounted destination is not there.
        WorkError: rsync or ssh is not installed.
    """
    ask_again(task.parameters, observe=True)
    destination = Destination.model_validate(task.parameters["destination"])
    tools = ("rsync", "ssh") if destination.host is not None else ("rsync",)
    for tool in tools:
        require_tool(task.parameters[tool])
    if destination.host is None and not destination.path.is_dir():
        raise no_folder("looking at the destination", destination)
    return {
        "destination": task.parameters["name"],
        "to": f"{destination.path}/{task.run}/attempt-{task.attempt}",
    }


def _work(task: Task, destination: Destination) -> dict[str, Any]:
    source = Path(task.parameters["fastq"])
    manifest = read_manifest(Path(task.parameters["manifest"]))
    total = _size(source, manifest)
    cluster = Cluster(task, destination)
    already = cluster.has_attempt()
    resent: list[str] = []
    if already:
        _require_final(cluster, manifest, f"{destination.path}/{task.run}")
    else:
        resent = _send(task, cluster, source, manifest, total)
    cluster.publish()
    task.progress(total, total, "bytes")
    return {
        "files": len(manifest.digests),
        "bytes": total,
        "destination": task.parameters["name"],
        "path": f"{destination.path}/{task.run}/{cluster.final}",
        "manifest": manifest.digest,
        "already": already,
        "resent": resent,
    }


def _size(source: Path, manifest: Manifest) -> int:
    """Bytes to send; TransferError if the files of `source` are not those of `manifest`."""
    files = list_files(source)
    names = {found.name for found in files}
    differing = sorted(names ^ manifest.digests.keys())
    if differing or not names or "fastq.md5" in names:
        what = listed(differing) or ("fastq.md5 is among them" if names else "it is empty")
        raise TransferError(
            f"the files of {source} are not those that {manifest.path} lists: {what}",
            code="transfer.source_changed",
            hint="an attempt never changes: redo the run from convert",
        )
    return sum(found.size for found in files)


def _require_final(cluster: Cluster, manifest: Manifest, where: str) -> None:
    names = cluster.differing(manifest.text, cluster.final)
    if names:
        raise not_verified(
            names,
            f"{where}/{cluster.final}",
            "it is left as it is: find out what changed it, move it away, then retry",
        )


def _send(task: Task, cluster: Cluster, source: Path, manifest: Manifest, total: int) -> list[str]:
    """Send until the far side has what the manifest says; the files that went twice."""

    def tell(sent: int) -> None:
        task.progress(min(sent, total), total, "bytes")

    tell(0)
    cluster.send(source, tell)
    resent = cluster.differing(manifest.text, cluster.partial)
    if resent:
        note(f"sent again: {listed(resent)}")
        cluster.send(source, tell, compare=True)
        names = cluster.differing(manifest.text, cluster.partial)
        if names:
            raise not_verified(
                names,
                cluster.partial,
                "they differ after sending twice: check the FASTQs here (checksum stage), then"
                " the disk there",
            )
    return resent


if __name__ == "__main__":
    main(work, observe)
