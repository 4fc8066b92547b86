"""kill -9 of st2solo while it installs packs."""

import os
import shutil
import signal

import pytest


@pytest.fixture
def repository(repository_of, tmp_path):
    repository = repository_of(tmp_path / "hello")
    for number in (1, 2, 3):
        repository.version(number)
    return repository


def _installed(serve):
    return sorted(path.name for path in (serve.folder / "state" / "installed_packs").iterdir())


#: Where st2solo dies, and what makes it die there.
_DEATHS = {
    "before a process starts": "Dispatcher._launch = die",
    "before its end is written": "Dispatcher._complete = die",
    "in the transaction that registers": "InstalledPacks.put = die",
    "when that is committed": (
        "install = Registry.install\n"
        "def then_die(*a):\n"
        "    asyncio.get_running_loop().call_soon(die)\n"
        "    return install(*a)\n"
        "Registry.install = then_die"
    ),
}
_DYING = (
    "import asyncio, os\n"
    "from st2solo import cli\n"
    "from st2solo.dispatcher import Dispatcher\n"
    "from st2solo.installed_packs import InstalledPacks\n"
    "from st2solo.registry import Registry\n"
    "def die(*_): os._exit(9)\n"
    "{}\ncli.main()"
)


@pytest.mark.parametrize(
    "points",
    [
        ["before its end is written", "in the transaction that registers"],
        pytest.param(list(_DEATHS), marks=pytest.mark.storm),
    ],
)
def test_killed_at_each_step_an_installation_goes_on(
    points, stopped, repository, until, record_property
):
    """kill -9 before and after the effect of its tasks; each time another version is installed."""
    for number, point in enumerate(points):
        stopped.start(_DYING.format(_DEATHS[point]))
        version = 1 + number % 3
        body = {"packs": [f"{repository}={version}.0.0"]}
        asked = stopped.call("POST", "/packs/install", json=body).json()["execution_id"]
        assert stopped.process.wait(120) == 9, point
        stopped.start()
        path = f"/executions/{asked}"
        until(lambda path=path: stopped.get(path).get("end_timestamp"), f"{point}: it ended")
        done = stopped.get(path)
        assert done["status"] == "succeeded", (point, done["result"])
        assert stopped.get("/packs/hello")["version"] == f"{version}.0.0", point
        stopped.stop()
    stopped.start()  # and the folders of the versions before are removed
    (kept,) = until(lambda: len(names := _installed(stopped)) == 1 and names, "swept")
    assert kept in stopped.get("/packs/hello")["path"]
    record_property("kills", len(points))


_GIT = '#!/bin/sh\necho $$ > {0}/pid\nwhile [ ! -e {0}/go ]; do sleep 0.1; done\nexec {1} "$@"\n'


@pytest.mark.storm
def test_a_download_that_died_with_all_the_rest_begins_anew(
    stopped, repository, until, tmp_path, monkeypatch, record_property
):
    """As where the machine has lost its power while git was at work."""
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(_GIT.format(tmp_path, shutil.which("git")))
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    stopped.start()
    body = {"packs": [str(repository)]}
    asked = stopped.call("POST", "/packs/install", json=body).json()["execution_id"]
    pid = int(until(lambda: (p := tmp_path / "pid").exists() and p.read_text(), "git runs"))
    stopped.stop(signal.SIGKILL)
    (supervisor,) = (stopped.folder / "state" / "work").glob("*/supervisor.pid")
    os.kill(int(supervisor.read_text()), signal.SIGKILL)
    os.killpg(os.getpgid(pid), signal.SIGKILL)
    (tmp_path / "go").touch()
    stopped.start()
    path = f"/executions/{asked}"
    until(lambda: stopped.get(path).get("end_timestamp"), "it ended")
    assert stopped.get(path)["status"] == "succeeded"
    assert stopped.get("/packs/hello")["version"] == "3.0.0"
    record_property("kills", 1)
