"""What this site has proven of each encrypted object: digests of what lies there, and is in it.

NB: whoever can write to a bucket knows how to encrypt for the recipients; so what the bucket says
of itself proves nothing, and this file stays with the manifests.
"""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from arteriole.checksum.digests import FileDigest, digest_text
from arteriole.checksum.places import manifest_folder


@dataclass(frozen=True)
class Proven:
    """`stored` is of the object, `plain` of what it decrypts to, `recipients` for whom it is."""

    key: str
    recipients: tuple[str, ...]
    stored: FileDigest
    plain: FileDigest


@dataclass(frozen=True)
class Journals:
    """Those of the destination of this name."""

    manifest_root: Path
    destination: str

    def path(self, run: str, attempt: int, tells: str = "") -> Path:
        """`tells`: of a unit of results its digest, `addendum-<n>` of such a one."""
        words = (digest_text(self.destination.encode())[:12], *((tells,) if tells else ()))
        folder = manifest_folder(self.manifest_root, run, attempt) / "crypt4gh"
        return folder / f"{'.'.join(words)}.jsonl"


class Journal:
    """Lines of JSON, one an object; the last of a key counts. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._known = {one.key: one for one in _read(path)}

    def get(self, key: str) -> Proven | None:
        return self._known.get(key)

    def add(self, proven: Proven) -> None:
        line = f"{json.dumps(asdict(proven))}\n".encode()
        with self._lock:
            if not self.path.exists():
                self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab") as file:
                # what a killed start has left of a line ends there
                file.write(line if _ends_a_line(self.path) else b"\n" + line)
                file.flush()
                os.fsync(file.fileno())
            self._known[proven.key] = proven


def _ends_a_line(path: Path) -> bool:
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return file.read(1) in (b"", b"\n")


def _read(path: Path) -> Iterator[Proven]:
    """What is no whole line proves nothing."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            found = json.loads(line)
            stored, plain = (FileDigest(**found[name]) for name in ("stored", "plain"))
            yield Proven(found["key"], tuple(found["recipients"]), stored, plain)
        except (ValueError, KeyError, TypeError):
            continue
