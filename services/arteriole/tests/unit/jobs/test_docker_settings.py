"""Executors of the type docker: what they may be given."""

from typing import Any

import pytest
from pydantic import ValidationError

from arteriole.jobs.executors.docker_settings import DockerSettings
from arteriole.wes.settings import WesSettings

DIGEST = "sha256:" + "0" * 64


def settings(**given: Any) -> DockerSettings:
    return DockerSettings.model_validate(
        {"type": "docker", "image": "tools:1", "mounts": ["/data"], **given}
    )


@pytest.mark.parametrize(
    "image",
    ["tools:1", "registry.example.org:5000/site/tools:1.2-x", f"site/tools@{DIGEST}", DIGEST],
)
def test_an_image_is_named_exactly(image: str) -> None:
    assert settings(image=image).image == image


@pytest.mark.parametrize(
    "image", ["tools", "registry.example.org:5000/tools", "-v:1", "a b:1", "tools@sha256:12", ""]
)
def test_an_image_without_tag_or_digest_is_refused(image: str) -> None:
    with pytest.raises(ValidationError, match="expected an image with a tag or a digest"):
        settings(image=image)


@pytest.mark.parametrize("path", ["/", "/var/run", "/var/run/docker.sock", "/run/docker.sock"])
def test_the_engine_is_not_mounted(path: str) -> None:
    with pytest.raises(ValidationError, match="expected a folder of data"):
        settings(mounts=[path])


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/a:b"])
def test_a_mount_is_a_plain_absolute_path(path: str) -> None:
    with pytest.raises(ValidationError, match="expected an absolute path"):
        settings(mounts=[path])


@pytest.mark.parametrize(("mounts", "fits"), [(["/fastq"], True), (["/fast"], False), ([], False)])
def test_the_data_has_to_be_mounted(mounts: list[str], fits: bool) -> None:
    given = {
        "fastq_root": "/fastq/site",
        "work_root": "/w",
        "results_root": "/r",
        "executors": {"here": {"type": "docker", "image": "tools:1", "mounts": mounts}},
    }
    if fits:
        assert WesSettings.model_validate(given).executors
        return
    with pytest.raises(ValidationError, match="expected /fastq/site among its mounts"):
        WesSettings.model_validate(given)
