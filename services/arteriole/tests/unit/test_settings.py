"""The example configuration is one that can be used."""

import json
from pathlib import Path

import pytest

from arteriole.app.config import ConfigError, load
from arteriole.app.names import is_identifier
from arteriole.serve import configured, write_ports
from arteriole.settings import SERVICES, Settings

EXAMPLE = Path(__file__).parents[2] / "arteriole.yaml.example"


def test_the_example_is_good_and_names_every_service():
    settings = load(EXAMPLE, Settings, {})
    assert configured(settings) == list(SERVICES)


@pytest.mark.parametrize(
    ("line", "wrong", "told"),
    [
        ("host: 127.0.0.1", "hots: 127.0.0.1", r"hots: there is no such key; is host meant"),
        ("port: 8183", "port: many", r"transfer\.port"),
        (
            "folder: /data/metadata",
            "foldr: /data",
            r"metadata\.sources\.0\.csv\.foldr: .*folder meant",
        ),
        ("    - csv:", "    - tsv:", r"metadata\.sources\.0\.tsv: .* is csv meant"),
        ("state_dir: /var/lib", "state_dir: var/lib", r"state_dir: .*absolute"),
        (
            "host: 127.0.0.1",
            "host: 0.0.0.0\nauth: none",
            r"auth: expected tokens where host is 0\.0\.0\.0",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path, line, wrong, told):
    text = EXAMPLE.read_text()
    assert line in text
    path = tmp_path / "arteriole.yaml"
    path.write_text(text.replace(line, wrong, 1))
    with pytest.raises(ConfigError, match=rf"arteriole\.yaml:\d+: .*{told}"):
        load(path, Settings, {})


def test_the_folders_that_services_write_to_have_names_once_each():
    settings = load(EXAMPLE, Settings, {})
    roots = settings.written_roots()
    assert len(set(roots.values())) == len(roots)
    assert next(iter(roots)) == "runfolder.monitored_directories.0"
    assert {"bcl2fastq.fastq_root", "checksum.manifest_root", "state_dir"} <= set(roots)
    assert all(is_identifier(name) for name in roots)


def test_mounted_destinations_are_watched_and_those_behind_ssh_are_not():
    roots = dict.fromkeys(("fastq_root", "manifest_root"), "/r")
    far = {"host": "hpc", "user": "u", "identity_file": "/k", "known_hosts": "/h"}
    destinations = {"near": {"path": "/mnt/hpc"}, "far": {"path": "/far", **far}}
    transfer = {**roots, "destinations": destinations}
    vaults = {"a b": {"directory": "/vault"}, "s3": {"s3": {"bucket": "bucket"}}}
    archive = {**roots, "run_roots": ["/runs"], "destinations": vaults}
    settings = Settings.model_validate(
        {"state_dir": "/s", "transfer": transfer, "archive": archive}
    )
    assert settings.written_roots() == {
        "transfer.fastq_root": Path("/r"),
        "archive.destinations.a_b.directory": Path("/vault"),
        "transfer.destinations.near.path": Path("/mnt/hpc"),
        "state_dir": Path("/s"),
    }


def test_limits_are_of_a_folder_that_services_write_to(tmp_path):
    path = tmp_path / "arteriole.yaml"
    text = EXAMPLE.read_text()
    for root, good in (("/data/incoming", True), ("/data/incomming", False)):
        limits = f"disk: {{roots: {{{root}: {{critical_percent: 1}}}}}}"
        path.write_text(text.replace("disk: {}", limits, 1))
        if good:
            (limit,) = load(path, Settings, {}).disk.roots.values()
            assert (limit.critical_percent, limit.early_percent) == (1, None)
            continue
        with pytest.raises(ConfigError, match=r"yaml:\d+: disk.roots: .*found '/data/incomming'"):
            load(path, Settings, {})


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:8180"), ("::1", "http://[::1]:8180")]
)
def test_where_a_service_is_stands_there_as_a_url(tmp_path, host, url):
    settings = load(EXAMPLE, Settings, {}).model_copy(update={"host": host, "state_dir": tmp_path})
    write_ports(settings, {"runfolder": 8180})
    assert json.loads((tmp_path / "ports.json").read_text()) == {"runfolder": url}
