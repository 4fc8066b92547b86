"""The units of the bundle on a real systemd, the first process of a container (`make docker-test`).

The machine has no network, and is set up by the commands of docs/install.md and docs/operate.md.
"""

import json
import re
import subprocess
import sys
import textwrap
import uuid

import pytest
import yaml

from demo.machine import ROOT
from tests.conftest import wait_until
from tests.deploy.base_image import base_image, engine, run

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(engine()), reason=engine()),
]

UNITS = ("arteriole", "st2solo")
#: What systemd needs. Not --privileged: no engine can give what its own machine has not.
RIGHTS = (
    "--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined", "--cgroupns=private", "--tmpfs=/run:exec",
    "--tmpfs=/run/lock", "--env=container=docker", "--stop-signal=SIGRTMIN+3",
)  # fmt: skip
BOOT = """for one in /sys/fs/cgroup /sys/fs/cgroup/*; do mount -o remount,bind,rw $one; done
exec /sbin/init"""
#: docs/install.md, The commands.
COMMANDS = """PATH=/opt/arteriole/current/bin:$PATH
export ARTERIOLE_CONFIG=/etc/arteriole/arteriole.yaml
"""
#: A run whose conversion takes some seconds.
SIMULATE = """runuser -u arteriole -- arteriole simulate /data/incoming --run {run} --quiet \
    --kind novaseq6000 --lanes 1 --surfaces 1 --swaths 1 --tiles 2 --clusters 200000 \
    --read-cycles 76 --truth /var/lib/arteriole/{run}.truth"""
#: As soon as it has begun.
STOP_THE_WORKER = """
until ls -d /data/fastq/{run}/.attempt-1.partial-* > /dev/null 2>&1; do :; done
worker=$(pgrep -nf 'm arteriole.bcl2fastq.work ')
pkill -STOP --pgroup $worker
echo $worker"""


