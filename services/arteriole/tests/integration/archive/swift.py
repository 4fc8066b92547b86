"""OpenStack Swift with its S3 API, on ports and in a folder of its own: a real S3 server.

Debian's packages swift-proxy, swift-account, swift-container and swift-object have it. It runs as
whoever starts it and reads nothing in /etc/swift.
"""

import http.client
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from ..ports import free_ports

#: Debian's Python has Swift; the one that runs the tests has not.
PYTHON = "/usr/bin/python3"
KINDS = ("account", "container", "object")
KEY, SECRET = "demo:up", "secret123"
REGION = "us-east-1"
#: Slow to make.
SESSION = boto3.session.Session()

#: Swift looks in /etc/swift before it reads a configuration; this tells it the place first.
_LAUNCH = """
import runpy, sys
from swift.common import utils
utils.SWIFT_CONF_FILE = sys.argv[1]
sys.argv[:] = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
_RINGS = """
import sys
from swift.common.ring import RingBuilder
for ring in sys.argv[1:]:
    path, _, port = ring.partition("=")
    builder = RingBuilder(part_power=2, replicas=1, min_part_hours=0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1",
                     "replication_ip": "127.0.0.1", "replication_port": int(port), "weight": 1})
    builder.rebalance()
    builder.get_ring().save(path.replace(".builder", ".ring.gz"))
"""
#: In place of memcached: without it each request asks for account and bucket twice more.
_MEMORY = """
import json

class Memory:
    def __init__(self):
        self.values = {}
    def get(self, key, **more):
        return json.loads(self.values.get(key, "null"))
    def set(self, key, value, **more):
        self.values[key] = json.dumps(value)
    def delete(self, key, **more):
        self.values.pop(key, None)
    def incr(self, key, delta=1, **more):
        self.set(key, (self.get(key) or 0) + delta)
        return self.get(key)

def factory(conf, **more):
    memory = Memory()
    def make(app):
        def cached(environ, start_response):
            environ["swift.cache"] = memory
            return app(environ, start_response)
        return cached
    return make
"""
_SWIFT = """\
[swift-hash]
swift_hash_path_suffix = test
swift_hash_path_prefix = test
[storage-policy:0]
name = only
default = yes
"""
_STORE = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {home}
devices = {home}/node
mount_check = false
workers = 0
disable_fallocate = true
[pipeline:main]
pipeline = healthcheck {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
[filter:healthcheck]
use = egg:swift#healthcheck
"""
_FILTERS = ("catch_errors", "gatekeeper", "healthcheck", "bulk", "copy", "slo", "dlo")
_PROXY = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {home}
workers = 0
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache bulk s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:s3api]
use = egg:swift#s3api
location = {region}
[filter:cache]
paste.filter_factory = memory:factory
[filter:tempauth]
use = egg:swift#tempauth
user_demo_up = {secret} .admin
"""


def missing() -> list[str]:
    """The programs of Swift that are not installed."""
    programs = [f"swift-{name}-server" for name in (*KINDS, "proxy")]
    return [name for name in programs if shutil.which(name) is None]


@dataclass(frozen=True)
class Swift:
    """A running Swift with nothing in it."""

    home: Path
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def destination(self, bucket: str, **other: Any) -> dict[str, Any]:
        """Settings of an archive destination, with credentials in a file."""
        return {
            "bucket": bucket,
            "endpoint_url": self.endpoint,
            "path_style": True,
            "credentials_file": str(self.credentials()),
            **other,
        }

    def credentials(self, name: str = "credentials", secret: str = SECRET) -> Path:
        path = self.home / name
        path.write_text(f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {secret}\n")
        path.chmod(0o600)
        return path

    def client(self) -> Any:
        """A client of its own, to look at what is there."""
        return SESSION.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}),
        )


@contextmanager
def swift(home: Path) -> Iterator[Swift]:
    """Start it in the folder `home`; every process of it ends with the context."""
    (home / "node" / "d1").mkdir(parents=True)
    (home / "swift.conf").write_text(_SWIFT)
    (home / "memory.py").write_text(_MEMORY)
    ports = dict(zip((*KINDS, "proxy"), free_ports(4), strict=True))
    common = {"home": home, "user": _user(), "region": REGION, "secret": SECRET}
    _make_rings(home, ports)
    for kind in KINDS:
        _write(home, kind, _STORE.format(kind=kind, port=ports[kind], **common))
    filters = "".join(f"[filter:{one}]\nuse = egg:swift#{one}\n" for one in _FILTERS)
    _write(home, "proxy", _PROXY.format(port=ports["proxy"], **common) + filters)
    with ExitStack() as stack:
        for name in (*KINDS, "proxy"):
            stack.enter_context(_server(home, name))
        for port in ports.values():
            _wait_for(port)
        yield Swift(home, ports["proxy"])


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def _write(home: Path, name: str, text: str) -> None:
    (home / f"{name}.conf").write_text(text)


def _launch(home: Path, program: str, *arguments: str) -> list[str]:
    path = shutil.which(program)
    assert path is not None
    return [PYTHON, "-c", _LAUNCH, str(home / "swift.conf"), path, *arguments]


def _make_rings(home: Path, ports: dict[str, int]) -> None:
    """One device each: whatever is stored is stored once."""
    rings = [f"{home}/{kind}.builder={ports[kind]}" for kind in KINDS]
    command = [PYTHON, "-c", _RINGS, *rings]
    subprocess.run(command, check=True, capture_output=True, cwd=home)


@contextmanager
def _server(home: Path, name: str) -> Iterator[None]:
    with open(home / f"{name}.log", "wb") as log:
        process = subprocess.Popen(
            _launch(home, f"swift-{name}-server", str(home / f"{name}.conf"), "-v"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home,
            env={"PATH": os.environ["PATH"], "HOME": str(home)},
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def _wait_for(port: int) -> None:
    from time import monotonic, sleep

    deadline = monotonic() + 60
    while monotonic() < deadline:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
                connection.request("GET", "/healthcheck")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            sleep(0.05)
    raise AssertionError(f"nothing answers on port {port}")
