"""What is noted of a configuration that is good by itself."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arteriole.commands.config_notes import notes
from arteriole.settings import Settings

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Settings]:
    """Settings with every folder and file that they name; keys of a section replace those here."""
    for name in ("state", "runs", "fastq", "vault"):
        (tmp_path / name).mkdir()
    for name in ("key", "hosts", "credentials", "public", "private", "token"):
        (tmp_path / name).touch(mode=0o600)
    (tmp_path / "hosts").chmod(0o644)
    far = {"host": "hpc", "user": "u", "path": "/far", "identity_file": f"{tmp_path}/key"}
    far["known_hosts"] = f"{tmp_path}/hosts"
    crypt4gh = {"recipients": [f"{tmp_path}/public"], "private_key": f"{tmp_path}/private"}
    bucket = {"bucket": "vault", "credentials_file": f"{tmp_path}/credentials"}
    fastq = {"fastq_root": f"{tmp_path}/fastq"}
    roots = {**fastq, "manifest_root": f"{tmp_path}/manifests"}
    runs = {"run_roots": [f"{tmp_path}/runs"]}
    asked = {"url": "https://lims/{sample}", "token_file": f"{tmp_path}/token"}

    def made(**more: dict[str, Any]) -> Settings:
        sections: dict[str, Any] = {
            "runfolder": {"monitored_directories": [f"{tmp_path}/runs"]},
            "bcl2fastq": {"converter": "builtin", **fastq, **runs},
            "checksum": {**roots, **runs},
            "transfer": {**roots, "destinations": {"far": far}},
            "archive": {
                **roots,
                **runs,
                "destinations": {
                    "tape": {"directory": f"{tmp_path}/vault"},
                    "s3": {"s3": {**bucket, "crypt4gh": crypt4gh}},
                },
            },
            "metadata": {"sources": [{"name": "lims", "http": asked}]},
        }
        for name, keys in more.items():
            sections[name] |= keys
        return Settings.model_validate({"state_dir": f"{tmp_path}/state", **sections})

    return made


def test_nothing_is_noted_where_all_is_there(site: Callable[..., Settings]) -> None:
    assert list(notes(site())) == []


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("key", "transfer.destinations.far.identity_file"),
        ("hosts", "transfer.destinations.far.known_hosts"),
        ("credentials", "archive.destinations.s3.s3.credentials_file"),
        ("public", "archive.destinations.s3.s3.crypt4gh.recipients.0"),
        ("private", "archive.destinations.s3.s3.crypt4gh.private_key.0"),
        ("token", "metadata.sources.0.http.token_file"),
    ],
)
def test_a_file_that_cannot_be_used(
    site: Callable[..., Settings], tmp_path: Path, name: str, key: str
) -> None:
    settings, path = site(), tmp_path / name
    path.chmod(0o640)
    is_secret = name not in ("hosts", "public")
    told = f"{path} is a secret, and not its owner's alone: its mode is 0640: {key}"
    assert list(notes(settings)) == ([told] if is_secret else [])
    path.unlink()
    assert list(notes(settings)) == [f"{path} is not there, or not yet: {key}"]
    path.mkdir()
    assert list(notes(settings)) == [f"{path} is no file: {key}"]


@root_only
def test_a_file_that_this_user_cannot_read(site: Callable[..., Settings], tmp_path: Path) -> None:
    """The folder of the files lets nobody else in."""
    tmp_path.chmod(0o700)
    settings = site()
    os.seteuid(23001)
    try:
        told = list(notes(settings))
    finally:
        os.seteuid(0)
    key = "transfer.destinations.far.identity_file"
    assert f"{tmp_path}/key cannot be read: Permission denied: {key}" in told


@root_only
def test_who_asked_if_it_is_not_the_services_user(
    site: Callable[..., Settings], tmp_path: Path
) -> None:
    os.chown(tmp_path / "state", 23001, 23001)
    (told,) = notes(site())
    assert told.startswith("this was asked by root, and state_dir belongs to user 23001: ")


def test_the_folder_of_fastqs_is_made_by_nobody(
    site: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "fastq").rmdir()
    keys = ", ".join(f"{name}.fastq_root" for name in ("bcl2fastq", "checksum", "transfer"))
    told = f"{tmp_path}/fastq is no folder here, or not yet: {keys}, archive.fastq_root"
    assert list(notes(site())) == [told]


def test_directories_whose_runs_a_service_does_not_find(
    site: Callable[..., Settings], tmp_path: Path
) -> None:
    inner, link = tmp_path / "runs" / "inner", tmp_path / "link"
    inner.mkdir()
    link.symlink_to("runs")
    settings = site(
        runfolder={
            "monitored_directories": [link, inner]
        },  # a run is looked for in the root itself
        checksum={"run_roots": [tmp_path / "runs", inner]},
        transfer={"run_roots": [tmp_path / "runs"]},
    )
    roots = "bcl2fastq.run_roots, transfer.run_roots, archive.run_roots"
    told = f"{inner} of runfolder.monitored_directories is none of {roots}"
    assert list(notes(settings)) == [f"{told}, so its runs are not found there"]
