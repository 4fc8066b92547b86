"""The worker of a transfer job: send, verify on the far side, rename, ready link.

Whatever was done by an earlier start is found and not done again.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from arteriole.checksum.errors import listed
from arteriole.checksum.listing import FoundFile, list_files
from arteriole.checksum.manifest import Manifest, read_manifest
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task, main, note, require_tool
from arteriole.policy.gate import ask
from arteriole.transfer.cluster import Cluster, Difference, Found, no_folder, not_verified
from arteriole.transfer.errors import TransferError
from arteriole.transfer.settings import Destination


def work(task: Task) -> dict[str, Any]:
    """`{files, bytes, destination, path, manifest, already, resent}`.

    `already`: the attempt was there and is as it should be. `resent`: the files that had to be
    sent again, because the far side had them otherwise.
    """
    name = task.parameters["name"]
    ask(task.parameters)
    with exclusive(task, f"{name}/{task.run}.{task.attempt}"):
        return _work(task, Destination.model_validate(task.parameters["destination"]))


def observe(task: Task) -> dict[str, Any]:
    """`{destination, to}`; a cluster behind ssh is not asked.

    Raises:
        TransferError: the folder of a mounted destination is not there.
        WorkError: rsync or ssh is not installed.
    """
    ask(task.parameters, observe=True)
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
    files = _files(source, manifest)
    total = sum(found.size for found in files)
    cluster = Cluster(task, destination)
    found = cluster.look()
    resent: list[str] = []
    if found.final:
        _require_final(cluster, manifest, f"{destination.path}/{task.run}")
    else:
        resent = _Sending(task, cluster, source, files, manifest).send(found)
    if not found.published:
        cluster.publish()
    task.progress(total, total, "bytes")
    return {
        "files": len(manifest.digests),
        "bytes": total,
        "destination": task.parameters["name"],
        "path": f"{destination.path}/{task.run}/{cluster.final}",
        "manifest": manifest.digest,
        "already": found.final,
        "resent": resent,
    }


def _files(source: Path, manifest: Manifest) -> list[FoundFile]:
    """What to send; TransferError if the files of `source` are not those of `manifest`."""
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
    return files


def _require_final(cluster: Cluster, manifest: Manifest, where: str) -> None:
    names = cluster.differing(manifest.text, cluster.final).names
    if names:
        raise not_verified(
            names,
            f"{where}/{cluster.final}",
            "it is left as it is: find out what changed it, move it away, then retry",
        )


@dataclass(frozen=True)
class _Sending:
    """The files of an attempt on their way to the partial folder."""

    task: Task
    cluster: Cluster
    source: Path
    files: list[FoundFile]
    manifest: Manifest

    def send(self, found: Found) -> list[str]:
        """Send until the far side has what the manifest says; the files that went twice."""
        if found.begun:
            self.cluster.clear(self.source)
        self._tell(found.size)
        self.cluster.send(self.source, self.files, found, self._tell)
        difference = self._differing()
        if difference.names:
            note(f"sent again: {listed(difference.names)}")
            self._send_again(difference)
        return difference.names

    def _send_again(self, difference: Difference) -> None:
        wanted = set(difference.names)
        again = [one for one in self.files if one.name in wanted or not difference.named]
        self.cluster.clear(self.source)
        there = Found(begun=True, size=self._total - sum(one.size for one in again))
        if again:
            self.cluster.send(self.source, again, there, self._tell, compare=True)
        names = self._differing().names
        if names:
            raise not_verified(
                names,
                self.cluster.partial,
                "they differ after sending twice: check the FASTQs here (checksum stage), then"
                " the disk there",
            )

    def _differing(self) -> Difference:
        return self.cluster.differing(self.manifest.text, self.cluster.partial)

    def _tell(self, there: int) -> None:
        self.task.progress(min(there, self._total), self._total, "bytes")

    @cached_property
    def _total(self) -> int:
        return sum(found.size for found in self.files)


if __name__ == "__main__":
    main(work, observe)
