"""What makes StackStorm's containers ready: secrets, content, the token, roles, liveness."""

import ast
import configparser
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
import yaml

from demo.machine import ROOT, SERVICES
from tests.solo import USER, Solo

with warnings.catch_warnings():  # it is part of each Python that StackStorm runs on
    warnings.simplefilter("ignore", DeprecationWarning)
    crypt = pytest.importorskip("crypt", reason="no StackStorm runs on this Python")

STACKSTORM = ROOT / "deploy" / "stackstorm"
#: Stands in for StackStorm's own tool of that name.
FAKE_GENERATOR = '#!/bin/sh\n[ ! -e "$2" ] && echo \'{"a": "fake key"}\' > "$2"\n'


def script(name, *words, **more):
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(STACKSTORM / name), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


# logs

#: The section of each process whose name is not that of the process.
SECTIONS = {"workflowengine": "workflow_engine"}


def test_no_process_logs_what_is_secret_in_a_configuration():
    """StackStorm writes it at DEBUG: get_config of st2common/util/config_loader.py."""
    log = configparser.RawConfigParser()
    log.read(STACKSTORM / "logging.conf")
    levels = {name: log[name]["level"] for name in log.sections() if "level" in log[name]}
    assert levels == {"logger_root": "INFO", "handler_console": "INFO"}
    settings = configparser.RawConfigParser()
    settings.read(STACKSTORM / "st2.docker.conf")
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    commands = [service.get("command") for service in services.values()]
    processes = [
        c[2] for c in commands if isinstance(c, list) and c[1:2] == ["/opt/arteriole/run.sh"]
    ]
    assert len(processes) == 11
    for process in processes:
        name = process.removeprefix("st2")
        assert settings[SECTIONS.get(name, name)]["logging"] == "/opt/arteriole/logging.conf"


# secrets


@pytest.fixture
def made(tmp_path):
    """Makes the secrets below `root`, and gives the files there."""
    generator = tmp_path / "st2-generate-symmetric-crypto-key"
    generator.write_text(FAKE_GENERATOR)
    generator.chmod(0o755)
    root = tmp_path / "root"

    def make():
        done = script("make_secrets.py", "admin", root, generator)
        assert done.returncode == 0, done.stderr
        return {p.relative_to(root).as_posix(): p for p in root.rglob("*") if p.is_file()}

    return make


def test_secrets_are_made_once_and_only_their_owner_reads_them(made):
    files = made()
    before = {name: path.read_bytes() for name, path in files.items()}
    assert len(files) == 9
    for path in files.values():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700, path
    assert {name: path.read_bytes() for name, path in made().items()} == before


def test_a_first_start_that_was_cut_off_is_finished(made):
    files = made()
    kept = files["secrets/mongo/password"].read_text()
    for name in ("etc/st2/keys/htpasswd", "etc/st2/keys/datastore_key.json"):
        files[name].unlink()
    files["etc/st2/keys/htpasswd"].with_name("datastore_key.partial").write_text("half")
    again = made()
    assert again["secrets/mongo/password"].read_text() == kept
    assert again.keys() == files.keys()


def test_the_passwords_of_databases_are_those_that_stackstorm_has(made):
    files = made()
    settings = configparser.ConfigParser()
    settings.read(files["etc/st2/keys/st2.secrets.conf"])
    mongo = files["secrets/mongo/password"].read_text()
    assert settings["database"]["password"] == mongo
    rabbitmq = files["secrets/rabbitmq/20-user.conf"].read_text().split()[-1]
    assert settings["messaging"]["url"] == f"amqp://stackstorm:{rabbitmq}@rabbitmq:5672"
    redis = files["secrets/redis/redis.conf"].read_text().split()[1]
    assert settings["coordination"]["url"] == f"redis://:{redis}@redis:6379"
    assert len({mongo, rabbitmq, redis}) == 3


def test_the_administrator_logs_in_with_the_password_that_was_made(made):
    files = made()
    user, _, digest = files["etc/st2/keys/htpasswd"].read_text().strip().partition(":")
    password = files["secrets/people/admin.password"].read_text()
    assert user == "admin" and digest.startswith("$6$")
    assert crypt.crypt(password, digest) == digest


