"""`python -m tests.bench.archived URL TREE HOME`: archives a tree to S3, then reads one file.

Prints what the archiving took in seconds, and the bytes that were read for the file.
"""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from botocore.httpsession import URLLib3Session

from arteriole.archive.archive import StoredFile
from arteriole.archive.destinations import open_destination
from arteriole.archive.holding import read_holding
from arteriole.archive.settings import S3Settings
from arteriole.archive.work import work
from arteriole.checksum.digests import Meter, digest_all
from arteriole.checksum.listing import list_files
from arteriole.checksum.manifest import Manifest
from arteriole.jobs.folder import JobFolder
from arteriole.jobs.worker import Task

PARTS = ("runfolder", "fastq")


def main(url: str, tree: Path, home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    (home / "manifests").mkdir(parents=True)
    for part in PARTS:
        _digest(tree / part, home / "manifests" / part)
    (home / "key.json").write_text('{"key": "k", "secret": "s"}')
    (home / "key.json").chmod(0o600)
    settings = S3Settings.model_validate(
        {
            "bucket": "bench",
            "endpoint_url": url,
            "path_style": True,
            "credentials_file": str(home / "key.json"),
        }
    )
    parameters: dict[str, Any] = {
        "name": "bench",
        "s3": settings.model_dump(mode="json"),
        "threads": 2,
        "manifests": str(home / "manifests"),
        **{part: str(tree / part) for part in PARTS},
    }
    begun = time.perf_counter()
    work(_task(home / "job", parameters))
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "read": _read(parameters)}))


def _digest(folder: Path, to: Path) -> None:
    digests = digest_all(folder, list_files(folder), Meter(lambda *_: None, 0), 2)
    for kind in ("md5", "blake3"):
        named = {one.name: getattr(one, kind) for one in digests}
        Manifest(to.with_suffix(f".{kind}"), named).write()


def _task(folder: Path, parameters: dict[str, Any]) -> Task:
    job = JobFolder(folder)
    job.prepare(
        {
            "job_id": 1,
            "run": "bench",
            "stage": "archive",
            "attempt": 1,
            "observe": False,
            "parameters": parameters,
            "worker": "unused",
        }
    )
    lock = job.lock()
    assert lock is not None
    return Task(job, lock)


def _read(parameters: dict[str, Any]) -> int:
    """Bytes asked of a bundle for one file; index and manifests are not counted."""
    sources = {part: Path(parameters[part]) for part in PARTS}
    held = next(
        file
        for file in read_holding(sources, Path(parameters["manifests"])).files
        if file.part == "fastq"
    )
    archive = open_destination(parameters).data("bench", 1)
    archive.found("fastq")
    read = 0
    send = URLLib3Session.send

    def metered(session: Any, request: Any) -> Any:
        nonlocal read
        answer = send(session, request)
        read += int(answer.headers["Content-Length"])
        return answer

    URLLib3Session.send = metered  # type: ignore[method-assign]
    for _, pieces in archive.read([StoredFile(held.part, held.found, held.digest)]):
        assert sum(map(len, pieces)) == held.digest.size
    return read


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
