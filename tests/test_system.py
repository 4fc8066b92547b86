"""demo/system.sh names what is missing where it may not install it."""

import shutil
import subprocess

import pytest

from demo.machine import ROOT

SBIN = "/usr/sbin:/sbin:/usr/local/sbin"


@pytest.fixture
def ask(tmp_path):
    """Runs the script with these tools only; without apt-get it installs nothing, even as root."""
    if shutil.which("rsync", path=SBIN) or shutil.which("apt-get", path=SBIN):
        pytest.skip("this system keeps every tool in /usr/sbin")
    (tmp_path / "id").symlink_to(shutil.which("id"))

    def asked(*words, tools=(), **environment):
        for tool in tools:
            (tmp_path / tool).write_text("#!/bin/sh\n")
            (tmp_path / tool).chmod(0o755)
        return subprocess.run(
            [shutil.which("sh"), str(ROOT / "demo" / "system.sh"), *words],
            env={"PATH": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return asked


CLIENTS = ("rsync", "ssh", "ssh-keygen", "sshd")
SWIFT = tuple(f"swift-{kind}-server" for kind in ("proxy", "account", "container", "object"))


@pytest.mark.parametrize("lacking", CLIENTS[:3])
def test_what_is_missing_is_named_and_the_demo_does_not_begin(ask, lacking):
    done = ask(tools=[tool for tool in CLIENTS if tool != lacking])
    first = done.stderr.splitlines()[0]
    assert done.returncode == 1
    assert first.split(":")[1].split() == [lacking]
    assert "apt-get install" in done.stderr and "PATH" in done.stderr


def test_each_package_is_named_once(ask):
    told = ask(tools=["rsync", "sshd"]).stderr
    assert told.count("openssh-client") == 1 and "ssh ssh-keygen" in told


def test_tests_begin_without_the_tools_that_some_need(ask):
    done = ask("test", tools=CLIENTS)
    assert done.returncode == 0 and " java" in done.stderr.splitlines()[0]


def test_java_and_picard_may_lie_anywhere(ask, tmp_path):
    home = tmp_path / "a jdk"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").symlink_to(shutil.which("sh"))
    jar = tmp_path / "my picard.jar"
    jar.touch()
    done = ask("test", tools=(*CLIENTS, *SWIFT, "sudo"), JAVA_HOME=str(home), PICARD_JAR=str(jar))
    assert (done.returncode, done.stderr) == (0, "")


def test_when_nothing_is_missing_it_says_nothing(ask):
    done = ask(tools=CLIENTS)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
