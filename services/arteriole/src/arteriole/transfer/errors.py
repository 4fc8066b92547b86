"""What went wrong on the way to the cluster, from what ssh, rsync and the far side said."""

import re

from arteriole.checksum.errors import listed
from arteriole.jobs.ssh import HOST_KEY, KEY_REFUSED
from arteriole.jobs.worker import Finished, WorkError
from arteriole.transfer.parts import SentPart

#: Longest part of a tool's words that goes into a message.
WORDS = 300
#: ssh's exit code for whatever is its own fault (ssh(1), EXIT STATUS).
SSH_FAILED = 255
#: What rsync --info=progress2 may have written before an error, in the same line.
_PROGRESS = re.compile(r"[0-9][0-9.,]* [0-9]+% \S+/s [0-9:?]+( \(xfr[^)]*\))?")


class TransferError(WorkError):
    """The files could not be transferred."""

    code = "transfer.failed"


#: Text, code, what a person is told, hint; the first that fits is taken.
_SSH = (
    (
        HOST_KEY.pattern,
        "transfer.host_key",
        "the host key is not the one in known_hosts",
        "compare with the cluster's administrators before changing known_hosts",
    ),
    (
        KEY_REFUSED.pattern,
        "transfer.key_refused",
        "the cluster refused the key",
        "check user and identity_file of the destination, and the key's entry on the cluster",
    ),
    (r"", "transfer.unreachable", "the cluster cannot be reached", "check host, port and network"),
)
_FAR = (
    (
        r"No space left on device|Disk quota exceeded",
        "transfer.disk_full",
        "no space is left at the destination",
        "make room or raise the quota, then retry: what was sent is kept",
    ),
    (
        r"(rsync|md5sum|b3sum|nproc|find|sort|comm|tar|awk|sh): "
        r"((command )?not found|No such file or directory)",
        "tool.missing",
        "a tool is missing at the destination",
        "install rsync, tar, coreutils and findutils there, or set rsync_path of the destination",
    ),
    (
        r"(\[sender\]|send_files failed).*: "
        r"(Permission denied|Input/output error|Stale file handle)",
        "transfer.unreadable",
        "files here cannot be read",
        "check their owner and mode, and the disk they lie on; then retry: what was sent is kept",
    ),
    (
        r"Permission denied|Operation not permitted",
        "transfer.permission",
        "the destination may not be written to",
        "check the owner and mode of the destination's path",
    ),
    (
        r"connection unexpectedly closed|timeout in data send|Broken pipe|Connection reset",
        "transfer.unreachable",
        "the connection to the cluster was lost",
        "retry: what was sent is kept",
    ),
)


def explain(finished: Finished, doing: str, *, over_ssh: bool) -> TransferError:
    """The error for a command that failed while `doing` something."""
    words = shortened(finished.output)
    lost = over_ssh and finished.exit_code == SSH_FAILED
    for pattern, code, meaning, hint in _SSH if lost else _FAR:
        if re.search(pattern, finished.output):
            return TransferError(f"{doing}: {meaning}: {words}", code=code, hint=hint)
    return TransferError(
        f"{doing} ended with exit code {finished.exit_code}: {words}",
        hint="the job's log has all that was said; then retry",
    )


def source_changed(what: str, part: SentPart) -> TransferError:
    """The error for files here that are not those of their manifest."""
    if part is SentPart.FASTQ:
        code, hint = (
            "transfer.source_changed",
            "an attempt never changes: redo the run from convert",
        )
    else:
        code = "transfer.runfolder_changed"
        hint = "put back what is missing; arteria.addendum digests what is new; then retry"
    return TransferError(f"the files of {what}", code=code, hint=hint)


def late_files(names: list[str], folder: str) -> TransferError:
    """The error for a run folder that was sent before `names` came into it."""
    return TransferError(
        f"at the destination, {folder} is as it was sent, and lacks what came into the run folder"
        f" since: {listed(names)}",
        code="transfer.late_files",
        hint="it is left as it is: if those files are needed there, make it the partial folder"
        " again, as the page of this code has it, then retry",
    )


def no_access(finished: Finished, doing: str) -> TransferError:
    """The error for a group or mode that could not be given."""
    return TransferError(
        f"{doing}: group or modes of the destination cannot be given there:"
        f" {shortened(finished.output)}",
        code="transfer.access",
        hint="check group, file_mode and directory_mode of the destination, and that its user is"
        " in the group; what was sent is kept, unpublished",
    )


def shortened(output: str) -> str:
    """The last words of a tool, in one line without control characters and rsync's progress."""
    text = " ".join("".join(c if c.isprintable() else " " for c in output).split())
    text = _PROGRESS.sub("", text).strip()
    return text if len(text) <= WORDS else f"... {text[-WORDS:]}"
