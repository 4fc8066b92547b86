"""`make packs` gives what `st2 pack install` wants: a git repository with pack.yaml at its root."""

import subprocess

import pytest
import yaml

from demo.machine import ROOT


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs")
    subprocess.run(
        ["make", "--silent", "packs", f"PACKS={folder}"], cwd=ROOT, check=True, capture_output=True
    )
    return folder


@pytest.mark.parametrize("pack", ["arteria", "umccr"])
def test_each_pack_is_a_repository_of_its_own(exported, pack, tmp_path):
    clone = tmp_path / pack
    subprocess.run(["git", "clone", "--quiet", f"file://{exported / pack}", str(clone)], check=True)
    assert yaml.safe_load((clone / "pack.yaml").read_text())["name"] == pack
    assert (clone / "LICENSE").is_file()
    there = {path.relative_to(clone) for path in clone.rglob("*.yaml") if ".git" not in path.parts}
    here = {
        path.relative_to(ROOT / "packs" / pack) for path in (ROOT / "packs" / pack).rglob("*.yaml")
    }
    assert there == here
    assert not list(clone.rglob("*.pyc"))
