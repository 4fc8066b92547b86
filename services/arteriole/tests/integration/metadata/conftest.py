"""A metadata service, its drop folder, a LIMS, and a program that knows samples."""

import contextlib
import json
import os
import stat
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from arteriole.metadata.service import MetadataService
from arteriole.metadata.settings import MetadataSettings

from ..app.serving import Serving, eventually

RUN = "200624_A00834_0183_BHMTFYDRXX"
HEADER = "sample,project,use,pipeline\n"
API = "/api/1.0"


class Site:
    """The service over its sources; it may be stopped and started again."""

    def __init__(self, folder):
        self.home = folder
        self.drop = folder / "drop"
        self.drop.mkdir()
        self._age = 1000.0
        self.serving = None

    def csv(self, **more):
        return {"csv": {"folder": str(self.drop), "scan_interval": 0.03}, **more}

    def start(self, *sources, retry_seconds=0.05, tokens=None):
        settings = MetadataSettings.model_validate(
            {"sources": list(sources) or [self.csv()], "retry_seconds": retry_seconds}
        )
        self.serving = Serving(lambda: MetadataService(settings, self.home / "state"), tokens)
        return self

    def stop(self):
        if self.serving is not None:
            self.serving.stop()
            self.serving = None

    def put(self, name, *rows, header=HEADER):
        """A table arrives in one piece, newer than every one before."""
        partial = self.home / f"{name}.partial"
        partial.write_text(header + "".join(f"{row}\n" for row in rows))
        self._age -= 1
        moment = time.time() - self._age
        os.utime(partial, (moment, moment))
        return partial.rename(self.drop / name)

    def get(self, path, status=200):
        answer = self.serving.get(f"{API}/{path}")
        assert answer.status_code == status, answer.text
        return answer.json()

    def freeze(self, *samples, attempt=1, status=200):
        answer = self.serving.post(f"{API}/freeze/{RUN}/{attempt}", {"samples": list(samples)})
        assert answer.status_code == status, answer.text
        return answer.json()

    def frozen(self, attempt=1):
        return self.get(f"frozen/{RUN}/{attempt}")

    def sample(self, name):
        return self.serving.get(f"{API}/samples/{name}").json()

    def source(self, name="csv"):
        return next(one for one in self.get("sources")["sources"] if one["name"] == name)

    def health(self):
        return self.serving.get("/health").json()

    def ready(self):
        """The attempts that were told of, in order."""
        events = self.get("events?limit=1000")["events"]
        return [(e["run"], e["attempt"], e["payload"]) for e in events
                if e["what"] == "metadata_ready"]  # fmt: skip

    def knows(self, sample, **fields):
        """Wait until the sample's newest version says this."""
        eventually(
            lambda: self.sample(sample).get("record"),
            lambda record: record and {key: record[key] for key in fields} == fields,
        )


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.stop()


class Lims:
    """Answers each sample with what `answers` holds for it: (status, headers, body)."""

    def __init__(self):
        lims = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                with lims.lock:
                    lims.asked.append((self.path, self.headers.get("Authorization")))
                    found = lims.answers.get(self.path.rpartition("/")[2], lims.otherwise)
                if callable(found):
                    found = found()
                if found is None:
                    return
                status, headers, body = found
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                with contextlib.suppress(ConnectionError):  # a client that did not wait
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format, *args):
                """Quiet."""

        self.asked, self.answers, self.lock = [], {}, threading.Lock()
        self.otherwise = (404, {}, b"")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def knows(self, name, /, **record):
        body = json.dumps(record or research()).encode()
        self.answers[name] = (200, {"Content-Type": "application/json"}, body)

    def source(self, **more):
        return {"http": {"url": f"{self.url}/api/samples/{{sample}}", "timeout": 5, **more}}

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def lims():
    lims = Lims()
    yield lims
    lims.close()


@pytest.fixture
def program(tmp_path):
    """Makes a program of these Python lines; the sample is `sys.argv[1]`."""

    def make(lines, timeout=30):
        path = tmp_path / "program"
        path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{lines}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return {"command": {"argv": [str(path), "{sample}"], "timeout": timeout}}

    return make


def research(**more):
    return {"project": "P1", "use": "research", "pipeline": "wgs", **more}
