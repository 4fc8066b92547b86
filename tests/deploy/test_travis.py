""".travis.yml: its stages, in order, and that only a tag is deployed."""

import re

import pytest
import yaml

from demo.machine import ROOT

TEXT = (ROOT / ".travis.yml").read_text(encoding="utf-8")
TRAVIS = yaml.safe_load(TEXT)
JOBS = {job["stage"]: job for job in TRAVIS["jobs"]["include"]}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SECRET = {"access_key_id", "secret_access_key"}


def stage_name(stage):
    return stage if isinstance(stage, str) else stage["name"]


def test_the_stages_are_check_test_build_deploy():
    names = [stage_name(stage) for stage in TRAVIS["stages"]]
    assert names == ["check", "test", "build", "deploy"]
    assert list(JOBS) == names


@pytest.mark.parametrize("stage", ["check", "test", "build", "deploy"])
def test_each_stage_runs_a_target_that_there_is(stage):
    (target,) = re.findall(r"\bmake ([a-z-]+)$", JOBS[stage]["script"])
    assert re.search(rf"(?m)^{target}:.*##", MAKEFILE)


@pytest.mark.parametrize(
    ("tag", "deployed"),
    [("v1.2.3", True), ("v10.0.0", True), ("v1.2", False), ("1.2.3", False), ("v1.2.3-rc", False)],
)
def test_only_a_version_is_deployed(tag, deployed):
    (condition,) = [s["if"] for s in TRAVIS["stages"] if stage_name(s) == "deploy"]
    pattern = condition.removeprefix("tag =~ ")
    assert bool(re.search(pattern, tag)) is deployed
    on = True  # as YAML 1.1 reads that key
    assert all(provider[on] == {"tags": True} for provider in JOBS["deploy"]["deploy"])


def test_what_is_uploaded_is_what_is_deployed():
    upload, deploy = JOBS["deploy"]["deploy"]
    assert (upload["provider"], deploy["provider"]) == ("s3", "codedeploy")
    assert deploy["bucket"] == upload["bucket"]
    assert deploy["key"] == f"{upload['upload_dir']}/revision.tar.gz"
    assert deploy["bundle_type"] == "tgz"
    assert f"REVISION ?= {upload['local_dir']}\n" in MAKEFILE
    assert upload["cleanup"] is False, "the revision has to be there after the build"


def test_names_and_secrets_come_from_the_environment():
    for provider in JOBS["deploy"]["deploy"]:
        for key in SECRET | {"bucket", "region"}:
            assert re.fullmatch(r"\$[A-Z_]+", provider[key])
    assert not re.search(r"AKIA[0-9A-Z]{16}|secure:", TEXT)
