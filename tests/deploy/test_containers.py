"""The images and the profile `solo`, on a real Docker engine (`make docker-test`)."""

import json
import os
import subprocess

import pytest

from demo.machine import ROOT
from tests.deploy.base_image import base_image, engine, run
from tests.deploy.compose import TAG, UID, deployed

pytestmark = [
    pytest.mark.docker,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(engine()), reason=engine()),
]

IMAGES = ("arteriole-packs", "arteriole-services", "arteriole-st2solo")


@pytest.fixture(scope="module")
def solo(tmp_path_factory):
    home = tmp_path_factory.mktemp("centre")
    for folder in (home, *home.parents[:2]):
        folder.chmod(0o755)  # the containers' user has to pass
    with deployed(home) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def passed(solo):
    """The name of the run that the first smoke test took through the chain."""
    done = solo.smoke()
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split("smoke test (chain) passed: ")[1].split(":")[0]


def inspected(image):
    return json.loads(run("docker", "image", "inspect", f"{image}:{TAG}"))[0]["Config"]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_as_a_user_of_its_own_and_tells_what_it_is(solo, image):
    config = inspected(image)
    assert config["User"] == f"{UID}:{UID}"
    assert config["Labels"]["org.opencontainers.image.version"] == TAG
    assert not [word for word in config["Env"] if word.startswith("PIP_")]


def test_the_containers_can_write_where_they_must_and_nowhere_else(solo, passed):
    for service in ("services", "st2solo"):
        assert f"uid={UID}" in solo.inside(service, "id")
        assert "Read-only" in solo.inside(service, "touch", "/x", check=False)
    assert "Read-only" in solo.inside("services", "touch", "/data/incoming/x", check=False)


def test_a_run_goes_through_the_chain(solo, passed):
    archive = solo.home / "archive" / passed / "attempt-1" / "archive.json"
    assert archive.is_file()
    assert "healthy" in solo.compose("ps").stdout


def test_down_and_up_again_keeps_everything(solo, passed):
    token = solo.inside("services", "cat", "/var/lib/arteriole/admin.token")
    executions = st2(solo, "execution", "list", "-n", "200")
    solo.compose("down")
    solo.up()
    assert solo.inside("services", "cat", "/var/lib/arteriole/admin.token") == token
    told = solo.inside("services", "arteriole", "runs", "--json")
    assert {run["name"]: run["state"] for run in json.loads(told)}[passed] == "done"
    first = [line for line in executions.splitlines() if "umccr.receive" in line][-1].split("|")[1]
    assert first.strip(" +") in st2(solo, "execution", "list", "-n", "1000")
    done = solo.smoke()
    assert done.returncode == 0, done.stdout + done.stderr


BACKED_UP = {"services": "arteriole", "st2solo": "st2solo"}


def in_a_container(solo, service, *words):
    """One more container of a service, with a folder for backups, as docs/operate.md says."""
    program, *rest = words
    folders = ["--volume", f"{ROOT}/deploy:/deploy:ro", "--volume", f"{solo.home}/backups:/backups"]
    solo.compose("run", "--rm", "--no-deps", *folders, "--entrypoint", program, service, *rest)


def test_a_backup_brings_everything_back_when_the_volumes_are_gone(solo, passed):
    (solo.home / "backups").mkdir()
    os.chown(solo.home / "backups", UID, UID)
    for service, name in BACKED_UP.items():
        in_a_container(solo, service, "python3", "/deploy/backup.py", f"/var/lib/{name}",
                       f"/backups/{name}")  # fmt: skip
    solo.compose("down", "--volumes")
    for service, name in BACKED_UP.items():
        in_a_container(solo, service, "cp", "-a", f"/backups/{name}/.", f"/var/lib/{name}/")
    solo.up()
    told = solo.inside("services", "arteriole", "runs", "--json")
    assert {run["name"]: run["state"] for run in json.loads(told)}[passed] == "done"
    assert "umccr.receive" in st2(solo, "execution", "list", "-n", "1000")
    done = solo.smoke()
    assert done.returncode == 0, done.stdout + done.stderr


#: docs/operate.md, Rotate what is secret.
ROTATE = """umask 077; cd /var/lib/arteriole
arteriole token revoke packs && arteriole token create packs --role operator > packs.token"""


def test_the_token_of_the_packs_can_be_rotated(solo, passed):
    before = solo.inside("services", "cat", "/var/lib/arteriole/packs.token")
    solo.inside("services", "sh", "-c", ROTATE)
    assert solo.inside("services", "cat", "/var/lib/arteriole/packs.token") != before
    solo.compose("up", "--detach", "st2solo-prepare")
    solo.compose("restart", "st2solo")
    done = solo.smoke()
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_smoke_test_tells_what_does_not_move(solo, passed):
    solo.compose("stop", "st2solo")
    try:
        done = solo.smoke("--seconds", "3", "--pause", "0.2")
        said = done.stdout + done.stderr
        assert done.returncode == 1 and "smoke test (chain) failed" in said
        assert "the packs' sensor is silent" in said
    finally:
        solo.up()


def st2(solo, *words):
    """The unmodified command, logged in with the password that was made at the first start."""
    port = solo.settings
    password = solo.compose(
        "run", "--rm", "--no-deps", "--entrypoint", "cat", "st2solo-prepare",
        "/var/lib/st2solo-secrets/admin.password",
    ).stdout.strip()  # fmt: skip
    environment = {
        **os.environ,
        "HOME": str(solo.home),
        "COLUMNS": "250",
        "ST2_AUTH_URL": f"http://127.0.0.1:{port['ST2_AUTH_PORT']}",
        "ST2_API_URL": f"http://127.0.0.1:{port['ST2_API_PORT']}/v1",
        "ST2_STREAM_URL": f"http://127.0.0.1:{port['ST2_STREAM_PORT']}/v1",
    }
    command = str(ROOT / ".venv-st2" / "bin" / "st2")
    for arguments in (["login", "admin", "--password", password, "-w"], list(words)):
        done = subprocess.run(
            [command, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_proxy_takes_its_configuration():
    for second in ("st2.example.org", ""):
        run(
            "docker", "run", "--rm", "--network", "none", "--env", "DOMAIN=runs.example.org",
            "--env", f"ST2_DOMAIN={second or 'http://st2.invalid'}",
            "--env", "ACME_EMAIL=a@example.org",
            "--volume", f"{ROOT}/deploy/tls:/etc/caddy:ro", base_image(),
            "caddy", "validate", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile",
        )  # fmt: skip
    run(
        "docker", "run", "--rm", "--network", "none",
        "--volume", f"{ROOT}/deploy/tls:/etc/caddy:ro", base_image(),
        "caddy", "validate", "--config", "/etc/caddy/bundle.Caddyfile", "--adapter", "caddyfile",
    )  # fmt: skip


def test_without_the_package_there_is_no_image_of_bcl2fastq():
    done = subprocess.run(
        ["docker", "build", "--build-arg", f"BASE={base_image()}", str(ROOT / "docker/bcl2fastq")],
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "no package is named" in done.stdout + done.stderr
