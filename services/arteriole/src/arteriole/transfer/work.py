"""The worker of a transfer job: send, verify on the far side, rename, ready link.

Whatever was done by an earlier start is found and not done again.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from arteriole.checksum.errors import ManifestError, listed
from arteriole.checksum.listing import FoundFile, list_files
from arteriole.checksum.manifest import Manifest, read_manifest
from arteriole.checksum.volumes import stems
from arteriole.jobs.exclusive import exclusive
from arteriole.jobs.worker import Task, main, note, require_tool
from arteriole.policy.gate import ask
from arteriole.transfer.cluster import Cluster, Difference, Found, no_folder, not_verified
from arteriole.transfer.errors import TransferError, late_files, source_changed
from arteriole.transfer.excludes import Choice, choose
from arteriole.transfer.parts import SentPart
from arteriole.transfer.settings import Destination


def work(task: Task) -> dict[str, Any]:
    """`{part, files, bytes, left_out, destination, path, manifest, already, resent}`.

    `files` and `bytes` are there and verified. `left_out` (`{files, bytes, patterns}`) stayed here,
    by the destination's excludes, and nothing is said of it. `already`: the rest was there and is
    as it should be. `resent`: the files that had to be sent again, because the far side had them
    otherwise.
    """
    name, part = task.parameters["name"], _part(task)
    ask(task.parameters)
    with exclusive(task, f"{name}/{task.run}.{part.folder(task.attempt)}"):
        return _work(task, part, Destination.model_validate(task.parameters["destination"]))


def observe(task: Task) -> dict[str, Any]:
    """`{part, destination, to}`, and if the folder is here `{files, bytes, left_out}`.

    A cluster behind ssh is not asked.

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
    part = _part(task)
    would = {
        "part": part.value,
        "destination": task.parameters["name"],
        "to": f"{destination.path}/{task.run}/{part.folder(task.attempt)}",
    }
    source = Path(task.parameters[part])
    if not source.is_dir():
        return would
    return would | _counts(_chosen(task, destination, _list(source, part)), destination, part)


def _part(task: Task) -> SentPart:
    """A job of an earlier version names none."""
    return SentPart(task.parameters.get("part", SentPart.FASTQ))


def _work(task: Task, part: SentPart, destination: Destination) -> dict[str, Any]:
    source = Path(task.parameters[part])
    whole = _manifests(Path(task.parameters["manifest"]), part)
    choice = _chosen(task, destination, _files(source, whole[0], part))
    names = {found.name for found in choice.sent}
    manifests = [_of(names, one) for one in whole]
    counts = _counts(choice, destination, part)
    cluster = Cluster(task, destination, part, manifests)
    found = cluster.look()
    resent: list[str] = []
    if found.difference.names:
        raise _differs(task, part, destination, names, found.difference.names)
    if not found.final:
        resent = _Sending(task, cluster, source, choice.sent).send(found)
    if not found.published:
        cluster.publish()
    task.progress(counts["bytes"], counts["bytes"], "bytes")
    return {
        "part": part.value,
        **counts,
        "destination": task.parameters["name"],
        "path": f"{destination.path}/{task.run}/{cluster.final}",
        "manifest": manifests[0].digest,
        "already": found.final,
        "resent": resent,
    }


def _differs(
    task: Task, part: SentPart, destination: Destination, names: set[str], differing: list[str]
) -> TransferError:
    """Why what is there is not what is to be there: `names`, of which `differing` are not.

    NB: it may be as it was before an addendum came; that is looked for from the newest on.
    """
    path = Path(task.parameters["manifest"])
    there = f"{destination.path}/{task.run}/{part.folder(task.attempt)}"
    addenda = len(stems(path.parent, part)) - 1
    while differing == [part.manifest] and addenda > 0:
        addenda -= 1
        earlier = [_of(names, one) for one in _manifests(path, part, addenda)]
        differing = Cluster(task, destination, part, earlier).look().difference.names
        if not differing:
            return late_files(sorted(names - earlier[0].digests.keys()), there)
    return not_verified(
        differing, there, "it is left as it is: find out what changed it, move it away, then retry"
    )


def _of(names: Collection[str], manifest: Manifest) -> Manifest:
    """What `manifest` says of `names`."""
    digests = {name: digest for name, digest in manifest.digests.items() if name in names}
    return Manifest(manifest.path, digests)


