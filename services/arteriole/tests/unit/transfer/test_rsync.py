"""The command lines, and the words of the tools."""

import shlex
from pathlib import Path

import pytest

from arteriole.jobs.ssh import script_command
from arteriole.jobs.worker import Finished
from arteriole.transfer.errors import WORDS, explain, shortened
from arteriole.transfer.rsync import bytes_sent, names_text, send_command
from arteriole.transfer.settings import Destination

SSH = Destination.model_validate(
    {
        "path": "/proj/in",
        "host": "hpc",
        "port": 2222,
        "user": "seq",
        "identity_file": "/keys/id",
        "known_hosts": "/keys/known",
        "rsync_path": "/opt/rsync",
    }
)
UNREAD, UNWRITTEN = (True, "transfer.unreadable"), (True, "transfer.permission")
HERE = Destination.model_validate({"path": "/mnt/in"})


def test_ssh_never_asks_and_uses_one_key() -> None:
    command = script_command("ssh", SSH, "echo \"$1\" 'x'", "a b", "$(c)")
    assert command[0] == "ssh" and command[-2] == "hpc"
    for option in (
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        'UserKnownHostsFile="/keys/known"',
        "IdentitiesOnly=yes",
        'IdentityFile="/keys/id"',
    ):
        assert command[command.index(option) - 1] == "-o"
    assert shlex.split(command[-1]) == [
        "sh",
        "-c",
        "echo \"$1\" 'x'",
        "arteriole",
        "a b",
        "$(c)",
    ]


def test_rsync_over_ssh() -> None:
    command = send_command(
        "rsync", "ssh", SSH, Path("/fastq"), "run/.p", Path("/job/names"), limit=100, compare=True
    )
    assert command[-3:] == ["--", "/fastq/", "hpc:/proj/in/run/.p/"]
    for word in (
        "--protect-args",
        "--checksum",
        "--bwlimit=100",
        "--rsync-path=/opt/rsync",
        "--from0",
        "--files-from=/job/names",
    ):
        assert word in command
    (shell,) = [word for word in command if word.startswith("--rsh=")]
    assert shell.startswith("--rsh=ssh -F /dev/null -T -p 2222 -l seq ")
    assert "-o StrictHostKeyChecking=yes " in shell and "-o Ciphers=aes128-gcm@" in shell


def test_a_mounted_destination_needs_no_ssh() -> None:
    command = send_command("rsync", "ssh", HERE, Path("/fastq"), "run/.p", Path("/job/names"))
    assert command[-1] == "/mnt/in/run/.p/"
    assert not any("ssh" in word or "chmod" in word for word in command)
    assert not {"--checksum", "--delete"} & set(command)
    assert not any(word.startswith("--bwlimit") for word in command)
    assert script_command("ssh", HERE, "true", "x") == ["sh", "-c", "true", "arteriole", "x"]


def test_no_name_is_a_comment_or_an_option() -> None:
    assert names_text(["#a", "-b/\n c"]) == b"./#a\0./-b/\n c\0"


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("      1,048,576  50%   10.00MB/s    0:00:01 (xfr#1, to-chk=1/2)", 1048576),
        ("              0   0%    0.00kB/s    0:00:00", 0),
        ("rsync: [sender] write error: Broken pipe (32)", None),
        ("   32768   1%  317.90kB/s    0:00:00 rsync: write failed: No space left (28)", None),
        ("", None),
    ],
)
def test_progress(line: str, count: int | None) -> None:
    assert bytes_sent(line) == count


@pytest.mark.parametrize(
    ("exit_code", "output", "over_ssh", "code"),
    [
        (255, "seq@hpc: Permission denied (publickey).", True, "transfer.key_refused"),
        (255, "Host key verification failed.", True, "transfer.host_key"),
        (255, "ssh: connect to host hpc port 22: Connection refused", True, "transfer.unreachable"),
        (255, "", True, "transfer.unreachable"),
        (1, "mkdir: cannot create directory: Permission denied", True, "transfer.permission"),
        (23, 'rsync: [sender] send_files failed to open "/a": Permission denied (13)', *UNREAD),
        (23, 'rsync: send_files failed to open "/a": Permission denied (13)', *UNREAD),
        (23, 'rsync: [sender] read errors mapping "/a": Input/output error (5)', *UNREAD),
        (23, 'rsync: [receiver] mkstemp "/a" failed: Permission denied (13)', *UNWRITTEN),
        (11, 'write failed on "x": No space left on device (28)', True, "transfer.disk_full"),
        (11, "Disk quota exceeded (122)", False, "transfer.disk_full"),
        (127, "bash: line 1: rsync: command not found", True, "tool.missing"),
        (127, "sh: 1: md5sum: not found", True, "tool.missing"),
        (67, "sh: 12: tar: not found", True, "tool.missing"),
        (12, "rsync: connection unexpectedly closed", True, "transfer.unreachable"),
        (23, "some files could not be transferred", False, "transfer.failed"),
    ],
)
def test_what_the_words_mean(exit_code: int, output: str, over_ssh: bool, code: str) -> None:
    error = explain(Finished(exit_code, output), "sending", over_ssh=over_ssh)
    assert error.code == code
    assert error.hint


def test_words_are_shortened() -> None:
    text = shortened("a\x1b[31m\nb" + "c" * 1000 + "end")
    assert len(text) == WORDS + 4 and text.endswith("end") and text.isprintable()


def test_progress_is_left_out_of_the_words() -> None:
    line = "  67274   1%  317.90kB/s    0:00:00 (xfr#1, to-chk=26/28)Connection closed"
    assert shortened(line) == "Connection closed"
