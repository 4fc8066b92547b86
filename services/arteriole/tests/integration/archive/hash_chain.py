"""A run folder through checksum, transfer, archive and restore: equal, bit for bit, at each place.

What it is compared with are the files themselves, and a manifest that was made beforehand, by
hashlib alone.
"""

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..ports import free_ports
from .swift import Swift

ATTEMPT, BUCKET = "attempt-1", "hash-chain"
ARTERIOLE = [sys.executable, "-c", "from arteriole.cli import main; main()"]
CHAIN_STEP = Path(__file__).with_name("chain_step.py")
#: Names that tools have to be careful with, beside those that an instrument gives.
ODD = ("Config/hh5 2015-10-05 Effective.cfg", "Logs/é 'n' $(id) -x.log", "-v", "Logs/empty")
#: Cycles of the two index reads together.
INDEX_CYCLES = 16
PIECE = 1 << 20


class ChainError(AssertionError):
    """A file is another one somewhere, or a job did not do what it should."""


@dataclass(frozen=True)
class Step:
    """A job of a service."""

    service: str
    verb: str = "start"
    body: dict[str, Any] = field(default_factory=dict)


STEPS = {
    "checksum": Step("checksum"),
    "transfer_runfolder": Step(
        "transfer",
        body={"destination": "hpc", "part": "runfolder", "stage": "transfer_runfolder"},
    ),
    "transfer": Step("transfer", body={"destination": "hpc"}),
    "archive": Step("archive", body={"destination": "vault"}),
    "restore": Step("archive", "restore", {"attempt": 1}),
}


