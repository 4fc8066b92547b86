"""The far side of a transfer: looks, receives, verifies, publishes."""

import re
from collections.abc import Callable
from pathlib import Path

from arteriole.checksum.errors import listed
from arteriole.jobs.ssh import script_command
from arteriole.jobs.worker import Finished, Task
from arteriole.transfer import scripts
from arteriole.transfer.errors import TransferError, explain
from arteriole.transfer.rsync import bytes_sent, send_command
from arteriole.transfer.settings import Destination

_FAILED = re.compile(r"(?:(.+): FAILED(?: open or read)?|surplus: \./(.+))")


class Cluster:
    """`destination` as the place of one attempt of one run."""

    def __init__(self, task: Task, destination: Destination) -> None:
        self._task = task
        self._destination = destination
        self._timeout: float = task.parameters["timeout"]
        self.final = f"attempt-{task.attempt}"
        self.partial = f".attempt-{task.attempt}.partial"

    def has_attempt(self) -> bool:
        """True if the attempt is there; else its partial folder is, from now on."""
        done = self._script("looking at the destination", scripts.LOOK)
        return "arteriole: final" in done.output.splitlines()

    def send(self, source: Path, tell: Callable[[int], None], *, compare: bool = False) -> None:
        """Send `source` to the partial folder; `tell` is given the bytes sent so far."""

        def watch(line: str) -> bool:
            count = bytes_sent(line)
            if count is not None:
                tell(count)
            return count is not None

        done = self._task.command(
            send_command(
                self._task.parameters["rsync"],
                self._task.parameters["ssh"],
                self._destination,
                source,
                f"{self._task.run}/{self.partial}",
                compare=compare,
            ),
            timeout=self._timeout,
            environment={"LC_ALL": "C.UTF-8"},
            watch=watch,
        )
        if done.exit_code != 0:
            raise explain(done, "sending with rsync", over_ssh=self._over_ssh)

    def differing(self, manifest: bytes, folder: str) -> list[str]:
        """The files in `folder` that are not as `manifest` (md5sum's format) has them.

        The partial folder is given the manifest, a final one must have it.
        """
        done = self._script(
            "verifying at the destination",
            scripts.VERIFY,
            folder,
            "write" if folder == self.partial else "compare",
            input_bytes=manifest,
            accepted=(0, scripts.DIFFERS),
        )
        if done.exit_code == 0:
            return []
        matches = map(_FAILED.fullmatch, done.output.splitlines())
        names = sorted({match[1] or match[2] for match in matches if match})
        if not names:
            raise explain(done, "verifying at the destination", over_ssh=self._over_ssh)
        return names

    def publish(self) -> None:
        """Rename the partial folder, make the ready link."""
        self._script("publishing at the destination", scripts.PUBLISH)

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
            str(self._task.attempt),
            *words,
        )
        done = self._task.command(command, timeout=self._timeout, input_bytes=input_bytes)
        if done.exit_code == scripts.NO_FOLDER:
            raise no_folder(doing, self._destination)
        if done.exit_code not in accepted:
            raise explain(done, doing, over_ssh=self._over_ssh)
        return done


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