def blocks(page, heading):
    """The commands of a section, a text a block."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", section, re.M)]


class Booted:
    """A container with systemd."""

    def __init__(self):
        self.name = f"arteriole-test-{uuid.uuid4().hex[:8]}"
        run("docker", "run", "--detach", "--name", self.name, "--network=none", *RIGHTS,
            base_image(), "sh", "-c", BOOT)  # fmt: skip
        self.wait()

    def wait(self):
        """Until everything is up that is to come up."""
        wait_until("a system that runs", lambda: self.says("systemctl is-system-running"))

    def says(self, script):
        """What root's shell prints; empty if it fails."""
        done = subprocess.run(
            ["docker", "exec", self.name, "sh", "-c", script],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    def sh(self, script, seconds=300):
        """What root's shell prints; the test fails with it if a command fails."""
        words = ["docker", "exec", self.name, "sh", "-euc", COMMANDS + script]
        return run("timeout", seconds, *words).strip()

    def write(self, path, document):
        done = ["docker", "exec", "--interactive", self.name, "sh", "-c", f"cat > {path}"]
        run(*done, input=yaml.safe_dump(document))

    def shown(self, unit, name):
        return self.sh(f"systemctl show --property {name} --value {unit}")

    def of_process(self, unit):
        """/proc/PID/status of what the unit runs."""
        told = self.sh(f"cat /proc/{self.shown(unit, 'MainPID')}/status")
        return dict(line.split(":", 1) for line in told.splitlines())

    def serves(self, but=""):
        """Whether the services answer, from another process than `but`."""
        pid = self.says("systemctl show --property MainPID --value arteriole")
        return pid not in ("", "0", but) and self.says(
            COMMANDS + "runuser -u arteriole -- arteriole runs"
        )

    def run(self, name):
        asked = COMMANDS + f"runuser -u arteriole -- arteriole run {name} --json"
        return json.loads(self.says(asked) or "{}")

    def in_mid_conversion(self, name):
        """The worker of a new run's conversion, which stands still."""
        self.sh(SIMULATE.format(run=name))
        return self.sh(STOP_THE_WORKER.format(run=name), seconds=120)

    def assert_done_once(self, name):
        wait_until(f"{name} done", lambda: self.run(name).get("state") == "done", 180)
        found = self.run(name)["stages"]
        assert {stage["state"] for stage in found} == {"done"}
        assert {stage["attempt"] for stage in found} == {1}
        assert self.sh(f"ls /data/fastq/{name}").split() == ["attempt-1", "current"]
        self.sh(f"test -s /archive/sequencing/{name}/attempt-1/archive.json")
        truth = f"/var/lib/arteriole/{name}.truth"
        assert "no differences" in self.sh(f"arteriole judge {truth} /data/fastq/{name}/attempt-1")


@pytest.fixture(scope="module")
def revision(tmp_path_factory):
    folder = tmp_path_factory.mktemp("revision")
    run("make", "--silent", "revision", f"BUNDLE={folder}/bundle", f"REVISION={folder}",
        f"PYTHON={sys.executable}")  # fmt: skip
    return folder / "revision.tar.gz"


def make_the_examples_ours(machine):
    """The numbered list between the commands of docs/install.md, and `mode: act`."""
    machine.sh("install -d -o arteriole -g arteriole /data/incoming")
    settings = yaml.safe_load(machine.sh("cat /etc/arteriole/arteriole.yaml"))
    for section in ("transfer", "wes", "metadata"):
        del settings[section]
    del settings["archive"]["destinations"]["far"]
    for section in ("archive", "checksum"):
        del settings[section]["results_root"]
    machine.write("/etc/arteriole/arteriole.yaml", {**settings, "mode": "act"})
    arteria = yaml.safe_load(machine.sh("cat /etc/arteriole/configs/arteria.yaml"))
    machine.write("/etc/arteriole/configs/arteria.yaml", {**arteria, "transfer_url": ""})
    machine.sh("sed -i '/^    transfer:/d' /etc/arteriole/configs/umccr.yaml")


def start(machine, folder):
    """The last commands of docs/install.md but for the smoke test, which is returned."""
    *commands, smoke_test = blocks("install.md", "Bundle and systemd")[2].splitlines()
    machine.sh("\n".join([f"cd {folder}", *commands]))
    return f"cd {folder}\n{smoke_test}"


@pytest.fixture(scope="module")
def machine(revision):
    machine = Booted()
    try:
        run("docker", "cp", revision, f"{machine.name}:/root")
        commands = blocks("install.md", "Bundle and systemd")[1]
        machine.sh("cd /root\n" + re.sub("(?m)^apt-get .*\n", "", commands))
        make_the_examples_ours(machine)
        # as the package of BCL Convert leaves it
        machine.sh("install -d -m 0777 /var/log/bcl-convert")
        machine.smoke_test = start(machine, "/root/revision")
        wait_until("services that answer", machine.serves)
        yield machine
    finally:
        run("docker", "rm", "--force", "--volumes", machine.name)


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_runs_as_a_user_without_any_privilege(machine, unit):
    status = machine.of_process(unit)
    assert set(status["Uid"].split()) == {machine.sh("id -u arteriole")}
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0, kind
    assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_outlives_a_process_of_its_own_that_is_out_of_memory(machine, unit):
    assert machine.shown(unit, "OOMPolicy") == "continue"


#: As arteriole.service sees them.
WRITABLE = ("/data/fastq", "/archive/sequencing", "/var/lib/arteriole", "/tmp", "/var/tmp",
            "/var/log/bcl-convert")  # fmt: skip
#: These are the user's own, too.
NOT_WRITABLE = ("/var/lib/st2solo", "/opt/own")


@pytest.mark.parametrize("folder", [*WRITABLE, *NOT_WRITABLE])
def test_the_services_write_where_they_must_and_nowhere_else(machine, folder):
    machine.sh("install -d -o arteriole -g arteriole /opt/own")
    root = f"/proc/{machine.shown('arteriole', 'MainPID')}/root"
    tried = machine.sh(f"runuser -u arteriole -- touch {root}{folder}/x 2>&1 || true")
    assert tried == "" if folder in WRITABLE else "Read-only file system" in tried


def test_a_job_goes_on_while_its_services_are_killed_started_again_and_stopped(machine):
    name = "261128_A01234_0001_AHUNITXDSX1"
    worker = machine.in_mid_conversion(name)
    own = f"/proc/{worker}/root/tmp/of-the-job"
    machine.sh(f"runuser -u arteriole -- touch {own}")
    for command in (
        "kill -KILL $(systemctl show --property MainPID --value arteriole)",
        "systemctl restart arteriole",
        "systemctl stop arteriole; systemctl start arteriole",
    ):
        before = machine.shown("arteriole", "MainPID")
        machine.sh(command, seconds=30)
        wait_until("other services", lambda before=before: machine.serves(but=before))
        assert machine.sh(f"cat /proc/{worker}/stat").split()[2] == "T"
        machine.sh(f"runuser -u arteriole -- test -e {own}")
    machine.sh(f"pkill -CONT --pgroup {worker}")
    machine.assert_done_once(name)


def test_the_smoke_test_passes(machine):
    assert "smoke test (chain) passed" in machine.sh(machine.smoke_test)


def test_the_journal_has_their_log(machine):
    assert '"event": "serving"' in machine.sh("journalctl --unit arteriole")
    assert "execution succeeded" in machine.sh("journalctl --unit st2solo")


def test_the_timer_makes_the_backup_of_a_night(machine):
    (commands,) = [block for block in blocks("operate.md", "Backup") if "systemctl" in block]
    machine.sh(commands)
    assert "arteriole-backup.service" in machine.sh("systemctl list-timers")
    (night,) = machine.sh("ls -d /var/backups/arteriole-nightly/*").split()
    machine.sh(f"test -s {night}/arteriole/bcl2fastq/jobs.sqlite")
    machine.sh(f"test -s {night}/st2solo/st2solo.sqlite && test -s {night}/etc/st2solo.yaml")


def test_st2solo_comes_again_by_itself_and_stops_at_once(machine):
    before = machine.shown("st2solo", "MainPID")
    machine.sh(f"kill -KILL {before}")
    wait_until("st2solo", lambda: machine.says("systemctl is-active st2solo") == "active")
    assert machine.shown("st2solo", "MainPID") not in ("0", before)
    machine.sh("systemctl stop st2solo", seconds=30)
    assert machine.shown("st2solo", "Result") == "success"
    machine.sh("systemctl start st2solo")


#: Another revision: one page of it has another end.
SECOND = """cp -a /root/revision /root/second
cd /root/second/bundle
echo >> README.md
sed -i '\\| [.]/README.md$|d' SHA256SUMS
sha256sum ./README.md >> SHA256SUMS
"""


def test_a_job_goes_on_while_its_services_are_upgraded(machine):
    name = "261128_A01234_0002_AHUNITXDSX2"
    before = machine.sh("readlink /opt/arteriole/current")
    worker = machine.in_mid_conversion(name)
    machine.sh(SECOND)
    machine.sh("cd /root/second; /root/revision/deploy/codedeploy/application_stop.sh")
    machine.sh("cd /root/second; deploy/codedeploy/before_install.sh")
    start(machine, "/root/second")
    machine.sh(f"pkill -CONT --pgroup {worker}")
    machine.assert_done_once(name)
    machine.sh("cd /root/second; deploy/codedeploy/validate_service.sh")
    release = machine.sh("readlink /opt/arteriole/current")
    assert release != before
    for unit in UNITS:
        pid = machine.shown(unit, "MainPID")
        assert release in machine.sh(f"tr '\\0' ' ' < /proc/{pid}/cmdline")


def test_all_is_up_again_after_a_reboot_in_mid_job(machine):
    name = "261128_A01234_0003_AHUNITXDSX3"
    machine.in_mid_conversion(name)
    run("docker", "stop", "-t", "240", machine.name)
    assert (
        run("docker", "inspect", "--format", "{{.State.ExitCode}}", machine.name).strip() != "137"
    )
    run("docker", "start", machine.name)
    machine.wait()
    assert machine.sh("systemctl --failed --quiet") == ""
    since = [int(machine.shown(unit, "ExecMainStartTimestampMonotonic")) for unit in UNITS]
    assert 0 < since[0] < since[1]
    machine.assert_done_once(name)
