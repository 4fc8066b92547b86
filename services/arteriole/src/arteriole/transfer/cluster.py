"""The far side of a transfer: looks, receives, verifies, publishes."""

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arteriole.checksum.errors import listed
from arteriole.checksum.listing import FoundFile
from arteriole.checksum.manifest import Manifest
from arteriole.jobs.ssh import script_command
from arteriole.jobs.worker import OUTPUT_LIMIT, Finished, Task, note
from arteriole.transfer import scripts
from arteriole.transfer.errors import TransferError, explain, no_access
from arteriole.transfer.parts import SentPart
from arteriole.transfer.rsync import names_text, send_command
from arteriole.transfer.settings import Destination
from arteriole.transfer.shares import share_out
from arteriole.transfer.streams import run_streams

_FAILED = re.compile(r"(?:(.+): FAILED(?: open or read| \(.+\))?|surplus: \./(.+))")
_LOOKED = re.compile(r"arteriole: (final|published|(?:new|begun) ([0-9]+))")


@dataclass(frozen=True)
class Difference:
    """The files that are not as the manifest has them; perhaps there are others, not `named`."""

    names: list[str]
    named: bool = True


@dataclass(frozen=True)
class Found:
    """What is there of what is sent.

    Attributes:
        final: all of it.
        published: the ready link, too.
        begun: an earlier start left something, or nothing, in the partial folder.
        size: the bytes of what it left.
        difference: of the final folder.
    """

    final: bool = False
    published: bool = False
    begun: bool = False
    size: int = 0
    difference: Difference = Difference([])