@dataclass(frozen=True)
class Size:
    """About so many `files` in the run folder, and two FASTQs."""

    files: int
    clusters: int
    fastq_bytes: int

    @property
    def layout(self) -> list[str]:
        """Options of `arteriole simulate`: 64 tiles on two lanes, of few files 4 on one."""
        few = self.files < 5000
        tiles = 4 if few else 64
        cycles = -(-self.files // tiles) - INDEX_CYCLES
        shape = ("1", "1", "1", "4") if few else ("2", "2", "2", "8")
        options = dict(zip(("--lanes", "--surfaces", "--swaths", "--tiles"), shape, strict=True))
        options |= {"--clusters": str(self.clusters), "--read-cycles": str(-(-cycles // 2))}
        return [word for pair in options.items() for word in pair]


class Chain:
    """A site below `folder`, with one run; `hpc` are the settings of a transfer's destination."""

    def __init__(self, folder: Path, size: Size, seed: int, store: Swift) -> None:
        self.folder, self.size, self.seed, self.store = folder, size, seed, store
        self.far, self.restored = folder / "cluster", folder / "restored"
        for made in (self.far, self.restored):
            made.mkdir(parents=True)
        self._sequence()
        self._convert()

    def _sequence(self) -> None:
        """The run folder, as an instrument writes it, and what is known of it without us."""
        landing = self.folder / "runs"
        options = [*self.size.layout, "--seed", str(self.seed), "--quiet"]
        options += ["--truth", str(self.folder / "truth")]
        subprocess.run(
            [*ARTERIOLE, "simulate", str(landing), *options], check=True, capture_output=True
        )
        (self.runfolder,) = landing.iterdir()
        self.run = self.runfolder.name
        for name in ODD:
            (self.runfolder / name).parent.mkdir(exist_ok=True)
            (self.runfolder / name).write_text("" if name.endswith("empty") else name)
        self.names = sorted(names_in(self.runfolder))
        self.manifest = self.folder / "independent.md5"
        self.manifest.write_text(manifest_of(self.runfolder, self.names))

    def _convert(self) -> None:
        """FASTQs by their names; nothing here looks into them."""
        self.fastq = self.folder / "fastq" / self.run / ATTEMPT
        (self.fastq / "P1").mkdir(parents=True)
        source = random.Random(self.seed)
        for read in ("R1", "R2"):
            with open(self.fastq / "P1" / f"S1_S1_L001_{read}_001.fastq.gz", "wb") as file:
                for start in range(0, self.size.fastq_bytes, PIECE):
                    file.write(source.randbytes(min(PIECE, self.size.fastq_bytes - start)))

    def configure(self, hpc: dict[str, Any]) -> None:
        self.store.client().create_bucket(Bucket=BUCKET)
        checksum, transfer, archive = free_ports(3)
        roots = {f"{name}_root": str(self.folder / f"{name}") for name in ("fastq", "manifest")}
        roots["run_roots"] = [str(self.runfolder.parent)]  # type: ignore[assignment]
        vault = {"s3": self.store.destination(BUCKET)}
        settings = {
            "state_dir": str(self.folder / "state"),
            "auth": "none",
            "mode": "act",
            "checksum": {"port": checksum, **roots},
            "transfer": {"port": transfer, **roots, "destinations": {"hpc": hpc}},
            "archive": {
                "port": archive,
                **roots,
                "destinations": {"vault": vault},
                "restore_root": str(self.restored),
            },
        }
        (self.folder / "arteriole.yaml").write_text(yaml.safe_dump(settings))

    def take(self, *names: str, kill: Sequence[str] = ()) -> dict[str, Any]:
        """What chain_step tells of these steps; ChainError if a job fails.

        In the midst of those to `kill` the service and all of the job die.
        """
        steps = []
        for name in names:
            path = f"{STEPS[name].verb}/{self.run}"
            steps.append({**asdict(STEPS[name]), "path": path, "kill": name in kill})
        asked = json.dumps({"config": str(self.folder / "arteriole.yaml"), "steps": steps})
        command = [sys.executable, str(CHAIN_STEP), asked]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ChainError(done.stderr[-2000:])
        told: dict[str, Any] = json.loads(done.stdout)
        failed = [one["job"] for one in told["taken"] if one["job"]["state"] != "done"]
        if failed:
            raise ChainError(f"{failed[0]}")
        return told

    def restore_by_hand(self) -> Path:
        """As README.txt says: all objects by a client of S3, then a shell with tar and md5sum."""
        folder, client = self.folder / "by_hand", self.store.client()
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for one in page["Contents"]:
                path = folder / one["Key"].removeprefix(f"{self.run}/{ATTEMPT}/")
                path.parent.mkdir(parents=True, exist_ok=True)
                client.download_file(BUCKET, one["Key"], str(path))
        blocks = (folder / "README.txt").read_text().split("\n\n")
        commands = [block for block in blocks if block.startswith("for ")]
        done = subprocess.run(
            ["sh", "-eu", "-c", "\n".join(commands)],
            cwd=folder,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        if len(commands) != 2 or done.returncode:
            raise ChainError(f"README.txt does not restore it: {done.stderr[-2000:]}")
        return folder

    def problems(self) -> list[str]:
        """What is not as it was in the run folder, at each place where it should be."""
        made = self.folder / "manifest" / self.run / ATTEMPT / "runfolder.md5"
        right = made.read_bytes() == self.manifest.read_bytes()
        found = [] if right else [f"{made} is not as hashlib made it"]
        if sorted(names_in(self.runfolder)) != self.names:
            found.append("the run folder itself has changed")
        back, by_hand = self.restored / self.run / ATTEMPT, self.restore_by_hand()
        cluster = self.far / self.run
        copies = {
            "cluster": (cluster / "runfolder-1", cluster / ATTEMPT),
            "restored": (back / "runfolder", back / "fastq"),
            "by hand": (by_hand / "runfolder", by_hand / "fastq"),
        }
        for place, (runfolder, fastq) in copies.items():
            differing = differences(self.runfolder, runfolder) + differences(self.fastq, fastq)
            differing += self._by_md5sum(runfolder)
            found += [f"{place}: {one}" for one in differing]
        return found

    def _by_md5sum(self, folder: Path) -> list[str]:
        command = ["md5sum", "--check", "--strict", "--quiet", str(self.manifest)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        return [done.stdout[-2000:] + done.stderr[-2000:]] if done.returncode else []


def names_in(folder: Path) -> Iterator[str]:
    """The paths of all that is no folder, relative to it."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(folder).as_posix()


def manifest_of(folder: Path, names: list[str]) -> str:
    """As md5sum writes one."""
    lines = []
    for name in names:
        with open(folder / name, "rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'md5').hexdigest()}  {name}\n")
    return "".join(lines)


def differences(folder: Path, copy: Path) -> list[str]:
    """The files that `copy` lacks, or has otherwise, byte by byte, or has besides its manifest."""
    wanted, found = set(names_in(folder)), set(names_in(copy))
    found -= {f"{part}.{kind}" for part in ("runfolder", "fastq") for kind in ("md5", "blake3")}
    unequal = (name for name in sorted(wanted & found) if not _equal(folder / name, copy / name))
    return [
        *(f"{name} is missing" for name in sorted(wanted - found)),
        *(f"{name} is there, and was not sent" for name in sorted(found - wanted)),
        *(f"{name} is another" for name in unequal),
    ]


def _equal(path: Path, other: Path) -> bool:
    with open(path, "rb") as one, open(other, "rb") as two:
        while piece := one.read(PIECE):
            if two.read(PIECE) != piece:
                return False
        return not two.read(1)
