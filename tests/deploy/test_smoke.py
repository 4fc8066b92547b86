"""deploy/smoke.py where the chain does not move; `make docker-test` has it where it does."""

import subprocess
import sys

import pytest

from demo.machine import ROOT, Machine, Ports


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """A machine whose services run, and whose orchestrator does not."""
    machine = Machine(tmp_path_factory.mktemp("a machine"), Ports.free())
    machine.lay_out()
    machine.start_services()
    yield machine
    machine.stop()


def smoke(machine, **given):
    words = {
        "landing": machine.incoming,
        "url": machine.url("runfolder"),
        "token-file": machine.state / "arteriole" / "admin.token",
        "truth": machine.home,
        "seconds": 2,
        "pause": 0.1,
        **given,
    }
    return subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "smoke.py")]
        + [f"--{name}={value}" for name, value in words.items()],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_chain_without_an_orchestrator_fails_and_says_so(services):
    done = smoke(services)
    assert done.returncode == 1
    assert "the packs' sensor was never heard" in done.stderr
    assert "ASMOKE" in done.stderr and "it is " in done.stderr
    assert not list(services.home.glob("arteriole-smoke-*"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"url": "http://127.0.0.1:9"}, "does not answer"),
        ({"token-file": "/nowhere"}, "the token cannot be read"),
        ({"landing": "/proc/nowhere"}, "could not be written"),
    ],
    ids=["no service", "no token", "no landing folder"],
)
def test_what_is_missing_is_told(services, given, told):
    done = smoke(services, **given)
    assert done.returncode == 1 and told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_token_is_told_without_it(services, tmp_path):
    (tmp_path / "token").write_text("not-this-one\n")
    done = smoke(services, **{"token-file": tmp_path / "token"})
    assert done.returncode == 1 and "401" in done.stderr and "not-this-one" not in done.stderr