class Cluster:
    """`destination` as the place of one part of one run.

    It is `final`; while it is sent it lies, under that name, in the folder `partial`.

    It is to be as `manifests` have it: that of MD5, and perhaps that of BLAKE3.

    `limit` is asked for the KiB/s that may be sent now; by default it is the destination's.
    """

    def __init__(
        self,
        task: Task,
        destination: Destination,
        part: SentPart,
        manifests: Sequence[Manifest],
        limit: Callable[[], int | None] | None = None,
    ) -> None:
        self._task = task
        self._destination = destination
        self._limit = limit or destination.limit_now
        self._timeout: float = task.parameters["timeout"]
        self._part, self._manifests = part, manifests
        self.final = part.folder(task.attempt)
        self.partial = f".{self.final}.partial"

    def look(self) -> Found:
        """What is there; if it is the final folder, compared with the manifests.

        If that is not there, the partial one is, from now on.

        NB: whatever an earlier start has left running there can write to it no more.
        """
        doing = "looking at the destination"
        texts = [manifest.text for manifest in self._manifests]
        digests = [hashlib.md5(text, usedforsecurity=False).hexdigest() for text in texts]
        words = (*self._comparing, *digests)
        done = self._script(doing, scripts.LOOK, *words, accepted=(0, scripts.DIFFERS))
        for match in map(_LOOKED.fullmatch, done.output.split("\n")):
            if match is not None:
                what, size = match[1].split()[0], int(match[2] or 0)
                return self._found(what, size, self._difference(done, doing))
        raise explain(done, doing, over_ssh=self._over_ssh)

    def _found(self, what: str, size: int, difference: Difference) -> Found:
        published = what == "published"
        final = published or what == "final"
        return Found(final, published, what == "begun", size, difference)

    @property
    def _comparing(self) -> tuple[str, str]:
        return str(self._destination.digesters), self._part.value

    def send(
        self,
        source: Path,
        files: Sequence[FoundFile],
        found: Found,
        tell: Callable[[int], None],
        *,
        compare: bool = False,
    ) -> None:
        """Send `files` of `source` to the partial folder, where `found` is.

        They are sent in streams, which begin anew where they were whenever the limit changes.

        Args:
            tell: is given the bytes that are there.
        """
        deadline = time.monotonic() + self._timeout
        shares = share_out(files, self._destination.streams)
        parent = self._parent(source)
        while True:
            limit = self._limit()
            done = run_streams(
                self._task,
                self._send_commands(parent, shares, limit, compare=compare),
                deadline=deadline,
                tell=_beside(found.size, tell),
                over=self._other_than(limit),
            )
            if done is not None:
                break
            note("the limit has changed")
            found = self.look()
        if done.exit_code != 0:
            raise explain(done, "sending with rsync", over_ssh=self._over_ssh)

    def _other_than(self, limit: int | None) -> Callable[[], bool]:
        return lambda: self._limit() != limit

    def _parent(self, source: Path) -> Path:
        """A folder in which `source` is called as it is there."""
        link = self._task.folder.path / self.final
        link.unlink(missing_ok=True)
        link.symlink_to(source)
        return link.parent

    def _send_commands(
        self, parent: Path, shares: list[list[FoundFile]], limit: int | None, *, compare: bool
    ) -> list[list[str]]:
        commands = []
        for number, share in enumerate(shares, start=1):
            names = self._task.folder.path / f"stream-{number}"
            names.write_bytes(names_text([f"{self.final}/{found.name}" for found in share]))
            commands.append(
                send_command(
                    self._task.parameters["rsync"],
                    self._task.parameters["ssh"],
                    self._destination,
                    parent,
                    f"{self._task.run}/{self.partial}",
                    names,
                    limit=None if limit is None else max(1, limit // len(shares)),
                    compare=compare,
                )
            )
        return commands

    def clear(self, names: Sequence[str]) -> None:
        """Remove from the partial folder whatever is none of `names`."""
        self._script(
            "clearing the partial folder", scripts.CLEAR, input_bytes=names_text(sorted(names))
        )

    def verify(self) -> Difference:
        """Compare the partial folder with the manifests, which are put there."""
        doing = "verifying at the destination"
        done = self._script(
            doing,
            scripts.VERIFY,
            *self._comparing,
            input_bytes=b"".join(manifest.text for manifest in self._manifests),
            accepted=(0, scripts.DIFFERS),
        )
        return self._difference(done, doing)

    def _difference(self, done: Finished, doing: str) -> Difference:
        if done.exit_code == 0:
            return Difference([])
        matches = map(_FAILED.fullmatch, done.output.split("\n"))
        names = sorted({match[1] or match[2] for match in matches if match})
        if not names:
            raise explain(done, doing, over_ssh=self._over_ssh)
        return Difference(names, named=len(done.output.encode()) < OUTPUT_LIMIT)

    def publish(self) -> None:
        """Give the partial folder group and modes, rename it, make the ready link."""
        destination = self._destination
        self._script(
            "publishing at the destination",
            scripts.PUBLISH,
            destination.group or "",
            destination.file_mode or "",
            destination.directory_mode or "",
        )

    @property
    def _over_ssh(self) -> bool:
        return self._destination.host is not None

    def _script(
        self,
        doing: str,
        script: str,
        *words: str,
        input_bytes: bytes = b"",
        accepted: tuple[int, ...] = (0,),
    ) -> Finished:
        command = script_command(
            self._task.parameters["ssh"],
            self._destination,
            script,
            str(self._destination.path),
            self._task.run,
            self.final,
            *words,
        )
        done = self._task.command(command, timeout=self._timeout, input_bytes=input_bytes)
        if done.exit_code == scripts.NO_FOLDER:
            raise no_folder(doing, self._destination)
        if done.exit_code == scripts.NO_ACCESS:
            raise no_access(done, doing)
        if done.exit_code not in accepted:
            raise explain(done, doing, over_ssh=self._over_ssh)
        return done


def _beside(there: int, tell: Callable[[int], None]) -> Callable[[int], None]:
    return lambda sent: tell(there + sent)


def no_folder(doing: str, destination: Destination) -> TransferError:
    return TransferError(
        f"{doing}: {destination.path} is not there",
        code="transfer.no_folder",
        hint="make the folder, or mount the file system; it is not made by itself",
    )


def not_verified(names: list[str], folder: str, hint: str) -> TransferError:
    return TransferError(
        f"at the destination, {folder} is not as the manifest has it: {listed(names)}",
        code="transfer.verify",
        hint=hint,
    )
