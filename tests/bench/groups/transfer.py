"""Files sent over ssh to a folder of this machine: the transfer service's job beside rsync -avh."""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from blake3 import blake3

from tests.bench.bench import Bench
from tests.bench.files import Data, write
from tests.bench.measure import Contender, Usage, run
from tests.bench.row import Goal, Row
from tests.bench.sshd import Sshd, missing, sshd

#: As quick as rsync, though the far side is verified; and seconds where nothing is to be done.
AGAINST_RSYNC = 1.0
MOST_SECONDS = 2


def rows(bench: Bench) -> Iterator[Row]:
    """All of it sent to an empty folder; then once more, where nothing is to be sent."""
    if what := missing():
        print(f"transfer is left out, not installed: {what}", file=sys.stderr)
        return
    data = write(bench.scratch / "sent", small=bench.small)
    manifest = _manifests(data, bench.scratch / "fastq.md5")
    with sshd(bench.scratch / "sshd") as server:
        yield from _sent(bench, server, data, manifest)
        yield from _nothing_to_do(bench, server, data, manifest)


def _manifests(data: Data, path: Path) -> Path:
    """That of MD5, with that of BLAKE3 beside it, as the stage before leaves them."""
    kinds = {".md5": lambda: hashlib.md5(usedforsecurity=False), ".blake3": blake3}
    names = sorted(
        found.relative_to(data.folder).as_posix()
        for found in data.folder.rglob("*")
        if found.is_file()
    )
    for suffix, begin in kinds.items():
        with path.with_suffix(suffix).open("w") as manifest:
            for name in names:
                with open(data.folder / name, "rb") as file:
                    digest = hashlib.file_digest(file, begin).hexdigest()
                manifest.write(f"{digest}  {name}\n")
    return path


def _ours(server: Sshd, data: Data, manifest: Path, far: Path | None = None) -> Contender:
    def command(out: Path) -> list[str]:
        there = far or out / "far"
        there.mkdir(exist_ok=True)
        destination = json.dumps({**server.settings, "path": str(there)})
        words = [str(data.folder), str(manifest), destination, str(out)]
        return [sys.executable, "-m", "tests.bench.send", *words]

    return Contender("a job", command)


def _rsync(server: Sshd, data: Data, far: Path | None = None) -> Contender:
    def command(out: Path) -> list[str]:
        there = far or out / "far"
        there.mkdir(exist_ok=True)
        words = [f"--rsh={server.shell}", f"{data.folder}/", f"127.0.0.1:{there}/"]
        return ["rsync", "-avh", *words]

    return Contender("rsync -avh, which verifies nothing", command)


def _sent(bench: Bench, server: Sshd, data: Data, manifest: Path) -> Iterator[Row]:
    peer = _rsync(server, data)
    mine, theirs = bench.measure(_ours(server, data, manifest), peer)
    goal = bench.goal("ratio", AGAINST_RSYNC)
    yield _row(f"transfer: {data} sent and verified", data, mine, peer, theirs, goal)


def _nothing_to_do(bench: Bench, server: Sshd, data: Data, manifest: Path) -> Iterator[Row]:
    """Every byte there is read again by ours, by b3sum if it is installed."""
    there, copy, once = (bench.scratch / name for name in ("there", "copy", "once"))
    once.mkdir()
    ours, peer = _ours(server, data, manifest, there), _rsync(server, data, copy)
    for contender in (ours, peer):
        run(contender.command(once / contender.name.split()[0]), bench.scratch / "once.log")
    mine, theirs = bench.measure(ours, peer)
    goal = bench.goal("ours", MOST_SECONDS)
    yield _row(f"transfer: {data} verified, nothing to send", data, mine, peer, theirs, goal)


def _row(
    name: str, data: Data, mine: Sequence[Usage], peer: Contender, theirs: Sequence[Usage],
    goal: Goal | None,
) -> Row:  # fmt: skip
    return Row(
        name=name,
        unit="s",
        size=data.files,
        ours=[one.wall for one in mine],
        peer=[one.wall for one in theirs],
        against=peer.name,
        goal=goal,
    )
