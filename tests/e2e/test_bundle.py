"""`make bundle`: what it makes installs and runs where there is no network.

Making one takes a minute and a package registry, so those tests are run by `make bundle-test`; what
the install script refuses is tested always.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from demo.machine import ROOT

made = [pytest.mark.timeout(900), pytest.mark.bundle]

#: A port that nobody listens on: whoever asks the network after all fails at once.
NOWHERE = "http://127.0.0.1:9"
REGISTRY = re.compile(rb"https?://[^\s'\"]*(py(pi|thonhosted)\.|/simple\b)")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The unpacked bundle, in a path with a space."""
    folder = tmp_path_factory.mktemp("made") / "bundle"
    done = subprocess.run(
        ["make", "--silent", "bundle", f"BUNDLE={folder}", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    there = tmp_path_factory.mktemp("another machine")
    subprocess.run(["tar", "-xzf", f"{folder}.tar.gz", "-C", str(there)], check=True)
    return there / "bundle"


def run(*arguments):
    closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    known = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.run(
        [str(word) for word in arguments],
        cwd="/",
        env={**known, **closed, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def install(bundle, to, python=sys.executable):
    return run("sh", bundle / "install.sh", to, python)


@pytest.fixture(scope="module")
def installed(bundle, tmp_path_factory):
    to = tmp_path_factory.mktemp("fresh") / "arteriole"
    done = install(bundle, to)
    assert done.returncode == 0, done.stdout + done.stderr
    return to


@pytest.fixture
def small(tmp_path):
    """A bundle without wheels: enough for what is refused before anything is installed."""
    folder = tmp_path / "a bundle"
    folder.mkdir()
    shutil.copy(ROOT / "bundle" / "install.sh", folder)
    shutil.copy(ROOT / "LICENSE", folder)
    (folder / "python-version").write_text(f"{sys.version_info[0]}.{sys.version_info[1]}\n")
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.name}\n"
        for path in sorted(folder.iterdir())
    ]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder


def test_a_changed_file_is_refused(small, tmp_path):
    with open(small / "LICENSE", "ab") as file:
        file.write(b"x")
    done = install(small, tmp_path / "to")
    assert done.returncode == 1 and "LICENSE" in done.stdout + done.stderr
    assert not (tmp_path / "to").exists()


def test_a_folder_of_someone_else_is_left_alone(small, tmp_path):
    (tmp_path / "home" / "docs").mkdir(parents=True)
    done = install(small, tmp_path / "home")
    assert done.returncode == 1 and "is not empty" in done.stderr
    assert [entry.name for entry in (tmp_path / "home").iterdir()] == ["docs"]


def test_another_python_is_refused_with_the_one_that_is_needed(small, tmp_path):
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\necho 3.8\n")
    other.chmod(0o700)
    done = install(small, tmp_path / "to", other)
    assert done.returncode == 1
    assert f"for Python {sys.version_info[0]}.{sys.version_info[1]}" in done.stderr
    missing = install(small, tmp_path / "to", "no-such-python")
    assert missing.returncode == 1 and "no-such-python was not found" in missing.stderr
    assert not (tmp_path / "to").exists()


LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")

#: A Python that is asked for its version, makes environments, and runs pip in them: without wheels.
FAKE_PYTHON = """#!/bin/sh
case "$*" in
    -c*) echo VERSION ;;
    *venv*) for to; do :; done; mkdir -p "$to/bin"; cp "$0" "$to/bin/python" ;;
esac
"""


def headings(page):
    """Its headings, as a link names them."""
    found = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def dead_links(folder):
    """The links of pages below `folder` that lead to nothing there."""
    dead = []
    for page in folder.rglob("*.md"):
        for target, heading in LINK.findall(page.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:", target):
                continue
            there = page.parent / target if target else page
            if not there.exists() or (heading and heading not in headings(there)):
                dead.append(f"{page.relative_to(folder)}: {target}#{heading}")
    return dead


@pytest.fixture(scope="module")
def without_wheels(tmp_path_factory):
    """The unpacked bundle as the script makes it, but for its wheels; and a Python for it."""
    folder = tmp_path_factory.mktemp("without wheels")
    shutil.copytree(ROOT / "packs", folder / "made" / "bundle" / "packs")
    python = folder / "python"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    python.write_text(FAKE_PYTHON.replace("VERSION", version))
    python.chmod(0o700)
    done = subprocess.run(
        ["sh", "bundle/build.sh", str(folder / "made" / "bundle"), "st2client"],
        cwd=ROOT,
        env={**os.environ, "PYTHON": str(python)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run(["tar", "-xzf", folder / "made" / "bundle.tar.gz", "-C", folder], check=True)
    return folder / "bundle", python


def test_what_pages_link_to_is_in_the_bundle(without_wheels):
    bundle, _ = without_wheels
    assert len(list(bundle.rglob("*.md"))) > 250
    assert dead_links(bundle) == []


def test_what_pages_link_to_is_installed(without_wheels, tmp_path):
    bundle, python = without_wheels
    done = install(bundle, tmp_path / "to", python)
    assert done.returncode == 0, done.stdout + done.stderr
    assert dead_links(tmp_path / "to") == []
    named = re.findall(r"[\w/]+\.md", (bundle / "README").read_text(encoding="utf-8"))
    assert named and all((tmp_path / "to" / name).is_file() for name in named)


class TestMade:
    pytestmark = made

    @pytest.mark.parametrize(
        ("command", "says"),
        [
            (["arteriole", "--help"], "Runs a DNA sequencing centre"),
            (["arteriole", "--config", "docs/arteriole.yaml.example", "config", "check"], "good"),
            (["arteriole", "--version"], "arteriole, version"),
            (["st2solo", "--help"], "StackStorm's packs, rules and workflows"),
            (["st2", "--version"], "st2 3.9.0"),
        ],
        ids=" ".join,
    )
    def test_the_commands_of_the_bundle_run(self, installed, command, says):
        words = [installed / word if "/" in word else word for word in command[1:]]
        done = run(installed / "bin" / command[0], *words)
        assert done.returncode == 0 and says in done.stdout + done.stderr, done.stderr

    def test_it_brings_packs_and_pages(self, installed):
        for pack in ("arteria", "umccr"):
            log = run("git", "-c", "safe.directory=*", "-C", installed / "packs" / pack, "log")
            assert f"Export of the pack {pack}" in log.stdout, log.stderr
        assert (installed / "docs" / "runbook" / "README.md").is_file()
        (pages,) = installed.glob("arteriole/lib/python3*/site-packages/arteriole/app/page/runbook")
        assert (pages / "convert.io.md").read_bytes() == (
            installed / "docs" / "runbook" / "convert.io.md"
        ).read_bytes()

    def test_a_second_install_puts_it_right_again(self, bundle, installed):
        (installed / "arteriole" / "bin" / "arteriole").unlink()
        assert install(bundle, installed).returncode == 0
        assert run(installed / "bin" / "arteriole", "--help").returncode == 0

    def test_no_address_of_a_registry_is_in_what_is_ours(self, bundle):
        files = [path for path in bundle.rglob("*") if path.is_file() and path.suffix != ".whl"]
        texts = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in files}
        for wheel in [*bundle.glob("wheels/arteriole-*"), *bundle.glob("wheels/st2solo-*")]:
            with zipfile.ZipFile(wheel) as archive:
                texts |= {f"{wheel.name}/{name}": archive.read(name) for name in archive.namelist()}
        assert len(texts) > 200
        assert [name for name, text in texts.items() if REGISTRY.search(text)] == []
        assert not [name for name in texts if Path(name).name in ("pip.conf", "direct_url.json")]