def _manifests(path: Path, part: SentPart, addenda: int | None = None) -> list[Manifest]:
    """That of MD5 at `path`, and that of BLAKE3 if it is beside it.

    Args:
        addenda: of a run folder; only so many are taken, else all.
    """
    late = stems(path.parent, part)[1:][:addenda]
    paths = [path, *filter(Path.exists, [path.with_suffix(".blake3")])]
    found = [_with_addenda(one, late) for one in paths]
    names = [one.digests.keys() for one in found]
    if differing := sorted(names[0] ^ names[-1]):
        raise ManifestError(f"{paths[0]} and {paths[-1]} list different files: {listed(differing)}")
    return found


def _with_addenda(path: Path, late: list[str]) -> Manifest:
    """The one at `path`, with what came into a run folder after it was closed."""
    paths = [path, *(path.with_name(name + path.suffix) for name in late)]
    every = [read_manifest(one) for one in paths]
    return Manifest(path, {name: digest for one in every for name, digest in one.digests.items()})


def _list(source: Path, part: SentPart) -> list[FoundFile]:
    return list_files(source, without_own=part is SentPart.RUNFOLDER)


def _files(source: Path, manifest: Manifest, part: SentPart) -> list[FoundFile]:
    """What is here; TransferError if these are not the files of `manifest`."""
    files = _list(source, part)
    names = {found.name for found in files}
    differing = sorted(names ^ manifest.digests.keys())
    ours = names & {part.manifest, f"{part}.blake3"}
    if differing or not names or ours:
        what = listed(differing) or (f"{listed(ours)} is among them" if names else "it is empty")
        raise source_changed(f"{source} are not those that {manifest.path} lists: {what}", part)
    return files


def _chosen(task: Task, destination: Destination, files: list[FoundFile]) -> Choice:
    """What of `files` is sent; TransferError if nothing is."""
    part = _part(task)
    choice = choose(files, destination.excludes.of(part))
    name = task.parameters["name"]
    if choice.left_out and not choice.sent:
        raise TransferError(
            f"of the {part} the excludes of {name} leave out all {len(files)} files",
            code="transfer.excludes_all",
            hint="correct excludes in arteriole.yaml, start the service anew, then retry",
        )
    if choice.unused:
        task.remark(
            "transfer.excludes_nothing",
            f"of the {part} no file fits these excludes of {name}: {listed(choice.unused)}",
            "correct excludes in arteriole.yaml if such files were to stay here",
        )
    return choice


def _counts(choice: Choice, destination: Destination, part: SentPart) -> dict[str, Any]:
    return {
        "files": len(choice.sent),
        "bytes": _size(choice.sent),
        "left_out": {
            "files": len(choice.left_out),
            "bytes": _size(choice.left_out),
            "patterns": destination.excludes.of(part),
        },
    }


def _size(files: Iterable[FoundFile]) -> int:
    return sum(found.size for found in files)


@dataclass(frozen=True)
class _Sending:
    """The files on their way to the partial folder."""

    task: Task
    cluster: Cluster
    source: Path
    files: list[FoundFile]

    def send(self, found: Found) -> list[str]:
        """Send until the far side has what the manifest says; the files that went twice."""
        if found.begun:
            self._clear()
        self._tell(found.size)
        self.cluster.send(self.source, self.files, found, self._tell)
        difference = self.cluster.verify()
        if difference.names:
            note(f"sent again: {listed(difference.names)}")
            self._send_again(difference)
        return difference.names

    def _send_again(self, difference: Difference) -> None:
        wanted = set(difference.names)
        again = [one for one in self.files if one.name in wanted or not difference.named]
        self._clear()
        there = Found(begun=True, size=self._total - _size(again))
        if again:
            self.cluster.send(self.source, again, there, self._tell, compare=True)
        names = self.cluster.verify().names
        if names:
            raise not_verified(
                names,
                self.cluster.partial,
                "they differ after sending twice: check the files here (checksum stage), then"
                " the disk there",
            )

    def _clear(self) -> None:
        self.cluster.clear([found.name for found in self.files])

    def _tell(self, there: int) -> None:
        self.task.progress(min(there, self._total), self._total, "bytes")

    @cached_property
    def _total(self) -> int:
        return _size(self.files)


if __name__ == "__main__":
    main(work, observe)
