"""A volume that fills up: told once, conversions wait, and go on when there is space again."""

import os
import subprocess

import pytest
import requests

from arteriole.client import Client
from arteriole.simulator.sequencer import default_plan, write_run

from .serving import DEADLINE, eventually

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small tmpfs")

VOLUME = "bcl2fastq.fastq_root"
MB = 1_000_000


class Centre:
    """Services in one process, whose FASTQs go to a volume of 20 MB."""

    def __init__(self, home, folder):
        self.home, self.fastq = home, folder / "fastq"
        for name in ("fastq", "manifests"):
            (folder / name).mkdir()
        self.filler = self.fastq / "filler"
        plan = default_plan(clusters=20, read_cycles=(6, 6), lanes=1, swaths=1)
        self.run = write_run(plan, home.monitored, truth=folder / "truth").name
        home.write(
            f"""
state_dir: {home.state}
mode: act
auth: none
disk: {{interval: 0.1}}
runfolder: {{port: 0, scan_interval: 0.1, monitored_directories: [{home.monitored}]}}
bcl2fastq:
  port: 0
  run_roots: [{home.monitored}]
  fastq_root: {self.fastq}
  converter: builtin
checksum:
  port: 0
  run_roots: [{home.monitored}]
  fastq_root: {self.fastq}
  manifest_root: {folder / "manifests"}
"""
        )

    def fill(self, size):
        self.filler.write_bytes(bytes(size))

    def call(self, method, service, path, **more):
        url = Client.find(self.home.state, service)._url
        answer = requests.request(method, f"{url}/{path}", timeout=DEADLINE, **more)
        assert answer.ok, answer.text
        return answer

    def get(self, service, path):
        return self.call("GET", service, path).json()

    def submit(self, service, key, **body):
        headers = {"Idempotency-Key": key}
        path = f"api/1.0/start/{self.run}"
        return self.call("POST", service, path, json=body, headers=headers).json()["job_id"]

    def job(self, service, job_id):
        return self.get(service, f"api/1.0/status/{job_id}")

    def ended(self, service, job_id):
        return eventually(lambda: self.job(service, job_id), lambda job: job["ended"])

    def events(self, service, *what):
        events = self.get(service, "api/1.0/events?limit=1000")["events"]
        return [(one["what"], one["payload"]) for one in events if one["what"] in what]

    def alerts(self):
        alerts = self.get("runfolder", "api/1.0/alerts")["alerts"]
        return [(one["what"], one.get("volume"), one["code"]) for one in alerts]

    def volume(self):
        """As the service has seen it; no level before it has looked."""
        return self.get("runfolder", "health")["volumes"].get(VOLUME, {"level": None})


@pytest.fixture
def centre(home, tmp_path):
    centre = Centre(home, tmp_path)
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(centre.fastq)]
    subprocess.run(mount, check=True)
    yield centre
    for process in home.processes:
        process.kill()
        process.wait()
    subprocess.run(["umount", "--lazy", str(centre.fastq)], check=True)


def test_a_conversion_waits_for_space_over_a_kill_and_is_done_when_there_is_some(centre):
    centre.fill(20 * MB)
    process = centre.home.start()
    critical = ("disk_pressure", VOLUME, "disk.critical")
    eventually(centre.alerts, lambda alerts: critical in alerts)
    job_id = centre.submit("bcl2fastq", "convert")
    job = eventually(
        lambda: centre.job("bcl2fastq", job_id),
        lambda job: "are kept free" in (job["waits_for"] or ""),
    )
    assert job["lacks_space"] and job["state"] == "pending"
    assert f"on {centre.fastq}: " in job["waits_for"] and " of 21.0 MB are free" in job["waits_for"]
    health = centre.get("runfolder", "health")
    assert (health["status"], health["volumes"][VOLUME]["level"]) == ("degraded", "critical")
    assert centre.get("bcl2fastq", "health")["lacking_space"] == 1
    figures = centre.call("GET", "runfolder", "metrics").text
    assert f'arteriole_volume_pressure{{volume="{VOLUME}"}} 2.0' in figures
    figures = centre.call("GET", "bcl2fastq", "metrics").text
    assert 'arteriole_jobs{state="lacking_space"} 1.0' in figures
    checksum = centre.ended("checksum", centre.submit("checksum", "checksum", part="run"))
    assert checksum["state"] == "done"  # what frees space goes on

    process.kill()
    process.wait()
    centre.home.start()
    eventually(lambda: centre.job("bcl2fastq", job_id), lambda job: job["lacks_space"])
    eventually(centre.volume, lambda volume: volume["level"] == "critical")
    assert centre.alerts() == [critical]
    assert centre.submit("bcl2fastq", "convert") == job_id

    centre.filler.unlink()
    job = centre.ended("bcl2fastq", job_id)
    assert (job["state"], job["waits_for"], job["lacks_space"]) == ("done", None, False), job
    assert (centre.fastq / centre.run / "attempt-1" / "attempt.json").is_file()
    assert len(centre.events("bcl2fastq", "job_started", "job_finished")) == 2
    eventually(centre.alerts, lambda alerts: alerts == [])
    assert centre.events("runfolder", "disk_pressure", "disk_eased") == [
        ("disk_pressure", {"code": "disk.critical", "volume": VOLUME}),
        ("disk_eased", {"volume": VOLUME}),
    ]
    assert centre.get("runfolder", "health")["status"] == "ok"
