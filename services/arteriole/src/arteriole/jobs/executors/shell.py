"""Runs fixed scripts where an executor's files are: here, or on its host by ssh."""

import time

from arteriole.jobs.executors import scripts
from arteriole.jobs.executors.step import KEPT, ExecutorError, StepEnd
from arteriole.jobs.ssh import HOST_KEY, KEY_REFUSED, Host, script_command
from arteriole.jobs.worker import Finished, Task, note

#: Most seconds for one script; moving results may take the longest.
TIMEOUT = 3600.0
#: Seconds between two tries to reach a host.
PAUSE = 10.0
#: ssh's exit code for whatever is its own fault (ssh(1), EXIT STATUS).
SSH_FAILED = 255
#: Longest part of a tool's words that goes into a message.
WORDS = 300

_TOLD = {
    scripts.NO_FOLDER: ("executor.no_folder", "a folder is not there"),
    scripts.NOT_WRITTEN: ("executor.write", "a file cannot be written"),
    scripts.NO_SLURM: ("slurm.unreachable", "Slurm does not answer"),
    scripts.STILL_RUNNING: ("slurm.still_running", "an earlier job of this work does not end"),
    scripts.REFUSED: ("slurm.refused", "sbatch refuses the job"),
}
_HINTS = {
    "executor.no_folder": "make the folder or mount the file system, then retry",
    "executor.write": "check space, quota and permissions there, then retry",
    "slurm.unreachable": "when sinfo answers there: retry; what has run is not run again",
    "slurm.refused": "check the options and sizes of the pipeline's steps, then retry",
    "slurm.still_running": "scancel it, or ask the cluster's administrators; then retry",
    "executor.unreachable": "check host, port and network of the executor, then retry",
    "executor.host_key": "compare with the cluster's administrators before changing known_hosts",
    "executor.key_refused": "check user and identity_file of the executor, and the key's entry"
    " there, then retry",
}


class Shell:
    """The side of `host` that a job's files are on; it may be away for `patience_hours`."""

    def __init__(
        self, task: Task, host: Host, ssh: str = "ssh", patience_hours: float = 0.0
    ) -> None:
        self._task = task
        self._host = host
        self._ssh = ssh
        self._patience = patience_hours * 3600

    def run(
        self,
        script: str,
        *words: str,
        input_bytes: bytes = b"",
        accepted: tuple[int, ...] = (0,),
        quiet: bool = False,
        patient: bool = False,
    ) -> Finished:
        """Run `script` with `words`.

        Args:
            patient: wait for a host that cannot be reached. NB: it may have run by then, and runs
                again.

        Raises:
            ExecutorError: it ended with a code that is not `accepted`.
        """
        since = None
        while True:
            done = self._once(script, words, input_bytes, quiet)
            if done.exit_code in accepted:
                return done
            failure = self._failure(done)
            if not patient or failure.code != "executor.unreachable":
                raise failure
            if since is None:
                note(f"{failure.code}: {failure}; waiting for it")
                since = time.monotonic()
            left = since + self._patience - time.monotonic()
            if left <= 0:
                raise failure
            time.sleep(min(PAUSE, left))

    def _once(
        self, script: str, words: tuple[str, ...], input_bytes: bytes, quiet: bool
    ) -> Finished:
        command = script_command(self._ssh, self._host, script, *words)
        return self._task.command(
            command, timeout=TIMEOUT, input_bytes=input_bytes, shown=words[0] if words else "",
            quiet=quiet,
        )  # fmt: skip

    def _failure(self, done: Finished) -> ExecutorError:
        if self._host.host is not None and done.exit_code == SSH_FAILED:
            code, meaning = _lost(self._host.host, done.output)
        else:
            code, meaning = _TOLD.get(
                done.exit_code, ("executor.failed", f"exit code {done.exit_code}")
            )
        words = " ".join(done.output.split())[-WORDS:]
        return ExecutorError(
            f"{meaning}: {words}" if words else meaning,
            code=code,
            hint=_HINTS.get(code, "the job's log has all that was said; then retry"),
        )

    def tail(self, path: str) -> str:
        """The last 16 KiB of a file."""
        return self.run(scripts.TAIL, path, str(KEPT), quiet=True, patient=True).output

    def read(self, path: str) -> str:
        """A small file; empty if it is not there."""
        return self.run(scripts.READ, path, quiet=True, patient=True).output

    def end(self, folder: str, line: str) -> StepEnd | None:
        """The end of the step in `folder`, as ENDS tells of it in `line`."""
        words = line.split()
        if len(words) != 3 or not words[0].isdigit():
            return None
        return StepEnd(
            exit_code=int(words[0]),
            begun=words[2],
            ended=words[1],
            stdout=self.tail(f"{folder}/stdout"),
            stderr=self.tail(f"{folder}/stderr"),
        )


def _lost(host: str, said: str) -> tuple[str, str]:
    """Code and meaning of what ssh could not do: only a host that is away is worth waiting for."""
    if HOST_KEY.search(said):
        return "executor.host_key", f"the host key of {host} is not the one in known_hosts"
    if KEY_REFUSED.search(said):
        return "executor.key_refused", f"{host} refused the key"
    return "executor.unreachable", f"{host} cannot be reached"
