"""docker/bcl2fastq/unpack.sh: what is no package of bcl2fastq makes no image, and is told so."""

import hashlib
import shutil
import subprocess

import pytest

from demo.machine import ROOT

SCRIPT = ROOT / "docker" / "bcl2fastq" / "unpack.sh"


def unpack(folder, package, sha256="", to="to"):
    return subprocess.run(
        ["sh", str(SCRIPT), str(folder), package, sha256, str(folder / to)],
        capture_output=True,
        text=True,
        check=False,
    )


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not there")


def make_deb(folder, program):
    """A package of Debian with one program in it, which is a stand-in."""
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: stand-in\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.org>\n"
        "Description: a stand-in\n"
    )
    (tree / "usr" / "local" / "bin").mkdir(parents=True)
    (tree / "usr" / "local" / "bin" / program).write_text("#!/bin/sh\necho stand-in\n")
    subprocess.run(
        ["dpkg-deb", "--build", "-Znone", str(tree), str(folder / "package.deb")],
        check=True,
        capture_output=True,
    )
    return folder / "package.deb"


@pytest.mark.parametrize(
    ("package", "sha256", "told"),
    [
        ("", "", "no package is named"),
        ("absent.rpm", "0" * 64, "absent.rpm is not there"),
        ("../package.rpm", "0" * 64, "PACKAGE is a file name"),
        ("a b.rpm", "0" * 64, "PACKAGE is a file name"),
        ("package.rpm", "", "SHA256 is missing"),
        ("package.rpm", "0" * 64, "it is another file, or was cut short"),
        ("package.tgz", None, "is no .rpm, .zip or .deb"),
        ("package.deb", None, "it is not what its name says"),
    ],
)
def test_what_is_missing_or_wrong_is_told(tmp_path, package, sha256, told):
    for name in ("package.rpm", "package.tgz", "package.deb"):
        (tmp_path / name).write_text("no package\n")
    done = unpack(tmp_path, package, digest(tmp_path / package) if sha256 is None else sha256)
    assert done.returncode == 1 and told in done.stderr
    assert not (tmp_path / "to").exists()


@needs_dpkg
def test_a_package_of_something_else_is_refused(tmp_path):
    package = make_deb(tmp_path, "another")
    done = unpack(tmp_path, package.name, digest(package))
    assert done.returncode == 1 and "has no bin/bcl2fastq" in done.stderr


@needs_dpkg
def test_a_package_with_the_program_is_taken(tmp_path):
    package = make_deb(tmp_path, "bcl2fastq")
    assert unpack(tmp_path, package.name, digest(package)).returncode == 0
    program = tmp_path / "to" / "usr" / "local" / "bin" / "bcl2fastq"
    assert subprocess.run([program], capture_output=True, check=True).stdout == b"stand-in\n"