def test_no_password_is_printed(made, tmp_path):
    files = made()
    told = script("make_secrets.py", "admin", tmp_path / "root").stdout
    assert not [p for n, p in files.items() if "password" in n and p.read_text() in told]


# content


@pytest.fixture
def content(tmp_path):
    """Runs content.sh with fakes that note each call, and the configurations at that time."""
    log, configs = tmp_path / "log", tmp_path / "configs"
    for name in ("st2-register-content", "st2-apply-rbac-definitions"):
        text = f'#!/bin/sh\necho "{name} $*" >> {log}\nhead {configs}/* > {tmp_path}/known\n'
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    for folder in (configs, tmp_path / "configs.arteriole"):
        folder.mkdir()
    (tmp_path / "configs.arteriole" / "arteria.yaml").write_text("a: new\n")

    def run():
        subprocess.run(
            ["sh", str(STACKSTORM / "content.sh")],
            env={**os.environ, "ST2_BIN": str(tmp_path), "CONFIGS": str(configs)},
            check=True,
        )
        return [line.split() for line in log.read_text().splitlines()]

    return run


def test_configurations_of_a_site_come_first_and_those_of_other_packs_stay(content, tmp_path):
    (tmp_path / "configs.arteriole" / "mysite.yaml").write_text("m: 1\n")
    (tmp_path / "configs" / "arteria.yaml").write_text("a: old\n")
    (tmp_path / "configs" / "slack.yaml").write_text("s: 1\n")
    content()
    found = {path.name: path.read_text() for path in (tmp_path / "configs").iterdir()}
    assert found == {"arteria.yaml": "a: new\n", "mysite.yaml": "m: 1\n", "slack.yaml": "s: 1\n"}
    known = (tmp_path / "known").read_text()
    assert "a: new" in known and "m: 1" in known, "when they were registered"


def test_environments_come_before_content(content):
    calls = content()
    assert [(words[0], words[-1]) for words in calls] == [
        ("st2-register-content", "--register-setup-virtualenvs"),
        ("st2-register-content", "--register-fail-on-failure"),
        ("st2-apply-rbac-definitions", "--config-file=/etc/st2/st2.user.conf"),
    ]
    assert "--register-all" in calls[1] and "--register-all" not in calls[0]


# the token, to what speaks StackStorm's API


@pytest.fixture(scope="module")
def solo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("solo")
    (folder / "packs").mkdir()
    one = Solo(folder)
    one.lay_out()
    one.start()
    yield one
    one.end()


@pytest.fixture
def handover(solo, tmp_path):
    ports = json.loads((solo.state / "ports.json").read_text())
    addresses = {name: f"http://127.0.0.1:{ports[name]}" for name in ("auth", "api")}
    (tmp_path / "password").write_text(f"{solo._password}\n")

    def run(token, **given):
        (tmp_path / "token").write_text(f"{token}\n")
        words = {
            **addresses,
            "user": USER,
            "password-file": tmp_path / "password",
            "token-file": tmp_path / "token",
            **given,
        }
        return script("handover.py", *(f"--{name}={value}" for name, value in words.items()))

    run.addresses, run.password = addresses, solo._password
    return run


def stored(handover, **query):
    at = handover.addresses
    login = requests.post(
        f"{at['auth']}/tokens", json={}, auth=(USER, handover.password), timeout=9
    )
    return requests.get(
        f"{at['api']}/v1/keys/arteria_token",
        params=query,
        headers={"X-Auth-Token": login.json()["token"]},
        timeout=9,
    ).json()


def test_the_token_is_stored_encrypted_once_and_anew_when_it_was_rotated(handover):
    assert "is stored" in handover("first-token").stdout
    assert stored(handover)["value"] != "first-token" and stored(handover)["secret"] is True
    assert "was there" in handover("first-token").stdout
    assert "is stored" in handover("second-token").stdout
    assert stored(handover, decrypt="true")["value"] == "second-token"


