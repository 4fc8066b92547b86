"""A service of jobs whose run folders lie on a file system that hangs."""

import os
import time

from arteriole.app import aside
from arteriole.checksum.kind import ChecksumKind
from arteriole.checksum.settings import ChecksumSettings
from arteriole.jobs.service import JobService

from ..app.serving import Serving


def test_a_root_that_hangs_is_told_and_keeps_nothing_else_waiting(tmp_path, mounts, monkeypatch):
    monkeypatch.setattr(aside.answered, "__kwdefaults__", {"limit": 0.5})
    for name in ("runs", "fastq", "manifests"):
        (tmp_path / name).mkdir()
    settings = ChecksumSettings(
        run_roots=[tmp_path / "runs"],
        fastq_root=tmp_path / "fastq",
        manifest_root=tmp_path / "manifests",
    )
    serving = mounts.do(Serving, lambda: JobService(ChecksumKind(settings), tmp_path / "state", 1))
    device = mounts.hang(tmp_path / "runs")
    try:
        answer = serving.post("/api/1.0/start/a_run")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage.silent")
        assert serving.get("/api/1.0/status").json() == {"jobs": []}
        begun = time.monotonic()
        serving.stop()
        assert time.monotonic() - begun < 20
    finally:
        os.close(device)
        mounts.unmount(tmp_path / "runs")
