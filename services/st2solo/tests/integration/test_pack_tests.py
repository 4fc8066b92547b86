"""`st2solo test`: a pack's own tests by StackStorm's names, in its own Python environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from st2solo.cli import commands
from st2solo.metadata_file import MetadataError
from st2solo.pack_tests import PackTestsError, prepared

GREETER = Path(__file__).parents[2] / "examples" / "greeter"
_PACK = "name: demo\ndescription: d\nversion: 0.1.0\nauthor: a\nemail: a@example.org\n"


def _run(argv, folder, environment):
    own = {k: v for k, v in environment.items() if not k.startswith("PYTEST")}
    return subprocess.run(
        argv, cwd=folder, env=own, capture_output=True, text=True, check=False, timeout=120
    )


def _test(pack, tmp_path, *arguments):
    """The tests, run as the command `st2solo test` does once it has prepared them."""
    run = prepared(pack, tmp_path / "envs", ("-p", "no:cacheprovider", *arguments))
    return _run(run.argv, run.folder, run.environment)


def _written(tmp_path, **files):
    """A pack `demo` below a repository whose own options of pytest would break its tests."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise SystemExit('not the pack')\n")
    for name, text in {"pack.yaml": _PACK, **files}.items():
        path = tmp_path / "demo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "demo"


def test_the_command(tmp_path):
    command = [sys.executable, "-m", "st2solo", "test", GREETER, "--environments", tmp_path / "e"]
    more = ["--", "-q", "-p", "no:cacheprovider"]
    found = _run(command + more, tmp_path, os.environ)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "5 passed" in found.stdout
    assert not (tmp_path / "e").exists()  # st2solo's own environment has all that it requires


def test_the_example_s_tests_fail_where_its_code_is_wrong(tmp_path):
    bad = shutil.copytree(GREETER, tmp_path / "greeter")
    for name, right, wrong in [
        ("actions/greet.py", ") + 1", ") + 2"),
        ("sensors/visitors_sensor.py", "names[known:]", "names"),
        ("aliases/greet.yaml", "say hi to", "say hey to"),
    ]:
        text = (bad / name).read_text()
        assert right in text
        (bad / name).write_text(text.replace(right, wrong))
    found = _test(bad, tmp_path, "--ignore=tests/test_rules.py")
    assert found.returncode == 1
    assert "3 failed, 1 passed" in found.stdout


def test_where_a_pack_s_tests_import_from(tmp_path):
    """In the order of st2-run-pack-tests: lib, StackStorm, sensors, actions, actions/lib, etc."""
    names = ("lib", "sensors", "actions", "actions/lib", "etc")
    files = {f"{name}/only_{i}.py": f"HERE = {name!r}\n" for i, name in enumerate(names)}
    files |= {f"{name}/several.py": f"HERE = {name!r}\n" for name in names[1:]}
    files |= {"sensors/st2tests.py": "", "lib/yaml.py": "HERE = 'lib'\n"}
    files["tests/test_paths.py"] = (
        "import only_0, only_1, only_2, only_3, only_4, several, st2tests.base, yaml\n\n\n"
        "def test_it():\n    assert (several.HERE, yaml.HERE) == ('sensors', 'lib')\n"
    )
    files["tests/test_not_asked_for.py"] = "def test_it(): assert False\n"
    found = _test(_written(tmp_path, **files), tmp_path, "tests/test_paths.py")
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_pack_without_tests_is_told(tmp_path):
    found = CliRunner().invoke(commands, ["test", str(_written(tmp_path))])
    assert (found.exit_code, found.stdout) == (0, "")
    assert "there are no tests" in found.stderr


def test_a_folder_that_is_no_pack_is_refused(tmp_path):
    with pytest.raises(MetadataError, match=r"pack\.yaml"):
        prepared(tmp_path, tmp_path / "envs", ())


def test_where_there_is_no_pytest_it_is_told(tmp_path):
    python = tmp_path / "envs" / "demo" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    (tmp_path / "envs" / "demo" / ".requirements.sha256").touch()
    with pytest.raises(PackTestsError, match=r"st2solo\[testing\]"):
        prepared(_written(tmp_path), tmp_path / "envs", ())