def test_a_wrong_password_is_told_without_it(handover, tmp_path):
    (tmp_path / "wrong").write_text("not-this-one\n")
    done = handover("a-token", **{"password-file": tmp_path / "wrong"})
    assert done.returncode == 1 and "HTTP 401" in done.stderr
    assert "not-this-one" not in done.stderr and "a-token" not in done.stderr


# roles: st2common/rbac/types.py of StackStorm 3.9, RESOURCE_TYPE_TO_PERMISSION_TYPES_MAP and
# GLOBAL_PERMISSION_TYPES

PERMISSIONS = {
    "webhook": {"webhook_list", "webhook_view", "webhook_create", "webhook_send", "webhook_all"},
    "pack": {
        "pack_view", "action_view", "action_execute", "action_all", "action_alias_view",
        "action_alias_all", "rule_view", "sensor_type_view",
    },
    "key_value_pair": {
        "key_value_pair_list", "key_value_pair_view", "key_value_pair_set",
        "key_value_pair_delete", "key_value_pair_all",
    },
    None: {
        "action_alias_list", "action_alias_match", "action_alias_help", "stream_view",
        "execution_list", "action_list",
    },
}  # fmt: skip
ROLES = {p.stem: yaml.safe_load(p.read_text()) for p in STACKSTORM.glob("rbac/roles/*.yaml")}
ASSIGNMENTS = {
    p.stem: yaml.safe_load(p.read_text()) for p in STACKSTORM.glob("rbac/assignments/*.yaml")
}


@pytest.mark.parametrize("name", sorted(ROLES))
def test_a_role_grants_what_stackstorm_knows(name):
    assert ROLES[name]["name"] == name
    assert ROLES[name].keys() <= {"name", "description", "enabled", "permission_grants"}
    for grant in ROLES[name]["permission_grants"]:
        kind = grant["resource_uid"].split(":")[0] if "resource_uid" in grant else None
        assert set(grant["permission_types"]) <= PERMISSIONS[kind]


def test_everybody_has_a_role_that_exists():
    users = {"admin", "stanley", "sensor_service", "arteria_services", "chatops"}
    assert ASSIGNMENTS.keys() == users
    for user, assignment in ASSIGNMENTS.items():
        assert assignment["username"] == user
        assert set(assignment["roles"]) <= ROLES.keys() | {"system_admin", "admin", "observer"}


def test_the_bot_may_run_the_packs_that_have_aliases_and_no_others():
    packs = {path.parts[-3] for path in (ROOT / "packs").glob("*/aliases/*.yaml")}
    granted = [g["resource_uid"] for g in ROLES["chat"]["permission_grants"] if "resource_uid" in g]
    assert granted == [f"pack:{name}" for name in sorted(packs)]


def test_the_sensor_may_keep_its_cursors_and_nothing_else():
    """StackStorm lets sensors ask as `sensor_service`, which has no role of its own."""
    assert ASSIGNMENTS["sensor_service"]["roles"] == ["sensor"]
    kept = "key_value_pair:st2kv.system:arteria.EventFeedSensor:cursor_"
    assert ROLES["sensor"]["permission_grants"] == [
        {
            "resource_uid": f"{kept}{service}",
            "permission_types": ["key_value_pair_view", "key_value_pair_set"],
        }
        for service in SERVICES
    ]


def test_keys_of_services_may_only_send_webhooks():
    assert ASSIGNMENTS["arteria_services"]["roles"] == ["webhooks_only"]
    assert ROLES["webhooks_only"]["permission_grants"] == [
        {"resource_uid": "webhook:st2", "permission_types": ["webhook_send"]}
    ]


# liveness


class Refusing(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


def test_a_process_with_a_port_lives_while_it_answers():
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        assert script("alive.py", "answers", server.server_port).returncode == 0
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert script("alive.py", "answers", server.server_port).returncode == 1


def test_a_process_without_one_lives_while_it_holds_its_connection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert script("alive.py", "connected", port).returncode == 1
        with socket.create_connection(("127.0.0.1", port)):
            assert script("alive.py", "connected", port).returncode == 0


@pytest.mark.parametrize("path", sorted(STACKSTORM.glob("*.py")), ids=lambda p: p.name)
def test_it_is_python_3_8(path):
    ast.parse(path.read_text(), feature_version=(3, 8))
