"""The archive against `aws s3 sync`, and against boto3's transfers by the CRT, on moto's server."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from demo.machine import free_ports
from tests.bench.bench import Bench
from tests.bench.measure import ROOT, MeasureError
from tests.bench.row import Row

_SIZE, _SMALL_SIZE = 20_003, 203
_LARGE_MIB, _SMALL_LARGE_MIB = 512, 24
_PEER = ROOT / ".venv-aws" / "bin"
_AGAINST = "aws s3 sync"
_CRT = "boto3 with the CRT, there and back"
_BUCKET = "bench"
_SECONDS = 60
_MIB = 1 << 20
_ONE = 300 * 1024
#: An attempt's data, twice: what is kept, then what one file costs.
_OURS = [sys.executable, "-m", "tests.bench.archived"]
_CRT_CODE = """
import sys
import boto3
from botocore.config import Config
from s3transfer import crt
session = boto3.session.Session(region_name="us-east-1")._session
asked = {
    "region_name": "us-east-1",
    "endpoint_url": sys.argv[1],
    "config": Config(s3={"addressing_style": "path"}),
}
wrapper = crt.BotocoreCRTCredentialsWrapper(session.get_credentials())
provider = wrapper.to_crt_credentials_provider()
client = crt.create_s3_crt_client("us-east-1", crt_credentials_provider=provider, use_ssl=False)
manager = crt.CRTTransferManager(client, crt.BotocoreCRTRequestSerializer(session, asked))
for path in sys.argv[2:]:
    key = "crt/" + path.rsplit("/", 1)[1]
    manager.upload(path, "bench", key).result()
    manager.download("bench", key, path + ".back").result()
"""


@dataclass(frozen=True)
class Taken:
    """What one contender took."""

    seconds: float
    requests: int


class Server:
    """moto's, whose log tells of each request."""

    def __init__(self, folder: Path) -> None:
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "moto.log"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def begin(self) -> None:
        end = time.monotonic() + _SECONDS
        client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="k",
            aws_secret_access_key="s",
        )
        while True:
            try:
                client.create_bucket(Bucket=_BUCKET)
                return
            except (BotoCoreError, ClientError) as err:
                if time.monotonic() > end:
                    raise MeasureError(f"moto does not answer: {err}") from err
                time.sleep(0.1)

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(_SECONDS)

    def requests(self) -> int:
        said = self._log.read_text(errors="replace")
        return len(re.findall(r'"(?:GET|HEAD|PUT|POST|DELETE) ', said))


@contextmanager
def _server(folder: Path) -> Iterator[Server]:
    """A new one for each contender: what it holds is in memory."""
    server = Server(folder)
    try:
        server.begin()
        yield server
    finally:
        server.end()


def rows(bench: Bench) -> Iterator[Row]:
    """Ours reads everything back, too."""
    scratch = bench.scratch / "archive"
    scratch.mkdir()
    size = _SMALL_SIZE if bench.small else _SIZE
    _write_small(scratch / "small", size)
    small = _alternate(bench, scratch, "small")
    yield Row(
        name=f"archive: {size:,} small files to S3, read back",
        unit="s",
        size=size,
        ours=[one.seconds for one in small.ours],
        peer=[one.seconds for one in small.peer],
        against=_AGAINST,
        goal=bench.goal("ratio", 0.2),
    )
    yield Row(
        name=f"archive: requests for {size:,} small files to S3, read back",
        unit="requests",
        size=size,
        ours=[one.requests for one in small.ours],
        peer=[one.requests for one in small.peer],
        against=_AGAINST,
        goal=bench.goal("ratio", 0.01),
    )
    yield Row(
        name=f"archive: read for one of {size:,} files in bundles, of 300 KiB",
        unit="bytes",
        size=size,
        ours=small.read,
        goal=bench.goal("ours", _ONE + _MIB),
    )
    mib = _SMALL_LARGE_MIB if bench.small else _LARGE_MIB
    _write_large(scratch / "large", mib)
    large = _alternate(bench, scratch, "large")
    yield Row(
        name=f"archive: two files of {mib} MiB to S3, read back",
        unit="s",
        size=mib,
        ours=[one.seconds for one in large.ours],
        peer=[one.seconds for one in large.peer],
        against=_CRT,
        goal=bench.goal("ratio", 1.1),
    )


@dataclass(frozen=True)
class _Both:
    ours: list[Taken]
    peer: list[Taken]
    read: list[float]


def _alternate(bench: Bench, scratch: Path, kind: str) -> _Both:
    found = _Both([], [], [])
    tree = scratch / kind
    for _ in range(bench.runs):
        with _server(scratch) as server:
            before = server.requests()
            told = json.loads(_run([*_OURS, server.url, str(tree), str(scratch / "home")]))
            # those that read one file afterwards are among them
            found.ours.append(Taken(told["seconds"], server.requests() - before))
            found.read.append(told["read"])
        peer = _peer(kind)
        if peer is None:
            continue
        with _server(scratch) as server:
            command = [word.replace("URL", server.url) for word in peer]
            command += _operands(kind, tree)
            before, begun = server.requests(), time.perf_counter()
            _run(command)
            seconds = time.perf_counter() - begun
            found.peer.append(Taken(seconds, server.requests() - before))
    return found


def _peer(kind: str) -> list[str] | None:
    """None if it is not installed (`make .venv-aws/.made`)."""
    if not (_PEER / "aws").is_file():
        return None
    if kind == "small":
        return [str(_PEER / "aws"), "--endpoint-url", "URL", "s3", "sync", "--quiet"]
    return [str(_PEER / "python"), "-c", _CRT_CODE, "URL"]


def _operands(kind: str, tree: Path) -> list[str]:
    if kind == "small":
        return [str(tree), f"s3://{_BUCKET}/peer"]
    return sorted(map(str, tree.rglob("*.bin")))


def _run(command: list[str]) -> str:
    keys = {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **keys}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise MeasureError(f"{command[0]} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def _write_small(folder: Path, count: int) -> None:
    """As of a run folder: a few KiB each, one of 300 KiB."""
    for number in range(count - 1):
        place = folder / f"runfolder/Data/C{number % 300}.1"
        place.mkdir(parents=True, exist_ok=True)
        data = number.to_bytes(4, "big") * (64 + number % 1024)
        (place / f"s_1_{number:05}.bin").write_bytes(data)
    (folder / "fastq").mkdir(parents=True)
    (folder / "fastq" / "one.bin").write_bytes(os.urandom(_ONE))


def _write_large(folder: Path, mib: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "runfolder").mkdir(parents=True)
    (folder / "fastq").mkdir()
    for number in range(2):
        with (folder / "fastq" / f"{number}.bin").open("wb") as file:
            for _ in range(mib):
                file.write(os.urandom(_MIB))
    (folder / "runfolder" / "RunInfo.xml").write_bytes(b"<RunInfo/>")
