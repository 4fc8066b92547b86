"""`st2solo test`: a pack's own tests by StackStorm's names, in its own Python environment."""

import os
import shutil
import subprocess
import sys
import zipfile
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
    found = _test(_written(tmp_path, **files), tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr


def test_arguments_go_to_pytest_and_its_exit_code_comes_back(tmp_path):
    pack = _written(
        tmp_path,
        **{
            "tests/test_a.py": "def test_a(): pass\n",
            "tests/test_b.py": "def test_b(): print('as it comes'); assert False\n",
        },
    )
    one = _test(pack, tmp_path, "tests/test_a.py")
    assert (one.returncode, "1 passed" in one.stdout) == (0, True)
    both = _test(pack, tmp_path)
    assert (both.returncode, "1 failed, 1 passed" in both.stdout) == (1, True)
    assert "as it comes" in both.stdout


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


def _wheel(folder, name, **files):
    """A distribution that pip can install without a network."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files |= {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return path


def test_what_the_pack_and_its_tests_require_is_installed(tmp_path):
    """Its own come first; behind them are st2solo's, pytest among them."""
    thing = _wheel(tmp_path, "tiny_thing", **{"tiny_thing.py": "", "semver.py": "HERE = 'pack'\n"})
    more = _wheel(tmp_path, "tiny_more", **{"tiny_more.py": ""})
    pack = _written(
        tmp_path,
        **{
            "requirements.txt": f"{thing}\n",
            "requirements-tests.txt": f"{more}\n",
            "aliases/a.yaml": "name: a\naction_ref: demo.a\nformats: ['a {{ x }}']\n",
            "tests/test_it.py": (
                "import mock, semver, tiny_more, tiny_thing\n"
                "from st2tests.base import BaseActionAliasTestCase\n\n\n"
                "class It(BaseActionAliasTestCase):\n"
                "    action_alias_name = 'a'\n\n"
                "    def test_it(self):\n"
                "        self.assertEqual(semver.HERE, 'pack')\n"
                "        self.assertExtractedParametersMatch('a {{ x }}', 'a 1', {'x': '1'})\n"
            ),
        },
    )
    found = _test(pack, tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    assert (tmp_path / "envs" / "demo" / "bin" / "python").exists()
